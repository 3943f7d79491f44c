"""API keys: how one is made, written and checked.

Knows their form and that only a digest is kept. Does not know who keeps them (the port Keys in
stores.py) nor how one is sent. Pure but for the randomness of a new key. Called by cli_keys.py and
api/sessions.py in infra/.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass

from tools.stores import ApiKey

PREFIX = "usher"
"""What a key begins with, so that secret scanners and people know one when they see it."""
ID_BYTES = 6
SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that was just made: what is kept, and the text that is shown once."""

    kept: ApiKey
    text: str


def new_key(name: str, now: float) -> NewKey:
    """A key that cannot be guessed."""
    key_id, secret = secrets.token_hex(ID_BYTES), secrets.token_urlsafe(SECRET_BYTES)
    return NewKey(ApiKey(key_id, name, digest_of(secret), now), f"{PREFIX}_{key_id}_{secret}")


def parse(text: str) -> tuple[str, str] | None:
    """Id and secret of what looks like a key; None for anything else, such as a session token."""
    prefix, _, rest = text.partition("_")
    key_id, _, secret = rest.partition("_")
    return (key_id, secret) if prefix == PREFIX and key_id and secret else None


def opens(key: ApiKey, secret: str) -> bool:
    """Whether the secret is that of the key, and the key counts."""
    return key.revoked_at is None and hmac.compare_digest(key.digest, digest_of(secret))


def digest_of(secret: str) -> str:
    """SHA-256 in hex; the secret is random, so a slow hash would only slow requests down."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
