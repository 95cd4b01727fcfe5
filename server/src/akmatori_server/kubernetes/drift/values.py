"""Whether two values mean the same to Kubernetes, though they are written differently."""

from __future__ import annotations

import re

import orjson

from akmatori_server.kubernetes.drift.model import Place
from akmatori_server.kubernetes.manifests import Node
from akmatori_server.kubernetes.quantities import parse_quantity

# Members whose values are quantities: `1` is `1000m`.
_QUANTITIES_IN = frozenset(
    {"requests", "limits", "capacity", "hard", "used", "default", "defaultRequest", "min", "max"}
)
_QUANTITIES = frozenset({"sizeLimit", "storage", "cpu", "memory", "divisor", "averageValue", "value"})
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")
LONGEST_VALUE = 4000


def same_scalar(desired: Node, live: Node, place: Place) -> bool:
    """Whether two scalars mean the same at a place."""
    if desired.scalar == live.scalar:
        # `"80"` and `80` differ only where the type matters, which the API server has decided for the live one.
        return True
    left, right = desired.boolean(), live.boolean()
    if left is not None and left == right:
        return True
    if _is_quantity(place):
        wanted, given = parse_quantity(desired.text()), parse_quantity(live.text())
        if wanted is not None and wanted == given:
            return True
    whole, other = desired.integer(), live.integer()
    return whole is not None and whole == other


def is_empty(node: Node) -> bool:
    """Whether a value says no more than its absence does: null, an empty list or mapping, or a text without letters."""
    if not node.exists:
        return True
    if node.items is not None:
        return not node.items
    if node.members is not None:
        return all(is_empty(member) for member in node.members.values())
    return node.scalar == ""


def json_text(node: Node) -> str:
    """Return a value as JSON text, cut when it is long."""
    text = orjson.dumps(plain(node)).decode()
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1] + "…"


def plain(node: Node) -> object:
    """Return a value as Python has it."""
    if node.members is not None:
        return {name: plain(member) for name, member in node.members.items()}
    if node.items is not None:
        return [plain(item) for item in node.items]
    if not node.exists:
        return None
    truth = node.boolean()
    if truth is not None:
        return truth
    text = node.scalar or ""
    if node.plain and _NUMBER.fullmatch(text):
        return int(text)
    return text


def _is_quantity(place: Place) -> bool:
    if not place:
        return False
    return place[-1] in _QUANTITIES or (len(place) > 1 and place[-2] in _QUANTITIES_IN)
