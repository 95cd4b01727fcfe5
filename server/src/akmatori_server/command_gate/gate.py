"""Deciding whether a command line only reads."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

import attrs

from akmatori_server.command_gate.checks import check, check_ip, check_ps_operands
from akmatori_server.command_gate.grammar import Grammar, grammars, refused_commands
from akmatori_server.command_gate.lexer import split
from akmatori_server.command_gate.models import Command, RefusedError, Verdict, Word
from akmatori_server.command_gate.options import read_arguments

_FOLDERS = ("/bin/", "/usr/bin/", "/sbin/", "/usr/sbin/")
_SUDO = "sudo"


def judge(line: str) -> Verdict:
    """Say whether a line only reads. What may run is in the verdict, as arguments: no shell reads the line itself."""
    try:
        return Verdict(
            allowed=True, pipeline=tuple(part for command in split(line) for part in _judged(command))
        )
    except RefusedError as error:
        return Verdict(allowed=False, sentence=str(error))


def _judged(command: Command) -> tuple[Command, ...]:
    """Return what runs in place of a command: itself, and what its output goes through."""
    words = list(command.words)
    prefix: list[Word] = []
    as_root = _name(words[0]) == _SUDO
    if as_root:
        words = _behind_sudo(words[1:])
        # It never waits for a password that nobody types.
        prefix = [Word(_SUDO), Word("-n")]
    passed_on, without = _program(words[0], tuple(words[1:]), as_root=as_root)
    judged = attrs.evolve(command, words=(*prefix, *passed_on))
    if not without:
        return (judged,)
    return judged, Command(joint="|", words=(Word("sed"), Word(without)))


def _behind_sudo(words: Sequence[Word]) -> list[Word]:
    rest = list(words)
    while rest and rest[0].text in {"-n", "--non-interactive"}:
        rest.pop(0)
    if not rest:
        raise RefusedError("There is no command behind sudo.")
    if rest[0].text.startswith("-"):
        raise RefusedError("sudo is not run with options here, except -n.")
    return rest


def _name(word: Word) -> str:
    """Return the name of a program; the usual folders are no part of it."""
    if word.wild:
        raise RefusedError(f"{word.text[:60]} is a pattern, not the name of a command.")
    for folder in _FOLDERS:
        name = word.text.removeprefix(folder)
        if name != word.text and "/" not in name:
            return name
    return word.text


def _program(first: Word, rest: tuple[Word, ...], *, as_root: bool) -> tuple[list[Word], str]:
    """Return the words of a command, and the program that its output goes through."""
    name = _name(first)
    grammar = grammars().get(name)
    if grammar is None:
        raise RefusedError(_unknown(name))
    if as_root and not grammar.sudo:
        raise RefusedError(f"{name} is not run with sudo here; try it without.")
    run = Word(grammar.runs) if grammar.runs else first.literal()
    words, without = _arguments(name, rest, grammar, as_root=as_root)
    return [run, *words], without


def _arguments(
    name: str, rest: tuple[Word, ...], grammar: Grammar, *, as_root: bool
) -> tuple[list[Word], str]:
    if "ip" in grammar.checks:
        return list(check_ip(rest)), ""
    if "ps" in grammar.checks:
        old = check_ps_operands(rest)
        if old is not None:
            return list(old), ""
    arguments = read_arguments(name, rest, grammar, as_root=as_root)
    if not grammar.subcommands:
        for one in grammar.checks:
            if one != "ps":
                check(one, arguments)
        # What stands in for another command gets its operands only: the options are about how to show them.
        return arguments.operands if grammar.runs else arguments.passed_on(), grammar.without
    if not arguments.operands:
        if grammar.least == 0:
            return arguments.words, ""
        raise RefusedError(f"{name} needs one of {', '.join(sorted(grammar.subcommands))} here.")
    chosen = arguments.operands[0]
    subcommand = grammar.subcommands.get(chosen.text)
    if chosen.text in grammar.refused:
        raise RefusedError(f"{name} {chosen.text}: {grammar.refused[chosen.text]}")
    if subcommand is None or chosen.wild:
        known = ", ".join(sorted(grammar.subcommands))
        raise RefusedError(f"{name} {chosen.text[:60]} is not allowed; {name} may be followed by {known}.")
    # The operand was the last word that was read.
    behind = rest[len(rest) - _left(rest, chosen) :]
    inner, without = _arguments(f"{name} {chosen.text}", behind, subcommand, as_root=as_root)
    return [*arguments.words, chosen, *inner], without


def _left(rest: tuple[Word, ...], chosen: Word) -> int:
    """How many words are behind the subcommand: it is the first word that is this very one."""
    return len(rest) - 1 - next(at for at, word in enumerate(rest) if word is chosen)


def _unknown(name: str) -> str:
    shown = name if len(name) <= 60 else f"{name[:60]}…"
    known = refused_commands().get(name)
    if known:
        return f"{shown}: {known}"
    if "=" in name:
        return "Variables are not set in front of a command."
    if "/" in name:
        return f"{shown} is not run; programs are taken from {', '.join(_FOLDERS)} only, best by their name alone."
    # Names of three letters are too close to one another to guess by.
    close = difflib.get_close_matches(name, list(grammars()), n=1, cutoff=0.8) if len(name) > 3 else []
    hint = f" Did you mean {close[0]}?" if close else ""
    return f"{shown} is not among the commands that are known to only read.{hint}"
