"""What may be left out of a request or an answer; inside the server it is None."""

from __future__ import annotations

from typing import TypeVar

from akmatori_sdk._core.model import UNSET, Unset

T = TypeVar("T")


def given(value: T | Unset | None) -> T | None:
    """Read null and left out alike."""
    return None if value is UNSET else value


def or_left_out(value: T | None) -> T | Unset:
    """Leave out what there is none of."""
    return UNSET if value is None else value
