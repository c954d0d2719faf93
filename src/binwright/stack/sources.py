"""From PATHs to sources: which files belong together, what the source is called, which layer reads it.

A source is a file, "-" or a directory; a directory that holds `clouds/NAME/` or `clusters/NAME/` is a sandwich of
several; two tables of an openb trace are one; Heat's templates and environments belong to the one cloud beside them.
Looks at bytes only as far as telling the layers apart needs, never at meaning.
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from binwright.errors import InputError
from binwright.formats import documents
from binwright.formats.files import SUFFIXES, Blob, read_path
from binwright.stack.racks import FILE_NAMES as RACKS

# What `--input` takes, and the layer that it means.
LAYERS = {"kubectl": "kubernetes", "openstack": "openstack"}
SANDWICH = {"clouds": "openstack", "clusters": "kubernetes"}
OPENB = "openb"
INPUTS = ("auto", *LAYERS, OPENB)

PACKED = (".gz", ".xz")
HEAD = 1 << 16
KUBERNETES_JSON = re.compile(rb'"apiVersion"\s*:|^\s*\{\s*"(?:items|kind)"\s*:')
KUBERNETES_YAML = re.compile(rb"^(?:- )?(?:apiVersion|kind|items)\s*:", re.MULTILINE)
OPENSTACK_ENVELOPE = re.compile(rb'\{\s*"(\w+)"\s*:\s*\[')
OPENSTACK_YAML = re.compile(rb"(?:---\s+)?- ")
HEAT = re.compile(
    rb'^heat_template_version\s*:|"heat_template_version"\s*:'
    rb'|\A(?:---\s+|\{\s*)?"?(?:parameters|parameter_defaults|resource_registry)"?\s*:',
    re.MULTILINE,
)
MOST_HEAT = 1 << 22  # bytes of a file of Heat's; others are not read twice


@dataclass(slots=True)
class Source:
    """One cluster or one cloud: `layer` is "kubernetes" or "openstack", `blobs` its files in file-name order; or layer
    "openb", and the blobs are its tables of nodes and of pods.
    """

    name: str
    layer: str
    blobs: list[Blob] = field(repr=False)


def find_sources(
    paths: Iterable[str], input: str = "auto", *, clusters: Iterable[str] = (), clouds: Iterable[str] = ()
) -> list[Source]:
    """The sources that `paths` name, in the order given; within a sandwich clouds, clusters, then loose files.

    `input` is one of INPUTS and says how plain files are to be read; a sandwich's directories say it themselves.
    clusters, clouds: further paths, whose layer is known.
    Raises InputError for a path that is missing, empty, unreadable, given twice, or of no or of both layers.
    """
    if input not in INPUTS:
        raise InputError(f"--input {input}: not one of {', '.join(INPUTS)}")
    paths = list(paths)
    stacks = [path for path in paths if is_stack(path)]
    paths = [path for path in paths if path not in stacks]
    known = [*((path, "kubectl") for path in clusters), *((path, "openstack") for path in clouds)]
    refuse_repeats([*paths, *stacks, *(path for path, _ in known)])
    found: list[tuple[str, str, list[Blob]]] = []
    if input == OPENB:
        found = openb_pairs(paths)
    else:
        known = [*((path, input) for path in paths), *known]
    for path, what in known:
        found += sandwich(path, what) or [plain(path, what)]
    refuse_repeats([path for path, _, _ in found])
    join_stacks(found, stacks)
    names = shortest_names([path for path, _, _ in found])
    return [Source(name, layer, blobs) for name, (_, layer, blobs) in zip(names, found)]


def is_stack(path: str) -> bool:
    """Whether a path is a file of Heat's, a template or an environment."""
    if path == "-" or not Path(path).is_file() or Path(path).stat().st_size > MOST_HEAT:
        return False
    (blob,) = read_path(path)
    return HEAT.search(blob.data[:HEAD].lstrip()) is not None and layer_of(blob) is None


def join_stacks(found: list[tuple[str, str, list[Blob]]], stacks: list[str]) -> None:
    """Give the files of Heat's to the one cloud. Raises InputError where there is none, or several."""
    clouds = [blobs for _, layer, blobs in found if layer == "openstack"]
    if stacks and len(clouds) != 1:
        raise InputError(f"{stacks[0]}: a file of Heat's wants one cloud beside it, there are {len(clouds)}")
    for path in stacks:
        clouds[0].extend(read_path(path))


def openb_pairs(paths: list[str]) -> list[tuple[str, str, list[Blob]]]:
    """Every two paths are one source, the table of nodes and the table of pods, called after the latter."""
    if len(paths) % 2:
        raise InputError(f"--input {OPENB}: takes pairs of files, NODES.csv PODS.csv; {len(paths)} were given")
    for path in paths:
        if path != "-" and Path(path).is_dir():
            raise InputError(f"{path}: a directory; --input {OPENB} takes files, NODES.csv PODS.csv")
    pairs = zip(paths[::2], paths[1::2], strict=True)
    return [(pods, OPENB, [*read_path(nodes), *read_path(pods)]) for nodes, pods in pairs]


def plain(path: str, input: str) -> tuple[str, str, list[Blob]]:
    """A file, standard input or a directory that is one source: (path, layer, blobs)."""
    blobs = read_path(path)
    return path, LAYERS.get(input) or detect(path, blobs), blobs


def sandwich(path: str, input: str) -> list[tuple[str, str, list[Blob]]]:
    """The sources below a directory with clouds/NAME or clusters/NAME, none when it is no such directory."""
    if path == "-":
        return []
    root = Path(path)
    found = []
    for part, layer in sorted(SANDWICH.items()):
        for child in data_children(root / part):
            if LAYERS.get(input, layer) != layer:
                raise InputError(f"{child}: read as {layer} by its directory, --input {input} contradicts")
            found.append((str(child), layer, read_path(child)))
    if found:
        files = [child for child in data_children(root) if child.is_file() and child.name not in RACKS]
        loose = [blob for child in files for blob in read_path(child)]
        loose = [blob for blob in loose if layer_of(blob) is not None]
        if loose:
            found.append((str(root), LAYERS.get(input) or detect(str(root), loose), loose))
    return found


def data_children(directory: Path) -> list[Path]:
    """The directories and data files directly in `directory`, by name; none when it is not a directory."""
    if not directory.is_dir():
        return []
    return [
        child
        for child in sorted(directory.iterdir())
        if not child.name.startswith(".") and (child.is_dir() or stem(child.name) != child.name)
    ]


def detect(path: str, blobs: list[Blob]) -> str:
    """The one layer that all `blobs` of a source belong to, told by their first bytes."""
    seen: dict[str, str] = {}
    for blob in blobs:
        layer = layer_of(blob)
        if layer is not None:
            seen.setdefault(layer, blob.name)
    if len(seen) == 1:
        return next(iter(seen))
    if seen:
        raise InputError(
            f"{path}: both kubectl objects ({seen['kubernetes']}) and openstack output ({seen['openstack']}) in one "
            "source; give each its own PATH, or directories clusters/NAME and clouds/NAME"
        )
    for blob in blobs:
        documents.load(blob)  # text that is broken has the better message
    raise InputError(f"{blobs[0].name}: neither kubectl objects nor openstack output; --input tells which it is")


def layer_of(blob: Blob) -> str | None:
    """The layer that a file looks like, None when it could be either."""
    head = blob.data[:HEAD].lstrip()
    if head[:1] in (b"{", b"["):
        if KUBERNETES_JSON.search(head) or (head[:1] == b"{" and b'"apiVersion"' in blob.data):
            return "kubernetes"
        if head[:1] == b"[" or is_openstack_object(blob.name, head):
            return "openstack"
        return None
    if KUBERNETES_YAML.search(head):
        return "kubernetes"
    return "openstack" if OPENSTACK_YAML.match(head) else None


def is_openstack_object(name: str, head: bytes) -> bool:
    """Whether a JSON object is a table of a dump by its file's name, or an API's answer with such a table in it."""
    from binwright.openstack.dumps.layout import ALIASES, PER_PROVIDER

    envelope = OPENSTACK_ENVELOPE.match(head)
    return (
        stem(name).replace("-", "_") in ALIASES
        or PurePath(name).parent.name in PER_PROVIDER
        or (envelope is not None and envelope[1].decode() in ALIASES)
    )


def shortest_names(paths: list[str]) -> list[str]:
    """A name for each path: its last part without extensions, with more parts before it where two would be equal."""
    parts = [name_parts(path) for path in paths]
    names = [part[-1:] for part in parts]
    while len(set(names)) < len(names):
        counts = Counter(names)
        longer = [part[-len(name) - 1 :] if counts[name] > 1 else name for name, part in zip(names, parts)]
        if longer == names:
            # Two files of one directory that differ in the extension only.
            return ["/".join((*name[:-1], Path(path).name)) for name, path in zip(names, paths)]
        names = longer
    return ["/".join(name) for name in names]


def name_parts(path: str) -> tuple[str, ...]:
    """All parts of a path, the last without its extensions."""
    if path == "-":
        return ("stdin",)
    whole = Path(path).resolve()
    return (*whole.parts[1:-1], whole.name if whole.is_dir() else stem(whole.name))


def refuse_repeats(paths: list[str]) -> None:
    """InputError for a path that stands twice, under whatever spelling."""
    seen: set[Path | str] = set()
    for path in paths:
        whole = path if path == "-" else Path(path).resolve()
        if whole in seen:
            raise InputError(f"{path}: given twice")
        seen.add(whole)


def stem(name: str) -> str:
    """A file name without directory and without the extensions that only say how it is written."""
    base = PurePath(name).name
    for packed in PACKED:
        base = base.removesuffix(packed)
    for suffix in SUFFIXES:
        if base.lower().endswith(suffix) and len(base) > len(suffix):
            return base[: -len(suffix)]
    return PurePath(name).name
