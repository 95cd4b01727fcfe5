"""The command `aotanami-server serve`: Aotanami's API alone, on the embedded database."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
import click

if TYPE_CHECKING:
    import sqlalchemy as sa

    from akmatori_server.auth.keys import ApiKey
    from akmatori_server.installation import Installation
    from akmatori_server.kubernetes.configuration import KubernetesSettings

# The name of the key that a first start makes.
FIRST_KEY = "first"
NAMESPACES_VARIABLE = "AKMATORI_READABLE_NAMESPACES"


def _checked_namespaces(
    _context: click.Context, _parameter: click.Parameter, names: tuple[str, ...]
) -> tuple[str, ...]:
    """Return the namespaces of the command line, else of the environment; refuse what is none."""
    given = names or tuple(os.environ.get(NAMESPACES_VARIABLE, "").replace(",", " ").split())
    if given:
        from akmatori_server.kubernetes.clusters.configuration import is_namespace

        for name in given:
            if not is_namespace(name):
                sentence = f"{name[:100]} is no name of a namespace."
                if names:
                    raise click.BadParameter(sentence)
                raise click.UsageError(f"{NAMESPACES_VARIABLE}: {sentence}")
    return given


readable_namespaces_option = click.option(
    "--readable-namespace",
    "readable_namespaces",
    multiple=True,
    callback=_checked_namespaces,
    help="Read this namespace where a list of all is forbidden; repeatable. Also AKMATORI_READABLE_NAMESPACES.",
)
"""The option of `scan` and `serve`."""


@click.command()
@click.option("--host", help="Address to listen on. [default: 127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on; 0: any free. [default: 8080]")
@click.option(
    "--data-dir",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where everything is kept. [default: $XDG_DATA_HOME/aotanami]",
)
@click.option(
    "--manifests",
    type=click.Path(path_type=Path, exists=True),
    multiple=True,
    help="A file or folder of manifests; repeatable. Also AKMATORI_MANIFESTS.",
)
@click.option("--context", help="Watch the live cluster of this context of the kubeconfig file.")
@click.option(
    "--kubeconfig",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="The kubeconfig file; else the usual places.",
)
@click.option(
    "--in-cluster", is_flag=True, help="Watch the cluster that this runs in, as its service account."
)
@readable_namespaces_option
@click.option(
    "--clusters",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="The file of clusters to watch; also AKMATORI_CLUSTERS.",
)
def serve(
    host: str | None,
    port: int | None,
    data_dir: Path | None,
    manifests: tuple[Path, ...],
    context: str | None,
    kubeconfig: Path | None,
    in_cluster: bool,
    readable_namespaces: tuple[str, ...],
    clusters: Path | None,
) -> None:
    """Serve the API at /api/v1, and nothing else.

    What is watched is named here or in the environment (AKMATORI_MANIFESTS, AKMATORI_CLUSTERS,
    AKMATORI_IN_CLUSTER); options come on top. The first start on this machine makes an API key and prints it.
    """
    # The frameworks take a second to import; nobody else should wait for them, and who does is told.
    click.echo("Aotanami is starting.", err=True)
    from akmatori_server.app import create_aotanami_app
    from akmatori_server.config import Options
    from akmatori_server.installation import open_installation
    from akmatori_server.kubernetes.first_look import first_look
    from akmatori_server.kubernetes.site import configured_targets
    from akmatori_server.process import address_of, listening_socket, run, sentences, settings_of_process
    from akmatori_server.process_lock import ProcessLock

    with sentences():
        options = Options(host=host, port=port, data_dir=data_dir or _usual_data_dir(os.environ), work=True)
        settings = settings_of_process(options)
        watched = attrs.evolve(
            settings.kubernetes,
            manifests=_manifests(settings.kubernetes, manifests),
            context=context,
            kubeconfig=kubeconfig,
            in_cluster=in_cluster or settings.kubernetes.in_cluster,
            clusters_file=clusters or settings.kubernetes.clusters_file,
            readable_namespaces=readable_namespaces,
        )
        _refuse_nothing(watched)
        _say_what_is_not_used(watched)
        settings = attrs.evolve(settings, kubernetes=watched)
        with contextlib.ExitStack() as stack:
            if settings.is_sqlite:
                stack.enter_context(ProcessLock(settings.data_dir))
            site = open_installation(settings)
            stack.callback(site.close)
            _refuse_open_door(site)
            app = create_aotanami_app(settings, installation=site)
            for sentence in first_look(configured_targets(watched)):
                click.echo(_printable(sentence), err=True)
            listening = stack.enter_context(listening_socket(settings))
            _say_where(site, address_of(settings, listening))
            run(app, site, listening)


def _usual_data_dir(environment: Mapping[str, str]) -> Path | None:
    """Return a folder of its own, so that it runs beside Akmatori; None when the environment names one."""
    if environment.get("AKMATORI_DATA_DIR") or environment.get("DATA_DIR"):
        return None
    home = environment.get("AKMATORI_XDG_DATA_HOME") or environment.get("XDG_DATA_HOME")
    return (Path(home) if home else Path.home() / ".local" / "share") / "aotanami"


def _manifests(
    settings: KubernetesSettings, given: tuple[Path, ...]
) -> tuple[tuple[str, tuple[Path, ...]], ...]:
    if not given:
        return settings.manifests
    named = dict(settings.manifests)
    named["manifests"] = (*named.get("manifests", ()), *given)
    return tuple(named.items())


def _refuse_nothing(settings: KubernetesSettings) -> None:
    named = (
        settings.manifests,
        settings.context,
        settings.kubeconfig,
        settings.in_cluster,
        settings.clusters_file,
    )
    if not any(named):
        raise click.UsageError(
            "Name what to watch: --manifests, or a cluster by --context, --in-cluster or --clusters."
        )


def _say_what_is_not_used(settings: KubernetesSettings) -> None:
    one = settings.context or settings.kubeconfig or settings.in_cluster
    if settings.readable_namespaces and not one:
        click.echo(
            f"--readable-namespace ({NAMESPACES_VARIABLE}) is not used: it is for the cluster of --context,"
            " --kubeconfig or --in-cluster; the file of clusters has readableNamespaces for each.",
            err=True,
        )


def _refuse_open_door(site: Installation) -> None:
    from akmatori_server.config import ConfigurationError

    if not site.settings.is_loopback and not _can_be_called(site):
        raise ConfigurationError(
            f"Refusing to listen on {site.settings.host}: nobody could call the server. Make a key first with"
            f" `akmatori-server keys create NAME --data-dir {site.settings.data_dir}`, or set AKMATORI_K8S_AUTH."
        )


def _can_be_called(site: Installation) -> bool:
    from akmatori_server.kubernetes.access.model import AuthMode

    return site.settings.kubernetes.access.mode is not AuthMode.NONE or bool(site.auth.keys.all())


def _say_where(site: Installation, base: str) -> None:
    click.echo(f"Aotanami listens on {base}/api/v1, described at {base}/api/v1/openapi.json.", err=True)
    click.echo(f"Data directory: {site.settings.data_dir}", err=True)
    if _can_be_called(site):
        return
    key = _first_key(site)
    click.echo("This key opens it, is shown this once, and may read and write:", err=True)
    click.echo(key)
    click.echo(f"  curl -H 'X-API-Key: {key}' {base}/api/v1/clusters", err=True)


def _printable(text: str) -> str:
    return "".join(mark if mark.isprintable() else "\N{REPLACEMENT CHARACTER}" for mark in text)


def _first_key(site: Installation) -> str:
    from akmatori_server.audit import Action, AuditTrail
    from akmatori_server.http.call import Scope

    trail = AuditTrail(site.database, now=site.now)

    def record(connection: sa.Connection, key: ApiKey) -> None:
        made = {"id": key.id, "name": key.name, "scope": key.scope.value, "hint": key.hint}
        trail.record(connection, None, Action.API_KEY_CREATED, f"api_key:{key.id}", None, made)

    return site.auth.create_key(FIRST_KEY, Scope.WRITE, record=record).text
