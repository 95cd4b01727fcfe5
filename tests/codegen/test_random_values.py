"""Whatever values a model holds come back from its JSON."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any

import orjson
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from akmatori_sdk._core.codec import dumps
from akmatori_sdk._core.errors import DecodeError
from akmatori_sdk._core.model import UNSET, UnknownVariant

if TYPE_CHECKING:
    from tests.codegen.conftest import Generated

# The generated package is made once for the session, so nothing leaks between examples.
shared = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
integers = st.integers(-(2**53), 2**53)
numbers = st.floats(allow_nan=False, allow_infinity=False) | integers
moments = st.datetimes(timezones=st.just(UTC)) | st.none()
json = st.recursive(
    st.none() | st.booleans() | integers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


def optional(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.just(UNSET) | strategy


@shared
@given(data=st.data())
def test_models_come_back_from_their_json(nasty: Generated, data: st.DataObject) -> None:
    models = nasty.models
    parts = st.builds(models.Part, size=integers, weight=optional(numbers))
    actions = (
        st.builds(models.Shell, command=texts)
        | st.builds(models.Notify, at=optional(st.datetimes(timezones=st.just(UTC))))
        | st.builds(UnknownVariant, raw=st.fixed_dictionaries({"kind": st.just("new"), "x": json}))
    )
    kinds = st.sampled_from(models.Kind) | texts.map(models.Kind)
    things = st.builds(
        models.Thing,
        id=integers,
        name=texts,
        kind=kinds,
        made_at=st.datetimes(timezones=st.just(UTC)),
        seen_at=moments,
        parts=st.lists(parts, max_size=3),
        free=st.none() | st.dictionaries(texts, json, max_size=3),
        from_=texts,
        level=st.integers(0, 5).map(models.Level),
        ratio=numbers,
        on=st.booleans(),
        import_=optional(st.none() | texts),
        extra_=optional(texts),
        counts=optional(st.dictionaries(texts, parts, max_size=2)),
        action=optional(actions),
        actions=optional(st.lists(actions, max_size=3)),
        best_part=optional(st.none() | parts),
        next_kind=optional(st.none() | kinds),
        words=optional(st.lists(st.none() | texts, max_size=3)),
        anything=optional(json),
        extra=st.dictionaries(texts.map("new_{}".format), json, max_size=2),
    )
    thing = data.draw(things)
    assert nasty.codec.decode_thing(orjson.loads(dumps(nasty.codec.encode_thing(thing)))) == thing


@shared
@given(value=json)
def test_any_json_is_read_or_refused_with_a_path(nasty: Generated, value: Any) -> None:
    for decode in (nasty.codec.decode_thing, nasty.codec.decode_thing_list, nasty.codec.decode_action):
        try:
            decode(value)
        except DecodeError as error:
            refused = error
        else:
            continue
        assert refused.path.startswith("$")


@shared
@given(
    member=st.sampled_from(["id", "name", "kind", "parts", "action", "grid", "labels", "level"]), value=json
)
def test_the_path_names_the_member_that_is_wrong(nasty: Generated, member: str, value: Any) -> None:
    try:
        nasty.codec.decode_thing(nasty.example("Thing") | {member: value})
    except DecodeError as error:
        refused = error
    else:
        return
    assert refused.path.startswith(f"$.{member}")
    assert "documented shape" not in refused.message
