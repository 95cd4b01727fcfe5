"""What an installation says of Aotanami: what means nothing is refused at the start, in a sentence that says where."""

from __future__ import annotations

import re
from pathlib import Path

import attrs
import pytest
from click.testing import CliRunner

from akmatori_server.config import ConfigurationError, load_settings
from akmatori_server.kubernetes import commands
from akmatori_server.kubernetes.configuration import KubernetesSettings
from akmatori_server.kubernetes.drift.ignored import Ignored, complaint_about
from akmatori_server.kubernetes.drift.model import Identity
from akmatori_server.kubernetes.site import configured_targets
from akmatori_server.kubernetes.targets import ClusterTarget


def test_every_variable_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a", "b", "want", "file"):
        (tmp_path / name).touch()
    read = load_settings(
        {
            "AKMATORI_CLUSTERS": "clusters.yaml",
            "AKMATORI_IN_CLUSTER": "1",
            "AKMATORI_READABLE_NAMESPACES": "shop, pay,shop",
            "AKMATORI_MANIFESTS": f"{tmp_path}/a, live={tmp_path}/b",
            "AKMATORI_SCAN_SCHEDULE": "off",
            "AKMATORI_SCAN_EXCEPTIONS": f"{tmp_path}/file",
            "AKMATORI_SCAN_SKIP": "no-digest",
            "AKMATORI_SCAN_REGISTRIES": "registry.example.com",
            "AKMATORI_SCAN_KUBERNETES_VERSION": "1.33",
            "AKMATORI_DRIFT_SOURCE": f"{tmp_path}/want",
            "AKMATORI_DRIFT_TARGET": "live",
            "AKMATORI_DRIFT_IGNORE": "Deployment:spec.replicas, *:metadata.labels.*",
            "AKMATORI_PRICES": "1,2,3",
            "AKMATORI_COST_BUDGET": "500",
            "AKMATORI_RESIZE_STRATEGY": "moderate",
            "AKMATORI_PROMETHEUS_URL": "http://prometheus:9090",
            "AKMATORI_TOKEN_BUDGET": "1,2,3",
            "AKMATORI_TOKEN_ALERT_PERCENT": "70",
        }
    ).kubernetes
    assert read == KubernetesSettings(
        clusters_file=Path("clusters.yaml"),
        in_cluster=True,
        readable_namespaces=("shop", "pay"),
        manifests=(("manifests", (tmp_path / "a",)), ("live", (tmp_path / "b",))),
        scan_schedule=None,
        scan_exceptions=tmp_path / "file",
        scan_skip=("no-digest",),
        scan_registries=("registry.example.com",),
        scan_kubernetes_version=(1, 33),
        drift_source=tmp_path / "want",
        drift_target="live",
        drift_ignore=("Deployment:spec.replicas", "*:metadata.labels.*"),
        prices=(1.0, 2.0, 3.0),
        cost_budget=500.0,
        resize_strategy="moderate",
        prometheus_url="http://prometheus:9090",
        token_budget=(1, 2, 3),
        token_alert_percent=70,
    )
    assert load_settings({}).kubernetes == KubernetesSettings()
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    (local, files, _) = configured_targets(attrs.evolve(read, clusters_file=None))
    assert (local.name, files.name) == ("local", "manifests")
    assert isinstance(local, ClusterTarget)
    assert local.config.readable_namespaces == ("shop", "pay")


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        ("IN_CLUSTER", "yes", "AKMATORI_IN_CLUSTER must be a whole number from 0 to 1."),
        ("READABLE_NAMESPACES", "shop,Pay_1", "AKMATORI_READABLE_NAMESPACES: Pay_1 is no namespace"),
        ("MANIFESTS", "/no/such", "AKMATORI_MANIFESTS: there is no file or folder /no/such."),
        ("MANIFESTS", "live=", "AKMATORI_MANIFESTS: there is no file or folder live=."),
        ("MANIFESTS", "A B=/", "AKMATORI_MANIFESTS: A B is no name"),
        ("SCAN_KUBERNETES_VERSION", "1.33.x", "AKMATORI_SCAN_KUBERNETES_VERSION must be a release"),
        ("SCAN_KUBERNETES_VERSION", "2.1", "AKMATORI_SCAN_KUBERNETES_VERSION must be a release"),
        ("SCAN_REGISTRIES", "ghcr.io,https://x", "AKMATORI_SCAN_REGISTRIES: 'https://x' is no registry"),
        ("SCAN_KUBERNETES_VERSION", "new", "AKMATORI_SCAN_KUBERNETES_VERSION must be a release"),
        ("DRIFT_SOURCE", "/no/such", "AKMATORI_DRIFT_SOURCE: there is no file or folder /no/such."),
        ("PRICES", "1,2", "AKMATORI_PRICES must be three prices per hour"),
        ("PRICES", "nan,1,1", "AKMATORI_PRICES must be three prices per hour"),
        ("COST_BUDGET", "-1", "AKMATORI_COST_BUDGET must be an amount"),
        ("COST_BUDGET", "inf", "AKMATORI_COST_BUDGET must be an amount"),
        (
            "RESIZE_STRATEGY",
            "bold",
            "AKMATORI_RESIZE_STRATEGY must be one of conservative, moderate, aggressive.",
        ),
        ("PROMETHEUS_URL", "prometheus:9090", "AKMATORI_PROMETHEUS_URL must begin with http:// or https://"),
        ("PROMETHEUS_URL", "http://", "AKMATORI_PROMETHEUS_URL must begin with http:// or https://"),
        ("PROMETHEUS_URL", "http://x:port/", "AKMATORI_PROMETHEUS_URL must begin with http:// or https://"),
    ],
)
def test_values_that_mean_nothing(variable: str, value: str, sentence: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(sentence)):
        load_settings({f"AKMATORI_{variable}": value})


@pytest.mark.usefixtures("own_process_settings")
def test_what_takes_more_than_its_text_to_be_checked_stops_the_start(tmp_path: Path) -> None:
    """The server does not begin to listen: one sentence names the variable, the file and the line."""
    files = {
        "exceptions.yaml": "exceptions:\n- {checks: [no-such-check], names: [x], reason: a}\n",
        "clusters.yaml": "clusters:\n- {name: a, kubeconfig: nowhere}\n",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "keys.json").write_text("{}")
    ours = {"AKMATORI_K8S_AUTH": "jwks", "AKMATORI_K8S_ISSUER": "https://k"}
    for variables, sentence in (
        (
            {"AKMATORI_SCAN_EXCEPTIONS": f"{tmp_path}/exceptions.yaml"},
            f"AKMATORI_SCAN_EXCEPTIONS: {tmp_path}/exceptions.yaml:2: there is no check no-such-check.",
        ),
        (
            {"AKMATORI_SCAN_EXCEPTIONS": f"{tmp_path}/none.yaml"},
            f"AKMATORI_SCAN_EXCEPTIONS: {tmp_path}/none.yaml: the file cannot be read: No such file or directory.",
        ),
        ({"AKMATORI_DRIFT_IGNORE": "spec.replicas"}, "AKMATORI_DRIFT_IGNORE: spec.replicas is no field:"),
        (
            {"AKMATORI_CLUSTERS": f"{tmp_path}/clusters.yaml"},
            f"AKMATORI_CLUSTERS: {tmp_path}/clusters.yaml:2: there is no file {tmp_path}/nowhere.",
        ),
        (
            {**ours, "AKMATORI_K8S_JWKS": f"{tmp_path}/keys.json"},
            "AKMATORI_K8S_JWKS: The key set has no list named keys.",
        ),
    ):
        done = CliRunner().invoke(
            commands.main,
            ["serve", "--port", "0", "--manifests", str(tmp_path), "--data-dir", str(tmp_path / "data")],
            env=variables,
        )
        assert done.exit_code == 1, variables
        assert f"Error: {sentence}" in done.stderr
        assert "Traceback" not in done.stderr


def test_clusters_that_cannot_be_reached_as_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A context that no file has, and a pod that is none, are told before anything connects."""
    here, other = tmp_path / "config", tmp_path / "other"
    here.write_text("contexts: [{name: prod, context: {}}, {name: test, context: {}}]\n")
    other.write_text("contexts: [{name: more, context: {}}]\n")
    empty, broken = tmp_path / "empty", tmp_path / "broken"
    empty.touch()
    broken.write_text("contexts: [")
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    monkeypatch.setenv("KUBECONFIG", f"{here}:{other}")
    for settings, sentence in (
        (
            KubernetesSettings(in_cluster=True),
            "This is no pod of a cluster (KUBERNETES_SERVICE_HOST is not set)",
        ),
        (
            KubernetesSettings(context="pord", kubeconfig=here),
            f"{here} has no context pord; it has prod, test.",
        ),
        (
            KubernetesSettings(context="pord"),
            f"{here}, {other} have no context pord; they have more, prod, test.",
        ),
        (KubernetesSettings(kubeconfig=empty), f"There is no context in {empty}."),
    ):
        with pytest.raises(ConfigurationError, match=re.escape(sentence)):
            configured_targets(settings)
    for settings in (
        KubernetesSettings(context="more"),
        KubernetesSettings(kubeconfig=here),
        # What is wrong with it, the library says better.
        KubernetesSettings(context="x", kubeconfig=broken),
    ):
        assert len(configured_targets(settings)) == 1
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("KUBECONFIG")
    with pytest.raises(ConfigurationError, match=r"There is no context in .*/\.kube/config\."):
        configured_targets(KubernetesSettings(context="x"))


def test_patterns_of_ignored_fields() -> None:
    """A star stands for anything; everything else stands for itself, the brackets of a place included."""
    for wrong in (
        "spec.replicas",
        "Deployment:",
        ":spec",
        "Deployment:spec replicas",
        "A:b:c",
        "*:*",
        "**:***",
    ):
        assert complaint_about(wrong), wrong
    named = "Deployment:spec.template.spec.containers[name=web].image"
    for right in ("Deployment:spec.replicas", "*:metadata.annotations.example.com/*", named, "*Binding:*"):
        assert complaint_about(right) == ""
    ignored, identity = Ignored((named,)), Identity("apps", "Deployment", "shop", "web")
    place = ("spec", "template", "spec", "containers")
    assert ignored.leaves_out(identity, (*place, "[name=web]", "image"))
    assert not ignored.leaves_out(identity, (*place, "[name=app]", "image"))
