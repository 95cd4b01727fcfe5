"""What importing costs, seen from fresh interpreters."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version

import pytest

import akmatori_sdk


def loaded_by(statement: str) -> set[str]:
    code = f"import sys; before = set(sys.modules); {statement}; print(*(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_the_package_loads_nothing_else() -> None:
    assert loaded_by("import akmatori_sdk") == {"akmatori_sdk"}


def test_importing_a_models_module_loads_nothing_else() -> None:
    assert loaded_by("import akmatori_sdk.akmatori") == {"akmatori_sdk", "akmatori_sdk.akmatori"}


@pytest.mark.parametrize(
    "name", ["ConfigError", "NotFoundError", "CallOptions", "RetryPolicy", "Timeout", "UNSET"]
)
def test_small_names_do_not_load_the_http_library(name: str) -> None:
    loaded = loaded_by(f"from akmatori_sdk import {name}")
    assert not {"httpx", "tenacity", "asyncio"} & loaded


def test_a_client_loads_neither_the_other_system_nor_the_other_flavour() -> None:
    loaded = loaded_by(
        "from akmatori_sdk import Akmatori; Akmatori('http://127.0.0.1:1', token='t').incidents"
    )
    ours = {name for name in loaded if name.startswith("akmatori_sdk")}
    assert "httpx" in loaded
    assert len(ours) <= 45
    assert not {name for name in ours if "aotanami" in name or name.endswith("aio")}
    assert not {"pandas", "pydantic", "cattrs", "yaml", "jinja2", "akmatori_server"} & loaded


def test_every_public_name_can_be_had() -> None:
    for name in akmatori_sdk.__all__:
        assert getattr(akmatori_sdk, name) is not None or name == "UNSET"
    assert set(akmatori_sdk.__all__) <= set(dir(akmatori_sdk))


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="Akmatory"):
        _ = akmatori_sdk.Akmatory  # type: ignore[attr-defined]  # the point of the test


def test_the_version_is_the_distributions() -> None:
    assert akmatori_sdk.__version__ == version("akmatori-sdk")


def test_only_transport_names_the_http_library() -> None:
    from pathlib import Path

    root = Path(akmatori_sdk.__file__).parent
    users = {
        p.name for p in root.rglob("*.py") if "import httpx" in p.read_text() or "from httpx" in p.read_text()
    }
    assert users == {"transport.py"}


def test_the_models_module_offers_models_and_aliases_only() -> None:
    import akmatori_sdk.akmatori as models
    import akmatori_sdk.aotanami as other

    assert models.Incident.__name__ == "Incident"
    assert {"Incident", "IncidentStatus", "RunbookArray"} <= set(dir(models))
    assert models.Incident.__module__ != other.Incident.__module__
    for name in ("attrs", "UNSET", "Model", "_anything"):
        with pytest.raises(AttributeError):
            getattr(models, name)
