"""Files that are not read, because what is in them is a secret.

Links are not followed: this decides by names alone. What the user who logs in may not read stays unread anyway.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, TypeAlias

import attrs
import yaml

from akmatori_server.command_gate.models import RefusedError, Word
from akmatori_server.command_gate.patterns import of_pattern, overlap, symbols

_Symbols: TypeAlias = tuple[str, ...]
# Where secrets lie about under any name.
_HOLDS_SECRETS = "may hold secrets, and is not read"
_TOO_WIDE = tuple(of_pattern(name) for name in ("proc", "run", "root", "home", "boot"))


@attrs.frozen(kw_only=True)
class _Rules:
    names: tuple[str, ...]
    words: tuple[str, ...]
    folders: tuple[str, ...]
    paths: tuple[str, ...]
    process_files: tuple[str, ...]
    open_trees: tuple[str, ...]
    open_paths: tuple[str, ...]
    plain_names: tuple[str, ...]
    instead: Mapping[str, str]


@cache
def _rules() -> _Rules:
    text = (files("akmatori_server.command_gate") / "sensitive.yaml").read_text(encoding="utf-8")
    document: dict[str, Any] = yaml.safe_load(text)
    instead: Mapping[str, str] = document.pop("instead")
    return _Rules(instead=instead, **{name: tuple(entries) for name, entries in document.items()})


def check_readable(word: Word) -> None:
    """Refuse a path whose content may be a secret.

    Raises:
        RefusedError: it is, or a pattern in it could match one that is.
    """
    if word.text == "-":
        return
    check_pattern_place(word)
    steps = _steps(word)
    if (".", ".") in steps:
        raise RefusedError(f"Write the path {word.text} without .. in it.")
    reason = _reason(word, steps)
    if reason:
        raise RefusedError(f"{word.text} {reason}.")


def check_tree(word: Word) -> None:
    """Refuse a directory of which everything beneath is read, with exceptions for files of certain names only.

    Raises:
        RefusedError: it is too wide, or a secret itself.
    """
    check_readable(word)
    if word.wild:
        raise RefusedError("Name the directory to search beneath without a pattern.")
    steps = _steps(word)
    holds_secrets = any(_begins(of_path, _join(steps)) for of_path in map(_path_steps, _rules().paths))
    if not word.text.startswith("/") or holds_secrets or not steps or steps[0] in _TOO_WIDE:
        raise RefusedError(
            f"Searching everything beneath {word.text} would read secrets, too; name a narrower directory, such as"
            " /var/log or /etc/nginx."
        )


def check_pattern_place(word: Word) -> None:
    """Refuse a pattern whose matches could be taken for options.

    Raises:
        RefusedError: its first step is a pattern.
    """
    first = word.text.find("/")
    if word.wild and (first < 0 or min(word.wild) < first or word.text.startswith("-")):
        raise RefusedError(
            f"Begin the pattern {word.text} with a directory, such as /var/log or ./ for this one."
        )


def never_read() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the patterns of file names and of directory names that a search leaves out."""
    rules = _rules()
    words = tuple(f"*{word}*" for word in rules.words)
    return (*rules.names, *words), rules.folders


def _steps(word: Word) -> list[_Symbols]:
    """Return the names between the slashes, in lower case, each as symbols."""
    steps: list[list[str]] = [[]]
    for symbol in symbols(word):
        if symbol == "/":
            steps.append([])
        else:
            steps[-1].append(symbol if symbol.startswith("wild") else symbol.casefold())
    found = [tuple(step) for step in steps if step not in ([], ["."])]
    # A link on every system of today.
    return found[1:] if found[:2] == [of_pattern("var"), of_pattern("run")] else found


def _path_steps(path: str) -> list[_Symbols]:
    return [of_pattern(name) for name in path.strip("/").split("/")]


def _join(steps: Sequence[_Symbols]) -> str:
    return "/".join("".join(step) for step in steps)


def _reason(word: Word, steps: Sequence[_Symbols]) -> str:
    rules = _rules()
    if not steps:
        return ""
    if steps[0] == of_pattern("proc") and len(steps) > 1 and _is_secret_of_process(steps, rules):
        return "shows a process's environment, memory or files, which may hold secrets"
    # A relative path is also looked at as if it began at the root: who knows where the user's home is.
    is_exception = not word.wild and any(_begins(steps, path) for path in rules.open_paths)
    if not is_exception and any(_begins(steps, path) for path in rules.paths):
        places = (place for place in rules.instead if _is_at_or_beneath(steps, place))
        return next((rules.instead[place] for place in places), _HOLDS_SECRETS)
    is_open = word.text.startswith("/") and any(_is_beneath(steps, tree) for tree in rules.open_trees)
    for at, step in enumerate(steps):
        # With a slash at its end a path leads to a directory, or nowhere.
        is_last = at == len(steps) - 1 and not word.text.endswith("/")
        is_suspect = not (is_open and any(symbol.startswith("wild") for symbol in step))
        if is_suspect and any(
            _may_be(step, name) for name in (*rules.folders, *(_names_of(step, rules) if is_last else ()))
        ):
            return _HOLDS_SECRETS
    text = "".join(symbol for symbol in steps[-1] if not symbol.startswith("wild"))
    if any(part in text for part in rules.words):
        return "is named like a secret, and is not read"
    return ""


def _names_of(step: _Symbols, rules: _Rules) -> tuple[str, ...]:
    """Return the names that a file may not have; one that is known to be plain may begin with a dot."""
    return () if any(step == of_pattern(name) for name in rules.plain_names) else rules.names


def _may_be(step: _Symbols, name: str) -> bool:
    # The shell's patterns match no name that begins with a dot, unless they begin with one, too.
    if name.startswith(".") and step[0].startswith("wild"):
        return False
    if "*" not in name and "?" not in name and not any(symbol.startswith("wild") for symbol in step):
        return "".join(step) == name
    return overlap(step, of_pattern(name))


def _begins(steps: Sequence[_Symbols], path: str) -> bool:
    names = path.strip("/").split("/")
    return len(steps) >= len(names) and all(
        _may_be(step, name) for step, name in zip(steps, names, strict=False)
    )


def _is_beneath(steps: Sequence[_Symbols], tree: str) -> bool:
    names = tree.strip("/").split("/")
    return len(steps) > len(names) and all(
        step == of_pattern(name) for step, name in zip(steps, names, strict=False)
    )


def _is_at_or_beneath(steps: Sequence[_Symbols], tree: str) -> bool:
    return _is_beneath(steps, tree) or "/".join("".join(step) for step in steps) == tree.strip("/")


def _is_secret_of_process(steps: Sequence[_Symbols], rules: _Rules) -> bool:
    """Whether this is beneath /proc/PID, and not one of the files that only tell about the process."""
    second = steps[1]
    digits = [symbol for symbol in second if symbol.isdecimal()]
    wild = [symbol for symbol in second if symbol.startswith("wild")]
    is_process = len(digits) + len(wild) == len(second) or any(
        _may_be(second, name) for name in ("self", "thread-self")
    )
    if not is_process:
        return False
    rest = list(steps[2:])
    if rest and rest[0] == of_pattern("task"):
        rest = rest[2:]
    if not rest:
        return False
    known = any(rest[0] == of_pattern(name) for name in rules.process_files)
    return not known or (len(rest) > 1 and rest[0] != of_pattern("net"))
