"""An answer is held against what is expected: a finding, none, or not known."""

from __future__ import annotations

from typing import Any

from akmatori_server.incidents.storable import JSON
from akmatori_server.probes import read_probes
from akmatori_server.probes.answers import State, judge, texts_of
from akmatori_server.probes.units import shown_number, shown_threshold

VECTOR: JSON = {
    "resultType": "vector",
    "result": [
        {"metric": {"mountpoint": "/"}, "value": [1795000000, "0.41"]},
        {"metric": {"mountpoint": "/var"}, "value": [1795000000, "0.97"]},
    ],
}
PODS: JSON = {
    "items": [
        {"name": "a", "phase": "Running", "containers": [{"n": 1, "waiting": None}]},
        {"name": "b", "phase": "Pending", "containers": [{"n": 2, "waiting": "ImagePullBackOff"}]},
    ]
}


def judged(document: JSON, **members: Any) -> tuple[State, str]:
    ((probe),) = read_probes([{"tool": "t", "function": "f", "expect": [members]}])
    found = judge(probe.expect[0], document)
    return found.state, found.why if found.state is State.UNKNOWN else found.shown


def test_numbers() -> None:
    second = "result[1].value[1]"
    assert judged(VECTOR, value=second, above=0.9, unit="percent") == (State.PROBLEM, "97 %")
    assert judged(VECTOR, value="data." + second, above=0.9) == (State.PROBLEM, "0.97")
    assert judged(VECTOR, value="result.1.value.1", above=0.97) == (State.FINE, "0.97")
    assert judged(VECTOR, value=second, below=1) == (State.PROBLEM, "0.97")
    assert judged(VECTOR, value=second, equals=0.97) == (State.PROBLEM, "0.97")
    assert judged(VECTOR, value=second, not_equals=0.97) == (State.FINE, "0.97")
    assert judged({"n": 0}, value="n", equals=0) == (State.PROBLEM, "0")
    assert judged({"n": "+Inf"}, value="n", above=5) == (State.PROBLEM, "infinite")


def test_the_worst_of_several_is_told_with_what_it_belongs_to() -> None:
    (probe,) = read_probes(
        [{"tool": "t", "function": "f", "expect": [{"value": "result[*].value[1]", "above": 0.4}]}]
    )
    found = judge(probe.expect[0], VECTOR)

    assert (found.state, found.shown, found.count) == (State.PROBLEM, "0.97", 2)
    assert texts_of(found.item)["item.metric.mountpoint"] == "/var"
    assert judged(VECTOR, value="result[*].value[1]", below=0.1) == (State.FINE, "0.41")
    assert judged(PODS, value="items[*].containers[*].n", above=1) == (State.PROBLEM, "2")


def test_texts_counts_and_presence() -> None:
    assert judged(PODS, value="items[*].phase", not_matches="Running|Succeeded") == (State.PROBLEM, "Pending")
    assert judged(PODS, value="items[*].phase", matches="Fail.*") == (State.FINE, "Running")
    assert judged(PODS, value="items[0].phase", equals="Running") == (State.PROBLEM, "Running")
    assert judged(PODS, value="items", count_above=1) == (State.PROBLEM, "2")
    assert judged(PODS, value="items[*].name", count_below=2) == (State.FINE, "2")
    assert judged({"items": []}, value="items", count_below=1) == (State.PROBLEM, "0")
    assert judged({"items": []}, value="items[*].name", count_above=0) == (State.FINE, "0")
    assert judged(PODS, value="items[*].containers[*].waiting", present=True) == (
        State.PROBLEM,
        "ImagePullBackOff",
    )
    assert judged(PODS, value="items[0].containers[*].waiting", present=True) == (State.FINE, "nothing")
    assert judged(PODS, value="nextPage", absent=True) == (State.PROBLEM, "nothing")
    assert judged(PODS, value="items", absent=True) == (State.FINE, "2 members")
    assert judged({"ok": False}, value="ok", equals=False) == (State.PROBLEM, "false")


def test_what_the_answer_does_not_say_is_neither_good_nor_bad() -> None:
    for document in ({"result": []}, {}, None, [], "text", {"result": None}):
        for threshold in ({"above": 1}, {"below": 1}, {"equals": 1}, {"not_equals": 1}, {"matches": "x"}):
            assert judged(document, value="result[0].value[1]", **threshold)[0] is State.UNKNOWN
            assert judged(document, value="result[*].value[1]", **threshold)[0] is State.UNKNOWN
    assert judged({"n": "NaN"}, value="n", above=1) == (State.UNKNOWN, "n is no number in the answer")
    assert judged({"n": {}}, value="n", below=1)[0] is State.UNKNOWN
    assert judged({"n": 4}, value="n", count_above=1)[0] is State.UNKNOWN
    assert judged({}, value="n", count_below=1) == (State.UNKNOWN, "the answer has nothing at n")


def test_numbers_are_written_for_people() -> None:
    for number, unit, shown in (
        (0.9312, "percent", "93.1 %"), (1.5, "percent", "150 %"), (0, "percent", "0 %"),
        (1536, "bytes", "1.5 KiB"), (3 * 1024**3, "bytes", "3 GiB"), (12, "bytes", "12 B"),
        (2**70, "bytes", "1048576 PiB"),
        (0.25, "seconds", "0.25 s"), (90, "seconds", "1.5 min"), (7200, "seconds", "2 h"), (172800, "seconds", "2 d"),
        (97, "%", "97 %"), (1234567, "", "1234567"), (0.000012345678, "", "1.23e-05"), (5, "jobs", "5 jobs"),
        (1234.5678, "", "1235"), (float("-inf"), "", "minus infinite"),
    ):  # fmt: skip
        assert shown_number(number, unit) == shown
    (probe,) = read_probes(
        [
            {
                "tool": "t",
                "function": "f",
                "expect": [
                    {"value": "a", "above": 0.9, "unit": "percent"},
                    {"value": "a", "count_below": 2},
                    {"value": "a", "equals": "x"},
                    {"value": "a", "absent": True},
                ],
            }
        ]
    )
    assert [shown_threshold(one) for one in probe.expect] == ["> 90 %", "fewer than 2", "= x", "is missing"]
