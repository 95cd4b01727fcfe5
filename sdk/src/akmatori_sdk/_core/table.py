"""A page of models as one HTML table, for notebooks: escaped, secrets masked, the telling columns first."""

from __future__ import annotations

import html
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import attrs

from akmatori_sdk._core.model import SHOWN_FIRST, UNSET, Model, fields_of

MOST_COLUMNS = 8
LONGEST_CELL = 80


def html_table(items: Sequence[object], *, caption: str) -> str:
    """Return the table; a list of anything but models gets one column."""
    models = [item for item in items if isinstance(item, Model)]
    columns = _columns(models)
    head = "".join(f"<th>{html.escape(column.name)}</th>" for column in columns)
    rows = "".join(
        f"<tr>{''.join(f'<td>{_cell(model, column)}</td>' for column in columns)}</tr>" for model in models
    )
    others = "".join(f"<tr><td>{html.escape(str(item))}</td></tr>" for item in items if item not in models)
    return f"<table><caption>{html.escape(caption)}</caption><tr>{head}</tr>{rows}{others}</table>"


def _columns(models: Sequence[Model]) -> list[attrs.Attribute[Any]]:
    """Choose the columns in which some row has something short to say."""
    if not models:
        return []
    fields = fields_of(models[0])
    ordered = [field for name in SHOWN_FIRST for field in fields if field.name == name]
    ordered += [field for field in fields if field not in ordered and field.name != "extra"]
    telling = [field for field in ordered if any(_text(model, field) for model in models)]
    return telling[:MOST_COLUMNS]


def _cell(model: Model, column: attrs.Attribute[Any]) -> str:
    text = _text(model, column)
    return html.escape(text if len(text) <= LONGEST_CELL else text[: LONGEST_CELL - 1] + "…")


def _text(model: Model, column: attrs.Attribute[Any]) -> str:
    value = getattr(model, column.name, UNSET)
    if value is UNSET or value is None or isinstance(value, list | dict | Model):
        return ""
    if column.metadata.get("secret"):
        return "****" if value else ""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    return str(value)
