"""Files below one directory: nothing named by a caller leaves it, and nothing is ever half written."""

from akmatori_server.files.change import Change, changing
from akmatori_server.files.directory import FileTooLargeError, SafeDirectory, UnsafePathError
from akmatori_server.files.lock import LOCK, DirectoryLock
from akmatori_server.files.staging import StagedFiles, settle

__all__ = [
    "LOCK",
    "Change",
    "DirectoryLock",
    "FileTooLargeError",
    "SafeDirectory",
    "StagedFiles",
    "UnsafePathError",
    "changing",
    "settle",
]
