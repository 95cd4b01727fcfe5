"""Runbooks as files: written with every change, read back when edited, nobody else's files touched."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from akmatori_sdk._core.model import UNSET
from akmatori_sdk._generated.akmatori import models
from akmatori_server._generated.akmatori import stubs
from akmatori_server.audit import AuditTrail
from akmatori_server.database import metadata
from akmatori_server.files import SafeDirectory
from akmatori_server.files.directory import checked_name
from akmatori_server.pagination import PageRequest
from akmatori_server.runbooks.handlers import RunbookHandlers
from akmatori_server.runbooks.markdown import file_name, has_own_form, read_markdown, write_markdown
from akmatori_server.runbooks.mirror import RunbookMirror
from akmatori_server.runbooks.models import RunbookText
from tests.server.incidents.domain import Domain, call

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=100)


@pytest.fixture
def audit(domain: Domain) -> AuditTrail:
    """What is recorded."""
    metadata.create_all(domain.database.engine)
    return AuditTrail(domain.database, now=domain.clock)


@pytest.fixture
def mirror(domain: Domain, audit: AuditTrail, tmp_path: Path) -> RunbookMirror:
    """A mirror in a directory of its own."""
    return RunbookMirror(domain.database, SafeDirectory(tmp_path / "runbooks"), audit=audit, now=domain.clock)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the files are."""
    return tmp_path / "runbooks"


def files(folder: Path) -> dict[str, str]:
    """Return the files by name, without the mirror's own."""
    return {
        path.name: path.read_bytes().decode() for path in folder.iterdir() if not path.name.startswith(".~")
    }


def add(domain: Domain, title: str = "Disk is full", content: str = "Free some.") -> int:
    """Store a runbook."""
    return domain.runbooks.create(RunbookText(title=title, content=content)).id


def test_the_operations_write_the_files(domain: Domain, mirror: RunbookMirror, folder: Path) -> None:
    """Created, renamed with the title, deleted."""
    handlers: stubs.Runbooks = RunbookHandlers(domain.runbooks, domain.trail, written=mirror.follow)
    body = models.RunbookInput(title="Disk is  full: /var", content="Free\r\n some.")
    handlers.create_runbook(call(), idempotency_key=UNSET, body=body)
    assert files(folder) == {"1-disk-is-full-var.md": "# Disk is full: /var\n\nFree\r\n some."}
    handlers.update_runbook(
        call(), id=1, if_match=UNSET, body=models.RunbookInput(title="Ünïcode!", content="x")
    )
    assert files(folder) == {"1-unicode.md": "# Ünïcode!\n\nx"}
    handlers.delete_runbook(call(), id=1)
    assert files(folder) == {}


def test_everything_is_written_once(domain: Domain, mirror: RunbookMirror, folder: Path) -> None:
    """A second look has nothing to do, also without its notes."""
    for title in ("a", "b", "火災"):
        add(domain, title)

    assert sorted(mirror.sync().written) == ["1-a.md", "2-b.md", "3-runbook.md"]
    assert mirror.sync().is_empty()
    (folder / ".~mirrored.json").unlink()
    assert mirror.sync().is_empty()
    (folder / ".~mirrored.json").write_text('{"1": 5}')
    assert mirror.sync().is_empty()
    assert set(files(folder)) == {"1-a.md", "2-b.md", "3-runbook.md"}


def test_an_edit_on_disk_is_taken_over(
    domain: Domain, mirror: RunbookMirror, audit: AuditTrail, folder: Path
) -> None:
    """Title and content; the file gets its new name, the audit an entry, and a search finds it."""
    number = add(domain)
    mirror.sync()
    (folder / "1-disk-is-full.md").write_text("# Disk is very full\n\nFree more.\n")
    report = mirror.sync()
    stored = domain.runbooks.get(number)

    assert report.taken_over == ["1-disk-is-full.md"]
    assert (stored.title, stored.content) == ("Disk is very full", "Free more.\n")
    assert files(folder) == {"1-disk-is-very-full.md": "# Disk is very full\n\nFree more.\n"}
    assert mirror.sync().is_empty()
    entry = audit.page(PageRequest()).items[0]
    assert (entry.action, entry.actor_kind, entry.target) == ("runbook:updated", "system", "runbook:1")


def test_when_both_changed_the_database_wins_and_the_edit_is_kept(
    domain: Domain, mirror: RunbookMirror, folder: Path
) -> None:
    """Nobody's work is lost."""
    number = add(domain)
    mirror.sync()
    (folder / "1-disk-is-full.md").write_text("# Disk is full\n\nedited on disk")
    domain.runbooks.replace(number, RunbookText(title="Disk is full", content="edited by the API"))
    report = mirror.publish(number)

    assert domain.runbooks.get(number).content == "edited by the API"
    assert len(report.kept_aside) == 1
    assert files(folder) == {
        "1-disk-is-full.md": "# Disk is full\n\nedited by the API",
        report.kept_aside[0]: "# Disk is full\n\nedited on disk",
    }
    assert mirror.sync().is_empty()


def test_a_file_that_is_no_runbook_any_more_is_reported(
    domain: Domain, mirror: RunbookMirror, folder: Path
) -> None:
    """The database's text stays, and so does the file, until the runbook changes."""
    number = add(domain)
    mirror.sync()
    file = folder / "1-disk-is-full.md"
    for broken in (
        b"no heading",
        b"# \n\nx",
        b"# x\n\n \n",
        b"# \xff\n\nx",
        b"# x\n\n\x00",
        b"",
        b"# " + b"x" * 300 + b"\n\ny",
    ):
        file.write_bytes(broken)
        assert mirror.sync().unreadable == ["1-disk-is-full.md"], broken
        assert file.read_bytes() == broken
    assert domain.runbooks.get(number).content == "Free some."
    domain.runbooks.replace(number, RunbookText(title="Disk is full", content="new"))
    assert len(mirror.sync().kept_aside) == 1
    assert file.read_text() == "# Disk is full\n\nnew"


def test_only_our_own_stale_files_are_removed(domain: Domain, mirror: RunbookMirror, folder: Path) -> None:
    """Not what others put there, and not what was edited after all."""
    kept, edited = add(domain, "kept"), add(domain, "edited")
    mirror.sync()
    (folder / "README.md").write_text("mine")
    (folder / "99-looks-like-ours.md").write_text("mine too")
    (folder / "2-edited.md").write_text("# edited\n\non disk")
    domain.runbooks.delete(kept)
    domain.runbooks.delete(edited)
    report = mirror.sync()

    assert report.removed == ["1-kept.md"]
    assert set(files(folder)) == {"README.md", "99-looks-like-ours.md", *report.kept_aside}
    assert mirror.sync().is_empty()


def test_a_file_that_stands_in_the_way_is_kept_aside(
    domain: Domain, mirror: RunbookMirror, folder: Path
) -> None:
    """It was there before the runbook."""
    folder.mkdir()
    (folder / "1-disk-is-full.md").write_text("mine")
    add(domain)
    report = mirror.sync()

    assert files(folder) == {
        "1-disk-is-full.md": "# Disk is full\n\nFree some.",
        report.kept_aside[0]: "mine",
    }


def test_new_files_become_runbooks_and_what_is_none_is_told_once(
    domain: Domain, mirror: RunbookMirror, audit: AuditTrail, folder: Path
) -> None:
    """Titled by their first heading, and not taken up a second time."""
    add(domain)
    mirror.sync()
    for name, text in (
        ("oom.md", "# Out of memory\n\n1. Look"),
        ("README.md", "# Our runbooks\n\nMine"),
        ("notes.md", "no heading"),
        ("7-old.md", "# Old\n\nx"),
        ("with space.md", "# Space\n\nx"),
        ("2-out-of-memory.md", "in the way"),
        (".draft.md", "# Draft\n\nx"),
        ("list.txt", "# List\n\nx"),
    ):
        (folder / name).write_text(text)

    with capture_logs() as told:
        report = mirror.sync()

    assert report.taken_up == ["oom.md"]
    stored = domain.runbooks.get(2)
    assert (stored.title, stored.content) == ("Out of memory", "1. Look")
    assert files(folder)["2-out-of-memory.md"] == "# Out of memory\n\n1. Look"
    assert "oom.md" not in files(folder)
    # What stood in the way is not lost.
    assert files(folder)[report.kept_aside[0]] == "in the way"
    assert (audit.page(PageRequest()).items[0].action, len(domain.runbooks.listing.all())) == (
        "runbook:created",
        2,
    )
    ignored = {event["file"]: event["reason"] for event in told if event["event"] == "runbook_file_ignored"}
    assert {"notes.md", "7-old.md", "with space.md"} <= set(ignored)
    assert "README.md" not in ignored
    mirror.sync()
    with capture_logs() as told:
        assert mirror.sync().is_empty()
    assert told == []


def test_an_edit_that_lost_is_warned_of(domain: Domain, mirror: RunbookMirror, folder: Path) -> None:
    """When it is put aside, and again at every start as long as it is there."""
    number = add(domain)
    mirror.sync()
    (folder / "1-disk-is-full.md").write_text("# Disk is full\n\nedited on disk")
    domain.runbooks.replace(number, RunbookText(title="Disk is full", content="edited by the API"))

    with capture_logs() as told:
        aside = mirror.publish(number).kept_aside[0]
        mirror.sync()

    (warning,) = (event for event in told if event["event"] == "runbook_edit_not_taken_over")
    assert (warning["log_level"], warning["kept_as"]) == ("warning", aside)
    (again,) = (event for event in told if event["event"] == "runbook_file_ignored")
    assert again["file"] == aside


def test_lost_files_come_back(domain: Domain, mirror: RunbookMirror, folder: Path) -> None:
    """Deleting a file is not deleting a runbook; nor is a link put in its place followed."""
    add(domain)
    mirror.sync()
    (folder / "1-disk-is-full.md").unlink()
    assert mirror.sync().written == ["1-disk-is-full.md"]
    shutil.rmtree(folder)
    assert mirror.sync().written == ["1-disk-is-full.md"]
    outside = folder.parent / "outside"
    outside.write_text("# x\n\nsecret")
    (folder / "1-disk-is-full.md").unlink()
    (folder / "1-disk-is-full.md").symlink_to(outside)
    mirror.sync()
    assert not (folder / "1-disk-is-full.md").is_symlink()
    assert outside.read_text() == "# x\n\nsecret"
    assert domain.runbooks.get(1).content == "Free some."


def test_one_file_that_cannot_be_written_stops_no_other(
    domain: Domain, mirror: RunbookMirror, folder: Path
) -> None:
    """It is tried again at the next look."""
    add(domain, "a")
    add(domain, "b")
    (folder / "1-a.md").mkdir(parents=True)
    report = mirror.sync()
    assert (report.failed, report.written) == ([1], ["2-b.md"])
    (folder / "1-a.md").rmdir()

    assert mirror.sync().written == ["1-a.md"]


@given(TEXTS.filter(lambda text: text.strip()), TEXTS.filter(lambda text: text.strip()))
def test_a_runbook_comes_back_as_it_was(title: str, content: str) -> None:
    """Whatever its lines and marks."""
    text = RunbookText(title=title.strip(), content=content)

    assert read_markdown(write_markdown(text), known=text) == text


@given(st.integers(min_value=1, max_value=2**31), st.text(max_size=300))
def test_any_title_makes_a_safe_name(number: int, title: str) -> None:
    """One plain step of a path that begins with the id."""
    name = file_name(number, title)

    assert checked_name(name) == name
    assert has_own_form(name)
    assert name.startswith(f"{number}-")
    assert len(name) < 130
