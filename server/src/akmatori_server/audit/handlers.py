"""Answers the operations of the tag `audit`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from akmatori_sdk._core.model import UNSET, Unset
from akmatori_sdk._generated.akmatori import models
from akmatori_server.audit.models import Entry, Filter
from akmatori_server.audit.trail import AuditTrail
from akmatori_server.http.call import Call
from akmatori_server.http.optional import given
from akmatori_server.pagination import PageRequest, pagination_of, requested_page

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class AuditHandlers:
    """The audit trail over HTTP."""

    def __init__(self, trail: AuditTrail) -> None:
        self._trail = trail

    def list_audit_entries(
        self,
        _call: Call,
        /,
        *,
        page: int | Unset,
        per_page: int | Unset,
        cursor: str | Unset,
        actor: str | Unset,
        action: str | Unset,
        target: str | Unset,
        since: int | Unset,
        until: int | Unset,
    ) -> models.AuditEntryPage:
        """List what was written, the newest first."""
        request = requested_page(page, per_page) or PageRequest()
        found = self._trail.page(
            request,
            cursor=given(cursor),
            wanted=Filter(
                actor=given(actor),
                action=given(action),
                target=given(target),
                since=None if since is UNSET else _moment(since),
                # The whole second counts: what was recorded in it has microseconds.
                until=None if until is UNSET else _moment(until) + timedelta(microseconds=999_999),
            ),
        )
        return models.AuditEntryPage(
            data=[entry_model(entry) for entry in found.items],
            pagination=pagination_of(request, found.total, next_cursor=found.next_cursor),
        )


def entry_model(entry: Entry) -> models.AuditEntry:
    """Return the entry as the API shows it."""
    return models.AuditEntry(
        id=entry.id,
        created_at=entry.created_at,
        actor_kind=models.AuditActorKind(entry.actor_kind),
        actor=entry.actor,
        action=entry.action,
        target=entry.target,
        remote=entry.remote,
        request_id=entry.request_id,
        before=None if entry.before is None else dict(entry.before),
        after=None if entry.after is None else dict(entry.after),
    )


def _moment(unix_seconds: int) -> datetime:
    return EPOCH + timedelta(seconds=unix_seconds)
