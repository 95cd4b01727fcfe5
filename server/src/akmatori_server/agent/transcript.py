"""The messages of a run and what they cost, stored so that another process can go on after any of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import attrs
import sqlalchemy as sa
from pydantic_ai.messages import ModelMessage, ModelMessagesTypeAdapter, ModelRequest, ModelResponse

from akmatori_server.agent.budget import Spent
from akmatori_server.agent.tables import agent_messages, llm_usage
from akmatori_server.database import Database
from akmatori_server.incidents.log import LogLine
from akmatori_server.investigation.journal import Journal

# The member of a request's metadata that says: the next answer is the last one, whatever it asks for.
CLOSING = "closing"
# The member of the first one's that has the tools that cannot be used, a sentence each.
COMPLAINTS = "complaints"


class Transcript:
    """What was said so far. It is written in the journal's transactions, whole messages at a time."""

    def __init__(
        self,
        journal: Journal,
        *,
        provider: str,
        model: str,
        now: Callable[[], datetime],
        messages: list[ModelMessage],
        spent: Spent,
        began_ms: int,
        noted: Callable[[sa.Connection], None],
    ) -> None:
        self.messages = messages
        self.spent = spent
        self._journal = journal
        self._provider = provider
        self._model = model
        self._now = now
        self._began_ms = began_ms
        self._noted = noted

    @classmethod
    def read(
        cls,
        database: Database,
        journal: Journal,
        *,
        provider: str,
        model: str,
        now: Callable[[], datetime],
        noted: Callable[[sa.Connection], None],
    ) -> Transcript:
        """Read what this run has said and spent so far: nothing, unless it was interrupted.

        `noted` is called in each transaction that notes what was spent, after that.
        """
        which = (journal.incident_id, journal.run)
        query = (
            sa.select(agent_messages.c.message)
            .where(sa.tuple_(agent_messages.c.incident_id, agent_messages.c.run) == which)
            .order_by(agent_messages.c.number)
        )
        with database.read() as connection:
            stored = [str(text) for text in connection.execute(query).scalars()]
            usage = connection.execute(sa.select(llm_usage).where(_is(journal))).one_or_none()
        return cls(
            journal,
            provider=provider,
            model=model,
            now=now,
            messages=ModelMessagesTypeAdapter.validate_json(f"[{','.join(stored)}]"),
            spent=_spent(usage),
            began_ms=journal.elapsed_ms if usage is None else usage.began_ms,
            noted=noted,
        )

    @property
    def elapsed_ms(self) -> int:
        """How long this run was worked on, before and after any restart."""
        return self._journal.elapsed_ms - self._began_ms

    @property
    def closing(self) -> str | None:
        """Why the next answer is the last one, None when it need not be."""
        for message in reversed(self.messages):
            if isinstance(message, ModelRequest) and message.metadata and CLOSING in message.metadata:
                return str(message.metadata[CLOSING])
        return None

    @property
    def has_last_word(self) -> bool:
        """Whether the model has answered since it was told to close."""
        return self.closing is not None and isinstance(self.messages[-1], ModelResponse)

    def save(self, message: ModelMessage, *lines: LogLine, spent: Spent | None = None) -> None:
        """Store one whole message with its lines of the log and what it cost.

        Raises:
            Fenced: the incident is not ours any more.
            Stopped: the work was cancelled.
        """
        text = ModelMessagesTypeAdapter.dump_json([message])[1:-1].decode()
        row = {
            "incident_id": self._journal.incident_id,
            "run": self._journal.run,
            "number": len(self.messages),
            "message": text,
            "created_at": self._now(),
        }
        self._commit(lines, spent or self.spent, row)
        self.messages.append(message)

    def spend(self, spent: Spent, *lines: LogLine) -> None:
        """Store what was spent on an answer that cannot be used. Raises what `save` raises."""
        self._commit(lines, spent, None)

    def _commit(self, lines: tuple[LogLine, ...], spent: Spent, row: dict[str, Any] | None) -> None:
        def also(connection: sa.Connection) -> None:
            if row is not None:
                connection.execute(sa.insert(agent_messages).values(row))
            self._store(connection, spent)

        self._journal.commit(*lines, also=also, tokens_used=spent.tokens - self.spent.tokens)
        self.spent = spent

    def _store(self, connection: sa.Connection, spent: Spent) -> None:
        values = attrs.asdict(spent) | {"provider": self._provider, "model": self._model, "at": self._now()}
        changed = sa.update(llm_usage).where(_is(self._journal)).values(values).returning(llm_usage.c.id)
        if connection.execute(changed).one_or_none() is None:
            which = {"incident_id": self._journal.incident_id, "run": self._journal.run}
            connection.execute(sa.insert(llm_usage).values(**which, began_ms=self._began_ms, **values))
        self._noted(connection)


def _is(journal: Journal) -> sa.ColumnElement[bool]:
    return sa.and_(llm_usage.c.incident_id == journal.incident_id, llm_usage.c.run == journal.run)


def _spent(row: sa.Row[Any] | None) -> Spent:
    if row is None:
        return Spent()
    return Spent(**{field.name: getattr(row, field.name) for field in attrs.fields(Spent)})
