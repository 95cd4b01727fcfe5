"""From a stored configuration to a model that can be asked, through the configured proxy and no other."""

from __future__ import annotations

import functools
import ssl
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, cast

import attrs
import httpx2
from pydantic_ai.exceptions import UserError
from pydantic_ai.models import Model
from pydantic_ai.settings import ModelSettings, ThinkingLevel

from akmatori_server.agent.errors import ProviderFailedError
from akmatori_server.agent.failures import Place
from akmatori_server.crypto import SecretUnreadableError
from akmatori_server.settings.llm import LlmConfig, LlmProvider
from akmatori_server.settings.llm import ThinkingLevel as StoredLevel
from akmatori_server.settings.route import Proxy, Route
from akmatori_server.tools.redaction import without_secrets

if TYPE_CHECKING:
    from openai import AsyncOpenAI

CONNECT_SECONDS = 10.0
# Between two pieces of an answer; some models think for minutes without a sign of life.
SILENCE_SECONDS = 300.0
# A whole request, all of its answer included.
REQUEST_SECONDS = 600.0

TITLES = {
    LlmProvider.OPENAI: "OpenAI",
    LlmProvider.ANTHROPIC: "Anthropic",
    LlmProvider.GOOGLE: "Google",
    LlmProvider.OPENROUTER: "OpenRouter",
    LlmProvider.CUSTOM: "The model's server",
}
BASE_URLS = {
    LlmProvider.OPENAI: "https://api.openai.com/v1",
    LlmProvider.ANTHROPIC: "https://api.anthropic.com",
    LlmProvider.GOOGLE: "https://generativelanguage.googleapis.com",
    LlmProvider.OPENROUTER: "https://openrouter.ai/api/v1",
}
# What the SDKs of these add to the base URL themselves, and people copy with it.
_VERSIONS = {LlmProvider.ANTHROPIC: ("/v1",), LlmProvider.GOOGLE: ("/v1beta", "/v1")}
_APP_TITLE = "Akmatori"


@attrs.frozen(kw_only=True)
class OpenModel:
    """A model that can be asked."""

    model: Model = attrs.field(repr=False)
    settings: ModelSettings
    place: Place


@asynccontextmanager
async def open_model(config: LlmConfig, route: Route) -> AsyncGenerator[OpenModel]:
    """Open the model of a configuration; its connections are closed at the end.

    Args:
        config: the configuration.
        route: tells the proxy of a request, None for none. Proxies of the environment are not used.

    Raises:
        ProviderFailedError: the configuration is not complete, or a secret of it cannot be read.
    """
    base_url = base_url_of(config)
    if not config.model:
        raise ProviderFailedError(f"The LLM configuration {config.name} names no model; set one.")
    try:
        key, proxy = config.api_key.reveal(), route(base_url)
    except SecretUnreadableError:
        raise ProviderFailedError(
            f"The API key of the LLM configuration {config.name}, or the proxy's password, was encrypted with a"
            " key that this server does not have; enter it again."
        ) from None
    except ValueError:
        raise ProviderFailedError(
            f"The base URL of the LLM configuration {config.name} cannot be used; correct it."
        ) from None
    place = Place(
        provider=TITLES[config.provider],
        model=config.model,
        base_url=base_url,
        secrets=(key, *(proxy.secrets if proxy else ())),
    )
    async with _http_client(proxy) as http:
        try:
            model = _MODELS[config.provider](config.model, base_url, key, http)
        except UserError as error:
            raise ProviderFailedError(
                f"The LLM configuration {config.name} cannot be used: {without_secrets(str(error), place.secrets)}"
            ) from None
        yield OpenModel(model=model, settings=model_settings(config), place=place)


def base_url_of(config: LlmConfig) -> str:
    """Return where the provider is.

    Raises:
        ProviderFailedError: it is a custom one, and nobody said where.
    """
    base_url = (config.base_url or BASE_URLS.get(config.provider, "")).rstrip("/")
    if not base_url:
        raise ProviderFailedError(f"The LLM configuration {config.name} needs a base_url; set one.")
    for version in _VERSIONS.get(config.provider, ()):
        base_url = base_url.removesuffix(version)
    return base_url


def model_settings(config: LlmConfig) -> ModelSettings:
    """Return how a model is asked."""
    level = config.thinking_level
    # Each provider has other levels; pydantic-ai takes the nearest, and none where a model has none.
    thinking: ThinkingLevel = False if level is StoredLevel.OFF else cast("ThinkingLevel", level.value)
    settings: dict[str, object] = {
        "thinking": thinking,
        "request_timeout": REQUEST_SECONDS,
        # Each request repeats all that was said before: from the provider's cache it costs a tenth.
        "cache": True,
        # We wait and ask again ourselves, so that the log says so.
        "max_retries": 0,
    }
    if config.provider is LlmProvider.OPENAI:
        # What alerts and logs say is not for a provider to keep.
        settings["openai_store"] = False
        if level is not StoredLevel.OFF:
            settings["openai_reasoning_summary"] = "auto"
    if config.provider is LlmProvider.GOOGLE:
        del settings["max_retries"]
    return cast("ModelSettings", settings)


def without_reasoning(settings: ModelSettings) -> ModelSettings:
    """Return the settings with nothing about reasoning, which not every model takes."""
    left_out = {"thinking", "openai_reasoning_summary"}
    return cast("ModelSettings", {name: value for name, value in settings.items() if name not in left_out})


@functools.cache
def _certificates() -> ssl.SSLContext:
    """Return whom to trust; reading the list takes longer than everything else that opens a model."""
    return httpx2.create_ssl_context()


def _http_client(proxy: Proxy | None) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(
        verify=_certificates(),
        proxy=None if proxy is None else proxy.url,
        trust_env=False,
        # A redirect would take the API key along.
        follow_redirects=False,
        timeout=httpx2.Timeout(
            connect=CONNECT_SECONDS, read=SILENCE_SECONDS, write=SILENCE_SECONDS, pool=SILENCE_SECONDS
        ),
    )


def _openai_client(base_url: str, key: str, http: httpx2.AsyncClient) -> AsyncOpenAI:
    from openai import AsyncOpenAI

    return AsyncOpenAI(api_key=key, base_url=base_url, http_client=http, max_retries=0)


def _openai(name: str, base_url: str, key: str, http: httpx2.AsyncClient) -> Model:
    from pydantic_ai.models.openai import OpenAIResponsesModel
    from pydantic_ai.providers.openai import OpenAIProvider

    # OpenAI's newer models reason and call functions only by this API.
    return OpenAIResponsesModel(
        name, provider=OpenAIProvider(openai_client=_openai_client(base_url, key, http))
    )


def _custom(name: str, base_url: str, key: str, http: httpx2.AsyncClient) -> Model:
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai_compatible import OpenAICompatibleProvider

    client = _openai_client(base_url, key, http)
    return OpenAIChatModel(name, provider=OpenAICompatibleProvider("custom", openai_client=client))


def _openrouter(name: str, base_url: str, key: str, http: httpx2.AsyncClient) -> Model:
    from pydantic_ai.models.openrouter import OpenRouterModel
    from pydantic_ai.providers.openrouter import OpenRouterProvider

    client = _openai_client(base_url, key, http).with_options(default_headers={"X-Title": _APP_TITLE})
    return OpenRouterModel(name, provider=OpenRouterProvider(openai_client=client))


def _anthropic(name: str, base_url: str, key: str, http: httpx2.AsyncClient) -> Model:
    from anthropic import AsyncAnthropic
    from pydantic_ai.models.anthropic import AnthropicModel
    from pydantic_ai.providers.anthropic import AnthropicProvider

    client = AsyncAnthropic(api_key=key, base_url=base_url, http_client=http, max_retries=0)
    return AnthropicModel(name, provider=AnthropicProvider(anthropic_client=client))


def _google(name: str, base_url: str, key: str, http: httpx2.AsyncClient) -> Model:
    from google.genai import Client
    from google.genai.types import HttpOptions, HttpRetryOptions
    from pydantic_ai.models.google import GoogleModel
    from pydantic_ai.providers.google import GoogleProvider

    # What the client does not use either would be read for it anew.
    trusted = {"verify": _certificates(), "ssl": _certificates()}
    options = HttpOptions(
        base_url=base_url,
        httpx_async_client=http,
        timeout=int(SILENCE_SECONDS * 1000),
        retry_options=HttpRetryOptions(attempts=1),
        client_args={"verify": _certificates()},
        async_client_args=trusted,
    )
    client = Client(vertexai=False, api_key=key, http_options=options)
    return GoogleModel(name, provider=GoogleProvider(client=client))


_MODELS: dict[LlmProvider, Callable[[str, str, str, httpx2.AsyncClient], Model]] = {
    LlmProvider.OPENAI: _openai,
    LlmProvider.ANTHROPIC: _anthropic,
    LlmProvider.GOOGLE: _google,
    LlmProvider.OPENROUTER: _openrouter,
    LlmProvider.CUSTOM: _custom,
}
