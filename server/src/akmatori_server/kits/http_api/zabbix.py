"""What is special about Zabbix: JSON-RPC, batches, the hosts of problems, and which methods only read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import cast

from akmatori_server.incidents.storable import JSON
from akmatori_server.kits.http_api.template import Scope
from akmatori_server.secrets.masking import MASK
from akmatori_server.toolbox.models import Access, ToolFailedError

HIGHEST_SEVERITY = 5
LONGEST_ERROR = 500

_READ = re.compile(r"[a-z]+\.get|apiinfo\.version")
_EXPIRED = ("re-login", "not authorised", "not authorized")
# What media types and the like answer with in clear.
_SECRET_MEMBERS = frozenset({"passwd", "password", "ipmi_password", "tls_psk", "privatekey", "bind_password"})


class LoginExpiredError(ToolFailedError):
    """The login is over; another one may help."""


def severities_from(value: JSON, scope: Scope) -> JSON:
    """Return the severities from one upwards."""
    del scope
    return list(range(int(cast("int", value)), HIGHEST_SEVERITY + 1))


def fields(value: JSON, scope: Scope) -> JSON:
    """Return members to be returned: a list, or one of the words that Zabbix knows."""
    del scope
    names = [name.strip() for name in str(value).split(",") if name.strip()]
    return names[0] if names in (["extend"], ["count"]) else cast("JSON", names)


def call_body(scope: Scope) -> JSON:
    """Return the body of any call."""
    params = scope.arguments.get("params")
    return _call(str(scope.arguments["method"]), {} if params is None else params)


def items_batch_body(scope: Scope) -> JSON:
    """Return one call for each pattern, all in one request."""
    arguments = scope.arguments
    output = arguments.get("output")
    shared: dict[str, JSON] = {
        "output": "extend" if output is None else fields(output, scope),
        "startSearch": arguments.get("start_search", True),
        "limit": arguments.get("limit_per_search", 10),
    }
    if arguments.get("hostids") is not None:
        shared["hostids"] = arguments["hostids"]
    patterns = cast("list[str]", arguments["searches"])
    return [
        _call("item.get", {**shared, "search": {"key_": pattern}}, number)
        for number, pattern in enumerate(patterns, start=1)
    ]


def problem_hosts_body(scope: Scope) -> JSON:
    """Return the call for the hosts of problems, which their triggers know; None where there is no problem."""
    triggers = sorted({str(one.get("objectid", "")) for one in _objects(scope.arguments["first"])} - {""})
    if not triggers:
        return None
    return _call(
        "trigger.get",
        {
            "output": ["triggerid"],
            "triggerids": cast("JSON", triggers),
            "selectHosts": ["hostid", "host", "name"],
        },
    )


def result(answer: JSON, scope: Scope) -> JSON:
    """Return the result of a call, passwords masked."""
    return _masked(_result(answer, scope))


def items_batch(answer: JSON, scope: Scope) -> JSON:
    """Return the items of all patterns, each item once."""
    if not isinstance(answer, list):
        # A request that is wrong as a whole is answered as one.
        answer = [answer]
    found: dict[str, JSON] = {}
    for one in sorted(answer, key=_number):
        for item in _objects(_result(one, scope)):
            found.setdefault(str(item.get("itemid", "")), dict(item))
    return list(found.values())


def problems_with_hosts(answer: JSON, scope: Scope) -> JSON:
    """Return the problems with the hosts of their triggers."""
    hosts = {str(one.get("triggerid")): one.get("hosts", []) for one in _objects(_result(answer, scope))}
    problems = _objects(scope.arguments["first"])
    return [{**one, "hosts": hosts.get(str(one.get("objectid")), [])} for one in problems]


def access(scope: Scope) -> Access:
    """Say whether a method only reads; one that is not known to writes."""
    return Access.READ if _READ.fullmatch(str(scope.arguments["method"]).lower()) else Access.WRITE


def _call(method: str, params: JSON, number: int = 1) -> dict[str, JSON]:
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": params}


def _result(answer: JSON, scope: Scope) -> JSON:
    if not isinstance(answer, dict) or not ("result" in answer or "error" in answer):
        raise ToolFailedError(
            "The answer is not one of the Zabbix API; check zabbix_url in the tool's settings."
        )
    if "error" not in answer:
        return answer["result"]
    error = answer["error"]
    members = error if isinstance(error, dict) else {"message": error}
    said = " ".join(str(members[name]) for name in ("message", "data") if members.get(name))[:LONGEST_ERROR]
    if any(word in said.lower() for word in _EXPIRED):
        by_token = scope.settings.get("auth_method") == "token"
        names = "zabbix_token" if by_token else "zabbix_username and zabbix_password"
        hint = f"check {names} in the tool's settings."
        raise LoginExpiredError(
            f"Zabbix refused the call: {said.rstrip('.')}; {hint}",
            setup=f"Zabbix does not accept the credentials; {hint}",
        )
    raise ToolFailedError(
        f"Zabbix refused the call: {said}",
        setup="Zabbix refused to list hosts; check zabbix_url in the tool's settings, and what its user may do.",
    )


def _objects(value: JSON) -> list[Mapping[str, JSON]]:
    if isinstance(value, dict):
        # With preservekeys.
        value = list(value.values())
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _number(answer: JSON) -> int:
    number = answer.get("id") if isinstance(answer, dict) else None
    return number if isinstance(number, int) else 0


def _masked(value: JSON) -> JSON:
    if isinstance(value, list):
        return [_masked(one) for one in value]
    if isinstance(value, dict):
        return {
            name: MASK if name in _SECRET_MEMBERS and member else _masked(member)
            for name, member in value.items()
        }
    return value
