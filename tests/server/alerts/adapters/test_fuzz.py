"""Adapters against anything: nothing but BadRequest escapes, and what is read can be stored."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from akmatori_server.alerts.document import read_document
from akmatori_server.errors import BadRequest
from tests.server.alerts.adapters.fuzzing import MAPPINGS, check, check_bytes, mutated

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
BYTES = st.binary(max_size=60) | st.text('{}[]:,"\\ud80 0123.eE+-tfn\x00', max_size=60).map(str.encode)


@settings(max_examples=60)
@given(document=ANY_JSON, mappings=MAPPINGS)
def test_any_document_is_read_or_refused(document: object, mappings: dict[str, str]) -> None:
    """By every adapter."""
    check(document, mappings)


@settings(max_examples=120)
@given(document=mutated(ANY_JSON), mappings=MAPPINGS)
def test_any_mutation_of_a_real_payload_is_read_or_refused(
    document: object, mappings: dict[str, str]
) -> None:
    """By every adapter, its own vendor's among them."""
    check(document, mappings)


@settings(max_examples=60)
@given(body=BYTES)
def test_any_body_is_read_or_refused(body: bytes) -> None:
    """Down to the bytes."""
    check_bytes(body)
    try:
        assert isinstance(read_document(body), dict)
    except BadRequest:
        return


@pytest.mark.parametrize("levels", [1000, 100_000])
def test_depth_and_size_are_no_trouble(levels: int) -> None:
    """Nested beyond what encoders take, numbers without end, a label of a megabyte."""
    check_bytes(b'{"alerts":[{"labels":' + b'{"a":' * levels + b"1" + b"}" * levels + b"}]}")
    check_bytes(b'[{"event_id":' + b"9" * levels + b',"priority":' + b"9" * 400 + b"}]")
    check_bytes(b'{"title":"' + b"x" * 10 * levels + b'","tags":"' + b"a:b," * levels + b'"}')
