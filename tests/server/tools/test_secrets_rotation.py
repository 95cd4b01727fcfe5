"""Changing the key of stored secrets, and finding those that no key opens."""

from __future__ import annotations

import re
import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from cryptography.fernet import Fernet, InvalidToken

from akmatori_server.alert_sources.models import NewAlertSource
from akmatori_server.alert_sources.service import AlertSourceService
from akmatori_server.audit import AuditTrail
from akmatori_server.audit.models import Entry, Filter
from akmatori_server.auth.service import signing_secret
from akmatori_server.config import ConfigurationError
from akmatori_server.crypto import KEY_FILE, SecretBox
from akmatori_server.database import Database, metadata
from akmatori_server.database.migrate import migrate
from akmatori_server.mcp_servers.models import McpServerMembers, Transport
from akmatori_server.mcp_servers.service import McpServerService
from akmatori_server.pagination import PageRequest
from akmatori_server.process_lock import ProcessLock
from akmatori_server.secrets_commands import secrets
from akmatori_server.secrets_rotation import (
    SEALED_COLUMNS,
    UnreadableSecretsError,
    check_readable,
    forget,
    rotate,
    write_keys,
)
from akmatori_server.settings.tables import llm_configs, proxy_settings, slack_settings
from akmatori_server.tools.models import NewSshKey
from akmatori_server.tools.service import ToolService
from akmatori_server.tools.ssh_keys import SshKeyService
from akmatori_server.tools.tables import tools
from tests.server.tools import key_texts
from tests.server.tools.workshop import Workshop, make_workshop

TOKEN = re.compile(r"gAAAA[A-Za-z0-9_=-]+")
GRAFANA = {"grafana_url": "https://grafana.example.net", "grafana_api_token": "glsa_first"}


def fill(workshop: Workshop) -> dict[str, int]:
    """Store secrets of every kind there is."""
    ids = {"grafana": workshop.tool("grafana", "Grafana", **GRAFANA), "ssh": workshop.tool("ssh", "Hosts")}
    for name in ("a", "b"):
        with workshop.tools.transaction() as connection:
            workshop.keys.add_in(
                connection, None, ids["ssh"], NewSshKey(name=name, private_key=key_texts.openssh())
            )
    servers = McpServerService(workshop.database, workshop.secrets, workshop.audit, now=workshop.clock)
    for members in (
        McpServerMembers(
            name="a",
            transport=Transport.STDIO,
            command="x",
            namespace_prefix="a",
            env_vars={"A": "1", "B": "2"},
        ),
        McpServerMembers(
            name="b",
            transport=Transport.SSE,
            url="https://b.example.net/mcp",
            namespace_prefix="b",
            auth_config={"method": "bearer_token", "token": "t-b", "headers": {"X.Team": "ops"}},
        ),
    ):
        with servers.transaction() as connection:
            ids[f"mcp {members.name}"] = servers.create_in(connection, None, members).id
    sources = AlertSourceService(workshop.database, workshop.secrets, now=workshop.clock)
    sources.seed_types()
    sources.create(NewAlertSource(source_type_name="zabbix", name="z", webhook_secret="the-webhook"))
    signing_secret(workshop.database, workshop.secrets, None, now=workshop.clock.now)
    with workshop.database.write() as connection:
        for table, row in (
            (slack_settings, {"alerts_channel": "", "enabled": True}),
            (proxy_settings, {"url": "", "no_proxy": "", "services": []}),
            (
                llm_configs,
                {
                    "name": "n",
                    "provider": "openai",
                    "model": "m",
                    "thinking_level": "off",
                    "base_url": "",
                    "enabled": True,
                    "active": False,
                },
            ),
        ):
            connection.execute(sa.delete(table))
            sealed = {
                one.column: workshop.secrets.encrypt("secret", f"{table.name}:1:{one.column}")
                for one in SEALED_COLUMNS
                if one.table is table
            }
            moments = {"created_at": workshop.clock.now, "updated_at": workshop.clock.now}
            connection.execute(sa.insert(table).values(id=1, **row, **sealed, **moments))
    return ids


def tokens(workshop: Workshop) -> list[str]:
    """Find everything that is encrypted, wherever it is."""
    return TOKEN.findall(workshop.everything())


def opens(key: str, token: str) -> bool:
    """Whether this one key opens a token."""
    try:
        Fernet(key).decrypt(token.encode())
    except InvalidToken:
        return False
    return True


def with_keys(workshop: Workshop, *keys: str) -> ToolService:
    """Return the tools as a server with these keys has them."""
    return ToolService(workshop.database, SecretBox(keys), workshop.audit, now=workshop.clock)


def test_everything_that_is_encrypted_gets_the_newest_key(database: Database) -> None:
    """Found by looking through the whole database, so that no table can be forgotten."""
    workshop = make_workshop(database)
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    workshop = Workshop(
        database,
        workshop.clock,
        SecretBox([old]),
        workshop.audit,
        with_keys(workshop, old),
        SshKeyService(with_keys(workshop, old), workshop.audit),
    )
    ids = fill(workshop)
    before = tokens(workshop)
    keys_before = workshop.tools.opened(ids["ssh"]).private_keys
    count = rotate(database, SecretBox([new, old]))
    after = tokens(workshop)

    assert len(before) == len(after) == count == 1 + 1 + 1 + 2 + 2 + 2 + 3 + 1 + 1
    assert all(opens(old, token) and not opens(new, token) for token in before)
    assert all(opens(new, token) and not opens(old, token) for token in after)
    renewed = with_keys(workshop, new)
    assert renewed.opened(ids["grafana"]).settings == GRAFANA
    assert renewed.opened(ids["ssh"]).private_keys == keys_before
    servers = McpServerService(database, SecretBox([new]), workshop.audit, now=workshop.clock)
    assert servers.endpoint(ids["mcp a"]).environment == {"A": "1", "B": "2"}
    assert servers.endpoint(ids["mcp b"]).headers == {"Authorization": "Bearer t-b", "X.Team": "ops"}
    check_readable(database, SecretBox([new]))


def test_what_no_key_opens_stops_the_start_and_the_rotation(workshop: Workshop) -> None:
    """The sentence names places, never content; nothing is changed half."""
    fill(workshop)
    before = tokens(workshop)
    stranger = SecretBox([Fernet.generate_key().decode()])

    for refused in (check_readable, rotate):
        with pytest.raises(UnreadableSecretsError, match="secrets forget") as caught:
            refused(workshop.database, stranger)
        assert isinstance(caught.value, ConfigurationError)
        assert any(place.startswith("tools:") for place in caught.value.places)
        assert "glsa" not in str(caught.value)
    assert tokens(workshop) == before
    check_readable(workshop.database, workshop.secrets)


def test_only_the_signing_key_is_no_reason_to_stop(workshop: Workshop) -> None:
    """The server makes another; all that is lost is that people log in again."""
    signing_secret(workshop.database, workshop.secrets, None, now=workshop.clock.now)

    check_readable(workshop.database, SecretBox([Fernet.generate_key().decode()]))


def test_a_secret_that_was_moved_to_another_place_is_not_readable(workshop: Workshop) -> None:
    """Whoever can write the database cannot have one tool send another one's token."""
    one = workshop.tool("grafana", "One", **GRAFANA)
    other = workshop.tool("grafana", "Other", **{**GRAFANA, "grafana_api_token": "glsa_other"})
    with workshop.database.write() as connection:
        stored: Any = connection.execute(sa.select(tools.c.settings).where(tools.c.id == one)).scalar_one()
        connection.execute(sa.update(tools).where(tools.c.id == other).values(settings=stored))

    with pytest.raises(UnreadableSecretsError) as caught:
        check_readable(workshop.database, workshop.secrets)
    assert caught.value.places == [f"tools:{other}:settings.grafana_api_token"]


def test_what_is_lost_can_be_forgotten(workshop: Workshop) -> None:
    """Only that; a tool keeps its other settings, and one of its keys stays the default."""
    ids = fill(workshop)
    lost = SecretBox([Fernet.generate_key().decode()])
    reopened = ToolService(workshop.database, lost, workshop.audit, now=workshop.clock)
    with reopened.transaction() as connection:
        added = SshKeyService(reopened, workshop.audit).add_in(
            connection, None, ids["ssh"], NewSshKey(name="c", private_key=key_texts.openssh())
        )
    both = len(tokens(workshop))
    forgotten = forget(workshop.database, lost)

    assert len(forgotten) == both - 2  # the new key, and the secret that signs tokens
    check_readable(workshop.database, lost)
    assert reopened.opened(ids["grafana"]).settings == {"grafana_url": GRAFANA["grafana_url"]}
    assert [(key.id, key.is_default) for key in reopened.get(ids["ssh"]).keys] == [(added.id, True)]
    assert forget(workshop.database, lost) == []


def database_in(directory: Path) -> Database:
    """Open the database that the commands use, with its tables."""
    database = Database.open(f"sqlite:///{directory / 'akmatori.db'}")
    migrate(database)
    metadata.create_all(database.engine)
    return database


@pytest.fixture
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No settings of the person who runs the tests."""
    for name in ("SECRET_KEY", "SECRET_KEY_FILE", "DATABASE_URL", "DATA_DIR"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(f"AKMATORI_{name}", raising=False)


def audited(database: Database) -> list[Entry]:
    """Return what the commands noted, the newest first."""
    trail = AuditTrail(database, now=lambda: datetime.now(UTC))
    return trail.page(PageRequest(1, 50), wanted=Filter(action="secrets")).items


def run(directory: Path, *arguments: str, **options: Any) -> tuple[int, str]:
    """Run one of the commands."""
    result = CliRunner().invoke(secrets, [*arguments, "--data-dir", str(directory)], **options)
    return result.exit_code, result.output


@pytest.mark.usefixtures("no_environment")
def test_the_key_file_gets_a_new_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The old one opens nothing any more; the file stays its owner's."""
    database = database_in(tmp_path)
    assert run(tmp_path, "check") == (0, "Every stored secret can be read.\n")
    old = (tmp_path / KEY_FILE).read_text()
    workshop = make_workshop(database)
    bench = with_keys(workshop, old)
    tool = Workshop(database, workshop.clock, SecretBox([old]), workshop.audit, bench, workshop.keys).tool(
        "grafana", "G", **GRAFANA
    )

    with ProcessLock(tmp_path):
        assert run(tmp_path, "rotate")[0] == 1
    assert run(tmp_path, "rotate") == (0, "1 secret encrypted with a new key.\n")
    new = (tmp_path / KEY_FILE).read_text()
    assert new != old
    assert [(entry.action, entry.after) for entry in audited(database)] == [
        ("secrets:rotated", {"secrets": 1})
    ]
    assert stat.S_IMODE((tmp_path / KEY_FILE).stat().st_mode) == 0o600
    assert with_keys(workshop, new).opened(tool).settings == GRAFANA
    assert [opens(old, token) for token in tokens(workshop)] == [False]
    monkeypatch.setenv("AKMATORI_SECRET_KEY", old)
    code, output = run(tmp_path, "check")
    assert (code, "1 secret cannot be read" in output) == (1, True)
    monkeypatch.setenv("AKMATORI_SECRET_KEY", f"{old},{new}")
    code, output = run(tmp_path, "rotate")
    assert (code, "take them away" in output) == (0, True)
    assert with_keys(workshop, old).opened(tool).settings == GRAFANA
    database.close()


@pytest.mark.usefixtures("no_environment")
def test_a_rotation_that_was_interrupted_goes_on(tmp_path: Path) -> None:
    """Between the steps the file holds both keys."""
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    database = database_in(tmp_path)
    workshop = make_workshop(database)
    write_keys(tmp_path, (new, old))
    old_tools = with_keys(workshop, old)
    bench = Workshop(database, workshop.clock, SecretBox([old]), workshop.audit, old_tools, workshop.keys)
    bench.tool("grafana", "G", **GRAFANA)

    assert run(tmp_path, "rotate")[0] == 0
    [key] = (tmp_path / KEY_FILE).read_text().split()
    assert key not in {old, new}
    assert [opens(key, token) for token in tokens(workshop)] == [True]
    database.close()


@pytest.mark.usefixtures("no_environment")
def test_forgetting_asks_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And says what it removed."""
    database = database_in(tmp_path)
    workshop = make_workshop(database)
    workshop.tool("grafana", "G", **GRAFANA)
    code, key = 0, CliRunner().invoke(secrets, ["new-key"]).output.strip()
    monkeypatch.setenv("AKMATORI_SECRET_KEY", key)

    code, _output = run(tmp_path, "forget", input="n\n")
    assert code == 1
    assert len(tokens(workshop)) == 1
    code, output = run(tmp_path, "forget", "--yes")
    assert code == 0
    assert "tools:1:settings.grafana_api_token" in output
    forgotten = [entry for entry in audited(database) if entry.action == "secrets:forgotten"]
    assert [entry.after for entry in forgotten] == [{"places": ["tools:1:settings.grafana_api_token"]}]
    assert tokens(workshop) == []
    database.close()


@pytest.mark.usefixtures("no_environment")
def test_a_key_that_is_none_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the key."""
    monkeypatch.setenv("AKMATORI_SECRET_KEY", "hunter2")
    code, output = run(tmp_path, "rotate")

    assert code == 1
    assert "32 bytes" in output
    assert "hunter2" not in output
