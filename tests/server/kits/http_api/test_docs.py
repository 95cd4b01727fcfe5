"""The settings that the documentation shows are settings that are taken, and make tools that work."""

from __future__ import annotations

import json
import re
from pathlib import Path

from akmatori_server.tools.builtin import builtin_types
from akmatori_server.tools.settings import check_settings
from tests.server.kits.http_api.calling import KITS, open_tool, plan
from tests.server.kits.http_api.expected import EXPECTED

PAGE = Path(__file__).parents[4] / "docs" / "tools.md"


def test_the_shown_settings_are_taken() -> None:
    """One example at least of each HTTP type."""
    examples = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", PAGE.read_text(), re.DOTALL)]
    types = {one.name: one for one in builtin_types()}

    assert {one["type"] for one in examples} == set(KITS)
    for one in examples:
        check_settings(types[one["type"]].settings, one["settings"])
        settings = {name: "token" if "…" in str(value) else value for name, value in one["settings"].items()}
        tool = open_tool(one["type"], "https://example.net", **settings)
        reads = next(
            row for row in EXPECTED[one["type"]] if row.method == "GET" or row.function == "get_hosts"
        )
        plan(tool, reads.function, **reads.arguments)
