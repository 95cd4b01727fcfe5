"""Which names of a generated models module are its own: the public modules re-export exactly these."""

from __future__ import annotations

from types import ModuleType


def own_names(models: ModuleType) -> list[str]:
    """Return the classes and the type aliases a module defines, without what it imports."""
    classes = (
        name for name, value in vars(models).items() if getattr(value, "__module__", "") == models.__name__
    )
    # A `Name: TypeAlias = ...` leaves its name among the module's annotations.
    return sorted(name for name in {*classes, *models.__annotations__} if not name.startswith("_"))
