"""Imports a freshly written module of models, to learn its types from itself."""

from __future__ import annotations

import enum
import importlib.util
import inspect
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs

from codegen.errors import SpecError


@attrs.frozen
class Loaded:
    """What a module of models defines, in the module's order."""

    models: Mapping[str, type[Any]]
    enums: Mapping[str, type[enum.Enum]]
    # The other named types and what they stand for.
    aliases: Mapping[str, Any]

    def require(self, name: str) -> None:
        """Make sure that a schema's name is the name of a type too."""
        if name not in self.models and name not in self.enums and name not in self.aliases:
            raise SpecError(name, "The schema has no type of this name; write its name in PascalCase.")


@contextmanager
def loaded(file: Path) -> Generator[Loaded]:
    """Import a module of models under a passing name."""
    name = f"_codegen_models_{abs(hash(file))}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise SpecError(file.name, "The file cannot be imported.")
    module = importlib.util.module_from_spec(spec)
    # Type hints are resolved through `sys.modules`.
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
        own = [value for value in vars(module).values() if getattr(value, "__module__", None) == name]
        yield Loaded(
            models={cls.__name__: cls for cls in own if isinstance(cls, type) and attrs.has(cls)},
            enums={cls.__name__: cls for cls in own if isinstance(cls, type) and issubclass(cls, enum.Enum)},
            aliases={
                alias: getattr(module, alias)
                for alias, kind in inspect.get_annotations(module).items()
                if kind == "TypeAlias"
            },
        )
    finally:
        del sys.modules[name]
