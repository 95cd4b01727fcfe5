"""What a grammar's tables cannot say about a command."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from akmatori_server.command_gate.kubectl import check_description, check_output, check_resources
from akmatori_server.command_gate.models import RefusedError, Word
from akmatori_server.command_gate.options import Arguments
from akmatori_server.command_gate.sensitive import check_tree, holds_settings, never_read, settings_key
from akmatori_server.command_gate.settings_files import ask_by_name, needs_a_name

_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?")
MOST_SAMPLES = 60

# ps: options of the old style that need no dash. e shows the environment of processes.
_PS_OLD = re.compile(r"[acfhHjlLmnrsSTuvwxX]*")
_PS_OLD_WITH_FORMAT = re.compile(r"[afHhLmrSTwx]*o")
_PS_NUMBERS = re.compile(r"[0-9]{1,8}(,[0-9]{1,8})*")
_PS_COLUMNS = re.compile(r"[A-Za-z0-9_,%:=+-]+")
# ps reads the whole line again in the old style when a user is unknown; then these would be options, e among them.
_PS_AMBIGUOUS = re.compile(r"[aAcCefghHjlLmnrsSTuvwxXVZ]*e[aAcCefghHjlLmnrsSTuvwxXVZ]*([oOkNptUD].*)?")
_PS_SELECTIONS = frozenset(["-u", "-U", "-g", "-G", "-C", "-t"])
_PS_WITH_VALUE = frozenset(["-o", "-O", "-p", "-q", "-s", "-u", "-U", "-g", "-G", "-C", "-t", "-k"])
_PS_LONG_WITH_VALUE = frozenset(
    [
        "--format",
        "--pid",
        "--ppid",
        "--user",
        "--User",
        "--group",
        "--Group",
        "--tty",
        "--sort",
        "--cols",
        "--columns",
        "--width",
        "--rows",
        "--lines",
    ]
)

_IP_OBJECTS: Mapping[str, frozenset[str]] = {
    objects: frozenset(actions.split())
    for names, actions in {
        "address addr a": "show list ls lst sh s",
        "link l": "show list ls lst sh",
        "route r ro rt": "show list ls lst sh get g",
        "rule ru": "show list ls lst sh",
        "neighbour neighbor neigh n": "show list ls lst sh",
        "maddress maddr": "show list ls lst",
        "mroute": "show list ls lst",
        "tunnel": "show list ls lst",
        "netns": "list show ls",
        "nexthop": "show list ls",
    }.items()
    for objects in names.split()
}
_IP_OPTIONS = frozenset(
    [
        "-4",
        "-6",
        "-s",
        "-ss",
        "-stats",
        "-statistics",
        "-d",
        "-details",
        "-br",
        "-brief",
        "-o",
        "-oneline",
        "-j",
        "-json",
        "-p",
        "-pretty",
        "-c",
        "-color",
        "-h",
        "-human",
        "-r",
        "-resolve",
        "-N",
        "-numeric",
        "-t",
        "-timestamp",
    ]
)
_IP_WORD = re.compile(r"[A-Za-z0-9_.:@/-]+")


def check(name: str, arguments: Arguments) -> None:
    """Run one of the checks that a grammar names.

    Raises:
        RefusedError: the arguments do more than read.
    """
    _CHECKS[name](arguments)


def _samples(arguments: Arguments) -> None:
    """An interval needs a count, or the command never ends."""
    numbers = [word.text for word in arguments.operands if _NUMBER.fullmatch(word.text)]
    if len(numbers) == 1:
        raise RefusedError(
            f"{arguments.name} with an interval never ends; add how many samples to take, such as"
            f" `{arguments.name} 1 5`."
        )
    if len(numbers) > 1 and float(numbers[1]) > MOST_SAMPLES:
        raise RefusedError(f"{arguments.name} takes {MOST_SAMPLES} samples at most.")


def _searching(arguments: Arguments) -> None:
    """Searching directories leaves out what may hold secrets."""
    first = 0 if arguments.has("-e", "--regexp") else 1
    settings = [word for word in arguments.operands[first:] if settings_key(word)]
    is_recursive = arguments.has("-r", "--recursive")
    is_at_settings = settings or (is_recursive and any(map(holds_settings, arguments.operands[first:])))
    asks_by_name = bool(is_at_settings) and ask_by_name(arguments)
    if is_at_settings and not asks_by_name:
        raise RefusedError(needs_a_name(arguments.operands[first:]))
    if not is_recursive:
        return
    if len(arguments.operands) == first:
        raise RefusedError(f"Name the directory that {arguments.name} is to search.")
    for word in arguments.operands[first:]:
        check_tree(word)
    names, folders = never_read(with_settings=not asks_by_name)
    # The last one that matches decides, so these come behind what was given.
    arguments.words.extend(Word(f"--exclude={name}") for name in names)
    arguments.words.extend(Word(f"--exclude-dir={name}") for name in folders)


def _ripgrep(arguments: Arguments) -> None:
    first = 0 if arguments.has("-e", "--regexp") else 1
    operands = arguments.operands[first:]
    if len(arguments.operands) < first or (not operands and not arguments.has("--files")):
        raise RefusedError("Name the directory or file that rg is to search; behind a | write -.")
    for word in operands:
        if word.text != "-":
            check_tree(word)
            if holds_settings(word):
                raise RefusedError(needs_a_name([word]))
    names, folders = never_read()
    arguments.words.extend(Word(f"--iglob=!{name}") for name in (*names, *folders))


def _bracket(arguments: Arguments) -> None:
    if not arguments.words or arguments.words[-1].text != "]":
        raise RefusedError("[ needs a ] at the end.")


def _no_end_needed(arguments: Arguments) -> None:
    if arguments.has("]"):
        raise RefusedError("test has no ] at the end.")


def _resources(arguments: Arguments) -> None:
    """Secrets are not asked for."""
    check_resources(arguments.operands)


def _output(arguments: Arguments) -> None:
    check_output(arguments.operands, arguments.options)


def _description(arguments: Arguments) -> None:
    check_description(arguments.operands)


def _container_processes(arguments: Arguments) -> None:
    if len(arguments.operands) > 1 and arguments.operands[1].text not in {"-ef", "aux"}:
        raise RefusedError("docker top takes the container, and at most aux behind it.")


def _last_sample(arguments: Arguments) -> None:
    counts = [int(value) for option, value in arguments.options if option in {"-n", "--iter"}]
    if not counts or max(counts) > 5:
        raise RefusedError(f"{arguments.name} never ends by itself; add -n 1, or up to -n 5.")


def _comparing(arguments: Arguments) -> None:
    """Of two directories all files of the same name are compared."""
    names, _ = never_read()
    arguments.words.extend(Word(f"--exclude={name}") for name in names)


def _fields(arguments: Arguments) -> None:
    """All fields of the journal are never shown: of what crashed, they hold the environment."""
    shown = [value for option, value in arguments.options if option in {"-o", "--output"}]
    whole = [form for form in shown if form.startswith(("json", "verbose", "export"))]
    if whole and not arguments.has("--output-fields"):
        raise RefusedError(
            f"journalctl -o {whole[0]} shows every field, the environment of what crashed among them; name the fields"
            " with --output-fields=MESSAGE,PRIORITY,_PID,_SYSTEMD_UNIT."
        )


def _processes(arguments: Arguments) -> None:
    for option, value in arguments.options:
        if option in _PS_SELECTIONS and _PS_AMBIGUOUS.fullmatch(value):
            raise RefusedError(f"ps could read “{value}” as its options; use ps aux, and grep for it.")
        if "environ" in value.casefold():
            raise RefusedError("ps does not show the environment of processes here.")
    arguments.words = _without_e(arguments.words)


def _without_e(words: list[Word]) -> list[Word]:
    """Write -e as -A, which is the same: should ps read the line again in the old style, e means the environment."""
    result: list[Word] = []
    is_value = False
    for word in words:
        text = word.text
        if is_value or not text.startswith("-"):
            is_value = False
        elif text.startswith("--"):
            is_value = "=" not in text and text in _PS_LONG_WITH_VALUE
        else:
            end = next((at for at, letter in enumerate(text) if f"-{letter}" in _PS_WITH_VALUE), len(text))
            is_value = end == len(text) - 1
            text = text[:end].replace("e", "A") + text[end:]
        result.append(Word(text))
    return result


_CHECKS: Mapping[str, Callable[[Arguments], None]] = {
    "samples": _samples,
    "searching": _searching,
    "ripgrep": _ripgrep,
    "bracket": _bracket,
    "no_end_needed": _no_end_needed,
    "resources": _resources,
    "fields": _fields,
    "output": _output,
    "description": _description,
    "container_processes": _container_processes,
    "last_sample": _last_sample,
    "comparing": _comparing,
    "processes": _processes,
}


def check_ps_operands(words: tuple[Word, ...]) -> tuple[Word, ...] | None:
    """Return the words of ps in the old style (`aux`, `axo pid,args`); None when they are of the new one.

    Raises:
        RefusedError: they show more than they should.
    """
    if not words:
        return None
    first = words[0].text.removeprefix("-") if words[0].text.startswith("-aux") else words[0].text
    if first.startswith("-"):
        return None
    rest = list(words[1:])
    if _PS_OLD_WITH_FORMAT.fullmatch(first):
        if not rest or not _is_columns(rest.pop(0).text):
            raise RefusedError(f"ps {first} needs the columns to show, such as pid,args.")
    elif _PS_OLD.fullmatch(first) is None and _PS_NUMBERS.fullmatch(first) is None:
        raise RefusedError(
            f"ps {first}: only options that show processes are taken, such as aux or -ef; e shows their environment."
        )
    while rest:
        word = rest.pop(0)
        if word.text in {"-o", "o", "--sort", "-p"} and rest and _is_columns(rest[0].text):
            rest.pop(0)
            continue
        # `f` for the tree, `ww` for whole lines, and how to sort.
        sorts = re.fullmatch(
            r"(--sort=[A-Za-z0-9_,%+-]+|--forest|--no-headers?|--headers?|--width=[0-9]+)", word.text
        )
        if sorts is not None and "environ" in word.text.casefold():
            raise RefusedError("ps does not show the environment of processes here.")
        if sorts is None and re.fullmatch(r"[fw]+|[0-9]{1,8}", word.text) is None:
            raise RefusedError(f"ps {first} is not given “{word.text[:60]}” here.")
    return tuple(word.literal() for word in words)


def _is_columns(text: str) -> bool:
    return _PS_COLUMNS.fullmatch(text) is not None and "environ" not in text.casefold()


def check_ip(words: tuple[Word, ...]) -> tuple[Word, ...]:
    """Return the words of ip when they only show something.

    Raises:
        RefusedError: they change the network, or are not known.
    """
    texts = [word.text for word in words]
    while texts and texts[0].startswith("-"):
        if texts[0] not in _IP_OPTIONS:
            raise RefusedError(f"ip is not run with the option {texts[0][:60]}.")
        texts.pop(0)
    if not texts or texts[0] not in _IP_OBJECTS:
        raise RefusedError("ip shows addr, link, route, rule, neigh, maddr, tunnel or netns here.")
    actions = _IP_OBJECTS[texts[0]]
    if len(texts) > 1 and texts[1] not in actions:
        raise RefusedError(f"ip {texts[0]} may only be followed by {', '.join(sorted(actions))}.")
    for text in texts[2:]:
        if _IP_WORD.fullmatch(text) is None or text.startswith("-"):
            raise RefusedError(f"ip {texts[0]} is not given “{text[:60]}” here.")
    return tuple(word.literal() for word in words)
