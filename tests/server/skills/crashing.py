"""Processes that change skills or context files and are killed before or after the commit.

Run as a program. It has imported the server once, and forks for each line `["URL", "DATA", "MOMENT", "CHANGE"]`;
it answers with the exit code. Nothing is open, and no thread runs, when it forks.
"""

from __future__ import annotations

import io
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import event

from akmatori_server.context_files.models import NewContextFile
from akmatori_server.database import Database
from akmatori_server.files import StagedFiles
from akmatori_server.skills.models import NewSkill, SkillChanges
from tests.support.configured import Configured, configured


def create(services: Configured) -> None:
    """Create a skill."""
    with services.skills.workspace.change() as change:
        services.skills.create_in(change, None, NewSkill(name="fresh", prompt="new", enabled=False))


def upload(services: Configured) -> None:
    """Upload a file."""
    content = b"new bytes"
    services.files.upload(
        None,
        NewContextFile(
            filename="fresh.md",
            original_name="fresh.md",
            mime_type="text/plain",
            description="",
            size=len(content),
            content=io.BytesIO(content),
        ),
    )


CHANGES: dict[str, Callable[[Configured], object]] = {
    "create": create,
    "update": lambda s: (
        s.skills.update(None, "old", SkillChanges(prompt="new", description="newer")) and None
    ),
    "delete": lambda s: s.skills.delete(None, "old"),
    "put_script": lambda s: s.scripts.put(None, "old", "a.sh", "new"),
    "delete_script": lambda s: s.scripts.delete(None, "old", "a.sh"),
    "clear_scripts": lambda s: s.scripts.clear(None, "old"),
    "upload": upload,
    "remove": lambda s: s.files.delete(None, 1),
}


def die(*_: object) -> None:
    """End as by `kill -9`."""
    os.kill(os.getpid(), signal.SIGKILL)


def main(url: str, data: str, moment: str, change: str) -> None:
    """Make one change, and die at the moment."""
    database = Database.open(url)
    services = configured(database, Path(data))
    if moment == "before":
        # Everything is written and staged; the transaction is about to be committed.
        event.listen(database.engine, "commit", die)
    else:
        # The transaction is committed; no file is in its place yet.
        setattr(StagedFiles, "apply", die)  # noqa: B010  a method is not assigned to in plain sight
    CHANGES[change](services)


def fork(arguments: list[str]) -> int:
    """Run `main` in a process of its own, and return its exit code."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    try:
        main(*arguments)
    except BaseException:  # noqa: BLE001  it must not come back into the parent's loop
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


if __name__ == "__main__":
    for line in sys.stdin:
        print(fork(json.loads(line)), flush=True)
