"""What each command may be given, read from the files in `commands/`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import attrs
import yaml

# The parser in C, where PyYAML has it.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

FAMILIES = (
    "reading",
    "filters",
    "finding",
    "system",
    "processes",
    "network",
    "services",
    "containers",
    "packages",
)
# Like getopt, GNU style; like Go's pflag; or words of which those with a dash are options (find, test).
GETOPT, PFLAG, WORDS = "getopt", "pflag", "words"
MANY = 200


@attrs.frozen(kw_only=True)
class Grammar:
    """The arguments that a command may be given. What is not listed is refused.

    Kinds of values are those of `kinds.py`; one that begins with ^ is a regular expression.
    """

    style: str = GETOPT
    # Options without a value.
    flags: frozenset[str] = frozenset()
    # Options with a value, and its kind.
    values: Mapping[str, str] = attrs.field(factory=dict[str, str])
    # Options whose value, if there is any, is part of the same word.
    optional: Mapping[str, str] = attrs.field(factory=dict[str, str])
    # Whether words that begin with a dash may be operands: to echo they are texts.
    takes_dashes: bool = False
    # Whether what stands behind an option may belong to it, so that the order is kept.
    keeps_order: bool = False
    # Whether -20 is an option.
    numeric: bool = False
    # The kind of the first operand, unless one of the options is given that takes its place.
    first: str = ""
    first_unless: tuple[str, ...] = ()
    # The kind of the (other) operands; "" for none.
    operands: str = ""
    # The sentence for an operand that is not of the kind; without it the one of the kind.
    operand_sentence: str = ""
    least: int = 0
    # The sentence for fewer operands than that.
    least_sentence: str = ""
    most: int = MANY
    # One of these options must be given, and the sentence that says so.
    needs: tuple[str, ...] = ()
    needs_sentence: str = ""
    # Options, and subcommands, that are known and refused, with the reason.
    refused: Mapping[str, str] = attrs.field(factory=dict[str, str])
    # What is looked at beside that: names of `checks.py`.
    checks: tuple[str, ...] = ()
    subcommands: Mapping[str, Grammar] = attrs.field(factory=dict[str, "Grammar"])
    # The program that runs in its place.
    runs: str = ""
    # A program for sed that leaves out of the output what may be a secret.
    without: str = ""
    # Options that are always added.
    adds: tuple[str, ...] = ()
    # Whether it may run with sudo.
    sudo: bool = False


@cache
def grammars() -> Mapping[str, Grammar]:
    """Return the grammar of each command that is allowed."""
    folder = files("akmatori_server.command_gate") / "commands"
    found: dict[str, Grammar] = {}
    for family in FAMILIES:
        document: Mapping[str, Mapping[str, Any]] = _load(
            (folder / f"{family}.yaml").read_text(encoding="utf-8")
        )
        for names, entry in document.items():
            for name in names.split():
                found[name] = _grammar(entry, Grammar())
    return found


@cache
def refused_commands() -> Mapping[str, str]:
    """Return the commands that are known and not allowed, each with the reason."""
    text = (files("akmatori_server.command_gate") / "commands" / "refused.yaml").read_text(encoding="utf-8")
    document: Mapping[str, str] = _load(text)
    return {name: sentence for names, sentence in document.items() for name in names.split()}


def _load(text: str) -> Any:
    return yaml.load(text, Loader=_LOADER)  # noqa: S506  both are safe ones


def _grammar(entry: Mapping[str, Any], parent: Grammar) -> Grammar:
    members = dict(entry)
    shared: Mapping[str, Any] = members.pop("all", {})
    children: Mapping[str, Mapping[str, Any]] = members.pop("subcommands", {})
    inherited = _members(shared)
    grammar = Grammar(**_merged(attrs.asdict(parent, recurse=False), _members(members), inherited))
    members_passed_on: dict[str, Any] = _merged({}, inherited, {})
    passed_on = attrs.evolve(Grammar(**members_passed_on), style=grammar.style, sudo=grammar.sudo)
    subcommands = {
        name: _grammar(child or {}, passed_on) for names, child in children.items() for name in names.split()
    }
    return attrs.evolve(grammar, subcommands=subcommands)


def _members(entry: Mapping[str, Any]) -> dict[str, Any]:
    members = dict(entry)
    for name in ("values", "optional", "refused"):
        # Options that share a kind share a line.
        listed: Mapping[str, str] = members.get(name) or {}
        members[name] = {option: kind for options, kind in listed.items() for option in options.split()}
    members["flags"] = frozenset(str(members.get("flags", "")).split())
    for name in ("first_unless", "needs", "checks", "adds"):
        if name in members:
            members[name] = tuple(str(members[name]).split())
    return members


def _merged(base: dict[str, Any], *others: dict[str, Any]) -> dict[str, Any]:
    result = dict(base)
    for other in others:
        for name, value in other.items():
            if name in {"values", "optional", "refused", "flags"} and name in result:
                value = result[name] | value  # noqa: PLW2901  sets and mappings join in the same way
            result[name] = value
    return result
