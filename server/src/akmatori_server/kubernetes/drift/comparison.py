"""Comparing a whole desired state with a whole live one. Pure: objects in, differences out."""

from __future__ import annotations

import base64
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator

import orjson

from akmatori_sdk._generated.aotanami.models import DriftType, Severity
from akmatori_server.kubernetes.checks.secret_values import is_secret_name
from akmatori_server.kubernetes.drift.compare import compare
from akmatori_server.kubernetes.drift.hidden import holds_secret
from akmatori_server.kubernetes.drift.ignored import (
    LAST_APPLIED,
    Ignored,
    is_meant,
    path_text,
    scaled_objects,
)
from akmatori_server.kubernetes.drift.judgement import message_of, severity_of
from akmatori_server.kubernetes.drift.managers import manager_of
from akmatori_server.kubernetes.drift.model import Change, Comparison, Drift, Identity, Pair
from akmatori_server.kubernetes.drift.values import json_text
from akmatori_server.kubernetes.manifests import MISSING, ManifestObject, Node
from akmatori_server.kubernetes.manifests.nodes import json_node

MASK = '"********"'
# Groups that a kind has moved from; the objects are the same.
_MOVED = {
    ("extensions", "Deployment"): "apps",
    ("extensions", "DaemonSet"): "apps",
    ("extensions", "ReplicaSet"): "apps",
    ("extensions", "Ingress"): "networking.k8s.io",
    ("extensions", "NetworkPolicy"): "networking.k8s.io",
}
_CLUSTER_KINDS = frozenset(
    {
        "Namespace", "Node", "PersistentVolume", "ClusterRole", "ClusterRoleBinding", "StorageClass", "IngressClass",
        "PriorityClass", "CustomResourceDefinition", "ValidatingWebhookConfiguration",
        "MutatingWebhookConfiguration", "ValidatingAdmissionPolicy", "APIService", "RuntimeClass", "CSIDriver",
    }
)  # fmt: skip


def identity_of(found: ManifestObject, default_namespace: str = "") -> Identity:
    """Return what an object is known by."""
    group = _MOVED.get((found.group, found.kind), found.group)
    namespace = "" if found.kind in _CLUSTER_KINDS else found.namespace or default_namespace
    return Identity(group, found.kind, namespace, found.name)


def compare_states(
    desired: Iterable[ManifestObject],
    live: Iterable[ManifestObject],
    *,
    default_namespace: str = "default",
    patterns: tuple[str, ...] = (),
    is_read: Callable[[Identity], bool] = lambda _identity: True,
) -> Comparison:
    """Compare what should be with what is.

    Args:
        desired: the objects of a folder; of one that is there twice the last counts, as with `kubectl apply`.
        live: the objects of the cluster, of the kinds that could be read.
        default_namespace: of desired objects that name none.
        patterns: fields to leave out, as `Kind:path` with stars.
        is_read: whether the live state of an object was read. Others are not compared, and are told as skipped.
    """
    wanted = {identity_of(one, default_namespace): one for one in desired if one.name}
    there = {identity_of(one): one for one in live}
    managed_namespaces = {identity.namespace for identity in wanted}
    skipped: defaultdict[str, set[str]] = defaultdict(set)
    for identity in [identity for identity in wanted if not is_read(identity)]:
        skipped[identity.namespace].add(identity.kind)
        # What was read of a list that broke off is neither changed nor added.
        del wanted[identity]
        there.pop(identity, None)
    ignored = Ignored(patterns, scaled_objects([*wanted.values(), *there.values()]))
    drifts: list[Drift] = []
    for identity, one in wanted.items():
        found = there.get(identity)
        if found is not None:
            drifts += _changed(identity, Pair(desired=one, live=found), ignored)
        else:
            drifts.append(_whole(identity, one, DriftType.DELETED, "is desired, and is not there"))
    added = [
        (identity, one)
        for identity, one in there.items()
        if identity not in wanted and identity.namespace in managed_namespaces and is_meant(one)
    ]
    drifts += [
        _whole(identity, one, DriftType.ADDED, f"is there, and is not desired{_managed_by(one)}")
        for identity, one in added
        # Cluster-scoped objects come from many hands; only kinds that the desired state has are judged.
        if identity.namespace or any(other.kind == identity.kind for other in wanted)
    ]
    return Comparison(
        drifts=tuple(drifts),
        managed=Counter(identity.namespace for identity in wanted),
        unmanaged=Counter(identity.namespace for identity, _ in added),
        skipped={namespace: frozenset(kinds) for namespace, kinds in skipped.items()},
    )


def _changed(identity: Identity, pair: Pair, ignored: Ignored) -> Iterator[Drift]:
    desired, live = _folded(pair.desired), pair.live.body
    is_aggregated = live.get("aggregationRule").exists
    changes = compare(
        desired,
        live,
        _last_applied(live),
        leaves_out=lambda place: ignored.leaves_out(identity, place, is_aggregated=is_aggregated),
    )
    for change in changes:
        if change.place[0] in {"apiVersion", "kind"}:
            continue
        is_hidden = _is_secret(identity, change)
        yield Drift(
            identity=identity,
            api_version=pair.live.api_version or pair.desired.api_version,
            type=DriftType.MODIFIED,
            severity=severity_of(identity, change),
            message=message_of(identity, change),
            field=path_text(change.place),
            operation=change.operation,
            desired_value=_shown(change.desired, is_hidden=is_hidden),
            live_value=_shown(change.live, is_hidden=is_hidden),
            manager=manager_of(live, change.place),
            source_file=pair.desired.source.file,
            source_line=_line(pair.desired, change),
            is_redacted=is_hidden,
        )


def _whole(identity: Identity, one: ManifestObject, kind: DriftType, says: str) -> Drift:
    is_desired = kind is DriftType.DELETED
    severity = severity_of(identity, None)
    # An additional policy or secret opens nothing; one that is missing may.
    if not is_desired and identity.kind in {"NetworkPolicy", "Secret"}:
        severity = Severity.MEDIUM
    return Drift(
        identity=identity,
        api_version=one.api_version,
        type=kind,
        severity=severity,
        message=f"{identity.kind} {identity.name} {says}.",
        manager="" if is_desired else _creator(one.body),
        source_file=one.source.file if is_desired else "",
        source_line=one.source.line if is_desired else None,
    )


def _folded(desired: ManifestObject) -> Node:
    """Return a desired object as the API server would store it: a Secret's `stringData` becomes data."""
    body = desired.body
    if desired.kind != "Secret" or not body.get("stringData").exists or body.members is None:
        return body
    data = dict(body.get("data").named())
    for name, node in body.get("stringData").named():
        encoded = base64.b64encode(node.text().encode("utf-8", "surrogatepass")).decode()
        data[name] = Node(line=node.line, scalar=encoded)
    members = {name: member for name, member in body.members.items() if name != "stringData"}
    return Node(line=body.line, members={**members, "data": Node(line=body.line, members=data)})


def _last_applied(live: Node) -> Node:
    text = live.get("metadata", "annotations", LAST_APPLIED).text()
    if not text:
        return MISSING
    try:
        return json_node(orjson.loads(text))
    except orjson.JSONDecodeError:
        return MISSING


def _is_secret(identity: Identity, change: Change) -> bool:
    """Whether a difference must not show its values: of a whole list or item, all that is in it counts."""
    if identity.kind == "Secret" and change.place[0] in {"data", "stringData"}:
        return True
    if any(is_secret_name(step) for step in change.place):
        return True
    return any(holds_secret(node) for node in (change.desired, change.live) if node is not None)


def _shown(node: Node | None, *, is_hidden: bool) -> str | None:
    if node is None:
        return None
    return MASK if is_hidden else json_text(node)


def _line(desired: ManifestObject, change: Change) -> int | None:
    if change.desired is not None and change.desired.line:
        return change.desired.line
    return desired.source.line or None


def _managed_by(one: ManifestObject) -> str:
    labels = one.body.get("metadata", "labels")
    by = labels.get("app.kubernetes.io/managed-by").text() or (
        "Argo CD" if labels.get("argocd.argoproj.io/instance").exists else ""
    )
    return f" (managed by {by})" if by else ""


def _creator(live: Node) -> str:
    entries = [
        (entry.get("time").text(), entry.get("manager").text())
        for entry in live.get("metadata", "managedFields").each()
        if entry.get("subresource").text() != "status"
    ]
    if not entries:
        return ""
    moment, manager = min(entries)
    return f"{manager} at {moment}" if moment else manager
