"""The rules that hold now, where they come from, and what is wrong with their source."""

from __future__ import annotations

import enum
from datetime import datetime
from pathlib import Path

import attrs

from akmatori_server.correlation.document import EMPTY, RulesDocument
from akmatori_server.correlation.rules import RuleBook
from akmatori_server.etag import etag_of


class Origin(enum.StrEnum):
    """Where the rules come from."""

    FILE = "file"
    API = "api"
    DEFAULT = "default"


@attrs.frozen(kw_only=True)
class RulesState:
    """What holds now. With an `error` it is what held before the source was broken."""

    origin: Origin
    document: RulesDocument
    # Tells this content of the source from every other.
    version: str
    path: Path | None = None
    error: str | None = None
    updated_at: datetime | None = None
    book: RuleBook = attrs.field(
        init=False,
        eq=False,
        repr=False,
        default=attrs.Factory(lambda self: self.document.book, takes_self=True),
    )

    @property
    def etag(self) -> str:
        """The entity tag."""
        return stored_etag(self.version) if self.path is None else etag_of("rules_file", self.version)


def stored_etag(version: str) -> str:
    """Return the entity tag of rules that the API stored."""
    return etag_of("correlation_rules", version)


NOTHING_STORED = RulesState(origin=Origin.DEFAULT, document=EMPTY, version="0")
