"""racks.yaml: which physical host stands in which rack and zone. Shape and names are checked here, once.

racks: [{name: r11, zone: az1, hosts: [cmp-r11-01, ...]}]; zone may be left out.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from binwright.formats.documents import load
from binwright.formats.files import Blob

FILE_NAMES = ("racks.yaml", "racks.yml", "racks.json")


class _Rack(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    hosts: list[str]
    zone: str | None = None


class _File(msgspec.Struct, forbid_unknown_fields=True):
    racks: list[_Rack]


@dataclass(frozen=True, slots=True)
class Seat:
    """What one file says of one host."""

    host: str
    rack: str
    zone: str | None
    file: str


def read_racks(blobs: Iterable[Blob]) -> list[Seat]:
    """Every host of every rack, in file order; a host that stands twice is here twice.

    Raises InputError naming file and field.
    """
    return [
        Seat(host, rack.name, rack.zone, blob.name)
        for blob in blobs
        for document in load(blob, _File)
        for rack in document.racks
        for host in rack.hosts
    ]
