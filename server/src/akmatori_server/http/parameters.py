"""Reading path, query and header parameters: from texts to arguments, compiled once per operation."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from akmatori_sdk._core.model import UNSET
from akmatori_server.errors import BadRequest, NotFound
from akmatori_server.http.binding import Parameter
from akmatori_server.http.schema import Validator

# 19 digits hold every 64-bit integer; longer texts are refused before Python reads them.
_INTEGER = re.compile(r"[+-]?[0-9]{1,19}")
_NUMBER = re.compile(r"[+-]?[0-9]{1,40}(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,3})?")
_TRUTH = {"true": True, "false": False, "1": True, "0": False}
MOST_QUERY_FIELDS = 200


class ParameterReader:
    """All parameters of one operation."""

    def __init__(
        self, params: tuple[Parameter, ...], schemas: Mapping[tuple[str, str], Mapping[str, Any]]
    ) -> None:
        readers = [(p, _Reader(p, schemas.get((p.where, p.wire), {}))) for p in params]
        self._query = {p.wire: reader for p, reader in readers if p.where == "query"}
        self._path = {p.wire: reader for p, reader in readers if p.where == "path"}
        self._headers = {p.wire.lower(): reader for p, reader in readers if p.where == "header"}
        self._absent = {p.name: UNSET for p in params}

    def read(self, path: Mapping[str, str], query: bytes, headers: Mapping[str, str]) -> dict[str, Any]:
        """Return the keyword arguments; an absent parameter is UNSET.

        Raises:
            BadRequest: a parameter is unknown, missing or breaks its rule.
            NotFound: a path holds something that cannot name any item.
        """
        arguments: dict[str, Any] = dict(self._absent)
        for wire, reader in self._path.items():
            arguments[reader.name] = reader.read([path[wire]])
        if query:
            for wire, texts in _query_fields(query).items():
                known = self._query.get(wire)
                if known is None:
                    raise BadRequest(f"Unknown query parameter {wire[:64]}.")
                arguments[known.name] = known.read(texts)
        for wire, reader in self._headers.items():
            text = headers.get(wire)
            if text is not None:
                arguments[reader.name] = reader.read([text])
        for readers in (self._query, self._headers):
            for reader in readers.values():
                if reader.required and arguments[reader.name] is UNSET:
                    raise BadRequest(f"The {reader.where} parameter {reader.wire} is required.")
        return arguments


class _Reader:
    """One parameter."""

    def __init__(self, parameter: Parameter, schema: Mapping[str, Any]) -> None:
        self.name = parameter.name
        self.wire = parameter.wire
        self.where = parameter.where
        self.required = parameter.required
        self._parameter = parameter
        self._coerce = _coercion(parameter.kind)
        self._validator = Validator(schema)
        self._is_uuid = schema.get("format") == "uuid"
        items: Mapping[str, Any] = schema.get("items", {})
        self._item = _coercion(items.get("type", "string"))

    def read(self, texts: list[str]) -> Any:
        if any("\x00" in text for text in texts):
            raise BadRequest(f"The {self.where} parameter {self.wire} holds a NUL character.")
        if self._parameter.kind == "array":
            return self._array(texts)
        # A repeated parameter counts once, as its first value.
        value = self._coerce(texts[0])
        if self._parameter.lenient:
            return self._lenient(value)
        complaint = self._validator.complaint(value)
        if complaint is not None:
            if self.where == "path" and self._is_uuid:
                raise NotFound(f"Nothing has this {self.wire}.")
            raise BadRequest(f"The {self.where} parameter {self.wire} is not right. {complaint}")
        return self._decoded(value)

    def _array(self, texts: list[str]) -> Any:
        values = [
            self._item(part) for text in texts for part in (text.split(",") if len(texts) == 1 else [text])
        ]
        complaint = self._validator.complaint(values)
        if complaint is not None:
            raise BadRequest(f"The {self.where} parameter {self.wire} is not right. {complaint}")
        decode = self._parameter.decode
        return values if decode is None else [decode(value) for value in values]

    def _lenient(self, value: Any) -> Any:
        """Garbage and what is below the minimum mean the default; above the maximum means the maximum."""
        parameter = self._parameter
        fallback = UNSET if parameter.default is None else parameter.default
        if isinstance(value, str):
            # More digits than 64 bits hold is still a number above the maximum.
            long = value.isdigit() and parameter.maximum is not None
            return int(parameter.maximum or 0) if long else fallback
        if parameter.minimum is not None and value < parameter.minimum:
            return fallback
        if parameter.maximum is not None and value > parameter.maximum:
            return int(parameter.maximum)
        return value if self._validator.is_valid(value) else fallback

    def _decoded(self, value: Any) -> Any:
        if self._parameter.kind == "datetime":
            return _moment(value, self.wire)
        decode = self._parameter.decode
        return value if decode is None else decode(value)


def _coercion(kind: str) -> Callable[[str], Any]:
    if kind == "integer":
        return lambda text: int(text) if _INTEGER.fullmatch(text) else text
    if kind == "number":
        return _number
    if kind == "boolean":
        return lambda text: _TRUTH.get(text.lower(), text)
    return lambda text: text


def _number(text: str) -> float | str:
    if not _NUMBER.fullmatch(text):
        return text
    value = float(text)
    return value if math.isfinite(value) else text


def _moment(text: str, wire: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        # RFC 3339 knows leap seconds and more than six digits; Python's clock does not.
        raise BadRequest(f"The query parameter {wire} is not a date-time this server can read.") from None
    if moment.tzinfo is None:
        raise BadRequest(f"The query parameter {wire} needs a time zone.")
    return moment


def _query_fields(query: bytes) -> dict[str, list[str]]:
    try:
        pairs = parse_qsl(
            query.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MOST_QUERY_FIELDS
        )
    except ValueError:
        # UnicodeDecodeError is a ValueError too: bytes that are not UTF-8, or more fields than anyone needs.
        raise BadRequest("The query string is not valid UTF-8, or has too many parameters.") from None
    fields: dict[str, list[str]] = {}
    for name, value in pairs:
        fields.setdefault(name, []).append(value)
    return fields
