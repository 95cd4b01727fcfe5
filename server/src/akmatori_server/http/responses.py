"""Checking our own answers against the specification. For tests and staging: a wrong answer becomes a 500."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from akmatori_server.http.schema import Validator

NOT_MODIFIED = 304
EVENT_STREAM = "text/event-stream"


class NonConformingAnswer(Exception):  # noqa: N818  it names the answer, and only tests ever see it
    """A handler answered something the specification does not promise."""


class ResponseCheck:
    """The answers one operation may give."""

    def __init__(self, operation_id: str, responses: Mapping[str, Any]) -> None:
        self._operation_id = operation_id
        self._statuses = set(responses)
        self._validators: dict[str, Validator] = {}
        self._events: Validator | None = None
        for status, response in responses.items():
            schema = response.get("content", {}).get("application/json", {}).get("schema")
            if schema is not None:
                self._validators[status] = Validator(schema)
            events = response.get("content", {}).get(EVENT_STREAM, {}).get("schema")
            if events is not None:
                self._events = Validator(events)

    def check(self, status: int, body: bytes) -> None:
        """Compare one answer.

        Raises:
            NonConformingAnswer: the status is not documented, or the body breaks its schema.
        """
        key = str(status)
        if status == NOT_MODIFIED:
            # Part of HTTP, not of any operation.
            return
        if key not in self._statuses:
            raise NonConformingAnswer(f"{self._operation_id} does not document the status {status}.")
        validator = self._validators.get(key)
        if validator is None:
            return
        complaint = validator.complaint(orjson.loads(body)) if body else "The body is empty."
        if complaint is not None:
            raise NonConformingAnswer(f"{self._operation_id} answered {status}: {complaint}")

    def check_event(self, data: bytes) -> None:
        """Compare the data of one event of a stream.

        Raises:
            NonConformingAnswer: it breaks its schema, or none is documented.
        """
        complaint = (
            "no stream is documented." if self._events is None else self._events.complaint(orjson.loads(data))
        )
        if complaint is not None:
            raise NonConformingAnswer(f"{self._operation_id} sent an event: {complaint}")
