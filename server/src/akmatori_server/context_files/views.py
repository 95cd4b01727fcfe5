"""Context files as the API shows them."""

from __future__ import annotations

from akmatori_sdk._core.model import UNSET, Unset
from akmatori_sdk._generated.akmatori import models
from akmatori_server.context_files.models import ContextFile


def file_model(file: ContextFile, referenced_by: list[str] | Unset = UNSET) -> models.ContextFile:
    """Return the file as the API shows it."""
    return models.ContextFile(
        id=file.id,
        filename=file.filename,
        original_name=file.original_name,
        mime_type=file.mime_type,
        size=file.size,
        description=file.description,
        created_at=file.created_at,
        updated_at=file.updated_at,
        referenced_by=referenced_by,
    )
