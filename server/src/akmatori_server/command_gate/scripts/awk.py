"""Programs for awk: computing and printing. Nothing that runs commands, or reads or writes further files.

A program is split into tokens, in a part of the language that all versions of awk split alike; what could be a
regular expression to one and a division to another is refused.
"""

from __future__ import annotations

import re

import attrs

from akmatori_server.command_gate.models import RefusedError
from akmatori_server.command_gate.scripts.delimited import end_of_expression

# Refused wherever they stand, also in texts: should the tokens be misread after all, these still do no harm.
_NEVER = re.compile(
    r"\b(system|getline|close|fflush|ARGV|ARGC|ENVIRON|PROCINFO|SYMTAB|FUNCTAB|BEGINFILE|ENDFILE|function|func"
    r"|extension|include|load|namespace)\b"
)
_FUNCTIONS = frozenset(
    [
        "length",
        "substr",
        "index",
        "split",
        "sub",
        "gsub",
        "gensub",
        "match",
        "sprintf",
        "sin",
        "cos",
        "atan2",
        "exp",
        "log",
        "sqrt",
        "int",
        "rand",
        "srand",
        "tolower",
        "toupper",
        "strftime",
        "systime",
        "mktime",
        "asort",
        "asorti",
        "strtonum",
        "and",
        "or",
        "xor",
        "compl",
        "lshift",
        "rshift",
        "typeof",
        "isarray",
    ]
)
_STATEMENTS = frozenset(
    {"if", "while", "for", "print", "printf", "return", "in", "else", "do", "delete", "exit"}
)
_BEFORE_EXPRESSION = _STATEMENTS | {"BEGIN", "END", "next", "nextfile", "break", "continue"}
_TOKEN = re.compile(
    r"""[ \t]+
    | (?P<number>(0[xX][0-9A-Fa-f]+|[0-9]+\.?[0-9]*([eE][+-]?[0-9]+)?|\.[0-9]+))
    | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<text>"([^"\\]|\\.)*")
    | (?P<sign>\+\+|--|&&|\|\||[<>=!+\-*%^/]=|>>|!~|\*\*|[{}()\[\];,?:~!<>=+\-*%^/$])""",
    re.VERBOSE,
)


def check_awk(program: str) -> None:
    """Refuse a program that does more than compute and print.

    Raises:
        RefusedError: it does, or versions of awk may read it differently.
    """
    found = _NEVER.search(program)
    if found is not None:
        raise RefusedError(f"awk may compute and print only; leave {found[0]} out of the program.")
    if not program.strip():
        raise RefusedError("awk needs a program, such as '{print $1}'.")
    _Reader(program).read()


@attrs.define
class _Reader:
    program: str
    at: int = 0
    # The token before: its text, and what kind it is.
    before: str = ""
    kind: str = ""
    # Within a print statement > writes to a file.
    is_printing: bool = False

    def read(self) -> None:
        has_conditions = re.search(r"\b(if|while|for)\b", self.program) is not None
        while self.at < len(self.program):
            if self.program[self.at] == "/" and self._expression_begins(has_conditions=has_conditions):
                self._regular_expression()
                continue
            match = _TOKEN.match(self.program, self.at)
            if match is None:
                raise self._refused()
            if match.lastgroup:
                self._token(match[match.lastgroup], match.lastgroup)
            self.at = match.end()

    def _token(self, text: str, kind: str) -> None:
        if kind == "name":
            self._name(text)
        if text in {";", "}"}:
            self.is_printing = False
        if self.is_printing and text in {">", ">>"}:
            raise RefusedError("awk may not write to files; leave out the > behind print.")
        if text == ">>":
            raise self._refused()
        self.before, self.kind = text, kind

    def _name(self, text: str) -> None:
        if text in {"print", "printf"}:
            self.is_printing = True
            return
        following = self.program[self.at + len(text) :].lstrip(" \t")[:1]
        if following == "(" and text not in _FUNCTIONS | _STATEMENTS:
            # A variable in front of parentheses is joined with them, where a blank is between; never needed.
            raise RefusedError(f"awk may not call {text}.")

    def _expression_begins(self, *, has_conditions: bool) -> bool:
        """Whether a slash begins a regular expression here, and does not divide."""
        if self.kind in {"number", "text", "expression"} or self.before in {"]", "$"}:
            return False
        if self.kind == "name":
            return self.before in _BEFORE_EXPRESSION
        if self.before in {"++", "--"} or (self.before == ")" and has_conditions):
            raise RefusedError("awk: it is not clear whether the / divides or begins a regular expression.")
        return self.before != ")"

    def _regular_expression(self) -> None:
        end = end_of_expression(self.program, self.at + 1, "/")
        if end is None:
            raise self._refused()
        self.at, self.before, self.kind = end + 1, "/", "expression"

    def _refused(self) -> RefusedError:
        rest = self.program[self.at : self.at + 20]
        return RefusedError(f"The awk program is not understood from “{rest}” on.")
