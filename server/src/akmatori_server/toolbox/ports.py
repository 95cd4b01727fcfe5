"""What the toolbox needs from others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

import attrs
import sqlalchemy as sa

from akmatori_server.incidents.storable import JSON
from akmatori_server.toolbox.kit import Kit
from akmatori_server.toolbox.models import Invocation, Plan
from akmatori_server.tools.models import ToolType

KitOf: TypeAlias = Callable[[ToolType], Kit | None]
"""Finds the kit of a type of tool; None when this version has none."""


@attrs.frozen(kw_only=True)
class WriteRequest:
    """A call that would change something, as an investigation asked for it."""

    incident_id: int
    run: int
    # The call's key, with its run in it.
    key: str
    call: Invocation
    plan: Plan
    # In the words of whoever asked. They are not to be believed.
    purpose: str
    # How the call is shown: its arguments with secrets masked.
    shown_arguments: Mapping[str, JSON]
    # The plan's summary, masked.
    shown_summary: str


Propose: TypeAlias = Callable[[sa.Connection, WriteRequest], str]
"""Stores a write for a person to decide about, as part of the caller's transaction; returns its uuid.

The same call of the same incident is stored once.
"""
