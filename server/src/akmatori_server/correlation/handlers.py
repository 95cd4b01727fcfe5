"""Answers the operations of the tag `correlationRules`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from akmatori_sdk._core.model import Unset
from akmatori_sdk._generated.akmatori import codec, models
from akmatori_server.correlation.cases import CaseResult
from akmatori_server.correlation.document import RulesDocument
from akmatori_server.correlation.nodes import RulesError
from akmatori_server.correlation.reading import read_document
from akmatori_server.correlation.service import RulesService
from akmatori_server.correlation.state import RulesState
from akmatori_server.correlation.view import report_model, rules_model
from akmatori_server.errors import BadRequest, Unavailable
from akmatori_server.http.call import Answer, Call

# Seconds. The cases of a document take a few at most.
LONGEST_WAIT = 10


class CorrelationRulesHandlers:
    """The correlation rules over HTTP."""

    def __init__(self, rules: RulesService, run: Callable[[RulesDocument], Sequence[CaseResult]]) -> None:
        """Take the rules, and what runs the cases of a document."""
        self._rules = rules
        self._run = run
        # Cases keep a processor busy; one document at a time leaves the others to the alerts.
        self._running = threading.Lock()

    def get_correlation_rules(self, _call: Call, /) -> Answer[models.CorrelationRules]:
        """Read the rules."""
        return _answer(self._rules.state())

    def update_correlation_rules(
        self, call: Call, /, *, if_match: str | Unset, body: models.CorrelationDocument
    ) -> Answer[models.CorrelationRules]:
        """Replace the rules."""
        return _answer(self._rules.replace(call, _document(body), if_match=if_match))

    def test_correlation_rules(
        self, call: Call, /, *, body: models.CorrelationDocument
    ) -> models.CorrelationTestReport:
        """Run the cases of a document."""
        del call
        document = _document(body)
        if not self._running.acquire(timeout=LONGEST_WAIT):
            raise Unavailable("The cases of another document are still running; try again.")
        try:
            return report_model(self._run(document))
        finally:
            self._running.release()


def _document(body: models.CorrelationDocument) -> RulesDocument:
    try:
        return read_document(codec.encode_correlation_document(body))
    except RulesError as error:
        raise BadRequest(str(error)) from error


def _answer(state: RulesState) -> Answer[models.CorrelationRules]:
    return Answer(rules_model(state), headers={"ETag": state.etag})
