"""Secrets inside longer texts: the files of a ConfigMap, and the words of a command."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import attrs

from akmatori_server.kubernetes.checks.secret_values import (
    is_secret,
    is_secret_name,
    is_stand_in,
    is_switch,
    recognised,
)

# What is longer is no file of settings; the rest of a long line is data.
_LONGEST_TEXT = 500_000
_LONGEST_LINE = 4_000
_LONGEST_SCRIPT = 50_000
_MOST = 50
# One of these is in every name of a secret: looking for them is quick.
_STEMS = ("pass", "pw", "secret", "token", "cred", "key", "auth")
_COMMENTS = ("#", ";", "//", "!", "--", "<!--", "%")
# What is written in a programming or text language assigns what it computes.
_CODE = ".py .js .mjs .ts .tsx .jsx .lua .rb .go .php .java .kt .groovy .rego .sql .html .htm .css .md .txt .pl .ps1"
_CODES = tuple(_CODE.split())
_SHELLS = (".sh", ".bash")

_NAME = r"[A-Za-z][\w.-]{0,150}"
_ASSIGNED = re.compile(rf"(?:export\s+|-\s+|set\s+)?[\"']?({_NAME})[\"']?\s*[=:]\s*(\S.*)")
# `requirepass x` of Redis, and the like of other servers.
_DIRECTIVE = re.compile(r"(requirepass|masterauth|[\w.-]{0,60}passw(?:or)?d)\s+(\S+)", re.IGNORECASE)
_QUOTED = re.compile(
    rf"(?<![\w.$-])({_NAME})[\"']?\s{{0,5}}[:=]\s{{0,5}}(?:\"([^\"]{{1,1000}})\"|'([^']{{1,1000}})')"
)
_ELEMENT = re.compile(rf"<({_NAME})>([^<>]{{1,1000}})</")
_ATTRIBUTE = re.compile(rf"\bname=\"({_NAME})\"\s{{1,5}}value=\"([^\"]{{1,1000}})\"")
_TRAILER = re.compile(r"\s+[#;].*|\s*[,;]\s*$")
_VARIABLE = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")
_SECRET_OF_CLUSTER = re.compile(r"[a-z]+(?:-[a-z]+)+")
_FILLED = ("${", "$(", "{{", "<%", "%(", "#{", "`")
_STARTS = ("$", "{", "[", "<", "&", "*", "|", ">", "%{", "!", "@", "ENC")

_WORD = re.compile(r"""((?:[^\s;|&()"'\\`]|\\.|"(?:[^"\\]|\\.)*"|'[^']*')+)|([;|&()\n`])""", re.DOTALL)
_OPTION_VALUE = re.compile(r"[A-Za-z_][\w.-]{0,150}=")
_MYSQL = frozenset(
    {"mysql", "mysqldump", "mysqladmin", "mysqlimport", "mariadb", "mariadb-dump", "mariadb-admin"}
)


@attrs.frozen
class WrittenLine:
    """A line of a file that holds a secret."""

    number: int
    name: str
    """What the secret is called there."""


def secret_lines(file: str, text: str) -> Iterator[WrittenLine]:
    """Return the lines of a file of settings that hold a secret under its name, such as `db.password=x`.

    Args:
        file: Its name, whose ending tells what it is written in.
        text: What is in it.
    """
    text = text[:_LONGEST_TEXT]
    ending = file.lower()
    if ending.endswith(_CODES) or not _has_stem(text):
        return
    is_script = ending.endswith(_SHELLS) or (text.startswith("#!") and "sh" in text[:100].split("\n", 1)[0])
    if text.startswith("#!") and not is_script:
        return
    count = 0
    for number, line in enumerate(text.split("\n"), 1):
        written = line[:_LONGEST_LINE].strip()
        if not _has_stem(written) or written.startswith(_COMMENTS):
            continue
        found = _in_script(written, 0) if is_script else _in_line(written)
        for name in dict.fromkeys(found):
            yield WrittenLine(number, name)
            count += 1
            if count == _MOST:
                return


def _has_stem(text: str) -> bool:
    lower = text.lower()
    return any(stem in lower for stem in _STEMS)


def _in_line(line: str) -> Iterator[str]:
    if (assigned := _ASSIGNED.fullmatch(line) or _DIRECTIVE.fullmatch(line)) and _is_setting(
        *assigned.groups()
    ):
        yield assigned[1][:100]
    elif '"' in line or "'" in line:
        for name, double, single in _QUOTED.findall(line):
            if _is_setting(name, double or single):
                yield name[:100]
        for name, value in _ATTRIBUTE.findall(line):
            if _is_setting(name, value):
                yield name[:100]
    if "</" in line:
        for name, value in _ELEMENT.findall(line):
            if _is_setting(name, value):
                yield name[:100]


def _is_setting(name: str, written: str) -> bool:
    if not is_secret_name(name):
        return False
    value = _TRAILER.sub("", written).strip()
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
        value = value[1:-1].strip()
    is_filled = value.startswith(_STARTS) or any(mark in value for mark in _FILLED) or is_stand_in(value)
    if not value or is_filled or any(mark.isspace() for mark in value) or _is_elsewhere(name, value):
        return False
    # `login.password=Password`, of a page in some language.
    is_caption = value.istitle() and name.lower().endswith(value.lower())
    return not is_caption and recognised(value) is None and is_secret(name, value)


def _is_elsewhere(name: str, value: str) -> bool:
    """Whether a value is only what a secret is called where it is kept."""
    if name.lower() in ("secret", "secrets"):
        return _SECRET_OF_CLUSTER.fullmatch(value) is not None
    # The variable, or the key of a Secret.
    is_named = _VARIABLE.fullmatch(value) is not None or name.lower().endswith("key")
    return is_named and is_secret_name(value) and not any(mark.isdigit() for mark in value)


def secret_words(words: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Return the places of secrets among the words of a command, and what is there without the secret itself.

    A word may be a script, as after `sh -c`.
    """
    return _in_words(words, 0)


def _in_words(words: Sequence[str], depth: int) -> Iterator[tuple[int, str]]:
    program, before = "", ""
    for index, word in enumerate(words):
        told = _told(program, before, word)
        if told:
            yield index, told
        elif depth < 3 and any(mark.isspace() for mark in word):
            yield from ((index, inner) for inner in dict.fromkeys(_in_script(word, depth + 1)))
        name = word.rpartition("/")[2]
        if name in _MYSQL or name in ("curl", "sshpass", "redis-cli"):
            program = name
        before = word


def _in_script(script: str, depth: int) -> Iterator[str]:
    command: list[str] = []
    is_comment = False
    for word, end in _WORD.findall(script[:_LONGEST_SCRIPT]):
        is_comment = end != "\n" and (is_comment or word.startswith("#"))
        if end:
            yield from (told for _, told in _in_words(command, depth))
            command = []
        elif not is_comment:
            command.append(word.strip("\"'") if " " in word else word.replace('"', "").replace("'", ""))
    yield from (told for _, told in _in_words(command, depth))


def _told(program: str, before: str, word: str) -> str:
    """Return what of a word may be told, where it is a secret."""
    name, is_assigned, value = word.partition("=")
    is_option = name.startswith("-")
    if is_assigned and not any(mark.isspace() for mark in name):
        if is_secret_name(name) and _is_given(value) and is_secret(name, value):
            return f"{name[:100]}=…"
        if is_option and _OPTION_VALUE.match(value):
            # --from-literal=password=x
            return _told("", "", value)
    if _is_lone_option(before) and not is_option and _is_given(word) and is_secret(before, word):
        return f"{before[:100]} …"
    return _of_program(program, before, word)


def _is_lone_option(word: str) -> bool:
    return word.startswith("-") and "=" not in word and is_secret_name(word) and not is_switch(word)


def _of_program(program: str, before: str, word: str) -> str:
    if program in _MYSQL or program == "sshpass":
        if len(word) > 2 and word.startswith("-p") and _is_given(word[2:]):
            return f"{program} -p…"
        if program == "sshpass" and before == "-p" and _is_given(word):
            return f"{program} -p …"
    if program == "redis-cli" and before == "-a" and _is_given(word):
        return f"{program} -a …"
    if program == "curl":
        user = word if before in ("-u", "--user") else word[2:] if word.startswith("-u") else ""
        _, _, password = user.partition(":")
        if _is_given(password):
            return f"{program} -u …"
    return ""


def _is_given(value: str) -> bool:
    """Whether a value is written, and not taken from a variable or a command."""
    text = value.strip("\"'")
    if not text or text.startswith(("$", "@/", "@.", "<", "%")) or any(mark.isspace() for mark in text):
        return False
    return not any(mark in text for mark in _FILLED)
