"""The program that test_fuzz_adapters.py runs: `python -m tests.promises.fuzz_adapters CORPUS [libFuzzer flags]`."""

from __future__ import annotations

import sys
from pathlib import Path

import atheris
import orjson

with atheris.instrument_imports(include=["akmatori_server.alerts", "akmatori_server.incidents.storable"]):
    from tests.server.alerts.adapters.fuzzing import PAYLOADS, check_bytes


def write_examples(corpus: Path) -> None:
    """Begin with what the vendors really send."""
    for number, payload in enumerate(PAYLOADS):
        (corpus / f"example-{number}.json").write_bytes(orjson.dumps(payload))


def main() -> None:
    """Fuzz until the time is over; an exception or a slow input ends the process with an error."""
    write_examples(Path(sys.argv[1]))
    atheris.Setup(sys.argv, check_bytes)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
