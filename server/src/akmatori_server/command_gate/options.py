"""Reading the arguments of a command by its grammar, as the command itself will read them."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

import attrs

from akmatori_server.command_gate.grammar import GETOPT, PFLAG, WORDS, Grammar
from akmatori_server.command_gate.kinds import check_value
from akmatori_server.command_gate.models import RefusedError, Word

_DIGITS = frozenset("0123456789")


@attrs.define(kw_only=True)
class Arguments:
    """The arguments of a command. `words` are its options as they are passed on."""

    name: str
    as_root: bool = False
    options: list[tuple[str, str]] = attrs.field(factory=list[tuple[str, str]])
    words: list[Word] = attrs.field(factory=list[Word])
    operands: list[Word] = attrs.field(factory=list[Word])
    # Where options and operands are mixed, as they were written.
    is_mixed: bool = False
    # All words as they were written, where their order is kept.
    original: list[Word] = attrs.field(factory=list[Word])

    def has(self, *names: str) -> bool:
        """Whether one of these options is given."""
        return any(name in names for name, _ in self.options)

    def passed_on(self) -> list[Word]:
        """Return the arguments, options first: so all versions of a command read them alike."""
        if self.is_mixed:
            return self.words
        if self.original:
            return [word if word in self.operands else word.literal() for word in self.original]
        dashed = any(word.text.startswith("-") and word.text != "-" for word in self.operands)
        return [*self.words, *([Word("--")] if dashed else []), *self.operands]


def read_arguments(name: str, words: Sequence[Word], grammar: Grammar, *, as_root: bool) -> Arguments:
    """Read the words behind a command.

    Raises:
        RefusedError: one of them is not in the grammar.
    """
    found = Arguments(name=name, as_root=as_root, is_mixed=grammar.style == WORDS)
    if grammar.keeps_order:
        found.original.extend(words)
    reader = _Reader(grammar, list(words), found)
    reader.read()
    reader.finish()
    return found


@attrs.define
class _Reader:
    grammar: Grammar
    left: list[Word]
    found: Arguments

    def read(self) -> None:
        while self.left:
            word = self.left.pop(0)
            if self.grammar.style == WORDS:
                self._one_of_words(word)
            elif word.text == "--":
                self.found.operands.extend(self.left)
                self.left = []
            elif word.text.startswith("--"):
                self._long(word)
            elif word.text.startswith("-") and word.text != "-":
                self._short(word)
            else:
                self.found.operands.append(word)
                if self.grammar.subcommands:
                    # The rest is the subcommand's.
                    return

    def finish(self) -> None:
        """Check what can only be seen at the end."""
        grammar, found = self.grammar, self.found
        if grammar.subcommands:
            return
        if grammar.needs and not found.has(*grammar.needs):
            raise RefusedError(grammar.needs_sentence)
        if not found.is_mixed:
            kinds = [grammar.first] if grammar.first and not found.has(*grammar.first_unless) else []
            if len(found.operands) < len(kinds):
                raise RefusedError(f"{found.name} is missing its first argument.")
            found.operands = [
                self._operand(word, kinds[at] if at < len(kinds) else grammar.operands)
                for at, word in enumerate(found.operands)
            ]
        self._count()
        found.words.extend(Word(text) for text in grammar.adds)

    def _count(self) -> None:
        count, name = len(self.found.operands), self.found.name
        if count < self.grammar.least:
            raise RefusedError(self.grammar.least_sentence or f"{name} needs {_counted(self.grammar.least)}.")
        if count > self.grammar.most:
            raise RefusedError(f"{name} is given {_counted(self.grammar.most)} at most here.")

    def _operand(self, word: Word, kind: str) -> Word:
        if not kind:
            raise RefusedError(f"{self.found.name} is not given “{_short_text(word.text)}” here.")
        try:
            return check_value(kind, word, of=self.found.name, as_root=self.found.as_root)
        except RefusedError:
            if self.grammar.operand_sentence:
                raise RefusedError(self.grammar.operand_sentence) from None
            raise

    def _value(self, option: str, kind: str, word: Word) -> Word:
        checked = check_value(kind, word, of=f"{self.found.name} {option}", as_root=self.found.as_root)
        self.found.options.append((option, word.text))
        return checked

    def _next(self, option: str) -> Word:
        if not self.left:
            raise RefusedError(f"{self.found.name} {option} needs a value.")
        return self.left.pop(0)

    def _long(self, word: Word) -> None:
        option, equals, value = word.text.partition("=")
        grammar = self.grammar
        if option in grammar.values:
            if equals:
                self._value(option, grammar.values[option], Word(value))
                self.found.words.append(word.literal())
            else:
                checked = self._value(option, grammar.values[option], self._next(option))
                self.found.words.extend([word.literal(), checked])
            return
        if option in grammar.optional:
            if equals:
                self._value(option, grammar.optional[option], Word(value))
            else:
                self.found.options.append((option, ""))
        elif option in grammar.flags and (not equals or self._is_switch(value)):
            self.found.options.append((option, value))
        else:
            raise self._unknown(option)
        self.found.words.append(word.literal())

    def _is_switch(self, value: str) -> bool:
        return self.grammar.style == PFLAG and value in {"true", "false"}

    def _short(self, word: Word) -> None:
        """Read -a, -abc, -n5 or -n 5."""
        grammar, letters = self.grammar, word.text[1:]
        if grammar.numeric and set(letters) <= _DIGITS and len(letters) < 8:
            self.found.options.append(("-", letters))
            self.found.words.append(word.literal())
            return
        self.found.words.append(word.literal())
        for at, letter in enumerate(letters):
            option, rest = f"-{letter}", letters[at + 1 :]
            if option in grammar.flags:
                self.found.options.append((option, ""))
            elif option in grammar.optional:
                if rest:
                    self._value(option, grammar.optional[option], Word(rest))
                else:
                    self.found.options.append((option, ""))
                return
            elif option in grammar.values:
                if rest:
                    value = rest.removeprefix("=") if grammar.style == PFLAG else rest
                    self._value(option, grammar.values[option], Word(value))
                else:
                    self.found.words.append(self._value(option, grammar.values[option], self._next(option)))
                return
            else:
                raise self._unknown(option if option in grammar.refused or len(letters) > 1 else word.text)

    def _one_of_words(self, word: Word) -> None:
        grammar, found = self.grammar, self.found
        if word.text in grammar.flags:
            found.options.append((word.text, ""))
            found.words.append(word.literal())
        elif word.text in grammar.values:
            checked = self._value(word.text, grammar.values[word.text], self._next(word.text))
            found.words.extend([word.literal(), checked])
        elif word.text.startswith("-") and not grammar.takes_dashes:
            raise self._unknown(word.text)
        else:
            checked = self._operand(word, grammar.operands)
            found.operands.append(checked)
            found.words.append(checked)

    def _unknown(self, option: str) -> RefusedError:
        grammar, name = self.grammar, self.found.name
        if option in grammar.refused:
            return RefusedError(f"{name} {option}: {grammar.refused[option]}")
        known = [*grammar.flags, *grammar.values, *grammar.optional]
        # An abbreviation may be complete in one version of the command and stand for two in the next.
        whole = [one for one in known if len(option) > 3 and one.startswith(option)]
        close = whole or difflib.get_close_matches(option, known, n=1, cutoff=0.75)
        hint = f" Did you mean {close[0]}?" if close and len(option) > 2 else ""
        return RefusedError(f"{name} is not run with the option {_short_text(option)}.{hint}")


def _counted(number: int) -> str:
    return "one argument" if number == 1 else f"{number or 'no'} arguments"


def _short_text(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:60]}…"


__all__ = ["GETOPT", "Arguments", "read_arguments"]
