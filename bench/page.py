"""The page of incidents every SDK contestant reads: 50 rows as the server sends them."""

from __future__ import annotations

import orjson

ROWS = 50


def incident(number: int) -> dict[str, object]:
    """One incident of a list, with the context an Alertmanager alert leaves behind."""
    uuid = f"0b1f6c1e-6a0f-4a53-9f0c-{number:012d}"
    return {
        "id": number + 1,
        "uuid": uuid,
        "source": "alertmanager",
        "source_id": f"{number:016x}",
        "title": f"NodeDiskFilling - db-{number}.example.net:9100: /var is 93% full",
        "status": "completed",
        "context": {
            "alert_name": "NodeDiskFilling",
            "severity": "high",
            "status": "firing",
            "summary": "/var is 93% full",
            "description": "Predicted full in 5 h",
            "target_host": f"db-{number}.example.net:9100",
            "target_service": "node",
            "target_labels": {
                "alertname": "NodeDiskFilling",
                "instance": f"db-{number}",
                "mountpoint": "/var",
            },
            "runbook_url": "https://wiki.example.net/rb/disk",
        },
        "session_id": uuid,
        "working_dir": f"/var/lib/akmatori/incidents/{uuid}",
        "full_log": "",
        "response": "The disk fills because log rotation stopped. " * 8,
        "tokens_used": 0,
        "execution_time_ms": 812,
        "started_at": "2026-05-15T10:00:00.123456Z",
        "completed_at": "2026-05-15T10:00:00.935456Z",
        "created_at": "2026-05-15T10:00:00.123456Z",
        "updated_at": "2026-05-15T10:00:00.935456Z",
        "slack_channel_id": "",
        "slack_message_ts": "",
    }


def page() -> bytes:
    """The body of `GET /api/incidents?page=1&per_page=50` when there is one page."""
    pagination = {"page": 1, "per_page": ROWS, "total": ROWS, "total_pages": 1, "next_cursor": None}
    return orjson.dumps({"data": [incident(number) for number in range(ROWS)], "pagination": pagination})
