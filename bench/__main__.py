"""`nox -s bench [-- alerts sdk server imports]`: run the named benchmarks, or all, and print one table each."""

from __future__ import annotations

import sys

from bench import alerts, imports, sdk_list, server_requests

BENCHMARKS = {
    "alerts": alerts.main,
    "imports": imports.main,
    "sdk": sdk_list.main,
    "server": server_requests.main,
}


def main() -> int:
    """Run what the arguments name."""
    names = sys.argv[1:] or list(BENCHMARKS)
    for name in names:
        if name not in BENCHMARKS:
            print(f"No benchmark is called {name}; there are {', '.join(BENCHMARKS)}.")
            return 2
        BENCHMARKS[name]()
    return 0


if __name__ == "__main__":
    sys.exit(main())
