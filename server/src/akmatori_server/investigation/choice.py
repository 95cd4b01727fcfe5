"""Who investigates: a language model where one is configured and answers, the rules everywhere else."""

from __future__ import annotations

from collections.abc import Callable

import attrs
import structlog

from akmatori_server.agent.circuit import FAILURES_TO_OPEN, Circuit
from akmatori_server.agent.errors import ModelUnavailableError, ProviderFailedError
from akmatori_server.investigation.case import Case
from akmatori_server.investigation.journal import Journal
from akmatori_server.investigation.ports import Investigator
from akmatori_server.investigation.report import Report
from akmatori_server.settings.llm import LlmConfig

RESTING = (
    f"It failed {FAILURES_TO_OPEN} times in a row or more, the last time less than a minute ago, and is left alone"
    " for the moment."
)

_log = structlog.stdlib.get_logger("akmatori_server.investigation")


class ChosenInvestigator:
    """Asks the model of the active configuration; when that cannot be asked, the rules do it, and say so."""

    def __init__(
        self,
        *,
        config: Callable[[], LlmConfig | None],
        agent: Callable[[LlmConfig], Investigator],
        rules: Investigator,
        circuit: Circuit,
    ) -> None:
        self._circuit = circuit
        self._config = config
        self._agent = agent
        self._rules = rules

    def investigate(self, case: Case, journal: Journal) -> Report:
        """Investigate a case, with a model or by the rules."""
        config = self._config()
        if config is None or not (config.is_usable or _is_meant(config)):
            return self._rules.investigate(case, journal)
        if not config.is_usable:
            return self._by_rules(case, journal, ModelUnavailableError(_unusable(config)))
        if not self._circuit.admits(config):
            return self._by_rules(case, journal, ModelUnavailableError(RESTING))
        try:
            report = self._agent(config).investigate(case, journal)
        except ModelUnavailableError as unavailable:
            if isinstance(unavailable, ProviderFailedError):
                self._circuit.failed(config)
            _log.warning("model_unavailable", incident_id=case.incident_id, reason=str(unavailable))
            return self._by_rules(case, journal, unavailable)
        self._circuit.worked(config)
        return report

    def _by_rules(self, case: Case, journal: Journal, unavailable: ModelUnavailableError) -> Report:
        sentence = f"{unavailable} The rules investigated instead."
        journal.note("model-unavailable", f"The language model could not be used: {sentence}")
        report = self._rules.investigate(case, journal)
        return attrs.evolve(
            report,
            headline=f"⚠️ The language model could not be used: {sentence}\n\n{report.headline}",
            sections=(*report.sections, *unavailable.found),
            tokens_used=report.tokens_used + unavailable.tokens_used,
            tokens_booked=report.tokens_booked + unavailable.tokens_used,
        )


def _is_meant(config: LlmConfig) -> bool:
    """Whether somebody wrote something into it: as it comes with the server it is active, and means nothing."""
    return bool(config.base_url) or config.updated_at != config.created_at


def _unusable(config: LlmConfig) -> str:
    if not config.api_key.is_set:
        return (
            f"The active configuration {config.name} has no API key; set one in the LLM settings (any text where"
            " the model's server needs none)."
        )
    return f"The active configuration {config.name} is switched off; enable it in the LLM settings."
