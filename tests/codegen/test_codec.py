"""Reading and writing models: round trips, values of newer servers, and errors that say where."""

from __future__ import annotations

import copy
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, cast

import attrs
import orjson
import pytest

from akmatori_sdk._core.codec import dumps
from akmatori_sdk._core.errors import DecodeError
from akmatori_sdk._core.model import UNSET, UnknownVariant
from codegen.names import snake

if TYPE_CHECKING:
    from tests.codegen.conftest import Generated

EXAMPLES = [
    "Action",
    "Counts",
    "CreateThing",
    "Empty",
    "Error",
    "Labels",
    "Thing",
    "ThingArray",
    "ThingEnvelope",
    "ThingList",
    "ThingPage",
    "UpdateThing",
]


def test_every_example_is_covered(nasty: Generated) -> None:
    schemas = nasty.document["components"]["schemas"]
    assert [name for name, schema in schemas.items() if "example" in schema] == EXAMPLES


@pytest.mark.parametrize("name", EXAMPLES)
def test_reading_and_writing_gives_the_same_json(nasty: Generated, name: str) -> None:
    example = nasty.example(name)
    before = copy.deepcopy(example)
    decode, encode = (getattr(nasty.codec, f"{verb}_{snake(name)}") for verb in ("decode", "encode"))
    written = orjson.loads(dumps(encode(decode(example))))
    assert written == example
    assert example == before, "decoding changed its input"


def test_members_have_python_types_and_names(nasty: Generated) -> None:
    thing = nasty.codec.decode_thing(nasty.example("Thing"))
    assert thing.from_ == "here"
    assert (thing.class_, thing.import_, thing.extra_) == ("c", None, "taken")
    assert (thing.foo_bar, thing.foo_bar_1) == (1, 2)
    assert thing.kind is nasty.models.Kind.PLAIN
    assert thing.next_kind is nasty.models.Kind.FIELD_2FA
    assert thing.level is nasty.models.Level.INTEGER_2
    assert thing.made_at == datetime(2026, 1, 2, 3, 4, 5, 123456, tzinfo=UTC)
    assert thing.days == [date(2026, 1, 2)]
    assert thing.extra == {"not_in_the_specification": {"kept": True}}
    assert thing.parts[1].extra == {"colour": "red"}
    assert thing.parts[1].weight is UNSET
    assert isinstance(thing.action, nasty.models.Shell)


def test_null_and_absent_are_different(nasty: Generated) -> None:
    decode, encode = nasty.codec.decode_update_thing, nasty.codec.encode_update_thing
    assert decode({}).name is UNSET
    assert decode({"name": None}).name is None
    assert encode(nasty.models.UpdateThing()) == {}
    assert encode(nasty.models.UpdateThing(name=None)) == {"name": None}


def test_absent_members_take_their_defaults(nasty: Generated) -> None:
    thing = nasty.codec.decode_create_thing({"name": "n", "kind": "plain"})
    assert (thing.level, thing.limit, thing.strict, thing.tags) == (
        nasty.models.Level.INTEGER_1,
        0.5,
        False,
        [],
    )
    other = nasty.codec.decode_create_thing({"name": "n", "kind": "plain"})
    other.tags.append("t")
    assert thing.tags == []


@pytest.mark.parametrize(("member", "value"), [("kind", "newer"), ("only", "another"), ("level", 7)])
def test_unknown_enumeration_values_are_kept(nasty: Generated, member: str, value: object) -> None:
    thing = nasty.codec.decode_thing(nasty.example("Thing") | {member: value})
    assert getattr(thing, member) == value
    assert not getattr(thing, member).is_known
    assert orjson.loads(dumps(nasty.codec.encode_thing(thing)))[member] == value


def test_unknown_variants_are_kept(nasty: Generated) -> None:
    thing = nasty.codec.decode_thing(nasty.example("Thing"))
    assert isinstance(thing.actions, list)
    assert thing.actions[1] == UnknownVariant(raw={"kind": "brand-new", "payload": [1]})


def test_a_list_is_a_page_or_an_array(nasty: Generated) -> None:
    page = nasty.codec.decode_thing_list(nasty.example("ThingPage"))
    assert isinstance(page, nasty.models.ThingPage)
    array = nasty.codec.decode_thing_list(nasty.example("ThingArray"))
    assert isinstance(array, list)
    assert nasty.codec.encode_thing_list(page)["pagination"] == {"total": 1}


def test_nanoseconds_and_offsets_are_read(nasty: Generated) -> None:
    thing = nasty.codec.decode_thing(
        nasty.example("Thing") | {"made_at": "2026-01-02T05:04:05.123456789+02:00"}
    )
    assert (
        orjson.loads(dumps(nasty.codec.encode_thing(thing)))["made_at"] == "2026-01-02T05:04:05.123456+02:00"
    )


def test_secrets_do_not_show(nasty: Generated) -> None:
    thing = nasty.models.Notify()
    assert attrs.fields_dict(nasty.models.Thing)["token"].metadata["secret"] is True
    assert "hunter2" not in repr(nasty.codec.decode_thing(nasty.example("Thing")))
    assert thing == nasty.models.Notify()


def _change(**members: Any) -> Any:
    return lambda example: example | members


def _without(name: str) -> Any:
    return lambda example: {k: v for k, v in example.items() if k != name}


@pytest.mark.parametrize(
    ("change", "path", "sentence"),
    [
        (_change(name=5), "$.name", "expected a string, got 5"),
        (_change(name=None), "$.name", "expected a string, got null"),
        (_change(id=True), "$.id", "expected an integer, got true"),
        (_change(id=1.5), "$.id", "expected an integer, got 1.5"),
        (_change(id="1"), "$.id", 'expected an integer, got "1"'),
        (_change(ratio="1"), "$.ratio", 'expected a number, got "1"'),
        (_change(ratio=False), "$.ratio", "expected a number, got false"),
        (_change(on=1), "$.on", "expected true or false, got 1"),
        (_change(kind=5), "$.kind", "expected a string, got 5"),
        (_change(level="2"), "$.level", 'expected an integer, got "2"'),
        (_change(level=True), "$.level", "expected an integer, got true"),
        (_change(made_at="yesterday"), "$.made_at", 'expected a date-time, got "yesterday"'),
        (_change(made_at=5), "$.made_at", "expected a date-time, got 5"),
        (_change(seen_at=False), "$.seen_at", "expected a date-time or null, got false"),
        (_change(parts={}), "$.parts", "expected an array, got an object"),
        (_change(parts=""), "$.parts", 'expected an array, got ""'),
        (_change(parts=[{"size": 1}, {"size": "2"}]), "$.parts[1].size", 'expected an integer, got "2"'),
        (_change(parts=[[]]), "$.parts[0]", "expected an object, got an array"),
        (_change(parts=[{}]), "$.parts[0].size", "the required member is missing"),
        (_change(free=[]), "$.free", "expected an object or null, got an array"),
        (_change(labels={"a": "b", "c d": 1}), '$.labels["c d"]', "expected a string, got 1"),
        (_change(counts={"a": 1}), "$.counts.a", "expected an object, got 1"),
        (_change(action={}), "$.action.kind", "the required member is missing"),
        (_change(action={"kind": "shell"}), "$.action.command", "the required member is missing"),
        (_change(action=[]), "$.action", "expected an object, got an array"),
        (_change(actions=[{"kind": "notify", "at": 5}]), "$.actions[0].at", "expected a date-time, got 5"),
        (_change(words=["a", 5]), "$.words[1]", "expected a string or null, got 5"),
        (_change(grid=[[1], ["2"]]), "$.grid[1][0]", 'expected an integer, got "2"'),
        (_change(grid=[1]), "$.grid[0]", "expected an array, got 1"),
        (_change(days=["soon"]), "$.days[0]", 'expected a date, got "soon"'),
        (_change(token=["hunter2"]), "$.token", "expected a string, got an array"),
        (_change(token=12345), "$.token", "expected a string, got an integer that is not shown"),
        (_without("name"), "$.name", "the required member is missing"),
        (lambda _: [], "$", "expected an object, got an array"),
        (lambda _: None, "$", "expected an object, got null"),
    ],
)
def test_a_wrong_value_is_named_with_its_path(
    nasty: Generated, change: Any, path: str, sentence: str
) -> None:
    with pytest.raises(DecodeError) as caught:
        nasty.codec.decode_thing(change(nasty.example("Thing")))
    assert (caught.value.path, caught.value.message) == (path, sentence)


def test_paths_go_through_pages_and_arrays(nasty: Generated) -> None:
    things = [nasty.example("Thing"), nasty.example("Thing") | {"name": 5}]
    for decode, value, path in (
        (nasty.codec.decode_thing_page, {"data": things, "pagination": {"total": 2}}, "$.data[1].name"),
        (nasty.codec.decode_thing_list, things, "$[1].name"),
        (nasty.codec.decode_thing_list, {"data": things, "pagination": {"total": 2}}, "$.data[1].name"),
        (nasty.codec.decode_thing.many(), things, "$[1].name"),
    ):
        with pytest.raises(DecodeError) as caught:
            decode(value)
        assert caught.value.path == path


@pytest.mark.parametrize("value", [[], "x", 5, None])
def test_a_model_without_members_is_an_object_all_the_same(nasty: Generated, value: object) -> None:
    for decode in (nasty.codec.decode_empty, nasty.codec.decode_update_thing):
        with pytest.raises(DecodeError, match="expected an object"):
            decode(value)


def test_a_union_is_refused_as_a_whole(nasty: Generated) -> None:
    with pytest.raises(DecodeError, match="expected an object or an array, got 5"):
        nasty.codec.decode_thing_list(5)


def test_mappings_in_place_of_nested_models() -> None:
    """Plain members are written as they are; what cannot be the model is told with its name."""
    from akmatori_sdk._generated.akmatori import codec, models

    tool = {"name": "get", "http_method": "GET", "path": "/"}

    def request(tools: Any) -> dict[str, Any]:
        made = models.CreateHttpConnectorRequest(tool_type_name="a", base_url_field="url", tools=tools)
        return codec.encode_create_http_connector_request(made)

    assert request({"tools": [tool]})["tools"] == {"tools": [tool]}
    assert request(models.HttpToolSet(tools=cast("Any", [tool])))["tools"] == {"tools": [tool]}
    for wrong, sentence in {
        "{}": "The mapping given as HttpToolSet lacks tools.",
        '{"tools": [], "tool": 1}': "HttpToolSet has no member tool; it has tools.",
        "5": "Expected HttpToolSet or a mapping of its members, got int.",
    }.items():
        with pytest.raises(TypeError) as raised:
            request(orjson.loads(wrong))
        assert str(raised.value) == sentence
    # What is no mapping at all, deeper inside.
    with pytest.raises(TypeError, match=r"^Expected HttpToolDefinition or a mapping"):
        request(models.HttpToolSet(tools=cast("Any", [1])))


def test_mappings_in_place_of_variants(nasty: Generated) -> None:
    """They are written as they are, like those of newer servers."""
    thing = nasty.codec.decode_action(nasty.example("Action"))
    assert orjson.loads(dumps(nasty.codec.encode_action(thing))) == nasty.example("Action")
    assert nasty.codec.encode_action(cast("Any", nasty.example("Action"))) == nasty.example("Action")
