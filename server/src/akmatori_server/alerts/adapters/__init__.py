"""One adapter per vendor: pure functions from a webhook's body to normalised alerts."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from akmatori_server.alerts.adapters import alertmanager
from akmatori_server.alerts.models import NormalisedAlert

Adapter = Callable[[Mapping[str, object], Mapping[str, str]], list[NormalisedAlert]]
"""Takes the body and the effective field mappings; raises BadRequest for a body of another shape."""

ADAPTERS: Mapping[str, Adapter] = {"alertmanager": alertmanager.parse}

__all__ = ["ADAPTERS", "Adapter"]
