"""Masking secrets in texts and values: those that are known, and what looks like one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import cast

from akmatori_server.incidents.storable import JSON
from akmatori_server.tools.redaction import without_secrets


class Redactor:
    """Masks the secrets it was given, wherever they turn up."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets = frozenset(secrets)

    def __call__(self, text: str) -> str:
        """Return the text with a mask in place of each secret."""
        return without_secrets(text, self._secrets)

    def value(self, value: JSON) -> JSON:
        """Return a JSON value with every text in it masked."""
        if isinstance(value, str):
            return self(value)
        if isinstance(value, Mapping):
            return {self(key): self.value(member) for key, member in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.value(item) for item in cast("Iterable[JSON]", value)]
        return value
