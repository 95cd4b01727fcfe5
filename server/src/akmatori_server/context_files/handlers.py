"""Answers the operations of the tag `context`."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool

from akmatori_sdk._core.model import UNSET, Unset
from akmatori_sdk._generated.akmatori import models
from akmatori_server._generated.akmatori.stubs import UploadContextFileForm
from akmatori_server.context_files.models import NewContextFile, OpenedFile
from akmatori_server.context_files.names import original_name
from akmatori_server.context_files.service import ContextFileService
from akmatori_server.context_files.views import file_model
from akmatori_server.etag import etag_of
from akmatori_server.http.call import Answer, Call, FileAnswer
from akmatori_server.pagination import requested_page

REFERENCED_BY = "Akmatori-Referenced-By"
MOST_NAMED = 50


class ContextHandlers:
    """Context files over HTTP."""

    def __init__(self, files: ContextFileService) -> None:
        self._files = files

    def list_context_files(
        self, _call: Call, /, *, page: int | Unset, per_page: int | Unset
    ) -> models.ContextFileList:
        """List the context files by file name."""
        return self._files.listing.answer(requested_page(page, per_page), file_model, models.ContextFilePage)

    async def upload_context_file(self, call: Call, /, *, body: UploadContextFileForm) -> models.ContextFile:
        """Upload a context file."""
        sent_as = original_name(body.file.filename)
        new = NewContextFile(
            filename=sent_as if body.filename is UNSET else body.filename,
            original_name=sent_as,
            mime_type=body.file.content_type,
            description="" if body.description is UNSET else body.description,
            size=body.file.size,
            content=body.file.content,
        )
        return file_model(await run_in_threadpool(self._files.upload, call, new))

    def validate_context_references(
        self, _call: Call, /, *, body: models.ValidateContextRequest
    ) -> models.ContextValidation:
        """Check which context files a text refers to."""
        text = "" if body.text is UNSET or body.text is None else body.text
        validation = self._files.validate(text)
        return models.ContextValidation(
            valid=not validation.missing,
            references=validation.references,
            found=validation.found,
            missing=validation.missing,
        )

    def get_context_file(
        self,
        _call: Call,
        /,
        *,
        id: int,  # noqa: A002  the path's own word
    ) -> models.ContextFile:
        """Read one context file's entry."""
        file = self._files.get(id)
        return file_model(file, self._files.referring_to(file.filename))

    def delete_context_file(self, call: Call, /, *, id: int) -> Answer[None]:  # noqa: A002  the path's own word
        """Delete a context file."""
        names = self._files.delete(call, id)[:MOST_NAMED]
        return Answer(None, headers={REFERENCED_BY: ", ".join(names)} if names else {})

    async def download_context_file(
        self,
        _call: Call,
        /,
        *,
        id: int,  # noqa: A002  the path's own word
        range: str | Unset,  # noqa: A002  the header's own word
        if_none_match: str | Unset,
    ) -> FileAnswer:
        """Download a context file's bytes."""
        # The HTTP layer reads both headers itself, with those that go with them.
        del range, if_none_match
        return _download(await run_in_threadpool(self._files.open, id))


def _download(opened: OpenedFile) -> FileAnswer:
    return FileAnswer(
        content=opened.content,
        size=opened.size,
        media_type=opened.file.mime_type,
        filename=opened.file.filename,
        # Also right for bytes that were edited on disk after the upload.
        etag=etag_of(opened.file.sha256, opened.size, opened.modified_ns),
        modified_at=opened.modified_at,
    )
