"""Programs that come from Debian: found, installed where we may, or skipped with a reason."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

INSTALL_TIMEOUT_SECONDS = 300


def program(name: str, *, package: str) -> str:
    """Return the path of a program, installing its Debian package when we are root; skip the test otherwise."""
    found = shutil.which(name)
    if found:
        return found
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        pytest.skip(
            f"{name} is not installed (Debian package {package}), and installing it needs root and apt-get"
        )
    # Parallel test processes must not run two package managers at once.
    with (Path(tempfile.gettempdir()) / "akmatori-tests-apt.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if shutil.which(name) is None:
            _install(package)
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"The Debian package {package} could not be installed here")
    return found


def _install(package: str) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    # A policy of 101 keeps the package from starting a daemon of its own.
    policy = Path("/usr/sbin/policy-rc.d")
    ours = not policy.exists()
    if ours:
        policy.write_text("#!/bin/sh\nexit 101\n")
        policy.chmod(0o755)
    try:
        for command in (
            ["apt-get", "update", "-qq"],
            ["apt-get", "install", "-y", "-qq", "--no-install-recommends", package],
        ):
            subprocess.run(
                command, env=environment, check=False, timeout=INSTALL_TIMEOUT_SECONDS, capture_output=True
            )
    finally:
        if ours:
            policy.unlink()
