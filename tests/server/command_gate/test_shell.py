"""What a real shell makes of the lines that the gate lets pass: exactly the judged arguments, and nothing else.

Every command is a script of ours that writes down its arguments. It is the only thing in the PATH, so that whatever
a line starts is written down, too; and nothing but what it writes may change.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Generator
from pathlib import Path

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from akmatori_server.command_gate import Command, judge
from akmatori_server.command_gate.grammar import grammars, refused_commands
from akmatori_server.command_gate.rendering import limited, render
from tests.server.command_gate.test_gate import NOT_PASSING, lines

# Commands that the shell runs by itself.
BUILT_IN = {"echo", "pwd", "test", "[", "type", "command", "true", "false"}
# In one write: the commands of a pipe run at the same time. No word of a line is a line end.
RECORD = "#!/bin/bash\nbuiltin printf '%s\\0' \"${{0##*/}}\" \"$@\" $'\\n' >> {out}\n"


@attrs.frozen
class Sandbox:
    """A directory with canaries, and a PATH of recording scripts."""

    folder: Path
    out: Path
    shell: str

    def run(self, script: str) -> list[list[str]]:
        """Run a script as the host's shell does, and return the arguments of what it started."""
        self.out.write_bytes(b"")
        before = self._state()
        subprocess.run(
            [self.shell, "-c", script],
            cwd=self.folder / "work",
            env={
                "PATH": str(self.folder / "bin"),
                "HOME": str(self.folder / "work"),
                "HISTFILE": "/dev/null",
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=20,
            check=False,
            user=65534 if os.geteuid() == 0 else None,
        )
        assert self._state() == before, f"something changed: {script}"
        records = self.out.read_bytes().split(b"\0\n\0")[:-1]
        return sorted([word.decode() for word in record.split(b"\0")] for record in records)

    def _state(self) -> dict[str, tuple[bytes, int]]:
        return {
            str(path): (path.read_bytes() if path.is_file() else b"", path.stat().st_mode)
            for path in sorted((self.folder / "work").rglob("*"))
        }


@pytest.fixture(scope="module")
def sandbox() -> Generator[Sandbox]:
    # Not among pytest's folders: those are root's alone, and we are nobody.
    with tempfile.TemporaryDirectory(prefix="akmatori-gate-") as folder:
        yield _sandbox(Path(folder))


def _sandbox(folder: Path) -> Sandbox:
    folder.chmod(0o755)
    work, binaries, out = folder / "work", folder / "bin", folder / "out"
    for path in (work, binaries):
        path.mkdir()
        path.chmod(0o777)
    for name in ("canary", "a.log", "-rf", "--help", "secret key", "x;id"):
        (work / name).write_text("canary\n")
    out.touch()
    out.chmod(0o666)
    for name in {*grammars(), *refused_commands(), "sudo", "id", "x", "sh", "a"} - BUILT_IN:
        if name[0].isalnum():
            (binaries / name).write_text(RECORD.format(out=out))
            (binaries / name).chmod(0o755)
    return Sandbox(folder, out, "/bin/sh")


def expected(pipeline: tuple[Command, ...]) -> list[list[str]]:
    """Return the arguments of the commands that are scripts of ours."""
    return sorted(list(command.argv) for command in pipeline if command.argv[0] not in BUILT_IN)


def check_line(sandbox: Sandbox, line: str) -> bool:
    """Run a line if the gate lets it pass, and compare what was started with what was judged."""
    verdict = judge(line)
    if not verdict.allowed:
        return False
    # One after the other, whatever their exit codes are; and with paths our scripts are not what is run.
    joints = tuple(attrs.evolve(command, joint=";" if command.joint else "") for command in verdict.pipeline)
    bare = tuple(
        attrs.evolve(
            command,
            words=(
                attrs.evolve(command.words[0], text=command.argv[0].rpartition("/")[2]),
                *command.words[1:],
            ),
        )
        for command in joints
    )
    started = sandbox.run(render(bare))
    assert started == expected(bare), line
    return True


def test_everyday_lines_reach_the_commands_as_they_were_judged(sandbox: Sandbox) -> None:
    """Word for word, for those of the corpus that have something to quote."""
    interesting = [line for line in lines("everyday.txt") if set(line) & set("'\"\\|;*[%$(){}")]
    passed = [check_line(sandbox, line) for line in interesting[::4] if "*" not in line.replace("'*", "")]

    assert sum(passed) > 20
    assert NOT_PASSING


# Words and signs that mean something to a shell or to a command, in any order.
TOKENS = st.one_of(
    st.sampled_from(sorted({*grammars(), "rm", "sh"})),
    st.sampled_from(
        [
            "-n",
            "-e",
            "-r",
            "-o",
            "-i",
            "-f",
            "-exec",
            "-delete",
            "--output=x",
            "--file=x",
            "--",
            "-",
            "/etc/hosts",
            "/var/log/x",
            "/nowhere/*.log",
            "'a",
            "b'",
            '"a',
            'b"',
            '"\\$x"',
            "\\;",
            "\\$x",
            "'$(id)'",
            '"`id`"',
            "$(id)",
            "`id`",
            "$x",
            ">",
            ">x",
            "<",
            "|",
            "||",
            "&&",
            ";",
            "&",
            "2>&1",
            ">/dev/null",
            "(",
            ")",
            "{",
            "}",
            "*",
            "?",
            "[a-z]",
            "~",
            "!",
            "#",
            "a\\",
            "b",
            "''",
            '""',
            "'it'\"'\"'s'",
            "'\\'",
            "\\\\",
            "{a,b}",
            "ps",
            "aux",
            "-la",
            "5",
            ".State",
            "'{print",
            "$1}'",
            "-9",
            "p",
            "'s/a/b/'",
            "'1,5p'",
            "get",
            "pods",
            "logs",
            "status",
            "list",
        ]
    ),
    st.text(st.sampled_from(list("ab-/.$`'\"\\;|&<>(){}[]*?~!# \t\n=%@:,+^x0\u00e9\u2028")), max_size=6),
)
LINES = st.one_of(
    st.tuples(
        st.sampled_from(
            ["ls", "cat", "grep", "echo", "ps", "find", "df", "sort", "sudo ls", "stat", "head", "tr", "test"]
        ),
        st.lists(TOKENS, max_size=5),
    ).map(lambda parts: " ".join([parts[0], *parts[1]])),
    st.lists(TOKENS, max_size=6).map(" ".join),
    st.text(max_size=12).map(lambda text: f"echo {text}"),
    st.text(max_size=12).map(lambda text: "grep '" + text.replace("'", "'\\''") + "' /nowhere/x"),
)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(line=LINES)
def test_whatever_passes_runs_as_it_was_judged(sandbox: Sandbox, line: str) -> None:
    """The short form of the search for a line that a shell understands in another way."""
    check_line(sandbox, line)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@settings(max_examples=20_000, deadline=None, suppress_health_check=list(HealthCheck))
@given(line=LINES)
def test_whatever_passes_runs_as_it_was_judged_for_long(sandbox: Sandbox, line: str) -> None:
    """The long form."""
    check_line(sandbox, line)


def test_a_limited_script_ends_with_its_input() -> None:
    """It ends when its standard input does, keeps its exit code, and is killed when its time is over."""

    def run(
        script: str, seconds: int = 30, *, closes: bool = False, only_reads: bool = False
    ) -> tuple[int, float]:
        line = limited(script, seconds, only_reads=only_reads)
        with subprocess.Popen(
            ["/bin/sh", "-c", line], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            if "echo" in script:
                process.stdout.readline()
            started = time.monotonic()
            if closes and process.stdin:
                process.stdin.close()
            code = process.wait(20)
        return code, time.monotonic() - started

    assert run("exit 7")[0] == 7
    assert run("-x; true")[0] == 0
    assert run("sleep 20", 1)[0] == 124
    code, seconds = run("sleep 20", closes=True)
    assert (code, seconds < 10) == (143, True)
    # It listens to no signal, and nor does what it started.
    deaf = "trap '' TERM; echo here; sleep 21.5 & sleep 21.5"
    code, seconds = run(deaf, closes=True, only_reads=True)
    assert (code, seconds < 4) == (137, True)
    assert not any(
        b"21.5" in line.read_bytes() for line in Path("/proc").glob("[0-9]*/cmdline") if line.exists()
    )
