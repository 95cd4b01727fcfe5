"""Running commands of the command line inside the test's process, which takes a hundredth of a new one."""

from __future__ import annotations

import logging
import os
from collections.abc import Generator

import pytest
import structlog


@pytest.fixture
def own_process_settings() -> Generator[None]:
    """Keep logging and the file mode: commands set them up for a process of their own."""
    ours, root = logging.getLogger("akmatori_server"), logging.getLogger()
    configuration, handlers, levels = structlog.get_config(), root.handlers[:], (ours.level, root.level)
    mask = os.umask(0o077)
    os.umask(mask)
    yield
    os.umask(mask)
    structlog.configure(**configuration)
    root.handlers = handlers
    ours.setLevel(levels[0])
    root.setLevel(levels[1])
