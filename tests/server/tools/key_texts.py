"""Private keys in every form that people have them in, made when they are asked for."""

from __future__ import annotations

import base64

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa

_NONE = serialization.NoEncryption()
_PEM = serialization.Encoding.PEM
_Format = serialization.PrivateFormat


def openssh() -> str:
    """An Ed25519 key in OpenSSH form."""
    return ed25519.Ed25519PrivateKey.generate().private_bytes(_PEM, _Format.OpenSSH, _NONE).decode()


def openssh_locked() -> str:
    """A key in OpenSSH form with a passphrase. Put together here: the library needs bcrypt to make one."""

    def field(content: bytes) -> bytes:
        return len(content).to_bytes(4, "big") + content

    public = field(b"ssh-ed25519") + field(bytes(32))
    options = field(bytes(16)) + (16).to_bytes(4, "big")
    fields = (field(b"aes256-ctr"), field(b"bcrypt"), field(options), (1).to_bytes(4, "big"))
    whole = b"openssh-key-v1\0" + b"".join(fields) + field(public) + field(bytes(range(144)))
    body = base64.encodebytes(whole).decode()
    return f"-----BEGIN OPENSSH PRIVATE KEY-----\n{body}-----END OPENSSH PRIVATE KEY-----\n"


def pkcs1(passphrase: str | None = None, bits: int = 2048) -> str:
    """An RSA key in the older PEM form."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    lock = serialization.BestAvailableEncryption(passphrase.encode()) if passphrase else _NONE
    return key.private_bytes(_PEM, _Format.TraditionalOpenSSL, lock).decode()


def pkcs8(passphrase: str | None = None) -> str:
    """An ECDSA key in the newer PEM form."""
    lock = serialization.BestAvailableEncryption(passphrase.encode()) if passphrase else _NONE
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(_PEM, _Format.PKCS8, lock).decode()


def other_curve() -> str:
    """An elliptic curve SSH has no name for."""
    return ec.generate_private_key(ec.SECP256K1()).private_bytes(_PEM, _Format.PKCS8, _NONE).decode()


def old_dsa() -> str:
    """A kind of key that nobody takes any more."""
    return dsa.generate_private_key(key_size=2048).private_bytes(_PEM, _Format.PKCS8, _NONE).decode()


def public() -> str:
    """A public key."""
    key = ed25519.Ed25519PrivateKey.generate().public_key()
    return key.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH).decode()
