"""Whether a value holds a secret, however deep in it: a whole container has its variables and arguments in it."""

from __future__ import annotations

import re

from akmatori_server.kubernetes.checks.secret_lines import secret_lines, secret_words
from akmatori_server.kubernetes.checks.secret_values import (
    is_dense,
    is_secret_name,
    may_be_secret,
    recognised,
)
from akmatori_server.kubernetes.manifests import Node

# `--password=x`, `-Dtoken=x`, `PASSWORD=x`, as arguments have it.
_ASSIGNED = re.compile(r"-{0,2}(?:D)?([A-Za-z][\w.-]{0,100})[=:](.+)", re.DOTALL)


def holds_secret(node: Node) -> bool:
    """Whether there is a secret in a value: by the name beside it, or by how it looks."""
    if node.members is not None:
        return _in_members(node)
    if node.items is not None:
        return _in_items(node)
    return is_secret_text(node.text())


def is_secret_text(text: str) -> bool:
    """Whether a text is a secret, or has one in it."""
    assigned = _ASSIGNED.fullmatch(text.strip())
    if assigned is not None and is_secret_name(assigned[1]) and may_be_secret(assigned[2]):
        return True
    if recognised(text) is not None or is_dense(text):
        return True
    # A file of settings, or a script.
    return any(True for _ in secret_lines("", text)) or any(True for _ in secret_words([text]))


def _in_members(node: Node) -> bool:
    # A variable: its name is a value, too.
    if is_secret_name(node.get("name").text()) and may_be_secret(node.get("value").text()):
        return True
    return any(
        (is_secret_name(name) and member.scalar is not None and may_be_secret(member.text()))
        or holds_secret(member)
        for name, member in node.named()
    )


def _in_items(node: Node) -> bool:
    before = ""
    for item in node.each():
        text = item.text()
        # `--password`, and its value as the next argument.
        if before.startswith("-") and is_secret_name(before.lstrip("-")) and may_be_secret(text):
            return True
        if holds_secret(item):
            return True
        before = text
    return any(True for _ in secret_words([item.text() for item in node.each()]))
