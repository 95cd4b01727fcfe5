"""Finding runbooks by the words of a problem: FTS5 on SQLite, tsvector on PostgreSQL.

The database's own rank chooses the candidates. It has another scale on each database and for each set of
runbooks, so what is answered is ordered by a score of our own, made from which words stand in the title and
which in the content.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs
import sqlalchemy as sa

from akmatori_server.runbooks.index import POSTGRESQL_DDL, POSTGRESQL_DROP, SQLITE_DDL, SQLITE_DROP
from akmatori_server.runbooks.models import RunbookMatch
from akmatori_server.runbooks.terms import search_terms

__all__ = ["POSTGRESQL_DDL", "POSTGRESQL_DROP", "SQLITE_DDL", "SQLITE_DROP", "search"]

# More candidates than answers: the database's rank and our score do not agree on every last place.
CANDIDATES_PER_ANSWER = 3
IN_TITLE, IN_CONTENT = 1.0, 1.0 / 3.0
# A long description must not drown the few words that fit.
BEST_TERMS = 5

_SQLITE_CANDIDATES = sa.text("""
    SELECT runbooks.id, runbooks.title, runbooks.content
    FROM runbooks_fts JOIN runbooks ON runbooks.id = runbooks_fts.rowid
    WHERE runbooks_fts MATCH :query
    ORDER BY bm25(runbooks_fts, 3.0, 1.0), runbooks.id
    LIMIT :limit
""")
# The weights are those of the labels D, C, B and A: the title counts three times the content here too.
_POSTGRESQL_CANDIDATES = sa.text("""
    SELECT runbooks.id, runbooks.title, runbooks.content
    FROM runbooks_fts JOIN runbooks ON runbooks.id = runbooks_fts.runbook_id,
         to_tsquery('english', :query) AS query
    WHERE runbooks_fts.vector @@ query
    ORDER BY ts_rank('{0.33, 0.33, 0.33, 1.0}', runbooks_fts.vector, query, 1) DESC, runbooks.id
    LIMIT :limit
""")
_POSTGRESQL_HITS = sa.text("""
    SELECT runbooks_fts.runbook_id AS id, term.number AS number,
           runbooks_fts.vector @@ to_tsquery('english', term.in_title) AS in_title
    FROM runbooks_fts
    CROSS JOIN unnest(CAST(:anywhere AS text[]), CAST(:in_title AS text[]))
         WITH ORDINALITY AS term(anywhere, in_title, number)
    WHERE runbooks_fts.runbook_id = ANY(CAST(:ids AS integer[]))
          AND runbooks_fts.vector @@ to_tsquery('english', term.anywhere)
""")


@attrs.frozen
class _Candidate:
    id: int
    title: str
    content: str


def search(connection: sa.Connection, text: str, limit: int) -> list[RunbookMatch]:
    """Return the runbooks that have words of `text`, the best first; any text is safe to ask for."""
    terms = search_terms(text)
    if not terms or limit < 1:
        return []
    is_sqlite = connection.dialect.name == "sqlite"
    query = " OR ".join(map(_phrase, terms)) if is_sqlite else " | ".join(map(_lexeme, terms))
    statement = _SQLITE_CANDIDATES if is_sqlite else _POSTGRESQL_CANDIDATES
    rows = connection.execute(statement, {"query": query, "limit": limit * CANDIDATES_PER_ANSWER})
    candidates = [_Candidate(row.id, row.title, row.content) for row in rows]
    if not candidates:
        return []
    ids = [candidate.id for candidate in candidates]
    hits = (_sqlite_hits if is_sqlite else _postgresql_hits)(connection, terms, ids)
    matches = [_match(candidate, terms, hits.get(candidate.id, {})) for candidate in candidates]
    # Sorting is stable: equal scores stay in the order of the database's rank.
    return sorted(matches, key=lambda match: -match.score)[:limit]


def _match(candidate: _Candidate, terms: Sequence[str], hits: Mapping[str, float]) -> RunbookMatch:
    best = sorted(hits.values(), reverse=True)[:BEST_TERMS]
    return RunbookMatch(
        id=candidate.id,
        title=candidate.title,
        content=candidate.content,
        score=sum(best) / min(BEST_TERMS, len(terms)),
        matched_terms=tuple(term for term in terms if term in hits),
    )


def _sqlite_hits(
    connection: sa.Connection, terms: Sequence[str], ids: Sequence[int]
) -> dict[int, dict[str, float]]:
    hits: dict[int, dict[str, float]] = {}
    statement = sa.text(
        "SELECT rowid FROM runbooks_fts WHERE runbooks_fts MATCH :query AND rowid IN :ids"
    ).bindparams(sa.bindparam("ids", expanding=True))
    for term in terms:
        # The title last: it overwrites the lower weight.
        for query, weight in ((_phrase(term), IN_CONTENT), (f"title : {_phrase(term)}", IN_TITLE)):
            for row in connection.execute(statement, {"query": query, "ids": ids}):
                hits.setdefault(row.rowid, {})[term] = weight
    return hits


def _postgresql_hits(
    connection: sa.Connection, terms: Sequence[str], ids: Sequence[int]
) -> dict[int, dict[str, float]]:
    hits: dict[int, dict[str, float]] = {}
    asked = {
        "anywhere": [_lexeme(term) for term in terms],
        "in_title": [f"{_lexeme(term)}:A" for term in terms],
        "ids": list(ids),
    }
    for row in connection.execute(_POSTGRESQL_HITS, asked):
        term = terms[int(row.number) - 1]
        hits.setdefault(row.id, {})[term] = IN_TITLE if row.in_title else IN_CONTENT
    return hits


def _phrase(term: str) -> str:
    """Quote for FTS5; a term is letters and digits, so there is nothing to escape in it."""
    return f'"{term}"'


def _lexeme(term: str) -> str:
    """Quote for to_tsquery, likewise."""
    return f"'{term}'"
