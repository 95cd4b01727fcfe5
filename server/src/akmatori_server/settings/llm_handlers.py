"""Answers the operations of the tag `settings` that are about language models.

Two generations of clients meet here: one knows a configuration per provider, `PUT /api/settings/llm`; the
other named configurations, each with its id.
"""

from __future__ import annotations

import sqlalchemy as sa

from akmatori_sdk._core.model import Unset
from akmatori_sdk._generated.akmatori import codec, models
from akmatori_server.audit import Action, AuditTrail
from akmatori_server.errors import BadRequest
from akmatori_server.etag import require_match
from akmatori_server.http.call import Answer, Call
from akmatori_server.http.once import KeyedCreate
from akmatori_server.http.optional import given
from akmatori_server.settings.llm import (
    LlmChanges,
    LlmConfig,
    LlmProvider,
    LlmSettings,
    NewLlmConfig,
    ThinkingLevel,
)
from akmatori_server.settings.service import SettingsService, SettingsWrite
from akmatori_server.settings.shown import created_llm_etag, etag, llm_config_model, llm_etag, llm_model

CREATE = KeyedCreate("createLlmConfig", codec.encode_llm_config, codec.decode_llm_config)
DELETED = "The configuration is deleted."


class LlmHandlers:
    """The configurations of language models over HTTP."""

    def __init__(self, settings: SettingsService, trail: AuditTrail) -> None:
        self._settings = settings
        self._trail = trail

    def get_llm_settings(self, _call: Call, /) -> Answer[models.LlmSettings]:
        """Read all configurations, and the active one beside them."""
        return _everything(self._settings.llm())

    def update_llm_settings(
        self, call: Call, /, *, if_match: str | Unset, body: models.UpdateLlmSettingsRequest
    ) -> Answer[models.LlmSettings]:
        """Change a provider's configuration and make it the active one, with or without a key."""
        changes = LlmChanges(
            api_key=given(body.api_key),
            model=given(body.model),
            thinking_level=_level(given(body.thinking_level)),
            base_url=given(body.base_url),
        )
        with self._settings.writing() as write:
            everything = write.llm()
            require_match(if_match, llm_etag(everything))
            before = everything.of(LlmProvider(body.provider.value))
            after = write.activate_llm(before.changed(changes))
            self._record(write.connection, call, Action.LLM_UPDATED, before, after)
            now_everything = write.llm()
        return _everything(now_everything)

    def create_llm_config(
        self, call: Call, /, *, idempotency_key: str | Unset, body: models.CreateLlmConfigRequest
    ) -> Answer[models.LlmConfig]:
        """Add a configuration."""
        with self._settings.writing() as write:
            created = CREATE.answer(
                write.connection,
                call,
                key=idempotency_key,
                request=codec.encode_create_llm_config_request(body),
                create=lambda: self._create(write, call, _new(body)),
                now=write.now,
            )
        return Answer(created, headers={"ETag": created_llm_etag(created.id)})

    def get_llm_config(
        self,
        _call: Call,
        /,
        *,
        id: int,  # noqa: A002  the path's own word
    ) -> Answer[models.LlmConfig]:
        """Read one configuration."""
        return _one(self._settings.llm().get(id))

    def update_llm_config(
        self,
        call: Call,
        /,
        *,
        id: int,  # noqa: A002  the path's own word
        if_match: str | Unset,
        body: models.UpdateLlmConfigRequest,
    ) -> Answer[models.LlmConfig]:
        """Change members of a configuration."""
        changes = LlmChanges(
            name=given(body.name),
            api_key=given(body.api_key),
            model=given(body.model),
            thinking_level=_level(given(body.thinking_level)),
            base_url=given(body.base_url),
        )
        with self._settings.writing() as write:
            before = write.llm().get(id)
            require_match(if_match, etag(before))
            if before.active and changes.api_key == "":
                raise BadRequest(
                    "api_key: the key of the active configuration cannot be cleared; activate another one"
                    " first."
                )
            after = write.put_llm(before.changed(changes))
            self._record(write.connection, call, Action.LLM_UPDATED, before, after)
        return _one(after)

    def delete_llm_config(
        self,
        call: Call,
        /,
        *,
        id: int,  # noqa: A002  the path's own word
        if_match: str | Unset,
    ) -> models.DeleteLlmConfigResult:
        """Delete a configuration."""
        with self._settings.writing() as write:
            before = write.llm().get(id)
            require_match(if_match, etag(before))
            write.delete_llm(before)
            self._record(write.connection, call, Action.LLM_DELETED, before, None)
        return models.DeleteLlmConfigResult(message=DELETED)

    def activate_llm_config(
        self,
        call: Call,
        /,
        *,
        id: int,  # noqa: A002  the path's own word
        if_match: str | Unset,
    ) -> Answer[models.LlmConfig]:
        """Make a configuration the active one."""
        with self._settings.writing() as write:
            before = write.llm().get(id)
            require_match(if_match, etag(before))
            after = write.activate_llm(before.activated())
            self._record(write.connection, call, Action.LLM_ACTIVATED, before, after)
        return _one(after)

    def _create(self, write: SettingsWrite, call: Call, new: NewLlmConfig) -> models.LlmConfig:
        added = write.add_llm(new)
        self._record(write.connection, call, Action.LLM_CREATED, None, added)
        return llm_config_model(added)

    def _record(
        self,
        connection: sa.Connection,
        call: Call,
        action: Action,
        before: LlmConfig | None,
        after: LlmConfig | None,
    ) -> None:
        target = next(config.id for config in (before, after) if config is not None)
        self._trail.record(
            connection, call, action, f"settings:llm:{target}", _snapshot(before), _snapshot(after)
        )


def _new(body: models.CreateLlmConfigRequest) -> NewLlmConfig:
    return NewLlmConfig(
        provider=LlmProvider(body.provider.value),
        name=body.name,
        api_key=given(body.api_key) or "",
        model=given(body.model) or "",
        thinking_level=_level(given(body.thinking_level)) or ThinkingLevel.MEDIUM,
        base_url=given(body.base_url) or "",
    )


def _snapshot(config: LlmConfig | None) -> dict[str, object] | None:
    return None if config is None else codec.encode_llm_config(llm_config_model(config))


def _everything(settings: LlmSettings) -> Answer[models.LlmSettings]:
    return Answer(llm_model(settings), headers={"ETag": llm_etag(settings)})


def _one(config: LlmConfig) -> Answer[models.LlmConfig]:
    return Answer(llm_config_model(config), headers={"ETag": etag(config)})


def _level(written: str | None) -> ThinkingLevel | None:
    return ThinkingLevel(written) if written else None
