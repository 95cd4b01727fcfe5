"""Every task of the project. `nox -l` lists them; CI runs the same ones (.ci/run)."""

from __future__ import annotations

import sys
from pathlib import Path

import nox

ROOT = Path(__file__).parent
CONSTRAINTS = "constraints.txt"

nox.options.default_venv_backend = "uv|virtualenv"
nox.options.sessions = ["tests", "lint", "types", "codegen", "spec"]
nox.options.reuse_existing_virtualenvs = True


def install(session: nox.Session, *groups: str) -> None:
    """Install both distributions and the named dependency groups, at the locked versions."""
    wanted = [
        requirement
        for group in groups
        for requirement in nox.project.load_toml("pyproject.toml")["dependency-groups"][group]
    ]
    # Tests, and whatever checks their types, need every optional part of the server.
    server = "server[all]" if "test" in groups else "server"
    session.install("-q", "-c", CONSTRAINTS, "-e", "sdk", "-e", server, *wanted)


@nox.session
def demo(session: nox.Session) -> None:
    """Deliver an Alertmanager payload to a fresh server and follow its investigation to the report."""
    session.install("-q", "-c", CONSTRAINTS, "-e", "sdk", "-e", "server")
    session.run("akmatori-server", "demo", *session.posargs)


@nox.session
def tests(session: nox.Session) -> None:
    """Run the whole suite, on SQLite and PostgreSQL. Arguments after `--` go to pytest."""
    install(session, "test", "codegen", "checks")
    # Much of it waits for other processes: three share two cores well.
    arguments = session.posargs or ["-q", "-n", "3", "--dist", "loadscope", "--durations", "25"]
    # Every worker and every server process imports the same modules: compiling them once saves minutes.
    session.run("pytest", *arguments, env={"PYTHONDONTWRITEBYTECODE": ""})


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and formatting; `nox -s lint -- --fix` mends what can be mended."""
    session.install("-q", "-c", CONSTRAINTS, "ruff")
    session.run("ruff", "check", *session.posargs, ".")
    session.run("ruff", "format", *([] if "--fix" in session.posargs else ["--check"]), ".")


@nox.session
def types(session: nox.Session) -> None:
    """Check types with mypy and pyright, both strict; the typing tests stand in for a user of the SDK."""
    install(session, "test", "codegen", "checks")
    session.run("mypy")
    session.run("mypy", "codegen", "tests/typing")
    python = Path(session.virtualenv.location) / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    session.run("pyright", "--pythonpath", str(python))


@nox.session
def codegen(session: nox.Session) -> None:
    """Make models, clients and server stubs from spec/. `nox -s codegen -- --check` only compares."""
    install(session, "codegen")
    session.run("python", "-m", "codegen", *session.posargs)


@nox.session
def spec(session: nox.Session) -> None:
    """Lint both specifications."""
    install(session, "codegen")
    session.run("python", "-m", "codegen", "lint")


@nox.session
def soak(session: nox.Session) -> None:
    """Run the long form of the hard promises: kill -9 200 times, long fuzzing."""
    install(session, "test", "codegen", "checks", "fuzz")
    session.run("pytest", "-m", "soak", "--timeout", "7200", *session.posargs, env={"AKMATORI_SOAK": "1"})


@nox.session
def bench(session: nox.Session) -> None:
    """Measure the SDK and the server against their baselines, as ratios within one run."""
    install(session, "test", "bench")
    session.run("python", "-m", "bench", *session.posargs)


@nox.session
def lock(session: nox.Session) -> None:
    """Write constraints.txt: the exact versions that every session installs."""
    session.install(
        "-e",
        "sdk",
        "-e",
        "server[all]",
        *[
            requirement
            for group in nox.project.load_toml("pyproject.toml")["dependency-groups"].values()
            for requirement in group
        ],
    )
    frozen = session.run("uv", "pip", "freeze", silent=True, external=True) or ""
    versions = [line for line in frozen.splitlines() if "==" in line]
    head = (
        "# Exact versions of everything the sessions install, so that a checkout builds the same next year.\n"
        "# Made with: nox -s lock\n"
    )
    (ROOT / CONSTRAINTS).write_text(head + "\n".join(versions) + "\n")
