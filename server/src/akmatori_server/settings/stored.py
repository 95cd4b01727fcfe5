"""What every stored settings object has."""

from __future__ import annotations

from datetime import datetime

import attrs

FIRST_VERSION = 1


@attrs.frozen(kw_only=True)
class Stored:
    """The row of a settings object. `version` rises with every write."""

    id: int
    version: int
    created_at: datetime
    updated_at: datetime
