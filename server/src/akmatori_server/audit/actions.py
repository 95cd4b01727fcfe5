"""Every action that leaves an entry in the audit trail, as `subject:verb` from the general to the special."""

from __future__ import annotations

import enum


class Action(enum.StrEnum):
    """What was done. A member is never renamed: its value is stored."""

    SETUP_COMPLETED = "setup:completed"

    API_KEY_CREATED = "api_key:created"
    API_KEY_REVOKED = "api_key:revoked"

    INCIDENT_CREATED = "incident:created"
    INCIDENT_CANCELLED = "incident:cancelled"
    INCIDENT_RETRIED = "incident:retried"

    KUBERNETES_INCIDENT_ACKNOWLEDGED = "kubernetes_incident:acknowledged"

    PROPOSAL_CREATED = "proposal:created"
    PROPOSAL_APPROVED = "proposal:approved"
    PROPOSAL_REJECTED = "proposal:rejected"
    # Done, failed, lost on the way, or expired: what the server says about it by itself.
    PROPOSAL_ENDED = "proposal:ended"

    ALERT_SOURCE_CREATED = "alert_source:created"
    ALERT_SOURCE_UPDATED = "alert_source:updated"
    ALERT_SOURCE_DELETED = "alert_source:deleted"
    DELIVERY_REPLAYED = "alert_source:delivery:replayed"

    CORRELATION_RULES_UPDATED = "correlation_rules:updated"

    SILENCE_CREATED = "silence:created"
    SILENCE_UPDATED = "silence:updated"
    SILENCE_ENDED = "silence:ended"

    RUNBOOK_CREATED = "runbook:created"
    RUNBOOK_UPDATED = "runbook:updated"
    RUNBOOK_DELETED = "runbook:deleted"

    SKILL_CREATED = "skill:created"
    SKILL_UPDATED = "skill:updated"
    SKILL_DELETED = "skill:deleted"
    SKILL_PROMPT_UPDATED = "skill:prompt:updated"
    SKILL_TOOLS_UPDATED = "skill:tools:updated"
    SKILL_SCRIPT_WRITTEN = "skill:script:written"
    SKILL_SCRIPT_DELETED = "skill:script:deleted"
    SKILL_SCRIPTS_CLEARED = "skill:scripts:cleared"
    SKILLS_SYNCED = "skill:synced"

    TOOL_CREATED = "tool:created"
    TOOL_UPDATED = "tool:updated"
    TOOL_DELETED = "tool:deleted"
    TOOL_CALLED = "tool:called"
    TOOL_TESTED = "tool:tested"
    SSH_KEY_ADDED = "tool:ssh_key:added"
    SSH_KEY_UPDATED = "tool:ssh_key:updated"
    SSH_KEY_DELETED = "tool:ssh_key:deleted"

    CONTEXT_FILE_UPLOADED = "context_file:uploaded"
    CONTEXT_FILE_DELETED = "context_file:deleted"

    HTTP_CONNECTOR_CREATED = "http_connector:created"
    HTTP_CONNECTOR_UPDATED = "http_connector:updated"
    HTTP_CONNECTOR_DELETED = "http_connector:deleted"

    MCP_SERVER_CREATED = "mcp_server:created"
    MCP_SERVER_UPDATED = "mcp_server:updated"
    MCP_SERVER_DELETED = "mcp_server:deleted"

    GENERAL_UPDATED = "settings:general:updated"
    SLACK_UPDATED = "settings:slack:updated"
    LLM_UPDATED = "settings:llm:updated"
    LLM_CREATED = "settings:llm:created"
    LLM_DELETED = "settings:llm:deleted"
    LLM_ACTIVATED = "settings:llm:activated"
    PROXY_UPDATED = "settings:proxy:updated"
    NOTIFICATIONS_UPDATED = "settings:notifications:updated"
    NOTIFICATION_TESTED = "settings:notifications:tested"
    RETENTION_UPDATED = "settings:retention:updated"

    SCAN_TRIGGERED = "scan:triggered"

    SECRETS_ROTATED = "secrets:rotated"
    SECRETS_FORGOTTEN = "secrets:forgotten"

    RETENTION_RAN = "retention:ran"
