"""Which command lines pass, and which do not."""

from __future__ import annotations

import itertools
import shlex
import subprocess
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from akmatori_server.cli import main
from akmatori_server.command_gate import judge, remote_line
from akmatori_server.command_gate.grammar import Grammar, grammars, refused_commands

HERE = Path(__file__).parent

# Lines that people write, and that do not pass, each for its reason.
NOT_PASSING = {
    "systemctl cat nginx": "unit files set passwords; systemctl status and systemctl show -p tell the rest",
    "kubectl get pod api-7f9c -n prod -o yaml": "the environment is in it; -o jsonpath='{.status}' and describe pass",
    "kubectl get cm app-config -n prod -o yaml": "what is in a config map may be a password",
    "kubectl get pods -o json | jq -r '.items[] | select(.status.phase != \"Running\") | .metadata.name'": (
        "the environment is in it; --field-selector and -o custom-columns pass"
    ),
    "kubectl config view": "it may show what logs in to the cluster; get-contexts passes",
    "docker inspect web": "it shows the environment, where passwords are; with --format '{{json .State}}' it passes",
    "cd /var/log && ls": "there is no directory to change, since every line stands for itself",
    "LC_ALL=C sort /tmp/a": "variables such as LD_PRELOAD and PAGER make commands run others",
    "for i in 1 2 3; do uptime; done": "only a shell understands loops",
    "curl -s http://localhost:8080/health": "it reaches other hosts past the guard of addresses",
}
SECTIONS = (
    "# Structure",
    "# Programs",
    "# find",
    "# awk",
    "# sed",
    "# Options",
    "# Secrets",
    "# sudo",
    "# Services",
    "# Secrets that a tool shows",
)


def lines(name: str) -> list[str]:
    """Return the lines of a corpus, without its headings."""
    text = (HERE / name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line.strip() and not line.startswith(SECTIONS)]


def test_everyday_lines_pass() -> None:
    """At least 98 of 100 lines that people on call write; the others are the ones listed above."""
    everyday = lines("everyday.txt")
    verdicts = {line: judge(line) for line in everyday}
    refused = {line: verdict.sentence for line, verdict in verdicts.items() if not verdict.allowed}

    assert len(verdicts) >= 500
    assert len(refused) <= len(everyday) * 0.02
    assert set(refused) == set(NOT_PASSING), refused


def test_hostile_lines_are_refused_with_a_sentence() -> None:
    """None of the attempts passes, and each is told why."""
    hostile = lines("hostile.txt")
    verdicts = {line: judge(line) for line in hostile}
    passed = [line for line, verdict in verdicts.items() if verdict.allowed]
    sentences = {verdict.sentence for verdict in verdicts.values()}

    assert len(verdicts) >= 1500
    assert passed == []
    assert [sentence for sentence in sentences if not sentence.endswith((".", "?"))] == []
    assert all(verdict.pipeline == () for verdict in verdicts.values())


def test_letters_that_are_no_letters() -> None:
    """NUL, control characters, line ends of any kind, and what looks like a blank or is not seen."""
    for letter in [
        "\x00",
        "\n",
        "\r",
        "\x0b",
        "\x0c",
        "\x1b",
        "\x7f",
        "\x85",
        "\xa0",
        "\xad",
        "\u1680",
        "\u2000",
        "\u200b",
        "\u200d",
        "\u2028",
        "\u2029",
        "\u202e",
        "\u2066",
        "\u3000",
        "\ufeff",
        "\ud800",
        "\U000e0020",
    ]:
        for line in (
            f"ls{letter}id",
            f"ls {letter}",
            f"cat '/etc/{letter}hosts'",
            f'echo "{letter}"',
            f"{letter}ls",
        ):
            assert not judge(line).allowed, repr(line)
    # These look like the shell's letters, and are ordinary ones to it and to us.
    for letter in "\u037e\uff5c\uff06\uff1e\uff1c\uff04\uff40\uff1b\u2018\u2019\u201c\u201d":
        assert judge(f"echo a{letter}rm").pipeline[0].argv == ("echo", f"a{letter}rm")
        assert not judge(f"ls{letter}rm").allowed
    # A letter of full width is another letter.
    assert not judge("\uff4cs").allowed


def test_metacharacters_in_every_place() -> None:
    """Behind, in front of, between and within words, and between double quotes: never what a shell would run."""
    signs = [
        "$(rm)",
        "`rm`",
        "${x}",
        "$x",
        "$((1))",
        "<(rm)",
        ">(rm)",
        "&",
        "\n",
        "\nrm",
        ">x",
        ">>x",
        "<x",
        "&rm",
        ";rm",
    ]
    signs += ["|rm", "&&rm", "||rm", "{a,b}", "(rm)", "!rm", "$'a'"]
    bases = ["ls /tmp", "cat /etc/hosts", "grep a /etc/hosts", "ps aux", "df -h", "sudo ls /tmp", "uptime"]
    allowed: list[str] = []
    for base, sign in itertools.product(bases, signs):
        attempts = [
            f"{base}{sign}",
            f"{base} {sign}",
            f"{base} a{sign}b",
            f"{sign} {base}",
            f"{base} | cat {sign}",
        ]
        if sign[0] in "$`":
            attempts += [f'{base} "{sign}"', f'{base} "a{sign}"', f"{base} 'a'\"{sign}\""]
        allowed.extend(line for line in attempts if judge(line).allowed)

    assert allowed == []


def test_quoted_text_is_only_text() -> None:
    """What would be structure is an argument between quotes, and arrives as it was written."""
    for line, argument in {
        "grep '$(id)' /etc/hosts": "$(id)",
        "grep ';rm -rf /' /etc/hosts": ";rm -rf /",
        'grep "a|b && c > d" /etc/hosts': "a|b && c > d",
        "grep \\$HOME /etc/hosts": "$HOME",
        'grep "\\$HOME \\` \\\\ \\x" /etc/hosts': "$HOME ` \\ \\x",
        "grep 'it'\"'\"'s' /etc/hosts": "it's",
        "grep a\\ b /etc/hosts": "a b",
        "grep '' /etc/hosts": "",
        "grep *.log /etc/hosts": "*.log",
    }.items():
        verdict = judge(line)
        assert verdict.allowed, (line, verdict.sentence)
        assert verdict.pipeline[0].argv == ("grep", argument, "/etc/hosts")
        assert shlex.split(shlex.split(remote_line(verdict.pipeline, 30))[-1]) == [
            "grep",
            argument,
            "/etc/hosts",
        ]


def test_structure_is_kept() -> None:
    """Pipes, sequences and the harmless redirections are taken; another writing of them becomes the same."""
    verdict = judge(
        "sudo df -h 2>/dev/null|sort -k5 ;  uptime&&ls /tmp >/dev/null 2>&1 || echo no &>/dev/null"
    )

    assert [command.joint for command in verdict.pipeline] == ["", "|", ";", "&&", "||"]
    assert [command.argv[0] for command in verdict.pipeline] == ["sudo", "sort", "uptime", "ls", "echo"]
    assert verdict.pipeline[0].argv == ("sudo", "-n", "df", "-h")
    assert verdict.pipeline[4].redirections == (">/dev/null", "2>&1")


def test_options_come_first() -> None:
    """Versions of commands differ about options behind operands; so they are put in front, and -- stays."""
    assert judge("grep error /var/log/syslog -i -m 5").pipeline[0].argv == (
        "grep",
        "-i",
        "-m",
        "5",
        "error",
        "/var/log/syslog",
    )
    assert judge("grep -- -i /etc/hosts").pipeline[0].argv == ("grep", "--", "-i", "/etc/hosts")
    assert judge("cat -n -- -x").pipeline[0].argv == ("cat", "-n", "--", "-x")


def test_patterns_of_file_names() -> None:
    """They stay patterns where they are paths that begin with a directory, and never reach a secret."""
    assert remote_line(judge("tail -n 5 '/var/log/my app'/*.log").pipeline, 30).endswith(
        " sh 'tail -n 5 '\\''/var/log/my app/'\\''*.log'"
    )
    assert judge("ls /etc/*").allowed
    assert judge("cat ./*.log").allowed
    assert not judge("ls *").allowed
    assert not judge("ls -d *.log").allowed


def test_searching_leaves_secrets_out() -> None:
    """A search beneath a directory gets exceptions that nothing in front of them can undo."""
    argv = judge("grep -r key /etc/nginx --include=*.key --exclude-dir=x").pipeline[0].argv
    assert argv.index("--include=*.key") < argv.index("--exclude=*.key")
    assert "--exclude-dir=.ssh" in argv
    assert argv[-2:] == ("key", "/etc/nginx")
    argv = judge("rg key /opt/app -g '*.key'").pipeline[0].argv
    assert argv.index("*.key") < argv.index("--iglob=!*.key")
    assert "--no-config" in argv


def test_settings_beside_a_password_are_asked_for_by_name(tmp_path: Path) -> None:
    """Of a file that has a password in it, grep shows the lines that begin with a harmless name, and no others."""
    file = tmp_path / "redis.conf"
    file.write_text(
        "port 6379\n  maxmemory 1gb\nrequirepass hunter2\nport-pass hunter2\n# port hunter2\nportpass hunter2\n"
        '"port": 1, "pass": "hunter2"\nport = host=a password=hunter2\n'
    )
    for line in (f"grep port {file}", f"grep -E '^(port|maxmemory)' {file}", f"grep -n '^\\s*port' {file}"):
        argv = judge(line).pipeline[0].argv
        shown = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
        assert "port 6379" in shown
        assert "hunter2" not in shown
        assert ("maxmemory 1gb" in shown) is ("maxmemory" in line)
    # A directory of such settings is searched in the same way; any other as it was asked for, without such files.
    argv = judge("grep -r max_connections /etc/mysql").pipeline[0].argv
    assert argv[-2].startswith("^")
    assert "--exclude=my.cnf" not in argv
    argv = judge("grep -r timeout /etc/nginx").pipeline[0].argv
    assert argv[-2] == "timeout"
    assert "--exclude=my.cnf" in argv
    assert "--exclude=*.conf" not in argv


def test_notes_of_releases_are_left_out() -> None:
    """Charts write passwords into the notes that helm status ends with."""
    pipeline = judge("helm status web | cat").pipeline
    shown = subprocess.run(
        pipeline[1].argv,
        input="NAME: web\nSTATUS: deployed\nNOTES:\nhunter2\n",
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    assert [command.argv[0] for command in pipeline] == ["helm", "sed", "cat"]
    assert shown == "NAME: web\nSTATUS: deployed\n"


def test_descriptions_go_without_environments() -> None:
    """What kubectl describes passes, and the values of variables are taken out on the host."""
    described = """\
Containers:
  api:
    Image:  api:1
    Environment Variables from:
      app-config  ConfigMap  Optional: false
    Environment:
      DB_PASSWORD:  hunter2
      Mounts:       hunter2
      LINES:        a
hunter2
    Mounts:
      /data from data (rw)
  sidecar:
    Environment:  <none>
    Mounts:       <none>
Conditions:
"""
    for line in ("kubectl describe pod api", "kubectl rollout history deploy/api --revision=3"):
        pipeline = judge(f"{line} 2>&1 | head -n 50").pipeline
        assert [command.joint for command in pipeline] == ["", "|", "|"]
        shown = subprocess.run(
            pipeline[1].argv, input=described, capture_output=True, text=True, check=True
        ).stdout
        assert "hunter2" not in shown
        assert "app-config" in shown
        assert shown.endswith(
            "    Mounts:\n      /data from data (rw)\n  sidecar:\n    Mounts:       <none>\nConditions:\n"
        )


def test_abbreviated_options_are_refused() -> None:
    """An abbreviation of an option that writes must not pass for lack of the whole word, whatever the command."""
    passed: list[str] = []
    for name, grammar in grammars().items():
        for option in _refused(grammar):
            if option.startswith("--"):
                shortened = [option[:end] for end in range(4, len(option))]
                known = _known(grammar)
                passed.extend(
                    f"{name} {one}"
                    for one in shortened
                    if one not in known and judge(f"{name} {one} x").allowed
                )
            for line in (f"{name} {option}", f"{name} {option} x", f"{name} {option}=x", f"{name} {option}x"):
                takes_dashes = grammar.numeric and option[1:].isdigit()
                if judge(line).allowed and not takes_dashes:
                    passed.append(line)
    assert passed == []


def _refused(grammar: Grammar) -> set[str]:
    found = set(grammar.refused)
    return found.union(*(_refused(child) for child in grammar.subcommands.values()))


def _known(grammar: Grammar) -> set[str]:
    return {*grammar.flags, *grammar.values, *grammar.optional}


def test_no_command_is_both_allowed_and_refused() -> None:
    """The tables of the gate do not contradict themselves, and reasons are sentences."""
    assert set(grammars()) & set(refused_commands()) == set()
    for grammar in grammars().values():
        assert set(grammar.refused) & _known(grammar) == set()
        assert all(reason.endswith(".") for reason in grammar.refused.values())
    assert all(reason.endswith(".") for reason in refused_commands().values())


def test_every_refused_command_is_refused_everywhere() -> None:
    """By its name, by its path, behind sudo, behind a pipe and within quotes."""
    for name in refused_commands():
        for line in (
            name,
            f"{name} x",
            f"/bin/{name} x",
            f"sudo {name} x",
            f"ls | {name}",
            f"'{name}' x",
            f"\\{name} x",
        ):
            assert not judge(line).allowed, line


def test_long_lines() -> None:
    """A line may be long, yet not endless; and judging takes no time that matters."""
    assert judge("echo " + "a" * 8000).allowed
    assert not judge("echo " + "a" * 9000).allowed
    assert not judge("echo" + " a" * 1000).allowed
    assert not judge(";".join(["uptime"] * 30)).allowed
    started = time.perf_counter()
    for line in (
        "cat /" + "*a" * 4000,
        "cat /" + "[" * 8000,
        "grep '" + "(" * 8000 + "' /x",
        "sed -n '" + "[" * 8000 + "p'",
    ):
        judge(line)
    assert time.perf_counter() - started < 5


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        ("df -h | sort", 0, ["Allowed", "df", "sort"]),
        ("find / -delete", 1, ["Refused", "it deletes files"]),
        ("find /tmp -name a -exec rm {} +", 1, ["find -exec runs commands"]),
        ("sudo find / -exec ls -lh {} \\;", 1, ["find -exec runs commands"]),
        ("ls {a,b}", 1, ["Braces"]),
        ("env", 1, ["printenv PATH"]),
        ("printenv", 1, ["printenv PATH"]),
        ("printenv AWS_SECRET_ACCESS_KEY", 1, ["PATH, HOME", "may hold secrets"]),
        ("openssl s_client -connect a:443", 1, ["talks to other hosts", "x509"]),
        ("curl http://localhost/", 1, ["ss -tlnp"]),
        ("systemctl cat nginx", 1, ["Environment=", "systemctl show -p FragmentPath"]),
        ("systemctl show nginx", 1, ["environment", "-p ActiveState"]),
        ("systemctl show nginx -p Environment", 1, ["Environment", "ActiveState"]),
        ("cat /etc/systemd/system/app.service", 1, ["systemctl status", "systemctl show -p"]),
        ("kubectl get pod x -o yaml", 1, ["pod", "jsonpath='{.status}'", "custom-columns"]),
        ("kubectl config view", 1, ["get-contexts"]),
        ("journalctl -u app -o json", 1, ["--output-fields=MESSAGE"]),
        ("docker history app", 1, ["{{.CreatedSince}}"]),
        ("pm2 describe app", 1, ["pm2 list"]),
        ("cat /etc/redis/redis.conf", 1, ["password or token", "grep maxmemory", "systemctl status"]),
        ("cat /etc/msmtprc", 1, ["may hold secrets", "ls -l and stat"]),
        ("grep -A 9 port /etc/redis/redis.conf", 1, ["whole names", "grep maxmemory /etc/redis/redis.conf"]),
        ("kubectl get --raw /api/v1/secrets", 1, ["/readyz, /livez and /healthz"]),
        ("kubectl get certificates -o json", 1, ["certificates", "B:.metadata.labels"]),
        ("strace -p 1", 1, ["/proc/PID/stack"]),
        ("tcpdump -i eth0", 1, ["ss -tni"]),
        ("crontab -l", 1, ["/etc/cron.d/", "journalctl -t CRON"]),
        ("iptables -t nat -L", 1, ["iptables-save"]),
        ("docker network inspect net", 1, ["{{json .IPAM}}"]),
        ("helm get values x", 1, ["helm status"]),
        ("pvx", 1, ["not among the commands that are known to only read.\n"]),
    ],
)
def test_the_command_that_explains(line: str, code: int, words: list[str]) -> None:
    """`gate explain` says the verdict, and its exit code says it to scripts."""
    result = CliRunner().invoke(main, ["gate", "explain", line])

    assert result.exit_code == code
    assert all(word in result.output for word in words), result.output


def test_lines_from_a_file_or_the_standard_input(tmp_path: Path) -> None:
    """One process judges many lines, each with its verdict; one that is refused is enough for the exit code."""
    file = tmp_path / "lines.txt"
    file.write_text("df -h\n\n  uptime\nrm -rf /\n", encoding="utf-8")
    refused = CliRunner().invoke(main, ["gate", "explain", "--file", str(file)])
    allowed = CliRunner().invoke(main, ["gate", "explain", "-"], input="df -h\r\nuptime")
    neither = CliRunner().invoke(main, ["gate", "explain"])

    assert refused.exit_code == 1
    assert refused.output.splitlines() == [
        "allowed\tdf -h",
        "allowed\t  uptime",
        "refused\trm -rf /\trm: it changes files.",
    ]
    assert (allowed.exit_code, allowed.output) == (0, "allowed\tdf -h\nallowed\tuptime\n")
    assert neither.exit_code == 2
