"""Scenario files of `stack compare`: what is changed in a copy of the sandwich, step after step. Reads only.

name: without rack r11
steps:
  - lose: {rack: r11}                          # or host, or zone
  - ratio: {resource: VCPU, value: 2.0}        # of cloud NAME only: cloud: NAME
  - addCluster: {like: shop, name: shop2}      # its servers get hosts by the cloud's rules
  - flavors: machine-types.csv                 # the flavors on offer; a catalogue beside the scenario's file
  - repairs: true                              # what the audit proposes
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from binwright.errors import InputError
from binwright.formats.documents import load
from binwright.formats.files import read_path
from binwright.packing.catalogue import Catalogue, read_catalogue_file


class _Lose(msgspec.Struct, forbid_unknown_fields=True):
    host: str | None = None
    rack: str | None = None
    zone: str | None = None


class _Ratio(msgspec.Struct, forbid_unknown_fields=True):
    resource: str
    value: float
    cloud: str | None = None


class _AddCluster(msgspec.Struct, forbid_unknown_fields=True):
    like: str
    name: str


class _Step(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    lose: _Lose | None = None
    ratio: _Ratio | None = None
    add_cluster: _AddCluster | None = None
    flavors: str | None = None
    repairs: bool | None = None


class _File(msgspec.Struct, forbid_unknown_fields=True):
    steps: list[_Step]
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Lose:
    """A physical host, rack or zone is gone."""

    level: str
    name: str


@dataclass(frozen=True, slots=True)
class Ratio:
    """An allocation ratio is another one, in one cloud or in all."""

    resource: str
    value: float
    cloud: str | None


@dataclass(frozen=True, slots=True)
class AddCluster:
    """One more cluster like one that there is."""

    like: str
    name: str


@dataclass(frozen=True, slots=True)
class Flavors:
    """Other flavors on offer."""

    catalogue: Catalogue


@dataclass(frozen=True, slots=True)
class Repairs:
    """What the audit proposes is done."""


Step = Lose | Ratio | AddCluster | Flavors | Repairs


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is changed, in order; without steps it is the sandwich as it is."""

    name: str
    steps: tuple[Step, ...] = ()


def read_scenarios(paths: Iterable[str]) -> list[Scenario]:
    """The scenarios of these files, one a document. Raises InputError naming file and step, and for a name that stands
    twice.
    """
    found: list[Scenario] = []
    for path in paths:
        for blob in read_path(path):
            documents = load(blob, _File)
            for number, document in enumerate(documents):
                default = Path(blob.name).name.partition(".")[0] + (f"-{number + 1}" if len(documents) > 1 else "")
                steps = tuple(_step(f"{blob.name}: steps[{at}]", step, path) for at, step in enumerate(document.steps))
                found.append(Scenario(document.name or default, steps))
    names = [one.name for one in found]
    for name in names:
        if names.count(name) > 1 or name == AS_IS:
            raise InputError(f"scenario {name}: this name stands twice ({AS_IS!r} is the sandwich as it is)")
    return found


AS_IS = "as is"


def _step(where: str, step: _Step, path: str) -> Step:
    given = [name for name in step.__struct_fields__ if getattr(step, name) not in (None, False)]
    if len(given) != 1:
        raise InputError(f"{where}: one of lose, ratio, addCluster, flavors, repairs is wanted, there are {len(given)}")
    if step.lose is not None:
        levels = [(name, getattr(step.lose, name)) for name in ("host", "rack", "zone")]
        told = [(level, name) for level, name in levels if name is not None]
        if len(told) != 1:
            raise InputError(f"{where}: lose: one of host, rack, zone is wanted, there are {len(told)}")
        return Lose(*told[0])
    if step.ratio is not None:
        if not 0 < step.ratio.value < 1e6:
            raise InputError(f"{where}: ratio: {step.ratio.value} is no allocation ratio")
        return Ratio(step.ratio.resource, step.ratio.value, step.ratio.cloud)
    if step.add_cluster is not None:
        return AddCluster(step.add_cluster.like, step.add_cluster.name)
    if step.flavors is not None:
        return Flavors(read_catalogue_file(str(Path(path).parent / step.flavors)))
    return Repairs()
