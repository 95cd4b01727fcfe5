"""Names of registries that images may come from, as somebody writes them."""

from __future__ import annotations

import re

_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?")
_PART = r"[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*"
_PATH = re.compile(rf"{_PART}(?:/{_PART})*")
# Docker's own has two names in images.
_DOCKER, _DOCKER_ALIAS = "docker.io", "index.docker.io"


class RegistryError(ValueError):
    """A text that names no registry; the sentence says what would."""


def registry_of(text: str) -> str:
    """Return a registry, or a part of it, in the form that images are compared with.

    Raises:
        RegistryError: the text names none, so that every image would be from elsewhere.
    """
    host, _, path = text.strip().removesuffix("/").partition("/")
    host = folded_host(host)
    if not (_HOST.fullmatch(host) and names_host(host)) or (path and not _PATH.fullmatch(path)):
        raise RegistryError(
            f"{text[:100]!r} is no registry: write a host and, if only a part of it is meant, a path, such as"
            " ghcr.io/acme or docker.io/library, without https://, stars or tags, the path in small letters."
        )
    return f"{host}/{path}" if path else host


def names_host(first: str) -> bool:
    """Whether the first part of an image's name is a host; else the image is of Docker's own registry."""
    return "." in first or ":" in first or first == "localhost"


def folded_host(host: str) -> str:
    """Return a host as it is compared: its case means nothing."""
    lower = host.lower()
    return _DOCKER if lower == _DOCKER_ALIAS else lower
