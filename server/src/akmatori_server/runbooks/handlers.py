"""Answers the operations of the tag `runbooks`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import sqlalchemy as sa

from akmatori_sdk._core.model import Unset
from akmatori_sdk._generated.akmatori import codec, models
from akmatori_server.audit import Action, AuditTrail
from akmatori_server.errors import BadRequest
from akmatori_server.etag import etag_of, require_match
from akmatori_server.http.call import Answer, Call
from akmatori_server.http.once import KeyedCreate
from akmatori_server.pagination import requested_page
from akmatori_server.runbooks.declared import faults_of
from akmatori_server.runbooks.front_matter import probes_with_faults
from akmatori_server.runbooks.models import Runbook, RunbookText
from akmatori_server.runbooks.service import RunbookService, written_text

CREATE = KeyedCreate("createRunbook", codec.encode_runbook, codec.decode_runbook)


class RunbookHandlers:
    """Runbooks over HTTP.

    Args:
        runbooks: The runbooks.
        trail: Where writes are noted.
        written: Hears the id of a runbook after each write of it, once that is committed.
    """

    def __init__(
        self,
        runbooks: RunbookService,
        trail: AuditTrail,
        *,
        written: Callable[[int], None] = lambda _id: None,
    ) -> None:
        self._runbooks = runbooks
        self._trail = trail
        self._written = written

    def list_runbooks(
        self, _call: Call, /, *, page: int | Unset, per_page: int | Unset
    ) -> models.RunbookList:
        """List runbooks by title."""
        return self._runbooks.listing.answer(requested_page(page, per_page), _model, models.RunbookPage)

    def create_runbook(
        self, call: Call, /, *, idempotency_key: str | Unset, body: models.RunbookInput
    ) -> Answer[models.Runbook]:
        """Store a new runbook."""
        text = self._checked_text(body)
        with self._runbooks.database.write() as connection:
            created = CREATE.answer(
                connection,
                call,
                key=idempotency_key,
                request=codec.encode_runbook_input(body),
                create=lambda: self._created(connection, call, text),
                now=self._runbooks.now(),
            )
        self._written(created.id)
        return _answer(created)

    def get_runbook(
        self,
        _call: Call,
        /,
        *,
        id: int,  # noqa: A002  the path's own word
    ) -> Answer[models.Runbook]:
        """Read one runbook."""
        return _answer(_model(self._runbooks.get(id)))

    def update_runbook(
        self,
        call: Call,
        /,
        *,
        id: int,  # noqa: A002  the path's own word
        if_match: str | Unset,
        body: models.RunbookInput,
    ) -> Answer[models.Runbook]:
        """Replace a runbook's title and content."""
        text = self._checked_text(body)

        def check(stored: Runbook) -> None:
            require_match(if_match, _etag(_model(stored)))

        replaced = self._runbooks.replace(id, text, check=check, record=partial(self._record, call))
        self._written(id)
        return _answer(_model(replaced))

    def delete_runbook(self, call: Call, /, *, id: int) -> None:  # noqa: A002  the path's own word
        """Delete a runbook."""
        self._runbooks.delete(id, record=partial(self._record, call))
        self._written(id)

    def _checked_text(self, body: models.RunbookInput) -> RunbookText:
        """Check what a caller writes; what was written on disk is kept whatever it declares."""
        text = written_text(body.title, body.content)
        probes, complaints = probes_with_faults(text.content)
        faults = [*complaints, *(faults_of(probes, self._runbooks.functions()) if probes else ())]
        if faults:
            raise BadRequest(f"content: {faults[0]}")
        return text

    def _created(self, connection: sa.Connection, call: Call, text: RunbookText) -> models.Runbook:
        shown = _model(self._runbooks.create_in(connection, text))
        after = codec.encode_runbook(shown)
        self._trail.record(connection, call, Action.RUNBOOK_CREATED, f"runbook:{shown.id}", None, after)
        return shown

    def _record(self, call: Call, connection: sa.Connection, before: Runbook, after: Runbook | None) -> None:
        self._trail.record(
            connection,
            call,
            Action.RUNBOOK_DELETED if after is None else Action.RUNBOOK_UPDATED,
            f"runbook:{before.id}",
            codec.encode_runbook(_model(before)),
            None if after is None else codec.encode_runbook(_model(after)),
        )


def _answer(runbook: models.Runbook) -> Answer[models.Runbook]:
    return Answer(runbook, headers={"ETag": _etag(runbook)})


def _etag(runbook: models.Runbook) -> str:
    return etag_of(runbook.id, runbook.title, runbook.content)


def _model(runbook: Runbook) -> models.Runbook:
    return models.Runbook(
        id=runbook.id,
        title=runbook.title,
        content=runbook.content,
        created_at=runbook.created_at,
        updated_at=runbook.updated_at,
    )
