"""Naming an alert when its source does not: the same labels are the same alert."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256

LONGEST = 255
# FNV-1a with 64 bits, the hash Alertmanager itself makes fingerprints with.
_OFFSET = 14695981039346656037
_PRIME = 1099511628211
_SEPARATOR = b"\xff"


def label_fingerprint(labels: Mapping[str, str]) -> str:
    """Return the fingerprint that Alertmanager gives an alert with these labels."""
    value = _OFFSET
    for name in sorted(labels, key=str.encode):
        for byte in name.encode() + _SEPARATOR + labels[name].encode() + _SEPARATOR:
            value = ((value ^ byte) * _PRIME) & 0xFFFF_FFFF_FFFF_FFFF
    return f"{value:016x}"


def fingerprint(given: str, labels: Mapping[str, str], *, identity: str) -> str:
    """Return the fingerprint the source gave, else one made from the labels, else from `identity`.

    One too long for its column is replaced by its digest: cut off, two alerts could become the same.
    """
    if given:
        return given if len(given) <= LONGEST else sha256(given.encode()).hexdigest()
    return label_fingerprint(labels) if labels else sha256(identity.encode()).hexdigest()
