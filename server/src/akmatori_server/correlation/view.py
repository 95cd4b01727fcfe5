"""Rules and the results of cases as the API shows them."""

from __future__ import annotations

from collections.abc import Sequence

from akmatori_sdk._generated.akmatori import codec, models
from akmatori_server.correlation.cases import CaseResult, Group
from akmatori_server.correlation.state import RulesState


def rules_model(state: RulesState) -> models.CorrelationRules:
    """Return the rules as the API shows them."""
    return models.CorrelationRules(
        source=models.CorrelationRulesSource(state.origin.value),
        file=None if state.path is None else str(state.path),
        error=state.error,
        document=codec.decode_correlation_document(state.document.as_json()),
        updated_at=state.updated_at,
    )


def report_model(results: Sequence[CaseResult]) -> models.CorrelationTestReport:
    """Return what became of the cases as the API shows it."""
    return models.CorrelationTestReport(
        passed=all(result.passed for result in results), cases=[_case_model(result) for result in results]
    )


def _case_model(result: CaseResult) -> models.CorrelationCaseResult:
    return models.CorrelationCaseResult(
        name=result.name,
        passed=result.passed,
        expected=_partition(result.expected),
        actual=_partition(result.actual),
        rules=dict(result.rules),
        problems=list(result.problems),
    )


def _partition(groups: Sequence[Group]) -> list[list[str]]:
    return [list(group) for group in groups]
