"""What both stores agree on: how a record is written as JSON, and how large it may be.

Knows the one size limit. Does not know SQLite or DynamoDB; stores_sqlite*.py and
stores_dynamodb*.py call it, so that a record which one refuses is refused by the other.
"""

import json
from collections.abc import Mapping, Sequence

from tools.stores import JsonObject, RecordTooLarge

MAX_RECORD_BYTES = 400 * 1024
"""DynamoDB's limit for one item (AWS: "Service, account, and table quotas", item size)."""
MAX_CACHE_BYTES = 300 * 1024
"""The limit that the cache port names."""


def to_text(value: JsonObject | Sequence[JsonObject]) -> str:
    """JSON as stored. Mappings and sequences of any kind are accepted, NaN is not."""
    return json.dumps(
        value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_plain
    )


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is not JSON")


def check_size(what: str, *texts: str) -> None:
    """Raises RecordTooLarge when a record made of these texts is over the limit."""
    size = sum(len(text.encode("utf-8", "surrogatepass")) for text in texts)
    if size > MAX_RECORD_BYTES:
        raise RecordTooLarge(
            f"a {what} of {size} bytes is over the limit of {MAX_RECORD_BYTES}: store less"
        )


def check_cache_size(value: bytes) -> None:
    """Raises RecordTooLarge when a cache value is over the limit of the port."""
    if len(value) > MAX_CACHE_BYTES:
        raise RecordTooLarge(
            f"a cache value of {len(value)} bytes is over the limit of {MAX_CACHE_BYTES}: "
            "store less, or do not cache it"
        )
