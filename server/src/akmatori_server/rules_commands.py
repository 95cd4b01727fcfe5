"""The commands `akmatori-server rules …`: testing a file of correlation rules, and writing one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from akmatori_server import command_options
from akmatori_server.logs import configure_logs

if TYPE_CHECKING:
    from akmatori_server.config import Settings
    from akmatori_server.correlation.cases import CaseResult
    from akmatori_server.correlation.state import RulesState

# Of the process when the file cannot be used; 1 is for cases that fail.
UNREADABLE = 2


class _UnreadableError(click.ClickException):
    exit_code = UNREADABLE


@click.group()
def rules() -> None:
    """Test and show correlation rules: which alerts become one incident."""


@rules.command("test")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="How the results are written.",
)
def test(file: Path, form: str) -> None:
    """Run the cases of FILE against its rules.

    Every case is played through the server's own taking-in of alerts, in a database that is thrown away. Ends with 0
    when all cases pass, 1 when one does not, and 2 when the file cannot be used.
    """
    # The database takes a moment to import, and most commands never use it.
    from akmatori_server.correlation.arena import run_in_arena
    from akmatori_server.correlation.nodes import RulesError
    from akmatori_server.correlation.yaml_text import read_rules_file

    configure_logs("error")
    try:
        document = read_rules_file(file)
    except RulesError as error:
        raise _UnreadableError(f"{file}: {error}") from None
    results = run_in_arena(document)
    if form == "json":
        click.echo(_as_json(results))
    else:
        _print_table(results)
    if not all(result.passed for result in results):
        raise click.exceptions.Exit(1)


@rules.command("show")
@command_options.data_dir
@click.option("--database-url", help="The PostgreSQL database in place of the SQLite file.")
def show(data_dir: Path | None, database_url: str | None) -> None:
    """Print the rules that hold, in the form of a file.

    What the API stored can so be moved to a file: write it there, and name the file in AKMATORI_RULES_FILE.
    """
    import yaml
    from sqlalchemy.exc import SQLAlchemyError

    from akmatori_server.config import ConfigurationError, Options, load_settings
    from akmatori_server.database.migrate import NewerDatabaseError

    configure_logs("error")
    try:
        state = _state(load_settings(options=Options(data_dir=data_dir, database_url=database_url)))
    except (ConfigurationError, NewerDatabaseError) as error:
        raise click.ClickException(str(error)) from None
    except SQLAlchemyError as error:
        cause = str(getattr(error, "orig", None) or type(error).__name__).strip().splitlines()[0]
        raise click.ClickException(f"The database cannot be used: {cause}") from None
    if state.error is not None:
        raise click.ClickException(state.error)
    click.echo(yaml.safe_dump(state.document.as_json(), sort_keys=False, allow_unicode=True), nl=False)


def _state(settings: Settings) -> RulesState:
    from akmatori_server.audit import AuditTrail
    from akmatori_server.correlation.service import RulesService
    from akmatori_server.database import Database
    from akmatori_server.database.migrate import migrate
    from akmatori_server.installation import require_installation, utc_now

    # Showing what is there makes nothing.
    require_installation(settings)
    database = Database.open(settings.database_url)
    try:
        migrate(database)
        trail = AuditTrail(database, now=utc_now)
        service = RulesService(database, trail, file=settings.rules_file, now=utc_now)
        service.load()
        return service.state()
    finally:
        database.close()


def _as_json(results: Sequence[CaseResult]) -> str:
    import orjson

    from akmatori_sdk._generated.akmatori import codec
    from akmatori_server.correlation.view import report_model

    report = codec.encode_correlation_test_report(report_model(results))
    return orjson.dumps(report, option=orjson.OPT_INDENT_2).decode()


def _print_table(results: Sequence[CaseResult]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    if not results:
        console.print("The file has no cases; its rules can be read.")
        return
    table = Table("Case", "Result", "What differs")
    for result in results:
        verdict = Text("passed", "green") if result.passed else Text("failed", "red")
        # As texts: a name in brackets is not one of rich's styles.
        table.add_row(Text(result.name), verdict, Text("\n".join(result.problems)))
    console.print(table)
    failed = sum(not result.passed for result in results)
    console.print(f"{len(results) - failed} of {len(results)} cases passed.")
