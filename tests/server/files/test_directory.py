"""Below one directory: nothing leaves it, nothing is half written, one writer at a time."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from akmatori_server.files import (
    DirectoryLock,
    FileTooLargeError,
    SafeDirectory,
    StagedFiles,
    UnsafePathError,
    settle,
)

ODD = st.text(max_size=20) | st.lists(
    st.sampled_from(["..", ".", "/", "\\", "a", "\x00", "~", "%2e", "\u2025"])
).map("".join)


@pytest.fixture
def directory(tmp_path: Path) -> SafeDirectory:
    """A directory that nobody has made yet."""
    return SafeDirectory(tmp_path / "root")


def test_what_is_written_is_read(directory: SafeDirectory) -> None:
    """For the owner only, and without leftovers."""
    directory.below("a").below("b").write("x.md", b"one")
    directory.below("a").below("b").write("x.md", b"two")
    inner = directory.root / "a" / "b"

    assert directory.below("a").below("b").read("x.md", limit=3) == b"two"
    assert [path.name for path in inner.iterdir()] == ["x.md"]
    assert stat.S_IMODE((inner / "x.md").stat().st_mode) == 0o600
    assert {stat.S_IMODE(path.stat().st_mode) for path in (directory.root, inner, inner.parent)} == {0o700}


@given(name=ODD)
def test_no_name_leads_out(tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    """Whatever the name, only an entry of the directory itself is touched, or nothing."""
    outer = tmp_path_factory.mktemp("outer")
    (outer / "beside").write_text("untouched")
    directory = SafeDirectory(outer / "root")
    directory.make()
    try:
        directory.write(name, b"x")
    except (UnsafePathError, IsADirectoryError):
        assert list(directory.root.iterdir()) == []
    else:
        assert [path.name for path in directory.root.iterdir()] == [name]
    assert {path.name for path in outer.iterdir()} == {"beside", "root"}


@pytest.mark.parametrize("name", ["..", ".", "", "a/b", "a\x00", "\u2025", "a" * 256, "a\n"])
def test_every_operation_refuses_a_name_that_is_none(directory: SafeDirectory, name: str) -> None:
    """Reading, listing and removing too."""
    directory.make()
    operations: list[Callable[[], object]] = [
        lambda: directory.below(name),
        lambda: directory.open(name),
        lambda: directory.write(name, b""),
        lambda: directory.remove(name),
        lambda: directory.rename(name, "a"),
        lambda: directory.rename("a", name),
        lambda: directory.kind(name),
        lambda: StagedFiles().put(directory, name, b""),
    ]

    for operation in operations:
        with pytest.raises(UnsafePathError):
            operation()


def test_no_link_is_followed(directory: SafeDirectory, tmp_path: Path) -> None:
    """Neither as the last step nor on the way; removing one removes the link."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("secret")
    directory.make()
    (directory.root / "way").symlink_to(outside)
    (directory.root / "file").symlink_to(outside / "secret")

    with pytest.raises(UnsafePathError):
        directory.read("file", limit=100)
    with pytest.raises(UnsafePathError):
        directory.below("way").read("secret", limit=100)
    with pytest.raises(UnsafePathError):
        directory.below("way").write("new", b"")
    assert [(entry.name, entry.kind) for entry in directory.entries()] == [
        ("file", "other"),
        ("way", "other"),
    ]
    directory.write("file", b"new")
    assert directory.remove("way")
    assert (outside / "secret").read_text() == "secret"
    assert [path.name for path in outside.iterdir()] == ["secret"]


def test_a_tree_is_removed_without_following_links(directory: SafeDirectory, tmp_path: Path) -> None:
    """What a link in it points to stays."""
    (tmp_path / "kept").write_text("x")
    directory.below("tree").write("a", b"")
    (directory.root / "tree" / "link").symlink_to(tmp_path / "kept")

    assert directory.remove("tree")
    assert not directory.remove("tree")
    assert (tmp_path / "kept").exists()


def test_pipes_and_large_files_are_refused(directory: SafeDirectory) -> None:
    """Opening a pipe would wait for ever."""
    directory.write("large", b"12345")
    os.mkfifo(directory.root / "pipe")

    with pytest.raises(UnsafePathError):
        directory.open("pipe")
    with pytest.raises(FileTooLargeError):
        directory.read("large", limit=4)
    with pytest.raises(FileNotFoundError):
        directory.open("none")


def test_a_failing_write_leaves_nothing(directory: SafeDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    """As when the disk is full; what was there stays."""
    directory.write("a", b"old")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        directory.write("a", b"new")
    monkeypatch.undo()

    assert directory.read("a", limit=10) == b"old"
    assert [path.name for path in directory.root.iterdir()] == ["a"]


def test_staged_changes_show_when_they_are_applied(directory: SafeDirectory) -> None:
    """And can be taken back before."""
    directory.write("kept", b"1")
    directory.write("going", b"2")
    for is_applied in (False, True):
        staged = StagedFiles()
        staged.put(directory, "new", b"3")
        staged.remove(directory, "going")
        assert directory.kind("new") is None
        if is_applied:
            staged.apply()
        else:
            staged.discard()
            assert [entry.name for entry in directory.entries()] == ["going", "kept"]

    assert [entry.name for entry in directory.entries()] == ["kept", "new"]
    assert directory.internal_names() == []


def test_settling_goes_by_what_is_expected(directory: SafeDirectory) -> None:
    """Committed changes are finished, others taken back, and the rest is swept away."""
    directory.write("a", b"old")
    directory.write("b", b"old")
    staged = StagedFiles()
    digest = staged.put(directory, "a", b"new")
    staged.put(directory, "c", b"never committed")
    staged.remove(directory, "b")
    (directory.root / ".~tmp.0").write_text("half writ")

    assert settle(directory, {"a": digest, "b": directory.hash("a")})
    assert directory.read("a", limit=10) == b"new"
    assert directory.read("b", limit=10) == b"old"
    assert [path.name for path in sorted(directory.root.iterdir())] == ["a", "b"]
    assert not settle(directory, {})


def test_a_directory_is_never_replaced_by_a_file(directory: SafeDirectory) -> None:
    """It could not be, once the transaction is committed."""
    directory.below("a").make()

    with pytest.raises(UnsafePathError):
        StagedFiles().put(directory, "a", b"")


def test_one_writer_at_a_time(directory: SafeDirectory) -> None:
    """Threads wait for each other; what each does in between is not interrupted."""
    lock, inside, most = DirectoryLock(directory), 0, 0

    def work() -> None:
        nonlocal inside, most
        for _ in range(20):
            with lock.held():
                inside += 1
                most = max(most, inside)
                inside -= 1

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert most == 1
