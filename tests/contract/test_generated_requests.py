"""Requests made up from the contract, good and bad: no operation ever fails, and each answer is one it promises."""

from __future__ import annotations

from collections.abc import Generator

import httpx
import orjson
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import Case
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from akmatori_server.http.pending import PENDING
from tests.contract.exchanges import GENERATED
from tests.support.databases import copied_database
from tests.support.site import PASSWORD, Site, running_site

# Enough for each mutation of a request to come up; `nox -s soak` looks for longer.
EXAMPLES = 12
# They would change who may log in, and every later answer with it.
LEFT_OUT = {"completeSetup", "login"}


@pytest.fixture(scope="module")
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Generator[Site]:
    """One server for all generated requests."""
    directory = tmp_path_factory.mktemp("generated")
    with copied_database("sqlite", directory, request) as url, running_site(url, directory) as running:
        yield running


@pytest.fixture(scope="module")
def token(site: Site) -> str:
    """The administrator's token; an API key might be deleted by a generated request."""
    answer = httpx.post(f"{site.base_url}/auth/login", json={"username": "admin", "password": PASSWORD})
    return str(answer.json()["token"])


@pytest.fixture(scope="module")
def akmatori(site: Site) -> schemathesis.BaseSchema:
    """The operations of Akmatori that this version offers."""
    return _offered("akmatori", site.base_url)


@pytest.fixture(scope="module")
def aotanami(site: Site) -> schemathesis.BaseSchema:
    """The operations of Aotanami that this version offers."""
    return _offered("aotanami", f"{site.base_url}/api/v1")


def _offered(name: str, base_url: str) -> schemathesis.BaseSchema:
    document = orjson.loads((GENERATED / name / "openapi.json").read_bytes())
    schema = schemathesis.openapi.from_dict(document)
    schema.config.update(base_url=base_url)
    return schema.exclude(operation_id=sorted(PENDING[name] | LEFT_OUT))


def _check(case: Case, token: str) -> None:
    response = case.call(headers={"Authorization": f"Bearer {token}"})
    # Two checks do not fit this contract: lenient paging accepts what its schema would not, and rules that no
    # schema can say (a name that is taken, a blank that is not) refuse what the schema would accept.
    case.validate_response(response, excluded_checks=[negative_data_rejection, positive_data_acceptance])


_akmatori = schemathesis.pytest.from_fixture("akmatori")
_aotanami = schemathesis.pytest.from_fixture("aotanami")
_settings = settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)


@pytest.mark.timeout(300)
@_akmatori.parametrize()
@_settings
def test_akmatori(case: Case, token: str) -> None:
    """Every answer is documented, and none is a 5xx."""
    _check(case, token)


@_aotanami.parametrize()
@_settings
def test_aotanami(case: Case, token: str) -> None:
    """Every answer is documented, and none is a 5xx."""
    _check(case, token)
