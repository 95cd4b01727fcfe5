"""Retention settings."""

from __future__ import annotations

from datetime import timedelta

import attrs

from akmatori_server.errors import BadRequest
from akmatori_server.settings.stored import Stored

MOST_DAYS = 3650
MOST_INTERVAL_HOURS = 8760


@attrs.frozen(kw_only=True)
class RetentionSettings(Stored):
    """How long finished incidents are kept."""

    enabled: bool
    retention_days: int
    cleanup_interval_hours: int

    @property
    def window(self) -> timedelta:
        """How long a finished incident is kept."""
        return timedelta(days=self.retention_days)

    @property
    def interval(self) -> timedelta:
        """The time between two cleanups."""
        return timedelta(hours=self.cleanup_interval_hours)

    def changed(
        self, *, enabled: bool | None, retention_days: int | None, cleanup_interval_hours: int | None
    ) -> RetentionSettings:
        """Return the settings with what is not None changed.

        Raises:
            BadRequest: a number is out of its bounds.
        """
        days = self.retention_days if retention_days is None else retention_days
        hours = self.cleanup_interval_hours if cleanup_interval_hours is None else cleanup_interval_hours
        if not 1 <= days <= MOST_DAYS:
            raise BadRequest(f"retention_days: must be from 1 to {MOST_DAYS}.")
        if not 1 <= hours <= MOST_INTERVAL_HOURS:
            raise BadRequest(f"cleanup_interval_hours: must be from 1 to {MOST_INTERVAL_HOURS}.")
        return attrs.evolve(
            self,
            enabled=self.enabled if enabled is None else enabled,
            retention_days=days,
            cleanup_interval_hours=hours,
        )
