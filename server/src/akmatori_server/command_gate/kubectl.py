"""What kubectl may print: no contents of secrets and config maps, and no environment of containers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from akmatori_server.command_gate.harmless import harmless
from akmatori_server.command_gate.models import RefusedError, Word

_NEVER = frozenset({"data", "binarydata", "stringdata", "value", "annotations"})
_LISTS = ("items",)
# The kind itself. Others with it in their names (external secrets, stores) say where secrets come from; of kinds that
# are not known, no contents are shown anyway.
_SECRETS = frozenset({"secret", "secrets"})

_ESCAPED = r"(?:[A-Za-z0-9_/-]|\\\.)+"
_STEP = re.compile(
    rf"\.(?P<name>{_ESCAPED})|\[(?:\*|-?[0-9]+|-?[0-9]*:-?[0-9]*)\]|\[['\"](?P<quoted>[A-Za-z0-9_./-]+)['\"]\]"
    rf"|\[\?\(\s*@(?P<asked>(?:\.{_ESCAPED})+)\s*(?:[=!]=\s*(?:\"[^\"\\]*\"|'[^'\\]*'|[A-Za-z0-9.]+)\s*)?\)\]"
)
_BLOCK = re.compile(r"\{([^{}]*)\}")
_TEXT = re.compile(r"\s*(\"[^\"]*\"|'[^']*'|end)\s*")

# Of kinds of which nobody here knows whether they have containers.
_INSTEAD_OF_OTHERS = (
    "use -o wide, -o jsonpath='{.status}' or -o custom-columns=A:.metadata.name,B:.metadata.labels"
)
_INSTEAD = (
    "use -o wide, -o jsonpath='{.status}' or -o custom-columns=A:.metadata.name,B:.spec.containers[*].image"
)


def check_resources(operands: Sequence[Word]) -> None:
    """Refuse to ask for secrets, in each of the ways to name them.

    Raises:
        RefusedError: they are asked for.
    """
    if not _SECRETS.isdisjoint(_kinds(operands)):
        raise RefusedError("kubectl does not read secrets here.")


def check_description(operands: Sequence[Word]) -> None:
    """Look at what is to be described.

    Raises:
        RefusedError: the description would show more than it should.
    """
    for kind in _kinds(operands):
        if kind not in harmless().plain_kinds | harmless().workloads:
            raise RefusedError(
                f"kubectl describe shows all contents of {kind[:60]}, which may hold passwords; use kubectl get with"
                " -o wide or -o jsonpath='{.status}', and kubectl events --for KIND/NAME."
            )


def check_output(operands: Sequence[Word], options: Iterable[tuple[str, str]]) -> None:
    """Look at how objects are to be shown.

    Raises:
        RefusedError: it would show the environment of containers, or contents that nobody here knows.
    """
    unknown = [kind for kind in _kinds(operands) if kind not in harmless().plain_kinds]
    if not unknown:
        return
    for option, value in options:
        form, _, template = value.partition("=")
        if option == "--sort-by":
            _check_path(value.strip("{}"))
        elif option not in {"-o", "--output"}:
            continue
        elif form in {"json", "yaml", "go-template"}:
            raise RefusedError(
                f"kubectl get -o {form} of {unknown[0][:60]} would show environments and contents, where passwords are;"
                f" {_INSTEAD if unknown[0] in harmless().workloads else _INSTEAD_OF_OTHERS}."
            )
        elif form.startswith("jsonpath"):
            _check_template(template)
        elif form == "custom-columns":
            for column in template.split(","):
                _check_path(column.partition(":")[2].strip("{}"))


def _kinds(operands: Sequence[Word]) -> list[str]:
    """Return the kinds that are asked for: `pods,svc`, `deploy.apps`, `pod/web-1`."""
    found: list[str] = []
    for at, word in enumerate(operands):
        for one in word.text.split(","):
            kind, slash, _ = one.partition("/")
            if at == 0 or slash:
                found.append(kind.casefold().partition(".")[0])
    return found


def _check_template(template: str) -> None:
    if "{" not in template and "}" not in template:
        _check_path(template)
        return
    for block in _BLOCK.findall(template):
        if _TEXT.fullmatch(block):
            continue
        words = block.strip()
        if words.startswith("range "):
            # What is gone through is not shown by that alone.
            _refuse_contents(_names(words.removeprefix("range ").strip()))
        else:
            _check_path(words)
    rest = _BLOCK.sub("", template)
    if "{" in rest or "}" in rest:
        raise RefusedError(f"The template “{template[:60]}” is not understood; {_INSTEAD}.")


def _check_path(path: str) -> None:
    names = _names(path.strip())
    _refuse_contents(names)
    while names and names[0] in _LISTS:
        names = names[1:]
    if not names:
        raise _unknown(path)
    is_status = names[0] == "status"
    is_metadata = names[0] == "metadata" and len(names) > 1 and names[1] in harmless().metadata
    if not is_status and not is_metadata and names[-1] not in harmless().ends:
        raise _unknown(path)


def _names(path: str) -> list[str]:
    """Return the members that a path goes through, in lower case.

    Raises:
        RefusedError: it has a step that is not understood, such as one that goes through everything.
    """
    rest = path.removeprefix("$").removeprefix("@")
    # kubectl takes paths without their first dot, too.
    rest = rest if rest.startswith((".", "[")) else f".{rest}"
    names: list[str] = []
    at = 0
    while at < len(rest):
        step = _STEP.match(rest, at)
        if step is None:
            raise _unknown(path)
        if step["asked"]:
            # Whether a value is the one that was guessed is an answer, too.
            _check_path(step["asked"])
        names.extend([step["name"]] if step["name"] else (step["quoted"] or "").split("."))
        at = step.end()
    return [name.casefold() for name in names if name]


def _refuse_contents(names: Sequence[str]) -> None:
    if not _NEVER.isdisjoint(names):
        raise RefusedError(
            "kubectl shows no contents of config maps, values of variables and annotations here, where passwords are;"
            f" {_INSTEAD}."
        )


def _unknown(path: str) -> RefusedError:
    return RefusedError(
        f"“{path[:60]}” may show more than it should: paths begin with .metadata or .status here, or end with a plain"
        f" member such as .image, .nodeName or .resources; {_INSTEAD}."
    )
