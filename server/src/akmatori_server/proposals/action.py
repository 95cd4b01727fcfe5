"""The exact action of a proposal: what it is bound to, and how that is kept."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from typing import Any

import attrs
import orjson

from akmatori_server.incidents.storable import JSON
from akmatori_server.toolbox.models import Invocation, Plan

CANONICAL = orjson.OPT_SORT_KEYS


@attrs.frozen(kw_only=True)
class Action:
    """The arguments of an action as they are, and a number that keeps its digest from being guessed from.

    Arguments may hold a secret, and whoever may read may read the digest.
    """

    arguments: Mapping[str, JSON] = attrs.field(repr=False)
    nonce: str = attrs.field(repr=False, factory=lambda: secrets.token_hex(16))

    def packed(self) -> str:
        """Return it as one text, to be encrypted."""
        return orjson.dumps(
            {"arguments": dict(self.arguments), "nonce": self.nonce}, option=CANONICAL
        ).decode()

    @classmethod
    def unpacked(cls, text: str) -> Action:
        """Return what was packed."""
        members = orjson.loads(text)
        return cls(arguments=members["arguments"], nonce=members["nonce"])

    def digest(self, call: Invocation, plan: Plan) -> str:
        """Return the fingerprint of doing this with a tool as it is now.

        In it are the tool, all its settings that are no secrets (addresses, hosts, users), the definition of the
        function, the arguments, and the tool's own words for what it will do. A password that is changed changes
        nothing; anything else makes another action of it.
        """
        tool = call.tool.tool
        content: dict[str, Any] = {
            "nonce": self.nonce,
            "tool": [tool.id, tool.logical_name, tool.type.name, tool.type.version],
            "settings": _without(call.tool.settings, call.tool.secrets),
            "function": attrs.asdict(call.function),
            "arguments": dict(self.arguments),
            "access": plan.access.value,
            "summary": plan.summary,
        }
        return hashlib.sha256(orjson.dumps(content, option=CANONICAL)).hexdigest()


def _without(settings: Mapping[str, Any], hidden: frozenset[str]) -> dict[str, Any]:
    """Return the settings that are no secrets; of a secret only that it is there."""
    return {
        name: None if isinstance(value, str) and value in hidden else value
        for name, value in settings.items()
    }
