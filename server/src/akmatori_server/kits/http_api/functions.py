"""The functions that forms name: small, pure, and grouped by what they are for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from akmatori_server.incidents.storable import JSON
from akmatori_server.kits.http_api import grafana, jira, kubernetes, pagerduty, victoria_metrics, zabbix
from akmatori_server.kits.http_api.template import Filter, Scope
from akmatori_server.kits.http_api.zabbix_login import log_in
from akmatori_server.toolbox.models import Access, ToolFailedError


def split(value: JSON, scope: Scope) -> JSON:
    """Return the entries of a list that is written with commas."""
    del scope
    return [one.strip() for one in str(value).split(",") if one.strip()]


def check_assignee(scope: Scope) -> None:
    """Look at what assigning alerts needs.

    Raises:
        ToolFailedError: nobody is named to get them.
    """
    if scope.arguments["action"] == "assign" and not scope.arguments.get("assignee"):
        raise ToolFailedError("assignee must be given to assign alerts.")


Answer: TypeAlias = Callable[[JSON, Scope], JSON]

FILTERS: Mapping[str, Filter] = {
    "split": split,
    "zabbix_fields": zabbix.fields,
    "zabbix_severities": zabbix.severities_from,
    "jira_document": jira.document,
    "pagerduty_assignments": pagerduty.assignments,
    "pagerduty_policy": pagerduty.policy,
}
# A body of None: nothing is sent, and nothing more is to be known.
BODIES: Mapping[str, Callable[[Scope], JSON]] = {
    "zabbix_call": zabbix.call_body,
    "zabbix_items_batch": zabbix.items_batch_body,
    "zabbix_problem_hosts": zabbix.problem_hosts_body,
    "grafana_query": grafana.query_body,
    "grafana_prometheus": grafana.prometheus_body,
    "grafana_loki": grafana.loki_body,
    "jira_create": jira.create_body,
    "jira_update": jira.update_body,
    "jira_transition": jira.transition_body,
    "pagerduty_event": pagerduty.event_body,
}
CHECKS: Mapping[str, Callable[[Scope], None]] = {
    "catchpoint_alerts": check_assignee,
    "grafana_silence": grafana.check_silence,
    "kubernetes_params": kubernetes.check_params,
    "pagerduty_event": pagerduty.check_event,
}
ANSWERS: Mapping[str, Answer] = {
    "zabbix_result": zabbix.result,
    "zabbix_items_batch": zabbix.items_batch,
    "zabbix_problems": zabbix.problems_with_hosts,
    "grafana_panels": grafana.panels,
    "jira_changelog_of_issue": jira.changelog_of_issue,
    "jira_matching_projects": jira.matching_projects,
    "kubernetes_objects": kubernetes.without_secrets,
}
ACCESSES: Mapping[str, Callable[[Scope], Access]] = {
    "zabbix_method": zabbix.access,
    "victoria_metrics_path": victoria_metrics.access,
    "grafana_queries": grafana.access,
}
GUARDS: Mapping[str, Callable[[list[str]], None]] = {"kubernetes_path": kubernetes.guard}
LOGINS = {"zabbix": log_in}
