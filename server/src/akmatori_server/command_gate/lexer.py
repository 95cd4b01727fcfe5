"""Splitting a command line into commands and words, by the quoting rules of the POSIX shell.

Only structure and quotes are understood. What a shell would expand, redirect or run beside that is refused here, so
that no meaning is left which a shell could see and the gate could not.
"""

from __future__ import annotations

import attrs

from akmatori_server.command_gate.models import Command, RefusedError, Word

LONGEST_LINE = 8192
MOST_COMMANDS = 20
MOST_WORDS = 400

_REDIRECTIONS = {
    "2>&1": ("2>&1",),
    ">/dev/null": (">/dev/null",),
    "1>/dev/null": (">/dev/null",),
    "2>/dev/null": ("2>/dev/null",),
    # Not POSIX, yet everybody writes it.
    "&>/dev/null": (">/dev/null", "2>&1"),
}
_WILD = frozenset("*?[")
# What the backslash takes the meaning of between double quotes; before others it stands for itself.
_ESCAPABLE = frozenset('$`"\\')
# Behind one of these a dollar sign between double quotes stands for itself.
_AFTER_LONE_DOLLAR = frozenset('" |)')
_UNQUOTED = {
    "$": "$ would be replaced by the shell; put the text in single quotes.",
    "`": "Commands in backquotes are not run.",
    "(": "Parentheses begin another shell; put them in quotes if they are part of an argument.",
    ")": "Parentheses begin another shell; put them in quotes if they are part of an argument.",
    "{": "Braces would be expanded by the shell; write the words out, or put them in quotes.",
    "}": "Braces would be expanded by the shell; write the words out, or put them in quotes.",
    "<": "Nothing may be read with <; name the file as an argument.",
    "&": "Commands do not run in the background; leave the & out.",
}
_EXEC = "find -exec runs commands; list the files with -ls or -printf, and read those that matter."
_EXECUTES = frozenset(["-exec", "-execdir", "-ok", "-okdir"])


def split(line: str) -> tuple[Command, ...]:
    """Split a line into commands.

    Raises:
        RefusedError: it is not a plain sequence of commands.
    """
    _check_characters(line)
    reader = _Reader(line)
    try:
        return _commands(reader)
    except RefusedError:
        # Braces and a backslash belong to -exec: whoever wrote it shall hear about that.
        if reader.runs_commands():
            raise RefusedError(_EXEC) from None
        raise


def _commands(reader: _Reader) -> tuple[Command, ...]:
    commands: list[Command] = []
    joint = ""
    while True:
        words, redirections = reader.command()
        following = reader.joint()
        if not words:
            if commands and joint == ";" and not following and not redirections:
                return tuple(commands)
            raise RefusedError(_missing(joint or following, redirections))
        commands.append(Command(joint=joint, words=words, redirections=redirections))
        if len(commands) > MOST_COMMANDS:
            raise RefusedError(f"A line has {MOST_COMMANDS} commands at most.")
        if not following:
            return tuple(commands)
        joint = following


def _check_characters(line: str) -> None:
    if len(line) > LONGEST_LINE:
        raise RefusedError(f"A command line has {LONGEST_LINE} characters at most.")
    if "\n" in line or "\r" in line:
        raise RefusedError("A command line is one line; join commands with ; or &&.")
    for letter in line:
        # Also what would look different to a person from what it is: blanks and marks that nobody sees.
        if letter != "\t" and not letter.isprintable():
            raise RefusedError(f"The character U+{ord(letter):04X} has no place in a command line.")


def _missing(joint: str, redirections: tuple[str, ...]) -> str:
    if redirections:
        return "There is a redirection without a command."
    return f"There is no command beside the {joint}." if joint else "There is no command."


@attrs.define
class _Open:
    """The word being read."""

    letters: list[str] = attrs.field(factory=list[str])
    wild: set[int] = attrs.field(factory=set[int])
    # Also "" in quotes is a word.
    is_begun: bool = False

    def take(self, text: str) -> None:
        self.letters.extend(text)
        self.is_begun = True

    def word(self) -> Word:
        text = "".join(self.letters)
        # The test command, and its end.
        is_bracket = text in {"[", "]"}
        return Word(text, frozenset() if is_bracket else frozenset(self.wild))


class _Reader:
    """Reads one line from left to right."""

    def __init__(self, line: str) -> None:
        self._line = line
        self._at = 0
        # The words of the command being read, as far as it could be.
        self._words: list[Word] = []

    def runs_commands(self) -> bool:
        """Whether the command that was being read is a find that runs others."""
        texts = [word.text for word in self._words]
        return "find" in [text.rpartition("/")[2] for text in texts[:3]] and not _EXECUTES.isdisjoint(texts)

    def joint(self) -> str:
        """Take what joins two commands; "" at the end of the line."""
        rest = self._rest()
        for text in ("&&", "||", "|", ";"):
            if rest.startswith(text):
                if rest.startswith(("|&", ";;")):
                    raise RefusedError(f"{rest[:2]} is not understood; use | or ;.")
                self._at += len(text)
                return text
        return ""

    def command(self) -> tuple[tuple[Word, ...], tuple[str, ...]]:
        """Take the words and redirections up to the next joint."""
        words = self._words = []
        redirections: list[str] = []
        while True:
            self._skip_blanks()
            rest = self._rest()
            if not rest or rest.startswith(("|", ";", "&&")):
                return tuple(words), tuple(redirections)
            found = self._redirection()
            if found:
                redirections.extend(found)
            else:
                words.append(self._word())
            if len(words) + len(redirections) > MOST_WORDS:
                raise RefusedError(f"A command has {MOST_WORDS} words at most.")

    def _rest(self) -> str:
        return self._line[self._at : self._at + 16]

    def _skip_blanks(self) -> None:
        while self._line[self._at : self._at + 1] in {" ", "\t"}:
            self._at += 1

    def _redirection(self) -> tuple[str, ...]:
        rest = self._line[self._at :]
        digits = len(rest) - len(rest.lstrip("0123456789"))
        if rest[digits : digits + 1] not in {">", "<"} and not rest.startswith("&>"):
            return ()
        compact = rest[: rest.find(">") + 1] + rest[rest.find(">") + 1 :].lstrip(" \t")
        for text, meaning in _REDIRECTIONS.items():
            if compact.startswith(text) and compact[len(text) : len(text) + 1] in {"", " ", "\t", "|", ";"}:
                self._at += len(text) + (len(rest) - len(compact))
                return meaning
        if rest[digits : digits + 1] == "<":
            raise RefusedError(_UNQUOTED["<"])
        raise RefusedError(
            "Output may not be written to files; only 2>&1, >/dev/null and 2>/dev/null are taken."
        )

    def _word(self) -> Word:
        word = _Open()
        while self._at < len(self._line):
            letter = self._line[self._at]
            if letter in " \t|;" or self._line.startswith("&&", self._at):
                break
            self._at += 1
            if letter == "'":
                word.take(self._single())
            elif letter == '"':
                word.take(self._double())
            elif letter == "\\":
                word.take(self._escaped())
            else:
                self._plain(word, letter)
        return word.word()

    def _plain(self, word: _Open, letter: str) -> None:
        if letter == ">":
            raise RefusedError(
                "Output may not be written to files; only 2>&1, >/dev/null and 2>/dev/null are taken, each behind a"
                " blank. Put a > that is part of an argument in quotes."
            )
        if letter in _UNQUOTED:
            raise RefusedError(_UNQUOTED[letter])
        if not word.is_begun and letter in "~#":
            raise RefusedError(
                "~ is not replaced; write the whole path."
                if letter == "~"
                else "A # outside of quotes would begin a comment; leave it out, or put it in quotes."
            )
        if letter == "!" and self._line[self._at : self._at + 1] not in {"", " ", "\t", "="}:
            raise RefusedError("! recalls earlier commands in some shells; put it in single quotes.")
        if letter in _WILD:
            word.wild.add(len(word.letters))
        word.take(letter)

    def _single(self) -> str:
        end = self._line.find("'", self._at)
        if end < 0:
            raise RefusedError("A single quote is not closed.")
        text = self._line[self._at : end]
        self._at = end + 1
        return text

    def _double(self) -> str:
        letters: list[str] = []
        while self._at < len(self._line):
            letter = self._line[self._at]
            following = self._line[self._at + 1 : self._at + 2]
            self._at += 1
            if letter == '"':
                return "".join(letters)
            if letter == "\\" and following in _ESCAPABLE and following:
                letters.append(following)
                self._at += 1
            elif letter == "`" or (letter == "$" and following not in _AFTER_LONE_DOLLAR):
                raise RefusedError(
                    f"{letter} keeps its meaning between double quotes; put the text in single quotes."
                )
            else:
                letters.append(letter)
        raise RefusedError("A double quote is not closed.")

    def _escaped(self) -> str:
        if self._at >= len(self._line):
            raise RefusedError("There is nothing behind the last backslash.")
        self._at += 1
        return self._line[self._at - 1]
