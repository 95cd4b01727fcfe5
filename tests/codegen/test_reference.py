"""The reference pages: complete, the same each time, and part of what `--check` compares."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from codegen.__main__ import SYSTEMS, target
from codegen.bundle import load
from codegen.check import difference
from codegen.reader import read
from codegen.reference import write_reference
from codegen.spec_types import Api

_TABLE_ROW = re.compile(r"(?<!\\)\|")


@pytest.fixture(scope="module", params=SYSTEMS)
def api(request: pytest.FixtureRequest) -> Api:
    """One of the project's specifications."""
    name = str(request.param)
    return read(name, load(target(name).spec))


def test_the_page_in_the_tree_is_what_the_specification_gives(api: Api, tmp_path: Path) -> None:
    """And what the check compares: a page that was edited by hand is told."""
    page = target(api.name).reference
    assert page is not None
    write_reference(api, tmp_path / "fresh.md")
    assert difference(page, tmp_path / "fresh.md") == []

    (tmp_path / "edited.md").write_text(page.read_text().replace("do not edit", "edited"))
    [told] = difference(tmp_path / "edited.md", tmp_path / "fresh.md")
    assert "edited.md: differs" in told
    assert difference(tmp_path / "not-there.md", page) == [f"{tmp_path / 'not-there.md'}: is missing"]


def test_every_operation_is_on_it(api: Api, tmp_path: Path) -> None:
    """With its request, its method of the SDK, its statuses; and links lead to headings."""
    write_reference(api, tmp_path / "page.md")
    page = (tmp_path / "page.md").read_text()

    headings = {line.removeprefix("### ") for line in page.splitlines() if line.startswith("### ")}
    assert headings == {operation.id for operation in api.operations}
    anchors = {line.lstrip("# ").lower() for line in page.splitlines() if line.startswith("##")}
    assert set(re.findall(r"\]\(#([^)]+)\)", page)) <= anchors
    for operation in api.operations:
        _, _, section = page.partition(f"\n### {operation.id}\n")
        section = section.partition("\n### ")[0]
        assert f"`{operation.method} {operation.path}`" in section
        assert f"`client.{'.'.join((*operation.resource, operation.verb))}(" in section
        assert all(str(status) in section for status in (*operation.statuses, *dict(operation.failures)))
        assert all(f"`{param.wire}`" in section for param in operation.params)


def test_every_table_is_even(api: Api, tmp_path: Path) -> None:
    """A row with another number of cells would not be shown as one."""
    write_reference(api, tmp_path / "page.md")
    cells = 0
    for line in (tmp_path / "page.md").read_text().splitlines():
        if not line.startswith("|"):
            cells = 0
            continue
        found = len(_TABLE_ROW.findall(line))
        assert cells in (0, found), line
        cells = found
