"""The functions of metrics tools, against the real Prometheus of Debian."""

from __future__ import annotations

import time
from collections.abc import Generator
from pathlib import Path

import pytest

from akmatori_server.toolbox.models import ToolFailedError
from akmatori_server.tools.models import OpenTool
from tests.integration.monitoring import Backlog, running_prometheus
from tests.server.kits.http_api.calling import open_tool, run

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Generator[OpenTool]:
    """A tool for a Prometheus that watches one queue."""
    directory: Path = tmp_path_factory.mktemp("tool") / "prometheus"
    with Backlog() as backlog, running_prometheus(directory, backlog) as url:
        backlog["mail"] = 7
        yield open_tool("victoria_metrics", url, vm_auth_method="none")


def test_queries_are_answered(prometheus: OpenTool) -> None:
    """At one moment, over a range, by label and by series."""
    deadline = time.monotonic() + 30
    while True:
        found = run(prometheus, "instant_query", query='queue_backlog{queue="mail"}').value
        assert isinstance(found, dict)
        if found["result"] or time.monotonic() > deadline:
            break
        time.sleep(0.2)
    assert found["resultType"] == "vector"
    [sample] = found["result"]
    assert (sample["metric"]["job"], sample["value"][1]) == ("queues", "7")

    now = time.time()
    ranged = run(
        prometheus, "range_query", query="vector(1)", start=str(now - 60), end=str(now), step="15s"
    ).value
    assert isinstance(ranged, dict)
    assert len(ranged["result"][0]["values"]) == 5
    assert run(prometheus, "label_values", label_name="job", match='up{job=~".+"}').value == ["queues"]
    series = run(prometheus, "series", match='up{job="queues"}').value
    assert isinstance(series, list)
    assert len(series) == 1
    built = run(prometheus, "api_request", path="api/v1/status/buildinfo").value
    assert isinstance(built, dict)
    assert built["version"]
    assert "prometheus_build_info" in str(run(prometheus, "api_request", path="metrics").value)


def test_a_wrong_query_is_explained(prometheus: OpenTool) -> None:
    """In the words of Prometheus."""
    with pytest.raises(ToolFailedError, match=r"answered 400: .*parse error"):
        run(prometheus, "instant_query", query="sum(")
