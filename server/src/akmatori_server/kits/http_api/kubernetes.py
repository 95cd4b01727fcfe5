"""What is special about Kubernetes: which paths may be read, and what of the answers nobody needs to see."""

from __future__ import annotations

import re

from akmatori_server.incidents.storable import JSON
from akmatori_server.kits.http_api.template import Scope
from akmatori_server.secrets.masking import MASK
from akmatori_server.toolbox.models import ToolFailedError

_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_CONTENTS = ("data", "binaryData", "stringData")
_SECRET_NAME = re.compile(
    r"pass|secret|token|credential|private|api_?key|access_?key|dsn|connection_?string", re.IGNORECASE
)
# Of an object nothing else is read: the others run something, or reach through to what runs.
_READABLE_PARTS = frozenset({"log", "status", "scale"})
_FORBIDDEN_RESOURCES = frozenset({"secrets", "watch", "proxy"})
# They keep the connection open.
_FORBIDDEN_PARAMS = frozenset({"watch", "follow"})


def guard(steps: list[str]) -> None:
    """Look at the steps of a path.

    Raises:
        ToolFailedError: it is not one that may be read.
    """
    if steps == ["version"]:
        return
    if not steps or steps[0] not in {"api", "apis"}:
        raise ToolFailedError("The path must be /version, or below /api or /apis.")
    # /api/v1/… has one step for its group and version, /apis/apps/v1/… has two.
    rest = steps[2:] if steps[0] == "api" else steps[3:]
    if len(rest) >= 3 and rest[0] == "namespaces" and rest[2] not in {"status", "finalize"}:
        rest = rest[2:]
    resource = rest[0].lower() if rest else ""
    if resource in _FORBIDDEN_RESOURCES:
        raise ToolFailedError(f"{resource} may not be read.")
    parts = [part.lower() for part in rest[2:]]
    if len(parts) > 1 or not set(parts) <= _READABLE_PARTS:
        raise ToolFailedError(
            f"{'/'.join(parts)[:100]} of an object may not be called; only its log, status and scale."
        )


def check_params(scope: Scope) -> None:
    """Look at the query.

    Raises:
        ToolFailedError: the answer would not end.
    """
    params = scope.arguments.get("params")
    for name in params if isinstance(params, dict) else {}:
        if name.strip().lower() in _FORBIDDEN_PARAMS:
            raise ToolFailedError(f"{name.strip()} is not allowed: the answer would not end.")


def without_secrets(answer: JSON, scope: Scope) -> JSON:
    """Return objects without the contents of config maps and secrets, and without bookkeeping."""
    kind = str(answer.get("kind", "")) if isinstance(answer, dict) else ""
    # The entries of a list do not say what they are.
    return _cleaned(answer, of_list=kind.removesuffix("List") if kind.endswith("List") else "", scope=scope)


def _cleaned(value: JSON, *, of_list: str, scope: Scope) -> JSON:
    if isinstance(value, list):
        return [_cleaned(one, of_list=of_list, scope=scope) for one in value]
    if not isinstance(value, dict):
        return value
    kind = str(value.get("kind") or of_list)
    members = {
        name: _cleaned(member, of_list=of_list if name == "items" else "", scope=scope)
        for name, member in value.items()
        if name != "managedFields" and not (kind in {"ConfigMap", "Secret"} and name in _CONTENTS)
    }
    members.pop(_LAST_APPLIED, None)
    # An environment variable of a container.
    if set(members) == {"name", "value"} and _SECRET_NAME.search(str(members["name"])):
        members["value"] = MASK
    return members
