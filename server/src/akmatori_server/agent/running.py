"""One run of an investigation by a model, put together from its parts."""

from __future__ import annotations

from collections.abc import Callable

import attrs
from pydantic_ai.messages import ModelRequest, UserPromptPart

from akmatori_server.agent.asking import Asking, Patience
from akmatori_server.agent.budget import Budget
from akmatori_server.agent.composing import completed, compose, found_so_far
from akmatori_server.agent.errors import ProviderFailedError
from akmatori_server.agent.functions import Functions
from akmatori_server.agent.investigator import AgentSite
from akmatori_server.agent.loop import Loop, ending_of
from akmatori_server.agent.prompt import Briefing, briefing, instructions, nonce_of
from akmatori_server.agent.providers import TITLES, OpenModel, open_model
from akmatori_server.agent.reading import Reading
from akmatori_server.agent.transcript import COMPLAINTS, Transcript
from akmatori_server.incidents.log import LineKind, LogLine
from akmatori_server.incidents.storable import storable_text
from akmatori_server.investigation.case import Case
from akmatori_server.investigation.facts import read_facts
from akmatori_server.investigation.journal import Journal
from akmatori_server.investigation.report import Report, Section
from akmatori_server.proposals import store as proposals
from akmatori_server.proposals.story import waiting
from akmatori_server.settings.llm import LlmConfig
from akmatori_server.toolbox.bench import Bench
from akmatori_server.tools.redaction import without_secrets

Redact = Callable[[str], str]


async def run(site: AgentSite, config: LlmConfig, case: Case, journal: Journal) -> Report:
    """Investigate a case with the model of a configuration.

    Raises:
        ProviderFailedError: the provider does not answer, or not usefully.
        Fenced: the incident is not ours any more.
        Stopped: the work was cancelled.
    """
    transcript = Transcript.read(
        site.database,
        journal,
        provider=config.provider.value,
        model=config.model,
        now=site.now,
        noted=site.spent,
    )
    ended = ending_of(transcript)
    if ended is not None:
        return _finished(
            site, journal, compose(ended, transcript.messages), transcript, site.toolbox.redactor()
        )
    try:
        async with (
            open_model(config, site.route) as opened,
            site.toolbox.open(journal, site.toolbox.assigned()) as bench,
        ):
            redact = _redactor(bench, opened)
            functions = Functions(bench, Reading(site.library), journal, redact=redact)
            nonce = nonce_of(case, journal.run)
            if not transcript.messages:
                _begin(site, config, case, transcript, bench, functions, nonce=nonce, redact=redact)
            asking = Asking(opened, transcript, functions.described(), patience=Patience())
            loop = Loop(transcript, asking, functions, budget=site.budget, nonce=nonce, redact=redact)
            report = compose(await loop.run(), transcript.messages)
            return _finished(site, journal, report, transcript, redact)
    except ProviderFailedError as failed:
        found = Report(headline="", sections=found_so_far(transcript.messages))
        redactor = site.toolbox.redactor()
        raise ProviderFailedError(
            str(failed),
            found=_finished(site, journal, found, transcript, redactor).sections,
            tokens_used=transcript.spent.tokens,
        ) from failed


def _begin(
    site: AgentSite,
    config: LlmConfig,
    case: Case,
    transcript: Transcript,
    bench: Bench,
    functions: Functions,
    *,
    nonce: str,
    redact: Redact,
) -> None:
    """Store what the model is told, before it is told: whoever goes on after a crash tells it the same."""
    facts = read_facts(case)
    complaints = [redact(complaint) for complaint in bench.complaints]
    if functions.left_out:
        names = ", ".join(offer.name for offer in functions.left_out[:20])
        complaints.append(f"{len(functions.left_out)} functions are left out, there are too many: {names}.")
    given = Briefing(
        case=case,
        facts=facts,
        now=site.now(),
        runbooks=site.library.matching_runbooks(facts),
        files=site.library.context_files(),
        skills=site.library.skills(),
        complaints=complaints,
    )
    text = storable_text(briefing(given, nonce, redact))
    message = ModelRequest(
        parts=[UserPromptPart(content=text)],
        instructions=instructions(nonce),
        metadata={COMPLAINTS: complaints} if complaints else None,
    )
    lines = [LogLine("model", LineKind.NOTE, _asking_line(config, bench, site.budget))]
    lines += [
        LogLine(f"unusable:{number}", LineKind.NOTE, f"Not usable: {complaint}")
        for number, complaint in enumerate(complaints)
    ]
    transcript.save(message, *lines)


def _asking_line(config: LlmConfig, bench: Bench, budget: Budget) -> str:
    return (
        f"Asking {config.model} ({TITLES[config.provider]}), with {len(bench.offers)} functions of tools;"
        f" {budget.minutes} minutes, {budget.requests} requests, {budget.tokens:,} tokens and"
        f" {budget.tool_calls} tool calls at most."
    )


def _finished(
    site: AgentSite, journal: Journal, report: Report, transcript: Transcript, redact: Redact
) -> Report:
    spent = transcript.spent
    with site.database.read() as connection:
        pending = proposals.pending_of_run(connection, journal.incident_id, journal.run, site.now())
    report = completed(report, transcript.messages, waiting=waiting(pending), key=journal.key)
    return attrs.evolve(
        report,
        headline=redact(report.headline),
        sections=tuple(Section(redact(one.title), redact(one.text)) for one in report.sections),
        because=redact(report.because),
        tokens_used=spent.tokens,
        tokens_booked=spent.tokens,
        cost_usd=spent.cost_usd,
    )


def _redactor(bench: Bench, opened: OpenModel) -> Redact:
    def redact(text: str) -> str:
        return without_secrets(bench.redact(text), opened.place.secrets)

    return redact
