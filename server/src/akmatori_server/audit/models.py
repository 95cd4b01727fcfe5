"""The audit trail as values."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import attrs


@attrs.frozen(kw_only=True)
class Entry:
    """One write. `before` and `after` are what the API showed then, None where there was nothing."""

    id: int
    created_at: datetime
    actor_kind: str
    actor: str
    action: str
    target: str
    remote: str
    request_id: str
    before: Mapping[str, object] | None
    after: Mapping[str, object] | None


@attrs.frozen(kw_only=True)
class Filter:
    """Which entries are wanted; None is no condition. Both moments are inclusive."""

    actor: str | None = None
    # A whole action, or its beginning: `settings` also finds `settings:llm:updated`.
    action: str | None = None
    target: str | None = None
    since: datetime | None = None
    until: datetime | None = None


EVERYTHING = Filter()
