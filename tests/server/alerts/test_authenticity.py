"""Which deliveries are taken for their source's."""

from __future__ import annotations

import hashlib
import hmac
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from akmatori_server.alert_sources.models import AlertSource
from akmatori_server.alerts.authenticity import Replays, check_origin
from akmatori_server.errors import Unauthorized
from tests.server.alerts.sources import NOW, source_of

SECRET = "s3cret with blanks"
BODY = b'{"alerts": []}'
SIGNED = {"signature_header": "X-Signature", "timestamp_header": "X-Time"}
GRAFANA_SIGNATURE, GRAFANA_TIME = "x-grafana-alerting-signature", "x-grafana-alerting-timestamp"


def signature(body: bytes = BODY, secret: str = SECRET) -> str:
    """The HMAC in hexadecimal, made as the vendors' documentation says, apart from the code under test."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def signed_at(seconds: object, body: bytes = BODY) -> dict[str, str]:
    """Headers of a delivery that Grafana signs with a time."""
    return {GRAFANA_SIGNATURE: signature(f"{seconds}:".encode() + body), GRAFANA_TIME: str(seconds)}


def refusal(
    source: AlertSource | str,
    headers: dict[str, str],
    *,
    body: bytes = BODY,
    secret: str = SECRET,
    replays: Replays | None = None,
    after: timedelta = timedelta(),
) -> str:
    """Deliver; return the code of the refusal, "" when it is taken."""
    target = source_of(source) if isinstance(source, str) else source
    known = Replays() if replays is None else replays
    try:
        check_origin(target, secret, headers, body, now=NOW + after, replays=known)
    except Unauthorized as error:
        told = error
    else:
        return ""
    assert SECRET not in told.message
    assert signature() not in told.message
    return told.code


def epoch(offset: float = 0) -> int:
    """Now, in seconds since 1970."""
    return int(NOW.timestamp() + offset)


@pytest.mark.parametrize(
    ("type_name", "header"),
    [
        ("alertmanager", "x-alertmanager-secret"),
        ("alertmanager", "authorization"),
        ("grafana", "x-grafana-secret"),
        ("grafana", "authorization"),
        ("datadog", "x-datadog-signature"),
        ("datadog", "dd-api-key"),
        ("datadog", "authorization"),
        ("zabbix", "x-zabbix-secret"),
        ("pagerduty", "authorization"),
        ("generic", "x-webhook-secret"),
        ("generic", "authorization"),
    ],
)
def test_the_secret_in_every_accepted_form(type_name: str, header: str) -> None:
    """The vendor's header, or the usual one, with or without Bearer; anything else is wrong."""
    for value in (SECRET, f"Bearer {SECRET}", f"bearer {SECRET}"):
        assert refusal(type_name, {header: value}) == ""
    for value in (
        SECRET.upper(),
        SECRET[:-1],
        SECRET + "x",
        f"Basic {SECRET}",
        "Bearer ",
        "Bearer",
        f"Bearer Bearer {SECRET}",
        "Bearer \u20ac\ud800",
    ):
        assert refusal(type_name, {header: value}) == "secret_wrong"


@pytest.mark.parametrize(
    ("type_name", "code"),
    [
        ("alertmanager", "secret_missing"),
        ("grafana", "secret_missing"),
        ("datadog", "secret_missing"),
        ("zabbix", "secret_missing"),
        ("generic", "secret_missing"),
        ("pagerduty", "signature_missing"),
    ],
)
def test_nothing_proves_nothing(type_name: str, code: str) -> None:
    """Also in headers of other vendors."""
    headers = {"x-api-key": SECRET, "cookie": SECRET, "authorization": "", "x-other-secret": SECRET}

    assert refusal(type_name, {}) == code
    assert refusal(type_name, headers) == code


def test_the_first_header_decides() -> None:
    """A wrong vendor header is not made good by another one, and the other way round."""
    wrong_first = {"x-alertmanager-secret": "wrong", "authorization": f"Bearer {SECRET}"}
    right_first = {"x-alertmanager-secret": SECRET, "authorization": "Bearer of something else"}

    assert refusal("alertmanager", wrong_first) == "secret_wrong"
    assert refusal("alertmanager", right_first) == ""
    assert refusal("zabbix", {"authorization": f"Bearer {SECRET}"}) == "secret_missing"


def test_a_source_without_a_secret_is_open() -> None:
    """Whatever is sent, also a signature that fits nothing."""
    assert refusal("alertmanager", {"authorization": "x"}, secret="") == ""
    assert refusal("pagerduty", {"x-pagerduty-signature": "v1=00"}, secret="") == ""


def test_a_secret_beyond_ascii_is_compared_by_its_bytes() -> None:
    """Header bytes arrive as Latin-1 text."""
    sent = "pässwörd".encode().decode("latin-1")

    assert refusal("alertmanager", {"authorization": sent}, secret="pässwörd") == ""


def test_a_secret_may_begin_with_bearer() -> None:
    """Then it is the whole header."""
    assert refusal("alertmanager", {"authorization": "Bearer x"}, secret="Bearer x") == ""


def test_a_type_without_a_form_proves_nothing() -> None:
    """Closed by default."""
    assert refusal("slack_channel", {"authorization": SECRET}) == "secret_missing"


PAGERDUTY = "x-pagerduty-signature"


def test_pagerdutys_example_of_a_signature() -> None:
    """One of several signatures fits; there are two while a secret is replaced."""
    right, other = f"v1={signature()}", f"v1={signature(secret='other')}"

    for value in (right, f"{other},{right}", f"{right}, {other}", f" {other} ,{other}, {right}"):
        assert refusal("pagerduty", {PAGERDUTY: value}) == ""


@pytest.mark.parametrize(
    "value",
    [
        "v1=",
        "v1=,",
        ",",
        "=",
        "v1",
        f"v1={signature()[:-2]}",
        f"v1={signature()[:-1]}",
        f"v1={signature()}00",
        f"v1={signature()[:32]}",
        f"v2={signature()}",
        f"v1=v1={signature()}",
        f"v1= {signature()}",
        f"v1={signature()[:62]}zz",
        f"v1={signature()[:62]} 0",
        f"v1={signature(secret='other')}",
        f"v1={signature(b'{}')}",
        f"v1={signature(secret='')}",
        "v1=" + "0" * 64,
        "v1=\u20ac\ud800",
        SECRET,
    ],
)
def test_a_signature_that_is_forged_or_cut_off_is_wrong(value: str) -> None:
    """Also when the secret itself is sent beside it."""
    assert refusal("pagerduty", {PAGERDUTY: value}) == "signature_wrong"
    assert refusal("pagerduty", {PAGERDUTY: value, "authorization": SECRET}) == "signature_wrong"


def test_a_signature_is_of_the_body_as_it_came() -> None:
    """One blank more is another body."""
    headers = {PAGERDUTY: f"v1={signature()}"}

    assert refusal("pagerduty", headers, body=BODY + b" ") == "signature_wrong"
    assert refusal("pagerduty", {PAGERDUTY: ""}) == "signature_missing"


def test_pagerduty_may_deliver_the_same_again() -> None:
    """It signs no time, and tries again when our answer was lost."""
    replays = Replays()
    headers = {PAGERDUTY: f"v1={signature()}"}

    assert [refusal("pagerduty", headers, replays=replays) for _ in range(2)] == ["", ""]


def test_grafana_signs_the_body_or_the_time_and_the_body() -> None:
    """Under its usual headers, without a setting."""
    assert refusal("grafana", {GRAFANA_SIGNATURE: signature()}) == ""
    assert refusal("grafana", {GRAFANA_SIGNATURE: signature().upper()}) == ""
    assert refusal("grafana", signed_at(epoch())) == ""
    assert refusal("grafana", {**signed_at(epoch()), GRAFANA_TIME: str(epoch(1))}) == "signature_wrong"
    assert refusal("grafana", {GRAFANA_SIGNATURE: signed_at(epoch())[GRAFANA_SIGNATURE]}) == "signature_wrong"
    assert refusal("grafana", {GRAFANA_SIGNATURE: "x", "authorization": SECRET}) == "signature_wrong"


@pytest.mark.parametrize(
    ("offset", "code"), [(0, ""), (-300, ""), (300, ""), (-301, "signature_stale"), (301, "signature_stale")]
)
def test_a_signed_time_is_near(offset: int, code: str) -> None:
    """Five minutes, either way."""
    assert refusal("grafana", signed_at(epoch(offset))) == code


@pytest.mark.parametrize(
    "time", ["yesterday", "1e9", "-5", "9" * 12, "9" * 40, "\uff11\uff17", "12.5", "0x10"]
)
def test_a_signed_time_that_is_none_is_stale(time: str) -> None:
    """Also when the signature fits: the sender knows the secret, and not the time."""
    headers = {
        GRAFANA_SIGNATURE: hmac.new(
            SECRET.encode(), time.encode("latin-1", "replace") + b":" + BODY, hashlib.sha256
        ).hexdigest(),
        GRAFANA_TIME: time,
    }

    assert refusal("grafana", headers) in {"signature_stale", "signature_wrong"}


def test_a_signed_request_is_taken_once() -> None:
    """The same request again is a replay as long as its time is near, and stale after that."""
    replays = Replays()
    headers = signed_at(epoch())
    shouted = {**headers, GRAFANA_SIGNATURE: headers[GRAFANA_SIGNATURE].upper()}

    assert refusal("grafana", headers, replays=replays) == ""
    assert refusal("grafana", headers, replays=replays) == "signature_replayed"
    assert refusal("grafana", shouted, replays=replays) == "signature_replayed"
    last = timedelta(seconds=300)
    assert refusal("grafana", headers, replays=replays, after=last) == "signature_replayed"
    assert refusal("grafana", headers, replays=replays, after=last * 2) == "signature_stale"
    assert refusal("grafana", signed_at(epoch(1)), replays=replays) == ""


def test_another_source_with_the_same_secret_is_another_request() -> None:
    """What one source has seen is no replay for the other."""
    replays = Replays()
    other = source_of("grafana", uuid="00000000-0000-4000-8000-000000000000")

    assert refusal("grafana", signed_at(epoch()), replays=replays) == ""
    assert refusal(other, signed_at(epoch()), replays=replays) == ""


def test_a_refused_request_is_not_remembered() -> None:
    """Nobody can spoil a delivery by sending a forged one first."""
    replays = Replays()
    headers = signed_at(epoch())

    assert refusal("grafana", {**headers, GRAFANA_SIGNATURE: "0" * 64}, replays=replays) == "signature_wrong"
    assert refusal("grafana", headers, replays=replays) == ""


def test_a_delivery_that_could_not_be_stored_may_come_again() -> None:
    """The sender tries again within the same second, with the same signature."""
    replays = Replays()
    source, headers = source_of("grafana"), signed_at(epoch())
    key = check_origin(source, SECRET, headers, BODY, now=NOW, replays=replays)
    replays.forget(key)

    assert refusal("grafana", headers, replays=replays) == ""
    replays.forget("never seen")


def test_replays_are_bounded_and_forget_what_is_over() -> None:
    """The oldest go first."""
    replays = Replays(most=3)
    until = NOW + timedelta(minutes=5)
    fresh = [replays.remember(str(number), until=until, now=NOW) for number in range(5)]

    assert all(fresh)
    assert not replays.remember("4", until=until, now=NOW)
    assert replays.remember("0", until=until, now=NOW)
    assert replays.remember("4", until=until, now=until + timedelta(seconds=1))


def test_of_many_at_once_one_is_taken() -> None:
    """Whichever thread comes first."""
    replays = Replays()
    headers = signed_at(epoch())
    with ThreadPoolExecutor(8) as pool:
        codes = list(pool.map(lambda _: refusal("grafana", headers, replays=replays), range(64)))

    assert sorted(codes) == ["", *["signature_replayed"] * 63]


@pytest.mark.parametrize("type_name", ["grafana", "generic"])
def test_a_signature_that_is_set_is_needed(type_name: str) -> None:
    """Under the operator's headers; the bare secret will not do any more."""
    source = source_of(type_name, settings=SIGNED)
    right = {"x-signature": signature(f"{epoch()}:".encode() + BODY), "x-time": str(epoch())}

    assert refusal(source, right) == ""
    assert refusal(source, {**right, "x-signature": "sha256=" + right["x-signature"]}) == ""
    assert refusal(source, {"authorization": f"Bearer {SECRET}"}) == "signature_missing"
    assert refusal(source, {"x-signature": signature()}) == "signature_missing"
    assert refusal(source, {**right, "x-time": " "}) == "signature_missing"
    assert refusal(source, {**right, "x-time": str(epoch(1))}) == "signature_wrong"
    assert refusal(source, {GRAFANA_SIGNATURE: signature()}) == "signature_missing"


def test_a_signature_header_alone_signs_the_body() -> None:
    """As GitHub and many others do it."""
    source = source_of("generic", settings={"signature_header": "X-Hub-Signature-256"})

    assert refusal(source, {"x-hub-signature-256": f"sha256={signature()}"}) == ""
    assert refusal(source, {"x-hub-signature-256": f"sha256={signature()[:-2]}"}) == "signature_wrong"


def test_a_refusal_tells_how_to_authenticate() -> None:
    """As every 401 does."""
    with pytest.raises(Unauthorized) as refused:
        check_origin(source_of("grafana"), SECRET, {}, BODY, now=NOW, replays=Replays())

    assert "WWW-Authenticate" in refused.value.headers
