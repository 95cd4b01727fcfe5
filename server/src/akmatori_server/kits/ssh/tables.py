"""The table of host keys."""

from __future__ import annotations

import sqlalchemy as sa

from akmatori_server.database import Timestamp, metadata

ssh_host_keys = sa.Table(
    "ssh_host_keys",
    metadata,
    # As it is written in the settings: an address or a name.
    sa.Column("host", sa.String(255), primary_key=True),
    sa.Column("port", sa.Integer, primary_key=True, autoincrement=False),
    # Kind and key, as in a known_hosts file.
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("first_seen", Timestamp, nullable=False),
)
