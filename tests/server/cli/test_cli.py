"""The command line: the server as a process, and what a person does beside it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner, Result

from akmatori_server.audit import AuditTrail
from akmatori_server.audit.models import Entry
from akmatori_server.cli import main
from akmatori_server.database import Database
from akmatori_server.lazy_commands import LazyGroup
from akmatori_server.pagination import PageRequest

# A server is a process of its own, which takes seconds to start on a busy machine.
pytestmark = [pytest.mark.timeout(300), pytest.mark.usefixtures("own_process_settings")]

COMMAND = [sys.executable, "-m", "akmatori_server"]
PASSWORD = {"ADMIN_PASSWORD": "correct horse battery"}


def environment(extra: Mapping[str, str]) -> dict[str, str]:
    """Leave out what the person running the tests may have set."""
    own = ("AKMATORI_", "ADMIN_", "JWT_", "DATABASE_URL", "HTTP_PORT")
    return {**{k: v for k, v in os.environ.items() if not k.startswith(own)}, **extra}


def keys(*arguments: str) -> Result:
    """Run a command about keys inside this process, with none of its environment."""
    others: dict[str, str | None] = dict.fromkeys(os.environ.keys() - environment({}).keys())
    return CliRunner().invoke(main, ["keys", *arguments], env=others, catch_exceptions=False)


def run(*arguments: str, **extra: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, as a process."""
    return subprocess.run(
        [*COMMAND, *arguments],
        env=environment(extra),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@contextmanager
def serving(data_dir: Path, extra: Mapping[str, str]) -> Generator[tuple[str, subprocess.Popen[str]]]:
    """Run the server; yield its URL, as it tells it, and the process."""
    with (data_dir.parent / "server.log").open("w+") as log:
        process = subprocess.Popen(
            [*COMMAND, "serve", "--port", "0", "--data-dir", str(data_dir)],
            env=environment(extra),
            stderr=log,
            text=True,
        )
        try:
            deadline = time.monotonic() + 60
            while True:
                said = (data_dir.parent / "server.log").read_text()
                told = re.search(r"listens on (http://\S+),", said)
                if told is not None:
                    break
                assert process.poll() is None, said
                assert time.monotonic() < deadline, said
                time.sleep(0.05)
            yield told[1], process
        finally:
            process.kill()
            process.wait()


def test_a_server_from_start_to_stop(tmp_path: Path) -> None:
    """It answers, keeps its files to itself, takes new keys, admits no second one, stops when told."""
    data = tmp_path / "data"
    with serving(data, PASSWORD) as (url, process):
        assert httpx.get(f"{url}/readyz", timeout=30).status_code == 200
        assert {path.stat().st_mode & 0o777 for path in data.iterdir() if path.is_file()} == {0o600}
        assert data.stat().st_mode & 0o777 == 0o700

        key = run("keys", "create", "ci", "--scope", "read", "--data-dir", str(data)).stdout.strip()
        assert httpx.get(f"{url}/api/incidents", headers={"X-API-Key": key}).status_code == 200
        assert "ci\tread\t****" in keys("list", "--data-dir", str(data)).stdout
        assert keys("revoke", "ci", "--data-dir", str(data)).exit_code == 0
        deadline = time.monotonic() + 10
        while httpx.get(f"{url}/api/incidents", headers={"X-API-Key": key}).status_code == 200:
            assert time.monotonic() < deadline
            time.sleep(0.2)

        second = run("serve", "--port", "0", "--data-dir", str(data), **PASSWORD)
        assert second.returncode == 1
        assert "Another server uses" in second.stderr

        process.send_signal(signal.SIGTERM)
        process.wait(30)
    log = (tmp_path / "server.log").read_text()
    assert "server_stopped" in log
    assert PASSWORD["ADMIN_PASSWORD"] not in log
    assert key not in log


def test_the_first_start_says_what_to_do(tmp_path: Path) -> None:
    """Without a password there is the setup."""
    with serving(tmp_path / "data", {}) as (url, _process):
        assert httpx.get(f"{url}/auth/setup-status", timeout=30).json()["setup_required"] is True
    assert f"{url}/auth/setup" in (tmp_path / "server.log").read_text()


@pytest.mark.parametrize(
    ("arguments", "extra", "sentence"),
    [
        (["--host", "0.0.0.0"], {}, "Refusing to listen on 0.0.0.0 without a password"),  # noqa: S104  it is refused
        ([], {"AKMATORI_SECRET_KEY": "short"}, "32 bytes in URL-safe Base64"),
        (["--database-url", "postgresql://u:hunter2@127.0.0.1:1/d"], {}, "The database cannot be used"),
        (["--no-work"], PASSWORD, "With SQLite the server is the only process"),
        (["--host", "192.0.2.1"], PASSWORD, "Cannot listen on 192.0.2.1"),
    ],
)
def test_what_cannot_work_is_one_sentence(
    tmp_path: Path, arguments: list[str], extra: dict[str, str], sentence: str
) -> None:
    """No trace, and no secret."""
    ended = run("serve", "--port", "0", "--data-dir", str(tmp_path), *arguments, **extra)

    assert ended.returncode == 1
    assert sentence in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "hunter2" not in ended.stderr


def test_keys_on_the_command_line(tmp_path: Path) -> None:
    """Only the key itself is on the output, for scripts; wrong uses are told."""
    where = ("--data-dir", str(tmp_path))

    created = keys("create", "ci", *where)

    assert re.fullmatch(r"akm_[A-Za-z0-9_-]{43}\n", created.stdout)
    assert "exists" in keys("create", "ci", *where).stderr
    assert "No API key has this name" in keys("revoke", "other", *where).stderr
    assert keys("create", "x", "--scope", "root", *where).exit_code == 2
    assert "ci\twrite\t" in keys("list", *where).stdout
    assert keys("revoke", "ci", *where).exit_code == 0
    assert [(entry.actor, entry.action) for entry in audited(tmp_path)] == [
        ("system", "api_key:revoked"),
        ("system", "api_key:created"),
    ]


def audited(data_dir: Path) -> list[Entry]:
    """Read the audit trail behind the command's back, the newest first."""
    database = Database.open(f"sqlite:///{data_dir / 'akmatori.db'}")
    try:
        return AuditTrail(database, now=lambda: datetime.now(UTC)).page(PageRequest(1, 50)).items
    finally:
        database.close()


@pytest.mark.parametrize(
    "command", [["keys", "list"], ["keys", "revoke", "ci"], ["secrets", "check"], ["secrets", "forget"]]
)
def test_who_only_looks_makes_nothing(tmp_path: Path, command: list[str]) -> None:
    """A mistyped directory is told, and stays away."""
    mistyped = tmp_path / "mistyped"
    empty = f"sqlite:///{tmp_path / 'empty.db'}"
    (tmp_path / "empty.db").touch()
    others: dict[str, str | None] = dict.fromkeys(os.environ.keys() - environment({}).keys())
    absent = CliRunner().invoke(main, [*command, "--data-dir", str(mistyped)], env=others)
    blank = CliRunner().invoke(
        main, [*command, "--data-dir", str(mistyped), "--database-url", empty], env=others
    )

    assert (absent.exit_code, blank.exit_code) == (1, 1)
    assert (
        absent.stderr == f"Error: There is no installation here: {mistyped / 'akmatori.db'} does not exist.\n"
    )
    assert blank.stderr == f"Error: There is no installation here: {mistyped} does not exist.\n"
    assert not mistyped.exists()


def test_the_list_of_commands_is_that_of_the_commands() -> None:
    """Their lines are written beside them, so that nothing is imported to show them."""
    assert isinstance(main, LazyGroup)
    shown = CliRunner().invoke(main, ["--help"]).output
    for name, lazy in main.lazy.items():
        command = lazy.load()
        assert command.name == name
        assert (command.help or "").split("\n\n")[0].replace("\n", " ").startswith(lazy.line)
        assert f"  {name} " in shown


RUNBOOK = str(Path(__file__).parents[3] / "server/src/akmatori_server/demo/runbooks/high-memory.md")


@pytest.mark.parametrize(
    "command", [["--version"], ["--help"], ["gate", "explain", "df -h"], ["runbooks", "check", RUNBOOK]]
)
def test_light_commands_import_no_server(command: list[str]) -> None:
    """They answer at once: nothing of the database, the frameworks or the models is imported for them."""
    script = (
        "import sys\nfrom akmatori_server.cli import main\n"
        "try:\n    main(sys.argv[1:])\nfinally:\n"
        "    heavy = {'sqlalchemy', 'alembic', 'connexion', 'structlog', 'jwt', 'orjson', 'akmatori_server.app'}\n"
        "    print('imported', sorted(heavy & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *command], capture_output=True, text=True, check=True
    )

    assert done.stdout.endswith("imported []\n")
