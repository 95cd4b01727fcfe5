"""Masking secrets in texts and values: those that are known, and what looks like one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import cast

from akmatori_server.incidents.storable import JSON
from akmatori_server.redaction.expressions import Expression, any_of
from akmatori_server.redaction.forms import forms_of
from akmatori_server.redaction.manifests import DATA, without_secret_data
from akmatori_server.redaction.names import is_secret_name
from akmatori_server.redaction.patterns import MASKED, without_lookalikes
from akmatori_server.secrets.masking import MASK

# What lies deeper in a value is not looked through, and so not shown.
DEEPEST_LEVEL = 100


class Redactor:
    """Masks the secrets it was given, wherever they turn up, and whatever looks like a secret.

    It takes time in proportion to the text, and masking twice changes nothing.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        forms = forms_of(secrets)
        self._known: Expression | None = any_of(forms) if forms else None

    def __call__(self, text: str) -> str:
        """Return the text with a mask in place of each secret."""
        raw = text.encode("utf-8", "surrogatepass")
        masked = without_lookalikes(without_secret_data(self._without_known(raw)))
        return text if masked == raw else masked.decode("utf-8", "surrogatepass")

    def value(self, value: JSON) -> JSON:
        """Return a JSON value with every text in it masked, and all of what has a secret's name."""
        return self._value(value, DEEPEST_LEVEL)

    def _without_known(self, text: bytes) -> bytes:
        return text if self._known is None else self._known.sub(lambda _: MASKED, text)

    def _value(self, value: JSON, levels: int) -> JSON:
        if isinstance(value, str):
            return self(value)
        if not isinstance(value, (Mapping, list, tuple)):
            return value
        if levels == 0:
            return MASK
        if isinstance(value, Mapping):
            return self._members(value, levels - 1)
        return [self._value(item, levels - 1) for item in cast("Iterable[JSON]", value)]

    def _members(self, members: Mapping[str, JSON], levels: int) -> dict[str, JSON]:
        # Both are how a list of variables or headers spells a member.
        named = members.get("name", members.get("key"))
        is_named = isinstance(named, str) and is_secret_name(named)
        is_secret = members.get("kind") == "Secret"
        masked: dict[str, JSON] = {}
        for name, member in members.items():
            if is_secret_name(name) or (is_named and name == "value"):
                masked[self(name)] = self._secret(member, levels)
            elif is_secret and name in DATA and isinstance(member, Mapping):
                masked[name] = {key: self._secret(text, levels) for key, text in member.items()}
            else:
                masked[self(name)] = self._value(member, levels)
        return masked

    def _secret(self, value: JSON, levels: int) -> JSON:
        """Mask what has a secret's name: texts and numbers, not what only says whether there is one."""
        if isinstance(value, bool) or value is None or value == "":
            return value
        if isinstance(value, (str, int, float)):
            return MASK
        if isinstance(value, list):
            return [self._secret(item, levels) for item in value]
        return self._value(value, levels)
