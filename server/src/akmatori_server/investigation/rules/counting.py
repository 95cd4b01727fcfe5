"""Counts as people write them."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: 1 check, 2 checks."""
    return f"{number} {noun if number == 1 else f'{noun}s'}"


def sentence(text: str) -> str:
    """Return a text that ends with one stop."""
    return f"{text.rstrip().rstrip('.')}."
