"""Settings against the schema of their type."""

from __future__ import annotations

from typing import Any

import pytest

from akmatori_server.errors import BadRequest
from akmatori_server.tools.builtin import builtin_types
from akmatori_server.tools.settings import check_settings, given_settings

SCHEMAS = {one.name: one.settings for one in builtin_types()}
HOST = {"hostname": "db-1", "address": "10.0.0.5"}
CERTIFICATE = "-----BEGIN CERTIFICATE-----\nno\n-----END CERTIFICATE-----"


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("ssh", {}),
        (
            "ssh",
            {"ssh_hosts": [{**HOST, "port": 2222, "user": "ops", "key_id": ""}], "ssh_command_timeout": 5},
        ),
        ("zabbix", {"zabbix_url": "https://zabbix.example.net/zabbix", "auth_method": "credentials"}),
        ("victoria_metrics", {"vm_url": "http://10.0.0.7:8428"}),
        ("postgresql", {"pg_host": "::1", "pg_database": "d", "pg_username": "u", "pg_password": "****abcd"}),
        ("jira", {"jira_url": "https://x.example.net", "jira_api_token": "t", "jira_api_version": "2"}),
    ],
)
def test_what_fits_passes(name: str, settings: dict[str, Any]) -> None:
    """Without a word."""
    check_settings(SCHEMAS[name], settings)


@pytest.mark.parametrize(
    ("name", "settings", "details"),
    [
        ("zabbix", {}, {"settings.zabbix_url": "must be given."}),
        (
            "zabbix",
            {"zabbix_url": "ftp://x", "zabbix_timeout": "30", "auth_method": "magic"},
            {
                "settings.zabbix_url": "must be an http or https address, without user name, password, query or"
                " fragment.",
                "settings.zabbix_timeout": "must be a whole number.",
                "settings.auth_method": "must be token or credentials.",
            },
        ),
        (
            "grafana",
            {"grafana_ulr": "https://g", "grafana_api_token": "t", "colour": 1},
            {
                "settings.grafana_url": "must be given.",
                "settings.grafana_ulr": "there is no such setting; did you mean grafana_url?",
                "settings.colour": "there is no such setting.",
            },
        ),
        (
            "ssh",
            {"ssh_hosts": [HOST, {"hostname": "", "address": "a b", "port": 0, "usr": "x"}]},
            {
                "settings.ssh_hosts.1.hostname": "must not be empty.",
                "settings.ssh_hosts.1.address": "must not have blanks, slashes or an @ in it.",
                "settings.ssh_hosts.1.port": "must be at least 1.",
                "settings.ssh_hosts.1.usr": "there is no such setting; did you mean user?",
            },
        ),
        ("ssh", {"ssh_hosts": HOST}, {"settings.ssh_hosts": "must be a list."}),
        ("ssh", {"ssh_command_timeout": 601}, {"settings.ssh_command_timeout": "must be at most 600."}),
        ("ssh", {"ssh_debug": "yes"}, {"settings.ssh_debug": "must be true or false."}),
        (
            "postgresql",
            {"pg_host": "h", "pg_database": "d", "pg_username": "u", "pg_password": "p", "pg_ssl_mode": "on"},
            {"settings.pg_ssl_mode": "must be one of disable, require, verify-ca, verify-full."},
        ),
        (
            "kubernetes",
            {"k8s_url": "https://k", "k8s_token": "t", "k8s_ca_cert": CERTIFICATE},
            {"settings.k8s_ca_cert": "must be a certificate in PEM form."},
        ),
    ],
)
def test_every_wrong_setting_gets_its_sentence(
    name: str, settings: dict[str, Any], details: dict[str, str]
) -> None:
    """All at once, the first of them also as the error itself."""
    with pytest.raises(BadRequest) as caught:
        check_settings(SCHEMAS[name], settings)

    assert caught.value.details == details
    assert caught.value.message.split(": ")[0] in details


@pytest.mark.parametrize(
    "address",
    [
        "https://user:hunter2@zabbix.example.net",
        "https://zabbix.example.net/?token=hunter2",
        "https://zabbix.example.net/#x",
        "https://zabbix.example.net:99999",
        "https://",
        "https://zabbix example.net",
        "https://zabbix.example.net/\n",
        "javascript:alert(1)",
    ],
)
def test_an_address_is_an_address_only(address: str) -> None:
    """No secret may stand in it, as it is shown; and the sentence does not repeat it."""
    with pytest.raises(BadRequest) as caught:
        check_settings(SCHEMAS["zabbix"], {"zabbix_url": address})

    assert "hunter2" not in caught.value.message


def test_a_field_left_empty_is_not_given() -> None:
    """As forms send it. The keys have their own operations."""
    given = given_settings(
        {"zabbix_url": "https://z", "zabbix_username": "", "zabbix_token": None, "ssh_keys": []}
    )

    assert given == {"zabbix_url": "https://z"}
