"""Scanning manifests: CPU time of an object, and memory beside folders of different sizes, each in its own process."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

SIZES = (1_000, 10_000)
# One in so many has the faults; the rest are as they should be.
SHAPES = {"nothing wrong": 0, "all wrong": 1}
PER_FILE = 50

_GOOD = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web-{n}
  namespace: shop-{namespace}
  labels: {{app.kubernetes.io/name: web-{n}, app.kubernetes.io/part-of: shop}}
spec:
  replicas: 2
  selector: {{matchLabels: {{app: web-{n}}}}}
  template:
    metadata:
      labels: {{app: web-{n}}}
    spec:
      serviceAccountName: web
      automountServiceAccountToken: false
      securityContext:
        runAsNonRoot: true
        runAsUser: 10001
        seccompProfile: {{type: RuntimeDefault}}
      containers:
        - name: web
          image: registry.example/web:1.2.3@sha256:{digest}
          ports: [{{name: http, containerPort: 8080}}]
          env:
            - {{name: LOG_LEVEL, value: info}}
            - {{name: LISTEN, value: "0.0.0.0:8080"}}
          readinessProbe: {{httpGet: {{path: /ready, port: http}}}}
          resources:
            requests: {{cpu: 100m, memory: 128Mi}}
            limits: {{cpu: "1", memory: 256Mi, ephemeral-storage: 1Gi}}
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities: {{drop: [ALL]}}
          volumeMounts:
            - {{name: tmp, mountPath: /tmp}}
      volumes:
        - {{name: tmp, emptyDir: {{}}}}
"""
_BAD = """\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: bad-{n}, namespace: shop-{namespace}}}
spec:
  template:
    metadata: {{labels: {{app: bad-{n}}}}}
    spec:
      hostNetwork: true
      containers:
        - name: web
          image: web
          env: [{{name: DB_PASSWORD, value: Nobody{n}}}]
          securityContext: {{privileged: true}}
"""
_BESIDE = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: deny, namespace: shop-{namespace}}}
spec: {{podSelector: {{}}, policyTypes: [Ingress, Egress]}}
---
apiVersion: v1
kind: ServiceAccount
metadata: {{name: web, namespace: shop-{namespace}}}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {{name: all, namespace: shop-{namespace}}}
spec: {{selector: {{}}, maxUnavailable: 1}}
"""
_PROGRAM = """
import datetime, json, sys, time
from pathlib import Path
from akmatori_server.kubernetes.scans.model import ScanOptions
from akmatori_server.kubernetes.scans.scan import scan_folders
folder = Path(sys.argv[1])
def held(_=None):
    # Now, not the peak: not every kernel that this runs on keeps the peak up to date.
    lines = Path("/proc/self/status").read_text().splitlines()
    seen.append(int(next(line for line in lines if line.startswith("VmRSS")).split()[1]))
def sample(_, count=iter(range(10**9))):
    if next(count) % 100 == 0:
        held()
seen = []
held()
begin = time.process_time()
result = scan_folders([folder], ScanOptions(today=datetime.date(2026, 1, 1)), on_verdict=sample)
cpu = time.process_time() - begin
# Those who write the result read it once.
count = sum(1 for number, _ in enumerate(result.findings) if number % 1000 or not held())
before, after = seen[0], max(seen)
print(json.dumps({"cpu": cpu, "objects": result.objects, "findings": count, "before": before, "after": after}))
"""


def write_folder(folder: Path, workloads: int, wrong: int) -> None:
    """Write so many workloads, of which one in `wrong` has faults."""
    for first in range(0, workloads, PER_FILE):
        namespace = first // PER_FILE % 20
        documents = [_BESIDE.format(namespace=namespace)] if first < 20 * PER_FILE else []
        for n in range(first, first + PER_FILE):
            text = _BAD if wrong and n % wrong == 0 else _GOOD
            documents.append(text.format(n=n, namespace=namespace, digest=f"{n:064x}"))
        (folder / f"{first:06}.yaml").write_text("---\n".join(documents))


def main() -> None:
    """Print the table."""
    table = Table(title="Scan of a folder (one process)", title_justify="left")
    for heading in ("folder", "workloads", "findings", "CPU µs an object", "memory, MiB", "of it the scan's"):
        table.add_column(heading, justify="left" if heading == "folder" else "right")
    for name, wrong in SHAPES.items():
        for size in SIZES:
            with tempfile.TemporaryDirectory() as folder:
                write_folder(Path(folder), size, wrong)
                done = subprocess.run(
                    [sys.executable, "-c", _PROGRAM, folder], check=True, capture_output=True, text=True
                )
            measured = json.loads(done.stdout)
            table.add_row(
                name,
                str(size),
                str(measured["findings"]),
                f"{measured['cpu'] / measured['objects'] * 1e6:.0f}",
                f"{measured['after'] / 1024:.0f}",
                f"{(measured['after'] - measured['before']) / 1024:.1f}",
            )
    Console().print(table)
    _print_storing()


def _print_storing() -> None:
    program = [sys.executable, "-m", "bench.kubernetes_reports"]
    done = subprocess.run(program, check=True, capture_output=True, text=True)
    table = Table(title="Storing 100,000 findings twice, and reading them (SQLite)", title_justify="left")
    table.add_column("what")
    table.add_column("measured", justify="right")
    for name, value in json.loads(done.stdout.splitlines()[-1]).items():
        table.add_row(name, str(value))
    Console().print(table)


if __name__ == "__main__":
    main()
