"""Where the desired state is kept: a folder, or a folder of a Git work tree."""

from __future__ import annotations

import configparser
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import attrs

from akmatori_sdk._generated.aotanami.models import DriftSource, DriftSourceType
from akmatori_server.kubernetes.manifests import ManifestObject, Problem, read_manifests

_COMMIT = re.compile(r"[0-9a-f]{40,64}")


@attrs.frozen
class DesiredState:
    """A folder of manifests that says how things should be."""

    path: Path

    def read(self) -> Iterator[ManifestObject | Problem]:
        """Return its objects, with a problem in the place of what cannot be read."""
        return read_manifests([self.path])

    def described(self) -> DriftSource:
        """Say where it is, and for a Git work tree which commit is checked out."""
        tree = next(
            (folder for folder in (self.path, *self.path.resolve().parents) if (folder / ".git").exists()),
            None,
        )
        if tree is None:
            return DriftSource(type=DriftSourceType.FOLDER, path=str(self.path))
        described = DriftSource(type=DriftSourceType.GIT, path=str(self.path))
        git = _git_directory(tree)
        revision, url = _revision(git), _origin(git)
        if revision:
            described.revision = revision
        if url:
            described.url = url
        return described


def _git_directory(tree: Path) -> Path:
    """Return where Git keeps its own: in a linked work tree `.git` is a file that names the place."""
    place = tree / ".git"
    if place.is_dir():
        return place
    named = _text(place).removeprefix("gitdir:").strip()
    directory = (tree / named).resolve()
    common = _text(directory / "commondir").strip()
    return (
        directory
        if not common
        else directory / common
        if (directory / common / "config").exists()
        else directory
    )


def _revision(git: Path) -> str:
    head = _text(git / "HEAD").strip()
    if not head.startswith("ref:"):
        return head if _COMMIT.fullmatch(head) else ""
    reference = head.removeprefix("ref:").strip()
    loose = _text(git / reference).strip()
    if _COMMIT.fullmatch(loose):
        return loose
    for line in _text(git / "packed-refs").splitlines():
        commit, _, name = line.partition(" ")
        if name == reference and _COMMIT.fullmatch(commit):
            return commit
    return ""


def _origin(git: Path) -> str:
    """Return the address of the remote called origin, without user name and password."""
    parser = configparser.ConfigParser(strict=False, interpolation=None, allow_no_value=True)
    try:
        parser.read_string(_text(git / "config"))
    except configparser.Error:
        return ""
    url = parser.get('remote "origin"', "url", fallback="") or ""
    parts = urlsplit(url)
    if not parts.scheme:
        # The short form of SSH, `git@host:path`, has no password.
        return url
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
