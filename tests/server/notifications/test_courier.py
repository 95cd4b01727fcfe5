"""What is sent when, once and in its order, whatever goes wrong on the way."""

from __future__ import annotations

import asyncio

import attrs
import pytest
import sqlalchemy as sa
from sqlalchemy import event
from structlog.testing import capture_logs

from akmatori_server.incidents.models import Status
from akmatori_server.investigation.journal import Journal
from akmatori_server.notifications.announcer import Approval
from akmatori_server.notifications.cleanup import OLD_NOTIFICATIONS
from akmatori_server.notifications.delivery import Delivery
from akmatori_server.notifications.models import NotificationKind, State
from akmatori_server.notifications.tables import notification_attempts, notifications
from akmatori_server.notifications.thread_status import ThreadStatus
from akmatori_server.retention.cleanup import Cleanup
from tests.server.notifications.office import SETTLED, Office, use_slack
from tests.support.slack import CHANNEL, Answer, SlackServer, error


class KilledError(BaseException):
    """The process dies here."""


def unrecorded(*_changes: object) -> None:
    """Write no entry of the audit trail."""


def states(office: Office) -> list[tuple[str, str]]:
    """Return what became of everything, in its order."""
    return [(one.kind.value, one.state.value) for one in office.told()]


def test_without_a_channel_there_is_no_row_and_no_work(office: Office) -> None:
    """One look at the settings a second; and a change of theirs counts from then on."""
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        if "notification" in statement or "slack_settings" in statement or "SAVEPOINT" in statement:
            statements.append(statement)

    event.listen(office.domain.database.engine, "before_cursor_execute", note)
    office.alert("A")
    first = len(statements)
    for name in "BCDE":
        office.alert(name)
    office.investigate("Nothing.")

    assert len(statements) == first <= 5
    assert office.count(notifications) == 0
    with office.settings.writing() as write:
        # As another process would change it: nobody tells this one.
        slack = write.slack()
        changed = slack.changed(
            bot_token="t", signing_secret="s", app_token="a", alerts_channel="#alerts", enabled=True
        )
        write.put_slack(changed)
    office.alert("F")
    assert office.count(notifications) == 0
    office.ticks.now += 1.01
    office.alert("G")
    assert [one.kind.value for one in office.told()] == ["incident_opened"]


def test_what_happens_to_an_incident_is_told_once_and_in_its_order(
    office: Office, slack: SlackServer
) -> None:
    """Opened, investigated, resolved, fires again; the first message follows."""
    use_slack(office)
    [uuid] = office.alert()
    office.alert()  # a repeat is no news
    office.send()
    office.investigate("**Found it:** the log is too big.")
    office.send()
    office.alert(status="resolved")
    office.send(SETTLED)
    [first] = slack.top()
    assert "*Status:* resolved" in first.text
    office.alert()
    office.send(SETTLED)

    assert [one for one in states(office) if one[1] != "sent"] == []
    assert [kind for kind, _ in states(office)] == [
        "incident_opened",
        "investigation_started",
        "investigation_finished",
        "incident_resolved",
        "incident_reopened",
    ]
    texts = [message.text for message in slack.thread(first)]
    assert texts[0].startswith("*Found it:* the log is too big.\n\n⏱️ Time: ")
    assert f"🎯 Tokens: 1,234 | <https://a.test/incidents/{uuid}|Open the incident>" in texts[0]
    assert texts[1].startswith("✅ *Resolved:* the alert is over")
    assert texts[2].startswith("🔁 *Fires again:* 1 of 1")
    assert "*Status:* firing" in first.text
    assert first.edits == 2
    office.send()
    assert len(slack.messages) == 4


def test_a_flapping_alert_is_told_when_it_rests(office: Office, slack: SlackServer) -> None:
    """Ten changes within seconds are one line, or none when all is as it was."""
    use_slack(office)
    office.alert()
    office.send()
    for _ in range(5):
        office.domain.clock.tick(1)
        office.alert(status="resolved")
        office.domain.clock.tick(1)
        office.alert()
    office.send(SETTLED)
    assert len(slack.messages) == 1
    assert {state for kind, state in states(office) if "re" in kind and "_re" in kind} == {"skipped"}
    office.alert(status="resolved")
    office.send(1)
    assert len(slack.messages) == 1
    office.send(SETTLED)
    assert len(slack.messages) == 2
    assert office.told()[-2].aggregated_count > 5


def test_replies_wait_for_the_first_message(office: Office, slack: SlackServer) -> None:
    """While Slack is away nothing overtakes it; and it is tried less and less often."""
    use_slack(office)
    slack.answer_next("chat.postMessage", Answer(503), Answer(503), Answer(503))
    office.alert()
    office.investigate("Done.")
    office.alert(status="resolved")
    office.send(SETTLED)
    assert slack.methods().count("chat.postMessage") == 1
    assert [state for _, state in states(office)] == ["failed", "pending", "pending", "pending"]
    office.send(1)
    assert slack.methods().count("chat.postMessage") == 1
    office.send(1)
    office.send(4)
    office.send(8)

    assert {state for _, state in states(office)} == {"sent"}
    assert office.outcomes(office.told()[0]) == ["unknown", "unknown", "unknown", "sent"]
    [first] = slack.top()
    assert [message.thread_ts for message in slack.messages[1:]] == [first.ts] * 2


@pytest.mark.parametrize("is_reply", [False, True])
def test_killed_between_sending_and_writing_it_down(
    office: Office, slack: SlackServer, monkeypatch: pytest.MonkeyPatch, is_reply: bool
) -> None:
    """The next one finds the message in Slack, and posts no second one."""
    use_slack(office)
    office.alert()
    if is_reply:
        office.send()
        office.investigate("Done.")

    def die(*_arguments: object) -> None:
        raise KilledError

    with monkeypatch.context() as patched:
        patched.setattr(Delivery, "_note", die)
        with pytest.raises(KilledError):
            office.send()
    posted = len(slack.messages)
    # Another process: it waits until the dead one's claim is over, and the same task would not.
    office.courier.drain("another")
    assert len(slack.messages) == posted
    office.send()

    assert len(slack.messages) == posted
    assert {state for _, state in states(office)} == {"sent"}
    killed = [one for one in office.told() if len(office.outcomes(one)) > 1]
    assert [office.outcomes(one) for one in killed] == [["unknown", "sent"]]
    [first] = slack.top()
    assert office.domain.incidents.get(killed[0].incident_uuid or "")[0].slack_message_ts == first.ts


def test_an_answer_that_is_lost_doubles_nothing(office: Office, slack: SlackServer) -> None:
    """Slack did it, and the connection ended before it said so; without leave to look, it is told again."""
    use_slack(office)
    slack.answer_next("chat.postMessage", Answer(is_done=True, is_silent=True))
    office.alert("A")
    office.send()
    office.send(2)
    assert len(slack.messages) == 1
    assert {state for _, state in states(office)} == {"sent"}

    slack.answer_next("chat.postMessage", Answer(is_done=True, is_silent=True))
    slack.answer_next("conversations.history", error("missing_scope", needed="channels:history"))
    office.alert("B")
    office.send()
    office.send(2)
    assert len(slack.messages) == 3
    assert {state for _, state in states(office)} == {"sent"}


def test_errors_that_stay_are_told_at_once_to_whoever_can_mend_them(
    office: Office, slack: SlackServer
) -> None:
    """One attempt, a sentence, no secret."""
    use_slack(office)
    for number, (code, words) in enumerate(
        {
            "invalid_auth": "bot token",
            "channel_not_found": "alerts_channel",
            "is_archived": "archived",
            "not_in_channel": "/invite",
            "missing_scope": "chat:write",
            "something_new": "something_new",
        }.items()
    ):
        slack.answer_next("chat.postMessage", error(code, needed="chat:write"))
        office.alert(f"A{number}")
        office.send()
        last = office.told()[-1]
        assert (last.state, last.attempts) == (State.GIVEN_UP, 1), code
        assert words in last.error, last.error
        assert "xoxb" not in last.error


def test_a_mark_that_is_refused_costs_no_message(office: Office, slack: SlackServer) -> None:
    """Reactions need a scope of their own."""
    use_slack(office, channel=CHANNEL)
    slack.answer_next("reactions.add", *[error("missing_scope", needed="reactions:write")] * 3)
    office.alert()
    office.investigate("Done.", Status.FAILED)
    office.send()

    assert len(slack.messages) == 2
    by_kind = {one.kind: one for one in office.told()}
    assert by_kind[NotificationKind.INCIDENT_OPENED].state is State.SENT
    assert by_kind[NotificationKind.INVESTIGATION_STARTED].state is State.GIVEN_UP
    assert "reactions:write" in by_kind[NotificationKind.INVESTIGATION_STARTED].error
    assert "conversations.list" not in slack.methods()


def test_a_day_old_message_is_no_news(office: Office, slack: SlackServer) -> None:
    """It is given up then; retention removes it a month later, with its attempts."""
    use_slack(office)
    slack.answer_next("chat.postMessage", Answer(500), Answer(500))
    office.alert()
    office.send()
    office.send(25 * 3600)
    assert [one.state for one in office.told()] == [State.GIVEN_UP]

    cleanup = Cleanup(attrs.evolve(OLD_NOTIFICATIONS, batch=1), office.domain.database, office.domain.clock)
    cleanup.run()
    assert office.count(notifications) == 1
    office.domain.clock.tick(OLD_NOTIFICATIONS.kept.total_seconds())
    cleanup.run()
    assert (office.count(notifications), office.count(notification_attempts)) == (0, 0)


def test_a_cancelled_and_repeated_investigation_is_told_again(office: Office, slack: SlackServer) -> None:
    """Each run has its report; a run that is taken up after a crash has one mark."""
    use_slack(office)
    [uuid] = office.alert()
    office.domain.control.cancel(uuid, unrecorded)
    office.send()
    office.domain.control.retry(uuid, unrecorded)
    office.investigate("This time.")
    office.send()

    [first] = slack.top()
    assert [message.text.splitlines()[0] for message in slack.thread(first)][1] == "This time."
    assert first.reactions == ["rotating_light", "x", "white_check_mark"]


def test_what_awaits_approval_is_told_where_its_incident_is(office: Office, slack: SlackServer) -> None:
    """In the thread; for an incident that nobody was told of, in the channel. Once."""
    use_slack(office)
    [uuid] = office.alert()
    incident = office.domain.incidents.get(uuid)[0]
    for _ in range(2):
        with office.domain.database.write() as connection:
            office.announcer.approval_needed(
                connection,
                Approval(
                    uuid="p-1", title="Restart", summary="Restart `nginx` on db-1.", incident_id=incident.id
                ),
                now=office.domain.clock(),
            )
    office.send()

    [first] = slack.top()
    [asked] = slack.thread(first)
    assert "Restart" in asked.text
    assert "<https://a.test/proposals/p-1|" in asked.text


def test_a_thread_says_that_it_is_investigated(office: Office, slack: SlackServer) -> None:
    """From the beginning, again with every minute, until the report; where Slack refuses it is left alone."""
    use_slack(office)
    office.alert()
    office.send()
    [first] = slack.top()
    status = ThreadStatus(office.domain.database, office.delivery, now=office.domain.clock)
    status.refresh()
    assert first.status == ""
    shown: list[str] = []

    async def handler(incident_id: int, run: int) -> None:
        journal = Journal.take(
            office.domain.database, incident_id, run, now=office.domain.clock, events=office.domain.events
        )
        assert journal is not None
        await asyncio.to_thread(office.send)
        shown.append(first.status)
        first.status = ""
        slack.answer_next("assistant.threads.setStatus", error("missing_scope"))
        # Asked, not asked, asked again, and not any more after an hour.
        for seconds in (0, 60, 600, 3000):
            office.domain.clock.tick(seconds)
            status.refresh()
            shown.append(first.status)
            first.status = ""
        journal.close(Status.COMPLETED, "Done.")

    office.domain.queue.drain(handler)
    assert shown == ["is investigating…", "", "", "is investigating…", ""]
    assert slack.methods().count("assistant.threads.setStatus") == 3


def test_a_failing_announcement_fails_no_alert(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """The alert counts more, on PostgreSQL too, where a failing statement spoils the transaction."""
    use_slack(office)

    def broken(connection: sa.Connection, *_more: object) -> int:
        connection.execute(sa.text("SELECT * FROM nowhere"))
        return 0

    monkeypatch.setattr("akmatori_server.notifications.store.add", broken)
    with capture_logs() as logs:
        assert len(office.alert()) == 1
    assert "notification_not_stored" in [entry["event"] for entry in logs]
