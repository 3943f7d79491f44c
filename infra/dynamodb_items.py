"""DynamoDB items from plain values and back: types, keys, compressed JSON and the size limit.

Knows the wire form of the few types that the stores use, and how many bytes an item counts. Does
not know any table. Called by infra/dynamodb.py and the stores in infra/stores_dynamodb*.py.
"""

import hashlib
import json
import zlib
from collections.abc import Mapping
from typing import Any

from infra.store_records import MAX_RECORD_BYTES
from tools.stores import RecordTooLarge

Item = dict[str, dict[str, Any]]
"""As the client sends and gets it: {"name": {"S": "text"}}."""
Key = Mapping[str, str]
MAX_KEY_CHARS = 200
"""Of one text inside a key: 4 bytes each stay under the 1,024 that a sort key may have."""
DIGEST = "sha256:"


def to_item(values: Mapping[str, Any]) -> Item:
    """Text, bytes, numbers and booleans; None is left out."""
    return {name: _typed(value) for name, value in values.items() if value is not None}


def _typed(value: object) -> dict[str, Any]:
    match value:
        case bool():
            return {"BOOL": value}
        case str():
            return {"S": value}
        case bytes():
            return {"B": value}
        case int() | float():
            # repr() of a float is the shortest text that reads back as the same float.
            return {"N": repr(value)}
        case _:
            raise TypeError(f"{type(value).__name__} is not stored")


def text(item: Item, name: str) -> str:
    """An attribute that must be there."""
    return str(item[name]["S"])


def text_or_none(item: Item, name: str) -> str | None:
    return str(item[name]["S"]) if name in item else None


def number(item: Item, name: str) -> float:
    """An attribute that must be there."""
    return float(item[name]["N"])


def number_or_none(item: Item, name: str) -> float | None:
    return float(item[name]["N"]) if name in item else None


def whole(item: Item, name: str) -> int:
    """An attribute that must be there."""
    return int(item[name]["N"])


def pack(json_text: str) -> bytes:
    """JSON for an item. Four measured turns shrank from 19 to 6 KB, and with them the bill."""
    return zlib.compress(json_text.encode("utf-8", "surrogatepass"), level=6)


def unpack(item: Item, name: str) -> Any:
    """What `pack` made, as values."""
    packed: bytes = item[name]["B"]
    return json.loads(zlib.decompress(packed).decode("utf-8", "surrogatepass"))


def key_part(given: str) -> str:
    """A text for use in a key: itself, or its digest when it is too long."""
    if len(given) <= MAX_KEY_CHARS and not given.startswith(DIGEST):
        return given
    return DIGEST + hashlib.sha256(given.encode("utf-8", "surrogatepass")).hexdigest()


def partition(principal: str) -> str:
    """The partition of everything that is one person's."""
    return f"p#{principal}"


def key_of(item: Item) -> dict[str, str]:
    """The key of an item with both parts."""
    return {"pk": text(item, "pk"), "sk": text(item, "sk")}


def check_item(item: Item) -> None:
    """Raises RecordTooLarge for what DynamoDB would refuse, before anything is sent."""
    size = sum(_bytes(name) + _size(typed) for name, typed in item.items())
    if size > MAX_RECORD_BYTES:
        raise RecordTooLarge(
            f"an item of {size} bytes (compressed) is over DynamoDB's limit of "
            f"{MAX_RECORD_BYTES}: store less"
        )


def _size(typed: Mapping[str, Any]) -> int:
    ((kind, value),) = typed.items()
    if kind == "S":
        return _bytes(value)
    if kind == "B":
        return len(value)
    return 1 if kind == "BOOL" else len(value) // 2 + 2


def _bytes(value: str) -> int:
    return len(value.encode("utf-8", "surrogatepass"))
