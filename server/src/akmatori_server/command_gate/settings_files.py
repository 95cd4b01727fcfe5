"""Single settings out of files that have a password among them: only by harmless names, at the beginning of a line."""

from __future__ import annotations

import re
from collections.abc import Sequence

from akmatori_server.command_gate.models import Word
from akmatori_server.command_gate.options import Arguments
from akmatori_server.command_gate.sensitive import harmless_keys, holds_settings, settings_key

# With these a line is shown because of the name at its beginning, and nothing around it.
_OPTIONS = frozenset(
    [
        "-E",
        "--extended-regexp",
        "-i",
        "--ignore-case",
        "-w",
        "--word-regexp",
        "-n",
        "--line-number",
        "-H",
        "--with-filename",
        "-h",
        "--no-filename",
        "-s",
        "--no-messages",
        "-r",
        "--recursive",
        "-c",
        "--count",
        "-l",
        "--files-with-matches",
        "--include",
        "--exclude",
        "--exclude-dir",
        "--color",
        "--colour",
    ]
)
# Nothing else is set behind it in the same line, as in JSON on few lines, or a list of databases.
_ALONE = "([^=,]|,[^\"'[:space:]])*"
_BLANKS = ("\\s*", "[[:space:]]*", "[ \\t]*", " *")
_OR = re.compile(r"\\?\|")


def ask_by_name(arguments: Arguments) -> bool:
    """Have grep look for harmless settings only, when that is what it was asked for; say whether it was.

    The pattern is written anew: it matches these names in full, at the beginning of a line.
    """
    if arguments.name not in {"grep", "egrep"} or not arguments.operands:
        return False
    names = _names(arguments.operands[0].text)
    if not names or any(option not in _OPTIONS for option, _ in arguments.options):
        return False
    either = "|".join(name.replace(".", "[.]") for name in names)
    arguments.operands[0] = Word(f"^[[:space:]]*[\"']?({either})[\"']?[[:space:]]*[[:space:]=:]{_ALONE}$")
    arguments.words.insert(0, Word("-E"))
    return True


def needs_a_name(words: Sequence[Word]) -> str:
    """Return the sentence for a search in files of settings, or their directories, that could show anything."""
    word = next((word for word in words if settings_key(word) or holds_settings(word)), words[0])
    key = settings_key(word)
    example = f"grep {key} {word.text}" if key else f"grep -r max_connections {word.text}"
    return (
        f"{word.text} usually has a password or token among its settings: give grep the whole names of harmless ones,"
        f" such as {example}, and no options that show the lines around them."
    )


def _names(pattern: str) -> list[str]:
    r"""Return the names in a pattern such as `port`, `^port`, `^\s*port`, `^(port|bind)`; none if it is another."""
    whole = _without_start(pattern)
    for opening, closing in (("\\(", "\\)"), ("(", ")")):
        if whole.startswith(opening) and whole.endswith(closing):
            whole = whole[len(opening) : -len(closing)]
    names = [_without_start(name).rstrip(" =:") for name in _OR.split(whole)]
    return names if all(name.casefold() in harmless_keys() for name in names) else []


def _without_start(text: str) -> str:
    text = text.removeprefix("^")
    for blanks in _BLANKS:
        text = text.removeprefix(blanks)
    return text
