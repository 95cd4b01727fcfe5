"""The circuit breaker in front of the language model: a provider that fails again and again is left alone for a while.

Investigations that come meanwhile go to the rules at once, instead of waiting for retries that fail. It is kept in
the database, so that all processes know; a changed configuration begins anew.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from datetime import datetime, timedelta

import attrs
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from akmatori_server.agent.tables import llm_circuit
from akmatori_server.database import Database
from akmatori_server.settings.llm import LlmConfig

FAILURES_TO_OPEN = 5
RESTS_FOR = timedelta(seconds=60)
_ROW = 1


class CircuitState(enum.StrEnum):
    """Whether the model is asked."""

    CLOSED = "closed"
    OPEN = "open"
    # The rest is over: one investigation may try, and decides for the others.
    HALF_OPEN = "halfOpen"


@attrs.frozen(kw_only=True)
class CircuitStanding:
    """How the circuit stands. `retry_at` is set while it is not closed."""

    state: CircuitState = CircuitState.CLOSED
    failures: int = 0
    retry_at: datetime | None = None


class Circuit:
    """Counts failures of the provider that follow each other."""

    def __init__(self, database: Database, *, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

    def standing(self, config: LlmConfig | None) -> CircuitStanding:
        """Return how the circuit of a configuration stands."""
        with self._database.read() as connection:
            row = connection.execute(sa.select(llm_circuit)).one_or_none()
        if row is None or config is None or row.configuration != _name(config):
            return CircuitStanding()
        if row.retry_at is None:
            return CircuitStanding(failures=row.failures)
        state = CircuitState.HALF_OPEN if row.retry_at <= self._now() else CircuitState.OPEN
        return CircuitStanding(state=state, failures=row.failures, retry_at=row.retry_at)

    def admits(self, config: LlmConfig) -> bool:
        """Whether the model may be asked. When the rest is over one caller is told yes, in any process."""
        standing = self.standing(config)
        if standing.state is not CircuitState.HALF_OPEN:
            return standing.state is CircuitState.CLOSED
        claim = (
            sa.update(llm_circuit)
            .where(llm_circuit.c.configuration == _name(config), llm_circuit.c.retry_at == standing.retry_at)
            .values(retry_at=self._now() + RESTS_FOR)
            .returning(llm_circuit.c.id)
        )
        with self._database.write() as connection:
            return connection.execute(claim).one_or_none() is not None

    def failed(self, config: LlmConfig) -> None:
        """Count a failure; with enough of them in a row the circuit opens."""
        failures = self.standing(config).failures + 1
        retry_at = self._now() + RESTS_FOR if failures >= FAILURES_TO_OPEN else None
        self._put(config, failures, retry_at)

    def worked(self, config: LlmConfig) -> None:
        """Close the circuit."""
        if self.standing(config).failures:
            self._put(config, 0, None)

    def _put(self, config: LlmConfig, failures: int, retry_at: datetime | None) -> None:
        values = {"configuration": _name(config), "failures": failures, "retry_at": retry_at}
        with self._database.write() as connection:
            insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
            statement = insert(llm_circuit).values(id=_ROW, **values)
            connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_=values))


def _name(config: LlmConfig) -> str:
    return f"{config.id}:{config.version}"
