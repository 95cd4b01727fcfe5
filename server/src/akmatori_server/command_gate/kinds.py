"""The kinds of values that options and operands take, and how each is checked."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache

from akmatori_server.command_gate.models import RefusedError, Word
from akmatori_server.command_gate.scripts.awk import check_awk
from akmatori_server.command_gate.scripts.jq import check_jq
from akmatori_server.command_gate.scripts.sed import check_sed
from akmatori_server.command_gate.sensitive import check_pattern_place, check_readable
from akmatori_server.command_gate.units import check_properties

# With sudo a file's own permissions say nothing any more, so what is read is only what is made to be read: logs.
ROOT_READS = "/var/log/"

_PATTERNS: Mapping[str, str] = {
    "number": r"^[0-9]{1,9}$",
    "count": r"^([1-9]|[1-5][0-9]|60)$",
    "seconds": r"^[0-9]{1,4}(\.[0-9]{1,3})?$",
    "size": r"^[+-]?[0-9]{1,12}[A-Za-z]{0,3}$",
    "word": r"^[A-Za-z0-9_][A-Za-z0-9_.,:@%+=-]*$",
    "words": r"^[A-Za-z0-9_*][A-Za-z0-9_.,:@%+=* -]*$",
    "host": r"^[A-Za-z0-9_:.][A-Za-z0-9_.:%-]*$",
    # A name, with the shell's patterns for the command itself.
    "unit": r"^[A-Za-z0-9_*?@\[][A-Za-z0-9_.:@*?\[\]\\-]*$",
    "column": r"^[A-Za-z0-9_,.%:=+-]+$",
    "time": r"^[A-Za-z0-9@+-][A-Za-z0-9 :.,@/+-]*$",
    "health": r"^/(readyz|livez|healthz)(/[a-z0-9-]+)*(\?verbose(=1|=true)?(&exclude=[a-z0-9-]+)*)?$",
    "switch": r"^(true|false|always|never|auto|yes|no)$",
}
_WORDS: Mapping[str, str] = {
    "number": "a whole number",
    "count": "a number from 1 to 60",
    "seconds": "a number of seconds",
    "size": "a number",
    "host": "a host name or address",
    "time": "a time",
    "health": "/readyz, /livez and /healthz",
}


def check_value(kind: str, word: Word, *, of: str, as_root: bool) -> Word:
    """Return a value as it is passed on.

    Args:
        kind: what it has to be.
        word: the value.
        of: what it is given to, for the sentence.
        as_root: whether it is for a command that runs with sudo.

    Raises:
        RefusedError: it is something else.
    """
    if kind in {"read", "searched"}:
        check_readable(word, whole=kind == "read")
        if as_root:
            _check_root_reads(word)
        return word
    if kind == "name":
        check_pattern_place(word)
        return word
    # No file names are matched; whoever leaves out the quotes means the text.
    plain = word.literal()
    if kind == "any":
        return plain
    if kind in _CHECKS:
        _CHECKS[kind](plain.text)
        return plain
    if _expression(_PATTERNS.get(kind, kind)).fullmatch(plain.text) is None:
        shown = plain.text if len(plain.text) <= 60 else f"{plain.text[:60]}…"
        expected = f"; it takes {_WORDS[kind]}" if kind in _WORDS else ""
        raise RefusedError(f"{of} is not given “{shown}”{expected}.")
    return plain


def _check_root_reads(word: Word) -> None:
    if word.text != "-" and not word.text.startswith(ROOT_READS):
        raise RefusedError(
            f"With sudo only files beneath {ROOT_READS} are read; leave sudo out for {word.text}."
        )


@cache
def _expression(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


_FIELD = re.compile(
    r"\{\{\s*(json\s+|len\s+|upper\s+|lower\s+)?\."
    r"(State|Id|Name|Image|Created|RestartCount|Platform|Driver|LogPath|NetworkSettings|Mounts|SizeRw|SizeRootFs"
    # Of the log only the kind, since its options may have tokens; of the health check nothing, which may have some.
    r"|HostConfig\.(RestartPolicy|Memory|NanoCpus|CpuShares|NetworkMode|PortBindings|LogConfig\.Type|PidsLimit|Binds)"
    r"|Config\.(Image|Hostname|User|ExposedPorts|WorkingDir))(\.[A-Za-z0-9_]+)*\s*\}\}"
)


def _check_inspection(text: str) -> None:
    """Accept a template of plain fields, none of which holds the environment."""
    rest = _FIELD.sub("", text)
    if "{{" in rest or "}}" in rest or rest == text:
        raise RefusedError(
            "docker inspect shows the environment of a container, where its passwords are; ask for fields, such as"
            " --format '{{json .State}}' or '{{.RestartCount}}'."
        )


_NETWORK_FIELD = re.compile(
    r"\{\{\s*(json\s+|len\s+)?\.(Name|Id|Created|Scope|Driver|EnableIPv4|EnableIPv6|IPAM\.Config|IPAM|Internal|Attachable"
    r"|Ingress|Containers)\s*\}\}"
)


def _check_network(text: str) -> None:
    """Accept a template of plain fields, none of which holds options of drivers or labels."""
    rest = _NETWORK_FIELD.sub("", text)
    if "{{" in rest or "}}" in rest or rest == text:
        raise RefusedError(
            "docker network inspect shows the options of drivers and labels, which may hold passwords; ask for fields,"
            " such as --format '{{json .IPAM}} {{json .Containers}}'."
        )


_RESULT = re.compile(r"(json|yaml|wide|name)|(jsonpath|jsonpath-as-json|custom-columns|go-template)=.*")


def _check_result(text: str) -> None:
    if _RESULT.fullmatch(text) is None:
        raise RefusedError(
            "kubectl -o takes json, yaml, wide, name, jsonpath=, custom-columns= or go-template=."
        )


_HISTORY = re.compile(r"\{\{\s*(json\s+)?\.(ID|CreatedAt|CreatedSince|Size)\s*\}\}")


def _check_history(text: str) -> None:
    """Accept when and how large: the commands an image was made with have ENV lines among them."""
    rest = _HISTORY.sub("", text.removeprefix("table "))
    if "{{" in rest or "}}" in rest or rest == text.removeprefix("table "):
        raise RefusedError(
            "docker history shows the commands an image was made with, passwords in ENV and ARG among them; ask for"
            " --format '{{.ID}} {{.CreatedSince}} {{.Size}}'."
        )


_CHECKS: Mapping[str, Callable[[str], None]] = {
    "awk": check_awk,
    "sed": check_sed,
    "jq": check_jq,
    "inspection": _check_inspection,
    "network": _check_network,
    "result": _check_result,
    "history": _check_history,
    "properties": check_properties,
}
