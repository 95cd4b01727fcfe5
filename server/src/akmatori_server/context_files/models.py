"""Context files as values."""

from __future__ import annotations

from datetime import datetime
from typing import BinaryIO

import attrs


@attrs.frozen(kw_only=True)
class ContextFile:
    """The row of a context file."""

    id: int
    filename: str
    original_name: str
    mime_type: str
    size: int
    sha256: str
    description: str
    created_at: datetime
    updated_at: datetime


@attrs.frozen(kw_only=True)
class NewContextFile:
    """What a caller uploads. `content` is read from where it stands."""

    filename: str
    original_name: str
    mime_type: str
    description: str
    size: int
    content: BinaryIO = attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class OpenedFile:
    """A context file that is open for reading, as it is on disk now."""

    file: ContextFile
    content: BinaryIO = attrs.field(repr=False)
    size: int
    modified_at: datetime
    modified_ns: int


@attrs.frozen(kw_only=True)
class Validation:
    """Which files a text refers to."""

    references: list[str]
    found: list[str]
    missing: list[str]
