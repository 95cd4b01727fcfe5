"""Exceptions: findings that somebody accepted, with a reason and, if they wish, an end."""

from __future__ import annotations

import datetime as dt
import fnmatch
import itertools
import re
import string
from collections.abc import Collection, Mapping
from pathlib import Path

import attrs

from akmatori_server.kubernetes.checks.catalogue import CHECK_IDS, KINDS_CHECKS, PACKS
from akmatori_server.kubernetes.manifests import Node
from akmatori_server.kubernetes.manifests.documents import DocumentCutter
from akmatori_server.kubernetes.manifests.yaml_nodes import ManifestError, read_bodies
from akmatori_server.kubernetes.workloads import Reference
from akmatori_server.kubernetes.workloads.reading import WORKLOAD_KINDS

ANNOTATION = "ignore.aotanami.com/"
LARGEST_FILE = 1024 * 1024

_UNTIL = re.compile(r"until=(\S+)\s*(.*)", re.DOTALL)
_PATTERNS = ("checks", "namespaces", "kinds", "names", "containers")
_MEMBERS = frozenset({*_PATTERNS, "reason", "approvedBy", "expiresAt"})
# Whether patterns fit every name cannot be read from them (`*`, `?*`, `[a-z]*`, ...), so they are tried on these.
_ANY_NAME = tuple(
    map("".join, itertools.product(string.ascii_lowercase + string.digits, ("", "0", "z-9", ".a.b")))
)
_EVERYTHING: Mapping[str, Collection[str]] = {
    "checks": CHECK_IDS,
    "namespaces": _ANY_NAME,
    "kinds": WORKLOAD_KINDS.union(*(check.kinds for check in KINDS_CHECKS)),
    "names": _ANY_NAME,
    "containers": _ANY_NAME,
}


class ExceptionsError(Exception):
    """A file of exceptions that cannot be used; the text names the file and the line."""


@attrs.frozen
class Accepted:
    """Why a finding does not count, and the last day on which it does not."""

    reason: str
    until: dt.date | None = None

    def holds(self, today: dt.date) -> bool:
        """Whether it still counts."""
        return self.until is None or today <= self.until


@attrs.frozen
class ScopedException:
    """An exception of the file: the checks and the objects it is for, as patterns; none given is any."""

    accepted: Accepted
    checks: tuple[str, ...]
    namespaces: tuple[str, ...]
    kinds: tuple[str, ...]
    names: tuple[str, ...]
    containers: tuple[str, ...]
    file: str
    line: int

    def covers(self, check: str, reference: Reference, container: str) -> bool:
        """Whether it is for the finding."""
        return (
            _fits(self.checks, check)
            and _fits(self.namespaces, reference.namespace)
            and _fits(self.kinds, reference.kind)
            and _fits(self.names, reference.name)
            and _fits(self.containers, container)
        )


def _fits(patterns: tuple[str, ...], value: str) -> bool:
    return not patterns or any(fnmatch.fnmatchcase(value, pattern) for pattern in patterns)


def annotated(annotations: Mapping[str, str]) -> tuple[dict[str, Accepted], list[str]]:
    """Return what the annotations of an object accept, by check, and sentences on those that say nothing."""
    accepted: dict[str, Accepted] = {}
    complaints: list[str] = []
    for name, text in annotations.items():
        check = name.removeprefix(ANNOTATION)
        if check == name:
            continue
        if check not in CHECK_IDS:
            complaints.append(f"The annotation {name[:150]} names no check, and excepts nothing.")
            continue
        matched = _UNTIL.fullmatch(text.strip())
        try:
            until = dt.date.fromisoformat(matched[1]) if matched else None
        except ValueError:
            complaints.append(
                f"The annotation {name} has no date after until=, such as 2027-01-31; it excepts nothing."
            )
            continue
        reason = (matched[2] if matched else text).strip()
        if reason:
            accepted[check] = Accepted(reason[:1000], until)
        else:
            complaints.append(f"The annotation {name} gives no reason, and excepts nothing.")
    return accepted, complaints


def read_exceptions(path: Path) -> tuple[ScopedException, ...]:
    """Read a file of exceptions.

    Raises:
        ExceptionsError: it cannot be read, or says something that has no meaning.
    """
    try:
        with path.open("rb") as file:
            if path.stat().st_size > LARGEST_FILE:
                raise ExceptionsError(f"{path}: the file may have {LARGEST_FILE} bytes at most.")
            cutter = DocumentCutter(file)
            bodies = list(read_bodies(cutter, lambda _line, _text: None)) if cutter.next() else []
    except OSError as error:
        raise ExceptionsError(f"{path}: the file cannot be read: {error.strerror or error}.") from None
    except ManifestError as error:
        raise ExceptionsError(f"{path}:{error.line}: {error}") from None
    if len(bodies) != 1 or bodies[0].node.get("exceptions").items is None:
        raise ExceptionsError(f"{path}: the file needs a list named exceptions.")
    return tuple(_exception(path, node) for node in bodies[0].node.get("exceptions").each())


def _exception(path: Path, node: Node) -> ScopedException:
    for name, member in node.named():
        if name not in _MEMBERS:
            raise ExceptionsError(
                f"{path}:{member.line}: exceptions have no {name}; they have {', '.join(sorted(_MEMBERS))}."
            )
    reason = node.get("reason").text().strip()
    if not reason:
        raise ExceptionsError(f"{path}:{node.line}: every exception needs a reason.")
    if approver := node.get("approvedBy").text():
        reason += f" (approved by {approver})"
    expires = node.get("expiresAt")
    try:
        until = dt.date.fromisoformat(expires.text()[:10]) if expires.exists else None
    except ValueError:
        raise ExceptionsError(f"{path}:{expires.line}: expiresAt is a date, such as 2027-01-31.") from None
    patterns = {name: _patterns(path, node.get(name)) for name in _PATTERNS}
    if all(_fits_everything(name, given) for name, given in patterns.items()):
        raise ExceptionsError(f"{path}:{node.line}: this would except everything; name checks or objects.")
    for check in patterns["checks"]:
        if check not in PACKS and not any(fnmatch.fnmatchcase(known, check) for known in CHECK_IDS):
            raise ExceptionsError(f"{path}:{node.get('checks').line}: there is no check {check}.")
    # The name of a pack stands for its checks.
    patterns["checks"] = tuple(
        check for name in patterns["checks"] for check in (sorted(PACKS[name]) if name in PACKS else (name,))
    )
    accepted = Accepted(reason[:1000], until)
    return ScopedException(accepted, file=path.as_posix(), line=node.line, **patterns)


def _fits_everything(name: str, patterns: tuple[str, ...]) -> bool:
    return all(_fits(patterns, value) for value in _EVERYTHING[name])


def _patterns(path: Path, node: Node) -> tuple[str, ...]:
    if node.exists and node.items is None:
        raise ExceptionsError(f"{path}:{node.line}: this must be a list.")
    return tuple(item.text() for item in node.each())
