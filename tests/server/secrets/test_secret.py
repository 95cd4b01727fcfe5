"""One stored secret."""

from __future__ import annotations

import pytest
from cryptography.fernet import Fernet

from akmatori_server.crypto import SecretBox, SecretUnreadableError
from akmatori_server.errors import BadRequest
from akmatori_server.secrets.secret import Secret


@pytest.fixture
def empty() -> Secret:
    """No secret yet."""
    return Secret(None, "slack_settings:1:bot_token", SecretBox([Fernet.generate_key().decode()]))


def test_a_written_secret_is_revealed_and_shown_masked(empty: Secret) -> None:
    """And never by its `repr`."""
    secret = empty.written("xoxb-EXAMPLE-b0t1", member="bot_token")

    assert (empty.is_set, empty.shown, empty.reveal()) == (False, "", "")
    assert (secret.is_set, secret.shown, secret.reveal()) == (True, "****b0t1", "xoxb-EXAMPLE-b0t1")
    assert "EXAMPLE" not in f"{secret!r} {secret.token}"


@pytest.mark.parametrize("written", [None, "****b0t1"])
def test_nothing_and_the_mask_keep_it(empty: Secret, written: str | None) -> None:
    """As it is stored."""
    secret = empty.written("xoxb-EXAMPLE-b0t1", member="bot_token")

    assert secret.written(written, member="bot_token") == secret


def test_an_empty_text_clears_it(empty: Secret) -> None:
    """Nothing is stored then."""
    secret = empty.written("xoxb-EXAMPLE-b0t1", member="bot_token")

    assert secret.written("", member="bot_token") == empty


def test_a_foreign_mask_is_refused(empty: Secret) -> None:
    """Nobody means to store asterisks."""
    with pytest.raises(BadRequest, match="bot_token"):
        empty.written("****b0t1", member="bot_token")


def test_a_secret_whose_key_is_lost_survives_a_mask(empty: Secret) -> None:
    """It reads as four asterisks, and they keep it."""
    stored = empty.written("xoxb-EXAMPLE-b0t1", member="bot_token")
    lost = Secret(stored.token, stored.place, SecretBox([Fernet.generate_key().decode()]))

    assert lost.shown == "****"
    assert lost.written("****", member="bot_token") == lost
    with pytest.raises(SecretUnreadableError):
        lost.reveal()
