"""Checks a specification: OpenAPI's own rules and this project's, reported all at once."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from codegen.bundle import bundle
from codegen.errors import SpecError
from codegen.rules import document_rules, examples, operations, paging, schemas, streams
from codegen.rules.document import Document, Problem

__all__ = ["RULES", "Problem", "lint", "main"]

RULES = (
    *document_rules.RULES,
    *operations.RULES,
    *paging.RULES,
    *streams.RULES,
    *schemas.RULES,
    *examples.RULES,
)
"""Every rule: a function from the document to its problems."""

_SPECIFICATIONS = ("spec/akmatori/openapi.yaml", "spec/aotanami/openapi.yaml")


def lint(root: Path) -> list[Problem]:
    """Check one specification.

    Args:
        root: Its root file, or the folder that holds it as `openapi.yaml`.

    Returns:
        What is wrong, in the order of the rules and without repetitions; empty if nothing is.
    """
    try:
        document = Document(bundle(root))
    except SpecError as error:
        return [Problem(error.where, "bundle", error.sentence)]
    found = (problem for rule in RULES for problem in rule(document))
    # A shared response or schema is met once for every operation that uses it.
    return list(dict.fromkeys(found))


def main(argv: Sequence[str]) -> int:
    """Check the specifications named on the command line, or both of this repository's; 1 if any is wrong."""
    failed = False
    for name in argv or _SPECIFICATIONS:
        problems = lint(Path(name))
        for problem in problems:
            sys.stdout.write(f"{name}: {problem}\n")
        failed = failed or bool(problems)
        sys.stdout.write(f"{name}: {len(problems) or 'no'} problem{'s' if len(problems) != 1 else ''}\n")
    return 1 if failed else 0
