"""Answers the operations of the tag `runbooks`."""

from __future__ import annotations

from akmatori_sdk._core.model import Unset
from akmatori_sdk._generated.akmatori import codec, models
from akmatori_server.etag import etag_of, require_match
from akmatori_server.http.call import Answer, Call
from akmatori_server.http.once import KeyedCreate
from akmatori_server.pagination import pagination_of, requested_page
from akmatori_server.runbooks.models import Runbook
from akmatori_server.runbooks.service import RunbookService, written_text

CREATE = KeyedCreate("createRunbook", codec.encode_runbook, codec.decode_runbook)


class RunbookHandlers:
    """Runbooks over HTTP."""

    def __init__(self, runbooks: RunbookService) -> None:
        self._runbooks = runbooks

    def list_runbooks(
        self, _call: Call, /, *, page: int | Unset, per_page: int | Unset
    ) -> models.RunbookList:
        """List runbooks by title."""
        request = requested_page(page, per_page)
        if request is None:
            return [_model(runbook) for runbook in self._runbooks.all()]
        items, total = self._runbooks.page(offset=request.offset, limit=request.size)
        return models.RunbookPage(
            data=[_model(runbook) for runbook in items], pagination=pagination_of(request, total)
        )

    def create_runbook(
        self, call: Call, /, *, idempotency_key: str | Unset, body: models.RunbookInput
    ) -> Answer[models.Runbook]:
        """Store a new runbook."""
        text = written_text(body.title, body.content)
        with self._runbooks.database.write() as connection:
            created = CREATE.answer(
                connection,
                call,
                key=idempotency_key,
                request=codec.encode_runbook_input(body),
                create=lambda: _model(self._runbooks.create_in(connection, text)),
                now=self._runbooks.now(),
            )
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
        _call: Call,
        /,
        *,
        id: int,  # noqa: A002  the path's own word
        if_match: str | Unset,
        body: models.RunbookInput,
    ) -> Answer[models.Runbook]:
        """Replace a runbook's title and content."""
        text = written_text(body.title, body.content)

        def check(stored: Runbook) -> None:
            require_match(if_match, _etag(_model(stored)))

        return _answer(_model(self._runbooks.replace(id, text, check=check)))

    def delete_runbook(self, _call: Call, /, *, id: int) -> None:  # noqa: A002  the path's own word
        """Delete a runbook."""
        self._runbooks.delete(id)


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
