"""The nasty specification, generated once and imported as packages of their own."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import attrs
import pytest

from codegen.bundle import load
from codegen.generate import Target, generate

NASTY = Path(__file__).parent / "nasty" / "openapi.yaml"


@attrs.frozen
class Generated:
    """Where the nasty specification was generated to, and what came of it."""

    folder: Path
    models: ModuleType
    codec: ModuleType
    operations: ModuleType
    sync: ModuleType
    aio: ModuleType
    stubs: ModuleType
    bindings: ModuleType
    document: dict[str, Any]

    def example(self, schema: str) -> Any:
        """The example of a schema."""
        return self.document["components"]["schemas"][schema]["example"]


def nasty_target(folder: Path, spec: Path = NASTY) -> Target:
    """The nasty specification, generated into two packages inside a folder."""
    return Target(
        name="nasty",
        spec=spec,
        sdk=folder / "nasty_sdk",
        server=folder / "nasty_server",
        package="nasty_sdk",
    )


@pytest.fixture(scope="session")
def nasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Generated]:
    """The nasty specification, generated and imported."""
    folder = tmp_path_factory.mktemp("nasty")
    generate(nasty_target(folder))
    sys.path.insert(0, str(folder))
    try:
        yield Generated(
            folder=folder,
            models=importlib.import_module("nasty_sdk.models"),
            codec=importlib.import_module("nasty_sdk.codec"),
            operations=importlib.import_module("nasty_sdk.operations"),
            sync=importlib.import_module("nasty_sdk.resources.sync"),
            aio=importlib.import_module("nasty_sdk.resources.aio"),
            stubs=importlib.import_module("nasty_server.stubs"),
            bindings=importlib.import_module("nasty_server.bindings"),
            document=load(NASTY),
        )
    finally:
        sys.path.remove(str(folder))
        for name in [name for name in sys.modules if name.partition(".")[0] in ("nasty_sdk", "nasty_server")]:
            del sys.modules[name]
