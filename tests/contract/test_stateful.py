"""Chains of requests: what one answer names, the next requests read, change and delete.

Which operation leads to which is inferred from the specification by schemathesis. Beside what it checks of every
answer, it checks that what was just created is there, and that what was deleted is gone.
"""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Callable, Generator, Mapping
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
import schemathesis
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, settings
from schemathesis import Case, GenerationMode, Response
from schemathesis.specs.openapi.checks import ignored_auth, positive_data_acceptance, use_after_free

from akmatori_server._generated.akmatori.bindings import OPERATIONS
from akmatori_server.database import metadata
from akmatori_server.http.pending import PENDING
from tests.contract.exchanges import GENERATED
from tests.server.tools import key_texts
from tests.support.databases import copied_database
from tests.support.site import PASSWORD, Site, running_site

SCENARIOS = 5
STEPS = 8
# They call whatever address or program was made up; an investigation goes on in the background.
LEFT_OUT = {"testHttpConnector", "testMcpServer", "testTool", "createIncident", "receiveAlert"}
# What is deleted there is ended, and stays to be read.
KEPT = {"silences"}
FOLDERS = ("skills", "context", "runbooks")
OFFERED = [one for one in OPERATIONS if one.id not in PENDING["akmatori"] | LEFT_OUT]
# Where something is made that can be deleted again.
TAGS = sorted(
    {one.tag for one in OFFERED if one.method == "POST"}
    & {one.tag for one in OFFERED if one.method == "DELETE"}
)

# Bodies whose members must fit each other, which nothing made up does.
FITTING: Mapping[str, Callable[[int], dict[str, Any]]] = {
    "createTool": lambda number: {
        "tool_type_id": 1,
        "name": f"Tool {number}",
        "settings": {"ssh_hosts": [{"hostname": "db-1", "address": "10.0.0.5"}]},
    },
    "createSshKey": lambda number: {"name": f"key-{number}", "private_key": key_texts.openssh()},
    "createAlertSource": lambda number: {
        "source_type_name": "alertmanager",
        "name": f"Source {number}",
        "webhook_secret": "a-webhook-secret",
    },
    "createHttpConnector": lambda number: {
        "tool_type_name": f"billing{number}",
        "base_url_field": "billing_url",
        "tools": {"tools": [{"name": "get", "http_method": "GET", "path": "/invoices"}]},
    },
    "createMcpServer": lambda number: {
        "name": f"server {number}",
        "transport": "stdio",
        "command": "npx",
        "namespace_prefix": f"ext{number}",
    },
}


class Beginning:
    """The server's data as it was first: a scenario that others left traces for could not be repeated."""

    def __init__(self, site: Site, aside: Path) -> None:
        self._database = site.installation.database
        self._data = site.installation.settings.data_dir
        self._aside = aside
        with self._database.read() as connection:
            self._rows = {
                table: [dict(row) for row in connection.execute(sa.select(table)).mappings()]
                for table in metadata.sorted_tables
            }
        for folder in FOLDERS:
            shutil.copytree(self._data / folder, aside / folder)

    def restore(self) -> None:
        """Bring it back."""
        with self._database.write() as connection:
            for table in reversed(metadata.sorted_tables):
                connection.execute(sa.delete(table))
            connection.execute(sa.text("DELETE FROM sqlite_sequence"))
            for table, rows in self._rows.items():
                if rows:
                    connection.execute(sa.insert(table), rows)
        for folder in FOLDERS:
            shutil.rmtree(self._data / folder)
            shutil.copytree(self._aside / folder, self._data / folder)


@pytest.fixture(scope="module")
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Generator[Site]:
    """One server for all chains."""
    directory = tmp_path_factory.mktemp("chains")
    with copied_database("sqlite", directory, request) as url, running_site(url, directory) as running:
        yield running


@pytest.fixture(scope="module")
def beginning(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Beginning:
    """The server's data before any chain."""
    return Beginning(site, tmp_path_factory.mktemp("aside"))


@pytest.fixture(scope="module")
def token(site: Site) -> str:
    """The administrator's token."""
    answer = httpx.post(f"{site.base_url}/auth/login", json={"username": "admin", "password": PASSWORD})
    return str(answer.json()["token"])


@pytest.mark.parametrize("tag", TAGS)
def test_what_was_created_is_read_changed_and_deleted(
    site: Site, token: str, beginning: Beginning, tag: str
) -> None:
    """No chain breaks the specification, and none is answered a 5xx."""
    schema = schemathesis.openapi.from_dict(orjson.loads((GENERATED / "akmatori/openapi.json").read_bytes()))
    # Requests that break the schema are the matter of the generated requests; here they would end a chain.
    schema.config.generation.update(modes=[GenerationMode.POSITIVE])
    offered = schema.include(operation_id=[one.id for one in OFFERED if one.tag == tag])
    answered: defaultdict[str, set[int]] = defaultdict(set)

    class Chains(offered.as_state_machine()):  # type: ignore[misc]  # the library makes the class
        def setup(self) -> None:
            beginning.restore()
            self.numbers = count(1)

        def before_call(self, case: Case) -> None:
            fitting = FITTING.get(_id(case))
            if fitting is not None:
                case.body = fitting(next(self.numbers))

        def get_call_kwargs(self, case: Case) -> dict[str, Any]:
            del case
            return {"base_url": site.base_url, "headers": {"Authorization": f"Bearer {token}"}}

        def validate_response(
            self, response: Response, case: Case, additional_checks: Any = None, **options: Any
        ) -> None:
            answered[_id(case)].add(response.status_code)
            case.validate_response(
                response,
                additional_checks=additional_checks,
                # Rules that no schema can say refuse what the schema would accept; that each operation wants a
                # credential is tested elsewhere, at a third of the requests.
                excluded_checks=[
                    positive_data_acceptance,
                    ignored_auth,
                    *([use_after_free] if tag in KEPT else []),
                ],
                transport_kwargs=options or None,
                recorder=self.recorder,
            )

    Chains.run(
        settings=settings(
            max_examples=SCENARIOS,
            stateful_step_count=STEPS,
            deadline=None,
            derandomize=True,
            database=None,
            # A failing chain is short already, and shrinking it would take minutes.
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
    )

    # Which requests are made up changes with the libraries; that chains were made must not.
    succeeded = {name for name, statuses in answered.items() if min(statuses) < 300}
    assert any(one.method == "POST" for one in OFFERED if one.id in succeeded), dict(answered)
    assert any("{" in one.path for one in OFFERED if one.id in succeeded), dict(answered)


def _id(case: Case) -> str:
    return str(case.operation.definition.raw["operationId"])
