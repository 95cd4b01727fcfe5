"""Forgetting old events, so that the table stays as large as a day."""

from __future__ import annotations

from datetime import timedelta

from akmatori_server.events import store
from akmatori_server.retention.cleanup import Expiry

OLD_EVENTS = Expiry(
    name="events-cleanup",
    rows="events",
    # As long as a reader may be away without missing anything.
    kept=timedelta(hours=24),
    cron="*/15 * * * *",
    batch=1000,
    delete_before=store.delete_before,
)
