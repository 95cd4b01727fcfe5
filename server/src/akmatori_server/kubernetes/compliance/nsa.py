"""The recommendations of NSA and CISA for hardening Kubernetes; they have no numbers, so names stand for them."""

from __future__ import annotations

_NODES = "It is decided by the configuration of the control plane and nodes, which the API does not show."
_PROCESS = "It is a matter of how the cluster is run, which objects do not tell."

NSA: tuple[tuple[str, str, tuple[str, ...], str], ...] = (
    (
        "non-root-containers",
        "Containers do not run as root",
        ("run-as-non-root", "pod-root-user", "container-root-user", "pod-root-group"),
        "",
    ),
    ("immutable-filesystems", "Container file systems cannot be changed", ("writable-root-filesystem",), ""),
    ("privileged-containers", "No privileged containers", ("privileged", "host-process"), ""),
    ("host-namespaces", "No namespaces of the host", ("host-pid", "host-ipc", "host-network"), ""),
    ("host-files", "No files of the host", ("host-path", "host-path-sensitive"), ""),
    ("privilege-escalation", "No privilege escalation", ("allow-privilege-escalation",), ""),
    (
        "capabilities",
        "Few capabilities",
        ("dangerous-capability", "added-capability", "capabilities-not-dropped"),
        "",
    ),
    (
        "hardening-profiles",
        "Seccomp, AppArmor and SELinux",
        ("seccomp-unset", "seccomp-unconfined", "apparmor-unconfined", "selinux-custom"),
        "",
    ),
    ("service-account-tokens", "Tokens only where they are needed", ("token-automount",), ""),
    (
        "pod-security-enforcement",
        "Pod security is enforced",
        ("namespace-without-pod-security", "below-namespace-level"),
        "",
    ),
    (
        "trusted-images",
        "Images are scanned and pinned",
        ("latest-tag", "no-digest"),
        "No vulnerability database is asked, so known flaws of images are not found.",
    ),
    (
        "network-separation",
        "Network policies separate pods",
        (
            "no-network-policy-ingress",
            "no-network-policy-egress",
            "network-policy-open-ingress",
            "network-policy-open-egress",
            "namespace-without-network-policy",
        ),
        "",
    ),
    (
        "resource-policies",
        "Limits on resources",
        ("no-cpu-limit", "no-memory-limit", "no-cpu-request", "no-memory-request"),
        "",
    ),
    (
        "traffic-encryption",
        "Traffic is encrypted",
        ("ingress-no-tls",),
        "Encryption between pods is not shown by objects.",
    ),
    (
        "secret-handling",
        "Secrets are kept apart",
        (
            "hardcoded-secret-env",
            "secret-in-args",
            "secret-in-annotation",
            "secret-in-configmap",
            "env-from-secret",
            "secret-env-ref",
        ),
        "Whether etcd encrypts Secrets is configured on the control plane.",
    ),
    (
        "anonymous-access",
        "No anonymous access",
        ("everybody-binding",),
        "Whether anonymous requests are refused is configured on the control plane.",
    ),
    (
        "least-privilege",
        "Roles with few rights",
        (
            "rbac-wildcard",
            "rbac-secrets-read",
            "rbac-exec",
            "rbac-pod-create",
            "rbac-escalate",
            "cluster-admin-binding",
            "workload-takeover",
        ),
        "",
    ),
    ("control-plane", "The control plane is hardened", (), _NODES),
    ("audit-logging", "Audit logs are kept", (), _NODES),
    ("upgrading", "Upgrades and reviews", (), _PROCESS),
)
"""Name, title, checks, and what they leave undecided."""
