"""The connection to one API server: bounded in time and size, with a sentence for everything that goes wrong."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, cast
from urllib.parse import urlencode

import attrs
import orjson

from akmatori_server.kubernetes.clusters.configuration import ClusterConfig

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"

# Status, headers and body.
_Answer: TypeAlias = tuple[int, Mapping[str, str], bytes]

_GOOD = (200, 201)
_CHUNK = 256 * 1024
_STATUS_TEXT = 300
SERVICE_ACCOUNT_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


class ClusterError(Exception):
    """The cluster did not give what was asked; the text is a sentence for who runs the scan."""


class UnreachableError(ClusterError):
    """Nobody answered, or not in time: there is no use in asking for something else."""


class RefusedError(ClusterError):
    """The credentials are not accepted at all."""


class ForbiddenError(ClusterError):
    """The credentials are good, but not for this."""


class NotServedError(ClusterError):
    """The cluster has no such resource."""


class GoneError(ClusterError):
    """The list that was being read has expired."""


class TooLargeError(ClusterError):
    """The answer is larger than one may be."""


@attrs.frozen
class Limits:
    """How long, and how much, is waited for."""

    connect: float = 10.0
    """Seconds until the connection stands."""
    read: float = 30.0
    """Seconds without a byte."""
    total: float = 120.0
    """Seconds for a whole answer, however steadily it drips."""
    bytes: int = 32 * 1024 * 1024
    """Of one answer; a page that is larger is asked for in smaller ones."""
    wait: float = 30.0
    """Seconds that a busy server may ask to wait, in all tries of a request together."""


@attrs.define
class Connection:
    """Asks one API server, as the library that holds the credentials does it."""

    config: ClusterConfig
    limits: Limits
    _client: Any = attrs.field(repr=False)
    _sleep: Callable[[float], None] = time.sleep

    @property
    def endpoint(self) -> str:
        """The address of the API server."""
        return str(self._client.configuration.host)

    def get(self, path: str, query: Mapping[str, str] | None = None) -> dict[str, Json]:
        """Return the JSON object at a path.

        Raises:
            ClusterError: what is there instead; each kind of failure is a class of its own.
        """
        return self._patiently(path, lambda: self._ask("GET", path, query or {}))

    def review(self, path: str, question: Mapping[str, Json]) -> dict[str, Json]:
        """Have the API server answer a question, such as a TokenReview: it is posted, and nothing is kept of it.

        Raises:
            ClusterError: there is no answer; each kind of failure is a class of its own.
        """
        return self._patiently(path, lambda: self._ask("POST", path, {}, question))

    def text(self, path: str) -> str:
        """Return the text at a path, such as `/readyz`."""
        status, _, body = self._ask("GET", path, {})
        if status != 200:
            raise _refusal(self.config.name, status, path, body)
        return body.decode("utf-8", "replace")

    def close(self) -> None:
        """Close the connections."""
        self._client.rest_client.close()

    def _patiently(self, path: str, ask: Callable[[], _Answer]) -> dict[str, Json]:
        waited = 0.0
        while True:
            status, headers, body = ask()
            if status == 429:
                pause = _retry_after(headers)
                waited += pause
                if waited <= self.limits.wait:
                    self._sleep(pause)
                    continue
            # What is posted is answered with 201.
            if status not in _GOOD:
                raise _refusal(self.config.name, status, path, body)
            return self._parsed(path, body)

    def _parsed(self, path: str, body: bytes) -> dict[str, Json]:
        try:
            answer: object = orjson.loads(body)
        except orjson.JSONDecodeError:
            raise ClusterError(
                f"The cluster {self.config.name} answered {path} with something that is no JSON."
            ) from None
        if not isinstance(answer, dict):
            raise ClusterError(
                f"The cluster {self.config.name} answered {path} with JSON that is no object."
            ) from None
        return cast("dict[str, Json]", answer)

    def _ask(
        self, method: str, path: str, query: Mapping[str, str], sent: Mapping[str, Json] | None = None
    ) -> _Answer:
        from kubernetes.client.exceptions import ApiException
        from urllib3.exceptions import HTTPError

        address = path + (f"?{urlencode(query)}" if query else "")
        limits = self.limits
        deadline = time.monotonic() + limits.total
        try:
            # The library puts the credentials in, and renews those that run out.
            told = {"Accept": "application/json"}
            if sent is not None:
                told["Content-Type"] = "application/json"
            _, url, headers, *_ = self._client.param_serialize(
                method, address, header_params=told, auth_settings=["BearerToken"]
            )
            answer = self._client.call_api(
                method, url, headers, body=sent, _request_timeout=(limits.connect, limits.read)
            ).response
            try:
                return answer.status, answer.headers, self._read(answer, deadline)
            finally:
                answer.release_conn()
        except (HTTPError, ApiException, OSError) as error:
            raise UnreachableError(
                f"The cluster {self.config.name} does not answer at {self.endpoint}: {_why(error)}."
            ) from None

    def _read(self, answer: BaseHTTPResponse, deadline: float) -> bytes:
        pieces, size = list[bytes](), 0
        # read1 gives what is there, so that a drip does not hold the deadline off.
        while piece := answer.read1(_CHUNK, decode_content=True):
            pieces.append(piece)
            size += len(piece)
            if size > self.limits.bytes:
                answer.close()
                raise TooLargeError(
                    f"An answer of the cluster {self.config.name} has more than {self.limits.bytes} bytes."
                )
            if time.monotonic() > deadline:
                answer.close()
                raise UnreachableError(
                    f"The cluster {self.config.name} did not finish an answer in {self.limits.total:g} seconds."
                )
        return b"".join(pieces)


def connect(config: ClusterConfig, limits: Limits | None = None) -> Connection:
    """Read the credentials of a cluster; nothing is asked yet.

    Raises:
        ClusterError: the library is not installed, or the configuration cannot be used.
    """
    try:
        client: Any = importlib.import_module("kubernetes.client")
        library: Any = importlib.import_module("kubernetes.config")
    except ImportError:
        raise ClusterError(
            "Live clusters need the Kubernetes library: install akmatori-server[kubernetes]."
        ) from None
    settings = client.Configuration()
    try:
        if config.in_cluster:
            library.load_incluster_config(client_configuration=settings)
        else:
            library.load_kube_config(
                config_file=None if config.kubeconfig is None else str(config.kubeconfig),
                context=config.context,
                client_configuration=settings,
                persist_config=False,
            )
    except Exception as error:  # noqa: BLE001 - whatever breaks: exec plugins, YAML, certificates
        where = "as a service account" if config.in_cluster else _context(config)
        raise ClusterError(
            f"The cluster {config.name} cannot be used {where}: {_first_line(error)}."
        ) from None
    # Waiting and trying again is decided here, where it is bounded; and a redirect would carry the token away.
    settings.retries = False
    return Connection(config, limits or Limits(), client.ApiClient(settings))


def own_namespace(config: ClusterConfig) -> str:
    """Return the namespace that the credentials are for: the pod's, or the context's; "" when it is not told."""
    try:
        if config.in_cluster:
            return SERVICE_ACCOUNT_NAMESPACE.read_text().strip()
        library: Any = importlib.import_module("kubernetes.config")
        contexts, current = library.list_kube_config_contexts(
            None if config.kubeconfig is None else str(config.kubeconfig)
        )
        found = (
            [one for one in contexts if one.get("name") == config.context] if config.context else [current]
        )
        return str(found[0]["context"].get("namespace") or "") if found else ""
    except Exception:  # noqa: BLE001 - whatever breaks: it was read before, and is a guess in any case
        return ""


def _context(config: ClusterConfig) -> str:
    context = "the current context" if config.context is None else f"the context {config.context}"
    return f"by {context}" + (f" of {config.kubeconfig}" if config.kubeconfig else "")


def _retry_after(headers: Mapping[str, str]) -> float:
    try:
        return min(max(float(headers.get("Retry-After", "1")), 0.1), 3600.0)
    except ValueError:
        return 1.0


def _refusal(cluster: str, status: int, path: str, body: bytes) -> ClusterError:
    said = _message(body)
    tail = f": {said}" if said else ""
    match status:
        case 401:
            return RefusedError(f"The cluster {cluster} does not accept the credentials{tail}.")
        case 403:
            return ForbiddenError(f"The cluster {cluster} forbids it{tail}.")
        case 404:
            return NotServedError(f"The cluster {cluster} has nothing at {path}.")
        case 410:
            return GoneError(f"The cluster {cluster} no longer has the list that was being read.")
        case 429:
            return ClusterError(f"The cluster {cluster} is too busy to answer.")
        case _:
            return ClusterError(f"The cluster {cluster} answered {path} with status {status}{tail}.")


def _message(body: bytes) -> str:
    try:
        answer: object = orjson.loads(body)
    except orjson.JSONDecodeError:
        return ""
    message = cast("dict[str, object]", answer).get("message") if isinstance(answer, dict) else None
    return _printable(message)[:_STATUS_TEXT].rstrip(". ") if isinstance(message, str) else ""


def _why(error: Exception) -> str:
    from urllib3 import exceptions

    cause = getattr(error, "reason", None)
    for found in (error, cause):
        if isinstance(found, exceptions.NewConnectionError):
            return "the connection was refused or the name is not known"
        if isinstance(found, exceptions.TimeoutError):
            return "it took too long"
        if isinstance(found, exceptions.SSLError):
            return "its certificate is not trusted"
    return _first_line(error)


def _first_line(error: Exception) -> str:
    lines = _printable(str(error) or type(error).__name__, keep="\n").splitlines()
    return lines[0][:_STATUS_TEXT].rstrip(". ") if lines else type(error).__name__


def _printable(text: str, keep: str = "") -> str:
    return "".join(mark if mark.isprintable() or mark in keep else " " for mark in text)
