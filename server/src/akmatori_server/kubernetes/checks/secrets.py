"""Checks of the scanner secrets-exposure."""

from __future__ import annotations

from collections.abc import Iterator

from akmatori_sdk._generated.aotanami.models import Category, Severity
from akmatori_server.kubernetes.checks.context import Context
from akmatori_server.kubernetes.checks.controls import controls
from akmatori_server.kubernetes.checks.model import Hit, ObjectCheck, WorkloadCheck
from akmatori_server.kubernetes.checks.secret_lines import secret_lines, secret_words
from akmatori_server.kubernetes.checks.secret_values import is_dense, is_secret, recognised
from akmatori_server.kubernetes.manifests import ManifestObject
from akmatori_server.kubernetes.workloads import Workload

_NIST = ("CM-6", "CM-6(1)", "IA-5(7)")


def _env_from_secret(workload: Workload, _: Context) -> Iterator[Hit]:
    for container in workload.containers:
        for name, path in container.secret_sources:
            yield Hit((*path, "secretRef"), container.name, evidence=f"Secret {name}", discriminator=name)


def _hardcoded(workload: Workload, _: Context) -> Iterator[Hit]:
    for container in workload.containers:
        for variable in container.variables:
            if variable.source or not variable.value:
                continue
            evidence = _secret_in(variable.name, variable.value)
            if evidence:
                path = (*variable.path, "value")
                yield Hit(path, container.name, f"{variable.name}: {evidence}", variable.name)


def _secret_in(name: str, value: str) -> str:
    found = recognised(value)
    if found is not None:
        return found[1]
    if is_secret(name, value):
        return "a value is written here"
    return "a long random value" if is_dense(value) else ""


def _secret_env_ref(workload: Workload, _: Context) -> Iterator[Hit]:
    for container in workload.containers:
        for variable in container.variables:
            if variable.source == "secretKeyRef":
                path = (*variable.path, "valueFrom", "secretKeyRef")
                yield Hit(path, container.name, evidence=variable.name, discriminator=variable.name)


def _in_arguments(workload: Workload, _context: Context) -> Iterator[Hit]:
    for container in workload.containers:
        named = list(secret_words([text for text, _ in container.arguments]))
        for index, (text, path) in enumerate(container.arguments):
            found = recognised(text)
            if found is not None:
                yield Hit(path, container.name, evidence=found[1], discriminator=found[1])
            for told in [told for place, told in named if place == index]:
                # A word that is one secret is told of once.
                if found is None or any(mark.isspace() for mark in text):
                    yield Hit(path, container.name, evidence=told, discriminator=told.removesuffix("=…"))


def _in_annotations(workload: Workload, _: Context) -> Iterator[Hit]:
    for name, value in (workload.annotations | workload.template_annotations).items():
        found = recognised(value)
        if found is not None:
            yield Hit(evidence=f"{name}: {found[1]}", discriminator=name)


def _in_config_map(found: ManifestObject, _context: Context) -> Iterator[Hit]:
    for name, node in found.body.get("data").named():
        text = node.text()
        known = recognised(text)
        lines = list(secret_lines(name, text))
        if known is not None:
            yield Hit(("data", name), evidence=f"{name}: {known[1]}", discriminator=name)
        elif not lines and text.find("\n", 0, len(text) - 1) < 0 and is_secret(name, text):
            yield Hit(("data", name), evidence=f"{name}: a value is written here", discriminator=name)
        for line in lines:
            told = f"{name}: {line.name} in line {line.number}: a value is written here"
            yield Hit(("data", name), evidence=told, discriminator=f"{name}/{line.name}")


_REMEDY = "Keep it in a Secret or an external store, mount it as a file, and change it: others have read it."
_WRITTEN = controls(cis=("secrets-as-files", "secrets-external"), nist=_NIST)
_VARIABLE = controls(cis=("secrets-as-files",), nist=_NIST)

CHECKS = (
    WorkloadCheck(
        "env-from-secret",
        Severity.MEDIUM,
        Category.SECRETS_EXPOSURE,
        "Whole Secret in the environment",
        "All keys of a Secret become environment variables, which crash reports and child processes inherit.",
        "Mount the Secret as files, or take the single keys that are needed.",
        _VARIABLE,
        _env_from_secret,
    ),
    WorkloadCheck(
        "hardcoded-secret-env",
        Severity.CRITICAL,
        Category.SECRETS_EXPOSURE,
        "Secret written in the manifest",
        "An environment variable holds a secret as plain text.",
        _REMEDY,
        _WRITTEN,
        _hardcoded,
    ),
    WorkloadCheck(
        "secret-env-ref",
        Severity.LOW,
        Category.SECRETS_EXPOSURE,
        "Secret in an environment variable",
        "A key of a Secret becomes an environment variable, which crash reports and child processes inherit.",
        "Mount the Secret as a file.",
        _VARIABLE,
        _secret_env_ref,
    ),
    WorkloadCheck(
        "secret-in-args",
        Severity.CRITICAL,
        Category.SECRETS_EXPOSURE,
        "Secret in the command line",
        "The command or its arguments hold a secret, which the list of processes shows.",
        _REMEDY,
        _WRITTEN,
        _in_arguments,
    ),
    WorkloadCheck(
        "secret-in-annotation",
        Severity.CRITICAL,
        Category.SECRETS_EXPOSURE,
        "Secret in an annotation",
        "An annotation holds a secret; whoever may list the object reads it.",
        _REMEDY,
        _WRITTEN,
        _in_annotations,
    ),
    ObjectCheck(
        "secret-in-configmap",
        Severity.CRITICAL,
        Category.SECRETS_EXPOSURE,
        "Secret in a ConfigMap",
        "A ConfigMap holds a secret; it is neither encrypted nor guarded as a Secret is.",
        _REMEDY,
        _WRITTEN,
        frozenset({"ConfigMap"}),
        _in_config_map,
    ),
)
"""In the order in which they are listed."""
