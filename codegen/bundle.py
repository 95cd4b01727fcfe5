"""Joins the files of one OpenAPI description into a single document whose refs point into its components."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import attrs

from codegen.errors import SpecError
from codegen.source import Files, escape, is_array, is_object, unescape

# Where a ref may stand, by the member that holds it: what its target becomes in `components`.
_KIND_OF_MEMBER = {
    "schema": "schemas",
    "items": "schemas",
    "additionalProperties": "schemas",
    "not": "schemas",
    "requestBody": "requestBodies",
}
_KIND_OF_LIST = {"allOf": "schemas", "anyOf": "schemas", "oneOf": "schemas", "parameters": "parameters"}
# Members whose keys are names somebody chose, not words of OpenAPI.
_KIND_OF_MAP = {
    "properties": "schemas",
    "schemas": "schemas",
    "parameters": "parameters",
    "responses": "responses",
    "headers": "headers",
    "examples": "examples",
    "requestBodies": "requestBodies",
    "content": None,
    "encoding": None,
    "securitySchemes": None,
}
_COMPONENT_KINDS = (
    "schemas",
    "responses",
    "parameters",
    "examples",
    "requestBodies",
    "headers",
    "securitySchemes",
)
# Members that hold data, in which `$ref` would be a word like any other.
_DATA = {"example", "default", "enum", "value", "required", "security", "scopes"}
# OpenAPI's rule for the name of a component.
_NAME = re.compile(r"^[A-Za-z0-9._-]+$")


@attrs.frozen
class Target:
    """What a ref points at: a value inside a file."""

    file: Path
    pointer: str


@attrs.frozen
class Bundle:
    """A bundled document, and where its parts were written (bundled pointer -> `file#/pointer`)."""

    document: dict[str, Any]
    origins: dict[str, str]
    unused: tuple[str, ...]

    def origin(self, pointer: str) -> str:
        """Where the value at a pointer of the document was written."""
        head = pointer
        while head and head not in self.origins:
            head = head.rpartition("/")[0]
        return self.origins[head] + pointer[len(head) :]


def load(root: Path) -> dict[str, Any]:
    """Read a description spread over files and return it as one document.

    Args:
        root: The root file, or the folder that holds it as `openapi.yaml`.

    Returns:
        The document: paths in the root's order, every ref `#/components/...`, components sorted by name.

    Raises:
        SpecError: A file, a ref or a name is wrong.
    """
    return bundle(root).document


def bundle(root: Path) -> Bundle:
    """Like `load`, and remember where every part came from."""
    file = (root / "openapi.yaml" if root.is_dir() else root).resolve()
    return _Bundler(file).run()


class _Bundler:
    def __init__(self, root: Path) -> None:
        self._root = root
        self._files = Files(root.parent)
        # (kind, name) -> its target and its bundled value; the value is there once it has been walked.
        self._targets: dict[tuple[str, str], Target] = {}
        self._values: dict[tuple[str, str], Any] = {}
        self._origins: dict[str, str] = {"": f"{self._files.name(root)}#"}
        self._touched: set[Target] = set()

    def run(self) -> Bundle:
        content = self._files.content(self._root)
        name = self._files.name(self._root)
        if not is_object(content):
            raise SpecError(name, "The root file must hold an OpenAPI object.")
        paths = content.get("paths")
        if not is_object(paths):
            raise SpecError(name, "The root file must have `paths`.")
        components = content.get("components", {})
        if not is_object(components):
            raise SpecError(f"{name}#/components", "`components` must be an object.")
        document = {
            k: self._copy(v, None, Target(self._root, f"/{k}"))
            for k, v in content.items()
            if k not in {"paths", "components"}
        }
        document["paths"] = {path: self._path_item(path, item) for path, item in paths.items()}
        self._own_components(components)
        document["components"] = self._components()
        return Bundle(document, self._origins, self._unused())

    def _path_item(self, path: str, item: Any) -> Any:
        target = Target(self._root, f"/paths/{escape(path)}")
        if is_object(item) and "$ref" in item:
            target, item = self._follow(item, target)
        self._origins[f"/paths/{escape(path)}"] = self._place(target)
        if not is_object(item):
            raise SpecError(self._place(target), "A path item must be an object.")
        return {
            k: self._member(k, v, Target(target.file, f"{target.pointer}/{escape(k)}"))
            for k, v in item.items()
        }

    def _own_components(self, components: dict[str, Any]) -> None:
        for kind, entries in components.items():
            place = Target(self._root, f"/components/{escape(kind)}")
            if kind not in _COMPONENT_KINDS or not is_object(entries):
                raise SpecError(self._place(place), f"`components` may hold {', '.join(_COMPONENT_KINDS)}.")
            for name, value in entries.items():
                self._hoist(kind, name, value, Target(self._root, f"{place.pointer}/{escape(name)}"))

    def _components(self) -> dict[str, Any]:
        return {
            kind: {name: self._values[k, name] for k, name in sorted(self._values) if k == kind}
            for kind in _COMPONENT_KINDS
            if any(k == kind for k, _ in self._values)
        }

    def _copy(self, value: Any, kind: str | None, target: Target) -> Any:
        """Copy a value with its refs rewritten; `kind` is what a ref in this very place would point at."""
        if is_array(value):
            return [
                self._copy(v, kind, Target(target.file, f"{target.pointer}/{i}")) for i, v in enumerate(value)
            ]
        if not is_object(value):
            return value
        if "$ref" in value:
            if kind is None:
                raise SpecError(self._place(target), "A $ref cannot stand here.")
            rest = {k: v for k, v in value.items() if k != "$ref"}
            return {"$ref": self._reference(value, kind, target)} | rest
        return {
            k: self._member(k, v, Target(target.file, f"{target.pointer}/{escape(k)}"))
            for k, v in value.items()
        }

    def _member(self, key: str, value: Any, target: Target) -> Any:
        if key in _DATA or key.startswith("x-"):
            return value
        if key == "discriminator" and is_object(value) and is_object(value.get("mapping")):
            return value | {"mapping": {k: self._mapped(v, target) for k, v in value["mapping"].items()}}
        if key in _KIND_OF_MAP and is_object(value) and not isinstance(value.get("$ref"), str):
            kind = _KIND_OF_MAP[key]
            return {
                k: self._copy(v, kind, Target(target.file, f"{target.pointer}/{escape(k)}"))
                for k, v in value.items()
            }
        return self._copy(value, _KIND_OF_MEMBER.get(key) or _KIND_OF_LIST.get(key), target)

    def _mapped(self, value: Any, target: Target) -> Any:
        """A discriminator may name its schemas by ref or by bare name."""
        if isinstance(value, str) and "#" in value:
            return self._reference({"$ref": value}, "schemas", target)
        return value

    def _reference(self, value: dict[str, Any], kind: str, place: Target) -> str:
        target, found = self._follow(value, place)
        name = unescape(target.pointer.rpartition("/")[2])
        self._hoist(kind, name, found, target)
        return f"#/components/{kind}/{name}"

    def _follow(self, value: dict[str, Any], place: Target) -> tuple[Target, Any]:
        """Follow a ref, through entries that are themselves only a ref, to what it means."""
        seen: list[Target] = []
        while is_object(value) and "$ref" in value:
            place = self._resolve(value["$ref"], place)
            if place in seen:
                raise SpecError(self._place(place), "This $ref leads back to itself.")
            seen.append(place)
            value = self._files.at(
                place.file, place.pointer, asked_from=self._place(seen[-2] if seen[1:] else place)
            )
        self._touched.update(seen)
        return place, value

    def _resolve(self, ref: Any, place: Target) -> Target:
        if not isinstance(ref, str) or ref.count("#") != 1 or "://" in ref:
            raise SpecError(self._place(place), f"The $ref {ref!r} must read `file.yaml#/Name` or `#/Name`.")
        relative, _, pointer = ref.partition("#")
        file = (place.file.parent / relative).resolve() if relative else place.file
        if not pointer.startswith("/") or pointer.endswith("/"):
            raise SpecError(self._place(place), f"The $ref {ref!r} must name something inside the file.")
        if not file.is_file():
            raise SpecError(self._place(place), f"The $ref {ref!r} points to a file that does not exist.")
        target = Target(file, pointer)
        self._files.at(file, pointer, asked_from=self._place(place))
        return target

    def _hoist(self, kind: str, name: str, value: Any, target: Target) -> None:
        known = self._targets.get((kind, name))
        if known == target:
            return
        if known is not None:
            raise SpecError(
                self._place(target),
                f"The name {name} is taken in components/{kind} by {self._place(known)}; rename one of them.",
            )
        if not _NAME.match(name):
            raise SpecError(self._place(target), f"{name!r} cannot be the name of a component.")
        # Registered before its value is walked, so that a schema that refers to itself ends here.
        self._targets[kind, name] = target
        self._origins[f"/components/{kind}/{escape(name)}"] = self._place(target)
        self._values[kind, name] = self._copy(value, kind, target)

    def _unused(self) -> tuple[str, ...]:
        """The named entries of the files beside the root that nothing refers to."""
        names: list[str] = []
        for file in sorted(self._files.folder.rglob("*.yaml")):
            entries = self._files.content(file)
            if file == self._root or not is_object(entries):
                continue
            names += [
                self._place(Target(file, f"/{escape(entry)}"))
                for entry in entries
                if Target(file, f"/{escape(entry)}") not in self._touched
            ]
        return tuple(names)

    def _place(self, target: Target) -> str:
        return f"{self._files.name(target.file)}#{target.pointer}"
