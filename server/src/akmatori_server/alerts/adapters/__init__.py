"""One adapter per vendor: pure functions from a webhook's headers and body to normalised alerts."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from akmatori_server.alerts.adapters import alertmanager, datadog, generic, grafana, pagerduty, zabbix
from akmatori_server.alerts.models import Reading

Adapter = Callable[[Mapping[str, str], object, Mapping[str, str]], Reading]
"""Takes the headers, the JSON of the body and the operator's field mappings; raises BadRequest for another shape."""

READERS: Mapping[str, Adapter] = {
    "alertmanager": alertmanager.read,
    "pagerduty": pagerduty.read,
    "grafana": grafana.read,
    "datadog": datadog.read,
    "zabbix": zabbix.read,
    "generic": generic.read,
}

__all__ = ["READERS", "Adapter"]
