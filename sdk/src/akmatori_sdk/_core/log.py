"""The SDK's loggers. Silent until the application configures `akmatori_sdk`.

DEBUG has one line per attempt, INFO one per retry, login and choice of credential. No line holds a header,
a body or a traceback.
"""

from __future__ import annotations

import logging

logging.getLogger("akmatori_sdk").addHandler(logging.NullHandler())

http = logging.getLogger("akmatori_sdk.http")
auth = logging.getLogger("akmatori_sdk.auth")
config = logging.getLogger("akmatori_sdk.config")
