"""The process that sends one message through a proxy: what to send is on its standard input.

It is started for each message, so it imports as little as it can.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from typing import Any

from akmatori_server.notifications.addresses import send
from akmatori_server.notifications.failures import SendError, UnknownOutcomeError
from akmatori_server.settings.no_proxy import is_direct

_VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


def main() -> None:
    """Read what to send from the standard input, send it, and write what became of it."""
    given = json.load(sys.stdin)
    # Whatever else is printed is no answer.
    answer, sys.stdout = sys.stdout, sys.stderr
    use_proxy(given.pop("proxy"), given.pop("no_proxy"))
    json.dump(_sent(**given), answer)


def use_proxy(proxy: str, exceptions: str) -> None:
    """Have everything in this process go through a proxy, but for what is excepted, as the settings write it."""
    for name in _VARIABLES:
        os.environ.pop(name.lower(), None)
        os.environ[name] = "" if name == "NO_PROXY" else proxy

    def should_bypass_proxies(url: str, no_proxy: str | None = None) -> bool:
        # The name of the library's own, which it is called by; it is what the environment excepts.
        del no_proxy
        return is_direct(url, exceptions)

    # The library reads exceptions in its own way; ours holds for all that asks for a proxy.
    for module in ("requests.utils", "requests.sessions"):
        vars(importlib.import_module(module))["should_bypass_proxies"] = should_bypass_proxies


def _sent(*, url: str, **message: Any) -> dict[str, Any]:
    try:
        send(url, **message)
    except SendError as error:
        sentence = error.sentence
        if error.http_status is None:
            sentence += " It was asked through the proxy of the settings."
        return {
            "sentence": sentence,
            "is_final": error.is_final,
            "http_status": error.http_status,
            "is_unknown": isinstance(error, UnknownOutcomeError),
        }
    return {}


if __name__ == "__main__":
    main()
