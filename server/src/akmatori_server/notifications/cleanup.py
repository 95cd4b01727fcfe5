"""Forgetting notifications that are too old to be of use, with their attempts."""

from __future__ import annotations

from datetime import timedelta

from akmatori_server.notifications import store
from akmatori_server.retention.cleanup import Expiry

OLD_NOTIFICATIONS = Expiry(
    name="notifications",
    rows="notifications",
    kept=timedelta(days=30),
    cron="47 * * * *",
    batch=500,
    delete_before=store.delete_before,
)
