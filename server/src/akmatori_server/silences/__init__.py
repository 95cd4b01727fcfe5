"""Silences and maintenance windows: alerts that are expected are stored, and start no investigation."""

from __future__ import annotations

from akmatori_server.silences.book import ActiveSilences, SilenceBook
from akmatori_server.silences.models import Silence, SilenceState

__all__ = ["ActiveSilences", "Silence", "SilenceBook", "SilenceState"]
