"""Versions of what was read, so that a write can refuse to overwrite what its author has not seen."""

from __future__ import annotations

from hashlib import blake2b

from akmatori_sdk._core.model import UNSET, Unset
from akmatori_server.errors import Conflict


def etag_of(*parts: object) -> str:
    """Return the entity tag of a resource that consists of these parts."""
    digest = blake2b(digest_size=16)
    for part in parts:
        text = str(part).encode("utf-8", "surrogatepass")
        # With its length, ("ab", "c") and ("a", "bc") differ.
        digest.update(f"{len(text)}:".encode() + text)
    return f'"{digest.hexdigest()}"'


def require_match(if_match: str | Unset, current: str) -> None:
    """Compare an `If-Match` header with the version that is stored.

    Raises:
        Conflict: the resource has changed since it was read.
    """
    if if_match is UNSET or if_match.strip() == "*":
        return
    # A proxy that compresses may have made the tag a weak one; it names the same version.
    given = {tag.strip().removeprefix("W/") for tag in if_match.split(",")}
    if current not in given:
        raise Conflict(
            "This has changed since it was read; read it again before writing.", code="stale_write"
        )


def has_already(if_none_match: str, current: str) -> bool:
    """Whether an `If-None-Match` header names the version that would be answered; "" is no header."""
    given = {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}
    return if_none_match.strip() == "*" or current in given
