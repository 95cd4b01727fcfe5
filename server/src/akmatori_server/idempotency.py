"""Doing a keyed write once: a repeat answers what the first did, and changes nothing.

The note about the write is part of the write's own transaction, so there is never one without the other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import attrs
import orjson
import sqlalchemy as sa

from akmatori_server.database.schema import Timestamp, metadata
from akmatori_server.errors import Conflict

KEPT = timedelta(hours=24)

idempotency_keys = sa.Table(
    "idempotency_keys",
    metadata,
    # Whose key it is: two callers may choose the same.
    sa.Column("caller", sa.String(200), primary_key=True),
    sa.Column("operation", sa.String(100), primary_key=True),
    sa.Column("key", sa.String(128), primary_key=True),
    sa.Column("request_hash", sa.String(64), nullable=False),
    sa.Column("status", sa.Integer, nullable=False),
    # The JSON text of the answer, byte for byte.
    sa.Column("answer", sa.Text, nullable=False),
    sa.Column("created_at", Timestamp, nullable=False),
    sa.Index("ix_idempotency_keys_created_at", "created_at"),
)


@attrs.frozen(kw_only=True)
class KeyedWrite:
    """One write under a key. `request` is all that makes two requests the same one, as JSON-able data."""

    caller: str
    operation: str
    key: str
    request: Any

    @property
    def request_hash(self) -> str:
        """A fingerprint of the request; equal content in another order of members is equal."""
        return hashlib.sha256(orjson.dumps(self.request, option=orjson.OPT_SORT_KEYS)).hexdigest()


@attrs.frozen(kw_only=True)
class Outcome:
    """The answer of a write: status and JSON-able body. `is_repeat`: nothing was done this time."""

    status: int
    body: Any
    is_repeat: bool = False


def run_once(
    connection: sa.Connection, write: KeyedWrite, act: Callable[[], Outcome], *, now: datetime
) -> Outcome:
    """Run `act` unless the same caller has done so under this key within the last 24 hours.

    Call it inside the transaction that `act` writes in. Two requests at once are put in a row: the second
    waits for the first one's transaction, and then answers its outcome.

    Raises:
        Conflict: the key was used for another request.
    """
    _forget_old(connection, now)
    _hold(connection, write)
    found = connection.execute(
        sa.select(
            idempotency_keys.c.request_hash, idempotency_keys.c.status, idempotency_keys.c.answer
        ).where(*_is(write))
    ).one_or_none()
    if found is not None:
        if found.request_hash != write.request_hash:
            raise Conflict(
                "This Idempotency-Key was used for another request.", code="idempotency_key_reused"
            )
        return Outcome(status=found.status, body=orjson.loads(found.answer), is_repeat=True)
    outcome = act()
    connection.execute(
        idempotency_keys.insert().values(
            caller=write.caller,
            operation=write.operation,
            key=write.key,
            request_hash=write.request_hash,
            status=outcome.status,
            answer=orjson.dumps(outcome.body).decode(),
            created_at=now,
        )
    )
    return outcome


def _is(write: KeyedWrite) -> tuple[sa.ColumnElement[bool], ...]:
    table = idempotency_keys.c
    return (table.caller == write.caller, table.operation == write.operation, table.key == write.key)


def _forget_old(connection: sa.Connection, now: datetime) -> None:
    connection.execute(idempotency_keys.delete().where(idempotency_keys.c.created_at < now - KEPT))


def _hold(connection: sa.Connection, write: KeyedWrite) -> None:
    """Let one transaction at a time work under this key. SQLite's writers are in a row anyway."""
    if connection.dialect.name == "postgresql":
        text = f"{write.caller}\n{write.operation}\n{write.key}".encode()
        number = int.from_bytes(hashlib.sha256(text).digest()[:8], "big", signed=True)
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(number)))
