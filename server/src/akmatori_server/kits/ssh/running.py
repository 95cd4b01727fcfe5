"""Running one command on one connection: limited in time and output, and ended when nobody waits for it."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import attrs

from akmatori_server.command_gate.rendering import KILL_AFTER_SECONDS
from akmatori_server.incidents.storable import storable_text
from akmatori_server.kits.ssh.connections import Link

if TYPE_CHECKING:
    import asyncssh

MOST_STDOUT_BYTES = 64 * 1024
MOST_STDERR_BYTES = 16 * 1024
# More than is kept is read up to here, so that the exit code of the command is known; then it is ended.
MOST_READ_BYTES = 64 * 1024 * 1024
_CHUNK_BYTES = 32 * 1024
# What the network may take, beyond the time that the command itself is given.
_PATIENCE_SECONDS = 5
_TIMED_OUT = frozenset({124, 137})
NOT_FOUND = 127


@attrs.frozen(kw_only=True)
class Ran:
    """How a command ended. `exit_code` is -1 when that is not known."""

    stdout: str = ""
    stderr: str = ""
    exit_code: int = -1
    error: str = ""
    duration_ms: int = 0
    is_truncated: bool = False


@attrs.define
class _Kept:
    most: int
    parts: bytearray = attrs.field(factory=bytearray)
    total: int = 0

    def take(self, chunk: bytes) -> None:
        self.total += len(chunk)
        self.parts += chunk[: max(self.most - len(self.parts), 0)]

    @property
    def left_out(self) -> int:
        return self.total - len(self.parts)

    def text(self) -> str:
        text = storable_text(bytes(self.parts).decode(errors="replace"))
        return f"{text}\n[{self.left_out} more bytes are left out]" if self.left_out else text


class _TooMuchError(Exception):
    """The command writes more than anybody reads."""


async def run_line(link: Link, line: str, limit_seconds: int) -> Ran:
    """Run a line, which ends by itself after `limit_seconds`, and return how it went."""
    import asyncssh

    started = time.monotonic()
    stdout, stderr = _Kept(MOST_STDOUT_BYTES), _Kept(MOST_STDERR_BYTES)
    code, error = -1, ""
    try:
        async with link.channels:
            started = time.monotonic()
            async with asyncio.timeout(limit_seconds + KILL_AFTER_SECONDS + _PATIENCE_SECONDS):
                code, error = await _run(link, line, stdout, stderr)
    except TimeoutError:
        error = f"The command did not end within {limit_seconds} s, and the host does not answer."
    except _TooMuchError:
        error = f"The command wrote more than {MOST_READ_BYTES >> 20} MiB, and was ended."
    except (asyncssh.Error, OSError) as failure:
        error = f"The connection broke: {str(getattr(failure, 'reason', '') or failure)[:200]}."
    duration = time.monotonic() - started
    if code in _TIMED_OUT and duration >= limit_seconds:
        error = f"The command took more than {limit_seconds} s, and was ended (ssh_command_timeout)."
    elif code == NOT_FOUND and "timeout" in bytes(stderr.parts[:200]).decode(errors="replace"):
        error = "The host has no command `timeout`, which ends commands in time; install GNU coreutils there."
    return Ran(
        stdout=stdout.text(),
        stderr=stderr.text(),
        exit_code=code,
        error=error,
        duration_ms=int(duration * 1000),
        is_truncated=bool(stdout.left_out or stderr.left_out),
    )


async def _run(link: Link, line: str, stdout: _Kept, stderr: _Kept) -> tuple[int, str]:

    # Its standard input stays open, for with its end the command ends.
    process: asyncssh.SSHClientProcess[bytes] = await link.connection.create_process(line, encoding=None)
    readers = asyncio.gather(_read(process.stdout, stdout), _read(process.stderr, stderr))
    try:
        await readers
        await process.wait_closed()
    finally:
        readers.cancel()
        process.close()
    if process.exit_status is not None:
        return process.exit_status, ""
    signal = process.exit_signal[0] if process.exit_signal else ""
    return -1, f"The command was ended by SIG{signal}." if signal else "The connection broke."


async def _read(stream: asyncssh.SSHReader[bytes], kept: _Kept) -> None:
    while chunk := await stream.read(_CHUNK_BYTES):
        kept.take(chunk)
        if kept.total > MOST_READ_BYTES:
            raise _TooMuchError
