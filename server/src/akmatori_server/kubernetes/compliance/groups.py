"""Which checks belong together, and the controls of general frameworks that each group speaks to."""

from __future__ import annotations

from akmatori_sdk._generated.aotanami.models import Framework, MappingBasis

GROUPS: dict[str, tuple[str, ...]] = {
    "hardening": (
        "no-security-context",
        "privileged",
        "run-as-non-root",
        "writable-root-filesystem",
        "allow-privilege-escalation",
        "capabilities-not-dropped",
        "seccomp-unset",
        "seccomp-unconfined",
        "apparmor-unconfined",
        "host-process",
        "host-network",
        "host-pid",
        "host-ipc",
        "dangerous-capability",
        "added-capability",
        "share-process-namespace",
        "unsafe-sysctl",
        "selinux-custom",
        "pod-root-user",
        "pod-root-group",
        "container-root-user",
        "unmasked-proc",
    ),
    "host-path": ("host-path", "host-path-sensitive", "restricted-volume"),
    "host-port": ("host-port", "probe-host"),
    "limits": (
        "no-cpu-request",
        "no-memory-request",
        "no-cpu-limit",
        "no-memory-limit",
        "no-ephemeral-storage-limit",
    ),
    "images": ("latest-tag", "no-digest"),
    "secrets": (
        "env-from-secret",
        "hardcoded-secret-env",
        "secret-env-ref",
        "secret-in-args",
        "secret-in-annotation",
        "secret-in-configmap",
    ),
    "network": (
        "no-labels",
        "no-network-policy-ingress",
        "no-network-policy-egress",
        "network-policy-open-ingress",
        "network-policy-open-egress",
        "namespace-without-network-policy",
    ),
    "administrators": (
        "cluster-admin-binding",
        "rbac-wildcard",
        "rbac-escalate",
        "everybody-binding",
        "masters-group",
        "workload-takeover",
    ),
    "access": (
        "rbac-secrets-read",
        "rbac-pod-create",
        "rbac-exec",
        "rbac-nodes-proxy",
        "rbac-token-create",
        "rbac-webhook-write",
        "rbac-csr-approve",
        "rbac-volume-create",
    ),
    "accounts": (
        "default-service-account",
        "token-automount",
        "accounts-group-binding",
        "admin-like-name",
    ),
    "ingress": ("ingress-no-tls",),
    "operations": (),
}

REASONS: dict[str, str] = {
    "operations": "It is about how logs and incidents are handled, which objects do not tell.",
}
"""Why a group decides nothing."""

_N, _D, _S, _H, _I = (
    Framework.NIST_800_53,
    Framework.PCI_DSS,
    Framework.SOC2,
    Framework.HIPAA,
    Framework.ISO_27001,
)
# Published: ComplianceAsCode's rules for NIST and PCI, a published SOC 2 framework for SOC 2. Proposed: our judgement.
_C, _P = MappingBasis.PUBLISHED, MappingBasis.PROPOSED

MAPPINGS: dict[str, dict[Framework, dict[MappingBasis, tuple[str, ...]]]] = {
    "hardening": {
        _N: {_C: ("CM-6", "CM-6(1)"), _P: ("AC-6",)},
        _D: {_P: ("2.2.1",)},
        _S: {_P: ("CC6.1", "CC6.8")},
        _H: {_P: ("164.312(a)(1)", "164.308(a)(1)(ii)(B)")},
        _I: {_P: ("A.8.9", "A.8.2")},
    },
    "host-path": {
        _N: {_C: ("AC-6", "AC-6(1)")},
        _D: {_P: ("2.2.1",)},
        _S: {_P: ("CC6.1", "CC6.8")},
        _H: {_P: ("164.312(a)(1)", "164.312(c)(1)")},
        _I: {_P: ("A.8.9", "A.8.3")},
    },
    "host-port": {
        _N: {_C: ("CM-6", "CM-6(1)"), _P: ("CM-7",)},
        _D: {_P: ("1.2.5",)},
        _S: {_P: ("CC6.6",)},
        _H: {_P: ("164.312(e)(1)",)},
        _I: {_P: ("A.8.20",)},
    },
    "limits": {
        _N: {_C: ("SC-6",)},
        _S: {_P: ("A1.1",)},
        _H: {_P: ("164.308(a)(7)(i)",)},
        _I: {_P: ("A.8.6",)},
    },
    "images": {
        _N: {_C: ("CM-6",), _P: ("SI-7", "CM-14")},
        _D: {_P: ("6.3.2",)},
        _S: {_P: ("CC7.1", "CC8.1")},
        _H: {_P: ("164.308(a)(5)(ii)(B)",)},
        _I: {_P: ("A.8.19", "A.8.8")},
    },
    "secrets": {
        _N: {_C: ("CM-6", "CM-6(1)"), _P: ("IA-5(7)",)},
        _D: {_P: ("8.6.2",)},
        _S: {_C: ("CC6.1", "CC6.6", "CC6.7")},
        _H: {_P: ("164.312(a)(2)(iv)", "164.312(d)")},
        _I: {_P: ("A.5.17", "A.8.24")},
    },
    "network": {
        _N: {
            _C: (
                "AC-4",
                "AC-4(21)",
                "CA-3(5)",
                "CM-7",
                "SC-7",
                "SC-7(3)",
                "SC-7(5)",
                "SC-7(8)",
                "SC-7(10)",
                "SC-7(12)",
                "SC-7(13)",
                "SI-4(22)",
            )
        },
        _D: {_C: ("1.2.6", "1.3.1", "1.4.1")},
        _S: {_C: ("CC6.1", "CC6.6", "CC7.2")},
        _H: {_P: ("164.312(e)(1)",)},
        _I: {_P: ("A.8.20", "A.8.22")},
    },
    "administrators": {
        _N: {_C: ("CM-6", "CM-6(1)", "CM-8(3)"), _P: ("AC-6(5)",)},
        _D: {_C: ("7.2.1", "10.3.1")},
        _S: {_C: ("CC6.1", "CC6.2", "CC6.7", "CC6.8")},
        _H: {_P: ("164.308(a)(3)", "164.308(a)(4)")},
        _I: {_P: ("A.5.15", "A.5.18", "A.8.2")},
    },
    "access": {
        _N: {_C: ("CM-6", "CM-6(1)"), _P: ("AC-3",)},
        _D: {_P: ("7.2.1",)},
        _S: {_C: ("CC6.1", "CC6.6", "CC6.7")},
        _H: {_P: ("164.308(a)(4)",)},
        _I: {_P: ("A.8.3",)},
    },
    "accounts": {
        _N: {_C: ("CM-6", "CM-6(1)")},
        _D: {_P: ("8.6.1",)},
        _S: {_P: ("CC6.1",)},
        _H: {_P: ("164.312(a)(2)(i)",)},
        _I: {_P: ("A.5.16", "A.8.2")},
    },
    "ingress": {
        _N: {_C: ("AC-4", "AC-17(3)", "SC-8", "SC-8(1)")},
        _D: {_C: ("4.2.1",)},
        _S: {_C: ("CC6.1", "CC6.6", "CC6.7")},
        _H: {_P: ("164.312(e)(1)", "164.312(e)(2)(ii)")},
        _I: {_P: ("A.8.24",)},
    },
    "operations": {
        _N: {_P: ("AU-6", "IR-4")},
        _D: {_P: ("10.4.1",)},
        _S: {_P: ("CC7.2", "CC7.4")},
        _H: {_P: ("164.312(b)", "164.308(a)(6)(ii)")},
        _I: {_P: ("A.5.24", "A.8.16")},
    },
}
"""By group: the controls, and who says that they belong to it."""
