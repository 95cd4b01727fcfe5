"""Conditions on rows that hold on both databases."""

from __future__ import annotations

import sqlalchemy as sa


def has_id(column: sa.ColumnElement[int], number: int) -> sa.ColumnElement[bool]:
    """Return the condition that the id of a row is this number, which a caller may have made up."""
    # As a big integer: PostgreSQL refuses a plain one that the API allows but no row can have.
    return column == sa.literal(number, sa.BigInteger)
