"""Deleting finished incidents once they are older than the operator wants to keep them."""

from akmatori_server.retention.job import RetentionJob
from akmatori_server.retention.report import RetentionReport

__all__ = ["RetentionJob", "RetentionReport"]
