"""The database: transactions, column types, and what its errors do not say."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta, timezone

import pytest
import sqlalchemy as sa

from akmatori_server.auth.tables import installation
from akmatori_server.database import Database

NOW = datetime(2026, 11, 22, 10, 0, 0, 123456, tzinfo=UTC)


def put(connection: sa.Connection, name: str, value: str = "1", moment: datetime = NOW) -> None:
    """Store a fact."""
    connection.execute(installation.insert().values(name=name, value=value, updated_at=moment))


def names(database: Database) -> list[str]:
    """List the facts."""
    with database.read() as connection:
        return list(
            connection.execute(sa.select(installation.c.name).order_by(installation.c.name)).scalars()
        )


def _store_and_fail(connection: sa.Connection) -> None:
    put(connection, "a")
    raise LookupError


def test_a_write_is_all_or_nothing(database: Database) -> None:
    """An exception inside a write undoes it."""
    with pytest.raises(LookupError), database.write() as connection:
        _store_and_fail(connection)

    assert names(database) == []


def test_reading_sees_what_was_committed_last(database: Database) -> None:
    """A read connection that stays open does not keep an old picture."""
    with database.read() as reader:
        count = sa.select(sa.func.count()).select_from(installation)
        before = reader.execute(count).scalar_one()
        with database.write() as connection:
            put(connection, "a")

        assert (before, reader.execute(count).scalar_one()) == (0, 1)


def test_writers_do_not_lose_each_others_changes(database: Database) -> None:
    """Reading a number and writing the next one is safe: writers come one after the other."""
    with database.write() as connection:
        put(connection, "n", "0")

    def add() -> None:
        for _ in range(20):
            with database.write() as connection:
                row = sa.select(installation.c.value).where(installation.c.name == "n").with_for_update()
                number = int(connection.execute(row).scalar_one())
                connection.execute(
                    installation.update().where(installation.c.name == "n").values(value=str(number + 1))
                )

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    with database.read() as connection:
        assert connection.execute(sa.select(installation.c.value)).scalar_one() == "80"


def test_a_moment_is_read_back_as_it_was(database: Database) -> None:
    """Microseconds survive, and another zone is the same moment."""
    with database.write() as connection:
        put(connection, "a", moment=NOW.astimezone(timezone(timedelta(hours=5, minutes=30))))

    with database.read() as connection:
        moment = connection.execute(sa.select(installation.c.updated_at)).scalar_one()
    assert (moment, moment.tzinfo) == (NOW, UTC)


def test_moments_at_the_edge_of_time_can_be_asked_for(database: Database) -> None:
    """In their own zone they exist, and in UTC they would not."""
    far = timezone(timedelta(hours=14))
    with database.write() as connection:
        put(connection, "now")
    for moment, after in (
        (datetime(1, 1, 1, tzinfo=far), 1),
        (datetime(9999, 12, 31, 23, tzinfo=timezone(-timedelta(hours=14))), 0),
    ):
        with database.read() as connection:
            query = sa.select(sa.func.count()).where(installation.c.updated_at > moment)
            assert connection.execute(query).scalar_one() == after


def test_a_moment_without_a_zone_is_refused(database: Database) -> None:
    """It would be read back as another moment."""
    with pytest.raises(sa.exc.StatementError, match="time zone"), database.write() as connection:
        put(connection, "a", moment=NOW.replace(tzinfo=None))


def test_errors_do_not_repeat_values(database: Database) -> None:
    """What a failing statement was given may be a secret, and errors are logged."""
    with database.write() as connection:
        put(connection, "a", "first")

    with pytest.raises(sa.exc.IntegrityError) as caught, database.write() as connection:
        put(connection, "a", "hunter2")

    assert "hunter2" not in str(caught.value)


def test_other_databases_are_refused() -> None:
    """Only the two that are tested."""
    with pytest.raises(ValueError, match="sqlite:// or postgresql://"):
        Database.open("mysql://localhost/x")


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_who_stands_still_in_a_transaction_gives_up_its_locks(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its machine was paused; whoever took over its work does not wait for ever, and it finds its write undone."""
    monkeypatch.setattr("akmatori_server.database.connection.IDLE_IN_TRANSACTION_SECONDS", 1)
    paused = Database.open(database.engine.url)
    with database.write() as connection:
        put(connection, "a", "1")
    change = sa.update(installation).where(installation.c.name == "a")

    def stand_still() -> None:
        with paused.write() as connection:
            connection.execute(change.values(value="of the paused"))
            with database.write() as other:
                # Waits for the lock of the one that stands still.
                other.execute(change.values(value="of the other"))
            connection.execute(change.values(value="too late"))

    with pytest.raises(sa.exc.DBAPIError, match="idle-in-transaction timeout"):
        stand_still()
    paused.close()

    with database.read() as connection:
        assert connection.execute(sa.select(installation.c.value)).scalars().all() == ["of the other"]
