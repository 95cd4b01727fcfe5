"""Who wrote a field: the newest manager that `metadata.managedFields` names for it."""

from __future__ import annotations

import re

from akmatori_server.kubernetes.drift.model import Place
from akmatori_server.kubernetes.manifests import Node

_KEYED = re.compile(r"\[(.*)\]")


def manager_of(live: Node, place: Place) -> str:
    """Return who wrote a field, and when, as `kubectl-edit at 2026-03-05T10:00:00Z`; "" when it is not told."""
    found: list[tuple[str, str]] = []
    for entry in live.get("metadata", "managedFields").each():
        # What controllers write below status is never compared.
        if entry.get("subresource").text() == "status":
            continue
        if _owns(entry.get("fieldsV1"), place):
            found.append((entry.get("time").text(), entry.get("manager").text()))
    if not found:
        return ""
    moment, manager = max(found)
    return f"{manager} at {moment}" if moment else manager


def _owns(fields: Node, place: Place) -> bool:
    node = fields
    for step in place:
        keyed = _KEYED.fullmatch(step)
        after = node.get(f"f:{step}") if keyed is None else _item(node, keyed[1])
        if not after.exists and after.members is None:
            # Who owns the whole of something owns what is in it.
            return (
                node is not fields
                and node.members is not None
                and not any(name.startswith(("f:", "k:")) for name, _ in node.named())
            )
        node = after
    return True


def _item(node: Node, key: str) -> Node:
    """Return the member of an item: managed fields spell its key as JSON, `k:{"name":"web"}`."""
    pairs = [part.partition("=") for part in key.split(";")]
    wanted = {name: value for name, _, value in pairs}
    for name, member in node.named():
        if name.startswith("k:") and all(
            f'"{part}":"{value}"' in name or f'"{part}":{value}' in name for part, value in wanted.items()
        ):
            return member
    return node.get(f"i:{key}")
