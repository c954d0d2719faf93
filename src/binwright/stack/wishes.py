"""How to place, as a command line says it, and what of that each layer takes."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from binwright.kubernetes.place import Options


@dataclass(frozen=True)
class Wishes:
    """How to place. retry_errors: servers in ERROR are pending, too. preempt: pods push out less important ones.
    peer_sampling: look at a part of the nodes, as kube-scheduler does. complete: kinds of objects that the input lacks
    do not exist, rather than being unknown. config: file with a KubeSchedulerConfiguration.
    """

    retry_errors: bool = False
    preempt: bool = False
    peer_sampling: bool = False
    complete: bool = False
    config: str | None = None


PLAINLY = Wishes()


def kubernetes_options(wishes: Wishes) -> "Options":
    """Raises InputError for a configuration that cannot be read."""
    from binwright.kubernetes.configuration import SchedulerProfile, read_file
    from binwright.kubernetes.place import Options

    profile = SchedulerProfile() if wishes.config is None else read_file(wishes.config)
    sampled = profile.percentage if wishes.peer_sampling else None
    return Options(wishes.preempt, sampled, wishes.complete, profile)
