"""Reading a ClickHouse statement, and refusing what is not a plain read.

The server refuses writes by itself, since every request is made with `readonly=1`. What it does not refuse then is
looked for here: functions that read its files or wait, and clauses that change settings or the answer's form.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import import_module
from itertools import accumulate, pairwise
from typing import Any

import attrs

from akmatori_server.toolbox.models import ToolFailedError

LONGEST_STATEMENT = 65536
DEEPEST = 100
READS_ONLY = "Only statements that read are run: SELECT, WITH, SHOW, DESCRIBE, EXPLAIN and EXISTS."

# They wait, read the server's files, or run what lies there.
_FUNCTIONS = frozenset(
    {
        "file", "sleep", "sleepeachrow", "catboostevaluate", "evalmlmethod", "modelevaluate", "addresstoline",
        "addresstolinewithinlines", "addresstosymbol", "demangle", "hasthreadfuzzer", "getclienthttpheader",
        "aigenerate", "aiclassify", "aiextract", "aitranslate", "aiembed",
    }
)  # fmt: skip
# They reach other servers, files and programs; the server refuses most of them too.
_TABLE_FUNCTIONS = frozenset(
    {
        "url", "urlcluster", "remote", "remotesecure", "s3", "s3cluster", "gcs", "oss", "cosn", "hdfs", "hdfscluster",
        "azureblobstorage", "azureblobstoragecluster", "mysql", "postgresql", "mongodb", "redis", "sqlite", "odbc",
        "jdbc", "executable", "input", "iceberg", "icebergs3", "iceberglocal", "deltalake", "deltalakes3",
        "deltalakelocal", "hudi", "paimon", "ytsaurus", "arrowflight", "filecluster", "iceberghdfs", "icebergazure",
        "deltalakeazure", "s3queue", "prometheusquery", "prometheusqueryrange", "timeseriesdata", "nats", "kafka",
    }
)  # fmt: skip
# All others in the place of a table are refused.
_ALLOWED_TABLE_FUNCTIONS = frozenset(
    {
        "numbers", "numbers_mt", "zeros", "zeros_mt", "generate_series", "generateseries", "values", "view", "merge",
        "cluster", "clusterallreplicas", "dictionary", "null", "generaterandom", "mergetreeindex",
        "mergetreeprojection", "loop", "fuzzjson", "primes",
    }
)  # fmt: skip
_HEADS = frozenset({"SELECT", "WITH", "(", "SHOW", "DESCRIBE", "DESC", "EXPLAIN", "EXISTS"})
_QUERIES = frozenset({"SELECT", "WITH", "("})
# Beyond these, what follows EXPLAIN before its query are settings and their values.
_EXPLAINED = frozenset({"AST", "SYNTAX", "PLAN", "PIPELINE", "ESTIMATE", "QUERY", "TREE", ",", "="})
_CLAUSES = {
    "settings": "SETTINGS is not allowed: the limits of a query are set by the tool.",
    "format": "FORMAT is not allowed: the answer's form is set by the tool.",
}
# Their answers hold what users log in with.
_NOT_SHOWN = frozenset({"USER", "USERS", "ACCESS"})


@attrs.frozen
class _Token:
    text: str
    kind: str
    start: int
    end: int

    @property
    def is_text(self) -> bool:
        return self.kind in {"STRING", "HEREDOC_STRING", "RAW_STRING", "NATIONAL_STRING"}


def parsed(text: str) -> str:
    """Return one statement that only reads, without its semicolon.

    Raises:
        ToolFailedError: it cannot be read, or is not one that only reads; the sentence says why.
    """
    own, tokens = _tokens(text)
    head = tokens[0].text.upper()
    if head not in _HEADS:
        raise ToolFailedError(READS_ONLY)
    for token, following in pairwise(tokens):
        if following.text == "(" and not token.is_text:
            _check_function(token.text)
    if head in _QUERIES:
        _check_query(own)
    elif head == "EXPLAIN":
        _check_query(own[_start_of_query(tokens) :])
    else:
        _check_statement(tokens)
    return own


def _tokens(text: str) -> tuple[str, Sequence[_Token]]:
    if len(text) > LONGEST_STATEMENT:
        raise ToolFailedError(f"The statement has more than {LONGEST_STATEMENT} characters.")
    if "\x00" in text:
        raise ToolFailedError("The statement has a NUL character in it.")
    tokens = _lexed(text)
    if tokens and tokens[0].kind in {"SHOW", "COMMAND"}:
        # The library leaves what follows such a word in one piece.
        tokens = [tokens[0], *_lexed(text, tokens[0].end + 1)]
    own = [token for token in tokens if token.kind != "SEMICOLON"]
    if not own:
        raise ToolFailedError("There is no statement.")
    if _depth(own) > DEEPEST:
        raise ToolFailedError("The statement is nested too deeply.")
    # What follows the first semicolon may only be more of them.
    if len(own) != next((n for n, one in enumerate(tokens) if one.kind == "SEMICOLON"), len(tokens)):
        raise ToolFailedError("Only one statement at a time is run.")
    return text[own[0].start : own[-1].end + 1], own


def _depth(tokens: Sequence[_Token]) -> int:
    """Return how deep brackets are nested: the parser's time grows faster than that."""
    steps = ({"(": 1, "[": 1, ")": -1, "]": -1}.get(token.text, 0) for token in tokens if not token.is_text)
    return max(accumulate(steps), default=0)


def _lexed(text: str, start: int = 0) -> list[_Token]:
    # Its types are not all known; and it takes a moment, while most servers have no such tool.
    sqlglot: Any = import_module("sqlglot")
    try:
        found: list[Any] = sqlglot.tokenize(text[start:], read="clickhouse")
    except sqlglot.errors.SqlglotError:
        raise ToolFailedError(
            "The statement cannot be read: a quote or a comment in it does not end."
        ) from None
    return [
        _Token(str(one.text), str(one.token_type.name), one.start + start, one.end + start) for one in found
    ]


def _check_query(text: str) -> None:
    sqlglot: Any = import_module("sqlglot")
    try:
        trees: list[Any] = sqlglot.parse(text, read="clickhouse")
    except sqlglot.errors.SqlglotError as error:
        errors: list[Any] = getattr(error, "errors", [])
        highlight = str(errors[0].get("highlight") or "") if errors else ""
        place = f" near {highlight[:50]!r}" if highlight else ""
        raise ToolFailedError(f"The statement cannot be read{place}; write it in a simpler way.") from None
    except RecursionError:
        raise ToolFailedError("The statement is nested too deeply.") from None
    if len(trees) != 1 or not isinstance(trees[0], sqlglot.exp.Query):
        raise ToolFailedError(READS_ONLY)
    for complaint in _complaints(trees[0], sqlglot.exp):
        raise ToolFailedError(complaint)


def _complaints(tree: Any, kinds: Any) -> Iterator[str]:
    for node in tree.walk():
        for clause, sentence in _CLAUSES.items():
            if node.args.get(clause):
                yield sentence
        if isinstance(node, (kinds.DML, kinds.DDL, kinds.Command)) and not isinstance(node, kinds.Query):
            yield READS_ONLY
        if isinstance(node, kinds.Into):
            yield "INTO is not allowed: it writes a file."
        if isinstance(node, kinds.Table) and isinstance(node.this, kinds.Func):
            name = str(node.this.name or node.this.sql_name())
            if name.lower() not in _ALLOWED_TABLE_FUNCTIONS:
                yield f"The table function {name} is not read: it may reach beyond this server's tables."


def _check_function(name: str) -> None:
    if name.lower() in _FUNCTIONS | _TABLE_FUNCTIONS:
        raise ToolFailedError(f"The function {name} is not called: it does more than read tables.")


def _start_of_query(tokens: Sequence[_Token]) -> int:
    """Return where the query of an EXPLAIN begins."""
    for token in tokens[1:]:
        word = token.text.upper()
        if word in _QUERIES:
            return token.start - tokens[0].start
        is_setting = token.kind in {"VAR", "NUMBER"}
        if word not in _EXPLAINED and not is_setting:
            break
    raise ToolFailedError("EXPLAIN needs a SELECT.")


def _check_statement(tokens: Sequence[_Token]) -> None:
    """Look at a SHOW, DESCRIBE or EXISTS, which have names in them, and neither calls nor clauses."""
    for token in tokens[1:]:
        if token.is_text or token.kind == "IDENTIFIER":
            continue
        word = token.text.upper()
        if word in {"(", ")"}:
            raise ToolFailedError("SHOW, DESCRIBE and EXISTS are run with plain names only.")
        if word.lower() in _CLAUSES:
            raise ToolFailedError(_CLAUSES[word.lower()])
        if word in {"INTO", "OUTFILE"}:
            raise ToolFailedError("INTO is not allowed: it writes a file.")
        if word in _NOT_SHOWN:
            raise ToolFailedError("Users and their rights are not shown.")
