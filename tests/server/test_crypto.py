"""Encrypted secrets: bound to their place, readable after a change of keys."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from akmatori_server.crypto import SecretBox, SecretUnreadableError, key_from_file

PLACE = "alert_sources:1:webhook_secret"
OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


def test_a_secret_is_read_back_in_its_place_only() -> None:
    """Moved to another row or column it is of no use."""
    box = SecretBox([OLD])
    sealed = box.encrypt("hunter2 ü", PLACE)

    assert "hunter2" not in sealed
    assert box.decrypt(sealed, PLACE) == "hunter2 ü"
    with pytest.raises(SecretUnreadableError, match="another place"):
        box.decrypt(sealed, "alert_sources:2:webhook_secret")


def test_keys_can_be_changed() -> None:
    """The new key encrypts, the old one still reads."""
    sealed = SecretBox([OLD]).encrypt("s", PLACE)
    both = SecretBox([NEW, OLD])

    assert both.decrypt(sealed, PLACE) == "s"
    assert SecretBox([NEW]).decrypt(both.encrypt("t", PLACE), PLACE) == "t"
    with pytest.raises(SecretUnreadableError, match="AKMATORI_SECRET_KEY"):
        SecretBox([NEW]).decrypt(sealed, PLACE)


@pytest.mark.parametrize("token", ["", "x", "gAAAA", "\N{SNOWMAN}"])
def test_what_is_no_token_is_unreadable(token: str) -> None:
    """Not an error of another kind."""
    with pytest.raises(SecretUnreadableError):
        SecretBox([OLD]).decrypt(token, PLACE)


@pytest.mark.parametrize("keys", [[], ["short-hunter2"], [OLD, ""]])
def test_wrong_keys_are_refused(keys: list[str]) -> None:
    """Without repeating them."""
    with pytest.raises(ValueError, match="secret key") as caught:
        SecretBox(keys)

    assert "hunter2" not in str(caught.value)


def test_the_key_file_is_made_once_and_is_private(tmp_path: Path) -> None:
    """Processes that start together agree on one key."""
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(key_from_file(tmp_path))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(set(found)) == 1
    assert found[0] == key_from_file(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["secret.key"]
    assert (tmp_path / "secret.key").stat().st_mode & 0o777 == 0o600
    SecretBox(found)
