"""The full-text index beside the table of runbooks: each database has its own kind, kept by triggers.

Made by the migration. The name is the same on both, so that comparing models with tables can leave it out by
name.
"""

from __future__ import annotations

INDEX_NAME = "runbooks_fts"

# The index keeps no copy of the texts ("external content"): the triggers tell it what was there before.
SQLITE_DDL: tuple[str, ...] = (
    """
    CREATE VIRTUAL TABLE runbooks_fts USING fts5(
        title, content, content='runbooks', content_rowid='id',
        tokenize='porter unicode61 remove_diacritics 2'
    )
    """,
    """
    CREATE TRIGGER runbooks_fts_insert AFTER INSERT ON runbooks BEGIN
        INSERT INTO runbooks_fts(rowid, title, content) VALUES (new.id, new.title, new.content);
    END
    """,
    """
    CREATE TRIGGER runbooks_fts_delete AFTER DELETE ON runbooks BEGIN
        INSERT INTO runbooks_fts(runbooks_fts, rowid, title, content)
        VALUES ('delete', old.id, old.title, old.content);
    END
    """,
    """
    CREATE TRIGGER runbooks_fts_update AFTER UPDATE OF title, content ON runbooks BEGIN
        INSERT INTO runbooks_fts(runbooks_fts, rowid, title, content)
        VALUES ('delete', old.id, old.title, old.content);
        INSERT INTO runbooks_fts(rowid, title, content) VALUES (new.id, new.title, new.content);
    END
    """,
    "INSERT INTO runbooks_fts(runbooks_fts) VALUES ('rebuild')",
)

SQLITE_DROP: tuple[str, ...] = (
    "DROP TRIGGER IF EXISTS runbooks_fts_update",
    "DROP TRIGGER IF EXISTS runbooks_fts_delete",
    "DROP TRIGGER IF EXISTS runbooks_fts_insert",
    "DROP TABLE IF EXISTS runbooks_fts",
)

# A tsvector holds 1 MB at most; of a longer text the beginning is searched.
_VECTOR = """
    setweight(to_tsvector('english', {row}.title), 'A')
    || setweight(to_tsvector('english', left({row}.content, 150000)), 'D')
"""

POSTGRESQL_DDL: tuple[str, ...] = (
    """
    CREATE TABLE runbooks_fts (
        runbook_id integer PRIMARY KEY REFERENCES runbooks(id) ON DELETE CASCADE,
        vector tsvector NOT NULL
    )
    """,
    "CREATE INDEX runbooks_fts_vector ON runbooks_fts USING gin (vector)",
    f"""
    CREATE FUNCTION runbooks_fts_write() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO runbooks_fts (runbook_id, vector) VALUES (new.id, {_VECTOR.format(row="new")})
        ON CONFLICT (runbook_id) DO UPDATE SET vector = excluded.vector;
        RETURN NULL;
    END
    $$
    """,  # noqa: S608  only our own texts
    """
    CREATE TRIGGER runbooks_fts_write AFTER INSERT OR UPDATE OF title, content ON runbooks
    FOR EACH ROW EXECUTE FUNCTION runbooks_fts_write()
    """,
    f"""
    INSERT INTO runbooks_fts (runbook_id, vector)
    SELECT runbooks.id, {_VECTOR.format(row="runbooks")} FROM runbooks
    """,  # noqa: S608  only our own texts
)

POSTGRESQL_DROP: tuple[str, ...] = (
    "DROP TRIGGER IF EXISTS runbooks_fts_write ON runbooks",
    "DROP FUNCTION IF EXISTS runbooks_fts_write()",
    "DROP TABLE IF EXISTS runbooks_fts",
)
