"""Reads a specification's YAML files as JSON values: YAML 1.2's plain types, string keys, no key twice."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, TypeGuard

import yaml

from codegen.errors import SpecError


def is_object(value: object) -> TypeGuard[dict[str, Any]]:
    """Whether a JSON value is an object."""
    return isinstance(value, dict)


def is_array(value: object) -> TypeGuard[list[Any]]:
    """Whether a JSON value is an array."""
    return isinstance(value, list)


def escape(segment: str) -> str:
    """Write a member's name as a segment of a JSON pointer."""
    return segment.replace("~", "~0").replace("/", "~1")


def unescape(segment: str) -> str:
    """Read a segment of a JSON pointer as a member's name."""
    return segment.replace("~1", "/").replace("~0", "~")


class _Loader(yaml.CSafeLoader):
    # YAML 1.1 would read `on` as true, 12:30 as 750 and an unquoted timestamp as a datetime; a specification
    # means the JSON it looks like.
    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}


_PLAIN = [
    ("tag:yaml.org,2002:null", r"(?:~|null|)", ["~", "n", ""]),
    ("tag:yaml.org,2002:bool", r"(?:true|false)", ["t", "f"]),
    ("tag:yaml.org,2002:int", r"-?(?:0|[1-9][0-9]*)", list("-0123456789")),
    (
        "tag:yaml.org,2002:float",
        r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+(?:[eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+)",
        list("-0123456789"),
    ),
]


def _object(loader: _Loader, node: yaml.MappingNode) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key_node, value_node in node.value:
        if not isinstance(key_node, yaml.ScalarNode):
            raise yaml.constructor.ConstructorError(None, None, "a key must be a word", key_node.start_mark)
        # The text itself, so that a status code and a member called `null` stay what was written.
        key = str(key_node.value)
        if key in result:
            raise yaml.constructor.ConstructorError(
                None, None, f"the key {key!r} is there twice", key_node.start_mark
            )
        result[key] = loader.construct_object(value_node, deep=True)  # pyright: ignore[reportUnknownMemberType]  # untyped in the stubs
    return result


def _float(loader: _Loader, node: yaml.ScalarNode) -> float:
    return float(node.value)


for _tag, _pattern, _first in _PLAIN:
    _Loader.add_implicit_resolver(_tag, re.compile(f"^{_pattern}$"), _first)  # pyright: ignore[reportUnknownMemberType]  # same
_Loader.add_constructor("tag:yaml.org,2002:map", _object)
# PyYAML's own constructor follows YAML 1.1 and does not know 1e3.
_Loader.add_constructor("tag:yaml.org,2002:float", _float)


class Files:
    """The files of one specification, each read once; names in messages are relative to the root's folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self._read: dict[Path, Any] = {}

    def name(self, file: Path) -> str:
        """How messages name a file."""
        return (
            file.relative_to(self.folder).as_posix() if file.is_relative_to(self.folder) else file.as_posix()
        )

    def content(self, file: Path) -> Any:
        """The parsed file."""
        if file not in self._read:
            self._read[file] = self._parse(file)
        return self._read[file]

    def known(self) -> dict[Path, Any]:
        """All files read so far."""
        return dict(self._read)

    def at(self, file: Path, pointer: str, *, asked_from: str) -> Any:
        """The value a JSON pointer names in a file."""
        value = self.content(file)
        for segment in pointer.split("/")[1:]:
            name = unescape(segment)
            if is_object(value) and name in value:
                value = value[name]
            elif is_array(value) and name.isdecimal() and int(name) < len(value):
                value = value[int(name)]
            else:
                raise SpecError(asked_from, f"{self.name(file)}#{pointer} does not exist (no {name!r}).")
        return value

    def _parse(self, file: Path) -> Any:
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is not UTF-8"
            raise SpecError(self.name(file), f"The file cannot be read: {reason}.") from error
        try:
            return yaml.load(text, Loader=_Loader)  # noqa: S506 - a subclass of the safe loader
        except yaml.MarkedYAMLError as error:
            line = "" if error.problem_mark is None else f" line {error.problem_mark.line + 1}"
            raise SpecError(
                self.name(file) + line, f"The file is not valid YAML: {error.problem}."
            ) from error
        except yaml.YAMLError as error:
            raise SpecError(self.name(file), f"The file is not valid YAML: {error}.") from error
