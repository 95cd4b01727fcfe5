"""API keys as values: making one, and what is stored of it."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime

import attrs

from akmatori_server.http.call import Scope

PREFIX = "akm_"
RANDOM_BYTES = 32


@attrs.frozen(kw_only=True)
class ApiKey:
    """A stored key; the key itself is not part of it."""

    id: int
    name: str
    scope: Scope
    hint: str
    created_at: datetime
    last_used_at: datetime | None


@attrs.frozen
class CreatedKey:
    """A key that was just made, with the text that is shown this once."""

    record: ApiKey
    text: str = attrs.field(repr=False)


def new_key() -> str:
    """Make the text of a key."""
    return PREFIX + secrets.token_urlsafe(RANDOM_BYTES)


def hash_of(key: str) -> str:
    """Return what is stored to find the key again."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def hint_of(key: str) -> str:
    """Return what is shown to tell keys apart."""
    return f"****{key[-4:]}"
