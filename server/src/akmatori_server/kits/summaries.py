"""How a kit says what a call will do: where it goes, with what, and with no secret in it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit, urlunsplit

import orjson

from akmatori_server.incidents.storable import JSON
from akmatori_server.tools.redaction import without_secrets

LONGEST_SUMMARY = 500


def shown_address(url: str) -> str:
    """Return where a request goes: without a login, and without the query, which stands among the arguments."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def summary_of(action: str, arguments: Mapping[str, JSON], secrets: Sequence[str] = ()) -> str:
    """Return an action and what it is done with, in one line that ends with … where it was cut."""
    shown = f" with {orjson.dumps(dict(arguments)).decode()}" if arguments else ""
    text = without_secrets(f"{action}{shown}", tuple(one for one in secrets if one))
    return text if len(text) <= LONGEST_SUMMARY else text[: LONGEST_SUMMARY - 1] + "…"
