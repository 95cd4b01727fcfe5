"""Answering a create that may carry an Idempotency-Key: a repeat gets the first answer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Generic, TypeVar

import attrs
import sqlalchemy as sa

from akmatori_sdk._core.model import UNSET, Unset
from akmatori_server.http.call import Call
from akmatori_server.idempotency import KeyedWrite, Outcome, run_once

T = TypeVar("T")
CREATED = 201


@attrs.frozen
class KeyedCreate(Generic[T]):
    """A create operation whose answers can be kept and given again."""

    operation: str
    encode: Callable[[T], Any]
    decode: Callable[[Any], T]

    def answer(
        self,
        connection: sa.Connection,
        call: Call,
        *,
        key: str | Unset,
        request: Any,
        create: Callable[[], T],
        now: datetime,
    ) -> T:
        """Create inside the caller's transaction, unless this caller already did so under this key.

        Args:
            connection: the transaction `create` writes in.
            call: who calls.
            key: the Idempotency-Key, if one was sent.
            request: the body as JSON; under one key it must be the same each time.
            create: does the work and returns the answer.
            now: the present moment.

        Raises:
            Conflict: the key was used for another request.
        """
        if key is UNSET:
            return create()
        write = KeyedWrite(
            caller=f"{call.caller.kind}:{call.caller.name}",
            operation=self.operation,
            key=key,
            request=request,
        )
        created: list[T] = []

        def act() -> Outcome:
            created.append(create())
            return Outcome(status=CREATED, body=self.encode(created[0]))

        outcome = run_once(connection, write, act, now=now)
        return created[0] if created else self.decode(outcome.body)
