"""The declarative form: what a kind of tool's functions are as HTTP requests, read from the catalogue and checked."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from functools import cache
from typing import Any, cast

import attrs
import jsonschema_rs

from akmatori_server.incidents.storable import JSON
from akmatori_server.kits.http_api.form_schema import SCHEMA
from akmatori_server.outgoing.models import MOST_BYTES
from akmatori_server.toolbox.members import member
from akmatori_server.tools.builtin import document_of

# Members of a request that become something else than they are written as.
_PARSED = frozenset({"raw_path", "query", "content", "secrets", "otherwise", "then"})


class FormError(Exception):
    """A form in the catalogue contradicts itself; the sentence says where."""


class Content(enum.StrEnum):
    """What an answer is read as."""

    JSON = "json"
    TEXT = "text"
    # JSON where it is, else text.
    ANY = "any"


class Scheme(enum.StrEnum):
    """How requests authenticate."""

    NONE = "none"
    # A secret in a header, with a prefix.
    HEADER = "header"
    BASIC = "basic"
    # By a login of its own, which a function makes.
    LOGIN = "login"


@attrs.frozen(kw_only=True)
class Auth:
    """One way to authenticate: it names settings, and holds no secret."""

    scheme: Scheme
    header: str = "Authorization"
    prefix: str = ""
    username: str = ""
    secret: str = ""
    # The function that logs in.
    login: str = ""


@attrs.frozen(kw_only=True)
class Choice:
    """Ways to authenticate of which a setting chooses; `by` is "" where there is only one, called ""."""

    by: str
    ways: Mapping[str, Auth]


@attrs.frozen(kw_only=True)
class RawPath:
    """A path that an argument gives."""

    argument: str
    under: str = ""
    guard: str = ""


@attrs.frozen(kw_only=True)
class Request:
    """One request. Templates are explained in `template`; functions are named, and found in `functions`."""

    method: str = "GET"
    path: str = ""
    raw_path: RawPath | None = None
    # Templates of objects, merged; the later ones win.
    query: tuple[JSON, ...] = ()
    form: JSON = None
    json: JSON = None
    # A function that makes the body.
    body: str = ""
    headers: Mapping[str, JSON] = attrs.field(factory=dict[str, JSON])
    # The setting with another base address, and the credentials stay at home.
    base_url: str = ""
    cache_seconds: float = 0.0
    most_bytes: int = MOST_BYTES
    content: Content = Content.JSON
    # The member of the answer that is meant.
    pick: str = ""
    # Functions: whether the arguments fit together, what is done to the answer, whether it writes.
    check: str = ""
    answer: str = ""
    access: str = ""
    # Arguments that are secrets.
    secrets: tuple[str, ...] = ()
    # What is asked instead where these statuses are answered.
    otherwise_at: tuple[int, ...] = ()
    otherwise: Request | None = None
    # What is asked afterwards; its `body` and `answer` get the first answer as the argument `first`.
    then: Request | None = None


@attrs.frozen(kw_only=True)
class Versions:
    """The requests of a function, of which a setting chooses; `by` is "" where there is only one, called ""."""

    by: str
    requests: Mapping[str, Request]

    def chosen(self, settings: Mapping[str, Any]) -> Request:
        """Return the one that the settings choose."""
        return self.requests[str(settings[self.by])] if self.by else self.requests[""]


class Kind(enum.StrEnum):
    """What a part of an answer is."""

    # One that is not empty.
    TEXT = "text"
    LIST = "list"
    # A list or an object.
    STRUCTURE = "structure"


@attrs.frozen(kw_only=True)
class Expectation:
    """What only the right service answers; `at` is "" for the answer itself."""

    at: str = ""
    kind: Kind

    def is_met(self, answer: JSON) -> bool:
        """Whether an answer has it."""
        found = member(answer, self.at)
        if self.kind is Kind.TEXT:
            return isinstance(found, str) and bool(found.strip())
        return isinstance(found, list) or (self.kind is Kind.STRUCTURE and isinstance(found, dict))


@attrs.frozen(kw_only=True)
class Trial:
    """A call that needs the credentials, reads, and answers little; `version` is where its answer has the version."""

    # How people call the service.
    service: str
    expects: Expectation
    function: str
    arguments: Mapping[str, JSON] = attrs.field(factory=dict[str, JSON])
    version: str = ""


@attrs.frozen(kw_only=True)
class HttpForm:
    """A kind of tool as HTTP requests. Members that name a setting end in what it is."""

    base_url: str
    # Appended to the base address unless it is there.
    suffix: str
    verify_tls: str
    timeout: str
    ca_pem: str
    allow_writes: str
    proxy: str
    headers: Mapping[str, str]
    auth: Choice
    functions: Mapping[str, Versions]
    # The call that tells whether a tool works.
    trial: Trial
    # Of the settings.
    defaults: Mapping[str, Any]

    def with_defaults(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Return settings with the defaults of those left out."""
        return {**self.defaults, **settings}


@cache
def load_form(type_name: str) -> HttpForm | None:
    """Read the form of a built-in type; None when it has none.

    Raises:
        FormError: it contradicts itself.
    """
    document = document_of(type_name)
    if "http" not in document:
        return None
    validator = jsonschema_rs.validator_for(SCHEMA)
    for error in validator.iter_errors(
        {
            "http": document["http"],
            "trial": document.get("trial"),
            "requests": {one["name"]: one.get("request") for one in document["functions"]},
        }
    ):
        place = ".".join(str(step) for step in error.instance_path)
        raise FormError(f"{type_name}: {place}: {error.message}")
    http = cast("Mapping[str, Any]", document["http"])
    properties = cast("Mapping[str, Mapping[str, Any]]", document["settings"]["properties"])
    return HttpForm(
        base_url=http["base_url"],
        suffix=http.get("suffix", ""),
        verify_tls=http["verify_tls"],
        timeout=http["timeout"],
        ca_pem=http.get("ca_pem", ""),
        allow_writes=http.get("allow_writes", ""),
        proxy=http.get("proxy", type_name),
        headers=http.get("headers", {}),
        auth=_choice(http["auth"]),
        functions={one["name"]: _versions(one["request"]) for one in document["functions"]},
        trial=_trial(document["trial"]),
        defaults={name: one["default"] for name, one in properties.items() if "default" in one},
    )


def _trial(document: Mapping[str, Any]) -> Trial:
    expects = document["expects"]
    simple = {name: value for name, value in document.items() if name != "expects"}
    return Trial(**simple, expects=Expectation(at=expects.get("at", ""), kind=Kind(expects["is"])))


def _choice(document: Mapping[str, Any]) -> Choice:
    if "by" not in document:
        return Choice(by="", ways={"": _auth(document)})
    return Choice(by=document["by"], ways={name: _auth(one) for name, one in document["ways"].items()})


def _auth(document: Mapping[str, Any]) -> Auth:
    return Auth(**{**document, "scheme": Scheme(document["scheme"])})


def _versions(document: Mapping[str, Any]) -> Versions:
    if "by" not in document:
        return Versions(by="", requests={"": _request(document)})
    requests = {name: _request(one) for name, one in document["versions"].items()}
    return Versions(by=document["by"], requests=requests)


def _request(document: Mapping[str, Any]) -> Request:
    query: JSON = document.get("query", [])
    raw, otherwise, then = (document.get(name) for name in ("raw_path", "otherwise", "then"))
    simple = {name: value for name, value in document.items() if name not in _PARSED}
    return Request(
        **simple,
        raw_path=None if raw is None else RawPath(**raw),
        query=tuple(query if isinstance(query, list) else [query]),
        content=Content(document.get("content", "json")),
        secrets=tuple(document.get("secrets", ())),
        otherwise_at=() if otherwise is None else tuple(otherwise["statuses"]),
        otherwise=None if otherwise is None else _request(otherwise["request"]),
        then=None if then is None else _request(then),
    )
