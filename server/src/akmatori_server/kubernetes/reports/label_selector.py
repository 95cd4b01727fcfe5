"""Label selectors as people write them in one line: `app=shop,tier!=test,env in (a,b),!legacy`."""

from __future__ import annotations

import re

from akmatori_server.errors import BadRequest
from akmatori_server.kubernetes.selectors import Requirement, Selector

_KEY = r"[A-Za-z0-9](?:[A-Za-z0-9._/-]{0,315}[A-Za-z0-9])?"
_VALUE = r"(?:[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?"
_EQUALITY = re.compile(rf"({_KEY})\s*(==?|!=)\s*({_VALUE})")
_MEMBERSHIP = re.compile(rf"({_KEY})\s+(in|notin)\s*\(([^()]*)\)")
_PRESENCE = re.compile(rf"(!?)\s*({_KEY})")
_VALUES = re.compile(_VALUE)
_COMMA = re.compile(r",(?![^()]*\))")


def parse_selector(text: str) -> Selector:
    """Read a selector in the form of `kubectl --selector`.

    Raises:
        BadRequest: a part of it cannot be understood.
    """
    if not text.strip():
        return Selector({}, ())
    return Selector({}, tuple(_requirement(part.strip()) for part in _COMMA.split(text)))


def _requirement(part: str) -> Requirement:
    if found := _MEMBERSHIP.fullmatch(part):
        values = [value.strip() for value in found[3].split(",")]
        if all(_VALUES.fullmatch(value) for value in values):
            return Requirement(found[1], "In" if found[2] == "in" else "NotIn", frozenset(values))
    elif found := _EQUALITY.fullmatch(part):
        return Requirement(found[1], "NotIn" if found[2] == "!=" else "In", frozenset({found[3]}))
    elif found := _PRESENCE.fullmatch(part):
        return Requirement(found[2], "DoesNotExist" if found[1] else "Exists", frozenset())
    shown = part if len(part) <= 60 else part[:59] + "…"
    sentence = (
        f"{shown!r} is no part of a label selector; write it as in app=shop,tier!=test,env in (a,b),!old."
    )
    raise BadRequest(f"scope.labelSelector: {sentence}", details={"scope.labelSelector": sentence})
