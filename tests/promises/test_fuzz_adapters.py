"""The long form of a promise: whatever is posted to a webhook, reading it never fails but in one way.

The fuzzer watches which branches of the adapters an input reaches and changes inputs to reach more. It runs in a
process of its own: it instruments the modules while they are imported, and ends by leaving the process.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SECONDS = int(os.environ.get("AKMATORI_FUZZ_SECONDS", "600"))

pytestmark = [
    pytest.mark.soak,
    pytest.mark.skipif(
        importlib.util.find_spec("atheris") is None,
        reason="atheris is not installed: it is in the dependency group `fuzz`, for CPython on Linux and macOS",
    ),
]


@pytest.mark.timeout(SECONDS + 300)
def test_no_delivery_breaks_an_adapter(tmp_path: Path) -> None:
    """Ten minutes from the examples of every vendor; AKMATORI_FUZZ_SECONDS sets another length."""
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    ended = subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.promises.fuzz_adapters",
            str(corpus),
            f"-max_total_time={SECONDS}",
            "-max_len=8192",
            "-timeout=10",
            "-rss_limit_mb=2048",
            f"-artifact_prefix={tmp_path}/",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS + 240,
    )

    assert ended.returncode == 0, ended.stdout[-4000:] + ended.stderr[-8000:]
    assert "Done " in ended.stderr, ended.stderr[-4000:]
