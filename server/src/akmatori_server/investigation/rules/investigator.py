"""The rule investigator: reads the facts, finds the runbook, makes its checks, says what is found and what is not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

import sqlalchemy as sa

from akmatori_server.database import Database
from akmatori_server.investigation.case import Case
from akmatori_server.investigation.clock import utc_now
from akmatori_server.investigation.facts import Facts, read_facts
from akmatori_server.investigation.journal import Journal
from akmatori_server.investigation.report import Report
from akmatori_server.investigation.rules.compose import compose, unchecked
from akmatori_server.investigation.rules.counting import counted
from akmatori_server.investigation.rules.declared import declarations
from akmatori_server.investigation.rules.evidence import Check, Evidence, Findings, Verdict
from akmatori_server.investigation.rules.found import failures, together
from akmatori_server.investigation.rules.known import known_of
from akmatori_server.investigation.rules.match import Candidate, Match, choose, rank
from akmatori_server.investigation.rules.ports import Skills, Tools
from akmatori_server.investigation.rules.probing import Answers, Budget, ask
from akmatori_server.investigation.rules.query import Query, build_query
from akmatori_server.investigation.rules.questions import Asking, questions_for
from akmatori_server.investigation.rules.steps import Step, extract_steps
from akmatori_server.investigation.working import work
from akmatori_server.runbooks.front_matter import body_of
from akmatori_server.runbooks.search import search as full_text_search

Search = Callable[[sa.Connection, str, int], Sequence[Candidate]]
"""Finds runbooks that have words of a text: (connection, text, limit) -> candidates, the best first."""

CANDIDATES = 10
SCORES_LOGGED = 5
WORDS_LOGGED = 16


class RuleInvestigator:
    """Investigates without a model: by runbooks, and by the checks that they and the skills declare."""

    def __init__(
        self,
        database: Database,
        *,
        search: Search = full_text_search,
        now: Callable[[], datetime] = utc_now,
        tools: Tools | None = None,
        skills: Skills | None = None,
        first_look: bool = True,
        budget: Budget = Budget(),  # noqa: B008  frozen
    ) -> None:
        """Make an investigator.

        Args:
            database: where runbooks are found.
            search: how.
            now: tells the time.
            tools: what checks are made with; None: none is made.
            skills: their files may declare checks, too.
            first_look: whether common tools are asked what can be asked about any alert.
            budget: how long checks may take.
        """
        self._database = database
        self._search = search
        self._now = now
        self._tools = tools
        self._skills = skills
        self._first_look = first_look
        self._budget = budget

    def investigate(self, case: Case, journal: Journal) -> Report:
        """Find the runbook of a case, make the checks, and write the report."""
        facts = read_facts(case)
        journal.note("facts", _facts_line(facts))
        query = build_query(facts)
        ranked = self._find(query, facts, journal)
        matched = choose(ranked)
        steps = self._follow(matched, journal)
        found = self._check(facts, matched, journal)
        journal.note("unchecked", "Not checked: " + " ".join(unchecked(facts, steps, found)))
        report = compose(case, facts, ranked, matched, steps, self._now(), found)
        journal.finding("verdict", f"Verdict: {_verdict(matched, found)}")
        return report

    def _check(self, facts: Facts, matched: Match | None, journal: Journal) -> Findings:
        skills = self._skills.enabled() if self._skills is not None else ()
        runbook = (matched.candidate.title, matched.candidate.content) if matched else None
        declared = declarations(runbook, skills, first_look=self._first_look)
        for number, complaint in enumerate(declared.complaints, start=1):
            journal.note(f"complaint:{number}", complaint)
        if self._tools is None or not declared.probes:
            return Findings(complaints=declared.complaints)
        tools = self._tools.enabled()
        asking = questions_for(declared.probes, facts, known_of(facts, self._now()), tools)
        if asking.questions or asking.unasked:
            journal.note("checks", _asking_line(asking))
        answers, complaints = self._ask(self._tools, asking, journal)
        found = Findings(
            evidence=answers.evidence,
            unasked=(*asking.unasked, *answers.unasked),
            complaints=(*declared.complaints, *complaints),
        )
        for one in found.evidence:
            if not one.failure:
                journal.finding(f"check:{one.call_id or one.probe}", _check_line(one))
        for number, (tool, why, silent) in enumerate(failures(found), start=1):
            journal.finding(f"silent:{number}", _silent_line(tool, why, silent))
        return found

    def _ask(self, tools: Tools, asking: Asking, journal: Journal) -> tuple[Answers, Sequence[str]]:
        if not asking.questions:
            return Answers((), ()), ()
        # Only what is asked is opened: every other tool would only cost time.
        asked = {question.tool.tool.id: question.tool for question in asking.questions}

        async def main() -> tuple[Answers, Sequence[str]]:
            async with tools.open(journal, list(asked.values())) as bench:
                for number, complaint in enumerate(bench.complaints):
                    journal.note(f"unusable:{number}", f"Not usable: {complaint}")
                return await ask(bench, asking.questions, self._budget), tuple(bench.complaints)

        return work(journal, main)

    def _find(self, query: Query, facts: Facts, journal: Journal) -> list[Match]:
        shown = " ".join([*query.naming, *query.describing][:WORDS_LOGGED]) or "(nothing to search for)"
        journal.note("search", f"Searching the runbooks for: {shown}")
        if not query.text:
            return []
        with self._database.read() as connection:
            ranked = rank(self._search(connection, query.text, CANDIDATES), query, facts)
        if ranked:
            scores = [f"  {match.score:.2f}  {match.candidate.title}" for match in ranked[:SCORES_LOGGED]]
            journal.note(
                "scores",
                "\n".join(
                    [
                        f"{counted(len(ranked), 'runbook')} {'has' if len(ranked) == 1 else 'have'} words of it:",
                        *scores,
                    ]
                ),
            )
        else:
            journal.note("scores", "No runbook has words of it.")
        return ranked

    def _follow(self, matched: Match | None, journal: Journal) -> list[Step]:
        if matched is None:
            journal.finding("runbook", "No runbook fits well enough to follow it.")
            return []
        reasons = ", ".join(matched.terms)
        journal.finding(
            "runbook", f"The runbook “{matched.candidate.title}” fits (score {matched.score:.2f}: {reasons})."
        )
        steps = extract_steps(body_of(matched.candidate.content))
        for number, step in enumerate(steps, start=1):
            journal.note(f"step:{number}", _step_line(number, step))
        return steps


def _facts_line(facts: Facts) -> str:
    if not facts.is_alert:
        return "Reading the task: no alert is attached to it."
    told = [
        name for name, value in (("a summary", facts.summary), ("a runbook link", facts.runbook_url)) if value
    ]
    start = (
        f"began {facts.started_at:%Y-%m-%d %H:%M:%S} UTC" if facts.started_at else "its beginning is not told"
    )
    extra = f", with {' and '.join(told)}" if told else ""
    counts = f"{counted(len(facts.labels), 'label')}, {counted(len(facts.annotations), 'annotation')}"
    return f"Reading the alert: {counts}, {start}{extra}."


def _step_line(number: int, step: Step) -> str:
    heading = f"[{step.section}] " if step.section else ""
    commands = "".join(
        f"\n    $ {line}" for command in step.commands for line in command.splitlines() if line.strip()
    )
    return f"Step {number}: {heading}{step.text}{commands}"


def _asking_line(asking: Asking) -> str:
    lines = [f"Checks to make: {len(asking.questions)}."]
    lines += [f"  {one.probe.name} ({one.origin})" for one in asking.questions]
    lines += [f"  left out: {one.probe} ({one.origin}): {one.why}" for one in asking.unasked]
    return "\n".join(lines)


def _silent_line(tool: str, why: str, silent: Sequence[Evidence]) -> str:
    names = ", ".join(one.probe for one in silent)
    return f"{names}: {Verdict.UNKNOWN} {tool} {why}"


def _check_line(one: Evidence) -> str:
    return f"{one.probe}: " + "; ".join(_outcome(check) for check in one.checks)


def _outcome(check: Check) -> str:
    if check.verdict.is_finding or check.verdict is Verdict.UNKNOWN:
        return f"{check.verdict} {check.says}"
    return f"{check.verdict} {check.value or 'nothing'}" + (
        f" (a finding if {check.threshold})" if check.threshold else ""
    )


def _verdict(matched: Match | None, found: Findings) -> str:
    told = together(found)
    checked = f" {told}" if told else ""
    if matched is None:
        return f"no known problem.{checked} The report lists what is known and the nearest runbooks."
    title = matched.candidate.title
    return f"looks like the problem of “{title}”.{checked} The report lists its steps; nothing was changed."
