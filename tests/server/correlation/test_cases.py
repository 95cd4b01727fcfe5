"""Running cases: the server's own taking-in of alerts decides, and the differences are told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from akmatori_server.correlation.arena import run_in_arena
from akmatori_server.correlation.cases import CaseResult
from akmatori_server.correlation.reading import read_document
from akmatori_server.correlation.yaml_text import read_rules_file
from tests.server.correlation.documents import BY_CLUSTER, FAILING, GOOD, ONE_CASE

MANUAL = Path(__file__).parents[3] / "docs" / "alerts.md"
EXAMPLE = Path(__file__).parents[3] / "docs" / "examples" / "correlation-rules.yaml"


def run(*alerts: dict[str, Any], incidents: list[list[str]], **members: Any) -> CaseResult:
    """Run one case; alerts are named after their id."""
    named = [{"alert_name": f"alert {alert['id']}", **alert} for alert in alerts]
    case = {"name": "case", "alerts": named, "incidents": incidents, **members}
    (result,) = run_in_arena(read_document({"version": 1, "rules": [BY_CLUSTER], "cases": [case]}))
    return result


def test_the_published_example_passes() -> None:
    """All of its cases, and it shows each kind of rule."""
    results = run_in_arena(read_rules_file(EXAMPLE))

    assert [(result.name, result.problems) for result in results if not result.passed] == []
    assert len(results) >= 6


def test_the_example_of_the_manual_passes(tmp_path: Path) -> None:
    """Copied as it stands there."""
    _, _, rest = MANUAL.read_text().partition("```yaml\n")
    copied = tmp_path / "rules.yaml"
    copied.write_text(rest.partition("```")[0])

    assert [result.passed for result in run_in_arena(read_rules_file(copied))] == [True]


def test_differences_are_told() -> None:
    """Which incidents are missing, which are too many, and which rule placed an alert instead."""
    (result,) = run_in_arena(read_document(FAILING))

    assert not result.passed
    assert (result.expected, result.actual) == ((("a",), ("b",)), (("a", "b"),))
    assert result.problems == (
        "Expected an incident of a alone, which there is not.",
        "Expected an incident of b alone, which there is not.",
        "There is an incident of a and b, which is not expected.",
        'a was placed by the rule "clusters", not by "single".',
    )
    assert result.rules == {"a": "clusters", "b": "clusters"}


def test_cases_do_not_see_each_other() -> None:
    """Each begins from nothing, with the same alerts too."""
    again = {**ONE_CASE, "name": "again"}

    assert all(result.passed for result in run_in_arena(read_document({**GOOD, "cases": [ONE_CASE, again]})))


@pytest.mark.parametrize(
    ("later", "incidents"),
    [
        # Another alert of the cluster, while the incident's alerts fire, and after they ended.
        ({"id": "b", "at": "500m"}, [["a", "b"]]),
        ({"id": "b", "at": "40m", "first": "resolved"}, [["a", "b"]]),
        ({"id": "b", "at": "41m", "first": "resolved"}, [["a"], ["b"]]),
        # The same alert.
        ({"id": "a", "at": "40m", "first": "resolved"}, [["a"]]),
        ({"id": "a", "at": "41m", "first": "resolved"}, [["a"], ["a"]]),
    ],
)
def test_the_window_is_what_the_server_makes_of_it(later: dict[str, Any], incidents: list[list[str]]) -> None:
    """Thirty minutes after the end, and not a minute longer."""
    labels = {"labels": {"cluster": "blue"}}
    end = [{"id": "a", "status": "resolved", "at": "10m"}] if later.pop("first", None) else []

    assert run({"id": "a", **labels}, *end, {**labels, **later}, incidents=incidents).problems == ()


def test_an_alert_that_never_fired_is_in_no_incident() -> None:
    """So it is not in any expected one, and no rule placed it."""
    result = run({"id": "a"}, {"id": "b", "status": "resolved"}, incidents=[["a"]], rules={"b": "single"})

    assert result.problems == ('b is in no incident, so it was not placed by the rule "single".',)


def test_a_storm_is_a_storm() -> None:
    """More different alerts than a source may bring in a minute become one incident, as in the server."""
    ids = [f"a{number}" for number in range(61)]

    assert run(*({"id": one} for one in ids), incidents=[ids], rules={"a60": "storm"}).problems == ()


def test_without_cases_there_is_nothing_to_run() -> None:
    """Nor to wait for."""
    assert run_in_arena(read_document({"version": 1})) == ()
