"""The project's own specifications: every example is read and written, every operation is everywhere."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import orjson
import pytest

from akmatori_sdk._core.codec import dumps
from codegen.bundle import load
from codegen.names import snake
from codegen.reader import read
from codegen.spec_types import Api

ROOT = Path(__file__).resolve().parents[2]
SYSTEMS = ("akmatori", "aotanami")
APIS = {name: read(name, load(ROOT / "spec" / name)) for name in SYSTEMS}


def _examples(api: Api) -> Iterator[tuple[str, str, Any]]:
    """Every example of a JSON body: where it stands, the schema's name, and the value."""
    for path, item in api.document["paths"].items():
        for method, operation in item.items():
            bodies = (
                {f"{method} {path}": operation.get("requestBody", {})} if isinstance(operation, dict) else {}
            )
            for status, response in operation.get("responses", {}).items() if bodies else ():
                name = response.get("$ref", "").rpartition("/")[2]
                bodies[f"{method} {path} {status}"] = (
                    api.document["components"]["responses"][name] if name else response
                )
            for where, body in bodies.items():
                media = body.get("content", {}).get("application/json", {})
                values = [media["example"]] if "example" in media else []
                values += [example["value"] for example in media.get("examples", {}).values()]
                schema = media.get("schema", {}).get("$ref", "").rpartition("/")[2]
                yield from ((where, schema, value) for value in values if schema)


EXAMPLES = [(name, *found) for name, api in APIS.items() for found in _examples(api)]


@pytest.mark.parametrize(
    ("system", "where", "schema", "value"), EXAMPLES, ids=[f"{e[0]} {e[1]}" for e in EXAMPLES]
)
def test_every_example_is_read_and_written_again(system: str, where: str, schema: str, value: Any) -> None:
    codec = importlib.import_module(f"akmatori_sdk._generated.{system}.codec")
    decode, encode = (getattr(codec, f"{verb}_{snake(schema)}") for verb in ("decode", "encode"))
    written = orjson.loads(dumps(encode(decode(value))))
    assert _within(value, written), where


def _within(part: Any, whole: Any) -> bool:
    """Whether a value is the other one, which may also hold defaults of members that were left out."""
    if isinstance(part, dict) and isinstance(whole, dict):
        return all(name in whole and _within(part[name], whole[name]) for name in part)
    if isinstance(part, list) and isinstance(whole, list):
        return len(part) == len(whole) and all(map(_within, part, whole))
    return bool(part == whole) and type(part) is type(whole)


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_operation_has_a_method_a_record_and_a_binding(system: str) -> None:
    package = f"akmatori_sdk._generated.{system}"
    operations = importlib.import_module(f"{package}.operations")
    bindings = importlib.import_module(f"akmatori_server._generated.{system}.bindings")
    ids = [operation.id for operation in APIS[system].operations]
    assert [record.id for record in operations.ALL] == ids
    assert [binding.id for binding in bindings.OPERATIONS] == ids
    for module, root in (("sync", "SyncResources"), ("aio", "AsyncResources")):
        resources = importlib.import_module(f"{package}.resources.{module}")
        for operation in APIS[system].operations:
            cls: Any = getattr(resources, root)
            for name in operation.resource:
                found = inspect.getattr_static(cls, snake(name))
                assert isinstance(found, cached_property)
                cls = getattr(resources, found.func.__annotations__["return"])
            assert callable(getattr(cls, snake(operation.verb)))
