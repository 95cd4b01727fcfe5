"""Table of workers: who is alive, told by the database's clock."""

from __future__ import annotations

import sqlalchemy as sa

from akmatori_server.database import metadata

engine_workers = sa.Table(
    "engine_workers",
    metadata,
    sa.Column("id", sa.String(128), primary_key=True),
    # Milliseconds since 1970 by the database's clock: the clocks of two machines are not compared.
    sa.Column("seen_ms", sa.BigInteger, nullable=False),
)
