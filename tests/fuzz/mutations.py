"""Seeded damage: to bytes, and to the values of a JSON document. Knows nothing of what the documents mean; counts what
it has damaged.
"""

import json
import random
from typing import Any

TOKENS = (
    b"-1", b"9223372036854775808", b"1e400", b"NaN", b"null", b"true", b"{}", b"[]", b'""', b"\x00", b"\xff\xfe", b"\n",
    b"&a [*a]", b"!!python/object:os.system", b"<<: *x", b"---\n", b"%", b"0x1p3", b"\xe2\x80\xae", b"1_000", b":",
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    None, True, False, -1, 0, 2**31, 2**53 + 1, 2**63, 2**64, -(2**63) - 1, 1.5, -0.0, "", "0", "-1", "1e30", "9Ei",
    "\x00", "a" * 5000, "../..", "\u202e", [], {}, [[]], [None], {"": None}, "NaN", "2026-02-30T00:00:00Z", "1m",
)  # fmt: skip

executions = 0  # damaged inputs that were made in this process


def counted() -> None:
    """One more input."""
    global executions
    executions += 1


def damaged_bytes(rng: random.Random, data: bytes) -> bytes:
    """A few bytes flipped, cut, doubled, or replaced by something that parsers stumble over."""
    text = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4))):
        at = rng.randrange(len(text) + 1)
        length = rng.choice((1, 1, 4, 30))
        match rng.randrange(5):
            case 0:
                text[at : at + 1] = bytes([rng.randrange(256)])
            case 1:
                del text[at : at + length]
            case 2:
                text[at:at] = text[at : at + 20 * length]
            case 3:
                text[at : at + length] = rng.choice(TOKENS)
            case _:
                del text[at + 1 :]
    return bytes(text)


def damaged_value(rng: random.Random, document: Any) -> Any:
    """A copy of a JSON document in which some values are others: odd ones, or those of another place."""
    copy = json.loads(json.dumps(document))
    for _ in range(rng.choice((1, 1, 2, 5))):
        places = list(_places(copy))
        if not places:
            break
        holder, key = rng.choice(places)
        match rng.randrange(6):
            case 0:
                del holder[key]
            case 1:
                other, name = rng.choice(places)
                if name in other if isinstance(other, dict) else name < len(other):
                    holder[key] = json.loads(json.dumps(other[name]))
            case 2 if isinstance(holder, list):
                holder.insert(key, json.loads(json.dumps(holder[key])))
            case 3 if isinstance(holder, dict):
                holder[rng.choice(("name", "x", "", "kind", "items"))] = holder.pop(key)
            case _:
                holder[key] = rng.choice(VALUES)
    return copy


def _places(value: Any):
    if isinstance(value, dict | list):
        for key in list(value) if isinstance(value, dict) else range(len(value)):
            yield value, key
            yield from _places(value[key])
