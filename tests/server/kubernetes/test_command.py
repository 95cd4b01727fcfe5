"""The command line `aotanami-server scan`."""

import datetime as dt
import io
import json
import subprocess
import sys
from pathlib import Path

import attrs
import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from akmatori_sdk import UNSET
from akmatori_sdk._generated.aotanami.codec import decode_finding
from akmatori_sdk._generated.aotanami.models import Category, ManifestPosition, Severity
from akmatori_server.kubernetes import commands
from akmatori_server.kubernetes.checks.catalogue import CHECKS
from akmatori_server.kubernetes.checks.controls import CIS_VERSIONS
from akmatori_server.kubernetes.manifests import Problem, ProblemKind
from akmatori_server.kubernetes.scans.exceptions import read_exceptions
from akmatori_server.kubernetes.scans.model import ScanResult
from akmatori_server.kubernetes.scans.table import print_table
from tests.server.kubernetes.conftest import Scan
from tests.server.kubernetes.corpus import Case, c, objects, write


@pytest.fixture
def wrong(tmp_path: Path) -> Path:
    folder = tmp_path / "manifests"
    folder.mkdir()
    write(folder, *objects(c(securityContext__privileged=True)))
    (folder / "broken.yaml").write_text("a: [\n")
    return folder


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(commands.main, ["scan", *map(str, arguments)])


def test_as_a_process(wrong: Path) -> None:
    command = [sys.executable, "-m", "akmatori_server.kubernetes", "scan", str(wrong)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "privileged" in done.stdout
    assert "1 critical" in done.stdout
    assert done.stderr.splitlines()[:1] == [
        f"unreadable: {wrong}/broken.yaml:1: This is not valid YAML: did not find expected node content."
    ]


@pytest.mark.parametrize(("threshold", "code"), [("critical", 1), ("high", 1), ("low", 1), ("none", 0)])
def test_what_fails(wrong: Path, threshold: str, code: int) -> None:
    assert run(wrong, "--allow-partial", "--fail-on", threshold).exit_code == code


def test_what_could_not_be_read_is_no_success_unless_it_is_allowed(wrong: Path) -> None:
    done = run(wrong, "--fail-on", "none")
    assert done.exit_code == 3
    assert "This result is partial" in done.stdout
    assert "--allow-partial accepts that" in done.stderr
    assert json.loads(run(wrong, "-o", "json").stdout)["partial"] is True


def test_nothing_wrong(tmp_path: Path) -> None:
    done = run(write(tmp_path, *objects(Case())))
    assert done.exit_code == 0
    assert "0 findings" in done.stdout
    assert "2 objects read, 1 of them a workload; 0 problems." in done.stdout


def test_json(wrong: Path) -> None:
    done = run(wrong, "-o", "json", "--min-severity", "critical")
    answer = json.loads(done.stdout)
    (finding,) = map(decode_finding, answer["findings"])
    assert (finding.check_id, finding.severity) == ("privileged", Severity.CRITICAL)
    assert {"framework": "cis", "controlId": "5.2.2"} in answer["findings"][0]["controls"]
    assert answer["summary"]["critical"] == answer["summary"]["totalFindings"] == 1
    assert [problem["kind"] for problem in answer["problems"]] == ["unreadable"]


def test_sarif(wrong: Path) -> None:
    log = json.loads(run(wrong, "-o", "sarif", "--scanner", "container-security-context").stdout)
    assert log["version"] == "2.1.0"
    (only,) = log["runs"]
    rules = only["tool"]["driver"]["rules"]
    assert all(rules[result["ruleIndex"]]["id"] == result["ruleId"] for result in only["results"])
    worst = only["results"][0]
    assert (worst["ruleId"], worst["level"]) == ("privileged", "error")
    location = worst["locations"][0]["physicalLocation"]
    assert location["artifactLocation"]["uri"].endswith("/manifests/all.yaml")
    assert location["region"]["startLine"] > 1
    (invocation,) = only["invocations"]
    assert invocation["executionSuccessful"] is False
    assert invocation["toolExecutionNotifications"][0]["level"] == "error"


@pytest.mark.parametrize("content", ["", "a: [\n", "replicas: 3\n"])
def test_nothing_that_could_be_checked_is_no_success(tmp_path: Path, content: str) -> None:
    (tmp_path / "a.yaml").write_text(content)
    done = run(tmp_path, "--fail-on", "none")
    assert done.exit_code == 2
    assert "nothing was checked" in done.stderr


def test_input_that_cannot_be_used(tmp_path: Path, wrong: Path) -> None:
    assert run(tmp_path / "missing").exit_code == 2
    bad = tmp_path / "exceptions.yaml"
    bad.write_text("exceptions: [{reason: x}]")
    done = run(wrong, "--exceptions", bad)
    assert done.exit_code == 2
    assert "would except everything" in done.stderr


def test_text_of_manifests_is_neither_markup_nor_terminal_control(tmp_path: Path) -> None:
    done = run(write(tmp_path, *objects(c(image="[bold]x[/bold]\x1b[2J"))))
    assert "[bold]x[/bold]" in done.stdout
    assert "\x1b" not in done.stdout


def test_leaving_out_does_not_switch_failing_off(tmp_path: Path) -> None:
    # No policy: that is of medium severity.
    path = write(tmp_path, objects(Case())[0])
    assert run(path, "--fail-on", "medium").exit_code == 1
    done = run(path, "--fail-on", "medium", "--min-severity", "critical")
    assert done.exit_code == 1
    assert "0 findings" in done.stdout
    assert "Left out by --min-severity, but failing by --fail-on medium: " in done.stderr
    assert run(path, "--fail-on", "critical", "--min-severity", "critical").exit_code == 0


def test_a_template_is_excluded_and_the_rest_is_whole(tmp_path: Path) -> None:
    write(tmp_path, *objects(Case()))
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "web.yaml").write_text("kind: Pod\nspec: {{ .Values.spec }}\n")
    assert run(tmp_path).exit_code == 3
    done = run(tmp_path, "--exclude", "templates", "-o", "json")
    assert (done.exit_code, json.loads(done.stdout)["problems"]) == (0, [])
    nothing = run(tmp_path, "--exclude", "*", "-o", "json")
    assert nothing.exit_code == 2
    # None of the checks passed.
    summary = json.loads(nothing.stdout)["summary"]
    assert (summary["checksRun"], summary["passedChecks"]) == (0, 0)
    assert "for PATHS" in run("--context", "x", "--exclude", "a").stderr


def test_standard_input_is_read_as_a_file(tmp_path: Path) -> None:
    def piped(text: str) -> Result:
        return CliRunner().invoke(commands.main, ["scan", "-", "-o", "json"], input=text)

    # The policy is behind what is judged by it.
    good = write(tmp_path, *objects(Case())).read_text()
    assert json.loads(piped(good).stdout)["findings"] == []
    wrong = piped(write(tmp_path, *objects(c(securityContext__privileged=True))).read_text())
    assert wrong.exit_code == 1
    assert {item["source"]["file"] for item in json.loads(wrong.stdout)["findings"]} == {"stdin"}
    nothing = piped("")
    assert nothing.exit_code == 2
    assert "nothing was checked" in nothing.stderr


def test_names_of_checks_and_places_are_whole_in_a_narrow_terminal(scan: Scan) -> None:
    result = scan(objects(c(securityContext=None, resources=None))[0])
    place = ManifestPosition(file="deploy/web.yaml", line=12)
    on_disk = attrs.evolve(
        result, findings=[attrs.evolve(finding, source=place) for finding in result.findings]
    )
    live = attrs.evolve(result, findings=[attrs.evolve(finding, source=UNSET) for finding in result.findings])
    for width in (80, 100, 139, 140, 200):
        text = printed(on_disk, width)
        words = text.split()
        assert {str(finding.check_id) for finding in result.findings} <= set(words)
        assert words.count("deploy/web.yaml:12") == len(result.findings) > 5
        assert max(map(len, text.splitlines()[: len(result.findings)])) <= width
        assert "here" in text.splitlines()[0]
        assert "here" not in printed(live, width).splitlines()[0]


def printed(result: ScanResult, width: int) -> str:
    text = io.StringIO()
    print_table(result, Console(file=text, width=width, highlight=False))
    return text.getvalue()


def test_one_of_a_thing_is_not_many(scan: Scan) -> None:
    result = scan(objects(c(securityContext__privileged=True))[0], min_severity=Severity.CRITICAL)
    problem = Problem(ProblemKind.DOUBTFUL, "a.yaml", 1, "x")
    text = printed(attrs.evolve(result, problems=[problem]), 200)
    assert "\n1 finding: 1 critical" in text
    assert "\n1 object read, 1 of them a workload; 1 problem.\n" in text


def test_options_name_what_there_is() -> None:
    parameters = {parameter.name: parameter for parameter in commands.scan.params}
    assert set(parameters["scanners"].type.to_info_dict()["choices"]) == {
        category.value for category in Category
    }
    assert tuple(parameters["cis"].type.to_info_dict()["choices"]) == CIS_VERSIONS


def test_documentation_names_every_check_and_option() -> None:
    text = (Path(__file__).parents[3] / "docs" / "aotanami.md").read_text()
    assert [check.id for check in CHECKS if f"`{check.id}`" not in text] == []
    options = [name for parameter in commands.scan.params for name in parameter.opts if name.startswith("--")]
    assert [name for name in options if name != "--output" and name not in text] == []


def test_example_of_exceptions_in_the_documentation_is_accepted(tmp_path: Path) -> None:
    text = (Path(__file__).parents[3] / "docs" / "aotanami.md").read_text()
    path = tmp_path / "exceptions.yaml"
    path.write_text("exceptions:" + text.partition("```yaml\nexceptions:")[2].partition("```")[0])
    (found,) = read_exceptions(path)
    assert found.accepted.until == dt.date(2027, 3, 31)


def test_one_source_is_named() -> None:
    for arguments in ((), (".", "--in-cluster"), ("--context", "a", "--in-cluster"), ("--cluster", "a")):
        done = run(*arguments)
        assert done.exit_code == 2
        assert "--cluster" in done.stderr


def test_compliance_of_the_frameworks_that_are_asked_for(tmp_path: Path) -> None:
    path = write(tmp_path, *objects(c(securityContext__privileged=True)))
    answer = json.loads(
        run(path, "-o", "json", "--framework", "pss-baseline", "--framework", "nsa-cisa").stdout
    )
    first, second = answer["compliance"]
    assert (first["framework"], first["frameworkVersion"], first["failedControls"]) == (
        "pss-baseline",
        "v1.37",
        1,
    )
    assert second["framework"] == "nsa-cisa"
    assert answer["podSecurity"] == {"restricted": 0, "baseline": 0, "privileged": 1}
