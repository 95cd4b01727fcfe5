"""Where the public keys of a cluster come from: a file, an address, or its own API server."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import httpx
import orjson

from akmatori_server.kubernetes.clusters.connection import ClusterError, Connection

PUBLISHED = "/openid/v1/jwks"
LARGEST = 1024 * 1024
TIMEOUT_SECONDS = 10.0


class KeySourceError(Exception):
    """The keys cannot be had; the text is a sentence for who runs the server."""


def from_file(path: Path) -> Callable[[], object]:
    """Return how keys are read from a file."""

    def fetch() -> object:
        try:
            with path.open("rb") as file:
                return _parsed(file.read(LARGEST + 1), str(path))
        except OSError as error:
            raise KeySourceError(f"The key set {path} cannot be read: {error.strerror}.") from None

    return fetch


def from_address(address: str) -> Callable[[], object]:
    """Return how keys are fetched from an address. It is the administrator's, and no redirect leads away from it."""

    def fetch() -> object:
        deadline = time.monotonic() + TIMEOUT_SECONDS
        body = b""
        try:
            with (
                httpx.Client(timeout=TIMEOUT_SECONDS, follow_redirects=False) as client,
                client.stream("GET", address, headers={"Accept": "application/json"}) as answer,
            ):
                if answer.status_code != 200:
                    raise KeySourceError(f"The key set answered with status {answer.status_code}.")
                for piece in answer.iter_bytes():
                    body += piece
                    if len(body) > LARGEST or time.monotonic() > deadline:
                        raise KeySourceError("The key set is too large, or comes too slowly.")
        except httpx.HTTPError as error:
            # The text of the error may repeat an address with a password in it.
            raise KeySourceError(f"The key set does not answer: {type(error).__name__}.") from None
        return _parsed(body, "The key set")

    return fetch


def from_cluster(connect: Callable[[], Connection]) -> Callable[[], object]:
    """Return how keys are asked of a cluster, as one of its service accounts may."""

    def fetch() -> object:
        try:
            connection = connect()
            try:
                return connection.get(PUBLISHED)
            finally:
                connection.close()
        except ClusterError as error:
            raise KeySourceError(str(error)) from None

    return fetch


def _parsed(body: bytes, name: str) -> object:
    if len(body) > LARGEST:
        raise KeySourceError(f"{name} is larger than {LARGEST} bytes.")
    try:
        document: object = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise KeySourceError(f"{name} is no JSON.") from None
    return document
