"""Reading a statement as PostgreSQL does, and refusing what is not a plain read.

The parser is PostgreSQL's own, so that nothing means one thing here and another there. What it finds is compared
with what is allowed, not with what is known to be bad: every other kind of statement is refused.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from typing import Any, TypeAlias, cast

import attrs

from akmatori_server.kits.postgresql.forbidden import (
    is_forbidden_function,
    is_forbidden_relation,
    is_forbidden_schema,
    is_forbidden_setting,
)
from akmatori_server.toolbox.models import ToolFailedError

LONGEST_STATEMENT = 65536

ONE_ONLY = "Only one statement at a time is run."
READS_ONLY = (
    "Only statements that read are run: SELECT, WITH, VALUES, TABLE, EXPLAIN without ANALYZE, and SHOW."
)

_WORDS = {
    "InsertStmt": "INSERT",
    "UpdateStmt": "UPDATE",
    "DeleteStmt": "DELETE",
    "MergeStmt": "MERGE",
}
_EXPLAIN_OPTIONS = frozenset({"verbose", "costs", "settings", "generic_plan", "summary", "format", "buffers"})


_Look: TypeAlias = Callable[[Mapping[str, Any]], str | None]
"""Looks at one node of a statement, and says what is wrong with it."""


class Kind(enum.Enum):
    """How a statement is run."""

    QUERY = "query"
    EXPLAIN = "explain"
    SHOW = "show"


@attrs.frozen
class Statement:
    """One statement that only reads, without its semicolon."""

    kind: Kind
    text: str


def parsed(text: str) -> Statement:
    """Read a statement.

    Raises:
        ToolFailedError: it cannot be read, or is not one that only reads; the sentence says why.
    """
    tree, own = _tree(text)
    kind, root = next(iter(tree.items()))
    if kind == "SelectStmt":
        _check(root)
        return Statement(Kind.QUERY, own)
    if kind == "ExplainStmt":
        _check_explain(root)
        _check(root.get("query"))
        return Statement(Kind.EXPLAIN, own)
    if kind == "VariableShowStmt":
        if is_forbidden_setting(str(root.get("name", ""))):
            raise ToolFailedError("This setting is not shown: it may hold a password.")
        return Statement(Kind.SHOW, own)
    raise ToolFailedError(READS_ONLY)


def query(text: str) -> str:
    """Read a statement that gives rows of its own: SELECT, WITH, VALUES or TABLE.

    Raises:
        ToolFailedError: it is another, or `parsed` refuses it.
    """
    statement = parsed(text)
    if statement.kind is not Kind.QUERY:
        raise ToolFailedError("Give the query alone: SELECT, WITH, VALUES or TABLE.")
    return statement.text


def _tree(text: str) -> tuple[Mapping[str, Any], str]:
    """Return what the parser says of the one statement, and its text."""
    # Without types; and it takes a moment, while most servers have no such tool.
    pgparse: Any = import_module("pgparse")
    if len(text) > LONGEST_STATEMENT:
        raise ToolFailedError(f"The statement has more than {LONGEST_STATEMENT} characters.")
    if "\x00" in text:
        raise ToolFailedError("The statement has a NUL character in it.")
    try:
        statements = cast("list[dict[str, Any]]", pgparse.parse(text))
    except pgparse.PGQueryError as error:
        raise ToolFailedError(f"PostgreSQL cannot read the statement: {error}.") from None
    except RecursionError:
        raise ToolFailedError("The statement is nested too deeply.") from None
    if not statements:
        raise ToolFailedError("There is no statement.")
    if len(statements) > 1:
        raise ToolFailedError(ONE_ONLY)
    # Offsets count bytes; a length of 0 is "to the end".
    raw, start = text.encode(), int(statements[0].get("stmt_location", 0))
    length = int(statements[0].get("stmt_len", 0)) or len(raw) - start
    return statements[0]["stmt"], raw[start : start + length].decode()


def _check_explain(root: Mapping[str, Any]) -> None:
    for option in cast("list[dict[str, Any]]", root.get("options", [])):
        name = str(option["DefElem"].get("defname", "")).lower()
        if name not in _EXPLAIN_OPTIONS:
            raise ToolFailedError(f"EXPLAIN with {name.upper()} is not run: it may execute the statement.")


def _check(root: object) -> None:
    """Look at every node of a statement.

    Raises:
        ToolFailedError: one of them is not allowed.
    """
    for kind, node in _nodes(root):
        complaint = _complaint(kind, node)
        if complaint is not None:
            raise ToolFailedError(complaint)


def _complaint(kind: str, node: object) -> str | None:
    look = _LOOKS.get(kind)
    if look is not None:
        return look(cast("Mapping[str, Any]", node))
    if kind.endswith("Stmt") and kind != "SelectStmt":
        return READS_ONLY
    return None


def _relation_complaint(node: Mapping[str, Any]) -> str | None:
    relation = str(node.get("relname", ""))
    return f"{relation} is not read: it may hold passwords." if is_forbidden_relation(relation) else None


def _function_complaint(names: list[str]) -> str | None:
    if not names:
        return None
    if is_forbidden_function(names[-1]) or (len(names) > 1 and is_forbidden_schema(names[-2])):
        return f"The function {'.'.join(names)} is not called: it does more than read rows."
    return None


def _names(node: Mapping[str, Any], member: str) -> list[str]:
    parts = cast("list[dict[str, Any]]", node.get(member, []))
    return [str(part["String"].get("sval", "")) for part in parts if "String" in part]


def _refusing(sentence: str) -> _Look:
    return lambda _node: sentence


_LOOKS: Mapping[str, _Look] = {
    **{
        kind: _refusing(f"{word} is not run: only statements that read are.") for kind, word in _WORDS.items()
    },
    "intoClause": _refusing("SELECT INTO is not run: it creates a table."),
    "lockingClause": _refusing("FOR UPDATE and FOR SHARE are not run: they lock rows."),
    "ParamRef": _refusing("There are no parameters; write the values into the statement."),
    "RangeVar": _relation_complaint,
    "FuncCall": lambda node: _function_complaint(_names(node, "funcname")),
    # A function of one argument may be written as if it were a column.
    "ColumnRef": lambda node: _function_complaint(_names(node, "fields")[-1:]),
    "A_Indirection": lambda node: _function_complaint(_names(node, "indirection")[-1:]),
}


def _nodes(root: object) -> Iterator[tuple[str, object]]:
    """Yield every named member of the tree. Not by recursion: how deep it is, is up to the statement."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            for name, member in cast("dict[str, object]", node).items():
                yield name, member
                waiting.append(member)
        elif isinstance(node, list):
            waiting += cast("list[object]", node)
