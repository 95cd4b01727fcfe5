"""Texts and JSON from outside, made storable."""

from __future__ import annotations

import math
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from akmatori_server.incidents.storable import storable_json, storable_text

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters()), inner, max_size=4),
    max_leaves=20,
)


def test_what_cannot_be_stored_is_replaced() -> None:
    """NUL and lone surrogates become the replacement character; the rest stays."""
    assert storable_text("a\x00b\ud800c😀") == "a\ufffdb\ufffdc😀"


def test_a_text_is_cut_by_characters() -> None:
    """Not in the middle of one."""
    assert storable_text("日本語", 2) == "日本"


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        (2**64 - 1, 2**64 - 1),
        (2**64, "18446744073709551616"),
        (-(2**63) - 1, "-9223372036854775809"),
        (math.inf, None),
        (True, True),
        ({"k\x00": ["\ud800", 1.5]}, {"k\ufffd": ["\ufffd", 1.5]}),
    ],
)
def test_numbers_and_members(value: Any, stored: Any) -> None:
    """What JSON can hold stays; what it cannot is text or null."""
    assert storable_json(value) == stored


@given(ANY_JSON)
def test_every_json_value_can_be_stored(value: Any) -> None:
    """And is the same when it is made storable again."""
    stored = storable_json(value)

    assert storable_json(orjson.loads(orjson.dumps(stored))) == stored


def test_what_nests_too_deep_is_cut_off() -> None:
    """The encoder takes 254 levels; a payload of a thousand is kept down to the hundredth."""
    value: Any = "bottom"
    for _ in range(1000):
        value = [value]

    assert orjson.dumps(storable_json(value)).count(b"[") == 100


def test_a_number_of_thousands_of_digits_is_kept_as_text() -> None:
    """Python itself refuses to write it in decimal."""
    assert storable_json(10**5000) == hex(10**5000)
