"""HTTP out of the documentation page and the specifications."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import orjson

from akmatori_sdk._generated.aotanami import models as aotanami
from akmatori_server.docs.pages import CONTENT_SECURITY_POLICY, PAGE, tag_of
from akmatori_server.http.call import Answer, Call


def read_specification(system: str, name: str) -> bytes:
    """Return a generated file of a system, such as `openapi.json` of `akmatori`."""
    return files("akmatori_server").joinpath("_generated", system, name).read_bytes()


class AkmatoriDocs:
    """Answers the tag `docs` of Akmatori."""

    def __init__(self, specification: bytes) -> None:
        """Take the YAML file, which is served byte for byte."""
        self._text = specification.decode()
        self._tag = tag_of(specification)

    def get_docs(self, _call: Call, /) -> Answer[str]:
        """Show the page."""
        headers = {
            "Content-Type": "text/html; charset=utf-8",
            "Content-Security-Policy": CONTENT_SECURITY_POLICY,
            "Cache-Control": "no-cache",
        }
        return Answer(PAGE, headers=headers)

    def get_open_api(self, call: Call, /) -> Answer[str]:
        """Answer the YAML file."""
        headers = {"ETag": self._tag, "Cache-Control": "no-cache"}
        if is_known(call, self._tag):
            return Answer("", headers=headers, status=304)
        return Answer(self._text, headers=headers)


class AotanamiDocs:
    """Answers the tag `docs` of Aotanami."""

    def __init__(self, specification: bytes) -> None:
        """Take the JSON file."""
        self._document: dict[str, Any] = orjson.loads(specification)
        self._tag = tag_of(specification)

    def get_openapi(self, call: Call, /) -> Answer[aotanami.OpenapiDocument]:
        """Answer the JSON document."""
        headers = {"ETag": self._tag, "Cache-Control": "no-cache"}
        return Answer(self._document, headers=headers, status=304 if is_known(call, self._tag) else None)


def is_known(call: Call, tag: str) -> bool:
    """Whether the caller has this version already."""
    return tag in call.headers.get("if-none-match", "")
