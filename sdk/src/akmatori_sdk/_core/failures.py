"""From an error answer to a sentence: reads every error body a server or a proxy in front of it may send."""

from __future__ import annotations

import html
import http
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

import attrs
import orjson

from akmatori_sdk._core.errors import LONGEST_BODY, LONGEST_MESSAGE, StatusError, status_class
from akmatori_sdk._core.response import Response
from akmatori_sdk._core.retry import parse_retry_after

_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<[^>]*>")
# Bodies are looked at no further than this: an error page may be megabytes.
_READ = 64 * 1024


@attrs.frozen
class ErrorBody:
    """What an error body says."""

    message: str
    code: str | None = None
    details: Mapping[str, str] = attrs.field(factory=dict[str, str])


def redact(text: str, secrets: Iterable[str]) -> str:
    """Return the text without the given secrets.

    Words of up to three letters are left alone: no token is that short, and the sentence would be garbled.
    """
    for secret in secrets:
        if len(secret) > 3:
            text = text.replace(secret, "****")
    return text


def status_error(response: Response, *, secrets: Iterable[str], now: Callable[[], float]) -> StatusError:
    """Return the error for an answer outside 2xx."""
    secrets = tuple(secrets)
    said = parse_error_body(response)
    return status_class(response.status)(
        redact(said.message, secrets),
        status=response.status,
        code=redact(said.code, secrets) if said.code else None,
        details={redact(k, secrets): redact(v, secrets) for k, v in said.details.items()},
        # Redacted before it is cut, or half a secret would be left at the end.
        body=redact(response.content[:_READ].decode("utf-8", errors="replace"), secrets)[:LONGEST_BODY],
        retry_after=parse_retry_after(response.headers.get("retry-after"), now),
    )


def parse_error_body(response: Response) -> ErrorBody:
    """Read an error body: Akmatori's, Aotanami's, a problem document, plain text or a proxy's HTML page."""
    if 300 <= response.status < 400:
        return ErrorBody(_redirect(response))
    text = response.content[:_READ].decode("utf-8", errors="replace").strip()
    try:
        # The whole body, since JSON that was cut cannot be parsed.
        document: Any = orjson.loads(response.content)
    except orjson.JSONDecodeError:
        document = None
    said = _from_document(document)
    if said is not None:
        return said
    if text[:1] == "<":
        return ErrorBody(_from_html(text, response.status))
    return ErrorBody(_short(text) or _phrase(response.status))


def _from_document(document: Any) -> ErrorBody | None:
    if not isinstance(document, dict):
        return None
    known = cast("dict[str, Any]", document)
    inner = known.get("error")
    body = cast("dict[str, Any]", inner) if isinstance(inner, dict) else known
    message = next((body[k] for k in ("message", "error", "detail", "title") if _is_text(body.get(k))), None)
    if message is None:
        return None
    # Aotanami's `code` repeats the status as a number; its machine-readable word is `reason`.
    code = next((body[k] for k in ("code", "reason") if _is_text(body.get(k))), None)
    return ErrorBody(_short(message), _short(code) if code else None, _details(body.get("details")))


def _details(value: Any) -> dict[str, str]:
    if isinstance(value, dict):
        return {str(k): _short(str(v)) for k, v in cast("dict[str, object]", value).items()}
    if not isinstance(value, list):
        return {}
    found: dict[str, str] = {}
    for item in cast("list[object]", value):
        if isinstance(item, dict):
            entry = cast("dict[str, object]", item)
            found[str(entry.get("field", "body"))] = _short(str(entry.get("message", "")))
    return found


def _from_html(text: str, status: int) -> str:
    title = _TITLE.search(text)
    words = title.group(1) if title else _TAG.sub(" ", text)
    said = _short(html.unescape(words))
    return f"{said or _phrase(status)} (an HTML page, so it may come from a proxy and not from the API)"


def _redirect(response: Response) -> str:
    target = response.headers.get("location", "").partition("?")[0]
    return f"the server redirects to {_short(target) or 'nowhere'}; set base_url to the final address"


def _phrase(status: int) -> str:
    try:
        return http.HTTPStatus(status).phrase
    except ValueError:
        return "no explanation given"


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= LONGEST_MESSAGE else text[: LONGEST_MESSAGE - 1] + "…"
