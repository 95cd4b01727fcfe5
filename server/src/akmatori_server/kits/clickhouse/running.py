"""Running statements over ClickHouse's HTTP interface, read-only and within limits."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import urlencode

from akmatori_server.incidents.storable import JSON
from akmatori_server.kits.clickhouse.settings import Settings
from akmatori_server.outgoing.client import Client
from akmatori_server.outgoing.errors import OutgoingError, Reason
from akmatori_server.outgoing.models import OutgoingAnswer, OutgoingRequest
from akmatori_server.toolbox.models import Output, ToolFailedError
from akmatori_server.tools.redaction import without_secrets

MOST_BYTES = 5 * 1024 * 1024
LONGEST_VALUE = 16384
LONGEST_ERROR = 500
# The server ends the statement first, and can say so.
MARGIN_SECONDS = 5.0

_HINTS = {
    Reason.CONNECTION: " Check ch_host and ch_port in the tool's settings.",
    Reason.TIMEOUT: " Check ch_host and ch_port in the tool's settings, and whether a firewall is on the way.",
    Reason.TLS: (
        " If the certificate is that of a private authority, put it into ch_ca_cert in the tool's settings."
    ),
    Reason.NOT_TLS: " Switch ch_ssl_enabled off in the tool's settings, or check ch_port.",
    Reason.BROKEN: " Check ch_port and ch_ssl_enabled in the tool's settings.",
    Reason.PROTOCOL: " Check ch_port and ch_ssl_enabled in the tool's settings.",
}
# What ends the sentence of an error.
_CODE = re.compile(r"\(([A-Z][A-Z0-9_]+)\)\s*$")
_VERSION = re.compile(r"\s*\(version .*\)\s*$", re.DOTALL)
_LOCKED = re.compile(r"Cannot modify '(\w+)' setting in readonly mode")
_INTEGER = re.compile(r"(Nullable\()?U?Int64\)?")
_HEADER = re.compile(r"[\x20-\x7e]+")


async def run(
    client: Client,
    settings: Settings,
    text: str,
    *,
    limit: int,
    seconds: int,
    parameters: Mapping[str, str] | None = None,
) -> Output:
    """Run a statement, with values for its `{name:Type}`.

    Raises:
        ToolFailedError: it does not work; the sentence is the server's.
    """
    limits = _limits(limit, seconds)
    named = {f"param_{name}": _escaped(value) for name, value in (parameters or {}).items()}
    while True:
        query = {"database": settings.database, "default_format": "JSONCompact", **limits, **named}
        answer = await _sent(client, settings, query, text, seconds)
        locked = _LOCKED.search(answer.text) if answer.status != 200 else None
        # A user whose profile is read-only already may not set limits, and needs no `readonly` from us.
        if locked is None or limits.pop(locked.group(1), None) is None:
            return _output(settings, answer, limit, seconds)


def _limits(limit: int, seconds: int) -> dict[str, str]:
    return {
        "readonly": "1",
        "max_execution_time": str(seconds),
        "timeout_overflow_mode": "throw",
        "limit": str(limit + 1),
        "max_result_rows": str(limit + 1),
        "max_result_bytes": str(MOST_BYTES),
        "result_overflow_mode": "break",
        "output_format_json_quote_64bit_integers": "1",
        "output_format_json_quote_denormals": "1",
        "cancel_http_readonly_queries_on_client_close": "1",
        # Errors come with their status, and not in the middle of an answer.
        "wait_end_of_query": "1",
    }


async def _sent(
    client: Client, settings: Settings, query: Mapping[str, str], text: str, seconds: int
) -> OutgoingAnswer:
    for name, value in (("ch_username", settings.user), ("ch_password", settings.password)):
        if not _HEADER.fullmatch(value):
            raise ToolFailedError(f"The tool's setting {name} has characters that no header can carry.")
    request = OutgoingRequest(
        url=f"{settings.url}?{urlencode(query)}",
        method="POST",
        headers={
            "X-ClickHouse-User": settings.user,
            "X-ClickHouse-Key": settings.password,
            "Content-Type": "text/plain; charset=utf-8",
        },
        body=text.encode(),
        timeout_seconds=seconds + MARGIN_SECONDS,
        most_bytes=2 * MOST_BYTES,
        follow_redirects=False,
        secrets=(settings.password,),
    )
    try:
        return await client.send(request)
    except OutgoingError as error:
        raise ToolFailedError(f"{error}{_HINTS.get(error.reason, '')}") from None


def _output(settings: Settings, answer: OutgoingAnswer, limit: int, seconds: int) -> Output:
    if answer.status != 200:
        raise _refusal(settings, answer, seconds)
    if answer.is_truncated:
        raise ToolFailedError("The answer is larger than 10 MiB; ask for fewer or shorter columns.")
    try:
        document = cast("dict[str, Any]", answer.json())
        columns = [(str(one["name"]), str(one["type"])) for one in document["meta"]]
        rows = cast("list[list[JSON]]", document["data"])
    except (ValueError, KeyError, TypeError):
        raise _other(settings) from None
    # It breaks off at the end of a block, which may be a little later.
    is_cut = len(rows) > limit
    value: JSON = {
        "columns": [name for name, _ in columns],
        "rows": [
            [_value(kind, cell) for (_, kind), cell in zip(columns, row, strict=True)] for row in rows[:limit]
        ],
        "row_count": min(len(rows), limit),
        "is_truncated": is_cut,
    }
    return Output(value=value, is_truncated=is_cut)


def _value(kind: str, cell: JSON) -> JSON:
    if isinstance(cell, str):
        # As texts, so that no reader of JSON on the way rounds them.
        if _INTEGER.fullmatch(kind):
            return int(cell)
        return cell if len(cell) <= LONGEST_VALUE else f"{cell[:LONGEST_VALUE]}…"
    return cell


def _refusal(settings: Settings, answer: OutgoingAnswer, seconds: int) -> ToolFailedError:
    text = without_secrets(answer.text, [settings.password]).strip()
    _, is_clickhouse, said = text.partition("DB::Exception:")
    if not is_clickhouse:
        return _other(settings, answer.status)
    if "(TIMEOUT_EXCEEDED)" in text:
        return ToolFailedError(f"The statement took longer than {seconds} seconds and was cancelled.")
    if "(READONLY)" in text:
        return ToolFailedError("ClickHouse refused the statement: it would do more than read.")
    said = " ".join(_VERSION.sub("", said).split())
    shown = said[:LONGEST_ERROR]
    if answer.status in {401, 403, 516} or "(AUTHENTICATION_FAILED)" in text:
        head = f"ClickHouse does not let the user {settings.user} in"
        hint = "check ch_username and ch_password in the tool's settings."
        return ToolFailedError(f"{head}: {shown}", setup=f"{head}; {hint}")
    code = _CODE.search(said)
    name = code.group(1) if code else ""
    hint = "; check ch_database in the tool's settings" if name == "UNKNOWN_DATABASE" else ""
    return ToolFailedError(
        f"ClickHouse refused the statement ({answer.status}): {shown}",
        setup=f"ClickHouse refused the statement ({answer.status}{f', {name}' if name else ''}){hint}.",
    )


def _other(settings: Settings, status: int = 200) -> ToolFailedError:
    """Say that it is another service; what that answers is of no use to anybody."""
    answered = "" if status == 200 else f" It answered {status};"
    return ToolFailedError(
        f"{settings.host}:{settings.port} does not answer as ClickHouse does:{answered} check ch_host and ch_port in"
        " the tool's settings."
    )


def _escaped(value: str) -> str:
    """Escape a parameter's value, which the server reads as a field of its tab-separated format."""
    escaped = value.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")
    return escaped.replace("\r", "\\r").replace("'", "\\'")
