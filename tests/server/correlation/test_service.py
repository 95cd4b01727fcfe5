"""The rules that hold: from the file while it can be read, else from the database."""

from __future__ import annotations

import os
import time
from pathlib import Path

import attrs
import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from akmatori_sdk._core.model import UNSET
from akmatori_server.audit import AuditTrail
from akmatori_server.config import ConfigurationError, load_settings
from akmatori_server.correlation.reading import read_document
from akmatori_server.correlation.service import RulesService
from akmatori_server.correlation.state import Origin
from akmatori_server.correlation.tables import correlation_rules
from akmatori_server.database import Database
from akmatori_server.errors import Conflict
from akmatori_server.installation import utc_now
from tests.server.correlation.documents import GOOD
from tests.support.configured import call

BROKEN = "version: 1\nrules: [{name: r, by: [cluster]}]\n"


@attrs.define
class Seconds:
    """A clock that is set."""

    value: float = 0.0

    def __call__(self) -> float:
        """Return the seconds."""
        return self.value


def service(database: Database, file: Path | None = None, *, clock: Seconds | None = None) -> RulesService:
    """The rules, as another process with its own clock has them."""
    return RulesService(
        database, AuditTrail(database, now=utc_now), file=file, now=utc_now, clock=clock or Seconds()
    )


def one_rule(name: str) -> str:
    """A file of one rule."""
    return f"version: 1\nrules:\n  - {{name: {name}, by: [source]}}\n"


def names(rules: RulesService) -> list[str]:
    """The names of the rules that hold."""
    return [rule.name for rule in rules.current().rules]


def test_another_process_sees_a_write_within_a_second(database: Database) -> None:
    """The writer sees it at once; the others ask again soon enough."""
    clock = Seconds()
    writer, other = service(database), service(database, clock=clock)
    assert (names(writer), names(other), other.state().origin) == ([], [], Origin.DEFAULT)

    writer.replace(call(), read_document(GOOD), if_match=UNSET)

    assert names(writer) == ["clusters"]
    assert names(other) == []
    clock.value += 0.9
    assert names(other) == ["clusters"]
    assert other.state().origin is Origin.API


def test_only_the_first_of_two_writers_wins(database: Database) -> None:
    """Who names what it has read; also for the very first write."""
    rules = service(database)
    etag = rules.state().etag
    rules.replace(call(), read_document(GOOD), if_match=etag)

    with pytest.raises(Conflict):
        rules.replace(call(), read_document({"version": 1}), if_match=etag)
    assert rules.replace(call(), read_document({"version": 1}), if_match=rules.state().etag).book.rules == ()


def test_rules_of_a_newer_server_are_told_and_survived(database: Database) -> None:
    """What held before holds on, and the error is logged once."""
    rules = service(database)
    rules.replace(call(), read_document(GOOD), if_match=UNSET)
    assert names(rules) == ["clusters"]
    with database.write() as connection:
        connection.execute(sa.update(correlation_rules).values(document={"version": 2}, version=9))

    with capture_logs() as logs:
        states = [rules.state(), rules.state()]

    assert [state.book.rules[0].name for state in states] == ["clusters", "clusters"]
    assert states[0].error is not None
    assert "version: must be 1" in states[0].error
    assert [entry["event"] for entry in logs] == ["stored_rules_unreadable"]


def test_a_file_is_read_again_when_it_changes(database: Database, tmp_path: Path) -> None:
    """Even when neither its size nor its time tells; and it wins over what is stored."""
    file, clock = tmp_path / "rules.yaml", Seconds()
    service(database).replace(call(), read_document(GOOD), if_match=UNSET)
    file.write_text(one_rule("one"))
    os.utime(file, (1, 1))
    rules = service(database, file, clock=clock)
    rules.load()
    assert names(rules) == ["one"]

    file.write_text(one_rule("two"))
    os.utime(file, (1, 1))
    clock.value += 1

    assert names(rules) == ["two"]
    state = rules.state()
    assert (state.origin, state.path, state.error) == (Origin.FILE, file, None)
    with pytest.raises(Conflict, match=r"come from the file .*rules\.yaml; change them there"):
        rules.replace(call(), read_document(GOOD), if_match=UNSET)


def test_a_broken_change_keeps_the_last_good_rules(unused: Database, tmp_path: Path) -> None:
    """It is logged once and shown; a mended file holds again, the old content too."""
    file, clock = tmp_path / "rules.yaml", Seconds()
    file.write_text(one_rule("one"))
    rules = service(unused, file, clock=clock)
    rules.load()
    errors: list[str | None] = []

    with capture_logs() as logs:
        for content in (BROKEN, BROKEN, None, one_rule("one")):
            file.unlink() if content is None else file.write_text(content)
            clock.value += 1
            assert names(rules) == ["one"]
            errors.append(rules.state().error)

    assert errors[0] == errors[1]
    assert str(errors[0]).startswith("line 2: rules[0].by[0]: cluster is not a member")
    assert errors[2:] == ["The file cannot be read: No such file or directory.", None]
    assert [entry["event"] for entry in logs] == [
        "rules_file_broken",
        "rules_file_broken",
        "rules_file_loaded",
    ]


def test_a_broken_file_is_logged_though_nobody_asks(unused: Database, tmp_path: Path) -> None:
    """The file is watched until the server stops."""
    file = tmp_path / "rules.yaml"
    file.write_text(one_rule("one"))
    rules = service(unused, file)
    rules.load()

    with capture_logs() as logs:
        rules.watch(every=0.01)
        file.write_text(BROKEN)
        deadline = time.monotonic() + 20
        while not logs:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        rules.stop()

    assert (logs[0]["event"], logs[0]["log_level"]) == ("rules_file_broken", "error")


def test_the_setting_names_the_file() -> None:
    """Without it there is none."""
    assert load_settings({"AKMATORI_RULES_FILE": "~/r.yaml"}).rules_file == Path.home() / "r.yaml"
    assert load_settings({}).rules_file is None


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(BROKEN, "line 2: rules[0].by[0]: cluster is not"), (None, "The file cannot be read: No such file")],
)
def test_a_broken_file_refuses_the_start(
    unused: Database, tmp_path: Path, content: str | None, sentence: str
) -> None:
    """With the name of the setting, the file and the place."""
    file = tmp_path / "rules.yaml"
    if content is not None:
        file.write_text(content)

    with pytest.raises(ConfigurationError) as caught:
        service(unused, file).load()

    assert str(caught.value).startswith(f"AKMATORI_RULES_FILE {file}: {sentence}")
