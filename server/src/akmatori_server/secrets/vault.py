"""Encrypting the secret members of a JSON object; the members that are no secrets stay readable."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias, cast

import orjson

from akmatori_server.crypto import SecretBox, SecretUnreadableError
from akmatori_server.secrets.masking import MASK, keeps, mask

Json: TypeAlias = object
"""A JSON value: what `orjson.loads` returns."""

SEALED = "$sealed"
ANY = "*"

_Place: TypeAlias = tuple[str, ...]
_Pattern: TypeAlias = tuple[str, ...]
_Change: TypeAlias = Callable[[_Place, Json], Json]


class SecretMembers:
    """The secret members of one kind of JSON object, by their paths.

    A path is dotted, and `*` stands for every member of an object and every item of an array:
    `password`, `auth.token`, `env_vars.*`, `ssh_keys.*.private_key`. A path that leads nowhere is no error.

    An encrypted member is stored as `{"$sealed": token}`, bound to the object's place (`table:id:field`) and
    to its own path inside it. null and "" are no secrets and stay as they are.
    """

    def __init__(self, paths: Iterable[str]) -> None:
        self._patterns: tuple[_Pattern, ...] = tuple(tuple(path.split(".")) for path in paths)

    def seal(
        self,
        document: Mapping[str, Json],
        box: SecretBox,
        place: str,
        *,
        stored: Mapping[str, Json] | None = None,
    ) -> dict[str, Json]:
        """Return the object as it is to be stored.

        Args:
            document: what a caller wrote. A mask in it keeps the secret that is stored at the same path.
            box: encrypts.
            place: the object's place, as `table:id:field`.
            stored: the object that is replaced, as stored at the same place; None when there is none.

        Raises:
            BadRequest: a mask is not that of the secret stored at its path.
        """
        before = stored or {}

        def sealed(path: _Place, value: Json) -> Json:
            if value is None or value == "":
                return value
            kept = _at(before, path)
            if isinstance(value, str) and keeps(value, _shown(kept, box, place, path), member=".".join(path)):
                # As it is: kept even while the key that reads it is missing.
                return kept
            return {SEALED: box.encrypt(orjson.dumps(value).decode(), _context(place, path))}

        return self._changed(document, sealed)

    def open(self, document: Mapping[str, Json], box: SecretBox, place: str) -> dict[str, Json]:
        """Return a stored object with its secrets in clear, for those who use them.

        Raises:
            SecretUnreadableError: a secret was encrypted with another key, or for another place.
        """
        return self._changed(document, lambda path, value: _opened(value, box, place, path))

    def mask(self, document: Mapping[str, Json], box: SecretBox, place: str) -> dict[str, Json]:
        """Return a stored object as it is shown: masks in place of its secrets."""

        def masked(path: _Place, value: Json) -> Json:
            return value if value is None or value == "" else _shown(value, box, place, path)

        return self._changed(document, masked)

    def _changed(self, document: Mapping[str, Json], change: _Change) -> dict[str, Json]:
        result: Json = dict(document)
        for pattern in self._patterns:
            result = _change_at(result, pattern, (), change)
        return cast("dict[str, Json]", result)


def _change_at(value: Json, pattern: _Pattern, path: _Place, change: _Change) -> Json:
    """Return the value with `change` applied to what the pattern leads to; the given one is not altered."""
    if not pattern:
        return change(path, value)
    head, rest = pattern[0], pattern[1:]
    members, items = _members(value), _items(value)
    if members is not None and SEALED not in members:
        return {
            name: _change_at(member, rest, (*path, name), change) if head in {ANY, name} else member
            for name, member in members.items()
        }
    if items is not None and head == ANY:
        return [_change_at(item, rest, (*path, str(index)), change) for index, item in enumerate(items)]
    return value


def _at(document: Json, path: _Place) -> Json:
    """Return what is at the path, None when nothing is."""
    value = document
    for name in path:
        members, items = _members(value), _items(value)
        if members is not None:
            value = members.get(name)
        elif items is not None and name.isdecimal() and int(name) < len(items):
            value = items[int(name)]
        else:
            return None
    return value


def _members(value: Json) -> dict[str, Json] | None:
    return cast("dict[str, Json]", value) if isinstance(value, dict) else None


def _items(value: Json) -> list[Json] | None:
    return cast("list[Json]", value) if isinstance(value, list) else None


def _opened(value: Json, box: SecretBox, place: str, path: _Place) -> Json:
    token = (_members(value) or {}).get(SEALED)
    if not isinstance(token, str):
        # Stored before this member counted as a secret.
        return value
    return orjson.loads(box.decrypt(token, _context(place, path)))


def _shown(value: Json, box: SecretBox, place: str, path: _Place) -> str:
    if value is None or value == "":
        return ""
    try:
        secret = _opened(value, box, place, path)
    except SecretUnreadableError:
        # That there is one is all that can be said.
        return MASK
    return mask(secret) if isinstance(secret, str) else MASK


def _context(place: str, path: _Place) -> str:
    return f"{place}.{'.'.join(path)}"
