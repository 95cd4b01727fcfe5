"""Pages of Aotanami's lists: the part that was asked for, and what the answer says about it."""

from __future__ import annotations

import attrs

from akmatori_sdk._core.model import UNSET, Unset
from akmatori_sdk._generated.aotanami.models import Metadata

USUAL_SIZE = 20


@attrs.frozen
class Page:
    """One page of a list."""

    number: int
    size: int

    @classmethod
    def asked(cls, page: int | Unset, page_size: int | Unset) -> Page:
        """Return what a request asks for."""
        return cls(1 if page is UNSET else page, USUAL_SIZE if page_size is UNSET else page_size)

    @property
    def offset(self) -> int:
        """Items before this page."""
        return (self.number - 1) * self.size

    def metadata(self, total: int) -> Metadata:
        """Return what an answer says about itself; `total` counts the items of all pages."""
        return Metadata(page=self.number, page_size=self.size, total=total)


def single() -> Metadata:
    """Return what an answer with one object says about itself."""
    return Metadata(page=1, page_size=1, total=1)
