"""Which operation a method and path mean: a dictionary for literal paths, a tree for templates."""

from __future__ import annotations

import attrs

from akmatori_server.errors import MethodNotAllowed, NotFound


@attrs.frozen
class Target:
    """One routable operation."""

    base_path: str
    operation_id: str

    @property
    def label(self) -> str:
        """Its name in logs and metrics: two specifications may use the same operationId."""
        return ".".join([*self.base_path.strip("/").split("/"), self.operation_id]).lstrip(".")


@attrs.frozen
class Match:
    """The operation found, and the texts that stand in its path's places."""

    target: Target
    params: dict[str, str]


# A target and the names of its path's places.
_Route = tuple[Target, tuple[str, ...]]


@attrs.define
class _Methods:
    """What one path answers: its operations by method."""

    targets: dict[str, tuple[Target, tuple[str, ...]]] = attrs.Factory(
        dict[str, tuple[Target, tuple[str, ...]]]
    )

    @property
    def allow(self) -> str:
        names = set(self.targets) | {"OPTIONS"}
        if "GET" in names:
            names.add("HEAD")
        return ", ".join(sorted(names))


@attrs.define
class _Node:
    literal: dict[str, _Node] = attrs.Factory(dict[str, "_Node"])
    place: _Node | None = None
    methods: _Methods | None = None


class Router:
    """All operations of all specifications."""

    def __init__(self) -> None:
        self._paths: dict[str, _Methods] = {}
        self._root = _Node()

    def add(self, method: str, template: str, target: Target) -> None:
        """Register one operation under its path template, such as `/api/incidents/{uuid}`."""
        names = tuple(part[1:-1] for part in template.split("/") if part.startswith("{"))
        is_literal = "{" not in template
        methods = self._paths.setdefault(template, _Methods()) if is_literal else self._leaf(template)
        methods.targets[method.upper()] = (target, names)

    def find(self, method: str, path: str) -> Match:
        """Find the operation. HEAD is answered by GET's.

        Raises:
            NotFound: no operation has this path.
            MethodNotAllowed: the path has other methods.
        """
        methods, values = self._resolve(path)
        found = methods.targets.get(method)
        if found is None and method == "HEAD":
            found = methods.targets.get("GET")
        if found is None:
            raise MethodNotAllowed(methods.allow)
        target, names = found
        return Match(target, dict(zip(names, values, strict=True)))

    def allow(self, path: str) -> str:
        """Return the methods of a path, as the header `Allow` lists them.

        Raises:
            NotFound: no operation has this path.
        """
        return self._resolve(path)[0].allow

    def _leaf(self, template: str) -> _Methods:
        node = self._root
        for part in template.split("/"):
            if part.startswith("{"):
                node.place = node.place or _Node()
                node = node.place
            else:
                node = node.literal.setdefault(part, _Node())
        node.methods = node.methods or _Methods()
        return node.methods

    def _resolve(self, path: str) -> tuple[_Methods, list[str]]:
        literal = self._paths.get(path)
        if literal is not None:
            return literal, []
        values: list[str] = []
        methods = _walk(self._root, path.split("/"), 0, values)
        if methods is None:
            raise NotFound("No such path.")
        return methods, values


def _walk(node: _Node, parts: list[str], at: int, values: list[str]) -> _Methods | None:
    """Follow the path's parts; a literal is preferred to a place, and a dead end is walked back."""
    if at == len(parts):
        return node.methods
    part = parts[at]
    child = node.literal.get(part)
    if child is not None:
        found = _walk(child, parts, at + 1, values)
        if found is not None:
            return found
    if node.place is None or not part:
        return None
    values.append(part)
    found = _walk(node.place, parts, at + 1, values)
    if found is None:
        values.pop()
    return found
