"""Drift that does not cry wolf: what means the same is no difference, and what differs is told with its place."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from akmatori_sdk._generated.aotanami.models import DriftType, Severity
from akmatori_server.kubernetes.drift.comparison import compare_states
from akmatori_server.kubernetes.drift.model import Comparison
from akmatori_server.kubernetes.manifests import ManifestObject, read_manifests

DEPLOYMENT = """
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: web, namespace: shop, labels: {app: web}}
    spec:
      replicas: 2
      template:
        spec:
          containers:
            - name: web
              image: web:1
              ports: [{containerPort: 80}]
              env: [{name: A, value: "1"}, {name: B, value: "2"}]
              resources: {limits: {cpu: "1", memory: 1Gi}}
"""


def objects(directory: Path, text: str) -> list[ManifestObject]:
    """Read manifests from a text."""
    file = directory / f"{abs(hash(text))}.yaml"
    file.write_text(dedent(text))
    return [one for one in read_manifests([file]) if isinstance(one, ManifestObject)]


def compared(directory: Path, desired: str, live: str, **options: object) -> Comparison:
    """Compare two texts."""
    return compare_states(objects(directory, desired), objects(directory, live), **options)  # type: ignore[arg-type]


SAME = {
    "as it was": (DEPLOYMENT, DEPLOYMENT),
    "quantities are numbers": (
        DEPLOYMENT,
        DEPLOYMENT.replace('cpu: "1", memory: 1Gi', "cpu: 1000m, memory: 1024Mi"),
    ),
    "lists have keys": (
        DEPLOYMENT,
        DEPLOYMENT.replace(
            '[{name: A, value: "1"}, {name: B, value: "2"}]', '[{name: B, value: "2"}, {name: A, value: "1"}]'
        ),
    ),
    "defaults": (
        DEPLOYMENT,
        DEPLOYMENT.replace(
            "image: web:1", "image: web:1\n              imagePullPolicy: IfNotPresent"
        ).replace("containerPort: 80", "containerPort: 80, protocol: TCP"),
    ),
    "what the server writes": (
        DEPLOYMENT,
        DEPLOYMENT.replace(
            "namespace: shop,",
            "namespace: shop, uid: x, resourceVersion: '7', generation: 3, creationTimestamp: '2026-01-01T00:00:00Z',",
        )
        + "    status: {replicas: 2}\n",
    ),
    "null, empty and absent": (
        DEPLOYMENT.replace("replicas: 2", "replicas: 2\n      strategy: {}\n      paused: null"),
        DEPLOYMENT,
    ),
    "false and absent": (DEPLOYMENT.replace("replicas: 2", "replicas: 2\n      paused: false"), DEPLOYMENT),
    "an older version of the API": (DEPLOYMENT.replace("apps/v1", "extensions/v1beta1"), DEPLOYMENT),
    "stringData": (
        "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: shop}\nstringData: {a: hello}\n",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: shop}\ntype: Opaque\ndata: {a: aGVsbG8=}\n",
    ),
    "an autoscaler's replicas": (
        DEPLOYMENT,
        DEPLOYMENT.replace("replicas: 2", "replicas: 7")
        + dedent("""
            ---
            apiVersion: autoscaling/v2
            kind: HorizontalPodAutoscaler
            metadata: {name: web, namespace: shop, ownerReferences: [{name: x}]}
            spec: {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}}
        """).replace("\n", "\n    "),
    ),
    "rules in another order": (
        """
            apiVersion: rbac.authorization.k8s.io/v1
            kind: Role
            metadata: {name: r, namespace: shop}
            rules: [{apiGroups: [''], resources: [pods, services], verbs: [get, list]}]
        """,
        """
            apiVersion: rbac.authorization.k8s.io/v1
            kind: Role
            metadata: {name: r, namespace: shop}
            rules: [{verbs: [list, get], resources: [services, pods], apiGroups: ['']}]
        """,
    ),
    "a service's addresses": (
        """
            apiVersion: v1
            kind: Service
            metadata: {name: s, namespace: shop}
            spec: {ports: [{port: 80, targetPort: http}]}
        """,
        """
            apiVersion: v1
            kind: Service
            metadata: {name: s, namespace: shop}
            spec:
              clusterIP: 10.0.0.1
              clusterIPs: [10.0.0.1]
              ports: [{port: 80, protocol: TCP, targetPort: http, nodePort: 30001}]
        """,
    ),
    "what belongs to others": (
        DEPLOYMENT,
        DEPLOYMENT
        + dedent("""
            ---
            apiVersion: v1
            kind: ConfigMap
            metadata: {name: kube-root-ca.crt, namespace: shop}
            ---
            apiVersion: v1
            kind: ServiceAccount
            metadata: {name: default, namespace: shop}
            ---
            apiVersion: apps/v1
            kind: ReplicaSet
            metadata: {name: web-1, namespace: shop, ownerReferences: [{kind: Deployment, name: web}]}
            ---
            apiVersion: v1
            kind: ConfigMap
            metadata: {name: elsewhere, namespace: other}
        """).replace("\n", "\n    "),
    ),
}


@pytest.mark.parametrize("name", SAME)
def test_what_means_the_same_is_no_difference(tmp_path: Path, name: str) -> None:
    """However the API server writes it."""
    desired, live = SAME[name]
    assert compared(tmp_path, desired, live).drifts == ()


CHANGED = [
    (
        "image: web:1",
        "image: web:2",
        "spec.template.spec.containers[name=web].image",
        "replace",
        Severity.HIGH,
    ),
    (
        "memory: 1Gi",
        "memory: 2Gi",
        "spec.template.spec.containers[name=web].resources.limits.memory",
        "replace",
        Severity.MEDIUM,
    ),
    ("replicas: 2", "replicas: 3", "spec.replicas", "replace", Severity.LOW),
    (
        ', {name: B, value: "2"}',
        "",
        "spec.template.spec.containers[name=web].env[name=B]",
        "add",
        Severity.MEDIUM,
    ),
    (
        '{name: B, value: "2"}',
        '{name: B, value: "2"}, {name: C, value: "3"}',
        "spec.template.spec.containers[name=web].env[name=C]",
        "remove",
        Severity.MEDIUM,
    ),
    (
        "- name: web",
        "- {name: miner, image: xmr}\n            - name: web",
        "spec.template.spec.containers[name=miner]",
        "remove",
        Severity.MEDIUM,
    ),
    ("labels: {app: web}", "labels: {app: webb}", "metadata.labels.app", "replace", Severity.LOW),
]


@pytest.mark.parametrize(("before", "after", "field", "operation", "severity"), CHANGED)
def test_a_difference_has_its_place(
    tmp_path: Path, before: str, after: str, field: str, operation: str, severity: Severity
) -> None:
    """The field, what would mend it, how bad it is, and the line of the desired value."""
    (drift,) = compared(tmp_path, DEPLOYMENT, DEPLOYMENT.replace(before, after, 1)).drifts
    assert (drift.type, drift.field, drift.severity) == (DriftType.MODIFIED, field, severity)
    assert drift.operation is not None
    assert drift.operation.value == operation
    assert drift.source_line is not None


def test_hardening_that_was_taken_away_is_told(tmp_path: Path) -> None:
    """`privileged: false` may go unsaid; `runAsNonRoot: true` may not."""
    hardened = DEPLOYMENT.replace(
        "image: web:1", "image: web:1\n              securityContext: {runAsNonRoot: true, privileged: false}"
    )
    (drift,) = compared(tmp_path, hardened, DEPLOYMENT).drifts
    assert drift.field.endswith("securityContext")
    assert drift.severity is Severity.HIGH


def test_what_was_dropped_from_git_and_still_lives_is_drift(tmp_path: Path) -> None:
    """Three ways: it was applied once, is not desired, and is still there; what nobody applied may stay."""
    applied = '{"spec":{"paused":true,"minReadySeconds":5}}'
    live = DEPLOYMENT.replace(
        "replicas: 2", "replicas: 2\n      paused: true\n      revisionHistoryLimit: 10"
    ).replace(
        "labels: {app: web}",
        f"labels: {{app: web}}, annotations: {{kubectl.kubernetes.io/last-applied-configuration: '{applied}'}}",
    )
    (drift,) = compared(tmp_path, DEPLOYMENT, live).drifts
    assert (drift.field, drift.operation and drift.operation.value) == ("spec.paused", "remove")


def test_whole_objects_are_missing_or_too_many(tmp_path: Path) -> None:
    """Deleted in the cluster, or added by hand; a kind that could not be read is not called deleted."""
    policy = (
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: deny, namespace: shop}\n"
    )
    role = "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: oops, namespace: shop}\n"
    comparison = compared(tmp_path, policy, role)
    assert [(one.type, one.identity.kind, one.severity) for one in comparison.drifts] == [
        (DriftType.DELETED, "NetworkPolicy", Severity.HIGH),
        (DriftType.ADDED, "RoleBinding", Severity.CRITICAL),
    ]
    assert (comparison.managed, comparison.unmanaged) == ({"shop": 1}, {"shop": 1})
    unread = compared(tmp_path, policy, role, is_read=lambda identity: identity.kind == "RoleBinding")
    assert [one.type for one in unread.drifts] == [DriftType.ADDED]


def test_values_of_secrets_are_never_shown(tmp_path: Path) -> None:
    """Not of a Secret, not of a password in a ConfigMap or an environment, not of what looks like a key."""
    desired = """
        apiVersion: v1
        kind: Secret
        metadata: {name: s, namespace: shop}
        stringData: {a: desired-1}
        ---
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: c, namespace: shop}
        data: {db_password: desired-2, note: AKIAIOSFODNN7EXAMPLE, plain: one}
    """
    live = (
        desired.replace("stringData: {a: desired-1}", "data: {a: bGl2ZS0x}")
        .replace("desired-2", "live-2")
        .replace("AKIAIOSFODNN7EXAMPLE", "AKIAI44QH8DHBEXAMPLE")
        .replace("plain: one", "plain: two")
    )
    drifts = compared(tmp_path, desired, live).drifts
    assert len(drifts) == 4
    assert [one.field for one in drifts if not one.is_redacted] == ["data.plain"]
    for value in ("desired-1", "bGl2ZS0x", "ZGVzaXJlZC0x", "desired-2", "live-2", "AKIA"):
        assert value not in repr(drifts)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('env: [{name: A, value: "1"}, {name: B, value: "2"}]', "env: [{name: DB_PASSWORD, value: hunter2}]"),
        ("image: web:1", 'image: web:1\n              args: ["--password=hunter2"]'),
        ("image: web:1", "image: web:1\n              args: [--db-password, hunter2]"),
        ("image: web:1", 'image: web:1\n              command: [sh, -c, "mysql -phunter2; true"]'),
        ("image: web:1", "image: web:1\n              command: [mysql, -phunter2]"),
        (
            "image: web:1",
            'image: web:1\n              command: [sh, -c, "curl https://me:hunter2@db.example.net"]',
        ),
        (
            "- name: web",
            "- {name: side, image: x, env: [{name: API_TOKEN, value: hunter2}]}\n            - name: web",
        ),
        (
            "labels: {app: web}",
            "labels: {app: web}, annotations: {note: postgres://me:hunter2@db.example.net/x}",
        ),
    ],
)
def test_no_secret_is_shown_within_a_whole_list_or_item(tmp_path: Path, before: str, after: str) -> None:
    """Where all of it is missing, or too much, its values would be shown with it; in both directions."""
    other = DEPLOYMENT.replace(before, after, 1)
    assert other != DEPLOYMENT
    for desired, live in ((other, DEPLOYMENT), (DEPLOYMENT, other)):
        drifts = compared(tmp_path, desired, live).drifts
        assert drifts or live is other
        assert "hunter2" not in repr(drifts)


def test_who_wrote_a_field_is_named(tmp_path: Path) -> None:
    """The newest manager of the field, not the one of its neighbour."""
    live = DEPLOYMENT.replace("web:1", "web:9").replace(
        "labels: {app: web}",
        "labels: {app: web}, managedFields: ["
        "{manager: argocd, time: '2026-01-01T00:00:00Z', fieldsV1: {'f:spec': {'f:replicas': {}}}},"
        "{manager: kubectl-edit, time: '2026-03-05T10:00:00Z', fieldsV1: {'f:spec': {'f:template': {'f:spec':"
        " {'f:containers': {'k:{\"name\":\"web\"}': {'f:image': {}}}}}}}}]",
    )
    (drift,) = compared(tmp_path, DEPLOYMENT, live).drifts
    assert drift.manager == "kubectl-edit at 2026-03-05T10:00:00Z"


def test_the_operator_may_leave_fields_out(tmp_path: Path) -> None:
    """By a pattern of kind and path."""
    live = DEPLOYMENT.replace("replicas: 2", "replicas: 5")
    assert compared(tmp_path, DEPLOYMENT, live, patterns=("Deployment:spec.replicas",)).drifts == ()
