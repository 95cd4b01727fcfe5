"""Reading the settings, and writing them in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import datetime
from typing import TypeVar

import attrs
import sqlalchemy as sa

from akmatori_server.crypto import SecretBox
from akmatori_server.database import Database
from akmatori_server.errors import BadRequest, Conflict
from akmatori_server.settings import store
from akmatori_server.settings.general import GeneralSettings, checked_url
from akmatori_server.settings.llm import (
    MOST_CONFIGS,
    LlmChanges,
    LlmConfig,
    LlmSettings,
    NewLlmConfig,
    checked_name,
)
from akmatori_server.settings.proxy import ProxyService, ProxySettings
from akmatori_server.settings.retention import RetentionSettings
from akmatori_server.settings.route import Proxy, Route
from akmatori_server.settings.slack import SlackSettings
from akmatori_server.settings.stored import Stored
from akmatori_server.writes import unique_write

NAME_TAKEN = "A configuration with this name exists."

S = TypeVar("S", bound=Stored)


class SettingsWrite:
    """One transaction that changes settings. What it reads is locked until it ends."""

    def __init__(self, connection: sa.Connection, box: SecretBox, now: datetime) -> None:
        self.connection = connection
        self.now = now
        self._box = box

    def general(self) -> GeneralSettings:
        """Read the general settings."""
        return store.general(self.connection, lock=True)

    def put_general(self, changed: GeneralSettings) -> GeneralSettings:
        """Store the general settings, and return them as they are then."""
        stamped = self._stamped(changed)
        store.put_general(self.connection, stamped)
        return stamped

    def slack(self) -> SlackSettings:
        """Read the Slack settings."""
        return store.slack(self.connection, self._box, lock=True)

    def put_slack(self, changed: SlackSettings) -> SlackSettings:
        """Store the Slack settings, and return them as they are then."""
        stamped = self._stamped(changed)
        store.put_slack(self.connection, stamped)
        return stamped

    def proxy(self) -> ProxySettings:
        """Read the proxy settings."""
        return store.proxy(self.connection, self._box, lock=True)

    def put_proxy(self, changed: ProxySettings) -> ProxySettings:
        """Store the proxy settings, and return them as they are then."""
        stamped = self._stamped(changed)
        store.put_proxy(self.connection, stamped)
        return stamped

    def retention(self) -> RetentionSettings:
        """Read the retention settings."""
        return store.retention(self.connection, lock=True)

    def put_retention(self, changed: RetentionSettings) -> RetentionSettings:
        """Store the retention settings, and return them as they are then."""
        stamped = self._stamped(changed)
        store.put_retention(self.connection, stamped)
        return stamped

    def llm(self) -> LlmSettings:
        """Read all configurations of language models."""
        return store.llm(self.connection, self._box, lock=True)

    def add_llm(self, new: NewLlmConfig) -> LlmConfig:
        """Store a new configuration, which is never active.

        Raises:
            BadRequest: a member breaks its rule, or there are too many.
            Conflict: another configuration has this name.
        """
        name, everything = checked_name(new.name), self.llm()
        if everything.is_taken(name):
            raise Conflict(NAME_TAKEN)
        if len(everything.configs) >= MOST_CONFIGS:
            raise BadRequest(f"There can be {MOST_CONFIGS} configurations at most; delete one first.")
        values = {
            "name": name,
            "provider": new.provider.value,
            "model": new.model,
            "thinking_level": new.thinking_level.value,
            "base_url": checked_url(new.base_url, member="base_url"),
            "enabled": False,
            "active": False,
        }
        # The key is encrypted for the row's id, which exists only now.
        config_id = store.add_llm(self.connection, values, now=self.now)
        added = self.llm().get(config_id)
        if not new.api_key:
            return added
        keyed = added.changed(LlmChanges(api_key=new.api_key))
        store.put_llm(self.connection, keyed)
        return keyed

    def put_llm(self, changed: LlmConfig) -> LlmConfig:
        """Store a configuration, and return it as it is then.

        Raises:
            Conflict: another configuration has this name.
        """
        if self.llm().is_taken(changed.name, except_id=changed.id):
            raise Conflict(NAME_TAKEN)
        stamped = self._stamped(changed)
        store.put_llm(self.connection, stamped)
        return stamped

    def activate_llm(self, changed: LlmConfig) -> LlmConfig:
        """Store a configuration and make it the active one; the one that was active is not any more.

        Raises:
            Conflict: another configuration has this name.
        """
        for other in self.llm().configs:
            # First: the database takes one active configuration at most at any time.
            if other.active and other.id != changed.id:
                store.put_llm(self.connection, self._stamped(attrs.evolve(other, active=False)))
        return self.put_llm(attrs.evolve(changed, active=True))

    def delete_llm(self, config: LlmConfig) -> None:
        """Delete a configuration.

        Raises:
            BadRequest: it is the active one, or the last one.
        """
        self.llm().check_deletion(config)
        store.delete_llm(self.connection, config.id)

    def _stamped(self, changed: S) -> S:
        return attrs.evolve(changed, version=changed.version + 1, updated_at=self.now)


class SettingsService:
    """The settings of the installation. Reads are fresh: another server may have changed them."""

    def __init__(self, database: Database, box: SecretBox, *, now: Callable[[], datetime]) -> None:
        self._database = database
        self._box = box
        self.now = now

    def seed(self) -> None:
        """Write what is set before anybody has changed it; called at every start."""
        with self._database.write() as connection:
            store.seed(connection, now=self.now())

    def general(self) -> GeneralSettings:
        """Read the general settings."""
        with self._database.read() as connection:
            return store.general(connection)

    def slack(self) -> SlackSettings:
        """Read the Slack settings; their secrets are decrypted by `reveal`."""
        with self._database.read() as connection:
            return store.slack(connection, self._box)

    def proxy(self) -> ProxySettings:
        """Read the proxy settings; who sends requests asks a `route`."""
        with self._database.read() as connection:
            return store.proxy(connection, self._box)

    def route(self, service: ProxyService) -> Route:
        """Return what tells a service the proxy for a URL, by the settings as they are at that moment."""

        def through(url: str) -> Proxy | None:
            found = self.proxy().proxy_for(url, service)
            return None if found is None else Proxy(found)

        return through

    def retention(self) -> RetentionSettings:
        """Read the retention settings."""
        with self._database.read() as connection:
            return store.retention(connection)

    def llm(self) -> LlmSettings:
        """Read all configurations of language models."""
        with self._database.read() as connection:
            return store.llm(connection, self._box)

    def llm_active(self) -> LlmConfig | None:
        """Return the configuration that investigations use; look at `is_usable` first."""
        return self.llm().chosen

    @contextmanager
    def writing(self) -> Generator[SettingsWrite]:
        """Yield one write transaction; a name that another writer takes meanwhile is a Conflict too."""
        with unique_write(self._database, NAME_TAKEN) as connection:
            yield SettingsWrite(connection, self._box, self.now())
