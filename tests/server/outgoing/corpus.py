"""The corpus of hostile URLs, read from its file."""

from __future__ import annotations

import re
from pathlib import Path

import attrs

PUBLIC = "93.184.216.34"
_REPEATED = re.compile(r"<(.+?)\*(\d+)>")


@attrs.frozen
class Hostile:
    """A URL, and what its host leads to."""

    family: str
    url: str
    addresses: tuple[str, ...]

    def look_up(self, _host: str, _port: int) -> tuple[str, ...]:
        """Answer for its name, and for every other one that it may be taken for."""
        return self.addresses


def read_corpus() -> list[Hostile]:
    """Return every entry of the file."""
    entries: list[Hostile] = []
    family = ""
    for line in (Path(__file__).parent / "hostile.txt").read_text(encoding="ascii").splitlines():
        if line.startswith("## "):
            family = line[3:]
        elif line and not line.startswith("#"):
            written, _, answers = line.partition(" => ")
            whole = _REPEATED.sub(lambda match: match[1] * int(match[2]), written.replace("<nothing>", ""))
            url = whole.encode("ascii").decode("unicode_escape")
            addresses = () if answers == "-" else tuple(answers.split())
            entries.append(Hostile(family, url, addresses if answers else (PUBLIC,)))
    return entries
