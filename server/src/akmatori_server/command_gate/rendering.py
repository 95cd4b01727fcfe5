"""Writing what was judged as a line for a shell, so that the shell sees exactly these arguments."""

from __future__ import annotations

import re
from collections.abc import Sequence

from akmatori_server.command_gate.models import Command, Word
from akmatori_server.command_gate.patterns import pieces

# How long a program may take to end when it is asked to, before it is killed.
KILL_AFTER_SECONDS = 5

# The script is the first argument. A second process waits for the end of our own standard input, which the shell
# takes from those in the background unless it has another number. It ends the whole group: a signal that reaches
# `timeout` alone while it starts its program would leave the program behind.
_WATCHED = (
    'exec 3<&0; timeout -k {patience} {seconds} sh -c "$1" </dev/null 3<&- & c=$!;'
    " {{ read -r x <&3; {end}; }} >/dev/null 2>&1 & w=$!;"
    " exec 3<&-; wait $c; r=$?; kill $w 2>/dev/null; exit $r"
)

# What changes something gets the time to end well. What only reads has nothing to lose, and may not listen.
_GENTLE = f"kill -TERM -$c || kill -TERM $c; sleep {KILL_AFTER_SECONDS}; kill -KILL -$c"
_AT_ONCE = "kill -KILL -$c || kill -KILL $c"

# Letters that mean nothing to any shell.
_PLAIN = re.compile(r"[A-Za-z0-9_@%+:,./-]+")
_PIECES = re.compile(r"\\|'|[^\\']+")


def quote(text: str) -> str:
    r"""Quote a text for the shell.

    Backslashes stand outside of the quotes (`'a'\\'b'`), because the login shell that reads the line first may be
    fish, to which a backslash between single quotes means something.
    """
    if _PLAIN.fullmatch(text):
        return text
    return "".join(_quoted(piece) for piece in _PIECES.findall(text)) or "''"


def _quoted(piece: str) -> str:
    return f"\\{piece}" if piece in {"\\", "'"} else f"'{piece}'"


def render(pipeline: Sequence[Command]) -> str:
    """Return a line for a POSIX shell."""
    parts: list[str] = []
    for command in pipeline:
        if command.joint:
            parts.append(command.joint)
        parts.extend(_word(word) for word in command.words)
        parts.extend(command.redirections)
    return " ".join(parts)


def remote_line(pipeline: Sequence[Command], timeout_seconds: int) -> str:
    """Return the line to run on a host: the judged commands, and their end after `timeout_seconds`."""
    return limited(render(pipeline), timeout_seconds, only_reads=True)


def limited(script: str, timeout_seconds: int, *, only_reads: bool = False) -> str:
    """Return a line that runs a script with a time limit, and ends it early when its standard input ends.

    One that only reads is killed then; others are asked to end, and have a few seconds for it. Its input ends when
    whoever runs it closes the channel, or the connection breaks. A signal would not do: sshd passes none on to the
    sessions of root.
    """
    # A script that begins with a sign would be read as options.
    script = f" {script}" if script.startswith(("-", "+")) else script
    end = _AT_ONCE if only_reads else _GENTLE
    watched = _WATCHED.format(seconds=timeout_seconds, patience=KILL_AFTER_SECONDS, end=end)
    return f"exec sh -c {quote(watched)} sh {quote(script)}"


def _word(word: Word) -> str:
    return "".join(piece.text if piece.wild else quote(piece.text) for piece in pieces(word)) or "''"
