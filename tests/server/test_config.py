"""Settings: where they come from, and what is refused."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from akmatori_server.config import ConfigurationError, Options, Settings, load_settings
from akmatori_server.variables import KNOWN, MOST_TOLD, PREFIX, unknown_variables

LONG = "x" * 32


def test_an_empty_environment_is_enough() -> None:
    """Loopback, SQLite in the data directory, the product's defaults."""
    settings = load_settings({"XDG_DATA_HOME": "/data"})

    assert settings.data_dir == Path("/data/akmatori")
    assert settings.database_url == "sqlite:////data/akmatori/akmatori.db"
    assert (settings.host, settings.port, settings.is_loopback) == ("127.0.0.1", 8080, True)
    assert (settings.admin_username, settings.jwt_expiry_hours) == ("admin", 24)


def test_the_prefix_wins_over_the_plain_name_and_an_option_over_both() -> None:
    """An empty value counts as unset."""
    environment = {
        "HTTP_PORT": "1",
        "AKMATORI_HTTP_PORT": "2",
        "ADMIN_USERNAME": "root",
        "AKMATORI_ADMIN_USERNAME": "",
    }

    assert load_settings(environment).port == 2
    assert load_settings(environment).admin_username == "root"
    assert load_settings(environment, Options(port=3)).port == 3


def test_the_products_names_are_read(tmp_path: Path) -> None:
    """All of them."""
    key_file = tmp_path / "key"
    key_file.write_text("new-key\nold-key\n")

    settings = load_settings(
        {
            "ADMIN_USERNAME": "root",
            "ADMIN_PASSWORD": "pw",
            "JWT_SECRET": LONG,
            "JWT_EXPIRY_HOURS": "1",
            "DATABASE_URL": "postgresql://db/akmatori",
            "AKMATORI_SECRET_KEY_FILE": str(key_file),
            "AKMATORI_CORS_ORIGINS": "https://a.example, https://b.example/",
        },
        Options(data_dir=tmp_path, host="::1"),
    )

    assert settings == Settings(
        data_dir=tmp_path,
        database_url="postgresql://db/akmatori",
        host="::1",
        admin_username="root",
        admin_password="pw",
        jwt_secret=LONG,
        jwt_expiry_hours=1,
        secret_keys=("new-key", "old-key"),
        cors_origins=("https://a.example", "https://b.example"),
    )
    assert (settings.is_sqlite, settings.is_loopback) == (False, True)


def test_secrets_do_not_show() -> None:
    """Neither in a repr nor in an error."""
    url = "postgresql://u:hunter2@db/akmatori"
    environment = {"ADMIN_PASSWORD": "hunter2", "JWT_SECRET": "hunter2" * 8, "AKMATORI_SECRET_KEY": "hunter2"}

    assert "hunter2" not in repr(load_settings(environment, Options(database_url=url)))
    with pytest.raises(ConfigurationError) as caught:
        load_settings({"DATABASE_URL": "postgresql//u:hunter2@db"})
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"HTTP_PORT": "65536"}, "HTTP_PORT"),
        ({"HTTP_PORT": "-1"}, "HTTP_PORT"),
        ({"HTTP_PORT": "٣"}, "HTTP_PORT"),
        ({"JWT_EXPIRY_HOURS": "0"}, "JWT_EXPIRY_HOURS"),
        ({"JWT_EXPIRY_HOURS": "1.5"}, "JWT_EXPIRY_HOURS"),
        ({"JWT_SECRET": "short"}, "32 bytes"),
        ({"DATABASE_URL": "mysql://db/x"}, "DATABASE_URL"),
        ({"AKMATORI_CORS_ORIGINS": "*"}, "AKMATORI_CORS_ORIGINS"),
        ({"AKMATORI_LOG_LEVEL": "loud"}, "AKMATORI_LOG_LEVEL"),
        ({"AKMATORI_SECRET_KEY": "a", "AKMATORI_SECRET_KEY_FILE": "b"}, "not both"),
        ({"AKMATORI_SECRET_KEY_FILE": "/nowhere/key"}, "/nowhere/key"),
    ],
)
def test_wrong_values_are_named(environment: dict[str, str], sentence: str) -> None:
    """One sentence with the name of the setting."""
    with pytest.raises(ConfigurationError, match=sentence):
        load_settings(environment)


@pytest.mark.parametrize(
    ("host", "is_loopback"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("localhost", True),
        ("::1", True),
        ("0.0.0.0", False),  # noqa: S104  only compared
        ("::", False),
        ("host", False),
    ],
)
def test_what_is_loopback(host: str, is_loopback: bool) -> None:
    """Only what no other machine can reach."""
    assert load_settings({}, Options(host=host)).is_loopback is is_loopback


def test_a_source_has_three_quarters_of_the_places_unless_it_is_said() -> None:
    """A number, or nothing; and proposals wait for a day."""
    assert load_settings({}).concurrency_per_source is None
    given = load_settings({"AKMATORI_CONCURRENCY_PER_SOURCE": "2", "AKMATORI_PROPOSAL_HOURS": "48"})
    assert (given.concurrency_per_source, given.proposal_hours) == (2, 48)
    for name in ("AKMATORI_CONCURRENCY_PER_SOURCE", "AKMATORI_PROPOSAL_HOURS"):
        with pytest.raises(ConfigurationError, match="whole number"):
            load_settings({name: "0"})


def test_a_number_that_cannot_be_is_named_as_it_is_documented() -> None:
    """Under the name with the prefix, which the documentation uses."""
    for name in ("AKMATORI_CONCURRENCY", "CONCURRENCY"):
        with pytest.raises(ConfigurationError) as raised:
            load_settings({name: "many"})
        assert str(raised.value) == "AKMATORI_CONCURRENCY must be a whole number from 1 to 100."


class Recording(dict[str, str]):
    """An environment that knows what it was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: set[str] = set()

    def get(self, name: str, default: object = None) -> Any:
        """Return nothing."""
        self.asked.add(name)
        return default


def test_every_variable_that_is_read_or_documented_is_known() -> None:
    """What is left is misspelt, but for what Kubernetes and the SDK set."""
    environment = Recording()
    load_settings(environment)
    read = {name for name in environment.asked if name.startswith(PREFIX)}
    assert read == {PREFIX + name for name in KNOWN}
    docs = " ".join(path.read_text() for path in (Path(__file__).parents[2] / "docs").glob("*.md"))
    assert list(unknown_variables(dict.fromkeys(re.findall(r"\bAKMATORI_[A-Z0-9_]+", docs), "x"))) == []
    of_kubernetes = {
        "AKMATORI_PORT": "tcp://10.0.0.1:8080",
        "AKMATORI_SERVICE_HOST": "10.0.0.1",
        "AKMATORI_SERVER_SERVICE_PORT_HTTP": "8080",
        "AKMATORI_SERVER_PORT_8080_TCP_ADDR": "10.0.0.1",
        "NOTIFICATION_FILE": "x",
    }
    wrong = {"AKMATORI_PORT": "9", "AKMATORI_NOTIFICATION_FILE": "x", "AKMATORI_LOGLEVEL": "x"}
    assert list(unknown_variables(of_kubernetes)) == []
    assert {one.name: one.meant for one in unknown_variables(wrong)} == {
        "AKMATORI_PORT": "AKMATORI_HTTP_PORT",
        "AKMATORI_NOTIFICATION_FILE": "AKMATORI_NOTIFICATIONS_FILE",
        "AKMATORI_LOGLEVEL": "AKMATORI_LOG_LEVEL",
    }
    assert len(list(unknown_variables({f"AKMATORI_X{number}": "" for number in range(99)}))) == MOST_TOLD
