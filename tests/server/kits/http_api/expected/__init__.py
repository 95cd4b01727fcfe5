"""What each function of the catalogue has to send, written by hand from the vendors' APIs."""

from __future__ import annotations

from tests.server.kits.http_api.expected.alerting import CATCHPOINT, PAGERDUTY, ZABBIX
from tests.server.kits.http_api.expected.inventory import JIRA, KUBERNETES, NETBOX
from tests.server.kits.http_api.expected.metrics import GRAFANA, VICTORIA_METRICS
from tests.server.kits.http_api.expected.rows import Row

__all__ = ["EXPECTED", "Row"]
EXPECTED: dict[str, list[Row]] = {
    "victoria_metrics": VICTORIA_METRICS,
    "grafana": GRAFANA,
    "pagerduty": PAGERDUTY,
    "catchpoint": CATCHPOINT,
    "netbox": NETBOX,
    "kubernetes": KUBERNETES,
    "jira": JIRA,
    "zabbix": ZABBIX,
}
