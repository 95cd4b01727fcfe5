"""HTTP in and out of login, setup and API keys."""

from __future__ import annotations

import sqlalchemy as sa

from akmatori_sdk._core.model import Unset
from akmatori_sdk._generated.akmatori import codec, models
from akmatori_server.audit import Action, AuditTrail
from akmatori_server.auth.keys import ApiKey
from akmatori_server.auth.service import AuthService
from akmatori_server.auth.tokens import IssuedToken
from akmatori_server.http.call import Answer, Call, Scope
from akmatori_server.pagination import requested_page

# What the answer holds must not be kept by anything between here and the caller.
NO_STORE = {"Cache-Control": "no-store"}


class AuthHandlers:
    """Answers the tag `auth`."""

    def __init__(self, service: AuthService, trail: AuditTrail, *, username: str) -> None:
        self._service = service
        self._trail = trail
        self._username = username

    def login(self, call: Call, /, *, body: models.LoginRequest) -> Answer[models.LoginResult]:
        """Exchange name and password for a token."""
        return self._logged_in(self._service.login(body.username, body.password, remote=call.remote))

    def verify_token(self, call: Call, /) -> models.TokenInfo:
        """Say who the caller is; security has refused what is not valid."""
        return models.TokenInfo(valid=True, username=call.caller.name)

    def get_setup_status(self, _call: Call, /) -> models.SetupStatus:
        """Say whether the setup is still to be done."""
        return models.SetupStatus(
            setup_required=self._service.setup_required(), setup_completed=self._service.setup_completed()
        )

    def complete_setup(
        self, call: Call, /, *, body: models.CompleteSetupRequest
    ) -> Answer[models.LoginResult]:
        """Set the first password."""

        def record(connection: sa.Connection) -> None:
            self._trail.record(connection, call, Action.SETUP_COMPLETED, "setup", None, None)

        issued = self._service.complete_setup(body.password, body.confirm_password, record=record)
        return self._logged_in(issued)

    def _logged_in(self, issued: IssuedToken) -> Answer[models.LoginResult]:
        result = models.LoginResult(token=issued.token, username=self._username, expires_in=issued.expires_in)
        return Answer(result, headers=NO_STORE)


class ApiKeyHandlers:
    """Answers the tag `apiKeys`."""

    def __init__(self, service: AuthService, trail: AuditTrail) -> None:
        self._service = service
        self._trail = trail

    def list_api_keys(self, _call: Call, /, *, page: int | Unset, per_page: int | Unset) -> models.ApiKeyList:
        """List the keys in use."""
        return self._service.keys.answer(requested_page(page, per_page), _shown, models.ApiKeyPage)

    def create_api_key(
        self, call: Call, /, *, body: models.CreateApiKeyRequest
    ) -> Answer[models.CreatedApiKey]:
        """Make a key and show it this once."""

        def record(connection: sa.Connection, key: ApiKey) -> None:
            after = codec.encode_api_key(_shown(key))
            self._trail.record(connection, call, Action.API_KEY_CREATED, f"api_key:{key.id}", None, after)

        created = self._service.create_key(body.name, Scope(body.scope.value), record=record)
        shown = _shown(created.record)
        result = models.CreatedApiKey(
            id=shown.id,
            name=shown.name,
            scope=shown.scope,
            hint=shown.hint,
            created_at=shown.created_at,
            last_used_at=None,
            key=created.text,
        )
        return Answer(result, headers=NO_STORE)

    def delete_api_key(self, call: Call, /, *, id: int) -> None:  # noqa: A002  the contract's name
        """Revoke a key."""

        def record(connection: sa.Connection, key: ApiKey) -> None:
            before = codec.encode_api_key(_shown(key))
            self._trail.record(connection, call, Action.API_KEY_REVOKED, f"api_key:{key.id}", before, None)

        self._service.revoke_key(id, record=record)


def _shown(key: ApiKey) -> models.ApiKey:
    return models.ApiKey(
        id=key.id,
        name=key.name,
        scope=models.ApiKeyScope(key.scope.value),
        hint=key.hint,
        created_at=key.created_at,
        last_used_at=key.last_used_at,
    )
