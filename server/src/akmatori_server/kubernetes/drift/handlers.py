"""The operations on drift."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from akmatori_sdk._core.model import UNSET, Unset
from akmatori_sdk._generated.aotanami import models
from akmatori_server.http.call import Call
from akmatori_server.http.optional import or_left_out
from akmatori_server.kubernetes.drift.service import DriftService
from akmatori_server.kubernetes.drift.store import Wanted
from akmatori_server.kubernetes.paging import Page


class DriftHandlers:
    """Handlers of the tag `drift`."""

    def __init__(self, drift: DriftService) -> None:
        self._drift = drift

    def list_drift(
        self,
        _call: Call,
        /,
        *,
        page: int | Unset,
        page_size: int | Unset,
        namespace: list[str] | Unset,
        only_drifted: bool | Unset,
    ) -> models.NamespaceDriftPage:
        """List namespaces and how they differ from their desired state, the worst first."""
        wanted = frozenset[str]() if namespace is UNSET else frozenset(namespace)
        found = self._drift.namespaces(only_drifted=only_drifted is True, wanted=wanted)
        asked = Page.asked(page, page_size)
        return models.NamespaceDriftPage(
            data=found[asked.offset : asked.offset + asked.size], metadata=asked.metadata(len(found))
        )

    def get_namespace_drift(
        self,
        _call: Call,
        /,
        *,
        namespace: str,
        page: int | Unset,
        page_size: int | Unset,
        type: list[models.DriftType] | Unset,  # noqa: A002  the name of the parameter in the contract
        severity: list[models.Severity] | Unset,
        kind: list[str] | Unset,
    ) -> models.DriftEntryPage:
        """List how one namespace differs from its desired state, the worst first."""
        wanted = Wanted(
            types=frozenset() if type is UNSET else frozenset(type),
            severities=frozenset() if severity is UNSET else frozenset(severity),
            kinds=frozenset() if kind is UNSET else frozenset(kind),
        )
        asked = Page.asked(page, page_size)
        rows, total = self._drift.entries(namespace, wanted, offset=asked.offset, limit=asked.size)
        return models.DriftEntryPage(data=[_entry(row) for row in rows], metadata=asked.metadata(total))


def _entry(row: sa.Row[Any]) -> models.DriftEntry:
    # What is not known is left out, never null.
    return models.DriftEntry(
        id=row.fingerprint,
        type=models.DriftType(row.type),
        api_version=row.api_version or UNSET,
        resource_kind=row.kind,
        resource_name=row.name,
        namespace=row.namespace,
        field_path=row.field or UNSET,
        live_value=or_left_out(row.live_value),
        desired_value=or_left_out(row.desired_value),
        operation=UNSET if row.operation is None else models.DriftOperation(row.operation),
        severity=models.Severity(row.severity),
        message=row.message,
        detected_at=row.detected_at,
        manager=row.manager or UNSET,
        source_file=row.source_file or UNSET,
        source_line=row.source_line or UNSET,
        redacted=row.is_redacted,
    )
