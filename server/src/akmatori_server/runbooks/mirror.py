"""Runbooks as Markdown files for people and programs on the server: written with every change, and read back.

The database is the truth. A file that was edited on disk is taken over, unless the runbook was changed in the
database too: then the database wins, and the edited file is kept under another name. A new file with a heading
becomes a runbook; what is none is left alone, and the log says so once. What the mirror wrote
last is noted in a file beside the runbooks, because each data directory has a mirror of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from hashlib import sha256

import attrs
import orjson
import sqlalchemy as sa
import structlog

from akmatori_server.audit import Action, AuditTrail
from akmatori_server.database import Database
from akmatori_server.files import DirectoryLock, FileTooLargeError, SafeDirectory, UnsafePathError
from akmatori_server.files.directory import INTERNAL
from akmatori_server.runbooks import store
from akmatori_server.runbooks.front_matter import complaint_of
from akmatori_server.runbooks.markdown import (
    UnreadableRunbookError,
    file_name,
    has_own_form,
    read_markdown,
    write_markdown,
)
from akmatori_server.runbooks.models import Runbook, RunbookText
from akmatori_server.runbooks.strangers import LARGEST_FILE, Strangers

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

NOTES = f"{INTERNAL}mirrored.json"
LARGEST_NOTES = 64 * 1024 * 1024


@attrs.frozen
class Note:
    """What the mirror wrote last for one runbook: the file's name, and the SHA-256 of its bytes."""

    name: str
    digest: str


@attrs.define(kw_only=True)
class MirrorReport:
    """What one look at the directory did, as file names."""

    written: list[str] = attrs.field(factory=list[str])
    taken_over: list[str] = attrs.field(factory=list[str])
    # New files that became runbooks.
    taken_up: list[str] = attrs.field(factory=list[str])
    removed: list[str] = attrs.field(factory=list[str])
    # Edited on disk and in the database: kept under these names, for a person to merge.
    kept_aside: list[str] = attrs.field(factory=list[str])
    # Edited into something that is no runbook; the database's text stays.
    unreadable: list[str] = attrs.field(factory=list[str])
    # Runbooks whose files could not be written or read; the next look tries again.
    failed: list[int] = attrs.field(factory=list[int])

    def is_empty(self) -> bool:
        """Whether nothing had to be done."""
        return self == MirrorReport()


class RunbookMirror:
    """Keeps `<data>/runbooks/<id>-<slug>.md` and the table alike."""

    def __init__(
        self,
        database: Database,
        directory: SafeDirectory,
        *,
        audit: AuditTrail,
        now: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._directory = directory
        self._audit = audit
        self._now = now
        self._strangers = Strangers(directory)

    def sync(self) -> MirrorReport:
        """Compare every runbook with its file; called at start, and now and then."""
        with self._database.read() as connection:
            # Known without the lock: what changes meanwhile is published by whoever changes it.
            ids = {runbook.id for runbook in store.listed(connection)}
        return self._bring_up_to_date(lambda notes: ids | notes.keys(), with_new=True)

    def publish(self, runbook_id: int) -> MirrorReport:
        """Compare one runbook with its file; called after every write."""
        return self._bring_up_to_date(lambda _notes: {runbook_id})

    def follow(self, runbook_id: int) -> None:
        """Publish a runbook that was written: when its file cannot be, the log says so, and `sync` makes up for it."""
        try:
            self.publish(runbook_id)
        except (OSError, UnsafePathError) as error:
            _log.error("runbook_mirror_failed", runbook=runbook_id, reason=str(error))

    def _bring_up_to_date(
        self, wanted: Callable[[Mapping[int, Note]], Collection[int]], *, with_new: bool = False
    ) -> MirrorReport:
        with DirectoryLock(self._directory).held():
            report, before = MirrorReport(), self._read_notes()
            notes = dict(before)
            for runbook_id in sorted(wanted(before)):
                try:
                    self._bring_one(runbook_id, notes, report)
                except (OSError, UnsafePathError) as error:
                    # The others must not suffer from it; the next look tries again.
                    _log.error("runbook_mirror_failed", runbook=runbook_id, reason=str(error))
                    report.failed.append(runbook_id)
            if with_new:
                self._take_up(notes, report)
            if notes != before:
                self._write_notes(notes)
        if not report.is_empty():
            _log.info("runbooks_mirrored", **attrs.asdict(report))
        return report

    def _take_up(self, notes: dict[int, Note], report: MirrorReport) -> None:
        """Make runbooks of the files that somebody put there."""
        ours = {note.name for note in notes.values()}
        for name, text in self._strangers.runbooks(ours):
            try:
                self._take_up_one(name, text, notes, report)
            except (OSError, UnsafePathError) as error:
                # It is still there under its own name.
                _log.error("runbook_file_not_taken_up", file=name, reason=str(error))
            else:
                report.taken_up.append(name)

    def _take_up_one(
        self, name: str, text: RunbookText, notes: dict[int, Note], report: MirrorReport
    ) -> None:
        content = write_markdown(text)
        with self._database.write() as connection:
            created = store.insert(connection, text, now=self._now())
            self._audit.record(
                connection, None, Action.RUNBOOK_CREATED, f"runbook:{created.id}", None, _shown(created)
            )
            wanted = Note(file_name(created.id, text.title), sha256(content).hexdigest())
            in_the_way = self._content(wanted.name)
            if in_the_way is not None:
                self._keep_aside(wanted.name, sha256(in_the_way).hexdigest(), report)
            # Before the commit: a crash in between leaves the file, and never the runbook twice.
            self._directory.rename(name, wanted.name)
        self._directory.write(wanted.name, content)
        notes[created.id] = wanted
        complaint = complaint_of(text.content)
        if complaint:
            _log.warning("runbook_probes_unreadable", file=wanted.name, reason=complaint)

    def _bring_one(self, runbook_id: int, notes: dict[int, Note], report: MirrorReport) -> None:
        with self._database.read() as connection:
            runbook = store.get(connection, runbook_id)
        note = notes.get(runbook_id)
        if runbook is not None:
            notes[runbook_id] = self._mirror(runbook, note, report)
        elif note is not None:
            self._forget(note, report)
            del notes[runbook_id]

    def _mirror(self, runbook: Runbook, note: Note | None, report: MirrorReport) -> Note:
        text = RunbookText(title=runbook.title, content=runbook.content)
        content = write_markdown(text)
        wanted = Note(file_name(runbook.id, runbook.title), sha256(content).hexdigest())
        on_disk = self._content(note.name if note else wanted.name)
        if on_disk is not None:
            digest = sha256(on_disk).hexdigest()
            if digest == wanted.digest and (note is None or note.name == wanted.name):
                return wanted
            was_edited = note is None or digest not in {note.digest, wanted.digest}
            if was_edited and note is not None and note.digest == wanted.digest:
                return self._take_over(runbook, text, on_disk, note, report)
            if was_edited:
                self._keep_aside(note.name if note else wanted.name, digest, report)
        return self._write(wanted, content, note, report)

    def _take_over(
        self, runbook: Runbook, known: RunbookText, on_disk: bytes, note: Note, report: MirrorReport
    ) -> Note:
        try:
            edited = read_markdown(on_disk, known=known)
        except UnreadableRunbookError as error:
            _log.warning("runbook_file_unreadable", file=note.name, reason=str(error))
            report.unreadable.append(note.name)
            return note
        if edited == known:
            # The file differs in nothing that a runbook has; it is brought into form.
            return self._write(note, write_markdown(known), note, report)
        with self._database.write() as connection:
            stored = store.get(connection, runbook.id)
            if stored is None or (stored.title, stored.content) != (known.title, known.content):
                # Changed this very moment; the next look decides with what is there then.
                return note
            self._update(connection, stored, edited)
        report.taken_over.append(note.name)
        complaint = complaint_of(edited.content)
        if complaint:
            _log.warning("runbook_probes_unreadable", file=note.name, reason=complaint)
        content = write_markdown(edited)
        wanted = Note(file_name(runbook.id, edited.title), sha256(content).hexdigest())
        return self._write(wanted, content, note, report)

    def _update(self, connection: sa.Connection, stored: Runbook, edited: RunbookText) -> None:
        updated = store.update(connection, stored.id, edited, now=self._now())
        self._audit.record(
            connection, None, Action.RUNBOOK_UPDATED, f"runbook:{stored.id}", _shown(stored), _shown(updated)
        )

    def _write(self, wanted: Note, content: bytes, note: Note | None, report: MirrorReport) -> Note:
        self._directory.write(wanted.name, content)
        report.written.append(wanted.name)
        if note is not None and note.name != wanted.name:
            self._directory.remove(note.name)
        return wanted

    def _forget(self, note: Note, report: MirrorReport) -> None:
        """Remove the file of a runbook that is gone; one that was edited since is kept aside."""
        on_disk = self._content(note.name)
        if on_disk is None:
            return
        digest = sha256(on_disk).hexdigest()
        if digest == note.digest:
            self._directory.remove(note.name)
            report.removed.append(note.name)
        else:
            self._keep_aside(note.name, digest, report)

    def _keep_aside(self, name: str, digest: str, report: MirrorReport) -> None:
        # By its content, so that the same edit kept twice is one file.
        aside = f"{name.removesuffix('.md')}.edited-{digest[:12]}.md"
        self._directory.rename(name, aside)
        report.kept_aside.append(aside)
        _log.warning(
            "runbook_edit_not_taken_over",
            file=name,
            kept_as=aside,
            reason="The runbook was changed or deleted in the database meanwhile, which wins. Merge the edit by hand.",
        )

    def _content(self, name: str) -> bytes | None:
        """Return a file's bytes; None when there is none, or nothing that could have been edited."""
        try:
            return self._directory.read(name, limit=LARGEST_FILE)
        except (FileNotFoundError, UnsafePathError):
            return None
        except FileTooLargeError:
            return b""

    def _read_notes(self) -> dict[int, Note]:
        try:
            raw: dict[str, list[str]] = orjson.loads(self._directory.read(NOTES, limit=LARGEST_NOTES))
            return {int(key): Note(name, digest) for key, (name, digest) in raw.items() if has_own_form(name)}
        except FileNotFoundError:
            return {}
        except (ValueError, TypeError, AttributeError, FileTooLargeError, UnsafePathError):
            # Without notes every file that differs counts as edited: nothing is lost.
            _log.warning("runbook_mirror_notes_unreadable")
            return {}

    def _write_notes(self, notes: dict[int, Note]) -> None:
        self._directory.write(
            NOTES, orjson.dumps({str(key): [note.name, note.digest] for key, note in notes.items()})
        )


def _shown(runbook: Runbook) -> dict[str, object]:
    return {
        "id": runbook.id,
        "title": runbook.title,
        "content": runbook.content,
        "created_at": runbook.created_at,
        "updated_at": runbook.updated_at,
    }
