"""What a query may not call or read although it changes no row.

A read-only transaction stops every change of data. It does not stop functions that reach the server's files,
other servers, other sessions or the server's own state, nor those that run a text as another statement.
"""

from __future__ import annotations

import re

# Waiting.
_WAITING = """
    pg_sleep pg_sleep_for pg_sleep_until
"""
# Other sessions, and the server as a whole.
_SERVER = """
    pg_terminate_backend pg_cancel_backend pg_reload_conf pg_rotate_logfile pg_rotate_logfile_old
    pg_switch_wal pg_switch_xlog pg_promote pg_create_restore_point pg_export_snapshot pg_notify
    pg_log_standby_snapshot pg_log_backend_memory_contexts pg_import_system_collations
    pg_sync_replication_slots pg_prewarm pg_extension_config_dump pg_clear_relation_stats
    pg_restore_relation_stats pg_clear_attribute_stats pg_restore_attribute_stats
    pg_truncate_visibility_map pg_stat_statements_reset pg_stat_force_next_flush pg_nextoid
    pg_stop_making_pinned_objects pg_partition_root_lock pg_freespacemap_reset brin_summarize_new_values
    brin_summarize_range brin_desummarize_range gin_clean_pending_list autoprewarm_dump_now
    autoprewarm_start_worker
"""
# Settings, sequences, counters.
_STATE = """
    set_config nextval setval txid_current pg_current_xact_id
"""
# The server's files and large objects.
_FILES = """
    pg_read_file pg_read_binary_file pg_read_server_files pg_stat_file loread lowrite lo_get lo_put
    lo_open lo_creat lo_create lo_unlink lo_import lo_export lo_from_bytea lo_truncate lo_truncate64
    lo_lseek lo_lseek64 lo_tell lo_close lo_manage
"""
# Texts that become statements.
_STATEMENTS = """
    query_to_xml query_to_xmlschema query_to_xml_and_xmlschema cursor_to_xml cursor_to_xmlschema
    table_to_xml table_to_xmlschema table_to_xml_and_xmlschema schema_to_xml schema_to_xmlschema
    schema_to_xml_and_xmlschema database_to_xml database_to_xmlschema database_to_xml_and_xmlschema
    ts_stat ts_rewrite crosstab crosstab2 crosstab3 crosstab4 connectby xpath_table plpgsql_call_handler
    plpgsql_inline_handler
"""
# Other servers, by extensions.
_ELSEWHERE = """
    http http_get http_post http_put http_patch http_delete http_head http_reset_curlopt
    http_set_curlopt postgres_fdw_disconnect postgres_fdw_disconnect_all postgres_fdw_get_connections
"""
# What the server's configuration files say.
_FROM_FILES = """
    pg_show_all_file_settings pg_hba_file_rules pg_ident_file_mappings
"""
_FUNCTIONS = frozenset(
    name
    for names in (_WAITING, _SERVER, _STATE, _FILES, _STATEMENTS, _ELSEWHERE, _FROM_FILES)
    for name in names.split()
)
# Families that grow with every version, and whose names nothing else has.
_FAMILIES = re.compile(
    r"pg_ls_|pg_file_|pg_advisory_|pg_try_advisory_|pg_stat_reset|pg_backup_|pg_start_backup|pg_stop_backup"
    r"|pg_wal_replay_|pg_xlog_replay_|pg_logical_|pg_replication_|pg_create_.*_slot|pg_copy_.*_slot|pg_drop_.*_slot"
    r"|pg_logdir_|binary_upgrade_|dblink|cron_|aws_s3|aws_lambda|azure_storage"
)
# Schemas of extensions that send requests, run jobs and write files.
_SCHEMAS = frozenset({"cron", "net", "aws_s3", "aws_lambda", "aws_commons", "azure_storage", "dblink"})
_RELATIONS = frozenset(
    {
        "pg_authid",
        "pg_shadow",
        "pg_user_mapping",
        "pg_user_mappings",
        "pg_subscription",
        "pg_largeobject",
        "pg_file_settings",
        "pg_hba_file_rules",
        "pg_ident_file_mappings",
        "user_mapping_options",
        "_pg_user_mappings",
    }
)
# Settings that may hold a password.
_SETTINGS = frozenset({"primary_conninfo", "ssl_passphrase_command", "archive_command", "restore_command"})


def is_forbidden_function(name: str) -> bool:
    """Whether a function may not be called, by its own name."""
    return name in _FUNCTIONS or _FAMILIES.match(name) is not None


def is_forbidden_schema(name: str) -> bool:
    """Whether no function of a schema may be called."""
    return name in _SCHEMAS


def is_forbidden_relation(name: str) -> bool:
    """Whether a table or view holds passwords, or the server's files."""
    return name in _RELATIONS


def is_forbidden_setting(name: str) -> bool:
    """Whether a setting may hold a password."""
    return name in _SETTINGS
