"""The rule investigator: reads the facts, finds the runbook, takes its steps, says what is unchecked."""

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
from akmatori_server.investigation.rules.match import Candidate, Match, choose, rank
from akmatori_server.investigation.rules.query import Query, build_query
from akmatori_server.investigation.rules.steps import Step, extract_steps
from akmatori_server.runbooks.search import search as full_text_search

Search = Callable[[sa.Connection, str, int], Sequence[Candidate]]
"""Finds runbooks that have words of a text: (connection, text, limit) -> candidates, the best first."""

CANDIDATES = 10
SCORES_LOGGED = 5
WORDS_LOGGED = 16


class RuleInvestigator:
    """Investigates without a model and without tools."""

    def __init__(
        self,
        database: Database,
        *,
        search: Search = full_text_search,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._database = database
        self._search = search
        self._now = now

    def investigate(self, case: Case, journal: Journal) -> Report:
        """Find the runbook of a case and write the report."""
        facts = read_facts(case)
        journal.note("facts", _facts_line(facts))
        query = build_query(facts)
        ranked = self._find(query, facts, journal)
        matched = choose(ranked)
        steps = self._follow(matched, journal)
        journal.note("unchecked", "Not checked: " + " ".join(unchecked(facts, steps)))
        report = compose(case, facts, ranked, matched, steps, self._now())
        journal.finding("verdict", f"Verdict: {_verdict(matched)}")
        return report

    def _find(self, query: Query, facts: Facts, journal: Journal) -> list[Match]:
        shown = " ".join([*query.naming, *query.describing][:WORDS_LOGGED]) or "(nothing to search for)"
        journal.note("search", f"Searching the runbooks for: {shown}")
        if not query.text:
            return []
        with self._database.read() as connection:
            ranked = rank(self._search(connection, query.text, CANDIDATES), query, facts)
        if ranked:
            scores = [f"  {match.score:.2f}  {match.candidate.title}" for match in ranked[:SCORES_LOGGED]]
            journal.note("scores", "\n".join([f"{len(ranked)} runbooks have words of it:", *scores]))
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
        steps = extract_steps(matched.candidate.content)
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
    counts = f"{len(facts.labels)} labels, {len(facts.annotations)} annotations"
    return f"Reading the alert: {counts}, {start}{extra}."


def _step_line(number: int, step: Step) -> str:
    heading = f"[{step.section}] " if step.section else ""
    commands = "".join(
        f"\n    $ {line}" for command in step.commands for line in command.splitlines() if line.strip()
    )
    return f"Step {number}: {heading}{step.text}{commands}"


def _verdict(matched: Match | None) -> str:
    if matched is None:
        return "no known problem. The report lists what is known and the nearest runbooks."
    title = matched.candidate.title
    return f"looks like the problem of “{title}”. The report lists its steps; none was carried out."
