"""PATHs as one sandwich: every source read by its layer, racks.yaml beside them, all joined."""

from collections.abc import Iterable
from pathlib import Path

from binwright.errors import InputError
from binwright.formats.files import read_path
from binwright.kubernetes.reader import Objects, read_blobs
from binwright.openstack.cloud import Cloud
from binwright.openstack.dumps.read import read_dump
from binwright.stack.join import join
from binwright.stack.racks import FILE_NAMES, Seat, read_racks
from binwright.stack.sandwich import Sandwich
from binwright.stack.sources import Source


def open_sandwich(sources: Iterable[Source], paths: Iterable[str] = (), racks: Iterable[str] = ()) -> Sandwich:
    """Read and join. racks: files that tell where hosts stand, besides racks.yaml in the directories of `paths`.

    Raises InputError for the first bad file or object, and for a source that has no meaning in a sandwich.
    """
    clusters: dict[str, Objects] = {}
    clouds: dict[str, Cloud] = {}
    for source in sources:
        if source.layer == "kubernetes":
            clusters[source.name] = read_blobs(source.blobs)
        elif source.layer == "openstack":
            clouds[source.name] = read_dump(source.name, source.blobs)
        else:
            raise InputError(f"{source.name}: a {source.layer} table is no layer of a sandwich")
    return join(clusters, clouds, seats_of(paths, racks))


def seats_of(paths: Iterable[str], racks: Iterable[str]) -> list[Seat]:
    """The seats of racks.yaml in each directory, then those of the files named."""
    beside = [str(Path(path) / name) for path in paths if path != "-" for name in FILE_NAMES]
    files = [name for name in beside if Path(name).is_file()] + list(racks)
    return read_racks(blob for name in files for blob in read_path(name))
