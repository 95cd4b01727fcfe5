"""Killed between the database and the files: after the next start both tell the same, the old or the new."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Callable, Generator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from akmatori_server.context_files.models import NewContextFile
from akmatori_server.files import StagedFiles
from akmatori_server.skills import store
from akmatori_server.skills.models import NewSkill
from tests.server.skills.crashing import CHANGES
from tests.support.configured import Configured, configured

ROOT = Path(__file__).parents[3]


def state(services: Configured) -> dict[str, object]:
    """Everything that the database tells and everything that the disk holds."""
    skills = {skill.name: skill for skill in services.skills.listing.all() if not skill.is_system}
    return {
        "prompts": {name: skill.prompt for name, skill in skills.items()},
        "descriptions": {name: skill.description for name, skill in skills.items()},
        "enabled": {name: skill.enabled for name, skill in skills.items()},
        "scripts": {
            name: {
                script: services.scripts.get(name, script).content
                for script in services.scripts.list(name).names
            }
            for name in skills
        },
        "context": {file.filename: file.sha256 for file in services.files.listing.all()},
        "disk": {
            str(path.relative_to(services.data)): path.read_bytes()
            for path in sorted(services.data.rglob("*"))
            if path.is_file() and path.name != ".~lock"
        },
    }


def fill(services: Configured) -> None:
    """Store a skill with scripts of one and the same content, and a context file."""
    with services.skills.workspace.change() as change:
        services.skills.create_in(change, None, NewSkill(name="old", prompt="old", description="older"))
    for name in ("a.sh", "b.sh"):
        services.scripts.put(None, "old", name, "same")
    services.files.upload(
        None,
        NewContextFile(
            filename="old.md",
            original_name="old.md",
            mime_type="text/plain",
            description="",
            size=3,
            content=io.BytesIO(b"old"),
        ),
    )


def consistent(services: Configured) -> bool:
    """Whether the tables and the files tell the same."""
    for skill in services.skills.listing.all():
        if skill.is_system:
            continue
        with services.database.read() as connection:
            stored = store.get(connection, skill.name)
        assert stored is not None
        if dict(stored.manifest) != services.skills.workspace.folder(skill.name).manifest():
            return False
    names = {file.filename for file in services.files.listing.all()}
    return names == {path.name for path in services.context_dir.iterdir() if not path.name.startswith(".~")}


@pytest.fixture(scope="module")
def crashing() -> Generator[Callable[..., str]]:
    """Run a change in a process that is killed at a moment; return its exit code."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.server.skills.crashing"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:

        def crash(*arguments: str) -> str:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(json.dumps(arguments) + "\n")
            process.stdin.flush()
            return process.stdout.readline().strip()

        yield crash


@pytest.mark.parametrize("change", sorted(CHANGES))
@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_kill_leaves_the_old_or_the_new(
    services: Configured, crashing: Callable[..., str], moment: str, change: str
) -> None:
    """Before the commit everything is as it was; after it everything is as it was to become."""
    fill(services)
    before = state(services)
    url = services.database.engine.url.render_as_string(hide_password=False)
    assert crashing(url, str(services.data), moment, change) == "-9"
    restarted = configured(services.database, services.data)
    drift = restarted.sync.recover()
    missing = restarted.files.recover()
    after = state(restarted)

    assert consistent(restarted)
    assert (drift.added, drift.changed, drift.missing, drift.skipped, missing) == ((), (), (), (), [])
    assert not [path for path in services.data.rglob(".~*") if path.name != ".~lock"]
    if moment == "before":
        assert after == before
    else:
        assert after != before
        CHECKS[change](after)


def _created(after: dict[str, object]) -> None:
    assert after["prompts"] == {"old": "old", "fresh": "new"}
    # What only the table knows came through as well.
    assert after["enabled"] == {"old": True, "fresh": False}


def _expect(key: str, value: object) -> Callable[[dict[str, object]], None]:
    def check(after: dict[str, object]) -> None:
        assert after[key] == value

    return check


def _names(key: str, names: set[str]) -> Callable[[dict[str, object]], None]:
    def check(after: dict[str, object]) -> None:
        found = after[key]
        assert isinstance(found, dict)
        assert set(found) == names

    return check


CHECKS: dict[str, Callable[[dict[str, object]], None]] = {
    "create": _created,
    "update": _expect("prompts", {"old": "new"}),
    "delete": _expect("prompts", {}),
    "put_script": _expect("scripts", {"old": {"a.sh": "new", "b.sh": "same"}}),
    "delete_script": _expect("scripts", {"old": {"b.sh": "same"}}),
    "clear_scripts": _expect("scripts", {"old": {}}),
    "upload": _names("context", {"old.md", "fresh.md"}),
    "remove": _names("context", set()),
}


@pytest.mark.parametrize("change", sorted(CHANGES))
def test_a_commit_that_fails_leaves_the_old(services: Configured, change: str) -> None:
    """Without a restart: the tables decide at once."""
    fill(services)
    before = state(services)

    def fail(_connection: sa.Connection) -> None:
        raise OperationalError("COMMIT", None, Exception("the disk is full"))

    event.listen(services.database.engine, "commit", fail)
    try:
        with pytest.raises(OperationalError):
            CHANGES[change](services)
    finally:
        event.remove(services.database.engine, "commit", fail)

    assert state(services) == before
    assert not [path for path in services.data.rglob(".~*") if path.name != ".~lock"]


def test_files_that_could_not_be_put_in_place_are_so_by_the_next_change(
    services: Configured, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No restart is needed to agree again."""
    fill(services)

    def fail(_staged: StagedFiles) -> None:
        raise OSError("input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(StagedFiles, "apply", fail)
        with pytest.raises(OSError, match="input/output"):
            services.scripts.put(None, "old", "a.sh", "new")
    services.scripts.put(None, "old", "c.sh", "other")

    assert services.scripts.get("old", "a.sh").content == "new"
    assert consistent(services)
