"""How certificates are checked."""

from __future__ import annotations

import ssl
from functools import lru_cache

import certifi


@lru_cache(maxsize=32)
def tls_context(*, verify: bool = True, ca_pem: str = "") -> ssl.SSLContext:
    """Return the TLS of a client.

    Args:
        verify: whether the server's certificate is checked.
        ca_pem: certificate authorities to trust beside those of the system, in PEM form.

    Raises:
        ValueError: `ca_pem` has no certificate that can be read.
    """
    context = ssl.create_default_context()
    # Containers often come without any.
    context.load_verify_locations(certifi.where())
    if ca_pem:
        try:
            context.load_verify_locations(cadata=ca_pem)
        except ssl.SSLError:
            raise ValueError("The certificate authority is not a certificate in PEM form.") from None
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
