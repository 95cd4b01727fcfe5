"""Requests made up from the contract, good and bad: no operation ever fails, and each answer is one it promises."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator
from functools import cache

import httpx
import orjson
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from akmatori_server.http.pending import PENDING
from tests.contract.exchanges import GENERATED
from tests.support.databases import copied_database
from tests.support.site import PASSWORD, Site, running_site

# Enough for each mutation of a request to come up.
EXAMPLES = 12
# The first two would change who may log in, and every later answer with it. The third answers YAML as one text,
# which the checker would parse before it compares; a test of the docs compares its bytes. The fourth has no end;
# the tests of events make up requests for it.
LEFT_OUT = {"completeSetup", "login", "getOpenApi", "streamEvents"}

POD = """
apiVersion: v1
kind: Pod
metadata: {name: a, namespace: shop}
spec: {containers: [{name: a, image: "a:1", resources: {requests: {cpu: 100m, memory: 64Mi}}}]}
"""


@pytest.fixture(scope="module")
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Generator[Site]:
    """One server for all generated requests."""
    directory = tmp_path_factory.mktemp("generated")
    # Something to scan and to reckon with.
    folder = directory / "app"
    folder.mkdir()
    (folder / "pod.yaml").write_text(POD)
    more = {"manifests": (("app", (folder,)),)}
    with (
        copied_database("sqlite", directory, request) as url,
        running_site(url, directory, more=more) as running,
    ):
        yield running


@pytest.fixture(scope="module")
def token(site: Site) -> str:
    """The administrator's token; an API key might be deleted by a generated request."""
    answer = httpx.post(f"{site.base_url}/auth/login", json={"username": "admin", "password": PASSWORD})
    return str(answer.json()["token"])


@cache
def _offered(name: str) -> schemathesis.BaseSchema:
    document = orjson.loads((GENERATED / name / "openapi.json").read_bytes())
    # Where the server will listen is known when a request is sent.
    schema = schemathesis.openapi.from_dict(document)
    return schema.exclude(operation_id=sorted(PENDING[name] | LEFT_OUT))


def _operations(name: str) -> list[str]:
    paths = orjson.loads((GENERATED / name / "openapi.json").read_bytes())["paths"]
    found = {
        operation["operationId"]
        for path in paths.values()
        for operation in path.values()
        if "operationId" in operation
    }
    return sorted(found - PENDING[name] - LEFT_OUT)


def _check(case: Case, base_url: str, token: str) -> None:
    response = case.call(base_url=base_url, headers={"Authorization": f"Bearer {token}"})
    # Two checks do not fit this contract: lenient paging accepts what its schema would not, and rules that no
    # schema can say (a name that is taken, a blank that is not) refuse what the schema would accept.
    case.validate_response(response, excluded_checks=[negative_data_rejection, positive_data_acceptance])


_settings = settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)


def _ask(name: str, operation_id: str, ask: Callable[[Case], None]) -> None:
    """Send requests as the operation wants them, and others that break one of its rules."""
    operation = _offered(name).find_operation_by_id(operation_id)
    made_up = [
        operation.as_strategy(generation_mode=mode)
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    ]

    @_settings
    @given(case=st.one_of(made_up))
    def asked(case: Case) -> None:
        ask(case)

    asked()


# Schemathesis's own decorator gives the tests of all operations one name, of which pytest-xdist runs one.
@pytest.mark.parametrize("operation_id", _operations("akmatori"))
def test_akmatori(operation_id: str, site: Site, token: str) -> None:
    """Every answer is documented, and none is a 5xx."""
    _ask("akmatori", operation_id, lambda case: _check(case, site.base_url, token))


@pytest.mark.parametrize("operation_id", _operations("aotanami"))
def test_aotanami(operation_id: str, site: Site, token: str) -> None:
    """Every answer is documented, and none is a 5xx."""
    _ask("aotanami", operation_id, lambda case: _check(case, f"{site.base_url}/api/v1", token))


if os.environ.get("AKMATORI_SOAK"):
    # Every edge of every schema, one after the other: some eight thousand requests, which to make up takes half a
    # minute whenever the tests are collected.

    @_offered("akmatori").parametrize()
    @_settings
    @pytest.mark.soak
    def test_every_edge_of_akmatori(case: Case, site: Site, token: str) -> None:
        """Every answer is documented, and none is a 5xx."""
        _check(case, site.base_url, token)

    @_offered("aotanami").parametrize()
    @_settings
    @pytest.mark.soak
    def test_every_edge_of_aotanami(case: Case, site: Site, token: str) -> None:
        """Every answer is documented, and none is a 5xx."""
        _check(case, f"{site.base_url}/api/v1", token)
