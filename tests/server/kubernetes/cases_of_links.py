"""For the checks of what points at what, of versions, and of Secrets in files: what is wrong, and what is not."""

from __future__ import annotations

import base64
from typing import Any

from tests.server.kubernetes.corpus import (
    DIGEST,
    DROP,
    POLICY,
    SPEC,
    Case,
    c,
    ingress,
    init,
    limit_range,
    objects,
    s,
)

NOBODY = "Nobody99"
WEB = {"app": "web"}
PROBE = {"httpGet": {"path": "/ready", "port": 80}}


def of_kind(version: str, kind: str, spec: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    """Return an object in the namespace of the Deployment."""
    named = {"name": "web", "namespace": "shop", **metadata}
    return {"apiVersion": version, "kind": kind, "metadata": named, "spec": spec}


def service(selector: dict[str, str] | None = None, **spec: Any) -> dict[str, Any]:
    ports = [{"name": "http", "port": 80}]
    return of_kind("v1", "Service", {"selector": selector or WEB, "ports": ports, **spec})


def budget(**spec: Any) -> dict[str, Any]:
    return of_kind("policy/v1", "PodDisruptionBudget", {"selector": {"matchLabels": WEB}, **spec})


def scaler(kind: str = "Deployment", name: str = "web", **spec: Any) -> dict[str, Any]:
    target = {"apiVersion": "apps/v1", "kind": kind, "name": name}
    return of_kind("autoscaling/v2", "HorizontalPodAutoscaler", {"scaleTargetRef": target, **spec})


def web(**spec: Any) -> dict[str, Any]:
    """Return the Deployment with which nothing is wrong."""
    return objects(Case(spec=spec))[0]


def to_port(target: str | int) -> dict[str, Any]:
    """Return a Service that sends connections to a port."""
    return service(ports=[{"name": "http", "port": 80, "targetPort": target}])


def serving(name: str) -> dict[str, Any]:
    """Return the Deployment with a port of that name."""
    return objects(c(ports=[{"name": name, "containerPort": 8080}]))[0]


def behind(*more: dict[str, Any], changes: dict[str, Any] | None = None, **spec: Any) -> Case:
    """Return a case with the Deployment behind a Service."""
    return Case(changes or {}, (POLICY, *more), spec=spec)


def alone(found: dict[str, Any], *among: dict[str, Any]) -> Case:
    return Case(alone=found, among=among)


def routed(name: str, port: dict[str, Any], *among: dict[str, Any]) -> Case:
    backend = {"service": {"name": name, "port": port}}
    found = ingress(rules=[{"host": "a", "http": {"paths": [{"path": "/", "backend": backend}]}}]).alone or {}
    return Case(alone=found | {"metadata": {"name": "i", "namespace": "shop"}}, among=among)


def pod(**more: Any) -> dict[str, Any]:
    return of_kind("v1", "Pod", SPEC | more)


def secret(data: dict[str, str] | None = None, raw: dict[str, str] | None = None, **more: Any) -> Case:
    """Return a Secret with data that is encoded here, or is already."""
    encoded = {name: base64.b64encode(value.encode()).decode() for name, value in (data or {}).items()}
    kind = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "shop"}}
    return Case(alone=kind | {"data": raw or encoded} | more)


def versioned(version: str, kind: str, release: tuple[int, int] | None = None, **metadata: Any) -> Case:
    found = of_kind(version, kind, {}, **metadata)
    return Case(alone=found, options={"release": release} if release else {})


def probes(live: dict[str, Any], ready: dict[str, Any]) -> Case:
    return c(livenessProbe=live, readinessProbe=ready)


APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
CUSTOM = {"apiVersion": "postgresql.cnpg.io/v1", "kind": "Cluster", "metadata": {"namespace": "shop"}}
ROLLOUT = {"template": {"metadata": {"labels": {"app": "other"}}}}
OTHER = {"app": "other"}
TWIN = [{"name": "init", "image": "x"}]
NO_REGISTRY = {"registries": ("registry.example:5000", "ghcr.io/acme")}

WRONG: dict[str, list[Case]] = {
    "run-as-low-uid": [
        s(securityContext__runAsUser=1000),
        c(securityContext__runAsUser=9999),
        init(securityContext={"runAsUser": 1}),
    ],
    "no-ephemeral-storage-limit": [
        c(resources__limits={"cpu": "1", "memory": "1Gi"}),
        c(resources={"limits": {"ephemeral-storage": "0"}}),
        init(restartPolicy="Always", resources={}),
    ],
    "pull-policy-mutable-tag": [
        c(image="nginx", imagePullPolicy="IfNotPresent"),
        c(image="nginx:latest", imagePullPolicy="Never"),
        init(image="host:5000/nginx", imagePullPolicy="IfNotPresent"),
    ],
    "image-registry-not-allowed": [
        Case({"spec.containers.0.image": "nginx"}, options=NO_REGISTRY),
        Case({"spec.containers.0.image": "ghcr.io/acme2/app:1"}, options=NO_REGISTRY),
        Case({"spec.containers.0.image": "registry.example/app"}, options=NO_REGISTRY),
        Case({"spec.initContainers": TWIN}, options=NO_REGISTRY),
    ],
    "naked-pod": [alone(pod()), alone(pod(restartPolicy="Always")), alone(pod(nodeName="n1"))],
    "no-readiness-probe": [
        behind(service()),
        behind(service({"app": "web", "statefulset.kubernetes.io/pod-name": "web-0"})),
        Case({"spec.containers.0.livenessProbe": PROBE}, (POLICY, service(clusterIP="None"))),
    ],
    "no-liveness-probe": [
        behind(service()),
        behind(service(publishNotReadyAddresses=True)),
        Case({"spec.containers.0.readinessProbe": PROBE}, (POLICY, service())),
    ],
    "liveness-same-as-readiness": [
        probes(PROBE, PROBE),
        probes({"exec": {"command": ["a", "b"]}, "failureThreshold": 1}, {"exec": {"command": ["a", "b"]}}),
        probes(PROBE | {"periodSeconds": 5}, PROBE | {"periodSeconds": 5, "failureThreshold": 3}),
    ],
    "single-replica": [
        behind(service()),
        behind(service(), replicas=1),
        behind(service(), scaler(maxReplicas=5), replicas=3),
    ],
    "no-disruption-budget": [
        behind(replicas=2),
        behind(budget(selector={"matchLabels": OTHER}), replicas=3),
        behind(scaler(minReplicas=2, maxReplicas=5)),
        behind(budget() | {"metadata": {"name": "web", "namespace": "other"}}, replicas=2),
    ],
    "disruption-budget-blocks": [
        alone(budget(maxUnavailable=0), web(replicas=3)),
        alone(budget(maxUnavailable="0%"), web(replicas=3)),
        alone(budget(minAvailable="100%")),
        alone(budget(minAvailable=3), web(replicas=3)),
        alone(budget(minAvailable=1), web()),
        alone(budget(minAvailable="50%"), web(replicas=1)),
        alone(budget(minAvailable="51%"), web(replicas=2)),
        alone(budget(minAvailable=5), web(), scaler(maxReplicas=5)),
    ],
    "service-matches-nothing": [
        alone(service({"app": "wbe"}), web()),
        alone(service({"app": "web", "tier": "front"}), web()),
        alone(service(OTHER), of_kind("argoproj.io/v1alpha1", "Rollout", {}), web()),
    ],
    "request-above-limit": [
        c(resources__requests__cpu="1500m"),
        c(resources__requests__memory="1Gi"),
        init(resources={"requests": {"cpu": 2}, "limits": {"cpu": "1999m"}}),
    ],
    "autoscaler-bounds": [alone(scaler(minReplicas=5, maxReplicas=2))],
    "service-port-missing": [
        alone(to_port("htpt"), serving("http")),
        alone(to_port("http"), web()),
        alone(to_port("http"), serving("http") | {"metadata": {"name": "web", "namespace": "other"}}, web()),
    ],
    "network-policy-matches-nothing": [
        alone(POLICY | {"spec": {"podSelector": {"matchLabels": {"app": "wbe"}}}}, web()),
        alone(
            POLICY | {"spec": {"podSelector": {"matchExpressions": [{"key": "x", "operator": "Exists"}]}}},
            web(),
        ),
        alone(POLICY | {"spec": {"podSelector": {"matchLabels": OTHER}}}, web()),
    ],
    "disruption-budget-matches-nothing": [
        alone(budget(selector={"matchLabels": OTHER}), web()),
        alone(budget(selector=None), web()),
        alone(budget(selector={"matchLabels": {"app": "web", "x": "y"}}, maxUnavailable=1), web()),
    ],
    "autoscaler-target-missing": [
        alone(scaler(name="wbe"), web()),
        alone(scaler("StatefulSet"), web()),
        alone(scaler(), web() | {"metadata": {"name": "api", "namespace": "shop"}}),
    ],
    "ingress-backend-missing": [
        routed("wbe", {"number": 80}, service()),
        routed("web", {"number": 81}, service()),
        routed("web", {"name": "https"}, service()),
        Case(
            alone=of_kind(
                "extensions/v1beta1", "Ingress", {"backend": {"serviceName": "no", "servicePort": 80}}
            ),
            among=(service(),),
        ),
    ],
    "service-external-ip": [
        alone(service(externalIPs=["203.0.113.7"])),
        alone(service(externalIPs=["10.0.0.1"], type="NodePort")),
        alone(service(externalIPs=["2001:db8::1"], clusterIP="None")),
    ],
    "load-balancer-open": [
        alone(service(type="LoadBalancer")),
        alone(service(type="LoadBalancer", loadBalancerSourceRanges=["10.0.0.0/8", "0.0.0.0/0"])),
        alone(service(type="LoadBalancer", loadBalancerSourceRanges=["::/0"])),
    ],
    "ingress-snippet": [
        alone(
            of_kind(
                "networking.k8s.io/v1", "Ingress", {}, annotations={f"nginx.ingress.kubernetes.io/{n}": "x"}
            )
        )
        for n in ("server-snippet", "configuration-snippet", "auth-snippet")
    ],
    "removed-api": [
        versioned("policy/v1beta1", "PodDisruptionBudget", (1, 37)),
        versioned("policy/v1beta1", "PodSecurityPolicy", (1, 25)),
        versioned("extensions/v1beta1", "Deployment", (1, 16)),
        versioned(
            "networking.k8s.io/v1",
            "Ingress",
            (1, 22),
            annotations={APPLIED: '{"apiVersion":"extensions/v1beta1"}'},
        ),
    ],
    "deprecated-api": [
        versioned("policy/v1beta1", "PodDisruptionBudget", (1, 24)),
        versioned("batch/v1beta1", "CronJob", (1, 21)),
        versioned("flowcontrol.apiserver.k8s.io/v1beta3", "FlowSchema", (1, 31)),
    ],
    "secret-in-manifest": [
        secret({"password": NOBODY}),
        secret(stringData={"anything": NOBODY}),
        secret({"tls.crt": "-----BEGIN RSA " + "PRIVATE KEY-----\nMIIE\n"}),
        secret(raw={"keystore.jks": base64.b64encode(b"\xfe\xed\xfe\xed\x00").decode()}),
        secret(raw={"pasted": "Nobody99!"}),
        secret({"DB_PASS": "hidden"}),
        secret({"SIGNING_KEY": "h1ddenpw"}),
        secret({"plain": "h1ddenpw"}),
        secret({"app.properties": "log.level=info\ndb.password=hidden\n"}),
        secret({".dockerconfigjson": '{"auths": {"r.example": {"auth": "bWU6aGlkZGVu"}}}'}),
        secret({"url": "postgres://" + "me:hidden@db/x"}),
    ],
}
"""Each of these must be found once by the check."""

RIGHT: dict[str, list[Case]] = {
    "run-as-low-uid": [
        s(securityContext__runAsUser=10000),
        s(securityContext__runAsUser=0),  # a finding of its own
        Case({"spec.os": {"name": "windows"}, "spec.securityContext.runAsUser": 1}),
        Case({"spec.securityContext.runAsUser": 1, "spec.containers.0.securityContext.runAsUser": 10001}),
    ],
    "no-ephemeral-storage-limit": [
        init(resources={}),
        Case(
            {"spec.containers.0.resources": DROP},
            (POLICY, limit_range(default={"ephemeral-storage": "1Gi"})),
        ),
    ],
    "pull-policy-mutable-tag": [
        c(image="nginx"),
        c(image="nginx", imagePullPolicy="Always"),
        c(image="nginx:1.27", imagePullPolicy="IfNotPresent"),
        c(image=f"nginx{DIGEST}", imagePullPolicy="Never"),
    ],
    "image-registry-not-allowed": [
        Case(options=NO_REGISTRY),
        Case({"spec.containers.0.image": "ghcr.io/acme/app:1"}, options=NO_REGISTRY),
        Case({"spec.containers.0.image": "GHCR.io/acme/app:1"}, options=NO_REGISTRY),
        Case({"spec.containers.0.image": "nginx"}, options={"registries": ("docker.io/library",)}),
        Case({"spec.containers.0.image": "acme/app"}, options={"registries": ("docker.io/acme/",)}),
        c(image="nginx"),  # any is allowed where none is named
    ],
    "naked-pod": [
        Case(),
        alone(pod(restartPolicy="Never")),
        alone(pod() | {"metadata": {"name": "p", "annotations": {"helm.sh/hook": "test"}}}),
    ],
    "no-readiness-probe": [
        Case(),  # behind nothing
        behind(service(OTHER)),
        behind(service(publishNotReadyAddresses=True)),
        behind(service(type="ExternalName")),
        Case({"spec.containers.0.readinessProbe": PROBE}, (POLICY, service())),
        Case(
            {"spec.initContainers": [{"name": "a", "restartPolicy": "Always", "readinessProbe": PROBE}]},
            (POLICY, service()),
        ),
    ],
    "no-liveness-probe": [
        Case(),
        behind(service(OTHER)),
        Case({"spec.containers.0.livenessProbe": PROBE}, (POLICY, service())),
    ],
    "liveness-same-as-readiness": [
        Case(),
        probes({"periodSeconds": 5}, {"periodSeconds": 5}),
        probes(PROBE | {"failureThreshold": 6}, PROBE),
        probes({"httpGet": {"path": "/live", "port": 80}}, PROBE),
        c(livenessProbe=PROBE),
    ],
    "single-replica": [
        Case(),
        behind(service(), replicas=2),
        behind(service(), replicas=0),
        behind(service(), strategy={"type": "Recreate"}),
        behind(service(), scaler(minReplicas=2), replicas=1),
        behind(service(), of_kind("keda.sh/v1alpha1", "ScaledObject", {"scaleTargetRef": {"name": "web"}})),
    ],
    "no-disruption-budget": [
        Case(),
        behind(budget(), replicas=2),
        behind(budget(selector={}), replicas=2),
        behind(scaler(minReplicas=1), replicas=4),
    ],
    "disruption-budget-blocks": [
        alone(budget(maxUnavailable=1), web(replicas=3)),
        alone(budget(maxUnavailable="1%"), web(replicas=3)),
        alone(budget(minAvailable=2), web(replicas=3)),
        alone(budget(minAvailable="50%"), web(replicas=2)),
        alone(budget(minAvailable=1)),  # of nothing: a finding of its own
        alone(budget(minAvailable=1), web(replicas=0)),
        alone(budget(minAvailable=1), web(), scaler(maxReplicas=5)),
        alone(
            budget(minAvailable=1),
            web(),
            of_kind("argoproj.io/v1alpha1", "Rollout", {"template": {"metadata": {"labels": WEB}}}),
        ),
    ],
    "service-matches-nothing": [
        alone(service(), web()),
        alone(service({"app": "web", "statefulset.kubernetes.io/pod-name": "web-0"}), web()),
        alone(service({"app": "wbe"})),  # nothing of its namespace is in these files
        alone(service(OTHER, type="ExternalName"), web()),
        alone(service(OTHER), web(), of_kind("argoproj.io/v1alpha1", "Rollout", ROLLOUT)),
        alone(service({"cnpg.io/cluster": "db"}), web()),
        alone(service({"cluster": "db"}), web(), CUSTOM | {"metadata": {"name": "db", "namespace": "shop"}}),
        alone(of_kind("v1", "Service", {"ports": []}), web()),
    ],
    "request-above-limit": [
        Case(),
        c(resources__requests__cpu="1000m"),
        c(resources__requests__cpu="many"),
        c(resources={"requests": {"cpu": "9"}}),
    ],
    "autoscaler-bounds": [
        alone(scaler(minReplicas=2, maxReplicas=2)),
        alone(scaler(maxReplicas=2)),
        alone(of_kind("example.com/v1", "HorizontalPodAutoscaler", {"minReplicas": 5, "maxReplicas": 2})),
    ],
    "service-port-missing": [
        alone(to_port("http"), serving("http")),
        alone(to_port("http"), web(), serving("http") | {"metadata": {"name": "api", "namespace": "shop"}}),
        alone(to_port("http"), serving("http"), web() | {"metadata": {"name": "api", "namespace": "shop"}}),
        alone(to_port(8080), web()),
        alone(to_port("http"), pod()),  # selects nothing: a finding of its own
        alone(
            to_port("http"),
            web(),
            of_kind("argoproj.io/v1alpha1", "Rollout", {"template": {"metadata": {"labels": WEB}}}),
        ),
    ],
    "network-policy-matches-nothing": [
        alone(POLICY, web()),
        alone(POLICY | {"spec": {"podSelector": {"matchLabels": WEB}}}, web()),
        alone(POLICY | {"spec": {"podSelector": {"matchLabels": OTHER}}}),
    ],
    "disruption-budget-matches-nothing": [
        alone(budget(), web()),
        alone(budget(selector={}), web()),
        alone(budget(selector={"matchLabels": OTHER})),
    ],
    "autoscaler-target-missing": [
        alone(scaler(), web()),
        alone(scaler(), web(), scaler() | {"metadata": {"name": "twin", "namespace": "shop"}}),
        alone(scaler("Rollout", "other"), web()),
        alone(scaler(name="wbe")),
    ],
    "ingress-backend-missing": [
        routed("web", {"number": 80}, service()),
        routed("web", {"name": "http"}, service()),
        routed(
            "ext",
            {"number": 9},
            service(type="ExternalName") | {"metadata": {"name": "ext", "namespace": "shop"}},
        ),
        routed("wbe", {"number": 80}),
        routed("action", {"name": "use-annotation"}, service()),
    ],
    "service-external-ip": [alone(service()), alone(service(externalIPs=[]))],
    "load-balancer-open": [
        alone(service(type="NodePort")),
        alone(service(type="LoadBalancer", loadBalancerSourceRanges=["10.0.0.0/8"])),
        *(
            alone(service(type="LoadBalancer") | {"metadata": {"name": "x", "annotations": {name: value}}})
            for name, value in (
                ("service.beta.kubernetes.io/aws-load-balancer-scheme", "internal"),
                ("networking.gke.io/load-balancer-type", "Internal"),
                ("service.beta.kubernetes.io/load-balancer-source-ranges", "10.0.0.0/8, 192.0.2.0/24"),
            )
        ),
    ],
    "ingress-snippet": [
        alone(of_kind("networking.k8s.io/v1", "Ingress", {}, annotations={name: "x"}))
        for name in ("nginx.ingress.kubernetes.io/rewrite-target", "example.com/server-snippet")
    ],
    "removed-api": [
        versioned("policy/v1", "PodDisruptionBudget"),
        versioned("policy/v1beta1", "PodDisruptionBudget", (1, 24)),
        versioned(
            "networking.k8s.io/v1", "Ingress", annotations={APPLIED: '{"apiVersion":"networking.k8s.io/v1"}'}
        ),
        Case(),
    ],
    "deprecated-api": [
        versioned("policy/v1beta1", "PodDisruptionBudget"),  # gone, which is worse
        versioned("policy/v1beta1", "PodDisruptionBudget", (1, 20)),
        versioned("batch/v1", "CronJob", (1, 21)),
    ],
    "secret-in-manifest": [
        secret(
            {"username": "admin", "ca.crt": "-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----"}
        ),
        secret(
            stringData={"password": "<path:secret/data/db#password>", "b": "${DB_PASSWORD}", "c": "changeme"}
        ),
        secret({"password": "<password>", "key": "REPLACE_ME"}),
        secret(raw={"password": "ENC[AES256_GCM,data:abc=,type:str]"}),
        secret({"password": NOBODY}, sops={"version": "3.9"}),
        secret(type="kubernetes.io/service-account-token"),
        secret({"debug": "true", "path": "/run/x", "empty": ""}),
        secret(
            {
                "LOG_LEVEL": "info",
                "FEATURE_X": "true",
                "PORT": "80",
                "REGION_NAME": "eu-west-1",
                "CPU": "512Mi",
            }
        ),
        secret(
            stringData={
                "STAGE": "production",
                "IMAGE": "postgres15",
                "CLIENT_ID": "Nobody99",
                "TZ": "Europe/Berlin",
            }
        ),
        secret(stringData={"app.properties": "log.level=info\nlog.format=json\n"}),
        Case(alone={"apiVersion": "bitnami.com/v1alpha1", "kind": "SealedSecret", "metadata": {"name": "x"}}),
    ],
}
"""What it must let pass."""
