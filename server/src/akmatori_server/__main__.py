"""`python -m akmatori_server`: the same as the command `akmatori-server`."""

from __future__ import annotations

from akmatori_server.cli import main

if __name__ == "__main__":
    main()
