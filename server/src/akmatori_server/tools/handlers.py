"""Answers the operations of the tags `toolTypes` and `tools`."""

from __future__ import annotations

import orjson

from akmatori_sdk._core.model import Unset
from akmatori_sdk._generated.akmatori import codec, models
from akmatori_server.etag import etag_of, require_match
from akmatori_server.http.call import Answer, Call
from akmatori_server.http.once import KeyedCreate
from akmatori_server.http.optional import given, or_left_out
from akmatori_server.listing import answer_part
from akmatori_server.pagination import requested_page
from akmatori_server.toolbox.trial import ToolTrial
from akmatori_server.tools.models import NewSshKey, NewTool, SshKeyChanges, ToolChanges
from akmatori_server.tools.service import ToolService
from akmatori_server.tools.ssh_keys import SshKeyService
from akmatori_server.tools.view import audit_view, catalogue_entry, key_model, type_model

CREATE_TOOL = KeyedCreate("createTool", codec.encode_tool, codec.decode_tool)
CREATE_KEY = KeyedCreate("createSshKey", codec.encode_ssh_key, codec.decode_ssh_key)


class ToolTypeHandlers:
    """Tool types over HTTP."""

    def __init__(self, tools: ToolService) -> None:
        self._tools = tools

    def list_tool_types(
        self, _call: Call, /, *, page: int | Unset, per_page: int | Unset
    ) -> models.ToolTypeList:
        """List the kinds of tools."""
        every = [type_model(tool_type) for tool_type in self._tools.types()]
        return answer_part(every, requested_page(page, per_page), models.ToolTypePage)

    def get_tool_catalogue(self, _call: Call, /) -> models.ToolCatalogue:
        """Read what every kind of tool takes and can do."""
        return {one.name: catalogue_entry(one) for one in self._tools.types() if one.enabled}


class ToolHandlers:
    """Tools and their SSH keys over HTTP."""

    def __init__(self, tools: ToolService, keys: SshKeyService, trial: ToolTrial) -> None:
        self._tools = tools
        self._keys = keys
        self._trial = trial

    def list_tools(self, _call: Call, /, *, page: int | Unset, per_page: int | Unset) -> models.ToolList:
        """List the tools."""
        return self._tools.listing.answer(requested_page(page, per_page), self._tools.shown, models.ToolPage)

    def create_tool(
        self, call: Call, /, *, idempotency_key: str | Unset, body: models.CreateToolRequest
    ) -> Answer[models.Tool]:
        """Create a tool."""
        new = NewTool(
            tool_type_id=body.tool_type_id,
            name=body.name,
            logical_name=given(body.logical_name) or "",
            settings=given(body.settings),
            enabled=given(body.enabled) is not False,
        )
        with self._tools.transaction() as connection:
            created = CREATE_TOOL.answer(
                connection,
                call,
                key=idempotency_key,
                request=codec.encode_create_tool_request(body),
                create=lambda: self._tools.create_in(connection, call, new),
                now=self._tools.now(),
            )
        return _answer(created)

    def get_tool(self, _call: Call, /, *, id: int) -> Answer[models.Tool]:  # noqa: A002  the contract's name
        """Read one tool."""
        return _answer(self._tools.shown(self._tools.get(id)))

    def update_tool(
        self,
        call: Call,
        /,
        *,
        id: int,  # noqa: A002  the contract's name
        if_match: str | Unset,
        body: models.UpdateToolRequest,
    ) -> Answer[models.Tool]:
        """Change members of a tool."""
        changes = ToolChanges(
            name=given(body.name),
            logical_name=given(body.logical_name),
            settings=given(body.settings),
            enabled=given(body.enabled),
        )

        def check(stored: models.Tool) -> None:
            require_match(if_match, _etag(stored))

        with self._tools.transaction() as connection:
            updated = self._tools.update_in(connection, call, id, changes, check=check)
        return _answer(updated)

    def delete_tool(self, call: Call, /, *, id: int) -> None:  # noqa: A002  the contract's name
        """Delete a tool."""
        with self._tools.transaction() as connection:
            self._tools.delete_in(connection, call, id)

    async def test_tool(self, call: Call, /, *, id: int) -> models.ToolTestResult:  # noqa: A002  the contract's name
        """Make one harmless call of a tool, and say what happened."""
        result = await self._trial.run(call, id)
        return models.ToolTestResult(
            ok=result.is_success,
            message=result.message,
            function=or_left_out(result.function or None),
            version=or_left_out(result.version or None),
            duration_ms=result.duration_ms,
        )

    def list_ssh_keys(
        self,
        _call: Call,
        /,
        *,
        id: int,  # noqa: A002  the contract's name
        page: int | Unset,
        per_page: int | Unset,
    ) -> models.SshKeyList:
        """List a tool's SSH keys."""
        every = [key_model(key) for key in self._tools.get(id).keys]
        return answer_part(every, requested_page(page, per_page), models.SshKeyPage)

    def create_ssh_key(
        self,
        call: Call,
        /,
        *,
        id: int,  # noqa: A002  the contract's name
        idempotency_key: str | Unset,
        body: models.CreateSshKeyRequest,
    ) -> models.SshKey:
        """Add an SSH key to a tool."""
        new = NewSshKey(
            name=body.name, private_key=body.private_key, is_default=given(body.is_default) is True
        )
        with self._tools.transaction() as connection:
            return CREATE_KEY.answer(
                connection,
                call,
                key=idempotency_key,
                request={"tool": id, **codec.encode_create_ssh_key_request(body)},
                create=lambda: key_model(self._keys.add_in(connection, call, id, new)),
                now=self._tools.now(),
            )

    def update_ssh_key(
        self,
        call: Call,
        /,
        *,
        id: int,  # noqa: A002  the contract's name
        key_id: str,
        body: models.UpdateSshKeyRequest,
    ) -> models.SshKey:
        """Rename an SSH key or make it the default."""
        changes = SshKeyChanges(name=given(body.name) or None, make_default=given(body.is_default) is True)
        with self._tools.transaction() as connection:
            return key_model(self._keys.update_in(connection, call, id, key_id, changes))

    def delete_ssh_key(self, call: Call, /, *, id: int, key_id: str) -> None:  # noqa: A002  the contract's name
        """Delete an SSH key."""
        with self._tools.transaction() as connection:
            self._keys.delete_in(connection, call, id, key_id)


def _answer(tool: models.Tool) -> Answer[models.Tool]:
    return Answer(tool, headers={"ETag": _etag(tool)})


def _etag(tool: models.Tool) -> str:
    # Of what is shown, so that a change of its keys counts too; but for the type, which every start writes.
    return etag_of(orjson.dumps(audit_view(tool), option=orjson.OPT_SORT_KEYS))
