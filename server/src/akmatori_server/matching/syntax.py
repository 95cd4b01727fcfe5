r"""Reading a matcher as it is written in Alertmanager: `name="value"`, `name!="value"`, `name=~"a|b"`.

As there, `\"`, `\\` and `\n` are escapes and every other backslash is a backslash, so that `=~"\d+"` means what
it looks like; a value without quotes goes to the end of the text; names with unusual characters are quoted.
"""

from __future__ import annotations

from akmatori_server.matching.matcher import Matcher, Operator, needs_quotes
from akmatori_server.matching.regex import MatcherError

_ESCAPES = {"n": "\n", '"': '"', "\\": "\\"}
# The longer ones first: `=~` begins with `=`.
_OPERATORS = (Operator.MATCHES, Operator.NOT_MATCHES, Operator.NOT_EQUAL, Operator.EQUAL)
_FORM = 'write it as name="value", with one of the operators =, !=, =~ and !~'


def parse_matcher(text: str) -> Matcher:
    """Read one matcher.

    Raises:
        MatcherError: the text is none.
    """
    name, rest = _name(text.strip())
    rest = rest.lstrip()
    for operator in _OPERATORS:
        if rest.startswith(operator.value):
            return Matcher(name, operator, _value(text, rest.removeprefix(operator.value).strip()))
    raise MatcherError(f"{text} is not a matcher: {_FORM}.")


def _name(text: str) -> tuple[str, str]:
    """Return the name, and what follows it."""
    if text.startswith('"'):
        name, end = _quoted(text)
        if end is None:
            raise MatcherError(f"{text} is not a matcher: the name's closing quote is missing.")
        return name, text[end:]
    for index, character in enumerate(text):
        if needs_quotes(character):
            return text[:index], text[index:]
    return text, ""


def _value(matcher: str, text: str) -> str:
    if text.startswith('"'):
        value, end = _quoted(text)
        if end is None:
            raise MatcherError(f"{matcher} is not a matcher: the value's closing quote is missing.")
        if end < len(text):
            raise MatcherError(
                f"{matcher} is not one matcher: something follows the value's closing quote;"
                ' write a quote inside the value as \\", and every further matcher by itself.'
            )
        return value
    # Read as if it were quoted: the first quote that is not escaped is one too many.
    value, end = _quoted(f'"{text}')
    if end is not None:
        raise MatcherError(f'{matcher} is not a matcher: write a quote inside the value as \\".')
    return value


def _quoted(text: str) -> tuple[str, int | None]:
    """Return what stands between the quote that begins the text and the next, and the place behind that one.

    Without a closing quote the place is None.
    """
    characters: list[str] = []
    index = 1
    while index < len(text):
        character = text[index]
        if character == '"':
            return "".join(characters), index + 1
        if character == "\\" and text[index + 1 : index + 2] in _ESCAPES:
            character = _ESCAPES[text[index + 1]]
            index += 1
        characters.append(character)
        index += 1
    return "".join(characters), None
