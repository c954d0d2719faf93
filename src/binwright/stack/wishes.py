"""How to place, as a command line says it, and what of that each layer takes."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from binwright.errors import InputError
from binwright.stack.sources import Source

if TYPE_CHECKING:
    from binwright.kubernetes.place import Options


@dataclass(frozen=True)
class Wishes:
    """How to place. retry_errors: servers in ERROR are pending, too. preempt: pods push out less important ones.
    peer_sampling: look at a part of the nodes, as kube-scheduler does. complete: kinds of objects that the input lacks
    do not exist, rather than being unknown. config: file with a KubeSchedulerConfiguration. nova_conf: the nova.conf of
    the clouds' schedulers.
    """

    retry_errors: bool = False
    preempt: bool = False
    peer_sampling: bool = False
    complete: bool = False
    config: str | None = None
    nova_conf: str | None = None


PLAINLY = Wishes()
_TAKEN = {
    "kubernetes": frozenset({"preempt", "peer_sampling", "complete", "config"}),
    "openstack": frozenset({"retry_errors", "nova_conf"}),
}


def unheard(wishes: Wishes, layer: str) -> list[str]:
    """The options that were given and that a source of this layer does not take, as they are typed."""
    given = [one.name for one in fields(Wishes) if getattr(wishes, one.name) != getattr(PLAINLY, one.name)]
    return ["--" + name.replace("_", "-") for name in given if name not in _TAKEN.get(layer, ())]


def refuse_unheard(wishes: Wishes, sources: Iterable[Source]) -> None:
    """Raises InputError for an option that none of the sources takes: it would be ignored without a word."""
    layers = list(dict.fromkeys(source.layer for source in sources))
    for option in unheard(wishes, layers[0]) if layers else ():
        if all(option in unheard(wishes, layer) for layer in layers):
            raise InputError(f"{option}: no source of the input takes it (they are {' and '.join(layers)})")


def unheard_notes(wishes: Wishes, layer: str) -> list[str]:
    """The same for one source beside others that take the options."""
    return [f"{option} does nothing here, it is not for {layer}" for option in unheard(wishes, layer)]


def kubernetes_options(wishes: Wishes) -> "Options":
    """Raises InputError for a configuration that cannot be read."""
    from binwright.kubernetes.configuration import read_file
    from binwright.kubernetes.place import Options

    profiles = [] if wishes.config is None else read_file(wishes.config)
    sampled = (profiles[0].percentage if profiles else 0) if wishes.peer_sampling else None
    return Options(
        wishes.preempt, sampled, wishes.complete, profiles[0] if profiles else None, others=tuple(profiles[1:])
    )
