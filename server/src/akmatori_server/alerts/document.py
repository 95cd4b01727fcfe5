"""Reading a webhook's body, as forgiving as JSON allows: an alert must not be lost for one bad character."""

from __future__ import annotations

import json
from typing import NoReturn

import orjson

from akmatori_server.errors import BadRequest


def read_document(body: bytes) -> dict[str, object]:
    """Return the JSON object in `body`; bytes that are no UTF-8 become U+FFFD.

    Lone surrogates and NUL characters may be left in its texts: whoever keeps one makes it storable.

    Raises:
        BadRequest: the body is no JSON object.
    """
    document = read_json(body)
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise BadRequest("The body must be a JSON object.")
    return document  # pyright: ignore[reportUnknownVariableType]  # JSON has text keys only


def read_json(body: bytes) -> object:
    """Return whatever JSON is in `body`, read as `read_document` reads it.

    Raises:
        BadRequest: there is none.
    """
    if not body.strip():
        raise BadRequest("The body is empty; the alerts are expected as JSON.")
    return _loads(body)


def _loads(body: bytes) -> object:
    try:
        parsed: object = orjson.loads(body)
    except orjson.JSONDecodeError:
        # orjson refuses broken UTF-8 and lone surrogates; the slower reader takes them.
        parsed = _loads_leniently(body)
    return parsed


def _loads_leniently(body: bytes) -> object:
    try:
        parsed: object = json.loads(body.decode("utf-8", "replace"), parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise BadRequest(
            f"The body is not valid JSON at line {error.lineno}, column {error.colno}."
        ) from error
    except (ValueError, RecursionError) as error:
        raise BadRequest("The body is not valid JSON.") from error
    return parsed


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)
