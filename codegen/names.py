"""From the specification's names and texts to Python's."""

from __future__ import annotations

import keyword
import re
import textwrap

WIDTH = 108
# A line of a table, a list, code or an `Args` entry.
_SPECIAL = re.compile(r"\s|[|*\-#>]|```|\d+\.")
_BOUNDARY = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def snake(name: str) -> str:
    """`alertSources`, `X-API-Key` and `LLMConfig` become `alert_sources`, `x_api_key` and `llm_config`."""
    return re.sub(r"\W+", "_", _BOUNDARY.sub("_", name)).strip("_").lower()


def pascal(name: str) -> str:
    """`alertSources` becomes `AlertSources`."""
    return "".join(part[:1].upper() + part[1:] for part in snake(name).split("_"))


def constant(name: str) -> str:
    """`listIncidents` becomes `LIST_INCIDENTS`."""
    return snake(name).upper()


def argument(name: str, taken: frozenset[str] = frozenset()) -> str:
    """A parameter's Python name: no keyword, and none of the names the method already uses."""
    name = snake(name)
    if name[:1].isdigit():
        name = f"_{name}"
    return f"{name}_" if keyword.iskeyword(name) or name in taken else name


def docstring(text: str, indent: int) -> str:
    """A triple-quoted string for any text, wrapped, its later lines indented."""
    lines = [piece for line in _unwrapped(text) for piece in wrapped(line, WIDTH - indent)]
    body = "\n".join(lines).replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    if body.endswith('"'):
        body = f'{body[:-1]}\\"'
    if len(lines) > 1:
        body += "\n"
    margin = " " * indent
    return '"""' + textwrap.indent(body, margin).lstrip() + (margin if len(lines) > 1 else "") + '"""'


def _unwrapped(text: str) -> list[str]:
    """The lines of a text, those of one paragraph joined; tables, lists and indented lines stay apart."""
    lines: list[str] = []
    for line in text.strip().splitlines():
        goes_on = lines and lines[-1] and not _SPECIAL.match(lines[-1]) and not lines[-1].endswith(":")
        if line and goes_on and not _SPECIAL.match(line):
            lines[-1] = f"{lines[-1]} {line}"
        else:
            lines.append(line)
    return lines


def wrapped(line: str, width: int) -> list[str]:
    """One line as lines that fit; later ones keep the first one's indent, and hang below an `Args` entry."""
    line = line.rstrip()
    if len(line) <= width or line.startswith("|"):
        return [line]
    indent = " " * (len(line) - len(line.lstrip()))
    hang = "    " if re.match(r"\s+\w+: ", line) else ""
    return textwrap.wrap(
        line, width, subsequent_indent=indent + hang, break_long_words=False, break_on_hyphens=False
    )


def sentence(text: str) -> str:
    """The first sentence of a text, on one line."""
    joined = " ".join(text.split())
    return re.split(r"(?<=[.!?]) (?=[A-Z`])", joined, maxsplit=1)[0]
