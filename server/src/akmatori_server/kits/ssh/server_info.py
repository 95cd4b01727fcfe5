"""Name, operating system and uptime of a host, in one command."""

from __future__ import annotations

from akmatori_server.incidents.storable import JSON

SCRIPT = (
    'echo "hostname=$(uname -n)"; echo "kernel=$(uname -sr)"; grep ^PRETTY_NAME= /etc/os-release 2>/dev/null;'
    ' echo "uptime=$(cut -d . -f 1 /proc/uptime 2>/dev/null)"'
)


def parse_info(text: str) -> dict[str, JSON]:
    """Read what the script printed; what a system does not say is empty."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        name, _, value = line.partition("=")
        found[name] = value
    kernel = found.get("kernel", "")
    seconds = found.get("uptime", "")
    return {
        "hostname": found.get("hostname", ""),
        "os": found.get("PRETTY_NAME", "").strip("\"'") or kernel,
        "kernel": kernel,
        "uptime": _readable(int(seconds)) if seconds.isdecimal() else "",
    }


def _readable(seconds: int) -> str:
    days, rest = divmod(seconds, 86400)
    hours, minutes = divmod(rest // 60, 60)
    return f"{days} d {hours:02}:{minutes:02} h"
