"""The report of a run by a model: its own, or what was found when it could not write one. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import attrs
from pydantic_ai.messages import ModelMessage, ModelRequest, ModelResponse, TextPart, ToolReturnPart

from akmatori_server.agent.answer import EVIDENCE, NEXT, NOT_CHECKED, read_answer, with_run
from akmatori_server.agent.loop import CALL_KEY, CALL_OUTCOME, CALL_SOURCE, Ending
from akmatori_server.agent.transcript import COMPLAINTS
from akmatori_server.investigation.report import Confidence, Report, Section, code, table

FOUND = "Found so far"
CALLS_SHOWN = 60
TEXTS_SHOWN = 12


@attrs.frozen(kw_only=True)
class MadeCall:
    """A call that a run made."""

    key: str
    source: str
    outcome: str


def compose(ending: Ending, messages: Sequence[ModelMessage]) -> Report:
    """Write the report of a run that came to an end."""
    calls = made_calls(messages)
    if ending.text:
        report = read_answer(ending.text, [call.key for call in calls])
        if ending.limit:
            stopped = f"⏹️ Stopped at the limit ({ending.limit}); the report says what was found until then."
            report = attrs.evolve(report, headline=f"{stopped}\n\n{report.headline}")
        return report
    found = found_so_far(messages)
    limit = ending.limit or "the model wrote no report"
    return Report(
        headline=f"⏹️ Stopped at the limit ({limit}); found so far:"
        if found
        else f"⏹️ Stopped at the limit ({limit}) before anything was found.",
        sections=(
            *found,
            Section(
                NEXT,
                "1. Read the outputs of the calls above in the log; nobody has drawn a conclusion from them yet.\n"
                "2. Investigate again (retry) with a larger budget if the question is still open.",
            ),
            Section(
                NOT_CHECKED,
                "The investigation did not come to its end; what it would have done next is open.",
            ),
        ),
        confidence=Confidence.LOW,
        because="The investigation was stopped before the model wrote its report.",
    )


def completed(
    report: Report,
    messages: Sequence[ModelMessage],
    *,
    waiting: Sequence[Section],
    key: Callable[[str], str],
) -> Report:
    """Add what a report has to say whether or not the model did: tools that were not there, and what waits.

    Args:
        report: the report.
        messages: of the run.
        waiting: what waits for approval.
        key: names a call as the log does.
    """
    made = {call.key for call in made_calls(messages)}
    unusable = [
        f"- {complaint}"
        for message in messages
        if isinstance(message, ModelRequest) and message.metadata
        for complaint in message.metadata.get(COMPLAINTS, ())
    ]
    sections = [Section(one.title, with_run(one.text, made, key)) for one in report.sections]
    if unusable:
        _add(sections, NOT_CHECKED, "\n".join(["Tools that could not be used:", "", *unusable]))
    return attrs.evolve(
        report,
        headline=with_run(report.headline, made, key),
        sections=(*sections, *waiting),
        because=with_run(report.because, made, key),
    )


def _add(sections: list[Section], title: str, text: str) -> None:
    for number, one in enumerate(sections):
        if one.title == title:
            sections[number] = Section(title, f"{one.text}\n\n{text}".strip())
            return
    sections.append(Section(title, text))


def found_so_far(messages: Sequence[ModelMessage]) -> tuple[Section, ...]:
    """Return what a run said and called before it ended without a report; empty when that is nothing."""
    texts = [
        part.content.strip()
        for message in messages
        if isinstance(message, ModelResponse)
        for part in message.parts
        if isinstance(part, TextPart) and part.content.strip()
    ]
    calls = made_calls(messages)
    sections: list[Section] = []
    if texts:
        quoted = "\n>\n".join(
            "\n".join(f"> {line}" for line in text.splitlines()) for text in texts[-TEXTS_SHOWN:]
        )
        sections.append(Section(FOUND, f"The model's own words, from before it ended:\n\n{quoted}"))
    if calls:
        rows = [(call.key, code(call.source), call.outcome) for call in calls[-CALLS_SHOWN:]]
        sections.append(Section(EVIDENCE, table(("Call", "Function", "Outcome"), rows)))
    return tuple(sections)


def made_calls(messages: Sequence[ModelMessage]) -> list[MadeCall]:
    """Return the calls of a run, in order."""
    return [
        MadeCall(
            key=part.metadata[CALL_KEY],
            source=part.metadata[CALL_SOURCE],
            outcome=part.metadata[CALL_OUTCOME],
        )
        for message in messages
        if isinstance(message, ModelRequest)
        for part in message.parts
        if isinstance(part, ToolReturnPart) and part.metadata
    ]
