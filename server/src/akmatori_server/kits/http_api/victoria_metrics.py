"""What is special about VictoriaMetrics and Prometheus: which paths only read, whatever the method."""

from __future__ import annotations

import re

from akmatori_server.kits.http_api.paths import harmless_path
from akmatori_server.kits.http_api.template import Scope
from akmatori_server.toolbox.models import Access

# A query that is too long for a URL is posted.
_QUERIES = re.compile(
    r"api/v1/(query|query_range|query_exemplars|series|labels|label/[^/]+/values|format_query|parse_query)"
)
# Some of the others delete or reload on a GET.
_READS = re.compile(
    _QUERIES.pattern + r"|api/v1/(metadata|targets|targets/metadata|rules|alerts|alertmanagers|scrape_pools)"
    r"|api/v1/status/(tsdb|active_queries|top_queries|buildinfo|runtimeinfo|walreplay|flags|config)"
    r"|api/v1/export|federate|metrics|health|-/healthy|-/ready"
)


def access(scope: Scope) -> Access:
    """Say whether a request only reads; one that is not known to writes."""
    _, steps = harmless_path(str(scope.arguments["path"]))
    known = _READS if scope.arguments.get("method", "GET") == "GET" else _QUERIES
    return Access.READ if known.fullmatch("/".join(steps)) else Access.WRITE
