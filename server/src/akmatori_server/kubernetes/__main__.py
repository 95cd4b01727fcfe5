"""`python -m akmatori_server.kubernetes` is `aotanami-server`."""

from akmatori_server.kubernetes.commands import main

if __name__ == "__main__":
    main(prog_name="aotanami-server")
