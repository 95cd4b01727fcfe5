"""The async loop. Line-parallel with `sync`; the two are the only modules that send or sleep."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, ClassVar, Self, TypeVar

import tenacity

from akmatori_sdk._core.base import BaseSender, Settings, Shared
from akmatori_sdk._core.call import Call
from akmatori_sdk._core.clock import Clock
from akmatori_sdk._core.config import System, resolve
from akmatori_sdk._core.errors import AkmatoriError, UnauthorizedError
from akmatori_sdk._core.fixed_operations import raw_operation
from akmatori_sdk._core.model import UNSET, Unset
from akmatori_sdk._core.operation import Operation, PagedOperation, StreamOperation
from akmatori_sdk._core.options import CallOptions, RetryPolicy, Timeout
from akmatori_sdk._core.paging import AsyncPager
from akmatori_sdk._core.response import Response
from akmatori_sdk._core.retry import Budget, no_hook, planned_wait
from akmatori_sdk._core.streams import AsyncEventStream
from akmatori_sdk._core.transport import AsyncByteStream, AsyncHttpClient, AsyncTransport
from akmatori_sdk._core.walk import Limits, Page

T = TypeVar("T")

_NOTHING: Mapping[str, object] = {}


class AsyncSender(BaseSender):
    """Sends calls: the retry loop, logging in, asking a server what it can do."""

    def __init__(
        self, shared: Shared, settings: Settings, transport: AsyncTransport, lock: asyncio.Lock
    ) -> None:
        super().__init__(shared, settings)
        self.transport = transport
        self.lock = lock
        self._retrying = tenacity.AsyncRetrying(
            retry=self.judge,
            wait=planned_wait,
            sleep=shared.clock.asleep,
            before=no_hook,
            after=no_hook,
            reraise=True,
        )

    def derived(self, settings: Settings) -> AsyncSender:
        """Return a sender with other settings over the same connections and the same login."""
        return AsyncSender(self.shared, settings, self.transport, self.lock)

    async def pause(self, seconds: float) -> None:
        """Wait."""
        await self.shared.clock.asleep(seconds)

    async def send(self, call: Call) -> Response:
        """Send until the answer is good or the policy says stop; log in before, and once more after a 401."""
        if not (self.logs_in and call.authenticated):
            return await self._retrying(self._attempt, call)
        await self._authorize(call)
        try:
            return await self._retrying(self._attempt, call)
        except UnauthorizedError:
            if not self.can_log_in_again(call):
                raise
        await self._authorize(call)
        return await self._retrying(self._attempt, call)

    async def _attempt(self, call: Call) -> Response:
        call.attempts += 1
        outcome = await self.transport.send(call, self.shared.clock.monotonic)
        error = self.examine(call, outcome)
        if error is None:
            return outcome  # type: ignore[return-value]  # no error means that it is a response
        if self.needs_probe(call, error):
            await self._probe()
        raise error

    async def open(self, call: Call) -> AsyncByteStream | Response:
        """Open a stream, once; an answer that is none comes whole. Log in as for any other call."""
        if not (self.logs_in and call.authenticated):
            return await self._open(call)
        await self._authorize(call)
        try:
            return await self._open(call)
        except UnauthorizedError:
            if not self.can_log_in_again(call):
                raise
        await self._authorize(call)
        return await self._open(call)

    async def _open(self, call: Call) -> AsyncByteStream | Response:
        call.attempts += 1
        outcome = await self.transport.open(call, self.shared.clock.monotonic)
        error = self.examine(call, outcome.head if isinstance(outcome, AsyncByteStream) else outcome)
        if error is None:
            return outcome  # type: ignore[return-value]  # no error means that it is an answer
        raise error

    async def _probe(self) -> None:
        """Ask the server what it can do; only its headers matter, or that it does not answer."""
        call = self.build_probe()
        self.examine(call, await self.transport.send(call, self.shared.clock.monotonic))

    async def _authorize(self, call: Call) -> None:
        """Put a token on the call, not the one it was refused with. One caller logs in, the others wait."""
        session, refused = self.shared.session, call.token
        tries = session.tries
        token = session.current(self.shared.clock.monotonic())
        if token is None or token == refused:
            async with self.lock:
                token = session.since(tries) or await self._log_in()
        self.put_token(call, token)

    async def _log_in(self) -> str:
        try:
            call = self.build_login()
            response: Response = await self._retrying(self._attempt, call)
            return self.accept_login(call, response)
        except AkmatoriError as error:
            self.shared.session.failed(error)
            raise


class AsyncCore:
    """A client: a server, a credential, connections, options. The subclasses add the resources."""

    _system: ClassVar[System]

    def __init__(
        self,
        base_url: str | None = None,
        *,
        api_key: str | None = None,
        token: str | None = None,
        username: str | None = None,
        password: str | None = None,
        timeout: Timeout | float | None = None,
        retry: RetryPolicy | None = None,
        headers: Mapping[str, str] | None = None,
        http_client: AsyncHttpClient | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Make a client; nothing is sent before the first call.

        Args:
            base_url: The server, with or without `/api`. By default taken from the environment.
            api_key: An API key.
            token: A bearer token.
            username: With `password`, logs in at the first call and again when the token ends.
            password: See `username`.
            timeout: Seconds for each phase of an attempt; by default 5 to connect and 30 to read or write.
            retry: When to send again; see `RetryPolicy`.
            headers: Headers for every call.
            http_client: An HTTP client of your own (proxies, TLS); closing it stays your task.
            clock: Time and chance, for tests.

        Raises:
            ConfigError: no server, or no usable credential among those given.
        """
        config = resolve(
            self._system,
            base_url=base_url,
            api_key=api_key,
            token=token,
            username=username,
            password=password,
        )
        policy = retry or RetryPolicy()
        limits = Timeout() if timeout is None else Timeout.of(timeout)
        shared = Shared(self._system, config, clock or Clock(), Budget(policy.budget))
        # An HTTP client that was handed in keeps its own timeouts unless others are asked for.
        own = http_client is not None and timeout is None
        settings = Settings(None if own else limits, policy, headers or {})
        self._sender = AsyncSender(shared, settings, AsyncTransport(http_client, limits), asyncio.Lock())
        self._derived = False

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._sender.shared.config!r})"

    @property
    def base_url(self) -> str:
        """The server's address, without a trailing `/api`."""
        return self._sender.shared.config.base_url

    def with_options(
        self,
        *,
        timeout: Timeout | float | Unset = UNSET,
        retry: RetryPolicy | Unset = UNSET,
        headers: Mapping[str, str] | Unset = UNSET,
    ) -> Self:
        """Return a client that differs in these options and shares the connections and the login.

        Closing it does nothing; close the one it came from. `headers` are added to those of this client.
        """
        client = object.__new__(type(self))
        client._sender = self._sender.derived(self._sender.settings.changed(timeout, retry, headers))
        client._derived = True
        return client

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, object] | None = None,
        json: Any = UNSET,
        content: bytes | None = None,
        options: CallOptions | None = None,
    ) -> Response:
        """Send a call the SDK has no method for, with the client's credential, retries and errors.

        Args:
            method: The HTTP method. GET, HEAD, OPTIONS, PUT and DELETE count as idempotent.
            path: From the host's root, such as `/api/incidents`.
            query: Query parameters.
            json: The body, to be written as JSON.
            content: The body as bytes, in place of `json`.
            options: Options for this call only.

        Raises:
            AkmatoriError: as for every call; error statuses raise too.
        """
        sender, op = self._sender, raw_operation(method, path)
        call = sender.build(op, query=query or _NOTHING, json=json, content=content, options=options)
        return await sender.send(call)

    async def close(self) -> None:
        """Close the connections. A client from `with_options()` leaves them to the one it came from."""
        if not self._derived:
            await self._sender.transport.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


class AsyncResource:
    """Base of the generated resources: builds a call from an operation and reads its answer."""

    def __init__(self, client: AsyncCore) -> None:
        self._client = client
        # The resources are the client's other half; nobody else sees its sender.
        self._sender = client._sender  # pyright: ignore[reportPrivateUsage]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._client!r})"

    async def _call(
        self,
        op: Operation[T],
        *,
        path: Mapping[str, object] = _NOTHING,
        query: Mapping[str, object] = _NOTHING,
        headers: Mapping[str, object] = _NOTHING,
        json: Any = UNSET,
        form: Mapping[str, object] | None = None,
        content: bytes | None = None,
        options: CallOptions | None = None,
    ) -> T:
        sender = self._sender
        call = sender.build(
            op,
            path=path,
            query=query,
            headers=headers,
            json=json,
            form=form,
            content=content,
            options=options,
        )
        return sender.read(call, await sender.send(call), op.reply, op.decode)

    def _pager(
        self,
        op: PagedOperation[T],
        *,
        path: Mapping[str, object] = _NOTHING,
        query: Mapping[str, object] = _NOTHING,
        page_size: int,
        max_items: int | None,
        options: CallOptions | None,
    ) -> AsyncPager[T]:
        sender = self._sender

        async def fetch(where: Mapping[str, object], accept: Callable[[Any], Page[T]]) -> Page[T]:
            call = sender.build(op, path=path, query={**query, **where}, options=options)
            return sender.read(call, await sender.send(call), op.reply, accept)

        return AsyncPager(fetch, op, Limits(page_size=page_size, max_items=max_items))

    def _stream(
        self,
        op: StreamOperation[T],
        *,
        path: Mapping[str, object] = _NOTHING,
        query: Mapping[str, object] = _NOTHING,
        options: CallOptions | None,
    ) -> AsyncEventStream[T]:
        sender, asked = self._sender, dict(query)
        begin = asked.pop(op.resume, UNSET)

        def build(headers: Mapping[str, object]) -> Call:
            return sender.build(op, path=path, query=asked, headers=headers, options=options)

        return AsyncEventStream(sender, op, build, options, "" if begin is UNSET else str(begin))
