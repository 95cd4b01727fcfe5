"""The forms in the catalogue agree with the schemas they stand beside."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest

from akmatori_server.kits.http_api import functions
from akmatori_server.kits.http_api.form import HttpForm, Request, Scheme, load_form
from akmatori_server.kits.http_api.form_schema import SCHEMA
from akmatori_server.kits.http_api.paths import PLACEHOLDER
from akmatori_server.kits.http_api.template import references
from akmatori_server.settings.proxy import ProxyService
from akmatori_server.tools.builtin import NAMES, builtin_types, document_of
from akmatori_server.tools.definition import SECRET, TypeDefinition

FORMS = {name: form for name in NAMES if (form := load_form(name)) is not None}


def of_type(name: str) -> TypeDefinition:
    """Return a type."""
    return next(one for one in builtin_types() if one.name == name)


def requests_of(request: Request) -> Iterator[Request]:
    """Return a request, and those that follow it."""
    yield request
    for following in (request.otherwise, request.then):
        if following is not None:
            yield from requests_of(following)


def named_functions(request: Request) -> Iterator[tuple[str, Any]]:
    """Return the functions that a request names, each with where it must be."""
    yield request.body, functions.BODIES
    yield request.check, functions.CHECKS
    yield request.answer, functions.ANSWERS
    yield request.access, functions.ACCESSES
    if request.raw_path is not None:
        yield request.raw_path.guard, functions.GUARDS


@pytest.mark.parametrize("name", list(FORMS))
def test_a_form_names_only_what_there_is(name: str) -> None:
    """Settings, parameters, functions; and every function of the type has a request."""
    form, definition = FORMS[name], of_type(name)
    settings: dict[str, Any] = definition.settings["properties"]
    parameters = {one.name: set(one.parameters["properties"]) for one in definition.functions}

    assert set(form.functions) == set(parameters)
    for setting in (
        form.base_url,
        form.verify_tls,
        form.timeout,
        form.auth.by,
        form.ca_pem,
        form.allow_writes,
    ):
        assert not setting or setting in settings
    assert "allowed_networks" in settings
    assert form.proxy in set(ProxyService)
    for auth in form.auth.ways.values():
        assert auth.scheme is not Scheme.HEADER or settings[auth.secret][SECRET] is True
        assert auth.scheme is not Scheme.BASIC or {auth.username, auth.secret} <= set(settings)
        assert auth.scheme is not Scheme.LOGIN or auth.login in functions.LOGINS
    for function, versions in form.functions.items():
        for version in versions.requests.values():
            for request in requests_of(version):
                check_request(request, function, parameters[function], settings)


def check_request(request: Request, function: str, known: set[str], settings: dict[str, Any]) -> None:
    """Check what one request refers to."""
    for place in re.findall(PLACEHOLDER, request.path):
        assert place in known or (place in settings and SECRET not in settings[place]), function
    templates: list[Any] = [request.method, *request.query, request.form, request.json, dict(request.headers)]
    for template in templates:
        for reference in references(template):
            assert reference.name in (settings if reference.is_setting else known), (
                f"{function}: {reference.name}"
            )
            assert not reference.filter or reference.filter in functions.FILTERS, function
    for named, registry in named_functions(request):
        assert not named or named in registry, f"{function}: {named}"
    assert not request.base_url or request.base_url in settings
    assert set(request.secrets) <= known


def test_every_parameter_is_sent() -> None:
    """One that a form forgets would be taken, and lost. Functions in code read what they want."""
    for name, form in FORMS.items():
        for function in of_type(name).functions:
            every = [
                one
                for version in form.functions[function.name].requests.values()
                for one in requests_of(version)
            ]
            if any(one.body or one.answer.startswith("jira") for one in every):
                continue
            used = {place for one in every for place in re.findall(PLACEHOLDER, one.path)}
            used |= {one.raw_path.argument for one in every if one.raw_path is not None}
            for one in every:
                templates: list[Any] = [one.method, *one.query, one.form, one.json, dict(one.headers)]
                used |= {reference.name for template in templates for reference in references(template)}
            assert set(function.parameters["properties"]) <= used, f"{name}.{function.name}"


def test_functions_that_change_something_can_be_forbidden() -> None:
    """Every type that has one has the switch, and it is off."""
    for name, form in FORMS.items():
        writes = [one.name for one in of_type(name).functions if not one.read_only]
        if writes:
            assert of_type(name).settings["properties"][form.allow_writes]["default"] is False


def test_no_function_in_code_is_left_over() -> None:
    """Each is named by a form."""
    used: dict[int, set[str]] = {}
    filters: set[str] = set()
    for form in FORMS.values():
        for versions in form.functions.values():
            for version in versions.requests.values():
                for request in requests_of(version):
                    for named, registry in named_functions(request):
                        used.setdefault(id(registry), set()).add(named)
                    templates: list[Any] = [*request.query, request.form, request.json]
                    filters |= {ref.filter for template in templates for ref in references(template)}
    for registry in (
        functions.BODIES,
        functions.CHECKS,
        functions.ANSWERS,
        functions.ACCESSES,
        functions.GUARDS,
    ):
        assert set(registry) <= used[id(registry)]
    assert set(functions.FILTERS) <= filters


@pytest.mark.parametrize(
    "wrong",
    [
        {"path": "no-slash"},
        {"path": "/a", "raw_path": {"argument": "path"}},
        {"json": {}, "form": {}},
        {"methd": "GET"},
        {"cache_seconds": -1},
        {"content": "xml"},
        None,
    ],
)
def test_a_wrong_form_is_refused(wrong: Any) -> None:
    """By its schema, when it is loaded."""
    http = document_of("grafana")["http"]
    validator = jsonschema_rs.validator_for(SCHEMA)
    trial = {"service": "A", "function": "a", "expects": {"is": "list"}}
    right: dict[str, Any] = {"http": http, "trial": trial, "requests": {"a": {"path": "/a"}}}
    assert validator.is_valid(right)
    assert not validator.is_valid({**right, "requests": {"a": wrong}})
    assert not validator.is_valid({**right, "http": {**http, "extra": 1}})
    assert not validator.is_valid({**right, "trial": None})
    for without in trial:
        assert not validator.is_valid(
            {**right, "trial": {name: one for name, one in trial.items() if name != without}}
        )
    for expects in ({"is": "number"}, {"at": "a"}, {"is": "list", "at": ""}):
        assert not validator.is_valid({**right, "trial": {**trial, "expects": expects}})


def test_forms_are_typed() -> None:
    """What is loaded is what the kit reads."""
    assert all(isinstance(form, HttpForm) for form in FORMS.values())
    assert load_form("ssh") is None
