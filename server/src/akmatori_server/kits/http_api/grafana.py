"""What is special about Grafana: the shapes of queries, silences, and the panels of a dashboard."""

from __future__ import annotations

import re
from datetime import datetime
from typing import cast

from akmatori_server.incidents.storable import JSON
from akmatori_server.kits.http_api.template import Scope
from akmatori_server.toolbox.models import Access, ToolFailedError

MOST_POINTS = 1000
_UNITS_MS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_STEP = re.compile(r"(\d{1,9})(ms|s|m|h|d|w)?")
_WRITING = (
    "insert|update|delete|drop|alter|create|truncate|grant|revoke|merge|call|exec|execute|copy|into|set|do|lock"
    "|replace|rename|attach|detach|optimize|system|kill"
)
_SQL_READ = re.compile(r"\s*(select|with|show|explain|describe|desc)\b", re.IGNORECASE)
_SQL_WRITE = re.compile(rf";\s*\S|\b({_WRITING})\b", re.IGNORECASE)
# In a language that need not be SQL such a word may be one that is searched for.
_STATEMENT = re.compile(rf"(^|;)\s*({_WRITING})\b", re.IGNORECASE)


def query_body(scope: Scope) -> JSON:
    """Return the body of queries in a data source's own form, each of that data source."""
    queries = cast("list[JSON]", scope.arguments["queries"])
    return _body(scope, [one if isinstance(one, dict) else {} for one in queries], kind="")


def prometheus_body(scope: Scope) -> JSON:
    """Return the body of a PromQL query."""
    arguments = scope.arguments
    ranges = any(arguments.get(name) is not None for name in ("start", "step", "from"))
    is_range = arguments.get("range", ranges and arguments.get("instant") is not True) is True
    query: dict[str, JSON] = {
        "expr": arguments["expr"],
        "instant": arguments.get("instant", not is_range),
        "range": is_range,
        "format": "time_series",
    }
    if arguments.get("step") is not None:
        query["interval"] = arguments["step"]
        query["intervalMs"] = _milliseconds(str(arguments["step"]))
    return _body(scope, [query], kind="prometheus")


def loki_body(scope: Scope) -> JSON:
    """Return the body of a LogQL query."""
    arguments = scope.arguments
    query: dict[str, JSON] = {"expr": arguments["expr"], "queryType": "range"}
    if arguments.get("limit") is not None:
        query["maxLines"] = arguments["limit"]
    if arguments.get("direction") is not None:
        query["direction"] = arguments["direction"]
    return _body(scope, [query], kind="loki")


def access(scope: Scope) -> Access:
    """Say whether queries only read; SQL that is not plainly so writes, as far as its user may."""
    for query in cast("list[JSON]", scope.arguments["queries"]):
        for name, text in query.items() if isinstance(query, dict) else ():
            if isinstance(text, str) and _writes(name, text):
                return Access.WRITE
    return Access.READ


def check_silence(scope: Scope) -> None:
    """Look at the times of a silence.

    Raises:
        ToolFailedError: one is no moment, or the end is not after the beginning.
    """
    begin, end = (_moment(name, str(scope.arguments[name])) for name in ("starts_at", "ends_at"))
    if end <= begin:
        raise ToolFailedError("ends_at must be after starts_at.")


def panels(answer: JSON, scope: Scope) -> JSON:
    """Return the panels of a dashboard, those in rows too."""
    del scope
    dashboard = answer.get("dashboard") if isinstance(answer, dict) else None
    if not isinstance(dashboard, dict):
        raise ToolFailedError("The answer is not a dashboard; check grafana_url in the tool's settings.")
    # Rows were lists of their own in old versions, and are panels with panels now.
    found = [*_list(dashboard.get("panels"))]
    for row in [*_list(dashboard.get("rows")), *found]:
        found += _list(row.get("panels"))
    return [
        {name: one.get(name) for name in ("id", "title", "type", "datasource")}
        for one in found
        if one.get("type") != "row"
    ]


def _writes(name: str, text: str) -> bool:
    if name in {"rawSql", "rawSQL", "sql"}:
        return bool(_SQL_WRITE.search(text)) or not _SQL_READ.match(text)
    return bool(_STATEMENT.search(text))


def _body(scope: Scope, queries: list[dict[str, JSON]], *, kind: str) -> JSON:
    source: dict[str, JSON] = {"uid": scope.arguments["datasource_uid"]}
    if kind:
        source["type"] = kind
    made: list[JSON] = []
    for number, query in enumerate(queries):
        kept = {name: value for name, value in query.items() if name not in {"datasource", "datasourceId"}}
        made.append(
            {"refId": _letters(number), "maxDataPoints": MOST_POINTS, **kept, "datasource": dict(source)}
        )
    arguments = scope.arguments
    begin = arguments.get("from") or arguments.get("start") or "now-1h"
    end = arguments.get("to") or arguments.get("end") or "now"
    return {"queries": made, "from": _time(str(begin)), "to": _time(str(end))}


def _letters(number: int) -> str:
    return chr(ord("A") + number) if number < 26 else f"Q{number}"


def _time(text: str) -> str:
    """Return a moment as Grafana reads it: now-1h, or Unix milliseconds."""
    if text.startswith("now"):
        return text
    if re.fullmatch(r"\d+(\.\d+)?", text):
        seconds = float(text)
        # Unix seconds are as common, and smaller by far.
        return str(int(seconds * 1000 if seconds < 10**11 else seconds))
    return str(int(_moment("The time", text).timestamp() * 1000))


def _moment(name: str, text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ToolFailedError(f"{name} must be a time such as 2026-11-22T10:00:00Z.")
    return moment


def _milliseconds(step: str) -> int:
    match = _STEP.fullmatch(step)
    if match is None:
        raise ToolFailedError("step must be a number of seconds, or a duration such as 30s, 1m or 1h.")
    return int(match[1]) * _UNITS_MS[match[2] or "s"]


def _list(value: JSON | None) -> list[dict[str, JSON]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
