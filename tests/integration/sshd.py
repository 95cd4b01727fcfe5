"""OpenSSH servers of Debian on loopback, each with keys and a configuration of its own."""

from __future__ import annotations

import contextlib
import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Generator
from pathlib import Path

import attrs
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from tests.integration.debian import program

CONFIGURATION = """
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host_key
PidFile none
AuthorizedKeysFile {folder}/authorized_keys
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
UsePAM no
StrictModes no
AllowTcpForwarding yes
LogLevel VERBOSE
MaxStartups 100
"""


def new_key() -> tuple[str, str]:
    """Return a private key and its public line."""
    key = ed25519.Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    return private.decode(), public.decode()


@attrs.define
class Sshd:
    """A server that takes one key."""

    folder: Path
    port: int
    user: str
    private_key: str
    _process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> str:
        """What it wrote."""
        return (self.folder / "log").read_text(errors="replace")

    def change_host_key(self) -> str:
        """Give it another host key; it shows it from the next start on. Return the public line."""
        private, public = new_key()
        path = self.folder / "host_key"
        path.write_text(private)
        path.chmod(0o600)
        return public

    def start(self) -> None:
        """Start it, and wait until it listens."""
        binary = program("sshd", package="openssh-server")
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [binary, "-D", "-e", "-f", str(self.folder / "config")], stdout=log, stderr=log
            )
        for _ in range(200):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return
            if self._process.poll() is not None:
                break
            time.sleep(0.02)
        pytest.skip(f"sshd does not start here: {self.log[-500:]}")

    def stop(self) -> None:
        """Stop it, and what it runs."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
            self._process = None


@contextlib.contextmanager
def running_sshd(folder: Path, private_key: str, public_key: str) -> Generator[Sshd]:
    """Run a server that accepts a key."""
    program("sshd", package="openssh-server")
    folder.mkdir(parents=True, exist_ok=True)
    if os.geteuid() == 0:
        # Where a server that began as root keeps its helper.
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    server = Sshd(folder, port, getpass.getuser(), private_key)
    server.change_host_key()
    (folder / "authorized_keys").write_text(f"{public_key} test\n")
    (folder / "config").write_text(CONFIGURATION.format(port=port, folder=folder))
    server.start()
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
