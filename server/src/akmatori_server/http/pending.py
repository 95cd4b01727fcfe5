"""The one list of operations that are in the contract but not in this version; each answers 501.

At start every operation must have a handler or stand here, and never both: delete the line with the commit
that brings the handler.
"""

from __future__ import annotations

from collections.abc import Mapping

PENDING: Mapping[str, frozenset[str]] = {
    "akmatori": frozenset({}),
    "aotanami": frozenset({}),
}
