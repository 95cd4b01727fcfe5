"""SSH keys that come along with a new tool, in its settings."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any, cast

import attrs

from akmatori_server.errors import BadRequest
from akmatori_server.tools.models import NewSshKey
from akmatori_server.tools.private_key import PrivateKey, parse_private_key
from akmatori_server.tools.settings import KEYS

LONGEST_KEY_NAME = 255
LONGEST_KEY = 65536
MOST_KEYS = 100


def keys_to_add(settings: Mapping[str, Any]) -> list[tuple[NewSshKey, PrivateKey]]:
    """Return the keys in the settings of a new tool; exactly one of them is the default.

    Raises:
        BadRequest: an entry is no key, or two have one name.
    """
    entries = settings.get(KEYS)
    if entries is None:
        return []
    if not isinstance(entries, list) or len(cast("list[object]", entries)) > MOST_KEYS:
        raise BadRequest(f"settings.{KEYS}: must be a list of {MOST_KEYS} keys at most.")
    keys = [_key(index, entry) for index, entry in enumerate(cast("list[object]", entries))]
    names = [key.name for key in keys]
    if len(set(names)) < len(names):
        raise BadRequest(f"settings.{KEYS}: two keys have the same name.")
    default = next((index for index, key in enumerate(keys) if key.is_default), 0)
    return [
        (attrs.evolve(key, is_default=index == default), parse_private_key(key.private_key))
        for index, key in enumerate(keys)
    ]


def _key(index: int, entry: object) -> NewSshKey:
    members: Mapping[str, object] = cast("Mapping[str, object]", entry) if isinstance(entry, dict) else {}
    name, text, given_id = members.get("name"), members.get("private_key"), members.get("id")
    if not isinstance(name, str) or not isinstance(text, str) or not name.strip() or not text:
        raise BadRequest(
            f"settings.{KEYS}.{index}: needs a name and a private_key; or leave {KEYS} out, and add keys with"
            " POST /api/tools/{id}/ssh-keys."
        )
    if len(name) > LONGEST_KEY_NAME or len(text) > LONGEST_KEY:
        raise BadRequest(f"settings.{KEYS}.{index}: name or private_key is too long.")
    return NewSshKey(
        name=name.strip(),
        private_key=text,
        is_default=members.get("is_default") is True,
        id=_uuid(given_id),
    )


def _uuid(given: object) -> str | None:
    """Keep the identifier that hosts beside the key refer to, if it is one."""
    try:
        return str(uuid.UUID(given)) if isinstance(given, str) else None
    except ValueError:
        return None
