"""Slack settings."""

from __future__ import annotations

import attrs

from akmatori_server.secrets.secret import Secret
from akmatori_server.settings.stored import Stored


@attrs.frozen(kw_only=True)
class SlackSettings(Stored):
    """The connection to Slack."""

    bot_token: Secret
    signing_secret: Secret
    app_token: Secret
    alerts_channel: str
    enabled: bool

    @property
    def is_configured(self) -> bool:
        """Whether all three secrets are set."""
        return self.bot_token.is_set and self.signing_secret.is_set and self.app_token.is_set

    @property
    def is_active(self) -> bool:
        """Whether Slack is to be used."""
        return self.enabled and self.is_configured

    def changed(
        self,
        *,
        bot_token: str | None,
        signing_secret: str | None,
        app_token: str | None,
        alerts_channel: str | None,
        enabled: bool | None,
    ) -> SlackSettings:
        """Return the settings with what is not None changed; "" clears, a mask keeps.

        Raises:
            BadRequest: a secret is the mask of another one.
        """
        return attrs.evolve(
            self,
            bot_token=self.bot_token.written(bot_token, member="bot_token"),
            signing_secret=self.signing_secret.written(signing_secret, member="signing_secret"),
            app_token=self.app_token.written(app_token, member="app_token"),
            alerts_channel=self.alerts_channel if alerts_channel is None else alerts_channel,
            enabled=self.enabled if enabled is None else enabled,
        )
