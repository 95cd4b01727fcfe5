"""The operations of the tag `runbooks`, with the files brought up to date after every write."""

from __future__ import annotations

import structlog

from akmatori_sdk._core.model import Unset
from akmatori_sdk._generated.akmatori import models
from akmatori_server.files import UnsafePathError
from akmatori_server.http.call import Answer, Call
from akmatori_server.runbooks.handlers import RunbookHandlers
from akmatori_server.runbooks.mirror import RunbookMirror

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class MirroredRunbookHandlers:
    """Runbooks over HTTP, mirrored as files.

    A write is answered as done once it is committed: when the files cannot be written, the log says so, and
    the next look at them makes up for it.
    """

    def __init__(self, runbooks: RunbookHandlers, mirror: RunbookMirror) -> None:
        self._runbooks = runbooks
        self._mirror = mirror

    def list_runbooks(self, call: Call, /, *, page: int | Unset, per_page: int | Unset) -> models.RunbookList:
        """List runbooks by title."""
        return self._runbooks.list_runbooks(call, page=page, per_page=per_page)

    def get_runbook(
        self,
        call: Call,
        /,
        *,
        id: int,  # noqa: A002  the path's own word
    ) -> Answer[models.Runbook]:
        """Read one runbook."""
        return self._runbooks.get_runbook(call, id=id)

    def create_runbook(
        self, call: Call, /, *, idempotency_key: str | Unset, body: models.RunbookInput
    ) -> Answer[models.Runbook]:
        """Store a new runbook."""
        answer = self._runbooks.create_runbook(call, idempotency_key=idempotency_key, body=body)
        self._publish(answer.body.id)
        return answer

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
        answer = self._runbooks.update_runbook(call, id=id, if_match=if_match, body=body)
        self._publish(id)
        return answer

    def delete_runbook(self, call: Call, /, *, id: int) -> None:  # noqa: A002  the path's own word
        """Delete a runbook."""
        self._runbooks.delete_runbook(call, id=id)
        self._publish(id)

    def _publish(self, runbook_id: int) -> None:
        try:
            self._mirror.publish(runbook_id)
        except (OSError, UnsafePathError) as error:
            _log.error("runbook_mirror_failed", runbook=runbook_id, reason=str(error))
