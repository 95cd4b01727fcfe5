"""Configurations of language models: both generations of the API, on both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa

from akmatori_sdk._core.model import UNSET
from akmatori_sdk._generated.akmatori import codec, models
from akmatori_server.errors import ApiError, BadRequest, Conflict, NotFound
from akmatori_server.settings.tables import llm_configs
from tests.server.incidents.domain import call
from tests.server.settings.conftest import Office

KEY = "sk-EXAMPLE-cdef"


def create(office: Office, idempotency_key: Any = UNSET, **members: Any) -> models.LlmConfig:
    """Add a configuration."""
    body = codec.decode_create_llm_config_request({"provider": "custom", "name": "Local", **members})
    return office.handlers.create_llm_config(call(), idempotency_key=idempotency_key, body=body).body


def update(office: Office, config_id: int, if_match: Any = UNSET, **members: Any) -> models.LlmConfig:
    """Change a configuration."""
    body = codec.decode_update_llm_config_request(members)
    return office.handlers.update_llm_config(call(), id=config_id, if_match=if_match, body=body).body


def put(office: Office, provider: str, if_match: Any = UNSET, **members: Any) -> models.LlmSettings:
    """Change a provider's configuration as older clients do."""
    body = codec.decode_update_llm_settings_request({"provider": provider, **members})
    return office.handlers.update_llm_settings(call(), if_match=if_match, body=body).body


def activate(office: Office, config_id: int) -> models.LlmConfig:
    """Make a configuration the active one."""
    return office.handlers.activate_llm_config(call(), id=config_id, if_match=UNSET).body


def delete(office: Office, config_id: int) -> str:
    """Delete a configuration."""
    return office.handlers.delete_llm_config(call(), id=config_id, if_match=UNSET).message


def everything(office: Office) -> models.LlmSettings:
    """Read all configurations."""
    return office.handlers.get_llm_settings(call()).body


def named(office: Office, name: str) -> models.LlmConfig:
    """Read the configuration with this name."""
    return next(config for config in everything(office).configs if config.name == name)


def test_an_empty_table_is_filled_with_one_of_each(office: Office) -> None:
    """By provider and name; OpenAI is active, none has a key."""
    shown = everything(office)

    assert [(c.provider, c.name, c.model, c.active) for c in shown.configs] == [
        ("anthropic", "Anthropic", "claude-sonnet-4-6", False),
        ("custom", "Custom", "", False),
        ("google", "Google", "gemini-3-pro-preview", False),
        ("openai", "OpenAI", "gpt-5.5", True),
        ("openrouter", "OpenRouter", "openai/gpt-5.5", False),
    ]
    assert {(c.api_key, c.thinking_level, c.base_url) for c in shown.configs} == {("", "medium", "")}
    assert {(c.enabled, c.is_configured) for c in shown.configs} == {(False, False)}


def test_filling_again_changes_nothing(office: Office) -> None:
    """At every start."""
    put(office, "anthropic", api_key=KEY)
    delete(office, named(office, "Custom").id)
    before = everything(office)
    office.clock.tick()
    office.settings.seed()

    assert everything(office) == before


def test_the_answer_suits_both_generations(office: Office) -> None:
    """The configurations, and the active one laid flat beside one per provider."""
    put(office, "anthropic", api_key=KEY, model="claude-x", thinking_level="high")
    shown = codec.encode_llm_settings(everything(office))
    active = next(config for config in shown["configs"] if config["active"])

    assert shown["active_id"] == active["id"] == shown["id"]
    assert shown["active_provider"] == shown["provider"] == "anthropic"
    assert set(shown["providers"]) == {"openai", "anthropic", "google", "openrouter", "custom"}
    flat = {name: shown[name] for name in shown["providers"]["anthropic"]}
    assert flat == shown["providers"]["anthropic"]
    assert flat == {
        "api_key": "****cdef",
        "model": "claude-x",
        "thinking_level": "high",
        "base_url": "",
        "is_configured": True,
    }


def test_the_collection_update_activates_with_or_without_a_key(office: Office) -> None:
    """And `enabled` follows the key."""
    without = put(office, "google", model="gemini-y")
    with_key = put(office, "google", api_key=KEY)
    masked = put(office, "google", api_key="****cdef", model="gemini-z")
    cleared = put(office, "google", api_key="")

    assert (without.active_provider, without.is_configured, without.model) == ("google", False, "gemini-y")
    assert (with_key.is_configured, with_key.model) == (True, "gemini-y")
    assert (masked.is_configured, masked.model) == (True, "gemini-z")
    assert cleared.is_configured is False
    assert [c.name for c in everything(office).configs if c.active] == ["Google"]
    assert named(office, "Google").enabled is False


def test_the_collection_update_is_for_the_active_one_of_a_provider(office: Office) -> None:
    """Else for its oldest; a provider that has none is not found."""
    second = create(office, provider="openai", name="A second", api_key=KEY)
    put(office, "openai", model="for-the-first")
    activate(office, second.id)
    put(office, "openai", model="for-the-second")
    activate(office, update(office, named(office, "Google").id, api_key=KEY).id)
    delete(office, named(office, "Custom").id)

    assert named(office, "OpenAI").model == "for-the-first"
    assert named(office, "A second").model == "for-the-second"
    with pytest.raises(NotFound, match="custom"):
        put(office, "custom")


def test_a_new_configuration(office: Office) -> None:
    """Enabled when it has a key, never active; its name is trimmed; empty means the usual level."""
    bare = create(office, name="  Bare ", thinking_level="", base_url=None)
    full = create(
        office, api_key=KEY, model="qwen", thinking_level="xhigh", base_url="https://llm.example.net/v1"
    )

    assert (bare.name, bare.enabled, bare.active, bare.thinking_level) == ("Bare", False, False, "medium")
    assert (full.enabled, full.active, full.is_configured, full.api_key) == (True, False, True, "****cdef")
    assert (full.model, full.thinking_level, full.base_url) == ("qwen", "xhigh", "https://llm.example.net/v1")
    assert office.handlers.get_llm_config(call(), id=full.id).body == full


@pytest.mark.parametrize("members", [{"name": " "}, {"name": "x" * 101}, {"api_key": "****cdef"}])
def test_what_breaks_a_rule_is_refused(office: Office, members: dict[str, str]) -> None:
    """And nothing is stored."""
    with pytest.raises(BadRequest, match=next(iter(members))):
        create(office, **members)

    assert len(everything(office).configs) == 5


def test_a_taken_name_is_a_conflict(office: Office) -> None:
    """On create and update; a configuration may keep its own."""
    with pytest.raises(Conflict):
        create(office, name="OpenAI")
    with pytest.raises(Conflict):
        update(office, named(office, "Google").id, name=" OpenAI ")
    assert update(office, named(office, "Google").id, name="Google").name == "Google"


def test_a_key_makes_a_create_happen_once(office: Office) -> None:
    """A repeat answers the first result, and leaves no second entry in the trail."""
    first, repeat = create(office, "k-1", api_key=KEY), create(office, "k-1", api_key=KEY)

    assert first == repeat
    with pytest.raises(Conflict):
        create(office, "k-1", api_key="another")
    with office.database.read() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM audit_entries")).scalar_one() == 1


def test_members_left_out_or_null_stay(office: Office) -> None:
    """The key too, and its mask keeps it."""
    config = create(office, api_key=KEY, model="m", thinking_level="low", base_url="http://x")
    nulls = dict.fromkeys(["name", "api_key", "model", "thinking_level", "base_url"])
    after = [update(office, config.id), update(office, config.id, **nulls)]
    masked = update(office, config.id, api_key="****cdef")

    for shown in (*after, masked):
        assert {**codec.encode_llm_config(shown), "updated_at": None} == {
            **codec.encode_llm_config(config),
            "updated_at": None,
        }
    assert office.settings.llm().get(config.id).api_key.reveal() == KEY


def test_the_key_switches_a_configuration_on_and_off(office: Office) -> None:
    """And other members can be cleared."""
    config = create(office, model="m", base_url="http://x")
    keyed = update(office, config.id, api_key=KEY)
    cleared = update(office, config.id, api_key="", model="", base_url="")

    assert (keyed.enabled, keyed.is_configured) == (True, True)
    assert (cleared.enabled, cleared.is_configured, cleared.model, cleared.base_url) == (False, False, "", "")


def test_the_active_one_cannot_lose_its_key_or_be_deleted(office: Office) -> None:
    """Nor can the last one be deleted."""
    active = named(office, "OpenAI").id
    with pytest.raises(BadRequest, match="cleared"):
        update(office, active, api_key="")
    with pytest.raises(BadRequest, match="active"):
        delete(office, active)
    for config in everything(office).configs:
        if not config.active:
            delete(office, config.id)
    with office.database.write() as connection:
        connection.execute(sa.update(llm_configs).values(active=False))
    with pytest.raises(BadRequest, match="last"):
        delete(office, active)


def test_activation_needs_a_key_and_takes_the_place(office: Office) -> None:
    """Exactly one is active."""
    google = named(office, "Google").id
    with pytest.raises(BadRequest, match="API key"):
        activate(office, google)
    update(office, google, api_key=KEY)
    activated = activate(office, google)
    again = activate(office, google)

    assert (activated.active, activated.enabled, again.active) == (True, True, True)
    assert [c.id for c in everything(office).configs if c.active] == [google]
    assert everything(office).active_id == google


def test_which_one_investigations_use(office: Office) -> None:
    """The active one, else the oldest that is enabled, else the oldest."""
    chosen = office.settings.llm_active()
    assert chosen is not None
    assert (chosen.name, chosen.is_usable) == ("OpenAI", False)

    update(office, named(office, "Google").id, api_key=KEY)
    with office.database.write() as connection:
        connection.execute(sa.update(llm_configs).values(active=False))
    chosen = office.settings.llm_active()
    assert chosen is not None
    assert (chosen.name, chosen.is_usable, chosen.api_key.reveal()) == ("Google", True, KEY)
    assert everything(office).active_id == chosen.id

    with office.database.write() as connection:
        connection.execute(sa.update(llm_configs).values(enabled=False))
    assert everything(office).provider == "openai"

    with office.database.write() as connection:
        connection.execute(sa.delete(llm_configs))
    assert codec.encode_llm_settings(everything(office)) == {"configs": [], "active_id": 0}


@pytest.mark.parametrize("operation", [update, activate, delete])
def test_an_unknown_id_is_not_found(office: Office, operation: Any) -> None:
    """For every operation."""
    with pytest.raises(NotFound):
        operation(office, 2**53 - 1)
    with pytest.raises(NotFound):
        office.handlers.get_llm_config(call(), id=2**53 - 1)


def test_a_stale_tag_is_refused(office: Office) -> None:
    """That of one configuration, and that of all of them; even within one tick of the clock."""
    config_id = create(office).id
    answer = office.handlers.get_llm_config(call(), id=config_id)
    tags = (answer.headers["ETag"], office.handlers.get_llm_settings(call()).headers["ETag"])
    update(office, config_id, if_match=tags[0], model="first")

    with pytest.raises(Conflict, match="read it again"):
        update(office, config_id, if_match=tags[0], model="second")
    with pytest.raises(Conflict, match="read it again"):
        put(office, "custom", if_match=tags[1], model="second")
    for operation in (office.handlers.delete_llm_config, office.handlers.activate_llm_config):
        with pytest.raises(Conflict, match="read it again"):
            operation(call(), id=config_id, if_match=tags[0])
    assert named(office, "Local").model == "first"


def test_keys_are_encrypted_and_never_shown(office: Office) -> None:
    """Neither in the tables, nor in the trail, nor by a `repr`."""
    config = create(office, api_key=KEY)
    activate(office, config.id)
    put(office, "custom", api_key="sk-ANOTHER-secret-9876")
    with office.database.read() as connection:
        tables = ("llm_configs", "audit_entries", "idempotency_keys")
        dump = str([connection.execute(sa.text(f"SELECT * FROM {t}")).all() for t in tables])  # noqa: S608

    assert "EXAMPLE" not in dump
    assert "ANOTHER" not in dump
    assert "EXAMPLE" not in repr(office.settings.llm())


def test_activations_at_once_leave_one_active(office: Office) -> None:
    """Whoever comes last wins; none fails."""
    ids = [create(office, name=f"n{number}", api_key=KEY).id for number in range(6)]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda config_id: activate(office, config_id), ids * 3))

    assert len([c for c in everything(office).configs if c.active]) == 1


def test_creates_at_once_with_one_name_store_one(office: Office) -> None:
    """The others are conflicts."""

    def attempt(_number: int) -> int:
        try:
            create(office, name="same")
        except ApiError as refusal:
            return refusal.status
        return 201

    with ThreadPoolExecutor(6) as pool:
        statuses = sorted(pool.map(attempt, range(6)))

    assert statuses == [201, 409, 409, 409, 409, 409]
