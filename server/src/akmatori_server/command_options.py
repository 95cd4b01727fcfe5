"""Options that several commands take."""

from __future__ import annotations

from pathlib import Path

import click

data_dir = click.option(
    "--data-dir",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where everything is kept. [default: $XDG_DATA_HOME/akmatori]",
)
database_url = click.option(
    "--database-url", help="PostgreSQL in place of the SQLite file: postgresql://user:password@host/name."
)
