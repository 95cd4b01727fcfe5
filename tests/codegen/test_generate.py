"""The command itself: what it refuses, that it gives the same bytes every time, and that it sees edits."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import pytest
import yaml

from codegen import __main__ as command
from codegen.bundle import load
from codegen.check import differences
from codegen.errors import SpecError
from codegen.generate import generate
from codegen.reader import read
from tests.codegen.conftest import NASTY, nasty_target

if TYPE_CHECKING:
    from tests.codegen.conftest import Generated

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("seed", ["0", "1"])
def test_the_output_does_not_depend_on_the_hash_seed(nasty: Generated, tmp_path: Path, seed: str) -> None:
    options = ["--system", "nasty", "--spec", str(NASTY), "--package", "nasty_sdk"]
    options += ["--out-sdk", str(tmp_path / "nasty_sdk"), "--out-server", str(tmp_path / "nasty_server")]
    environment = os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
    status, said = _python("codegen", *options, cwd=tmp_path, environment=environment)
    assert (status, said) == (0, "")
    for package in ("nasty_sdk", "nasty_server"):
        assert differences(nasty.folder / package, tmp_path / package) == []


def test_check_sees_every_kind_of_edit(
    nasty: Generated, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    target = nasty_target(tmp_path)
    for package in (target.sdk, target.server):
        shutil.copytree(nasty.folder / package.name, package, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(command, "SYSTEMS", ("nasty",))
    monkeypatch.setattr(command, "target", lambda _: target)
    assert command.main(["--check"]) == 0
    codec = target.sdk / "codec.py"
    codec.write_text(codec.read_text().replace("o.name = ", "o.name = 1 or ", 1))
    (target.server / "stubs.py").unlink()
    (target.sdk / "left_over.py").write_text("")
    assert command.main(["--check"]) == 1
    said = capsys.readouterr().err
    assert "codec.py: differs" in said
    assert "+    o.name = " in said
    assert "stubs.py: is missing" in said
    assert "left_over.py: is not generated any more" in said
    assert "Run `python -m codegen`" in said


def test_the_tree_is_up_to_date() -> None:
    assert command.main(["--check"]) == 0


def test_wrong_usage_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--system", "other"]) == 1
    assert command.main(["--spec", str(NASTY)]) == 1
    assert "akmatori and aotanami" in capsys.readouterr().err


def _set(path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(document: dict[str, Any]) -> None:
        *parents, last = path.split("|")
        for name in parents:
            document = document[int(name)] if isinstance(document, list) else document[name]
        document[last] = value

    return change


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (_set("paths|/hook|post|operationId", "listThings"), "The name is given twice"),
        (_set("paths|/hook|post|x-sdk", "things.list"), "The name is given twice"),
        (_set("paths|/hook|post|x-sdk", "hook"), "must read `resource.method`"),
        (_set("paths|/hook|post|responses", {}), "names no success"),
        (
            _set(
                "paths|/hook|post|responses|200|content",
                {"application/json": {"schema": {"type": "object"}}},
            ),
            "must be a \\$ref",
        ),
        (
            _set("paths|/things|get|x-paging|items", "rows"),
            "which the answer does not have",
        ),
        (
            _set("paths|/things|get|x-paging|size", "limit"),
            "parameters the operation does not have",
        ),
        (
            _set(
                "paths|/hook|post|parameters",
                [
                    {
                        "name": "a",
                        "in": "query",
                        "explode": False,
                        "schema": {"type": "array", "items": {"type": "string"}},
                    }
                ],
            ),
            "repeating the parameter",
        ),
        (
            _set(
                "paths|/hook|post|parameters",
                [{"name": "a", "in": "query", "schema": {"type": "string", "enum": ["a"]}}],
            ),
            "must be a \\$ref",
        ),
        (
            _set(
                "paths|/things/{name}|put|responses|202|content|application/json|schema",
                {"$ref": "#/components/schemas/Part"},
            ),
            "must answer the same schema",
        ),
        (
            _set("components|schemas|UploadRequest|properties|size", {"type": "number"}),
            "A part is a file",
        ),
        (_set("paths|/things/{name}/changes|get|x-stream", None), "belong together"),
        (
            _set("paths|/things/{name}/changes|get|x-stream|event", "Part"),
            "names the event Part, but the answer's is Thing",
        ),
        (_set("paths|/things/{name}/changes|get|x-stream|resume", "after"), "does not have"),
    ],
)
def test_what_cannot_be_generated_is_refused_with_a_sentence(
    change: Callable[[dict[str, Any]], None], sentence: str
) -> None:
    document = load(NASTY)
    change(document)
    with pytest.raises(SpecError, match=sentence):
        read("nasty", document)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            _set("paths|/things/{name}|put|parameters|0|name", "new-name"),
            "Two arguments would be called new_name",
        ),
        (_set("paths|/things/{name}/actions|post|x-sdk", "things.get.run"), "have the same name"),
        (
            _set("components|schemas|Action|discriminator", None),
            "needs a discriminator",
        ),
        (
            _set("paths|/things|get|parameters|2|in", "header"),
            "neither headers nor a body",
        ),
    ],
)
def test_what_would_give_broken_modules_is_refused(
    tmp_path: Path, change: Callable[[dict[str, Any]], None], sentence: str
) -> None:
    document = load(NASTY)
    change(document)
    if document["components"]["schemas"]["Action"]["discriminator"] is None:
        del document["components"]["schemas"]["Action"]["discriminator"]
    spec = tmp_path / "openapi.yaml"
    spec.write_text(yaml.safe_dump(document))
    with pytest.raises(SpecError, match=sentence):
        generate(attrs.evolve(nasty_target(tmp_path), spec=spec))


def test_strict_checkers_accept_the_output(nasty: Generated) -> None:
    """The slowest test here: both type checkers over all modules of the nasty specification."""
    packages = [str(nasty.folder / name) for name in ("nasty_sdk", "nasty_server")]
    environment = os.environ | {"MYPYPATH": f"{nasty.folder}:{ROOT / 'sdk/src'}:{ROOT / 'server/src'}"}
    options = ["--strict", "--config-file", os.devnull, "--cache-dir", str(nasty.folder / ".mypy")]
    options += ["--explicit-package-bases", "--follow-imports", "silent"]
    status, said = _python("mypy", *options, *packages, cwd=nasty.folder, environment=environment)
    assert status == 0, said
    paths = [str(nasty.folder), str(ROOT / "sdk/src"), str(ROOT / "server/src")]
    settings = {"include": ["nasty_sdk", "nasty_server"], "extraPaths": paths, "typeCheckingMode": "strict"}
    (nasty.folder / "pyrightconfig.json").write_text(json.dumps(settings))
    options = ["--pythonpath", sys.executable, "-p", str(nasty.folder)]
    status, said = _python("pyright", *options, cwd=nasty.folder)
    assert status == 0, said


def _python(
    module: str, *options: str, cwd: Path, environment: dict[str, str] | None = None
) -> tuple[int, str]:
    """Run a module in a process of its own; its status and all it said."""
    line = [sys.executable, "-m", module, *options]
    run = subprocess.run(line, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    return run.returncode, run.stdout + run.stderr
