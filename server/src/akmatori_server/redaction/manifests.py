"""Kubernetes Secrets in texts: their data is base64 under names that say nothing."""

from __future__ import annotations

import re

from akmatori_server.redaction.expressions import Found, compiled
from akmatori_server.redaction.patterns import MASKED

DATA = ("data", "stringData")

_IS_YAML_SECRET = compiled(r"""(?m)^[ \t-]*kind:[ \t]*["']?Secret(?:List)?["']?[ \t]*\r?$""")
_IS_JSON_SECRET = compiled(r"""\\*"kind\\*"\s*:\s*\\*"Secret""")
_JSON_DATA = compiled(r"""(\\*"(?:data|stringData)\\*"\s*:\s*\{)([^{}]*)""")
_JSON_VALUE = compiled(r"""(\\*"\s*:\s*\\*")[^"\\]*""")
# One line each, so that backtracking has nothing to go over twice.
_DATA_LINE = re.compile(rb"([ \t-]*)(?:data|stringData):\s*$")
_MEMBER_LINE = re.compile(rb"([ \t]*)([^\s:#][^:]*:[ \t]*)(\S.*)?$")


def without_secret_data(text: bytes) -> bytes:
    """Mask the data of Secrets, in YAML and in JSON; that of a ConfigMap beside one is masked, too."""
    if b"Secret" not in text:
        return text
    if _IS_JSON_SECRET.search(text) is not None:
        text = _JSON_DATA.sub(_json_data, text)
    if _IS_YAML_SECRET.search(text) is not None:
        text = b"\n".join(_yaml_lines(text.split(b"\n")))
    return text


def _json_data(found: Found) -> bytes:
    members = _JSON_VALUE.sub(lambda value: (value.group(1) or b"") + MASKED, found.group(2) or b"")
    return (found.group(1) or b"") + members


def _yaml_lines(lines: list[bytes]) -> list[bytes]:
    shown: list[bytes] = []
    # How far `data:` is indented, while we are below it; the members are further in.
    outer: int | None = None
    for line in lines:
        if outer is not None and line.strip():
            inner = len(line) - len(line.lstrip(b" \t"))
            if inner <= outer:
                outer = None
            else:
                shown.append(_masked_member(line))
                continue
        begins = _DATA_LINE.match(line)
        if begins is not None:
            outer = len(begins[1])
        shown.append(line)
    return shown


def _masked_member(line: bytes) -> bytes:
    member = _MEMBER_LINE.match(line)
    if member is None:
        # A further line of a value.
        indent = line[: len(line) - len(line.lstrip(b" \t"))]
        return indent + MASKED
    if member[3] is None:
        return line
    return member[1] + member[2] + MASKED
