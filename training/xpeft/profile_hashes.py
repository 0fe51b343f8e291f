"""Replaces profile ids by hashes, so that any id can be used and none is readable (docs/bring-your-own.md, "Hashed ids")."""

import hashlib
import hmac
from pathlib import Path

from xpeft.errors import UnreadableFile, XpeftError
from xpeft.labels import label_form

MIN_KEY_BYTES = 16
KEY_HINT = "Make a key once and keep it: head -c 32 /dev/urandom | base64 > id.key"


def hash_profile_id(profile: str, key: bytes | None = None) -> str:
    """Return 32 hex digits in place of an id: the start of its HMAC-SHA-256 under the key or, without a key, of its SHA-256.

    The hash is over the UTF-8 of the id in the canonical form of labels.
    """
    content = label_form(profile).encode()
    return (hashlib.sha256(content) if key is None else hmac.new(key, content, "sha256")).hexdigest()[:32]


def read_id_key(path: Path) -> bytes:
    """Return the bytes of a key's file, without line ends at its end. Raises UnreadableFile, or XpeftError if the key is short."""
    try:
        key = path.read_bytes().rstrip(b"\r\n")
    except OSError as error:
        raise UnreadableFile(f"{path} cannot be read: {error.strerror}", KEY_HINT) from error
    if len(key) < MIN_KEY_BYTES:
        raise XpeftError(f"the key in {path} has {len(key)} bytes, fewer than {MIN_KEY_BYTES}", KEY_HINT)
    return key
