"""What every model can do."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import attrs
import pytest

from akmatori_sdk import UNSET, Model
from akmatori_sdk._core.model import OpenIntEnum, OpenStrEnum, UnknownVariant
from akmatori_sdk._generated.akmatori.codec import decode_incident
from tests.sdk.support import UUID, incident


class Colour(OpenStrEnum):
    RED = "red"


class Level(OpenIntEnum):
    LOW = 1


@attrs.define(kw_only=True, slots=True, eq=False, repr=False)
class Sample(Model):
    note: str = ""
    uuid: str = "u1"
    secret: str = attrs.field(default="", metadata={"secret": True})
    colour: Colour = Colour.RED
    inner: Sample | None = None
    many: list[Any] = attrs.field(factory=list[Any])
    absent: Any = UNSET
    extra: dict[str, Any] = attrs.field(factory=dict[str, Any])


def test_open_enums_keep_unknown_values() -> None:
    blue = Colour("blue")
    assert (blue, blue.value, str(blue), blue.is_known, Colour.RED.is_known) == (
        "blue",
        "blue",
        "blue",
        False,
        True,
    )
    assert (Level(7), Level(7).is_known) == (7, False)
    wrongs: list[Any] = [None, 3.5, []]
    for wrong in wrongs:
        with pytest.raises(ValueError, match="not a valid"):
            Colour(wrong)
        with pytest.raises(ValueError, match="not a valid"):
            Level(wrong)


def test_repr_is_short_and_begins_with_the_identity() -> None:
    text = repr(Sample(note="n" * 500))
    assert text.startswith("Sample(uuid='u1', note='nnn")
    assert text.endswith("…, secret='', colour='red', inner=None, …)")
    assert len(text) < 200
    assert "<th>many</th><td>&lt;3 items&gt;</td>" in Sample(many=[1, 2, 3])._repr_html_()


def test_secrets_show_neither_in_repr_nor_in_html() -> None:
    sample = Sample(secret="hunter22")
    assert "hunter22" not in repr(sample) + sample._repr_html_()
    assert "****" in repr(sample)
    inside = Sample(inner=sample)
    assert "hunter22" not in repr(inside) + inside._repr_html_()


def test_html_is_escaped() -> None:
    html = Sample(note="<script>alert(1)</script>", many=["<b>"])._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    assert "absent" not in html


def test_to_dict_is_plain_and_complete() -> None:
    sample = Sample(inner=Sample(uuid="u2"), many=[Sample(), {"a": Colour.RED}, UnknownVariant(raw={"x": 1})])
    found = sample.to_dict()
    assert found["inner"]["uuid"] == "u2"
    assert found["many"][1:] == [{"a": "red"}, {"x": 1}]
    assert type(found["colour"]) is str
    assert "absent" not in found
    read = decode_incident(incident(news=1)).to_dict()
    assert (read["uuid"], read["extra"], read["context"]) == (UUID, {"news": 1}, {"task": "Why?"})


def test_equality_is_by_value_and_there_is_no_hash() -> None:
    assert Sample(note="a") == Sample(note="a")
    assert Sample(note="a") != Sample(note="b")
    assert Sample() != "Sample"
    with pytest.raises(TypeError):
        hash(Sample())


def test_models_can_be_pickled_and_copied() -> None:
    one = decode_incident(incident())
    assert pickle.loads(pickle.dumps(one)) == copy.deepcopy(one) == one  # noqa: S301 - our own bytes
    assert pickle.loads(pickle.dumps(UNSET)) is UNSET  # noqa: S301 - our own bytes


def test_unset_is_falsy_and_says_its_name() -> None:
    assert not UNSET
    assert (repr(UNSET), str(UNSET), f"{UNSET}") == ("UNSET",) * 3
