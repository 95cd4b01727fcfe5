"""Forgetting deliveries that are too old to be of use."""

from __future__ import annotations

from datetime import timedelta

from akmatori_server.deliveries import store
from akmatori_server.retention.cleanup import Expiry

OLD_DELIVERIES = Expiry(
    name="deliveries",
    rows="deliveries",
    kept=timedelta(days=14),
    cron="41 * * * *",
    batch=200,
    delete_before=store.delete_before,
)
