"""PATHs as one sandwich: every source read by its layer, racks.yaml beside them, all joined."""

from collections.abc import Iterable
from pathlib import Path

from binwright.errors import InputError
from binwright.formats.files import read_path
from binwright.kubernetes.reader import Objects, read_blobs
from binwright.openstack.cloud import Cloud
from binwright.openstack.dumps.read import read_dump
from binwright.openstack.nova.conf import read_conf
from binwright.stack.join import join
from binwright.stack.racks import FILE_NAMES, Seat, read_racks
from binwright.stack.sandwich import Sandwich
from binwright.stack.sources import Source
from binwright.stack.wishes import PLAINLY, Wishes, kubernetes_options


def open_sandwich(
    sources: Iterable[Source], paths: Iterable[str] = (), racks: Iterable[str] = (), wishes: Wishes = PLAINLY
) -> Sandwich:
    """Read and join. racks: files that tell where hosts stand, besides racks.yaml in the directories of `paths`. Of the
    wishes `config`, `complete` and `nova_conf` count.

    Raises InputError for the first bad file or object, and for a source that has no meaning in a sandwich.
    """
    options, conf = kubernetes_options(wishes), read_conf(wishes.nova_conf)
    clusters: dict[str, Objects] = {}
    clouds: dict[str, Cloud] = {}
    for source in sources:
        if source.layer == "kubernetes":
            clusters[source.name] = read_blobs(source.blobs, options.complete)
        elif source.layer == "openstack":
            clouds[source.name] = read_dump(source.name, source.blobs)
        else:
            raise InputError(f"{source.name}: a {source.layer} table is no layer of a sandwich")
    made = join(clusters, clouds, seats_of(paths, racks))
    made.options, made.conf = options, conf
    return made


def seats_of(paths: Iterable[str], racks: Iterable[str]) -> list[Seat]:
    """The seats of racks.yaml in each directory, then those of the files named."""
    beside = [str(Path(path) / name) for path in paths if path != "-" for name in FILE_NAMES]
    files = [name for name in beside if Path(name).is_file()] + list(racks)
    return read_racks(blob for name in files for blob in read_path(name))
