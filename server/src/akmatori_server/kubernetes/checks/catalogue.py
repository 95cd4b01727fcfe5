"""All checks."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from akmatori_sdk._generated.aotanami.models import Category
from akmatori_server.kubernetes.checks import (
    api_versions,
    container_security,
    dangling,
    escalation,
    exposure,
    images,
    network,
    pod_security,
    rbac,
    reliability,
    resources,
    secrets,
    written_secrets,
)
from akmatori_server.kubernetes.checks.model import (
    Check,
    EndCheck,
    KindsCheck,
    NamesCheck,
    ObjectCheck,
    WorkloadCheck,
)

CHECKS: tuple[Check, ...] = (
    *container_security.CHECKS,
    *resources.CHECKS,
    *images.CHECKS,
    *pod_security.CHECKS,
    *escalation.CHECKS,
    *secrets.CHECKS,
    *written_secrets.CHECKS,
    *network.CHECKS,
    *exposure.CHECKS,
    *rbac.CHECKS,
    *reliability.CHECKS,
    *dangling.CHECKS,
    *api_versions.CHECKS,
)
WORKLOAD_CHECKS = tuple(check for check in CHECKS if isinstance(check, WorkloadCheck))
OBJECT_CHECKS = tuple(check for check in CHECKS if isinstance(check, ObjectCheck))
NAMES_CHECKS = tuple(check for check in CHECKS if isinstance(check, NamesCheck))
END_CHECKS = tuple(check for check in CHECKS if isinstance(check, EndCheck))
KINDS_CHECKS = tuple(check for check in CHECKS if isinstance(check, KindsCheck))
CHECK_IDS = frozenset(check.id for check in CHECKS)
PACKS = {
    "reliability": frozenset(
        check.id for check in (*reliability.CHECKS, *dangling.CHECKS, *api_versions.CHECKS)
    )
}
"""Names that stand for several checks."""
_SCANNERS = frozenset(category.value for category in Category)


class UnknownCheckError(Exception):
    """A name that is neither a check nor a pack; the text says so."""


def named_checks(names: Iterable[str]) -> frozenset[str]:
    """Return the checks of some names, each of a check or a pack.

    Raises:
        UnknownCheckError: one of them names nothing.
    """
    found: set[str] = set()
    for name in names:
        if name in _SCANNERS:
            raise UnknownCheckError(
                f"{name} is a scanner, and no check: name its checks, or choose scanners with --scanner of a scan."
            )
        if name not in CHECK_IDS and name not in PACKS:
            near = difflib.get_close_matches(name, [*CHECK_IDS, *PACKS], n=1)
            hint = f" Do you mean {near[0]}?" if near else ""
            raise UnknownCheckError(f"There is no check {name[:100]}.{hint}")
        found |= PACKS.get(name, {name})
    return frozenset(found)
