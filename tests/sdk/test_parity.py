"""The sync and the async half are the same interface."""

from __future__ import annotations

import inspect
import re
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from akmatori_sdk import Akmatori, Aotanami, AsyncAkmatori, AsyncAotanami, AsyncPager, Pager
from akmatori_sdk._core import aio, sync

CLIENTS: list[tuple[type[Any], type[Any]]] = [(Akmatori, AsyncAkmatori), (Aotanami, AsyncAotanami)]


def resources(owner: type[Any]) -> dict[str, type[Any]]:
    """Return the classes behind the cached properties of a client or a resource."""
    found: dict[str, type[Any]] = {}
    for name, member in inspect.getmembers(owner):
        if isinstance(member, cached_property):
            kind = member.func.__annotations__["return"]
            found[name] = vars(inspect.getmodule(member.func))[kind] if isinstance(kind, str) else kind
    return found


def pairs() -> list[tuple[str, type[Any], type[Any]]]:
    found: list[tuple[str, type[Any], type[Any]]] = []

    def walk(path: str, one: type[Any], other: type[Any]) -> None:
        found.append((path, one, other))
        mine, theirs = resources(one), resources(other)
        assert mine.keys() == theirs.keys(), path
        for name in mine:
            walk(f"{path}.{name}", mine[name], theirs[name])

    for one, other in CLIENTS:
        walk(one.__name__, one, other)
    found.append(("Pager", Pager, AsyncPager))
    return found


def public(kind: type[Any]) -> dict[str, Any]:
    return {
        n: m
        for n, m in inspect.getmembers(kind, inspect.isfunction)
        if not n.startswith("_") or n == "__init__"
    }


def methods() -> list[tuple[str, Any, Any]]:
    found: list[tuple[str, Any, Any]] = []
    for path, one, other in pairs():
        mine, theirs = public(one), public(other)
        assert mine.keys() == theirs.keys(), path
        found += [(f"{path}.{name}", mine[name], theirs[name]) for name in mine]
    return found


def shape(function: Any) -> list[tuple[str, Any, Any]]:
    return [(p.name, p.kind, p.default) for p in inspect.signature(function).parameters.values()]


def test_there_is_something_to_compare() -> None:
    assert len(methods()) > 100
    assert {"Akmatori.incidents", "Akmatori.settings.llm", "Aotanami.incidents"} <= {
        path for path, *_ in pairs()
    }


@pytest.mark.parametrize(("one", "other"), [m[1:] for m in methods()], ids=[m[0] for m in methods()])
def test_each_method_has_a_twin_with_the_same_arguments(one: Any, other: Any) -> None:
    assert shape(one) == shape(other)
    if not one.__name__.startswith("_") and "Pager" not in one.__qualname__:
        given = str(one.__annotations__.get("return"))
        # What is iterated over is made without waiting; iterating waits.
        plain = one.__name__ == "with_options" or given.startswith(("Pager", "EventStream", "Tail"))
        assert inspect.iscoroutinefunction(other) is not plain
    assert not inspect.iscoroutinefunction(one)


@pytest.mark.parametrize(("one", "other"), [m[1:] for m in methods()], ids=[m[0] for m in methods()])
def test_each_method_is_documented(one: Any, other: Any) -> None:
    if one.__name__ != "__init__" or "Core" in one.__qualname__:
        assert one.__doc__
        assert other.__doc__


def test_the_loops_are_line_parallel() -> None:
    """The async loop is the sync one with other words: not one line more or less."""
    words = [
        ("await ", ""),
        ("async ", ""),
        ("Async", ""),
        ("Sync", ""),
        ("asyncio", "threading"),
        ("asleep", "sleep"),
    ]

    def plain(module: Any) -> list[str]:
        text = Path(module.__file__).read_text()
        text = text.replace("__aenter__", "__enter__").replace("__aexit__", "__exit__")
        for old, new in words:
            text = text.replace(old, new)
        body = text[text.index("class Sender") :]
        # The formatter breaks lines at other places when words are longer.
        return (
            re.sub(r"\s+", " ", body).replace("( ", "(").replace(", )", ")").replace(" )", ")").split(" def ")
        )

    assert plain(sync) == plain(aio)


def test_only_the_loops_sleep() -> None:
    root = Path(sync.__file__).parents[1]
    users = {
        path.name
        for path in root.rglob("*.py")
        if "_generated" not in path.parts
        and re.search(r"\.(a?sleep)\(|time\.sleep\b|asyncio\.sleep\b", path.read_text())
    }
    assert users == {"sync.py", "aio.py", "clock.py"}
