"""What the controls of the CIS Kubernetes Benchmark are about, in our words."""

from __future__ import annotations

TITLES: dict[str, str] = {
    "cluster-admin": "cluster-admin only where it is required",
    "secrets-access": "Little access to Secrets",
    "wildcards": "Few wildcards in roles",
    "pod-creation": "Little access to create pods",
    "default-service-account": "Default service accounts not used",
    "token-mounts": "Service account tokens mounted only where necessary",
    "masters-group": "Group system:masters not used",
    "escalation-verbs": "Few rights to bind, impersonate and escalate",
    "volume-creation": "Little access to create PersistentVolumes",
    "nodes-proxy": "Little access to the proxy of nodes",
    "csr-approval": "Little access to approve certificates",
    "webhook-access": "Little access to webhook configurations",
    "token-creation": "Little access to create service account tokens",
    "policy-mechanism": "At least one policy mechanism is active",
    "privileged": "No privileged containers admitted",
    "host-pid": "No containers in the host's process namespace",
    "host-ipc": "No containers in the host's IPC namespace",
    "host-network": "No containers in the host's network namespace",
    "allow-escalation": "No containers that allow privilege escalation",
    "root-containers": "No root containers admitted",
    "net-raw": "No containers with NET_RAW",
    "added-capabilities": "No containers with added capabilities",
    "assigned-capabilities": "No containers with capabilities assigned",
    "host-process": "No Windows HostProcess containers",
    "host-path": "No HostPath volumes",
    "host-port": "No containers with HostPorts",
    "policy-support": "The network plugin supports NetworkPolicies",
    "network-policies": "All namespaces have NetworkPolicies",
    "secrets-as-files": "Secrets as files rather than as environment variables",
    "secrets-external": "External storage of secrets considered",
    "image-provenance": "Provenance of images is checked at admission",
    "namespaces": "Boundaries between resources by namespaces",
    "seccomp": "A seccomp profile in pod definitions",
    "security-context": "Security contexts for pods and containers",
    "default-namespace": "The default namespace is not used",
}

UNDECIDABLE: dict[str, str] = {
    "policy-support": "The Kubernetes API does not say whether the network plugin enforces NetworkPolicies.",
    "image-provenance": "Admission plugins are configured on the control plane, which the API does not show.",
    "namespaces": "Whether namespaces divide what should be divided is a judgement of people.",
    "secrets-external": "Where secrets come from is not told by objects; hard-coded ones are found, and fail it.",
}
"""Why a control cannot pass by checks alone."""

ELSEWHERE: dict[str, str] = {
    "1": "Control plane components",
    "2": "etcd",
    "3": "Control plane configuration",
    "4": "Worker nodes",
}
"""Whole sections that need access to nodes."""
