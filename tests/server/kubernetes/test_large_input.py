"""Input that is large: 50 MB of manifests, and one text of 50 MB. What is small is checked beside what is read."""

import subprocess
import sys
from pathlib import Path

import pytest

from akmatori_server.kubernetes.scans.model import ScanOptions
from akmatori_server.kubernetes.scans.scan import scan_folders
from tests.server.kubernetes.conftest import TODAY
from tests.server.kubernetes.corpus import c, objects, write

MEGABYTE = 1024 * 1024
PROGRAM = """
import sys
from pathlib import Path
from akmatori_server.kubernetes.commands import main
try:
    main(["scan", sys.argv[1], "--fail-on", "none", "--scanner", "secrets-exposure"], standalone_mode=False)
finally:
    lines = Path("/proc/self/status").read_text().splitlines()
    print("peak", next(line for line in lines if line.startswith("VmHWM")).split()[1])
"""
CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: large}\ndata:\n  text: |\n"


def scan(path: Path) -> tuple[str, int]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(path)], capture_output=True, text=True, timeout=600, check=False
    )
    return done.stdout + done.stderr, int(done.stdout.rpartition("peak ")[2]) // 1024


def test_one_long_text_is_one_value(tmp_path: Path) -> None:
    path = write(tmp_path, *objects(c(securityContext__privileged=True)))
    with path.open("a") as file:
        file.write("---\n" + CONFIG_MAP)
        file.writelines(["    " + "x" * 995 + "\n"] * 2000)
    result = scan_folders([path], ScanOptions(today=TODAY))
    assert result.objects == 3
    assert "privileged" in {item.check_id for item in result.findings}
    assert result.problems == []


@pytest.mark.soak
def test_one_text_of_50_megabytes(tmp_path: Path) -> None:
    path = tmp_path / "text.yaml"
    with path.open("w") as file:
        file.write(CONFIG_MAP)
        file.writelines(["    " + "x" * 1019 + "\n"] * (50 * 1024))
    said, peak = scan(path)
    assert "1 object read" in said
    assert peak < 700


@pytest.mark.soak
def test_50_megabytes_of_manifests_are_read_in_little_memory(tmp_path: Path) -> None:
    pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: p%s}\nspec: {containers: [{name: a, image: b}]}\n# %s\n---\n"
    count = 50 * 256
    with (tmp_path / "all.yaml").open("w") as file:
        file.writelines(pod % (n, "." * 4000) for n in range(count))
    said, peak = scan(tmp_path)
    assert f"{count} objects read" in said
    assert peak < 120
