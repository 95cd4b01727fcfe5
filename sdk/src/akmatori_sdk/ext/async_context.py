"""Async context files: uploads from paths, bytes or open files with their progress, downloads to a path."""

from __future__ import annotations

import os
from pathlib import Path
from typing import overload

from akmatori_sdk._core.model import UNSET, Unset
from akmatori_sdk._core.options import CallOptions
from akmatori_sdk._generated.akmatori.models import ContextFile
from akmatori_sdk._generated.akmatori.resources import aio
from akmatori_sdk.ext.progress import FileSource, OnProgress, uploading, write_whole


class AsyncContext(aio.AsyncContext):
    """Context files the agent may read."""

    async def upload(  # pyright: ignore[reportIncompatibleMethodOverride]  # takes all the base does, and by position
        self,
        file: FileSource,
        *,
        filename: str | Unset = UNSET,
        description: str | Unset = UNSET,
        on_progress: OnProgress | None = None,
        options: CallOptions | None = None,
    ) -> ContextFile:
        """Upload a context file; its content is read in pieces while it is sent.

        Args:
            file: A path, bytes, an open binary file, or an `Upload`.
            filename: Unique name to store the file by; needed for bytes. By default the file's own name.
            description: What the file holds; empty when left out.
            on_progress: Called with the bytes sent so far and how many there are (None when that is not known);
                begins anew when the call is repeated.
            options: Timeout, retries and headers for this call only.

        Raises:
            ValueError: the content has no name, and no `filename` was given.
            BadRequestError: 400. The name or its ending is not allowed.
            ConflictError: 409. A context file of this name exists.
            StatusError: 413. The file is too large, or there is no room left for it.
        """
        with uploading(file, filename=filename, on_progress=on_progress) as upload:
            return await super().upload(
                file=upload, filename=filename, description=description, options=options
            )

    @overload
    async def download(
        self,
        id: int,
        *,
        range: str | Unset = UNSET,
        if_none_match: str | Unset = UNSET,
        to: None = None,
        options: CallOptions | None = None,
    ) -> bytes: ...

    @overload
    async def download(
        self,
        id: int,
        *,
        range: str | Unset = UNSET,
        if_none_match: str | Unset = UNSET,
        to: str | os.PathLike[str],
        options: CallOptions | None = None,
    ) -> Path: ...

    async def download(
        self,
        id: int,  # noqa: A002 - the path's own word
        *,
        range: str | Unset = UNSET,  # noqa: A002 - the header's own word
        if_none_match: str | Unset = UNSET,
        to: str | os.PathLike[str] | None = None,
        options: CallOptions | None = None,
    ) -> bytes | Path:
        """Download a context file's bytes, and write them to a file if `to` is given.

        Args:
            id: Identifier of the file.
            range: The part of the file that is wanted, such as `bytes=0-1023`.
            if_none_match: The `ETag` of an earlier download; when the file is still the same, the answer is 304.
            to: Where to write the bytes. The file appears, or is replaced, when all of it is there.
            options: Timeout, retries and headers for this call only.

        Returns:
            The bytes, or the path they were written to.

        Raises:
            NotFoundError: 404. No context file has this identifier.
            StatusError: 416. The file has no such bytes.
        """
        content = await super().download(id, range=range, if_none_match=if_none_match, options=options)
        return content if to is None else write_whole(to, content)
