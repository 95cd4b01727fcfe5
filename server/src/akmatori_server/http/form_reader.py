"""From a multipart request to the record its handler takes."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.types import Receive

from akmatori_server.http.form import Part
from akmatori_server.http.multipart import MEDIA_TYPE, Form, FormLimits, read_form
from akmatori_server.http.schema import Validator


class FormReader:
    """Reads the multipart body of one operation."""

    def __init__(
        self,
        specified: Mapping[str, Any],
        decode: Callable[[Mapping[str, Part | str]], Any],
        *,
        directory: Path | None,
        limits: FormLimits | None = None,
    ) -> None:
        """Take the operation as specified; its files lie below `directory` while they are read."""
        content: Mapping[str, Any] = specified.get("requestBody", {}).get("content", {})
        self._texts = Validator(_of_texts(content.get(MEDIA_TYPE, {}).get("schema", {})))
        self._decode = decode
        self._directory = directory
        self._limits = limits or FormLimits()
        self._limit: int = specified.get("x-max-bytes", self._limits.whole)

    @asynccontextmanager
    async def read(self, headers: Mapping[str, str], receive: Receive) -> AsyncGenerator[Any]:
        """Yield the record of the form; its files are gone afterwards.

        Raises:
            ApiError: the form is malformed, too large, or breaks its schema.
        """
        form = Form(self._limits, self._directory)
        try:
            parts = await read_form(form, headers, receive, limit=self._limit)
            self._texts.check({name: "" if isinstance(part, Part) else part for name, part in parts.items()})
            yield self._decode(parts)
        finally:
            await run_in_threadpool(form.close)


def _of_texts(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema for the texts of a form; files and what is written as text (numbers) are read later."""
    properties: Mapping[str, Mapping[str, Any]] = schema.get("properties", {})
    plain: dict[str, Mapping[str, Any]] = {
        name: member if member.get("type") == "string" and member.get("format") != "binary" else {}
        for name, member in properties.items()
    }
    return {**schema, "properties": plain}
