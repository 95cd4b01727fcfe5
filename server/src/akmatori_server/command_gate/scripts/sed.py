"""Programs for sed: printing, deleting and substituting in the output. No w, e, r, or what could hide them."""

from __future__ import annotations

import re

from akmatori_server.command_gate.models import RefusedError
from akmatori_server.command_gate.scripts.delimited import end_of_expression

_LINE = re.compile(r"\$|[0-9]+(~[0-9]+)?")
_SECOND = re.compile(r"[+~]?[0-9]+|\$")
_BLANKS = re.compile(r"[ \t]*")
_SUBSTITUTION_FLAGS = re.compile(r"[gpiI0-9]*")
_DELIMITERS = frozenset("/|#,:@!%~")
# p prints, d deletes from the output, q ends, = prints the number of the line, n goes to the next.
_PLAIN = frozenset("pdqQ=nNDPlhHgGx")
_SENTENCE = (
    "sed only runs programs of addresses with p, d, q, = and s///, such as -n '1,20p' or 's/a/b/g'; "
    "what is behind “{rest}” is not understood."
)


def check_sed(program: str) -> None:
    """Refuse a program that does more than change what is printed.

    Raises:
        RefusedError: it has another command, or a part that versions of sed read differently.
    """
    reader = _Reader(program)
    reader.commands()


class _Reader:
    def __init__(self, program: str) -> None:
        self._program = program
        self._at = 0

    def commands(self) -> None:
        while True:
            self._blanks()
            self._address()
            self._command()
            self._blanks()
            if self._at == len(self._program):
                return
            self._expect(";")
            self._blanks()
            if self._at == len(self._program):
                return

    def _address(self) -> None:
        if not self._one_address(_LINE):
            return
        self._blanks()
        if self._peek() == ",":
            self._at += 1
            self._blanks()
            if not self._one_address(_SECOND):
                raise self._refused()
            self._blanks()
        if self._peek() == "!":
            self._at += 1
            self._blanks()

    def _one_address(self, plain: re.Pattern[str]) -> bool:
        if self._peek() == "/":
            self._expression("/")
            if self._peek() == "I":
                self._at += 1
            return True
        match = plain.match(self._program, self._at)
        if match is None:
            return False
        self._at = match.end()
        return True

    def _command(self) -> None:
        letter = self._peek()
        if letter == "s":
            self._substitution()
        elif letter in _PLAIN and letter:
            self._at += 1
        else:
            raise self._refused()

    def _substitution(self) -> None:
        self._at += 1
        delimiter = self._peek()
        if delimiter not in _DELIMITERS or not delimiter:
            raise self._refused()
        self._expression(delimiter)
        # The replacement has no brackets of its own.
        end = self._at
        while end < len(self._program) and self._program[end] != delimiter:
            end += 2 if self._program[end] == "\\" else 1
        if end >= len(self._program):
            raise self._refused()
        self._at = end + 1
        flags = _SUBSTITUTION_FLAGS.match(self._program, self._at)
        self._at = flags.end() if flags else self._at

    def _expression(self, delimiter: str) -> None:
        end = end_of_expression(self._program, self._at + 1, delimiter)
        if end is None:
            raise self._refused()
        self._at = end + 1

    def _expect(self, letter: str) -> None:
        if self._peek() != letter:
            raise self._refused()
        self._at += 1

    def _peek(self) -> str:
        return self._program[self._at : self._at + 1]

    def _blanks(self) -> None:
        match = _BLANKS.match(self._program, self._at)
        self._at = match.end() if match else self._at

    def _refused(self) -> RefusedError:
        return RefusedError(_SENTENCE.format(rest=self._program[self._at : self._at + 20]))
