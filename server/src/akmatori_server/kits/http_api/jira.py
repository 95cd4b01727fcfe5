"""What is special about Jira: documents for texts in version 3, and what version 2 leaves to its callers."""

from __future__ import annotations

from typing import cast

from akmatori_server.incidents.storable import JSON
from akmatori_server.kits.http_api.template import Scope
from akmatori_server.toolbox.models import ToolFailedError

USUAL_PAGE = 50
# Fields whose texts are documents in version 3.
_DOCUMENTS = ("description", "environment")


def document(value: JSON, scope: Scope) -> JSON:
    """Return a text as the API's version wants it: a document with a paragraph for each line, or the text."""
    if not isinstance(value, str) or not _has_documents(scope):
        return value
    paragraphs: list[JSON] = [
        {"type": "paragraph", "content": [{"type": "text", "text": line}] if line.strip() else []}
        for line in value.splitlines() or [""]
    ]
    return {"type": "doc", "version": 1, "content": paragraphs}


def create_body(scope: Scope) -> JSON:
    """Return the body that creates an issue; arguments of their own win over `fields`."""
    arguments = scope.arguments
    named: dict[str, JSON] = {
        "project": {"key": arguments["project_key"]},
        "issuetype": {"name": arguments["issue_type"]},
        "summary": arguments["summary"],
    }
    if arguments.get("description") is not None:
        named["description"] = arguments["description"]
    if arguments.get("assignee") is not None:
        named["assignee"] = {"accountId" if _has_documents(scope) else "name": arguments["assignee"]}
    if arguments.get("priority") is not None:
        named["priority"] = {"name": arguments["priority"]}
    if arguments.get("labels") is not None:
        named["labels"] = arguments["labels"]
    return {"fields": _fields({**_given_fields(scope), **named}, scope)}


def update_body(scope: Scope) -> JSON:
    """Return the body that changes fields of an issue."""
    fields = _given_fields(scope)
    if not fields:
        raise ToolFailedError("fields must name at least one field.")
    return {"fields": _fields(fields, scope)}


def transition_body(scope: Scope) -> JSON:
    """Return the body that moves an issue."""
    body: dict[str, JSON] = {"transition": {"id": scope.arguments["transition_id"]}}
    if scope.arguments.get("comment") is not None:
        comment = document(scope.arguments["comment"], scope)
        body["update"] = {"comment": [{"add": {"body": comment}}]}
    fields = _given_fields(scope)
    if fields:
        body["fields"] = _fields(fields, scope)
    return body


def changelog_of_issue(answer: JSON, scope: Scope) -> JSON:
    """Return a page of the changes that came with an issue, as the changelog's own operation does."""
    changelog = answer.get("changelog") if isinstance(answer, dict) else None
    histories = changelog.get("histories") if isinstance(changelog, dict) else None
    return _page(histories if isinstance(histories, list) else [], scope)


def matching_projects(answer: JSON, scope: Scope) -> JSON:
    """Return a page of the projects whose key or name has the text in it."""
    wanted = str(scope.arguments.get("query") or "").lower()
    projects = [one for one in answer if isinstance(one, dict)] if isinstance(answer, list) else []
    found = [one for one in projects if wanted in f"{one.get('key', '')}\n{one.get('name', '')}".lower()]
    return _page(cast("list[JSON]", found), scope)


def _page(entries: list[JSON], scope: Scope) -> JSON:
    start = int(cast("int", scope.arguments.get("start_at") or 0))
    most = int(cast("int", scope.arguments.get("max_results") or USUAL_PAGE))
    values = entries[start : start + most]
    return {
        "startAt": start,
        "maxResults": most,
        "total": len(entries),
        "isLast": start + most >= len(entries),
        "values": values,
    }


def _given_fields(scope: Scope) -> dict[str, JSON]:
    fields = scope.arguments.get("fields")
    return dict(fields) if isinstance(fields, dict) else {}


def _fields(fields: dict[str, JSON], scope: Scope) -> dict[str, JSON]:
    texts = {name: document(fields[name], scope) for name in _DOCUMENTS if name in fields}
    return {**fields, **texts}


def _has_documents(scope: Scope) -> bool:
    return scope.settings.get("jira_api_version") == "3"
