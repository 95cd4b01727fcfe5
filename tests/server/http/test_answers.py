"""What every answer has: headers, one shape of errors, and nothing that should not leave the server."""

from __future__ import annotations

import uuid

import httpx
import pytest

from tests.server.http.conftest import ORIGIN, Toy

SECOND = "/api/v1"


@pytest.mark.parametrize("path", ["/api/things", "/nope", "/api/fail/boom", "/api/later", "/open"])
def test_every_answer_has_the_common_headers(toy: Toy, path: str) -> None:
    """Errors included."""
    headers = toy.client.get(path).headers

    assert headers["akmatori-capabilities"] == "idempotency-key, cursor"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert uuid.UUID(headers["x-request-id"]).version == 4


@pytest.mark.parametrize(
    ("sent", "is_kept"), [("abc-1", True), ("x" * 128, True), ("x" * 129, False), ("a b", False)]
)
def test_a_sane_request_id_is_kept(toy: Toy, sent: str, is_kept: bool) -> None:
    """Any other is replaced."""
    answered = toy.client.get("/open", headers={"X-Request-ID": sent}).headers["x-request-id"]

    assert (answered == sent) is is_kept


def test_an_unforeseen_exception_is_500_with_a_number(toy: Toy) -> None:
    """The text of the exception stays here."""
    answer = toy.client.get("/api/fail/boom", headers={"X-Request-ID": "n-1"})

    assert answer.status_code == 500
    assert answer.json() == {"error": "Internal error; incident number n-1", "code": "internal"}


def test_a_lost_database_is_503(toy: Toy) -> None:
    """With Retry-After, and without the statement or the host."""
    answer = toy.client.get("/api/fail/database")

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert answer.json()["code"] == "unavailable"
    assert "db-1" not in answer.text
    assert "SELECT" not in answer.text


def test_a_refusal_carries_its_details(toy: Toy) -> None:
    """Each text is cut to a bearable length."""
    answer = toy.client.get("/api/fail/conflict")

    assert answer.status_code == 409
    assert answer.json()["code"] == "conflict"
    assert len(answer.json()["details"]["name"]) == 500


def test_an_answer_may_carry_headers(toy: Toy) -> None:
    """An entity tag, for example."""
    assert toy.client.get("/api/fail/teapot").headers["etag"] == '"1"'


def test_an_undocumented_status_is_found(toy: Toy) -> None:
    """With checking on, an answer the specification does not name is a fault of ours."""
    assert toy.client.get("/api/fail/undocumented").status_code == 500


def test_no_content_has_neither_body_nor_type(toy: Toy) -> None:
    """204 is headers only."""
    answer = toy.client.delete("/api/things/3")

    assert (answer.status_code, answer.content) == (204, b"")
    assert "content-type" not in answer.headers
    assert toy.things.stored == [("deleted", 3)]


def test_a_pending_operation_is_501(toy: Toy) -> None:
    """It is part of the contract, and says that it is not there yet."""
    answer = toy.client.get("/api/later")

    assert answer.status_code == 501
    assert answer.json() == {"error": "later is not part of this version yet.", "code": "not_implemented"}


@pytest.mark.parametrize(
    ("method", "path", "status", "reason"),
    [
        ("GET", "/nope", 404, "NotFound"),
        ("PATCH", "/open", 405, "MethodNotAllowed"),
        ("GET", "/open", 501, "NotImplemented"),
        ("GET", "/api/things", 501, "NotImplemented"),
    ],
)
def test_the_other_system_has_its_own_shape(
    toy: Toy, method: str, path: str, status: int, reason: str
) -> None:
    """Also for what belongs to no operation."""
    answer = toy.client.request(method, SECOND + path)

    assert answer.status_code == status
    error = answer.json()["error"]
    assert (error["code"], error["reason"]) == (status, reason)
    assert isinstance(error["message"], str)


def test_the_other_system_refuses_in_its_shape(toy: Toy) -> None:
    """A missing credential, with the way to authenticate."""
    answer = httpx.get(str(toy.client.base_url.join(f"{SECOND}/api/things")))

    assert (answer.status_code, answer.json()["error"]["code"]) == (401, 401)
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_only_listed_origins_may_call(toy: Toy) -> None:
    """Pages of any other origin get no permission."""
    asking = {"Access-Control-Request-Method": "GET"}

    allowed = toy.client.options("/api/things", headers={"Origin": ORIGIN, **asking})
    other = toy.client.options("/api/things", headers={"Origin": "https://evil.example", **asking})

    assert allowed.headers["access-control-allow-origin"] == ORIGIN
    assert "access-control-allow-origin" not in other.headers


def test_every_request_is_counted_under_its_operation(toy: Toy) -> None:
    """Refused ones too; the second system's names are told apart."""
    toy.client.get("/api/things/1")
    toy.client.get("/api/things/1", headers={"X-API-Key": "wrong"})
    toy.client.get(f"{SECOND}/open")
    toy.client.get("/nope")

    assert toy.observed == [("getThing", 200), ("getThing", 401), ("api.v1.open", 501), ("", 404)]
