"""For every check what makes a thing wrong, and what does not."""

from __future__ import annotations

from tests.server.kubernetes import cases_of_links
from tests.server.kubernetes.corpus import (
    DIGEST,
    DROP,
    POLICY,
    Case,
    account,
    binding,
    c,
    config_map,
    env,
    host_path,
    ingress,
    init,
    limit_range,
    namespace,
    policy,
    rbac_objects,
    role,
    s,
)

# Lines of the settings of everyday programs, which hold no secret.
EVERYDAY = """
# password=Nobody99
; admin_password = Nobody99
// token: Nobody99
password=
password: ""
password=${DB_PASSWORD}
password: $(DB_PASSWORD)
db.password={{ .Values.password }}
db.password=ENC(abcdef==)
token: <token>
password: changeme
password: "your-password"
password: true
token: 12345
passwordFile: /run/secrets/db
password_path=/run/p
bearer_token_file: /var/run/secrets/token
tokenUrl: https://login.example/token
token: GITHUB_TOKEN
password: string
"invalid_token": "Your token has expired",
login.password=Password
secretName: web
secret: web-tls
existingSecret: grafana-admin
auth: ldap
authorization: {type: Bearer}
proxy_pass http://backend;
proxy_set_header Authorization $http_authorization;
set $token "";
log_format main '"auth":"$http_authorization"';
password: !vault |
token: *anchor
topologyKey: kubernetes.io/hostname
partition.key=user_id
session_key: user_session
max_tokens = 4096
password_encryption = scram-sha-256
"access.token.signed.response.alg": "RS256",
"secret": "**********",
secretKey: db-password
expr: kube_secret_info{secret="web-tls"} > 0
if ($arg_token = "nobody") { return 403; }
author = Jane
requirepass ""
"""
ASIDE = {"spec.automountServiceAccountToken": DROP}
BARE = {"spec.containers.0.resources": DROP}
RBAC = ["rbac.authorization.k8s.io"]
NOBODY = "Nobody99"
HIDDEN = "h1ddenpw"  # like what people choose: no capitals
PEM = "-----BEGIN RSA " + "PRIVATE KEY-----\nMIIE\n"
AWS = "AKIA" + "ABCDEFGHIJKLMNOP"

ALB = "alb.ingress.kubernetes.io/"
HOOKS = "admissionregistration.k8s.io"
APP = {"kind": "ServiceAccount", "name": "app", "namespace": "shop"}
MOUNTED = {"spec.automountServiceAccountToken": True}
EVERYTHING = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}
PODS = {"apiGroups": [""], "resources": ["pods"], "verbs": ["create"]}
DEFAULT = {"kind": "ServiceAccount", "name": "default", "namespace": "shop"}


def allows(direction: str, *peers: dict[str, object], **more: object) -> Case:
    """Return a case with a policy that has one rule."""
    peer = {"from" if direction == "ingress" else "to": list(peers)} if peers else {}
    types = ["Ingress", "Egress"]
    return Case(beside=(policy(podSelector={}, policyTypes=types, **{direction: [peer | more]}),))


def bound(rule: dict[str, object], subject: dict[str, object], inside: str = "") -> Case:
    """Return a case whose pod has a token, and a role that is bound to somebody."""
    return Case(MOUNTED, (POLICY, *rbac_objects([rule], subject, inside=inside)))


def group_binding(name: str, subject: dict[str, object]) -> Case:
    found = binding(name, "", "").alone or {}
    return Case(alone=found | {"subjects": [subject]})


def workload_in(name: str) -> Case:
    kind = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "w", "namespace": name}}
    return Case(alone=kind | {"spec": {"template": {"spec": {"containers": [{"name": "a", "image": "x"}]}}}})


def of_cloud(annotations: dict[str, str]) -> Case:
    """Return a case with an Ingress whose load balancer a cloud makes."""
    found = ingress(rules=[{"host": "a.example"}]).alone or {}
    return Case(alone=found | {"metadata": {"name": "i", "annotations": annotations}})


def once(kind: str) -> Case:
    """Return a case with what runs once, and has no labels."""
    spec: dict[str, object] = {"template": {"spec": {"containers": [{"name": "a", "image": "x"}]}}}
    if kind == "CronJob":
        spec = {"schedule": "0 3 * * *", "jobTemplate": {"spec": spec}}
    return Case(alone={"apiVersion": "batch/v1", "kind": kind, "metadata": {"name": "w"}, "spec": spec})


WRONG: dict[str, list[Case]] = {
    "no-security-context": [Case({"spec.containers.0.securityContext": DROP, "spec.securityContext": DROP})],
    "privileged": [
        c(securityContext__privileged=True),
        init(securityContext={"privileged": True}),
        s(ephemeralContainers=[{"name": "debug", "image": "x", "securityContext": {"privileged": True}}]),
    ],
    "run-as-non-root": [
        s(securityContext__runAsNonRoot=DROP),
        c(securityContext__runAsNonRoot=False),  # not hidden by the pod's true
        s(securityContext__runAsNonRoot=False),
    ],
    "writable-root-filesystem": [c(securityContext__readOnlyRootFilesystem=DROP), c(securityContext=DROP)],
    "allow-privilege-escalation": [
        c(securityContext__allowPrivilegeEscalation=DROP),
        c(securityContext__capabilities__add=["CAP_SYS_ADMIN"]),
        c(securityContext__privileged=True),
    ],
    "capabilities-not-dropped": [
        c(securityContext__capabilities__drop=["NET_RAW"]),
        c(securityContext__capabilities=DROP),
    ],
    "seccomp-unset": [s(securityContext__seccompProfile=DROP)],
    "seccomp-unconfined": [
        s(securityContext__seccompProfile__type="Unconfined"),
        c(securityContext__seccompProfile={"type": "Unconfined"}),
    ],
    "apparmor-unconfined": [s(securityContext__appArmorProfile={"type": "Unconfined"})],
    "host-process": [
        s(securityContext__windowsOptions={"hostProcess": True}),
        c(securityContext__windowsOptions={"hostProcess": True}),
    ],
    "no-cpu-request": [
        Case({"spec.containers.0.resources": {"limits": {"memory": "1Gi"}}}),
        c(resources__requests__cpu="0"),
        c(resources__requests__cpu="0m"),
        init(restartPolicy="Always", resources={}),
    ],
    "no-memory-request": [c(resources=DROP), c(resources__requests__memory="0Mi")],
    "no-cpu-limit": [c(resources__limits__cpu=DROP), Case(BARE, (POLICY, limit_range(min={"cpu": "1"})))],
    "no-memory-limit": [
        c(resources__limits__memory=DROP),
        c(resources__limits__memory=0),
        Case(BARE, (POLICY, limit_range(default={"cpu": "1"}))),
    ],
    "latest-tag": [c(image="nginx"), c(image="host:5000/nginx"), c(image="nginx:latest")],
    "no-digest": [c(image="nginx:1.27"), init(image="host:5000/nginx:1.27")],
    "host-network": [s(hostNetwork=True)],
    "host-pid": [s(hostPID=True)],
    "host-ipc": [s(hostIPC=True)],
    "host-path": [host_path("/etcd-data"), host_path("/var/log")],
    "host-path-sensitive": [
        *map(
            host_path,
            ("/", "/etc", "/etc/ssl", "/proc", "/run/containerd/containerd.sock", "/var/lib/kubelet/pods"),
        ),
        *map(host_path, ("/var/run/docker.sock", "/var/run", "//etc", "/opt/../etc", "/var/", "")),
    ],
    "dangerous-capability": [
        *(
            c(securityContext__capabilities__add=[name])
            for name in ("SYS_ADMIN", "ALL", "CAP_NET_RAW", "net_admin")
        ),
        init(securityContext={"capabilities": {"add": ["BPF"]}}),
    ],
    "share-process-namespace": [s(shareProcessNamespace=True)],
    "token-automount": [
        Case(ASIDE),
        s(automountServiceAccountToken=True),
        Case({"spec.automountServiceAccountToken": True}, (POLICY, account(False))),
        Case(ASIDE, (POLICY, account(True))),
    ],
    "pod-root-user": [s(securityContext__runAsUser=0)],
    "pod-root-group": [s(securityContext__runAsGroup=0), c(securityContext__runAsGroup=0)],
    "container-root-user": [c(securityContext__runAsUser=0), init(securityContext={"runAsUser": 0})],
    "unmasked-proc": [
        c(securityContext__procMount="Unmasked"),
        init(securityContext={"procMount": "Unmasked"}),
    ],
    "env-from-secret": [c(envFrom=[{"secretRef": {"name": "all"}}])],
    "hardcoded-secret-env": [
        *(env(name, NOBODY) for name in ("DB_PASSWORD", "apiKey", "GITHUB_TOKEN", "dbPasswd", "BASIC_AUTH")),
        *(
            env(name, HIDDEN)
            for name in (
                "DB_PASS",
                "SMTP_PASS_2",
                "PGPASS",
                "PGPASSWORD",
                "dbPasswd",
                "MYSQL_PWD",
                "REDIS_AUTH",
            )
        ),
        *(
            env(name, HIDDEN)
            for name in ("SIGNING_KEY", "ENCRYPTION_KEY", "APP_KEY", "MASTER_KEY", "sessionKey")
        ),
        env("DSN", f"jdbc:mysql://h/d?user=a&password={HIDDEN}"),
        env("FEED", f"https://feed.example/x?page=2&access_token={HIDDEN}#top"),
        env("ALERTS", "https://hooks.slack" + ".com/services/T01ABCDEF/B01ABCDEF/h1ddenAAAAbbbbCCCCdddd12"),
        env("CONNECTION", f"Server=db;User Id=sa;Password={HIDDEN};"),
        env("SETTINGS", "-----BEGIN " + "PRIVATE KEY-----"),
        env("KEY_ID", AWS),
        env("DATABASE_URL", "postgres://" + "me:hidden@db/x"),
        env("SEED", "aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zAbCdEfGhIjKlM"),
    ],
    "secret-env-ref": [
        c(env=[{"name": "X", "valueFrom": {"secretKeyRef": {"name": "a", "key": "b"}}}]),
    ],
    "secret-in-args": [
        c(args=[f"--db-password={NOBODY}"]),
        c(command=["sh", "-c", f"run --id {AWS}"]),
        c(args=["--db-password=changeme"]),  # which runs
        c(args=[f"--db-pass={HIDDEN}"]),
        c(args=["--db-pass", HIDDEN]),
        c(args=["--token", "hiddenabc"]),
        c(args=["--from-literal=password=" + HIDDEN]),
        c(command=["/usr/bin/mysql"], args=["-u", "root", f"-p{HIDDEN}"]),
        *(
            c(command=["sh", "-c"], args=[script])
            for script in (
                f"set -e\nexport PASSWORD={HIDDEN}; run",
                f"sleep 1 && mysqldump -h db -p'{HIDDEN}' all | gzip",
                f"curl -s -u admin:{HIDDEN} https://x.example/",
                f'curl -H "Authorization: Bearer {HIDDEN}" https://x.example/',
                f'sh -c "redis-cli -a {HIDDEN} ping"',
                f"JAVA_OPTS='-Xmx1g -Ddb.password={HIDDEN}' java -jar a.jar",
            )
        ),
    ],
    "secret-in-annotation": [Case({"metadata.annotations": {"x": AWS}})],
    "secret-in-configmap": [
        config_map(key=PEM),
        config_map(DB_PASSWORD=NOBODY),
        config_map(**{"db.password": HIDDEN}),
        *(
            config_map(**{name: text})
            for name, text in (
                (
                    "application.properties",
                    f"# database\nserver.port=80\nspring.datasource.password={HIDDEN}\n",
                ),
                (".env", f"LOG_LEVEL=info\nexport DB_PASSWORD='{HIDDEN}'\n"),
                ("app.yaml", f"db:\n  user: app\n  password: {HIDDEN} # of the test database\n"),
                ("app.ini", f"[db]\nuser = app\npassword = {HIDDEN}\n"),
                ("aws", f"AWS_REGION=eu-west-1\nAWS_SECRET_ACCESS_KEY={HIDDEN}/K7MDENG+x\n"),
                ("app.json", f'{{"db": {{"user": "app", "password": "{HIDDEN}"}}}}'),
                ("redis.conf", f"port 6379\nrequirepass {HIDDEN}\n"),
                ("app.xml", f"<db>\n  <password>{HIDDEN}</password>\n</db>\n"),
                ("kafka.properties", f'jaas=PlainLoginModule required username="a" password="{HIDDEN}";\n'),
                ("init.sh", f"#!/bin/sh\nexport PGPASSWORD={HIDDEN}\npsql -c 'select 1'\n"),
            )
        ),
    ],
    "no-labels": [Case({"metadata.labels": DROP})],
    "host-port": [c(ports=[{"containerPort": 80, "hostPort": 8080}])],
    "no-network-policy-ingress": [
        Case(beside=()),
        Case(beside=(policy(podSelector={"matchLabels": {"app": "other"}}),)),
        Case(beside=(policy(podSelector={}, policyTypes=["Egress"]),)),
        Case(beside=(POLICY | {"metadata": {"name": "x", "namespace": "elsewhere"}},)),
        Case(
            beside=(
                policy(
                    podSelector={"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["web"]}]}
                ),
            )
        ),
    ],
    "no-network-policy-egress": [Case(beside=(policy(podSelector={}, ingress=[]),))],
    "default-service-account": [s(serviceAccountName=DROP), s(serviceAccountName="default")],
    "admin-like-name": [s(serviceAccountName="cluster-admin"), s(serviceAccountName="shop-superuser")],
    "deprecated-field": [s(serviceAccount="other")],
    "rbac-wildcard": [role(["*"], ["*"], ["*"])],
    "rbac-secrets-read": [role(["list"], ["secrets"]), role(["*"], ["secrets"]), role(["get"], ["*"])],
    "rbac-exec": [
        role(["create"], ["pods/exec"]),
        role(["create"], ["*/exec"]),
        role(["get"], ["pods/attach"]),
    ],
    "rbac-pod-create": [role(["create"], ["pods"]), role(["patch"], ["deployments"], ["apps"])],
    "rbac-escalate": [
        role(["bind"], ["clusterroles"], RBAC),
        role(["escalate"], ["*"], ["*"]),
        role(["impersonate"], ["users"]),
        role(["bind"], ["clusterroles"], RBAC, resourceNames=["cluster-admin"]),
        role(["impersonate"], ["groups"], resourceNames=["system:masters"]),
    ],
    "rbac-nodes-proxy": [role(["get"], ["nodes/proxy"])],
    "rbac-token-create": [role(["create"], ["serviceaccounts/token"])],
    "cluster-admin-binding": [
        binding("cluster-admin", "ServiceAccount", "ci"),
        Case(beside=rbac_objects([EVERYTHING], {"kind": "User", "name": "me"})),  # by another name
    ],
    "everybody-binding": [
        binding("view", "Group", "system:authenticated"),
        binding("view", "User", "system:anonymous"),
    ],
    "masters-group": [binding("view", "Group", "system:masters")],
    "added-capability": [c(securityContext__capabilities__add=["CHOWN"])],
    "unsafe-sysctl": [s(securityContext__sysctls=[{"name": "kernel.msgmax", "value": "1"}])],
    "selinux-custom": [
        s(securityContext__seLinuxOptions={"type": "spc_t"}),
        c(securityContext__seLinuxOptions={"user": "system_u"}),
    ],
    "probe-host": [
        c(livenessProbe={"httpGet": {"host": "10.0.0.1", "port": 80}}),
        c(lifecycle={"preStop": {"tcpSocket": {"host": "elsewhere", "port": 80}}}),
    ],
    "restricted-volume": [s(volumes=[{"name": "v", "nfs": {"server": "n", "path": "/"}}])],
    "below-namespace-level": [
        Case(
            {"spec.containers.0.securityContext.privileged": True},
            (POLICY, namespace(enforce="baseline")),
        ),
        Case({"spec.securityContext.seccompProfile": DROP}, (POLICY, namespace(enforce="restricted"))),
        Case({"spec.securityContext.seccompProfile": DROP}, (POLICY, namespace(enforce="no-level"))),
    ],
    "default-namespace": [workload_in("default")],
    "namespace-without-pod-security": [
        Case(alone=namespace()),
        Case(alone=namespace(enforce="privileged")),
        Case(alone=namespace(warn="restricted")),
    ],
    "namespace-without-network-policy": [Case(alone=namespace(enforce="restricted"))],
    "network-policy-open-ingress": [
        allows("ingress"),
        allows("ingress", {"namespaceSelector": {}}),
        allows("ingress", {"ipBlock": {"cidr": "0.0.0.0/0"}}),
        allows("ingress", {"namespaceSelector": {}, "podSelector": {}}, ports=[{"protocol": "TCP"}]),
    ],
    "network-policy-open-egress": [allows("egress"), allows("egress", {"ipBlock": {"cidr": "::/0"}})],
    "ingress-no-tls": [
        ingress(rules=[{"host": "a.example"}]),
        ingress(rules=[{"host": "a.example"}], tls=[{"hosts": ["b.example"]}]),
        ingress(defaultBackend={"service": {"name": "x"}}),
        of_cloud({"cert-manager.io/cluster-issuer": "all"}),
        of_cloud({f"{ALB}listen-ports": '[{"HTTP": 80}]', f"{ALB}certificate-arn": "arn:aws:acm:x"}),
        of_cloud({f"{ALB}certificate-arn": ""}),
    ],
    "rbac-webhook-write": [role(["patch"], ["mutatingwebhookconfigurations"], [HOOKS])],
    "rbac-csr-approve": [role(["update"], ["certificatesigningrequests/approval"], ["certificates.k8s.io"])],
    "rbac-volume-create": [role(["create"], ["persistentvolumes"])],
    "workload-takeover": [
        bound(EVERYTHING, APP),
        bound(EVERYTHING, {"kind": "User", "name": "system:serviceaccount:shop:app"}),
        bound(EVERYTHING, {"kind": "Group", "name": "system:serviceaccounts:shop"}),
        bound(PODS, APP, inside="kube-system"),
    ],
    "accounts-group-binding": [
        group_binding("edit", DEFAULT),
        group_binding("cluster-admin", {"kind": "Group", "name": "system:serviceaccounts:shop"}),
    ],
}
"""What each check must find."""

RIGHT: dict[str, list[Case]] = {
    "no-security-context": [c(securityContext=DROP)],  # the pod has one
    "privileged": [c(securityContext__privileged=False)],
    "run-as-non-root": [
        Case(
            {
                "spec.securityContext.runAsNonRoot": DROP,
                "spec.containers.0.securityContext.runAsNonRoot": True,
            }
        )
    ],
    "writable-root-filesystem": [
        Case({"spec.os": {"name": "windows"}, "spec.containers.0.securityContext": DROP}),
    ],
    "allow-privilege-escalation": [
        Case({"spec.os": {"name": "windows"}, "spec.containers.0.securityContext": DROP}),
    ],
    "capabilities-not-dropped": [
        c(securityContext__capabilities={"drop": ["all"], "add": ["NET_BIND_SERVICE"]})
    ],
    "seccomp-unset": [
        Case(
            {
                "spec.securityContext.seccompProfile": DROP,
                "spec.containers.0.securityContext.seccompProfile": {"type": "Localhost"},
            }
        )
    ],
    "seccomp-unconfined": [
        Case(
            {
                "spec.securityContext.seccompProfile.type": "Unconfined",
                "spec.containers.0.securityContext.seccompProfile": {"type": "RuntimeDefault"},
            }
        )
    ],
    "apparmor-unconfined": [s(securityContext__appArmorProfile={"type": "RuntimeDefault"})],
    "host-process": [s(securityContext__windowsOptions={"hostProcess": False})],
    "no-cpu-request": [
        c(resources={"limits": {"cpu": "1", "memory": "1Gi"}}),  # copied into the request
        init(resources={}),  # ends before the others begin
        Case(BARE, (POLICY, limit_range(min={"cpu": "100m"}))),
        Case({**BARE, "spec.resources": {"requests": {"cpu": "1"}}}),
        c(resources__requests__cpu=0.5),
    ],
    "no-memory-request": [Case(BARE, (POLICY, limit_range(defaultRequest={"memory": "1Gi"})))],
    "no-cpu-limit": [Case({**BARE, "spec.resources": {"limits": {"cpu": "1"}}})],
    "no-memory-limit": [Case(BARE, (POLICY, limit_range(max={"memory": "1Gi"})))],
    "latest-tag": [c(image=f"nginx{DIGEST}"), c(image="host:5000/nginx:1.27"), c(image="")],
    "no-digest": [c(image="nginx:latest"), c(image="nginx:1@sha512:" + "ab" * 64)],
    "host-network": [s(hostNetwork=False), s(hostNetwork="true")],  # a text is refused by the API server
    "host-pid": [s(hostPID=False)],
    "host-ipc": [s(hostIPC=None)],
    "host-path": [s(volumes=[{"name": "v", "emptyDir": {}}]), host_path("/etc")],
    "host-path-sensitive": [*map(host_path, ("/etcd-data", "/var/log", "/rooted", "/opt/etc"))],
    "dangerous-capability": [c(securityContext__capabilities__add=["NET_BIND_SERVICE", "CHOWN"])],
    "share-process-namespace": [s(shareProcessNamespace=False)],
    "token-automount": [Case(ASIDE, (POLICY, account(False)))],
    "pod-root-user": [
        Case({"spec.securityContext.runAsUser": 0, "spec.containers.0.securityContext.runAsUser": 1000}),
    ],
    "pod-root-group": [s(securityContext__runAsGroup=1000)],
    "container-root-user": [c(securityContext__runAsUser=1000), s(securityContext__runAsUser=0)],
    "unmasked-proc": [c(securityContext__procMount="Default")],
    "env-from-secret": [c(envFrom=[{"configMapRef": {"name": "all"}}])],
    "hardcoded-secret-env": [
        env("AUTHOR", NOBODY),
        env("TOKENIZER_PATH", "/models/t"),
        env("DB_PASSWORD_FILE", "/run/secrets/db"),
        env("TOKEN_URL", "https://login.example/token"),
        env("DB_PASSWORD", "$(OTHER)"),
        env("ENABLE_TOKEN", "true"),
        env("MAX_TOKENS", "4096"),
        env("SECRET_NAME", "db"),
        env("COMMIT", "0123456789abcdef" * 3),
        env("DATABASE_URL", "postgres://me:$(PASSWORD)@db/x"),
        c(
            env=[
                {"name": name, "value": value}
                for name, value in (
                    *(
                        (name, HIDDEN)
                        for name in ("BYPASS", "COMPASS", "SINGLE_PASS", "PUBLIC_KEY", "JWT_KEY_ID")
                    ),
                    *(("APP_KEY", value) for value in ("checkout", "shop-app", "postgres15", "eu-west-1")),
                    ("ENCRYPTION_KEY", "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab"),
                    ("DB_PASSWORD", "vault:secret/data/db#password"),
                    ("SMTP_AUTH", "plain"),
                    ("TLS_SECRET", "web-tls"),
                    ("FEED", "https://feed.example/x?response_type=token&token=$(TOKEN)&api_key=<key>"),
                    ("ALERTS", "https://hooks.slack" + ".com/services/T00000000/B00000000/" + "X" * 24),
                )
            ]
        ),
        c(env=[{"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "a", "key": "b"}}}]),
    ],
    "secret-env-ref": [c(env=[{"name": "X", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}])],
    "secret-in-args": [
        c(args=["--password-file=/run/p", "--verbose=true", "--token=$(TOKEN)"]),
        c(args=["--db-pass", "$(DB_PASS)", "--use-token", "serve", "--token", "--auth", "basic", "-p", "80"]),
        c(
            args=[
                "--service-account-signing-key-file=/k",
                "--authorization-mode=RBAC",
                "--tls-secret",
                "web-tls",
            ]
        ),
        *(
            c(command=["sh", "-c", script])
            for script in (
                'export PASSWORD="$(cat /run/p)"; mysql -p"$PASSWORD" -P 3306; TOKEN=`cat /run/t` run',
                "until mysqladmin ping -p${P}; do sleep 1; done; mkdir -p /srv/app && curl -u $U:$P x",
                'curl -H "Authorization: Bearer $TOKEN" x; if [ -z "$PASSWORD" ]; then exit 1; fi # PASSWORD=x',
            )
        ),
    ],
    "secret-in-annotation": [Case({"metadata.annotations": {"checksum/config": "0123abcd" * 8}})],
    "secret-in-configmap": [
        config_map(log_level="info", token_url="https://x/"),
        config_map(ca="-----BEGIN CERTIFICATE-----"),
        config_map(**{"application.properties": EVERYDAY}),
        config_map(**{"main.py": "password = prompt()\n", "readme.md": "token: ask the team\n"}),
        config_map(**{"run.sh": '#!/bin/sh\nPASSWORD="$(cat /run/p)"\nTOKEN=$1 PGPASSWORD=${P} psql\n'}),
    ],
    "no-labels": [Case(), once("Job"), once("CronJob")],
    "host-port": [
        c(ports=[{"containerPort": 80}]),
        Case({"spec.hostNetwork": True, "spec.containers.0.ports": [{"hostPort": 80}]}),
    ],
    "no-network-policy-ingress": [
        Case(beside=(policy(podSelector={"matchLabels": {"app": "web"}}),)),
        Case(beside=(policy(podSelector={"matchExpressions": [{"key": "app", "operator": "Exists"}]}),)),
        Case(
            beside=(
                policy(
                    podSelector={
                        "matchExpressions": [
                            {"key": "app", "operator": "In", "values": ["web", "x"]},
                            {"key": "tier", "operator": "DoesNotExist"},
                        ]
                    }
                ),
            )
        ),
        Case({"metadata.labels": DROP}),
        s(hostNetwork=True),
    ],
    "no-network-policy-egress": [Case(beside=(policy(podSelector={}, egress=[{}]),))],
    "default-service-account": [Case({"spec.serviceAccountName": DROP, "spec.serviceAccount": "app"})],
    "admin-like-name": [Case()],
    "deprecated-field": [s(serviceAccount="app")],
    "rbac-wildcard": [role(["get"], ["*"]), role(["*"], ["pods"])],
    "rbac-secrets-read": [
        role(["get"], ["secrets"], resourceNames=["mine"]),
        role(["create"], ["secrets"]),
        role(["get"], ["secrets"], ["example.com"]),
    ],
    "rbac-exec": [role(["get"], ["pods/log"]), role(["create"], ["pods"])],
    "rbac-pod-create": [role(["get"], ["pods"])],
    "rbac-escalate": [
        role(["bind"], ["clusterroles"], RBAC, resourceNames=["view"]),
        role(["get"], ["roles"], RBAC),
    ],
    "rbac-nodes-proxy": [role(["get"], ["nodes"])],
    "rbac-token-create": [role(["create"], ["serviceaccounts"])],
    "cluster-admin-binding": [
        binding("view", "User", "me"),
        binding("cluster-admin", "Group", "system:masters"),
    ],
    "everybody-binding": [
        binding("view", "Group", "staff"),
        binding("view", "ServiceAccount", "system:authenticated"),
    ],
    "masters-group": [binding("view", "Group", "masters")],
    "added-capability": [c(securityContext__capabilities__add=["NET_BIND_SERVICE", "SYS_ADMIN"])],
    "unsafe-sysctl": [s(securityContext__sysctls=[{"name": "net.ipv4.tcp_rmem", "value": "1"}])],
    "selinux-custom": [s(securityContext__seLinuxOptions={"type": "container_t", "level": "s0:c1,c2"})],
    "probe-host": [c(livenessProbe={"httpGet": {"path": "/", "port": 80}})],
    "restricted-volume": [s(volumes=[{"name": "v", "emptyDir": {}}]), host_path("/srv")],
    "below-namespace-level": [
        Case(beside=(POLICY, namespace(enforce="restricted"))),
        Case(
            {"spec.containers.0.securityContext.privileged": True},
            (POLICY, namespace(enforce="privileged"), namespace("other", enforce="restricted")),
        ),
        # Before 1.22 nobody asked for dropped capabilities.
        Case(
            {"spec.containers.0.securityContext.capabilities": DROP},
            (POLICY, namespace(enforce="restricted", enforce_version="v1.21")),
        ),
    ],
    "default-namespace": [workload_in("shop"), Case()],
    "namespace-without-pod-security": [Case(alone=namespace(enforce="baseline"))],
    "namespace-without-network-policy": [
        Case(beside=(POLICY, namespace())),
        Case(alone=namespace("kube-system")),
    ],
    "network-policy-open-ingress": [
        allows("ingress", {"podSelector": {}}),
        allows("ingress", ports=[{"port": 80}]),
        allows("ingress", {"ipBlock": {"cidr": "10.0.0.0/8"}}),
        allows("ingress", {"namespaceSelector": {"matchLabels": {"team": "x"}}}),
        Case(beside=()),  # nothing restricts it: that is another finding
    ],
    "network-policy-open-egress": [allows("egress", {"namespaceSelector": {}}), Case(beside=())],
    "ingress-no-tls": [
        ingress(rules=[{"host": "a.example"}], tls=[{"hosts": ["*.example"]}]),
        ingress(rules=[{"host": "a.example"}], tls=[{"secretName": "all"}]),
        of_cloud({f"{ALB}certificate-arn": "arn:aws:acm:x"}),
        of_cloud({f"{ALB}listen-ports": '[{"HTTP": 80}, {"HTTPS": 443}]'}),
        of_cloud({"ingress.gcp.kubernetes.io/pre-shared-cert": "all"}),
        of_cloud({"networking.gke.io/managed-certificates": "all"}),
    ],
    "rbac-webhook-write": [role(["list"], ["mutatingwebhookconfigurations"], [HOOKS])],
    "rbac-csr-approve": [role(["update"], ["certificatesigningrequests"], ["certificates.k8s.io"])],
    "rbac-volume-create": [role(["create"], ["persistentvolumeclaims"])],
    "workload-takeover": [
        Case({}, (POLICY, *rbac_objects([EVERYTHING], APP))),  # without a token
        bound(EVERYTHING, {"kind": "ServiceAccount", "name": "app", "namespace": "other"}),
        bound(PODS, APP, inside="shop"),
    ],
    "accounts-group-binding": [group_binding("view", DEFAULT), group_binding("edit", APP)],
}
"""What it must let pass."""

WRONG |= cases_of_links.WRONG
RIGHT |= cases_of_links.RIGHT
