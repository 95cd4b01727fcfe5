"""Writes all modules of one specification into two folders: the SDK's and the server's."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
import jinja2
import yaml

from codegen import bindings, operations, stubs
from codegen.bundle import load
from codegen.codec import CodecWriter
from codegen.errors import SpecError
from codegen.loading import Loaded, loaded
from codegen.models import write_models
from codegen.names import docstring
from codegen.reader import read
from codegen.reference import write_reference
from codegen.resources import ResourceWriter
from codegen.spec_types import Api

TEMPLATES = Path(__file__).parent / "templates"
_SDK_INIT = '"""The {title} API, generated from its specification; see `codegen/`."""\n'


@attrs.frozen
class Target:
    """One specification and where its modules go.

    `package` is the SDK's package, by which the server's modules import models and codec; `reference` is the
    page that is written for people, where one is wanted.
    """

    name: str
    spec: Path
    sdk: Path
    server: Path
    package: str
    reference: Path | None = None


def generate(target: Target) -> None:
    """Write everything for one specification; the folders are created where they are missing.

    Raises:
        SpecError: the specification is wrong, or uses something the generator does not know.
    """
    document = load(target.spec)
    api = read(target.name, document)
    for folder in (target.sdk / "resources", target.server):
        folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        models = write_models(api, target.sdk, Path(scratch))
    with loaded(models) as types:
        for name in api.schemas:
            types.require(name)
        _write_sdk(api, types, target.sdk)
    _write_server(api, target)
    if target.reference is not None:
        write_reference(api, target.reference)
    _tidy([target.sdk, target.server], target.package)


def _write_sdk(api: Api, types: Loaded, folder: Path) -> None:
    unwrapped = {
        op.schema: _inside(types, op.schema, op.unwrap) for op in api.operations if op.schema and op.unwrap
    }
    init = _SDK_INIT.format(title=api.title)
    (folder / "__init__.py").write_text(init)
    (folder / "resources" / "__init__.py").write_text(init)
    _render("codec.py.jinja", folder / "codec.py", api, CodecWriter(types).context())
    _render("operations.py.jinja", folder / "operations.py", api, operations.context(api, unwrapped))
    tree = ResourceWriter(api, types, unwrapped).context()
    for module, aio in (("sync", False), ("aio", True)):
        words = {
            "aio": aio,
            "prefix": "Async" if aio else "",
            "base": "AsyncResource" if aio else "SyncResource",
            "core": "AsyncCore" if aio else "SyncCore",
            "pager": "AsyncPager" if aio else "Pager",
            "stream": "AsyncEventStream" if aio else "EventStream",
            "root": "AsyncResources" if aio else "SyncResources",
        }
        _render("resource.py.jinja", folder / "resources" / f"{module}.py", api, {**tree, **words})


def _write_server(api: Api, target: Target) -> None:
    package = {"sdk_package": target.package}
    (target.server / "__init__.py").write_text(_SDK_INIT.format(title=api.title))
    _render("stubs.py.jinja", target.server / "stubs.py", api, {**stubs.context(api), **package})
    _render("bindings.py.jinja", target.server / "bindings.py", api, {**bindings.context(api), **package})
    text = json.dumps(api.document, indent=1, ensure_ascii=False)
    (target.server / "openapi.json").write_text(text + "\n", encoding="utf-8")
    # By way of JSON, so that no object is shared and nothing is written as an anchor.
    plain = yaml.safe_dump(json.loads(text), sort_keys=False, allow_unicode=True, width=110)
    (target.server / "openapi.yaml").write_text(plain, encoding="utf-8")


def _inside(types: Loaded, envelope: str, member: str) -> str:
    """The type of an envelope's member, as the resources and operations write it."""
    cls = types.models[envelope]
    hint = next(a.type for a in attrs.fields(cls) if a.metadata.get("json", a.name) == member)
    if not isinstance(hint, str) or hint not in {*types.models, *types.aliases}:
        raise SpecError(envelope, f"The member `{member}` of an envelope must be a named schema.")
    return f"models.{hint}"


def _render(template: str, file: Path, api: Api, variables: Mapping[str, Any]) -> None:
    environment = jinja2.Environment(  # noqa: S701 - it writes Python, not HTML
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    # Typed as the union of the built-in filters, which ours cannot be.
    filters: dict[str, Any] = environment.filters
    filters |= {"docstring": docstring, "pyrepr": repr}
    file.write_text(environment.get_template(template).render(title=api.title, **variables), encoding="utf-8")


def _tidy(folders: list[Path], package: str) -> None:
    """Drop unused imports, sort the others and format, by rules of our own."""
    first_party = ["akmatori_sdk", "akmatori_server", package.partition(".")[0]]
    config = ["--config", str(TEMPLATES / "ruff.toml"), "--no-cache"]
    config += ["--config", f"lint.isort.known-first-party={json.dumps(first_party)}"]
    names = [str(file.resolve()) for folder in folders for file in sorted(folder.rglob("*.py"))]
    # In a folder of its own, because ruff takes the packages it finds where it runs for first-party ones.
    with tempfile.TemporaryDirectory() as empty:
        for command in (["check", "--fix", "--quiet", *config], ["format", "--quiet", *config]):
            line = [sys.executable, "-m", "ruff", *command, *names]
            run = subprocess.run(line, cwd=empty, capture_output=True, text=True, check=False)  # noqa: S603
            if run.returncode != 0:
                said = (run.stdout + run.stderr).strip()[-2000:]
                raise SpecError("generated modules", f"ruff refused them: {said}")
