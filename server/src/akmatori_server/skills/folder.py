"""The directory of one skill: its prompt file and its scripts, as they are on disk."""

from __future__ import annotations

import os
from datetime import UTC, datetime

import attrs

from akmatori_server.errors import Conflict, NotFound
from akmatori_server.files import FileTooLargeError, SafeDirectory, UnsafePathError
from akmatori_server.skills.document import (
    FILE,
    LARGEST_FILE,
    Document,
    InvalidSkillError,
    prompt_of,
    read_document,
)
from akmatori_server.skills.models import Script
from akmatori_server.skills.names import is_hidden, is_script_name

SCRIPTS = "scripts"
# What a script that was put on disk may have, to be answered as JSON.
LARGEST_SCRIPT = 10 * 1024 * 1024


@attrs.frozen
class SkillFolder:
    """One skill's directory."""

    directory: SafeDirectory

    @property
    def scripts(self) -> SafeDirectory:
        """Where the scripts are."""
        return self.directory.below(SCRIPTS)

    def content(self) -> bytes | None:
        """Return the prompt file, None when there is none that can be read."""
        try:
            return self.directory.read(FILE, limit=LARGEST_FILE)
        except (OSError, FileTooLargeError, UnsafePathError):
            return None

    def prompt(self) -> str:
        """Return the prompt, "" when there is no prompt file."""
        content = self.content()
        return "" if content is None else prompt_of(content)

    def document(self) -> Document | None:
        """Return what the prompt file says, None when it is missing or breaks the format."""
        content = self.content()
        if content is None:
            return None
        try:
            return read_document(content)
        except InvalidSkillError:
            return None

    def checked_document(self, name: str) -> Document | None:
        """Return what the prompt file of the skill `name` says, None when there is no such file.

        Raises:
            InvalidSkillError: it cannot be the skill's.
        """
        try:
            content = self.directory.read(FILE, limit=LARGEST_FILE)
        except FileNotFoundError:
            return None
        except FileTooLargeError:
            raise InvalidSkillError(f"{FILE} has more than {LARGEST_FILE} bytes.") from None
        except UnsafePathError:
            raise InvalidSkillError(f"{FILE}, or the directory, is a link or no plain file.") from None
        except OSError as error:
            raise InvalidSkillError(f"{FILE} cannot be read: {error.strerror}.") from None
        document = read_document(content)
        if document.name != name:
            raise InvalidSkillError("The name in the front matter is not the directory's.")
        return document

    def script_names(self) -> list[str]:
        """Return the scripts by name, without hidden ones."""
        try:
            entries = self.scripts.entries()
        except UnsafePathError:
            return []
        return [
            entry.name
            for entry in entries
            if entry.kind == "file" and is_script_name(entry.name) and not is_hidden(entry.name)
        ]

    def script(self, filename: str) -> Script:
        """Return one script.

        Raises:
            NotFound: there is none of this name.
            Conflict: it cannot be answered as text.
        """
        try:
            with self.scripts.open(filename) as file:
                content = file.read(LARGEST_SCRIPT + 1)
                modified = os.fstat(file.fileno()).st_mtime
        except (FileNotFoundError, UnsafePathError):
            raise NotFound("The skill has no script of this name.") from None
        if len(content) > LARGEST_SCRIPT:
            raise Conflict(f"The script has more than {LARGEST_SCRIPT} bytes; read it on disk.")
        try:
            text = content.decode("utf-8")
        except UnicodeDecodeError:
            raise Conflict("The script is not UTF-8 text; read it on disk.") from None
        return Script(
            filename=filename,
            content=text,
            size=len(content),
            modified_at=datetime.fromtimestamp(modified, UTC),
        )

    def manifest(self) -> dict[str, str]:
        """Return the hashes of the prompt file and of all scripts, hidden ones included."""
        found: dict[str, str] = {}
        if self.directory.kind(FILE) == "file":
            found[FILE] = self.directory.hash(FILE)
        if self.directory.kind(SCRIPTS) == "directory":
            for entry in self.scripts.entries():
                if entry.kind == "file" and is_script_name(entry.name):
                    found[f"{SCRIPTS}/{entry.name}"] = self.scripts.hash(entry.name)
        return found
