"""Configurations of language models, and the rules about them."""

from __future__ import annotations

import enum

import attrs

from akmatori_server.complaints import required_text
from akmatori_server.errors import BadRequest, NotFound
from akmatori_server.secrets.secret import Secret
from akmatori_server.settings.general import checked_url
from akmatori_server.settings.stored import Stored

LONGEST_NAME = 100
MOST_CONFIGS = 1000


class LlmProvider(enum.StrEnum):
    """Who serves the model; `custom` is any server that speaks OpenAI's API."""

    OPENAI = "openai"
    ANTHROPIC = "anthropic"
    GOOGLE = "google"
    OPENROUTER = "openrouter"
    CUSTOM = "custom"


class ThinkingLevel(enum.StrEnum):
    """How long the model may think before it answers."""

    OFF = "off"
    MINIMAL = "minimal"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    XHIGH = "xhigh"


@attrs.frozen(kw_only=True)
class NewLlmConfig:
    """What a caller gives to add a configuration."""

    provider: LlmProvider
    name: str
    api_key: str = attrs.field(default="", repr=False)
    model: str = ""
    thinking_level: ThinkingLevel = ThinkingLevel.MEDIUM
    base_url: str = ""


# What an empty table is filled with, the first of them active.
FIRST_CONFIGS = (
    NewLlmConfig(provider=LlmProvider.OPENAI, name="OpenAI", model="gpt-5.5"),
    NewLlmConfig(provider=LlmProvider.ANTHROPIC, name="Anthropic", model="claude-sonnet-4-6"),
    NewLlmConfig(provider=LlmProvider.GOOGLE, name="Google", model="gemini-3-pro-preview"),
    NewLlmConfig(provider=LlmProvider.OPENROUTER, name="OpenRouter", model="openai/gpt-5.5"),
    NewLlmConfig(provider=LlmProvider.CUSTOM, name="Custom"),
)


@attrs.frozen(kw_only=True)
class LlmChanges:
    """What a caller changes; None keeps what is stored."""

    name: str | None = None
    api_key: str | None = attrs.field(default=None, repr=False)
    model: str | None = None
    thinking_level: ThinkingLevel | None = None
    base_url: str | None = None


@attrs.frozen(kw_only=True)
class LlmConfig(Stored):
    """One named way to reach a language model."""

    name: str
    provider: LlmProvider
    api_key: Secret
    model: str
    thinking_level: ThinkingLevel
    base_url: str
    enabled: bool
    active: bool

    @property
    def is_usable(self) -> bool:
        """Whether investigations can use it."""
        return self.enabled and self.api_key.is_set

    def activated(self) -> LlmConfig:
        """Return it enabled, to be made the active one.

        Raises:
            BadRequest: it has no API key, so investigations could not use it.
        """
        if not self.api_key.is_set:
            raise BadRequest("A configuration without an API key cannot be activated; set its api_key first.")
        return attrs.evolve(self, enabled=True)

    def changed(self, changes: LlmChanges) -> LlmConfig:
        """Return it with what is not None changed. A new key enables it, an empty one disables it.

        Raises:
            BadRequest: a member breaks its rule.
        """
        api_key = self.api_key.written(changes.api_key, member="api_key")
        is_kept = api_key == self.api_key and changes.api_key != ""
        return attrs.evolve(
            self,
            name=self.name if changes.name is None else checked_name(changes.name),
            api_key=api_key,
            model=self.model if changes.model is None else changes.model,
            thinking_level=changes.thinking_level or self.thinking_level,
            base_url=self.base_url
            if changes.base_url is None
            else checked_url(changes.base_url, member="base_url"),
            enabled=self.enabled if is_kept else api_key.is_set,
        )


@attrs.frozen
class LlmSettings:
    """All configurations, by provider and name."""

    configs: tuple[LlmConfig, ...]

    @property
    def chosen(self) -> LlmConfig | None:
        """The one that investigations use: the active one, else the oldest enabled, else the oldest."""
        by_age = sorted(self.configs, key=lambda config: config.id)
        ranked = sorted(by_age, key=lambda config: (not config.active, not config.enabled))
        return next(iter(ranked), None)

    @property
    def providers(self) -> dict[LlmProvider, LlmConfig]:
        """One configuration per provider: its active one, else its oldest."""
        found: dict[LlmProvider, LlmConfig] = {}
        for config in sorted(self.configs, key=lambda config: (not config.active, config.id)):
            found.setdefault(config.provider, config)
        return dict(sorted(found.items()))

    def get(self, config_id: int) -> LlmConfig:
        """Return the configuration with this id.

        Raises:
            NotFound: there is none.
        """
        for config in self.configs:
            if config.id == config_id:
                return config
        raise NotFound("No configuration of a language model has this id.")

    def of(self, provider: LlmProvider) -> LlmConfig:
        """Return the configuration that stands for a provider.

        Raises:
            NotFound: the provider has none.
        """
        config = self.providers.get(provider)
        if config is None:
            raise NotFound(f"The provider {provider.value} has no configuration; add one first.")
        return config

    def is_taken(self, name: str, *, except_id: int = 0) -> bool:
        """Whether another configuration has this name."""
        return any(config.name == name and config.id != except_id for config in self.configs)

    def check_deletion(self, config: LlmConfig) -> None:
        """Refuse to delete what investigations need.

        Raises:
            BadRequest: it is the active one, or the last one.
        """
        if config.active:
            raise BadRequest("The active configuration cannot be deleted; activate another one first.")
        if len(self.configs) == 1:
            raise BadRequest("The last configuration cannot be deleted.")


def checked_name(written: str) -> str:
    """Return the name without surrounding blanks.

    Raises:
        BadRequest: it is blank, or too long.
    """
    return required_text("name", written, longest=LONGEST_NAME)
