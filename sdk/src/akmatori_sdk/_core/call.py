"""One logical call: built once, sent as often as the retry policy allows."""

from __future__ import annotations

import enum
import functools
import re
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, cast
from urllib.parse import quote, quote_plus

import attrs

from akmatori_sdk._core.codec import dumps
from akmatori_sdk._core.files import MultipartBody
from akmatori_sdk._core.model import UNSET
from akmatori_sdk._core.operation import Body
from akmatori_sdk._core.options import RetryPolicy, Timeout

_SECRET_NAME = re.compile(r"token|secret|password|key|auth", re.IGNORECASE)
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


@attrs.define(kw_only=True, eq=False)
class Call:
    """What the loops send, and what they note about it on the way."""

    method: str
    path: str
    url: str
    headers: dict[str, str] = attrs.field(repr=False)
    content: bytes | MultipartBody | None = attrs.field(default=None, repr=False)
    idempotent: bool
    keyed: bool = False
    authenticated: bool = True
    policy: RetryPolicy
    timeout: Timeout | None
    request_id: str
    started: float
    attempts: int = 0
    next_wait: float = 0.0
    # The token of a login this call was sent with; a 401 says that this very token is no good.
    token: str | None = attrs.field(default=None, repr=False)

    @property
    def replayable(self) -> bool:
        """Whether the body can be sent a second time."""
        return not isinstance(self.content, MultipartBody) or self.content.replayable

    @property
    def deadline(self) -> float:
        """When the call must be over, on the monotonic clock."""
        return self.started + self.policy.deadline


def build_path(template: str, values: Mapping[str, object]) -> str:
    """Fill a path template.

    Raises:
        ValueError: a value is missing, empty, or would change which path is meant.
    """
    pieces = list(_split(template))
    for index in range(1, len(pieces), 2):
        name = pieces[index]
        text = wire(values[name])
        # HTTP libraries resolve dot segments: `..` as a name would address another operation.
        if text in ("", ".", ".."):
            raise ValueError(f"{name} must not be {text!r}: it is part of the address")
        pieces[index] = quote(text, safe="")
    return "".join(pieces)


@functools.lru_cache(maxsize=512)
def _split(template: str) -> tuple[str, ...]:
    return tuple(_PLACEHOLDER.split(template))


def build_query(values: Mapping[str, object]) -> str:
    """Write a query string; absent members and None are left out, lists repeat their name."""
    pairs: list[str] = []
    for name, value in values.items():
        if value is UNSET or value is None:
            continue
        if isinstance(value, (list, tuple, set, frozenset)):
            pairs += [f"{name}={quote_plus(wire(one))}" for one in cast("Iterable[object]", value)]
        elif type(value) is int:
            pairs.append(f"{name}={value}")
        else:
            pairs.append(f"{name}={quote_plus(wire(value))}")
    return "&".join(pairs)


def wire(value: object) -> str:
    """Write a path, query or header value as text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, enum.Enum):
        return str(value.value)
    return value.isoformat() if isinstance(value, date) else str(value)


def without_secrets(url: str) -> str:
    """Return the URL with the values of secret-looking query parameters masked."""
    head, mark, query = url.partition("?")
    if not mark:
        return url
    pairs = [pair.partition("=") for pair in query.split("&")]
    return (
        head + "?" + "&".join(f"{k}=****" if _SECRET_NAME.search(k) else f"{k}{eq}{v}" for k, eq, v in pairs)
    )


def build_body(
    json: Any, form: Mapping[str, object] | None, content: bytes | None, headers: dict[str, str], kind: Body
) -> bytes | MultipartBody | None:
    """Return the body, and put its type and length into `headers`."""
    if json is not UNSET:
        headers["content-type"] = "application/json"
        return dumps(json)
    if form is not None:
        body = MultipartBody(form)
        headers["content-type"] = body.content_type
        if body.size is not None:
            headers["content-length"] = str(body.size)
        return body
    if content is not None:
        headers.setdefault("content-type", Body.RAW.value if kind is Body.NONE else kind.value)
    return content
