"""The environment variables that there are, so that one that is misspelt does not go unnoticed."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping

import attrs

PREFIX = "AKMATORI_"
# Whoever fills the environment with them is not told of each.
MOST_TOLD = 20
LONGEST_SHOWN = 100
# Without the prefix; each of them that the server reads.
_NAMES = """
    ADMIN_PASSWORD ADMIN_USERNAME ALLOWED_NETWORKS BASE_URL BUDGET_MINUTES BUDGET_REQUESTS BUDGET_TOKENS
    BUDGET_TOOL_CALLS CHECK_RESPONSES CLUSTERS CONCURRENCY CONCURRENCY_PER_SOURCE CORS_ORIGINS COST_BUDGET
    DATABASE_URL DATA_DIR DRIFT_IGNORE DRIFT_SOURCE DRIFT_TARGET EVENT_STREAMS FIRST_LOOK HTTP_HOST HTTP_PORT
    IN_CLUSTER JWT_EXPIRY_HOURS JWT_SECRET K8S_AUDIENCE K8S_AUTH K8S_AUTH_CLUSTER K8S_ISSUER K8S_JWKS K8S_SUBJECTS
    LOG_LEVEL MANIFESTS NOTIFICATIONS_FILE OPEN_CATALOGUE PRICES PROMETHEUS_URL PROPOSAL_HOURS READABLE_NAMESPACES
    RESIZE_STRATEGY RULES_FILE SCAN_EXCEPTIONS SCAN_KUBERNETES_VERSION SCAN_REGISTRIES SCAN_SCHEDULE SCAN_SKIP
    SECRET_KEY SECRET_KEY_FILE SLACK_API_URL TOKEN_ALERT_PERCENT TOKEN_BUDGET WORK WORKER_TTL XDG_DATA_HOME
"""
KNOWN = frozenset(_NAMES.split())
# Those of the SDK may be set for scripts on the same machine.
_OF_THE_SDK = frozenset({"HOST", "API_KEY", "TOKEN", "USERNAME", "PASSWORD"})
# Kubernetes tells a pod of each Service like this, and a Service may be called akmatori.
_OF_A_SERVICE = re.compile(
    r"(?:.*_)?(?:SERVICE_HOST|SERVICE_PORT(?:_.*)?|PORT_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)"
)
_ADDRESS_OF_A_SERVICE = ("tcp://", "udp://", "sctp://")


@attrs.frozen
class UnknownVariable:
    """A variable that nobody reads, and the one that was perhaps meant; both with their prefix."""

    name: str
    meant: str


def unknown_variables(environment: Mapping[str, str]) -> Iterator[UnknownVariable]:
    """Return variables with our prefix that mean nothing; never their values."""
    told = 0
    for name, value in sorted(environment.items()):
        bare = name.removeprefix(PREFIX)
        if bare == name or bare in KNOWN or bare in _OF_THE_SDK or _is_of_a_service(bare, value):
            continue
        told += 1
        if told > MOST_TOLD:
            return
        near = difflib.get_close_matches(bare[:LONGEST_SHOWN].upper(), sorted(KNOWN), n=1, cutoff=0)
        yield UnknownVariable(name[:LONGEST_SHOWN], PREFIX + near[0])


def _is_of_a_service(bare: str, value: str) -> bool:
    is_address = bare.endswith("PORT") and value.startswith(_ADDRESS_OF_A_SERVICE)
    return is_address or _OF_A_SERVICE.fullmatch(bare) is not None
