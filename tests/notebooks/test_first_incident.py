"""The notebook runs from the top, against the server that it starts itself, and ends in a table and a picture."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "first_incident.ipynb"


@pytest.mark.timeout(180)
@pytest.mark.filterwarnings("ignore")  # the kernel's own libraries warn; our code runs in another process
def test_it_ends_in_a_table_and_a_picture() -> None:
    """Every cell runs; pages show as HTML tables; the report names a runbook; the last figure is a PNG."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)

    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()

    shown = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    tables = [output["data"]["text/html"] for output in shown if "text/html" in output.get("data", {})]
    reports = [
        output["data"]["text/markdown"] for output in shown if "text/markdown" in output.get("data", {})
    ]
    assert any("NodeDiskFilling" in table and "completed" in table for table in tables)
    assert any("Disk" in report for report in reports)
    assert any("image/png" in output.get("data", {}) for output in shown)
    assert not any("notebook-secret" in table for table in tables)
