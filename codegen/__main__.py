"""`python -m codegen`: generate everything; `--check` compares, `lint` checks the specifications."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import attrs

from codegen import lint
from codegen.check import difference, differences
from codegen.errors import SpecError
from codegen.generate import Target, generate

ROOT = Path(__file__).resolve().parent.parent
SYSTEMS = ("akmatori", "aotanami")


def main(argv: list[str]) -> int:
    """Run one command and return its exit status: 0 fine, 1 something differs or is wrong, 2 wrong usage."""
    if argv[:1] == ["lint"]:
        return lint.main(argv[1:])
    arguments = _parser().parse_args(argv)
    try:
        targets = _targets(arguments)
        if arguments.check:
            return _check(targets)
        for target in targets:
            generate(target)
    except SpecError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def target(name: str) -> Target:
    """One of the project's own specifications, generated into the project's tree."""
    return Target(
        name=name,
        spec=ROOT / "spec" / name,
        sdk=ROOT / "sdk" / "src" / "akmatori_sdk" / "_generated" / name,
        server=ROOT / "server" / "src" / "akmatori_server" / "_generated" / name,
        package=f"akmatori_sdk._generated.{name}",
        reference=ROOT / "docs" / "reference" / f"{name}.md",
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m codegen", description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="write nothing; fail when the tree is out of date"
    )
    parser.add_argument("--system", help="only this specification of the project, or the name of another one")
    parser.add_argument("--spec", type=Path, help="another specification: its folder or root file")
    parser.add_argument("--out-sdk", type=Path, help="where the SDK's modules of that specification go")
    parser.add_argument("--out-server", type=Path, help="where the server's modules go")
    parser.add_argument("--package", help="the package of the SDK's modules, for the server's imports")
    return parser


def _targets(arguments: argparse.Namespace) -> list[Target]:
    if arguments.spec is None:
        if arguments.system not in (None, *SYSTEMS):
            raise SpecError(arguments.system, f"The project has the specifications {' and '.join(SYSTEMS)}.")
        return [target(name) for name in SYSTEMS if arguments.system in (None, name)]
    if None in (arguments.system, arguments.out_sdk, arguments.out_server, arguments.package):
        raise SpecError("--spec", "It needs --system, --out-sdk, --out-server and --package too.")
    return [
        Target(
            name=arguments.system,
            spec=arguments.spec,
            sdk=arguments.out_sdk,
            server=arguments.out_server,
            package=arguments.package,
        )
    ]


def _check(targets: list[Target]) -> int:
    found: list[str] = []
    for wanted in targets:
        with tempfile.TemporaryDirectory() as scratch:
            pages = Path(scratch) / "reference"
            fresh = attrs.evolve(
                wanted,
                sdk=Path(scratch) / "sdk",
                server=Path(scratch) / "server",
                reference=pages / wanted.reference.name if wanted.reference else None,
            )
            generate(fresh)
            found += differences(wanted.sdk, fresh.sdk) + differences(wanted.server, fresh.server)
            if wanted.reference is not None:
                found += difference(wanted.reference, pages / wanted.reference.name)
    if not found:
        return 0
    sys.stderr.write("\n\n".join(found) + "\n\nRun `python -m codegen` and commit the result.\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
