"""Watch events as bytes: the lines of the API server's watch, a list of them, or `{"items": [...]}`.

Says what changed, not what that means.
"""

from __future__ import annotations

import msgspec

from binwright.errors import InputError
from binwright.formats import documents
from binwright.formats.files import Blob
from binwright.kubernetes.live import Change
from binwright.kubernetes.reader import read_object
from binwright.units import shown

__all__ = ["BOOKMARK", "ERROR", "MOST_EVENTS", "Event", "read_change", "split_events"]

BOOKMARK, ERROR = "BOOKMARK", "ERROR"
MOST_EVENTS = 10_000
"""Of one request: a few bytes are an event that costs as much as a pod."""
_GONE = {"ADDED": False, "MODIFIED": False, "DELETED": True}


class Event(msgspec.Struct):
    """One event as it came."""

    type: str
    object: msgspec.Raw


class _Document(msgspec.Struct):
    type: str | None = None
    object: msgspec.Raw = msgspec.Raw(b"")
    items: list[Event] | None = None


def read_change(event: Event, where: str, of_kind: str = "") -> Change | None:
    """What one event says. of_kind: what the objects of this watch are."""
    if event.type == BOOKMARK:
        return None
    if event.type not in _GONE:
        raise InputError(f"{where}: type: {shown(event.type)} is not ADDED, MODIFIED, DELETED or BOOKMARK")
    read = read_object(where, event.object, of_kind)
    return None if read is None else Change(read[0], read[1], _GONE[event.type])


def split_events(body: bytes) -> list[Event]:
    """The events in order, unread. Raises InputError naming the first that is none, or for more than MOST_EVENTS."""
    if body.lstrip()[:1] not in (b"{", b"["):
        raise InputError("events: not JSON")
    found: list[Event] = []
    for document in documents.load(Blob("events", body), msgspec.Raw, most=MOST_EVENTS):
        try:
            if bytes(document).lstrip()[:1] == b"[":
                found += msgspec.json.decode(document, type=list[Event])
                continue
            one = msgspec.json.decode(document, type=_Document)
        except msgspec.ValidationError as problem:
            path, what = documents.shape_problem(problem)
            raise InputError(f"event {len(found)}: {path.removeprefix('.') or 'the event'}: {what}") from None
        except UnicodeDecodeError:
            raise InputError(f"event {len(found)}: not UTF-8 text") from None
        if one.items is not None:
            found += one.items
        elif one.type is None or not bytes(one.object):
            raise InputError(f"event {len(found)}: {'type' if one.type is None else 'object'}: missing")
        else:
            found.append(Event(one.type, one.object))
    if len(found) > MOST_EVENTS:
        raise InputError(f"events: {len(found)}, more than {MOST_EVENTS} in one request")
    return found
