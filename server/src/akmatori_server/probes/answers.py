"""Looking into an answer: what stands at a path, and whether it is a finding. Pure."""

from __future__ import annotations

import enum
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sized
from typing import cast

import attrs

from akmatori_server.alerts.adapters.fields import MISSING, find, text_of
from akmatori_server.incidents.storable import JSON
from akmatori_server.matching.regex import compile_regex, matches_whole
from akmatori_server.probes.models import Expectation, Operator
from akmatori_server.probes.units import shown_number

EACH = "[*]"
LONGEST_SHOWN = 120
_INDEX = re.compile(r"\[([0-9]{1,6})\]")
_PATH = re.compile(
    r"[^.\[\]\s][^.\[\]]*(?:\.[^.\[\]]+|\[[0-9]{1,6}\]|\[\*\])*|(?:\[[0-9]{1,6}\]|\[\*\])(?:\.?[^.\[\]]+|\[[0-9]{1,6}\]|\[\*\])*"
)


class State(enum.StrEnum):
    """What an expectation says about an answer."""

    PROBLEM = "problem"
    FINE = "fine"
    # The answer does not say, so nobody knows.
    UNKNOWN = "unknown"


@attrs.frozen(kw_only=True)
class Judgement:
    """An answer held against one expectation."""

    state: State
    # What was found there, for people; "" when nothing was.
    shown: str = ""
    # Why it is not known.
    why: str = ""
    # Of how many values it holds, where the path leads to several.
    count: int = 0
    # What the value is part of, when the path goes through a list.
    item: JSON = None


@attrs.frozen
class _Place:
    item: JSON
    value: object


def is_path(text: str) -> bool:
    """Whether a text is a path: names and indexes between dots, or indexes in brackets, and `[*]` for each."""
    return _PATH.fullmatch(text) is not None


def judge(expectation: Expectation, document: JSON) -> Judgement:
    """Hold an answer against an expectation."""
    path = _fitting(expectation.path, document)
    places = list(_places(document, path))
    if expectation.operator in {Operator.COUNT_ABOVE, Operator.COUNT_BELOW}:
        return _counted(expectation, path, places, document)
    told = [place for place in places if place.value is not None and place.value != ""]
    if expectation.operator is Operator.ABSENT:
        return _state(is_problem=not told, shown=_shown(expectation, told[0].value) if told else "nothing")
    if expectation.operator is Operator.PRESENT:
        return _held(expectation, told, told) if told else Judgement(state=State.FINE, shown="nothing")
    if not told:
        return Judgement(state=State.UNKNOWN, why=_nothing(expectation, document))
    if expectation.operator in {Operator.ABOVE, Operator.BELOW}:
        return _measured(expectation, told)
    return _held(expectation, told, [place for place in told if _holds(expectation, place.value)])


def texts_of(item: JSON, prefix: str = "item") -> Mapping[str, str]:
    """Return the texts of an item by their paths, for the sentence about it."""
    return dict(_texts(item, prefix, 4))


def _texts(value: object, path: str, levels: int) -> Iterator[tuple[str, str]]:
    text = text_of(value)
    if text is not None:
        yield path, text
    elif levels and isinstance(value, dict):
        for name, member in list(cast("dict[str, object]", value).items())[:60]:
            yield from _texts(member, f"{path}.{name}", levels - 1)


def _fitting(path: str, document: JSON) -> str:
    """Leave out a `data` that the tool has taken off its answer already, as that of Prometheus has."""
    if path.startswith("data.") and isinstance(document, dict) and "data" not in document:
        return path.removeprefix("data.")
    return path


def _places(document: object, path: str) -> Iterator[_Place]:
    head, each, rest = path.partition(EACH)
    steps = _INDEX.sub(r".\1", head).strip(".")
    value = find(document, steps) if steps else document
    if value is MISSING:
        return
    if not each:
        yield _Place(None, value)
    elif isinstance(value, list):
        for item in cast("list[JSON]", value):
            for place in _places(item, rest.removeprefix(".")) if rest else [_Place(None, item)]:
                # The innermost item is what a sentence is about.
                yield place if place.item is not None else _Place(item, place.value)


def _nothing(expectation: Expectation, document: JSON) -> str:
    if isinstance(document, dict) and "resultType" in document and not document.get("result"):
        return "Prometheus has no series for it"
    return f"the answer has nothing at {expectation.path}"


def _counted(expectation: Expectation, path: str, places: list[_Place], document: JSON) -> Judgement:
    if EACH in path:
        count = len(places)
    elif not places:
        return Judgement(state=State.UNKNOWN, why=_nothing(expectation, document))
    else:
        value = places[0].value
        if value is not None and (isinstance(value, str) or not isinstance(value, Sized)):
            return Judgement(state=State.UNKNOWN, why=f"{expectation.path} is no list in the answer")
        count = 0 if value is None else len(value)
    limit = cast("float", expectation.threshold)
    is_problem = count > limit if expectation.operator is Operator.COUNT_ABOVE else count < limit
    state = State.PROBLEM if is_problem else State.FINE
    return Judgement(state=state, shown=shown_number(count, expectation.unit), count=count)


def _measured(expectation: Expectation, places: list[_Place]) -> Judgement:
    numbers = [(number, place) for place in places if (number := number_of(place.value)) is not None]
    if not numbers:
        found = _shown(expectation, places[0].value)
        return Judgement(
            state=State.UNKNOWN, shown=found, why=f"{expectation.path} is no number in the answer"
        )
    is_above, limit = expectation.operator is Operator.ABOVE, cast("float", expectation.threshold)
    exceeds: Callable[[float], bool] = (
        (lambda number: number > limit) if is_above else (lambda number: number < limit)
    )
    # The worst one tells the most.
    worst, place = (max if is_above else min)(numbers, key=lambda pair: pair[0])
    over = sum(1 for number, _ in numbers if exceeds(number))
    return Judgement(
        state=State.PROBLEM if over else State.FINE,
        shown=shown_number(worst, expectation.unit),
        count=over,
        item=place.item,
    )


def _held(expectation: Expectation, places: list[_Place], holding: list[_Place]) -> Judgement:
    first = (holding or places)[0]
    return Judgement(
        state=State.PROBLEM if holding else State.FINE,
        shown=_shown(expectation, first.value),
        count=len(holding),
        item=first.item,
    )


def _state(*, is_problem: bool, shown: str) -> Judgement:
    return Judgement(state=State.PROBLEM if is_problem else State.FINE, shown=shown, count=int(is_problem))


def _holds(expectation: Expectation, value: object) -> bool:
    operator, threshold = expectation.operator, expectation.threshold
    if operator in {Operator.MATCHES, Operator.NOT_MATCHES}:
        matches = matches_whole(compile_regex(str(threshold)), text_of(value) or "")
        return matches is (operator is Operator.MATCHES)
    if isinstance(threshold, bool):
        is_same = value is threshold or text_of(value) == text_of(threshold)
    elif isinstance(threshold, float):
        is_same = number_of(value) == threshold
    else:
        is_same = text_of(value) == threshold
    return is_same is (operator is Operator.EQUALS)


def number_of(value: object) -> float | None:
    """Return a number, also one that is written as a text, as Prometheus does; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return None if math.isnan(number) else number


def _shown(expectation: Expectation, value: object) -> str:
    number = number_of(value)
    if number is not None and (expectation.unit or not isinstance(value, str)):
        return shown_number(number, expectation.unit)
    text = text_of(value)
    if text is None:
        # Every other JSON value has a length.
        text = f"{len(cast('Sized', value))} members"
    return text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 1]}…"
