"""Runbooks: writing, reading, and refusing, on both databases."""

from __future__ import annotations

import pytest

from akmatori_sdk._core.model import UNSET
from akmatori_sdk._generated.akmatori import models
from akmatori_server.errors import BadRequest, Conflict, NotFound
from akmatori_server.runbooks.handlers import RunbookHandlers
from tests.server.incidents.domain import Domain, call


@pytest.fixture
def handlers(domain: Domain) -> RunbookHandlers:
    """The operations, called as the HTTP layer calls them."""
    return RunbookHandlers(domain.runbooks, domain.trail)


def create(handlers: RunbookHandlers, title: str, content: str = "Do this.") -> models.Runbook:
    """Store a runbook."""
    body = models.RunbookInput(title=title, content=content)
    return handlers.create_runbook(call(), idempotency_key=UNSET, body=body).body


def test_a_runbook_is_stored_with_a_trimmed_title(domain: Domain, handlers: RunbookHandlers) -> None:
    """The content stays as it was sent."""
    created = create(handlers, "  Disk is full \n", "\n  du -xsh /var\n")

    assert created.title == "Disk is full"
    assert created.content == "\n  du -xsh /var\n"
    assert created.created_at == created.updated_at == domain.clock.now
    assert handlers.get_runbook(call(), id=created.id).body == created


@pytest.mark.parametrize(
    ("title", "content", "named"),
    [(" \t", "x", "title"), ("x", " \n", "content"), ("x" * 256, "x", "title")],
)
def test_blank_and_too_long_texts_are_refused(
    handlers: RunbookHandlers, title: str, content: str, named: str
) -> None:
    """On create and on update alike, naming the member; nothing changes."""
    stored = create(handlers, "kept")
    body = models.RunbookInput(title=title, content=content)

    with pytest.raises(BadRequest, match=named):
        create(handlers, title, content)
    with pytest.raises(BadRequest, match=named):
        handlers.update_runbook(call(), id=stored.id, if_match=UNSET, body=body)
    assert handlers.list_runbooks(call(), page=UNSET, per_page=UNSET) == [stored]


def test_a_title_of_255_characters_fits_after_trimming(handlers: RunbookHandlers) -> None:
    """Counted in characters, without the blanks around it."""
    assert create(handlers, "  " + "障" * 255 + "  ").title == "障" * 255


def test_the_list_is_by_title_bare_or_in_pages(handlers: RunbookHandlers) -> None:
    """Equal titles in the order of their creation."""
    stored = [create(handlers, title) for title in ("b", "a", "b", "c")]
    ids = [stored[1].id, stored[0].id, stored[2].id, stored[3].id]
    every = handlers.list_runbooks(call(), page=UNSET, per_page=UNSET)
    second = handlers.list_runbooks(call(), page=2, per_page=3)
    beyond = handlers.list_runbooks(call(), page=2**62, per_page=UNSET)

    assert isinstance(every, list)
    assert [runbook.id for runbook in every] == ids
    assert isinstance(second, models.RunbookPage)
    assert [runbook.id for runbook in second.data] == ids[3:]
    assert second.pagination == models.Pagination(page=2, per_page=3, total=4, total_pages=2)
    assert isinstance(beyond, models.RunbookPage)
    assert beyond.data == []


def test_an_update_replaces_both_members(domain: Domain, handlers: RunbookHandlers) -> None:
    """And moves `updated_at` only."""
    stored = create(handlers, "old")
    domain.clock.tick()
    body = models.RunbookInput(title=" new ", content="other")
    updated = handlers.update_runbook(call(), id=stored.id, if_match=UNSET, body=body).body

    assert (updated.title, updated.content) == ("new", "other")
    assert (updated.created_at, updated.updated_at) == (stored.created_at, domain.clock.now)
    assert handlers.get_runbook(call(), id=stored.id).body == updated


def test_an_update_of_what_was_not_read_is_refused(handlers: RunbookHandlers) -> None:
    """The tag of the newest version fits, also weakly and in a list; an older one does not."""
    stored = create(handlers, "one")
    tag = handlers.get_runbook(call(), id=stored.id).headers["ETag"]
    body = models.RunbookInput(title="two", content="x")
    newer = handlers.update_runbook(call(), id=stored.id, if_match=f'"else", W/{tag}', body=body).headers[
        "ETag"
    ]

    with pytest.raises(Conflict, match="read it again"):
        handlers.update_runbook(call(), id=stored.id, if_match=tag, body=body)
    handlers.update_runbook(call(), id=stored.id, if_match=newer, body=body)
    handlers.update_runbook(call(), id=stored.id, if_match="*", body=body)


@pytest.mark.parametrize("unknown", [1, 2**31, 2**53 - 1])
def test_an_unknown_id_is_not_found(handlers: RunbookHandlers, unknown: int) -> None:
    """For every operation, also where no row could ever have the id."""
    body = models.RunbookInput(title="x", content="x")

    with pytest.raises(NotFound):
        handlers.get_runbook(call(), id=unknown)
    with pytest.raises(NotFound):
        handlers.update_runbook(call(), id=unknown, if_match=UNSET, body=body)
    with pytest.raises(NotFound):
        handlers.delete_runbook(call(), id=unknown)


def test_a_deleted_runbook_is_gone(handlers: RunbookHandlers) -> None:
    """The second delete finds nothing, and ids are not used again."""
    stored = create(handlers, "gone")
    handlers.delete_runbook(call(), id=stored.id)

    with pytest.raises(NotFound):
        handlers.delete_runbook(call(), id=stored.id)
    assert create(handlers, "next").id > stored.id


def test_a_key_makes_a_create_happen_once(handlers: RunbookHandlers) -> None:
    """A repeat answers what the first one did, times included."""
    body = models.RunbookInput(title="x", content="y")
    answers = [handlers.create_runbook(call(), idempotency_key="k", body=body).body for _ in range(2)]

    assert answers[0] == answers[1]
    assert handlers.list_runbooks(call(), page=UNSET, per_page=UNSET) == [answers[0]]
