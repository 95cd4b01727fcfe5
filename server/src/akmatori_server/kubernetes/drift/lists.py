"""Lists whose items are known by a key, as the API server merges them, and lists that are sets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from akmatori_server.kubernetes.drift.model import Place
from akmatori_server.kubernetes.drift.values import plain
from akmatori_server.kubernetes.manifests import Node

# The patch merge keys of the Kubernetes API types, by the list's member name.
_KEYS: Mapping[str, tuple[str, ...]] = {
    "containers": ("name",),
    "initContainers": ("name",),
    "ephemeralContainers": ("name",),
    "volumes": ("name",),
    "env": ("name",),
    "imagePullSecrets": ("name",),
    "secrets": ("name",),
    "volumeMounts": ("mountPath",),
    "volumeDevices": ("devicePath",),
    "hostAliases": ("ip",),
    "topologySpreadConstraints": ("topologyKey", "whenUnsatisfiable"),
    "ownerReferences": ("uid",),
    "conditions": ("type",),
    "webhooks": ("name",),
    "volumeClaimTemplates": ("metadata.name",),
}
# Order does not matter, and items have no key: an item is the same when all of it is.
_SETS = frozenset(
    {
        "subjects",
        "rules",
        "finalizers",
        "drop",
        "add",
        "verbs",
        "resources",
        "apiGroups",
        "policyTypes",
        "accessModes",
        "tolerations",
    }
)
_PORT_KEYS = (("containerPort", "protocol"), ("port", "protocol"))


def keyed(place: Place, *lists: Node) -> list[dict[str, Node]] | None:
    """Return each list as a mapping from a key to its item; None where the items have no key of their own."""
    names = _names(place, lists)
    if names is None:
        return None
    found: list[dict[str, Node]] = []
    for one in lists:
        items = {_key(item, names): item for item in one.each()}
        # An item without its key, or a key that is there twice: then only the order tells them apart.
        if len(items) != len(one.each()) or any("=;" in f"{key};" for key in items):
            return None
        found.append(items)
    return found


def is_set(place: Place) -> bool:
    """Whether the order of a list's items says nothing."""
    return bool(place) and place[-1] in _SETS


def canonical(node: Node) -> str:
    """Return a text that is the same for items that are."""
    if node.members is not None:
        return "{" + ",".join(sorted(f"{name}:{canonical(member)}" for name, member in node.named())) + "}"
    if node.items is not None:
        return "[" + ",".join(sorted(canonical(item) for item in node.each())) + "]"
    return repr(plain(node))


def _names(place: Place, lists: Sequence[Node]) -> tuple[str, ...] | None:
    name = place[-1] if place else ""
    if name == "ports":
        items = [item for one in lists for item in one.each()]
        return next(
            (keys for keys in _PORT_KEYS if items and all(item.get(keys[0]).exists for item in items)), None
        )
    return _KEYS.get(name)


def _key(item: Node, names: tuple[str, ...]) -> str:
    # A port without a protocol is a TCP port.
    parts = [
        (name, item.get(*name.split(".")).text() or ("TCP" if name == "protocol" else "")) for name in names
    ]
    return ";".join(f"{name.rpartition('.')[2]}={value}" for name, value in parts)
