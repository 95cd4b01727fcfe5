"""Files that are not read, because what is in them is a secret.

Links are not followed: this decides by names alone. What the user who logs in may not read stays unread anyway.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, TypeAlias

import attrs
import yaml

from akmatori_server.command_gate.models import RefusedError, Word
from akmatori_server.command_gate.patterns import of_pattern, overlap, symbols

_Symbols: TypeAlias = tuple[str, ...]
_LONGEST_PATTERN = 1000
# Where secrets lie about under any name.
_HOLDS_SECRETS = "may hold secrets, and is not read; ls -l and stat tell whether it is there, and whose it is"
_TOO_WIDE = tuple(of_pattern(name) for name in ("proc", "run", "root", "home", "boot"))


# What is put behind the name of a file by whoever keeps the one before; of a pattern, behind what is written out.
_KEPT = re.compile(
    r"(.+?)(~|[._-](bak|backup|old|orig|save|swp|copy|dist|gz|xz|bz2|rpmsave|rpmnew|rpmorig|(ucf|dpkg)-[a-z]+))+"
)
_KEPT_BEGUN = re.compile(r"(.+)(~|[._][a-z-]*)")


@attrs.frozen(kw_only=True)
class _Rules:
    names: tuple[str, ...]
    words: tuple[str, ...]
    folders: tuple[str, ...]
    open_files: tuple[str, ...]
    paths: tuple[str, ...]
    process_files: tuple[str, ...]
    open_trees: tuple[str, ...]
    open_paths: tuple[str, ...]
    plain_names: tuple[str, ...]
    instead: Mapping[str, str]
    # Files of settings, each with a key of it that may be shown.
    settings: Mapping[str, str]
    harmless_keys: frozenset[str]


@cache
def _rules() -> _Rules:
    text = (files("akmatori_server.command_gate") / "sensitive.yaml").read_text(encoding="utf-8")
    document: dict[str, Any] = yaml.safe_load(text)
    instead: Mapping[str, str] = document.pop("instead")
    listed: Mapping[str, str] = document.pop("settings")
    settings = {name.casefold(): key.casefold() for names, key in listed.items() for name in names.split()}
    keys = frozenset(document.pop("harmless_keys").split())
    lists = {name: tuple(entries) for name, entries in document.items()}
    return _Rules(instead=instead, settings=settings, harmless_keys=keys, **lists)


def check_readable(word: Word, *, whole: bool = True) -> None:
    """Refuse a path whose content may be a secret.

    Args:
        word: the path.
        whole: whether all of the file is shown; else settings with a secret among them are looked at by the caller.

    Raises:
        RefusedError: it is, or a pattern in it could match one that is.
    """
    if word.text == "-":
        return
    check_pattern_place(word)
    if word.wild and len(word.text) > _LONGEST_PATTERN:
        raise RefusedError(f"A pattern of file names has {_LONGEST_PATTERN} letters at most.")
    steps = _steps(word)
    if (".", ".") in steps:
        raise RefusedError(f"Write the path {word.text} without .. in it.")
    reason = _reason(word, steps)
    if reason:
        raise RefusedError(f"{word.text} {reason}.")
    key = settings_key(word) if whole else ""
    if key:
        raise RefusedError(
            f"{word.text} usually has a password or token among its settings, and is not shown; ask for a harmless one"
            f" by name, such as grep {key} FILE, or ask the program, such as with systemctl status."
        )


def settings_key(word: Word) -> str:
    """Return a key that may be asked for, when a path may be that of settings with a secret among them, else ""."""
    steps = _steps(word)
    rules = _rules()
    if not steps or _is_open_file(word, steps, rules) or _is_open_pattern(word, steps, rules):
        return ""
    forms = (steps, _first_kept(steps))
    return next((key for name, key in rules.settings.items() if any(_ends(form, name) for form in forms)), "")


def holds_settings(word: Word) -> bool:
    """Whether a directory is one in which settings are, a secret among them: /etc/mysql."""
    steps = _steps(word)
    folders = (path.rpartition("/")[0] for path in _rules().settings if path.startswith("/"))
    return any(_begins(steps, folder) or _begins(_path_steps(folder), _join(steps)) for folder in folders)


def harmless_keys() -> frozenset[str]:
    """Return the names of settings that may be shown, in lower case."""
    return _rules().harmless_keys


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


def never_read(*, with_settings: bool = True) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the patterns of file names and of directory names that a search leaves out.

    Of a name with a folder in front only the name counts: it is left out of more than it has to be. What is a whole
    path is not among them: directories with such are asked about by `holds_settings`.
    """
    rules = _rules()
    words = tuple(f"*{word}*" for word in rules.words)
    paths = (*rules.names, *(rules.settings if with_settings else ()))
    names = (path.rpartition("/")[2] for path in paths if not path.startswith("/"))
    return (*dict.fromkeys(names), *words), rules.folders


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
    if not steps or _is_open_file(word, steps, rules):
        return ""
    if steps[0] == of_pattern("proc") and len(steps) > 1 and _is_secret_of_process(steps, rules):
        return "shows a process's environment, memory or files, which may hold secrets"
    # A relative path is also looked at as if it began at the root: who knows where the user's home is.
    is_exception = not word.wild and any(_begins(steps, path) for path in rules.open_paths)
    if not is_exception and any(_begins(steps, path) for path in rules.paths):
        places = (place for place in rules.instead if _is_at_or_beneath(steps, place))
        return next((rules.instead[place] for place in places), _HOLDS_SECRETS)
    is_open = _is_in_open_tree(word, steps, rules)
    for at, step in enumerate(steps):
        # With a slash at its end a path leads to a directory, or nowhere.
        is_last = at == len(steps) - 1 and not word.text.endswith("/")
        is_suspect = not (is_open and any(symbol.startswith("wild") for symbol in step))
        if is_suspect and any(
            _ends(steps[: at + 1], name)
            for name in (*rules.folders, *(_names_of(step, rules) if is_last else ()))
        ):
            return _HOLDS_SECRETS
    text = "".join(symbol for symbol in steps[-1] if not symbol.startswith("wild"))
    if any(part in text for part in rules.words):
        return "is named like a secret, and is not read"
    kept = _first_kept(steps)
    is_copy = bool(kept) and any(_ends(kept, name) for name in rules.names if name != ".*")
    return _HOLDS_SECRETS if is_copy else ""


def _is_open_file(word: Word, steps: Sequence[_Symbols], rules: _Rules) -> bool:
    """Whether this is a file that may be read whatever its name says; a pattern has to be the one in the list."""
    return word.text.startswith("/") and any(
        len(steps) == len(names) and all(map(_is_within, steps, names))
        for names in map(_path_steps, rules.open_files)
    )


def _is_within(step: _Symbols, name: _Symbols) -> bool:
    return step == name or (name == of_pattern("*") and not any(symbol.startswith("wild") for symbol in step))


def _is_in_open_tree(word: Word, steps: Sequence[_Symbols], rules: _Rules) -> bool:
    return word.text.startswith("/") and any(_is_beneath(steps, tree) for tree in rules.open_trees)


def _is_open_pattern(word: Word, steps: Sequence[_Symbols], rules: _Rules) -> bool:
    is_pattern = any(symbol.startswith("wild") for symbol in steps[-1])
    return is_pattern and _is_in_open_tree(word, steps, rules)


def _ends(steps: Sequence[_Symbols], path: str) -> bool:
    """Whether a path may end with these names; with a slash in front of them, whether it may be of these."""
    names = path.strip("/").split("/")
    is_long_enough = len(steps) == len(names) if path.startswith("/") else len(steps) >= len(names)
    return is_long_enough and all(map(_may_be, steps[-len(names) :], names))


def _first_kept(steps: Sequence[_Symbols]) -> Sequence[_Symbols]:
    """Return the path of which this one is an older copy, as its name says; empty when it is none."""
    text = "".join(itertools.takewhile(lambda symbol: not symbol.startswith("wild"), steps[-1]))
    found = (_KEPT if len(text) == len(steps[-1]) else _KEPT_BEGUN).fullmatch(text)
    return [*steps[:-1], tuple(found[1])] if found else []


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
