"""Which files of a folder are manifests, and what is in them; one object in memory at a time."""

from __future__ import annotations

import fnmatch
import json
import os
import re
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, TypeAlias

import attrs

from akmatori_server.kubernetes.manifests.documents import CHUNK, DocumentCutter
from akmatori_server.kubernetes.manifests.nodes import MISSING, Node, json_node
from akmatori_server.kubernetes.manifests.objects import ManifestObject, Problem, ProblemKind, object_of
from akmatori_server.kubernetes.manifests.yaml_nodes import ManifestError, read_bodies

SUFFIXES = (".yaml", ".yml", ".json")
# YAML is read as a stream; the bound is on time, and on the one text that may fill a file.
LARGEST_FILE = 256 * 1024 * 1024
# JSON that YAML cannot read (pairs of surrogates) is held as a whole.
LARGEST_JSON = 32 * 1024 * 1024

Read: TypeAlias = ManifestObject | Problem


@attrs.frozen
class ManifestFile:
    """A file to read, and how it is named in findings."""

    path: Path
    shown: str


def find_files(paths: Sequence[Path], *, exclude: Sequence[str] = ()) -> Iterator[ManifestFile | Problem]:
    """Return the files that are named, and those below the folders that are named, in the order of their names.

    Folders whose name begins with a dot are passed over. Links that lead out of their folder are not followed.

    Args:
        paths: The files and folders.
        exclude: Patterns of what is passed over below the folders: of paths from there or, without a slash, of names.
    """
    for path in paths:
        if path.is_dir():
            yield from _walk(path, exclude)
        else:
            yield ManifestFile(path, path.as_posix())


def read_manifests(
    paths: Sequence[Path], *, only: re.Pattern[bytes] | None = None, exclude: Sequence[str] = ()
) -> Iterator[Read]:
    """Return every object in the files and folders, and every problem in the place where it was met.

    Args:
        paths: Files, and folders to search.
        only: Leave out files in which this pattern is not found.
        exclude: Patterns of what is passed over below the folders.
    """
    for found in find_files(paths, exclude=exclude):
        if isinstance(found, Problem):
            yield found
        else:
            yield from read_file(found, only=only)


def read_file(file: ManifestFile, *, only: re.Pattern[bytes] | None = None) -> Iterator[Read]:
    """Return the objects and problems of one file. No content makes it raise."""
    try:
        # A pipe or a device could block for ever, or never end.
        status = file.path.stat()
        if not stat.S_ISREG(status.st_mode):
            yield _unreadable(file, "This is not a regular file.")
            return
        if status.st_size > LARGEST_FILE:
            yield _unreadable(file, f"The file has more than {LARGEST_FILE // 1024**2} MiB.")
            return
        with file.path.open("rb") as content:
            if only is None or _contains(content, only):
                content.seek(0)
                yield from _read_open(file, content)
    except OSError as error:
        yield _unreadable(file, f"The file cannot be read: {error.strerror or type(error).__name__}.")


def _is_excluded(path: Path, exclude: Sequence[str]) -> bool:
    """Whether a pattern fits a path from the folder that is read; a star stands for slashes, too."""
    for pattern in exclude:
        cleaned = pattern.removeprefix("./").removesuffix("/**").rstrip("/")
        # Two stars and a slash stand for no folder as well.
        for one in {cleaned, cleaned.removeprefix("**/")}:
            shown = path.as_posix() if "/" in one else path.name
            if fnmatch.fnmatchcase(shown, one.removeprefix("/")):
                return True
    return False


def _walk(root: Path, exclude: Sequence[str]) -> Iterator[ManifestFile | Problem]:
    inside = root.resolve()
    problems: list[Problem] = []

    def unreadable(error: OSError) -> None:
        shown = Path(str(error.filename or root)).as_posix()
        reason = error.strerror or type(error).__name__
        problems.append(Problem(ProblemKind.UNREADABLE, shown, None, f"The folder cannot be read: {reason}."))

    for folder, folders, files in os.walk(root, onerror=unreadable):
        yield from problems
        problems.clear()
        here = Path(folder).relative_to(root)
        folders[:] = [name for name in folders if not _is_excluded(here / name, exclude)]
        names = [name for name in files if not _is_excluded(here / name, exclude)]
        linked = [name for name in folders if (Path(folder) / name).is_symlink()]
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in linked)
        for name in sorted([*names, *linked]):
            path = Path(folder) / name
            if path.is_symlink() and not _leads_inside(path, inside):
                if name in linked or name.lower().endswith(SUFFIXES):
                    message = "The link leads out of the folder; it was not followed."
                    yield Problem(ProblemKind.UNREADABLE, path.as_posix(), None, message)
            elif name not in linked and name.lower().endswith(SUFFIXES):
                yield ManifestFile(path, path.as_posix())
    yield from problems


def _leads_inside(path: Path, inside: Path) -> bool:
    try:
        return path.resolve().is_relative_to(inside)
    except (OSError, RuntimeError):  # a link to itself
        return False


def _contains(content: IO[bytes], pattern: re.Pattern[bytes]) -> bool:
    before = b""
    while piece := content.read(CHUNK * 16):
        if pattern.search(before + piece):
            return True
        # What is looked for may lie over the border of two pieces.
        before = piece[-200:]
    return False


def _read_open(file: ManifestFile, content: IO[bytes]) -> Iterator[Read]:
    cutter = DocumentCutter(content)
    doubts: list[Problem] = []

    def doubt(line: int, message: str) -> None:
        doubts.append(Problem(ProblemKind.DOUBTFUL, file.shown, line, message))

    while cutter.next():
        count = 0
        try:
            for body in read_bodies(cutter, doubt):
                yield from doubts
                doubts.clear()
                yield object_of(body.node, file.shown, list_kind=body.list_kind)
                count += 1
        except ManifestError as error:
            if count == 0 and file.path.suffix.lower() == ".json" and (node := _read_json(content)):
                yield from _objects_of(node, file.shown)
                return
            message = str(error)
            if cutter.templated or _rest_is_templated(cutter):
                message += " It looks like a template: render it first, such as by `helm template`."
            yield Problem(ProblemKind.UNREADABLE, file.shown, error.line, message)
        yield from doubts
        doubts.clear()


def _rest_is_templated(cutter: DocumentCutter) -> bool:
    while cutter.read(CHUNK):
        pass
    return cutter.templated


def _read_json(content: IO[bytes]) -> Node | None:
    """Read what YAML refuses although it is JSON; lines are not known then."""
    content.seek(0)
    text = content.read(LARGEST_JSON + 1)
    if len(text) > LARGEST_JSON:
        return None
    try:
        return json_node(json.loads(text), 1)
    except (ValueError, RecursionError):
        return None


def _objects_of(node: Node, file: str) -> Iterator[Read]:
    items = node.get("items")
    if items is MISSING or items.items is None:
        yield object_of(node, file)
        return
    for item in items.each():
        yield object_of(item, file, list_kind=node.get("kind").text() or "List")


def _unreadable(file: ManifestFile, message: str) -> Problem:
    return Problem(ProblemKind.UNREADABLE, file.shown, None, message)
