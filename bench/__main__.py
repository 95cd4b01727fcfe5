"""`nox -s bench [-- agent alerts sdk server imports kubernetes]`: run the named benchmarks, or all; one table each."""

from __future__ import annotations

import sys

from bench import agent, alerts, imports, kubernetes, sdk_list, server_requests

BENCHMARKS = {
    "agent": agent.main,
    "alerts": alerts.main,
    "imports": imports.main,
    "kubernetes": kubernetes.main,
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
