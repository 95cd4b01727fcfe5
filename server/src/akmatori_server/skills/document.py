"""SKILL.md: front matter between two lines of dashes, then the prompt; read and written without losing a byte."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import attrs
import yaml

FILE = "SKILL.md"
LONGEST_DESCRIPTION = 1024
LONGEST_PROMPT = 1024 * 1024
LARGEST_FRONT_MATTER = 64 * 1024
# A character has up to four bytes.
LARGEST_FILE = 4 * LONGEST_PROMPT + LARGEST_FRONT_MATTER
_MARK = "---"


class InvalidSkillError(Exception):
    """A SKILL.md that breaks the format; the sentence says how."""


@attrs.frozen(kw_only=True)
class Document:
    """What a SKILL.md says. `more` holds the front matter's other members, which are kept as they are."""

    name: str
    description: str
    prompt: str = attrs.field(repr=False)
    more: Mapping[str, Any] = attrs.field(factory=dict[str, Any], repr=False)


def placeholder(name: str) -> str:
    """The description in a file of a skill that has none: the format wants one."""
    return f"The skill {name}, which has no description yet."


def write_document(document: Document) -> bytes:
    """Return the file of a document."""
    front = {
        "name": document.name,
        "description": document.description or placeholder(document.name),
        **document.more,
    }
    # Never folded: a text of many lines then stands on one, and cannot look like the closing mark.
    matter = yaml.safe_dump(front, sort_keys=False, allow_unicode=True, width=2**30)
    if yaml.safe_load(matter) != front:
        # YAML takes some characters (U+0085, U+2028) for line ends unless they are written as escapes.
        matter = yaml.safe_dump(front, sort_keys=False, allow_unicode=False, width=2**30)
    return f"{_MARK}\n{matter}{_MARK}\n\n{document.prompt}".encode()


def read_document(content: bytes) -> Document:
    """Read a file.

    Raises:
        InvalidSkillError: it breaks the format.
    """
    text = _text(content)
    matter, prompt = _split(text)
    if matter is None:
        raise InvalidSkillError(f"{FILE} does not begin with front matter between two lines of dashes.")
    front = _front(matter)
    name, description = front.pop("name", None), front.pop("description", None)
    if not isinstance(name, str) or not isinstance(description, str) or not description.strip():
        raise InvalidSkillError("The front matter needs a name and a description.")
    if len(description) > LONGEST_DESCRIPTION:
        raise InvalidSkillError(f"The description has more than {LONGEST_DESCRIPTION} characters.")
    if len(prompt) > LONGEST_PROMPT:
        raise InvalidSkillError(f"The prompt has more than {LONGEST_PROMPT} characters.")
    if "\x00" in text or "\x00" in name or "\x00" in description:
        raise InvalidSkillError(f"{FILE} holds a NUL character.")
    if description == placeholder(name):
        description = ""
    return Document(name=name, description=description, prompt=prompt, more=front)


def prompt_of(content: bytes) -> str:
    """Return the prompt of a file, also of one that breaks the format: nothing of it is hidden then."""
    text = content.decode("utf-8", "replace")
    matter, prompt = _split(text)
    return text if matter is None else prompt


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        raise InvalidSkillError(f"{FILE} is not UTF-8.") from None


def _split(text: str) -> tuple[str | None, str]:
    """Return the front matter, None when there is none, and the prompt."""
    lines = text.removeprefix("\ufeff").split("\n")
    if lines[0].rstrip() != _MARK:
        return None, text
    for number, line in enumerate(lines[1:], start=1):
        if line.rstrip() == _MARK:
            prompt = "\n".join(lines[number + 1 :])
            # One empty line after the mark belongs to the form, all others to the prompt.
            return "\n".join(lines[1:number]), prompt.removeprefix("\n")
    return None, text


def _front(matter: str) -> dict[str, Any]:
    if len(matter) > LARGEST_FRONT_MATTER:
        raise InvalidSkillError("The front matter is too large.")
    try:
        front: object = yaml.load(matter, _PlainLoader)  # noqa: S506  a safe loader, and stricter
    except (yaml.YAMLError, ValueError, RecursionError):
        # A date that does not exist is a ValueError.
        raise InvalidSkillError("The front matter is not valid YAML.") from None
    if not isinstance(front, dict):
        raise InvalidSkillError("The front matter must be a mapping.")
    members = cast("dict[object, object]", front)
    if not all(isinstance(key, str) for key in members):
        raise InvalidSkillError("The front matter's keys must be texts.")
    return cast("dict[str, Any]", members)


class _PlainLoader(yaml.SafeLoader):
    """Refuses aliases: a few lines of them stand for gigabytes when they are written out."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases are not allowed")
        return super().compose_node(parent, index)
