"""What the name of a member, a variable or an option says about its value."""

from __future__ import annotations

import re

# Compared in lower case, without dashes, dots and underscores. A name is a secret's when it ends with one of them.
ENDINGS = (
    "password", "passwd", "passphrase", "passcode", "secret", "token", "apikey", "accesskey", "secretkey",
    "privatekey", "signingkey", "encryptionkey", "accountkey", "sharedkey", "masterkey", "authkey", "licensekey",
    "credential", "credentials", "connectionstring", "authorization", "cookie", "webhookurl", "kubeconfig",
    "accesskeyid", "keydata",
)  # fmt: skip
NAMES = frozenset(("auth", "pwd", "pass", "pw", "jwt", "sig", "signature", "dsn", "sessionid", "pgpassword"))
_SEPARATORS = re.compile(r"[\s._-]+")
# Those end like a secret and are a number of something, or the place of one.
_HARMLESS_ENDINGS = ("nexttoken", "continuetoken", "pagetoken", "automountserviceaccounttoken", "isnotsecret")


def is_secret_name(name: str) -> bool:
    """Whether what has this name is a secret."""
    plain = _SEPARATORS.sub("", name).lower()
    if plain.endswith(_HARMLESS_ENDINGS):
        return False
    return plain in NAMES or plain.endswith(ENDINGS)
