"""Turning facts and matches into the sections of a report. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from akmatori_server.investigation.case import Case
from akmatori_server.investigation.facts import Facts
from akmatori_server.investigation.report import (
    Confidence,
    Report,
    Section,
    code,
    code_block,
    duration,
    inline,
    table,
)
from akmatori_server.investigation.rules import found as found_parts
from akmatori_server.investigation.rules.counting import counted
from akmatori_server.investigation.rules.evidence import Findings, answered_steps
from akmatori_server.investigation.rules.match import SURE_FROM, Match, is_clear
from akmatori_server.investigation.rules.questions import RUNBOOK
from akmatori_server.investigation.rules.steps import Step

NEAREST_SHOWN = 3
NEAR_FROM = 0.2
LONGEST_DESCRIPTION = 1500
LONGEST_LINE = 800
NOTHING = Findings()
# From the surest to the least.
_LEVELS = (Confidence.HIGH, Confidence.MEDIUM, Confidence.LOW)


def compose(
    case: Case,
    facts: Facts,
    ranked: Sequence[Match],
    matched: Match | None,
    steps: Sequence[Step],
    now: datetime,
    found: Findings = NOTHING,
) -> Report:
    """Write the report of a case."""
    confidence, because = judge(ranked, matched, found)
    return Report(
        headline=headline(facts, matched, now, found),
        sections=(
            Section("What was found", found_parts.findings(found)),
            Section("What happened", "\n\n".join(what_happened(case, facts, now))),
            Section("Evidence", found_parts.evidence(found)),
            Section("Runbook", runbook(ranked, matched)),
            Section("What to do next", next_steps(facts, matched, steps, found)),
            Section(
                "What was not checked",
                "\n".join(f"- {inline(line, LONGEST_LINE)}" for line in unchecked(facts, steps, found)),
            ),
        ),
        confidence=confidence,
        because=because,
    )


def headline(facts: Facts, matched: Match | None, now: datetime, found: Findings = NOTHING) -> str:
    """Return the report in a few sentences."""
    subject = f"**{inline(facts.name)}**" if facts.is_alert else f"**{inline(facts.task, 120)}**"
    where = f" on {code(facts.host)}" if facts.host else ""
    since = _since(facts, now)
    state = f" has been firing for {since}" if since and facts.status != "resolved" else ""
    problems = found.problems
    worst = f" {problems[0][1].verdict} {inline(problems[0][1].says)}." if problems else ""
    told = found_parts.together(found)
    together = f" {inline(told, LONGEST_LINE)}" if told else ""
    if matched:
        title = inline(matched.candidate.title)
        return f"{subject}{where}{state}.{worst}{together} The runbook **{title}** fits; its steps are below."
    return f"{subject}{where}{state}.{worst}{together} No runbook fits well enough to follow it."


def what_happened(case: Case, facts: Facts, now: datetime) -> list[str]:
    """Return the paragraphs and tables of what is known."""
    parts = [inline(facts.summary, LONGEST_DESCRIPTION)] if facts.summary else []
    if facts.description and facts.description != facts.summary:
        parts.append(inline(facts.description, LONGEST_DESCRIPTION))
    if facts.task and facts.is_alert:
        parts.append(inline(facts.task, LONGEST_DESCRIPTION))
    known = _known(facts, now)
    if known:
        parts.append(table(("Fact", "Value"), known))
    told = {facts.summary, facts.description}
    annotations = {key: text for key, text in facts.annotations.items() if text not in told}
    for title, pairs in (("Label", facts.labels), ("Annotation", annotations), ("Given", facts.given)):
        rows = _pairs(pairs)
        if rows:
            parts.append(table((title, "Value"), rows))
    if case.alerts_total > 1:
        parts.append(_alerts(case))
    if facts.links:
        parts.append("\n".join(f"- {link.title}: <{link.url}>" for link in facts.links))
    return parts


def runbook(ranked: Sequence[Match], matched: Match | None) -> str:
    """Say which runbook fits and why, and which others came near."""
    if matched:
        why = ", ".join(code(term) for term in matched.terms)
        lines = [f"**{inline(matched.candidate.title)}** (score {matched.score:.2f}), because of {why}."]
        others = [match for match in ranked if match is not matched and match.score >= NEAR_FROM][
            :NEAREST_SHOWN
        ]
        introduction = "Others that came near:"
    elif ranked:
        lines = ["No runbook matches well enough."]
        others = list(ranked[:NEAREST_SHOWN])
        introduction = "The nearest:"
    else:
        return "No runbook has any word in common with this incident."
    if others:
        lines += ["", introduction, ""]
        lines += [f"- {inline(match.candidate.title)} (score {match.score:.2f})" for match in others]
    return "\n".join(lines)


def next_steps(facts: Facts, matched: Match | None, steps: Sequence[Step], found: Findings = NOTHING) -> str:
    """Return the runbook's steps to go through, those that the evidence answers ticked; or how to come to some."""
    if not steps:
        return _without_steps(facts, matched)
    answered = answered_steps(found.of(RUNBOOK).evidence, [step.answered_by for step in steps])
    lines: list[str] = []
    section = ""
    for number, step in enumerate(steps, start=1):
        if step.section != section:
            section = step.section
            lines += ["", f"**{inline(section)}**", ""]
        # The runbook is the team's own text: its emphasis and links may stay as they are.
        tick = "✅ " if number in answered else ""
        done = " *(answered above)*" if number in answered else ""
        lines.append(f"{number}. {tick}{step.text}{done}")
        for command in () if number in answered else step.commands:
            block = code_block(command)
            lines += ["", *(f"   {line}" for line in block.splitlines()), ""]
    return "\n".join(lines).strip()


def unchecked(facts: Facts, steps: Sequence[Step], found: Findings = NOTHING) -> list[str]:
    """Say what this report does not rest on, as plain text."""
    lines = found_parts.not_known(found)
    if not found.evidence:
        told = ": all of it is what the alert says." if facts.is_alert else "."
        lines.append(f"No tool was used, so no metric, log or host was looked at{told}")
    answered = answered_steps(found.of(RUNBOOK).evidence, [step.answered_by for step in steps])
    left = [step for number, step in enumerate(steps, start=1) if step.commands and number not in answered]
    if left:
        lines.append(
            "The commands of the runbook were not run."
            if not answered
            else "The other commands of the runbook were not run."
        )
    if facts.is_alert and not facts.host:
        lines.append("The alert names no host.")
    if facts.is_alert and facts.started_at is None:
        lines.append("The alert does not say when it began.")
    if facts.metric_value and not facts.threshold:
        lines.append("The alert gives a value but no threshold, so how far it is exceeded is not known.")
    return lines


def judge(
    ranked: Sequence[Match], matched: Match | None, found: Findings = NOTHING
) -> tuple[Confidence, str]:
    """Say how sure the report is, and why: the runbook's fit, and what its own checks make of it."""
    confidence, because = _fit(ranked, matched)
    if matched is None:
        grave = any(check.severity.is_grave for _, check in found.problems)
        return (
            (Confidence.MEDIUM, f"{because} {found_parts.together(found)}")
            if grave
            else (confidence, because)
        )
    told, by = _weighed(found.of(RUNBOOK))
    return (_moved(confidence, by), f"{because} {told}") if told else (confidence, because)


def _weighed(own: Findings) -> tuple[str, int]:
    """Say what a runbook's own checks make of it, and by how many levels that moves the confidence, 1 being less.

    What they say by majority decides; half of them must have been answered for that to count in its favour.
    """
    answered, confirming = len(own.weighing), len([one for one in own.explaining if one in own.weighing])
    declared = answered + own.unanswered
    if not declared:
        return "", 0
    against = answered - confirming
    verbs = "confirms" if confirming == 1 else "confirm", "does" if against == 1 else "do"
    told = f"Of the runbook's own {counted(declared, 'check')} {confirming} {verbs[0]} it, {against} {verbs[1]} not"
    unanswered = declared - answered
    if unanswered:
        told += f", and {unanswered} {'was' if unanswered == 1 else 'were'} not answered"
    is_little_known = 2 * answered < declared
    by = 1 if 2 * confirming < answered else -1 if 2 * confirming > answered else 0
    return f"{told}.", max(by, 0) + 1 if is_little_known else by


def _moved(confidence: Confidence, by: int) -> Confidence:
    return _LEVELS[min(max(_LEVELS.index(confidence) + by, 0), len(_LEVELS) - 1)]


def _fit(ranked: Sequence[Match], matched: Match | None) -> tuple[Confidence, str]:
    if matched is None:
        return Confidence.LOW, "No runbook fits well enough to lean on."
    if matched.is_linked:
        return Confidence.HIGH, "The alert itself links to this runbook."
    if not is_clear(ranked):
        second = inline(ranked[1].candidate.title)
        return Confidence.MEDIUM, f"Another runbook, {second}, fits nearly as well."
    if matched.score >= SURE_FROM:
        return (
            Confidence.HIGH,
            "The runbook's title covers what the alert is called, and no other comes near.",
        )
    return Confidence.MEDIUM, "The runbook covers part of what the alert says."


def _without_steps(facts: Facts, matched: Match | None) -> str:
    if matched:
        return "The runbook has no list of steps; its full text is under Runbooks."
    lines: list[str] = []
    if facts.runbook_url:
        lines.append(f"1. Follow the alert's own runbook: <{facts.runbook_url}>")
    elif facts.links:
        lines.append(f"1. Look at where the alert comes from: <{facts.links[0].url}>")
    name = inline(facts.name) if facts.is_alert else "problems like this"
    lines.append(
        f"{len(lines) + 1}. When it is solved, write a runbook for {name}: next time it will be found here."
    )
    return "\n".join(lines)


def _known(facts: Facts, now: datetime) -> list[tuple[str, ...]]:
    since = _since(facts, now)
    began = f"{facts.started_at:%Y-%m-%d %H:%M:%S} UTC" if facts.started_at else ""
    began += f", {since} ago" if began and since else ""
    value = f"{facts.metric_name} = {facts.metric_value}" if facts.metric_value else facts.metric_name
    value += f" (threshold {facts.threshold})" if value and facts.threshold else ""
    pairs = (
        ("Severity", facts.severity), ("Status", facts.status), ("Host", facts.host),
        ("Service", facts.service),
        ("Began", began), ("Measured", value), ("Source", facts.source),
    )  # fmt: skip
    return [(name, inline(text)) for name, text in pairs if text]


def _pairs(pairs: Mapping[str, str]) -> list[tuple[str, ...]]:
    return [(code(key), inline(text)) for key, text in sorted(pairs.items())]


def _alerts(case: Case) -> str:
    rows = [
        (inline(alert.name), inline(alert.severity), inline(alert.status), str(alert.deliveries))
        for alert in case.alerts
    ]
    more = case.alerts_total - len(rows)
    text = f"{case.alerts_total} alerts belong to this incident:\n\n"
    text += table(("Alert", "Severity", "Status", "Deliveries"), rows)
    return text + (f"\n\nand {more} more." if more > 0 else "")


def _since(facts: Facts, now: datetime) -> str:
    if facts.started_at is None or facts.started_at > now:
        return ""
    return duration((now - facts.started_at).total_seconds())
