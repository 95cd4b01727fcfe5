"""What is special about PagerDuty: references to people and policies, and events."""

from __future__ import annotations

from akmatori_server.incidents.storable import JSON
from akmatori_server.kits.http_api.template import Scope
from akmatori_server.toolbox.models import ToolFailedError

_PAYLOAD = ("summary", "severity", "source", "component", "group", "class", "custom_details")


def assignments(value: JSON, scope: Scope) -> JSON:
    """Return the assignments to users that are listed with commas."""
    del scope
    return [
        {"assignee": {"id": one.strip(), "type": "user_reference"}}
        for one in str(value).split(",")
        if one.strip()
    ]


def policy(value: JSON, scope: Scope) -> JSON:
    """Return the reference to an escalation policy."""
    del scope
    return {"id": value, "type": "escalation_policy_reference"}


def check_event(scope: Scope) -> None:
    """Look at what an event needs.

    Raises:
        ToolFailedError: the action needs an argument that is not there.
    """
    action = scope.arguments["event_action"]
    needed = "summary" if action == "trigger" else "dedup_key"
    if not scope.arguments.get(needed):
        raise ToolFailedError(f"{needed} must be given to {action}.")


def event_body(scope: Scope) -> JSON:
    """Return the body of an event."""
    arguments = scope.arguments
    body: dict[str, JSON] = {
        name: arguments[name]
        for name in ("routing_key", "event_action", "dedup_key")
        if arguments.get(name) is not None
    }
    if arguments["event_action"] == "trigger":
        body["payload"] = {name: arguments[name] for name in _PAYLOAD if arguments.get(name) is not None}
    return body
