"""What importing costs: CPU time of whole interpreters, less a bare one."""

from __future__ import annotations

import os
import subprocess
import sys

from bench.measure import interleaved, show

STATEMENTS = {
    "bare interpreter": "pass",
    "import httpx": "import httpx",
    "import akmatori_sdk": "import akmatori_sdk",
    "from akmatori_sdk import Akmatori": "from akmatori_sdk import Akmatori",
    "Akmatori(...) made": "from akmatori_sdk import Akmatori; Akmatori(base_url='http://127.0.0.1:1', token='t')",
}


def _children_cpu() -> float:
    times = os.times()
    return times.children_user + times.children_system


def main() -> None:
    """Print the table."""
    contestants = {
        name: lambda statement=statement: subprocess.run([sys.executable, "-c", statement], check=True)
        for name, statement in STATEMENTS.items()
    }
    result = interleaved(contestants, calls=3, rounds=9, clock=_children_cpu)
    show("Import (whole process)", result, "import httpx")
