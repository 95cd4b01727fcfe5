"""From the hits of checks to findings."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

import attrs

from akmatori_sdk import UNSET, Unset
from akmatori_sdk._generated.aotanami.models import (
    ControlRef,
    Finding,
    Framework,
    ManifestPosition,
    ResourceRef,
)
from akmatori_server.kubernetes.checks.controls import cis_control
from akmatori_server.kubernetes.checks.model import Check, Hit
from akmatori_server.kubernetes.manifests import Source
from akmatori_server.kubernetes.manifests.nodes import Path
from akmatori_server.kubernetes.scans.exceptions import Accepted, ScopedException
from akmatori_server.kubernetes.scans.fingerprint import fingerprint
from akmatori_server.kubernetes.workloads import Reference


@attrs.frozen
class Place:
    """The object that hits are in."""

    reference: Reference
    top: Reference
    """What controls it in the end; itself, where nothing does."""
    source: Source
    spec_at: str
    accepted: Mapping[str, Accepted]
    variant: str = ""
    """Tells it from an object of the same names in another file."""
    occurrences: int = 1


@attrs.frozen
class FoundHit:
    """A hit with its check and its line."""

    check: Check
    hit: Hit
    line: int


@attrs.define
class FindingMaker:
    """Makes the findings of one scan."""

    cluster: str
    cis_version: str
    today: dt.date
    exceptions: Iterable[ScopedException]
    fitted: set[ScopedException] = attrs.field(factory=set[ScopedException])
    """The exceptions that were for a finding, whether it needed them or not."""
    _controls: dict[str, list[ControlRef]] = attrs.field(factory=dict[str, list[ControlRef]])

    def make(self, place: Place, hits: Iterable[FoundHit]) -> Iterator[Finding]:
        """Return the findings of one object."""
        same: Counter[tuple[str, str, str]] = Counter()
        for found in hits:
            hit, check = found.hit, found.check
            key = (check.id, hit.container, hit.discriminator)
            same[key] += 1
            # Only what is written twice, such as two containers without a name, is told apart by its order.
            again = f"#{same[key]}" if same[key] > 1 else ""
            reason = self._reason(place, check, hit)
            yield Finding(
                id=fingerprint(
                    self.cluster,
                    check.id,
                    place.top,
                    hit.container,
                    hit.discriminator + place.variant + again,
                ),
                severity=hit.severity or check.severity,
                category=check.category,
                title=check.title,
                description=check.description,
                resource=resource_of(place.reference),
                recommendation=hit.remediation or check.remediation,
                check_id=check.id,
                scanner=check.category,
                container=hit.container[:253] or UNSET,
                field_path=_field_path(place.spec_at, hit.path)[:1000] or UNSET,
                evidence=hit.evidence[:4000] or UNSET,
                workload=resource_of(place.top) if place.spec_at else UNSET,
                controls=self._controls_of(check),
                cluster=self.cluster or UNSET,
                source=_position(place.source, found.line),
                occurrences=place.occurrences,
                suppressed=reason is not None,
                suppression_reason=UNSET if reason is None else reason,
            )

    def _reason(self, place: Place, check: Check, hit: Hit) -> str | None:
        covering = [one for one in self.exceptions if one.covers(check.id, place.top, hit.container)]
        self.fitted.update(covering)
        own = place.accepted.get(check.id)
        accepted = [] if own is None else [own]
        accepted += [exception.accepted for exception in covering]
        return next((one.reason for one in accepted if one.holds(self.today)), None)

    def _controls_of(self, check: Check) -> list[ControlRef]:
        known = self._controls.get(check.id)
        if known is None:
            known = list(control_refs(check, self.cis_version))
            self._controls[check.id] = known
        return known


def control_refs(check: Check, cis_version: str) -> Iterator[ControlRef]:
    """Return the controls of a check, with the numbers of one version of the CIS benchmark."""
    for framework, ids in check.controls.items():
        for control in ids:
            number = cis_control(control, cis_version) if framework is Framework.CIS else control
            if number:
                yield ControlRef(framework=framework, control_id=number)


def _position(source: Source, line: int) -> ManifestPosition | Unset:
    # What was read from a live cluster is written nowhere.
    return ManifestPosition(file=source.file, line=max(line, 1)) if source.file else UNSET


def resource_of(reference: Reference) -> ResourceRef:
    """Return the names of an object in the form of the API."""
    return ResourceRef(
        kind=reference.kind,
        name=reference.name,
        namespace=reference.namespace or UNSET,
        api_version=reference.api_version or UNSET,
    )


def _field_path(start: str, path: Path) -> str:
    text = start
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            text += f".{step}" if text else step
    return text
