"""What the tests of scans share."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from akmatori_server.kubernetes.scans.model import ScanOptions, ScanResult
from akmatori_server.kubernetes.scans.scan import scan_folders
from tests.server.kubernetes.corpus import write

TODAY = dt.date(2026, 11, 22)
Scan: TypeAlias = Callable[..., ScanResult]


@pytest.fixture
def scan(tmp_path: Path) -> Scan:
    """Scan objects that are written to a file first."""

    def run(*found: dict[str, Any], **options: Any) -> ScanResult:
        path = write(tmp_path, *found)
        return scan_folders([path], ScanOptions(today=TODAY, **options))

    return run
