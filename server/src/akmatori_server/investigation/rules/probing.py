"""Asking the probes, all at the same time and none for too long, and reading their answers."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from akmatori_server.incidents.storable import JSON
from akmatori_server.investigation.rules.evidence import Check, Evidence, Unasked, Verdict
from akmatori_server.investigation.rules.excerpts import excerpt_of
from akmatori_server.investigation.rules.ports import Bench, Offer
from akmatori_server.investigation.rules.questions import FIRST_LOOK, Question
from akmatori_server.investigation.rules.series import own_series_check
from akmatori_server.probes import Expectation, Severity
from akmatori_server.probes.answers import State, judge, texts_of
from akmatori_server.probes.units import shown_threshold
from akmatori_server.toolbox.arguments import checked_arguments
from akmatori_server.toolbox.models import Access, CallResult, Invocation, Outcome, ToolFailedError

AT_ONCE = 8
LONGEST_ARGUMENTS = 400
LONGEST_EXCERPT = 400
LONGEST_SENTENCE = 300
# Checks of the first look that ask whether the alert itself still holds, rather than one like it.
OWN_SERIES = {
    "alert expression": "The alert's own expression",
    "alert in Prometheus": "The alert in Prometheus",
}


@attrs.frozen
class Budget:
    """How long probes may take, in seconds."""

    each: float = 60.0
    together: float = 180.0


@attrs.frozen
class Answers:
    """What came of the questions."""

    evidence: tuple[Evidence, ...]
    unasked: tuple[Unasked, ...]


async def ask(bench: Bench, questions: Sequence[Question], budget: Budget) -> Answers:
    """Ask all questions at the same time; each comes back as evidence, or with why it does not.

    Raises:
        Fenced: the incident is not ours any more.
        Stopped: the work was cancelled.
    """
    gate = asyncio.Semaphore(AT_ONCE)
    tasks = [asyncio.ensure_future(_asked(bench, question, gate, budget)) for question in questions]
    if not tasks:
        return Answers((), ())
    try:
        await asyncio.wait(tasks, timeout=budget.together, return_when=asyncio.FIRST_EXCEPTION)
        evidence: list[Evidence] = []
        unasked: list[Unasked] = []
        for question, task in zip(questions, tasks, strict=True):
            answer = (
                task.result() if task.done() else f"the {budget.together:g} seconds for all checks were over"
            )
            if isinstance(answer, CallResult):
                evidence.append(evidence_of(question, answer, bench))
            else:
                unasked.append(_unasked(question, answer))
        return Answers(tuple(evidence), tuple(unasked))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _unasked(question: Question, why: str) -> Unasked:
    compares = bool(question.probe.expect)
    return Unasked(probe=question.name, origin=question.origin, why=why, compares=compares)


async def _asked(
    bench: Bench, question: Question, gate: asyncio.Semaphore, budget: Budget
) -> CallResult | str:
    name = question.tool.tool.logical_name
    offers = [offer for offer in bench.offers if offer.tool.tool.id == question.tool.tool.id]
    if not offers:
        return f"{name} cannot be used"
    offer = {one.function.name: one for one in offers}.get(question.probe.function)
    arguments = question.arguments if offer is None else fitted(question.arguments, offer.function.parameters)
    async with gate:
        if offer is not None and _would_write(offer, arguments):
            return f"{name}.{question.probe.function} would change something, and a check only reads"
        try:
            async with asyncio.timeout(budget.each):
                return await bench.call(
                    question.key,
                    name,
                    question.probe.function,
                    arguments,
                    purpose=f"Check {question.name} ({question.origin}).",
                )
        except TimeoutError:
            return f"{name} did not answer within {budget.each:g} seconds"


def _would_write(offer: Offer, arguments: Mapping[str, JSON]) -> bool:
    """Whether a call would change something: it would be proposed to people for every alert again."""
    try:
        checked = checked_arguments(offer.function, arguments)
        call = Invocation(tool=offer.tool, function=offer.function, arguments=checked)
        return offer.kit.plan(call).access is Access.WRITE
    except ToolFailedError:
        # The bench refuses it, and says why.
        return False


def fitted(arguments: Mapping[str, JSON], parameters: Mapping[str, Any]) -> dict[str, JSON]:
    """Return arguments with texts read as numbers where the function takes numbers: templates make texts only."""
    members: Mapping[str, Mapping[str, Any]] = parameters.get("properties") or {}
    return {name: _fitted(value, members.get(name, {}).get("type")) for name, value in arguments.items()}


def _fitted(value: JSON, kind: object) -> JSON:
    if not isinstance(value, str) or kind not in {"integer", "number"}:
        return value
    try:
        return int(value) if kind == "integer" else float(value)
    except ValueError:
        return value


def evidence_of(question: Question, result: CallResult, bench: Bench) -> Evidence:
    """Read an answer."""
    arguments = bench.redact.value(dict(question.arguments))
    command = question.arguments.get("command")
    return Evidence(
        probe=question.name,
        origin=question.origin,
        asked=_asked_text(question, arguments),
        call_id=result.call_id,
        checks=_checks(question, result),
        answers=question.probe.answers,
        command=command if isinstance(command, str) and result.outcome is Outcome.DONE else "",
        tool=question.tool.tool.logical_name,
        failure="" if result.outcome is Outcome.DONE else _failure(result),
    )


def _asked_text(question: Question, arguments: JSON) -> str:
    members = arguments if isinstance(arguments, dict) else {}
    shown = ", ".join(f"{name}={_short(value)}" for name, value in members.items())
    return f"{question.tool.tool.logical_name}.{question.probe.function}({shown})"[:LONGEST_ARGUMENTS]


def _short(value: JSON) -> str:
    return value if isinstance(value, str) else str(value)


def _failure(result: CallResult) -> str:
    return f"{result.outcome.value}: {excerpt_of(result, LONGEST_SENTENCE)}".rstrip(" .")


def _checks(question: Question, result: CallResult) -> tuple[Check, ...]:
    if result.outcome is not Outcome.DONE:
        return (Check(verdict=Verdict.UNKNOWN, says=_failure(result)),)
    document: JSON = {"text": result.text} if result.value is None else result.value
    subject = OWN_SERIES.get(question.probe.name) if question.origin == FIRST_LOOK else None
    if subject is not None:
        several = question.is_one_of_several
        return (own_series_check(document, question.known.texts, subject, is_only_source=not several),)
    if not question.probe.expect:
        return (Check(verdict=Verdict.SHOWN, value=excerpt_of(result, LONGEST_EXCERPT)),)
    return tuple(_check(one, document, question, result) for one in question.probe.expect)


def _check(expectation: Expectation, document: JSON, question: Question, result: CallResult) -> Check:
    found = judge(expectation, document)
    threshold = shown_threshold(expectation)
    if found.state is State.UNKNOWN:
        why = f"{found.why}; the answer was cut" if result.is_truncated else found.why
        return Check(verdict=Verdict.UNKNOWN, value=found.shown, threshold=threshold, says=why)
    if found.state is State.FINE:
        return Check(
            verdict=Verdict.FINE, value=found.shown, threshold=threshold, severity=expectation.severity
        )
    more = {
        **texts_of(found.item),
        "value": found.shown,
        "count": str(found.count),
        "threshold_value": threshold,
    }
    if expectation.says is None:
        says = f"{question.name}: {found.shown} ({threshold})"
    else:
        says = expectation.says.told(question.known.with_texts(more))
    return Check(
        verdict=_weighed(expectation.severity),
        value=found.shown,
        threshold=threshold,
        # Nothing of the alert's may look like a line of its own in the log.
        says=" ".join(says.split())[:LONGEST_SENTENCE],
        severity=expectation.severity,
    )


def _weighed(severity: Severity) -> Verdict:
    if severity.is_grave:
        return Verdict.GRAVE
    return Verdict.NOTED if severity is Severity.INFO else Verdict.NOTABLE
