"""The forms in which a known secret may turn up."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

# A shorter text would be found everywhere.
SHORTEST_SECRET = 4
# Of a part of a secret: a line of a private key, or the inside of its base64.
SHORTEST_PART = 16

_ESCAPE = re.compile("%[0-9A-F]{2}")


def forms_of(secrets: Iterable[str]) -> list[bytes]:
    """Return every form of these secrets as bytes, the longest first: one may be part of another."""
    found = {
        form.encode("utf-8", "surrogatepass")
        for secret in set(secrets)
        if len(secret) >= SHORTEST_SECRET
        for form in _forms(secret)
    }
    # The mask itself must stay what it is.
    return sorted((form for form in found if form.strip(b"*")), key=lambda form: (-len(form), form))


def _forms(secret: str) -> Iterator[str]:
    yield secret
    yield from _encoded(secret)
    stripped = secret.strip()
    if stripped != secret and len(stripped) >= SHORTEST_SECRET:
        yield from (stripped, *_encoded(stripped))
    if "\n" in stripped:
        # A log has a line of its own for each line of a key.
        yield from (line.strip() for line in stripped.splitlines() if _is_telling(line.strip()))


def _is_telling(line: str) -> bool:
    return len(line) >= SHORTEST_PART and not line.startswith("-----")


def _encoded(secret: str) -> Iterator[str]:
    for is_ascii in (True, False):
        as_json = json.dumps(secret, ensure_ascii=is_ascii)[1:-1]
        yield as_json
        # JSON as a text within JSON.
        yield json.dumps(as_json, ensure_ascii=is_ascii)[1:-1]
    yield html.escape(secret)
    raw = secret.encode("utf-8", "surrogatepass")
    for escaped in (quote(raw, safe=""), quote(raw), quote_plus(raw)):
        yield escaped
        # Both spellings are in use: %2F and %2f.
        yield _ESCAPE.sub(lambda found: found[0].lower(), escaped)
    yield from _base64(raw)


def _base64(raw: bytes) -> Iterator[str]:
    for encode in (base64.standard_b64encode, base64.urlsafe_b64encode):
        whole = encode(raw).decode()
        yield whole
        if len(whole.rstrip("=")) >= 8:
            yield whole.rstrip("=")
        # Within a longer text, such as user:password, the same bytes have one of three forms, whose ends
        # depend on what stands beside them.
        for before in range(3):
            inside = encode(bytes(before) + raw).decode().rstrip("=")
            first, last = (0, 2, 3)[before], (before + len(raw)) * 8 // 6
            if last - first >= SHORTEST_PART:
                yield inside[first:last]
