"""The names that functions begin with: each belongs to one built-in type, HTTP connector or MCP server."""

from __future__ import annotations

import enum

import sqlalchemy as sa

from akmatori_server.errors import Conflict
from akmatori_server.tools import store
from akmatori_server.tools.builtin import RESERVED
from akmatori_server.tools.tables import tool_namespaces


class Owner(enum.StrEnum):
    """Who may have a name."""

    HTTP_CONNECTOR = "http_connector"
    MCP_SERVER = "mcp_server"


MOST_TOOLS_NAMED = 5
_WORDS = {Owner.HTTP_CONNECTOR: "an HTTP connector", Owner.MCP_SERVER: "an MCP server"}


def claim(connection: sa.Connection, name: str, owner: Owner, *, member: str) -> None:
    """Take a name as part of the caller's transaction.

    Raises:
        Conflict: it is built in, or somebody has it; `member` is named in the sentence.
    """
    key = name.lower()
    if key in RESERVED:
        raise Conflict(f"{member}: {name} is built in.")
    query = sa.select(tool_namespaces.c.owner).where(tool_namespaces.c.name == key)
    holder = connection.execute(query).scalar_one_or_none()
    if holder is not None:
        raise Conflict(f"{member}: {_WORDS[Owner(holder)]} has the name {name}.")
    connection.execute(sa.insert(tool_namespaces).values(name=key, owner=owner.value))


def release(connection: sa.Connection, name: str) -> None:
    """Give a name free as part of the caller's transaction."""
    connection.execute(sa.delete(tool_namespaces).where(tool_namespaces.c.name == name.lower()))


def move(connection: sa.Connection, old: str, new: str, owner: Owner, *, member: str) -> None:
    """Take another name for the one held; raises what `claim` raises."""
    if old == new:
        return
    release(connection, old)
    claim(connection, new, owner, member=member)


def retire(connection: sa.Connection, name: str, what: str) -> None:
    """Delete the tool type of a name and give the name free, as part of the caller's transaction.

    Raises:
        Conflict: tools are made of it; `what` is who has the name, for the sentence.
    """
    tools = store.names_of_type(connection, name)
    if tools:
        named = ", ".join(tools[:MOST_TOOLS_NAMED]) + (", …" if len(tools) > MOST_TOOLS_NAMED else "")
        raise Conflict(f"Tools are made of this {what}: {named}. Delete them first.")
    store.delete_type(connection, name)
    release(connection, name)
