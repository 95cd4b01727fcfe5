"""Connections to hosts, shared by the calls of an investigation."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

import attrs
import structlog

from akmatori_server.kits.ssh.host_keys import HostKeys, Recognition, fingerprint
from akmatori_server.kits.ssh.settings import LISTED, Host, Place, Settings, private_key
from akmatori_server.outgoing.errors import AddressRefusedError
from akmatori_server.outgoing.guard import resolve_checked
from akmatori_server.outgoing.policy import Policy
from akmatori_server.outgoing.target import is_address
from akmatori_server.toolbox.models import ToolFailedError
from akmatori_server.toolbox.session import Session
from akmatori_server.tools.models import OpenTool

if TYPE_CHECKING:
    import asyncssh

# sshd takes 10 sessions on one connection by default; some are left for others.
MOST_CHANNELS = 8
KEEPALIVE_SECONDS = 15
_LOOK = "Check its address and port in the tool's settings"
_log = structlog.stdlib.get_logger("akmatori_server.kits.ssh")


@attrs.frozen
class Link:
    """An open connection, and how many commands may run on it at once."""

    connection: asyncssh.SSHClientConnection
    channels: asyncio.Semaphore = attrs.field(factory=lambda: asyncio.Semaphore(MOST_CHANNELS))


@attrs.frozen(kw_only=True)
class Connector:
    """Connects to the hosts of one tool."""

    tool: OpenTool
    settings: Settings
    session: Session
    host_keys: HostKeys

    async def link(self, host: Host) -> Link:
        """Return the connection to a host, opened when it is not yet.

        Raises:
            ToolFailedError: it cannot be reached, is not the host it should be, or does not let us in.
        """
        key = private_key(self.tool, host)
        name = f"ssh:{self.tool.tool.id}:{host.key_id}:{_written(host.place)}:{_written(host.jump)}"
        link = await self.session.shared(name, lambda: self._opened(host, key))
        if link.connection.is_closed():
            await self.session.drop(name)
            link = await self.session.shared(name, lambda: self._opened(host, key))
        return link

    async def _jump(self, host: Host, place: Place, key: str) -> Link:
        name = f"ssh:{self.tool.tool.id}:{host.key_id}:{_written(place)}:"
        link = await self.session.shared(name, lambda: self._connected(place, key, LISTED, None))
        if link.connection.is_closed():
            await self.session.drop(name)
            link = await self.session.shared(name, lambda: self._connected(place, key, LISTED, None))
        return link

    @contextlib.asynccontextmanager
    async def _opened(self, host: Host, key: str) -> AsyncGenerator[Link]:
        try:
            jump = await self._jump(host, host.jump, key) if host.jump else None
        except ToolFailedError as error:
            raise ToolFailedError(
                f"The jump host cannot be used, so nothing else was tried: {error}"
            ) from None
        async with self._connected(host.place, key, host.policy, jump) as link:
            yield link

    @contextlib.asynccontextmanager
    async def _connected(
        self, place: Place, key: str, policy: Policy, jump: Link | None
    ) -> AsyncGenerator[Link]:
        recognition = Recognition(
            place=place, policy=self.settings.known_hosts, expected=await self.host_keys.known(place)
        )
        address = await _address(place, policy, is_behind_jump=jump is not None)
        connection = await self._connection(place, address, key, recognition, jump)
        try:
            if recognition.learnt:
                kept = await self.host_keys.remember(place, recognition.learnt)
                if not attrs.evolve(recognition, expected=kept).accepts(recognition.learnt):
                    raise ToolFailedError(f"{place.address} showed two different host keys at the same time.")
            if self.settings.logs_connections:
                shown = connection.get_server_host_key()
                line = _key_text(shown) if shown else ""
                _log.info("ssh_connected", host=place.address, port=place.port, host_key=fingerprint(line))
            yield Link(connection)
        finally:
            connection.abort()
            await connection.wait_closed()

    async def _connection(
        self, place: Place, address: str, key: str, recognition: Recognition, jump: Link | None
    ) -> asyncssh.SSHClientConnection:
        import asyncssh

        class Client(asyncssh.SSHClient):
            """Asks whether a host's key is the right one."""

            def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
                del host, addr, port
                return recognition.accepts(_key_text(key))

        seconds = self.settings.connection_seconds
        try:
            async with asyncio.timeout(seconds):
                return await asyncssh.connect(
                    address,
                    place.port,
                    # Nothing is taken from this server's own user: no configuration, keys, agent or known hosts.
                    config=None,
                    known_hosts=([], [], []),
                    agent_path=None,
                    client_keys=[asyncssh.import_private_key(key)],
                    client_factory=Client,
                    server_host_key_algs=recognition.algorithms(),
                    username=place.user,
                    tunnel=jump.connection if jump else (),
                    preferred_auth="publickey",
                    login_timeout=seconds,
                    keepalive_interval=KEEPALIVE_SECONDS,
                    gss_host=None,
                )
        except (TimeoutError, OSError, asyncssh.Error, asyncssh.KeyImportError) as error:
            raise ToolFailedError(_sentence(place, recognition, error, seconds)) from None


async def _address(place: Place, policy: Policy, *, is_behind_jump: bool) -> str:
    # A name behind a jump host is resolved there: it may mean nothing here.
    if is_behind_jump and not is_address(place.address):
        return place.address
    try:
        return await resolve_checked(place.address, place.port, policy)
    except AddressRefusedError as error:
        raise ToolFailedError(str(error)) from None


def _key_text(key: asyncssh.SSHKey) -> str:
    return " ".join(key.export_public_key().decode().split()[:2])


def _written(place: Place | None) -> str:
    return f"{place.user}@{place.address}:{place.port}:{place.host_key}" if place else ""


def _sentence(  # noqa: PLR0911  one for each way to fail
    place: Place, recognition: Recognition, error: Exception, seconds: int
) -> str:
    import asyncssh

    where = f"{place.user}@{place.address} port {place.port}"
    if recognition.complaint:
        return recognition.complaint
    if isinstance(error, TimeoutError):
        hint = f" {_LOOK}, and whether a firewall is on the way." if not recognition.is_shown else ""
        return f"{where} did not answer within {seconds} s.{hint}"
    if isinstance(error, asyncssh.PermissionDenied):
        return f"{where} does not accept the key; add its public key to the user's authorized_keys."
    if isinstance(error, asyncssh.KeyExchangeFailed) and recognition.expected:
        return (
            f"{where} no longer has a host key of the kind that is known ({recognition.expected.partition(' ')[0]})."
            " If the host was set up anew, write its new public key as host_key in the tool's settings."
        )
    if isinstance(error, asyncssh.KeyImportError):
        return "The private key of this tool cannot be read; replace it."
    if isinstance(error, asyncssh.ChannelOpenError):
        return f"The jump host cannot reach {place.address} port {place.port}: {str(error.reason)[:200]}."
    if isinstance(error, asyncssh.Error):
        is_other = isinstance(error, (asyncssh.ConnectionLost, asyncssh.ProtocolError))
        # SSH servers end connections this early only when they have too many, or were told to.
        is_other = is_other and not recognition.is_shown
        hint = " It may not be an SSH server; check the port in the tool's settings." if is_other else ""
        return f"{where} ended the connection: {str(error.reason)[:200].rstrip('.')}.{hint}"
    return f"{where} cannot be reached: {_cause(error)}. {_LOOK}."


def _cause(error: Exception) -> str:
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(text)[:200].rstrip(".")
