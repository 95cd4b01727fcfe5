"""Rows and files that change together: one lock, one transaction, and the files staged for it."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress

import attrs
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from akmatori_server.database import Database
from akmatori_server.errors import Conflict
from akmatori_server.files.directory import SafeDirectory, UnsafePathError
from akmatori_server.files.lock import DirectoryLock
from akmatori_server.files.staging import StagedFiles


@attrs.frozen
class Change:
    """A change that is being made."""

    connection: sa.Connection
    staged: StagedFiles


@contextmanager
def changing(
    database: Database, directory: SafeDirectory, settle: Callable[[sa.Connection], None]
) -> Generator[Change]:
    """Yield a change; its rows and files become visible together at the end, or not at all.

    Args:
        database: Where the rows are.
        directory: Where the files are; one change at a time is made below it.
        settle: Finishes or takes back what a crash has left, by what the tables say.

    Raises:
        Conflict: somebody else was faster, or a link stands where the files belong.
    """
    with DirectoryLock(directory).held():
        staged = StagedFiles()
        try:
            with database.write() as connection:
                settle(connection)
                try:
                    yield Change(connection, staged)
                except BaseException:
                    staged.discard()
                    raise
        except IntegrityError as error:
            raise Conflict("Somebody else has just changed what this is about; read it again.") from error
        except UnsafePathError as error:
            raise Conflict(f"The files cannot be written: {error}") from error
        except SQLAlchemyError:
            # Whether it was committed is not known; what the tables say now decides.
            with suppress(SQLAlchemyError, OSError), database.read() as connection:
                settle(connection)
            raise
        staged.apply()
