"""`akmatori-server rules test`: what teams run in CI."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner, Result

from akmatori_sdk._core.model import UNSET
from akmatori_server.audit import AuditTrail
from akmatori_server.cli import main
from akmatori_server.correlation.document import EMPTY
from akmatori_server.correlation.reading import read_document
from akmatori_server.correlation.service import RulesService
from akmatori_server.correlation.yaml_text import read_rules_text
from akmatori_server.database import Database
from akmatori_server.installation import utc_now
from tests.server.correlation.documents import FAILING, GOOD
from tests.support.configured import call

pytestmark = pytest.mark.usefixtures("own_process_settings")


def written(tmp_path: Path, document: object) -> str:
    """A file with the document."""
    file = tmp_path / "rules.yaml"
    file.write_bytes(document if isinstance(document, bytes) else orjson.dumps(document))
    return str(file)


def run(*arguments: str) -> Result:
    """Run the command inside this process."""
    return CliRunner().invoke(main, ["rules", "test", *arguments], catch_exceptions=False)


def test_all_cases_pass(tmp_path: Path) -> None:
    """0, and a table of them."""
    ended = run(written(tmp_path, GOOD))

    assert ended.exit_code == 0
    assert "two hosts, one cluster" in ended.output
    assert "1 of 1 cases passed." in ended.output


def test_a_case_fails(tmp_path: Path) -> None:
    """1, and what differs."""
    ended = run(written(tmp_path, FAILING))

    assert ended.exit_code == 1
    assert "failed" in ended.output
    assert "0 of 1 cases passed." in ended.output


def test_names_in_brackets_are_shown_as_they_are(tmp_path: Path) -> None:
    """Not taken for a style of the terminal."""
    case = {"name": "[red]", "alerts": [{"id": "[/]", "alert_name": "x"}], "incidents": []}
    ended = run(written(tmp_path, {"version": 1, "cases": [case]}))

    assert ended.exit_code == 1
    assert "[red]" in ended.output
    assert "[/] alone" in ended.output


def test_results_are_json_for_programs(tmp_path: Path) -> None:
    """As the API answers them, and nothing else on the output."""
    ended = run(written(tmp_path, FAILING), "--format", "json")
    report = orjson.loads(ended.stdout)

    assert ended.exit_code == 1
    assert (report["passed"], report["cases"][0]["actual"]) == (False, [["a", "b"]])
    assert len(report["cases"][0]["problems"]) == 4


def test_a_file_without_cases_passes_and_says_so(tmp_path: Path) -> None:
    """Its rules were read at least."""
    ended = run(written(tmp_path, {"version": 1}))

    assert ended.exit_code == 0
    assert ended.output == "The file has no cases; its rules can be read.\n"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"version: 1\nrules: [{name: r, by: [cluster]}]", "line 2: rules[0].by[0]: cluster is not a member"),
        (b"version: [", "line 1: This is not valid YAML"),
        (None, "The file cannot be read: No such file or directory."),
    ],
)
def test_a_file_that_cannot_be_used_is_another_failure(
    tmp_path: Path, content: bytes | None, sentence: str
) -> None:
    """2, with the file, the line and the place."""
    file = written(tmp_path, b"" if content is None else content)
    if content is None:
        Path(file).unlink()
    ended = run(file)

    assert ended.exit_code == 2
    assert ended.stderr.startswith(f"Error: {file}: {sentence}")
    assert ended.stdout == ""


def show(data: Path, **environment: str) -> Result:
    """Print the rules of an installation."""
    return CliRunner().invoke(main, ["rules", "show", "--data-dir", str(data)], env=environment)


def test_what_holds_is_shown_as_a_file(tmp_path: Path, sqlite_template: Path) -> None:
    """What the API stored, ready to be tested and named in the setting; else the file itself."""
    data = tmp_path / "data"
    data.mkdir()
    shutil.copyfile(sqlite_template, data / "akmatori.db")
    database = Database.open(f"sqlite:///{data / 'akmatori.db'}")
    document = read_document(GOOD)
    service = RulesService(database, AuditTrail(database, now=utc_now), file=None, now=utc_now)
    service.replace(call(), document, if_match=UNSET)
    database.close()

    shown = show(data)
    other = show(data, AKMATORI_RULES_FILE=written(tmp_path, {"version": 1}))
    broken = show(data, AKMATORI_RULES_FILE=written(tmp_path, b"version: 3"))

    absent = show(tmp_path / "absent")

    assert shown.exit_code == 0
    assert read_rules_text(shown.stdout_bytes) == document
    assert read_rules_text(other.stdout_bytes) == EMPTY
    assert broken.exit_code == 1
    assert "line 1: version: must be 1" in broken.stderr
    assert absent.stderr == (
        f"Error: There is no installation here: {tmp_path / 'absent' / 'akmatori.db'} does not exist.\n"
    )
    assert not (tmp_path / "absent").exists()


@pytest.mark.timeout(120)
def test_the_process_ends_with_the_result(tmp_path: Path) -> None:
    """What CI looks at; the server's own log lines stay out of the output."""
    ended = subprocess.run(
        [
            sys.executable,
            "-m",
            "akmatori_server",
            "rules",
            "test",
            written(tmp_path, FAILING),
            "--format",
            "json",
        ],
        capture_output=True,
        check=False,
        timeout=100,
    )

    assert ended.returncode == 1
    assert orjson.loads(ended.stdout)["passed"] is False
    assert ended.stderr == b""
