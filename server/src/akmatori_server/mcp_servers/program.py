"""MCP servers that are programs of this machine: how they are started, and what they complain about."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Generator
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import Any, TextIO

import attrs

from akmatori_server.mcp_servers.connection import root_of
from akmatori_server.mcp_servers.models import Endpoint
from akmatori_server.tools.redaction import without_secrets

# Of what a program that fails writes to its error output.
LONGEST_COMPLAINT = 500
_KEPT_BYTES = 8192


@attrs.frozen
class Program:
    """A program about to be started, in an empty directory of its own."""

    endpoint: Endpoint
    directory: str
    complaints: Complaints

    def transport(self) -> AbstractAsyncContextManager[Any]:
        """Return what starts the program, speaks with it, and ends it with all that it started."""
        from mcp import StdioServerParameters
        from mcp.client.stdio import stdio_client

        # The library starts it with PATH, HOME and the like, and these; with nothing else of this server.
        parameters = StdioServerParameters(
            command=self.endpoint.command,
            args=list(self.endpoint.args),
            env=dict(self.endpoint.environment),
            cwd=self.directory,
            encoding_error_handler="replace",
        )
        return stdio_client(parameters, errlog=self.complaints.file)

    def sentence(self, error: Exception) -> str:
        """Say why there is no speaking with it."""
        command, root = self.endpoint.command, root_of(error)
        if isinstance(root, FileNotFoundError):
            return f"The program {command} is not there."
        if isinstance(root, PermissionError):
            return f"The program {command} may not be started."
        written = without_secrets(self.complaints.text(), self.endpoint.secrets).strip()
        said = f" It wrote: {written[-LONGEST_COMPLAINT:]}" if written else ""
        return f"The program {command} does not speak MCP, or ended.{said}"


class Complaints:
    """The end of what a program writes to its error output; it may write as much as it likes."""

    def __init__(self, readable: int, file: TextIO) -> None:
        self.file = file
        self._readable = readable
        self._kept = b""

    def take(self) -> bool:
        """Read what is there; False when there is nothing."""
        try:
            data = os.read(self._readable, 65536)
        except BlockingIOError:
            return False
        self._kept = (self._kept + data)[-_KEPT_BYTES:]
        return bool(data)

    def text(self) -> str:
        """Return the end of what was written."""
        while self.take():
            pass
        return self._kept.decode("utf-8", "replace")


@contextmanager
def program(endpoint: Endpoint) -> Generator[Program]:
    """Make ready to start a program. Use it in an event loop, around the program's whole life."""
    loop = asyncio.get_running_loop()
    readable, writable = os.pipe()
    os.set_blocking(readable, False)
    with (
        tempfile.TemporaryDirectory(prefix="akmatori-mcp-", ignore_cleanup_errors=True) as directory,
        os.fdopen(writable, "w") as file,
    ):
        complaints = Complaints(readable, file)
        loop.add_reader(readable, complaints.take)
        try:
            yield Program(endpoint, directory, complaints)
        finally:
            loop.remove_reader(readable)
            os.close(readable)
