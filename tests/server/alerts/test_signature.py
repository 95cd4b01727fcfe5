"""Which deliveries prove to know the secret."""

from __future__ import annotations

import pytest

from akmatori_server.alerts.signature import proves_secret

SECRET = "s3cret with blanks"


@pytest.mark.parametrize(
    "headers",
    [
        {"x-alertmanager-secret": SECRET},
        {"x-alertmanager-secret": f"Bearer {SECRET}"},
        {"authorization": SECRET},
        {"authorization": f"Bearer {SECRET}"},
        {"authorization": f"bearer {SECRET}"},
        {"x-alertmanager-secret": "", "authorization": f"Bearer {SECRET}"},
        {"x-alertmanager-secret": SECRET, "authorization": "Bearer of something else"},
    ],
)
def test_the_secret_in_every_accepted_form(headers: dict[str, str]) -> None:
    """The vendor's header, or the usual one, with or without Bearer."""
    assert proves_secret("alertmanager", SECRET, headers)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": ""},
        {"authorization": "Bearer "},
        {"authorization": "Bearer"},
        {"authorization": f"Basic {SECRET}"},
        {"authorization": SECRET.upper()},
        {"authorization": SECRET[:-1]},
        {"authorization": SECRET + "x"},
        {"authorization": "Bearer Bearer " + SECRET},
        {"x-alertmanager-secret": "wrong", "authorization": f"Bearer {SECRET}"},
        {"x-grafana-secret": SECRET},
        {"x-api-key": SECRET},
        {"authorization": "Bearer \u20ac\ud800"},
    ],
)
def test_anything_else_proves_nothing(headers: dict[str, str]) -> None:
    """A wrong vendor header is not made good by another one."""
    assert not proves_secret("alertmanager", SECRET, headers)


def test_a_source_without_a_secret_is_open() -> None:
    """Whatever is sent."""
    assert proves_secret("alertmanager", "", {"authorization": "x"})


def test_a_secret_beyond_ascii_is_compared_by_its_bytes() -> None:
    """Header bytes arrive as Latin-1 text."""
    assert proves_secret("alertmanager", "pässwörd", {"authorization": "pässwörd".encode().decode("latin-1")})


def test_a_secret_may_begin_with_bearer() -> None:
    """Then it is the whole header."""
    assert proves_secret("alertmanager", "Bearer x", {"authorization": "Bearer x"})


def test_a_type_without_a_form_proves_nothing() -> None:
    """Closed by default."""
    assert not proves_secret("slack_channel", SECRET, {"authorization": SECRET})
    assert not proves_secret("pagerduty", SECRET, {"authorization": SECRET})
