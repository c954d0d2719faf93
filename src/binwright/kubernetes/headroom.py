"""How many more pods of a shape, or of a mix of shapes, a cluster takes: really placed, until the first is refused.

Every question is asked of the same state and taken back afterwards. Which shapes are meant is in `shapes`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from binwright import Fleet
from binwright.arrays import Int64Array
from binwright.errors import InputError
from binwright.explain import Explanation
from binwright.formats.files import Blob
from binwright.headroom import MOST, Headroom, HostRoom, Question, ShapeCount, SourceHeadroom
from binwright.kubernetes import not_evaluated
from binwright.kubernetes.compile import FIT, Cluster
from binwright.kubernetes.gangs import Gangs
from binwright.kubernetes.notes import notes
from binwright.kubernetes.objects import Pod
from binwright.kubernetes.pending import Queue, sort_out
from binwright.kubernetes.place import Options, Run
from binwright.kubernetes.quota import exceeded
from binwright.kubernetes.reader import Objects, read_blobs
from binwright.kubernetes.refusals import Refusals
from binwright.kubernetes.related import Related
from binwright.kubernetes.shapes import Shape, Shapes
from binwright.kubernetes.statuses import Statuses
from binwright.request import Request
from binwright.verdict import Verdict

__all__ = ["headroom_objects", "headroom_source"]

_FIRST_BATCH = 256


def headroom_source(name: str, blobs: Iterable[Blob], question: Question, options: Options) -> SourceHeadroom:
    """Ask the cluster that the files of one source describe.

    Raises InputError naming file, object and field for bad input, when there is no Node at all, and for a shape that
    cannot be read; a shape that names an object which is not there is in `unknown`.
    """
    return headroom_objects(name, read_blobs(blobs, options.complete), question, options)


def headroom_objects(name: str, objects: Objects, question: Question, options: Options) -> SourceHeadroom:
    """As `headroom_source`, from objects that have been read."""
    if not objects.nodes:
        raise InputError(f"{name}: no Node in the input (kubectl get nodes,pods -A -o json gives nodes and pods)")
    profiles = options.profiles
    shapes = Shapes(objects, question.namespace)
    known = shapes.read(question.shapes)
    queue = sort_out(objects.pods, [one.scheduler_name for one in profiles])
    found = SourceHeadroom(name, "kubernetes", len(objects.nodes), "", unknown=shapes.unknown)
    try:
        asking = [shape.pod for shape in known]
        cluster = Cluster(objects.nodes, [*queue.bound, *queue.pending, *asking], profiles, objects.related)
        strays = cluster.bind(queue.bound)
        gangs = Gangs(objects.related, queue, options.gangs)
        run = Run(name, cluster, Options(), gangs)
        found.supposes = _prepared(run, queue, question)
        questions = [[shape] for shape in known] + ([known] if len(known) > 1 else [])
        found.answers = [_answer(name, cluster, some) for some in questions]
    except InputError as problem:
        raise InputError(f"{name}: {problem}") from None
    asked = Queue(pending=asking, bound=queue.bound)
    found.not_evaluated = not_evaluated.find(asked, objects.related, options.profile, options.others)
    found.not_evaluated += shapes.not_evaluated
    found.notes = notes(asked, strays, len(objects.nodes), None)
    if objects.related.all("ResourceQuota"):
        for shape, answer in zip(known, found.answers):
            found.notes += _over_quota(shape, answer.count, objects.related)
    return found


def _over_quota(shape: Shape, count: int, related: Related) -> list[str]:
    """The quotas that so many pods of a shape would exceed: there is room, and the API server would refuse them."""
    if shape.written is None:
        return [f"{shape.name}: whether quotas allow more of it is not asked, its limits are not known"]
    return [f"{shape.name}: {text}" for text in exceeded([(shape.written, shape.pod)] * count, related)]


def _prepared(run: Run, queue: Queue, question: Question) -> str:
    """Place what is pending, if that is wished; returns the words for the state."""
    pods = f"{len(queue.pending)} pending pod{'' if len(queue.pending) == 1 else 's'}"
    if not question.after_pending:
        return "beside what is bound" + (f", without the {pods}" if queue.pending else "")
    run.place(queue.pending)
    placed = sum(one.verdict is Verdict.PLACED for one in run.outcomes.values())
    return f"after the {pods} ({placed} placed)"


def _answer(name: str, cluster: Cluster, shapes: Sequence[Shape]) -> Headroom:
    """Place shapes in turn until one is refused, look at that, and take everything back."""
    fleet = cluster.fleet
    requests = [cluster.request(shape.pod) for shape in shapes]
    each = [shape.each if len(shapes) > 1 else 1 for shape in shapes]
    found = Headroom(name, [])
    for shape, times, request in zip(shapes, each, requests):
        found.shapes.append(ShapeCount(shape.name, times, Explanation(fleet, request.index).demand))
    unwanted = next((shape for shape in shapes if shape.refusal is not None), None)
    if unwanted is not None:
        found.refused, found.message = unwanted.name, unwanted.refusal
        return found
    token = fleet.checkpoint()
    which, hosts, refused = _filled(fleet, requests, np.repeat(np.arange(len(shapes)), each))
    counts = np.zeros((len(cluster.nodes), len(shapes)), np.int64)
    np.add.at(counts, (hosts, which), 1)
    for shape_count, total in zip(found.shapes, counts.sum(axis=0).tolist()):
        shape_count.count = total
    found.rounds = len(which) // sum(each)
    found.hosts = [HostRoom(node, taken) for node, taken in zip(cluster.nodes.names, counts.tolist())]
    if refused is not None:
        found.refused = shapes[refused].name
        _tell(cluster, shapes[refused].pod, Explanation(fleet, requests[refused].index), found)
    fleet.rollback(token)
    return found


def _filled(fleet: Fleet, requests: Sequence[Request], turn: Int64Array) -> tuple[Int64Array, Int64Array, int | None]:
    """Place rounds of `turn` (positions in `requests`) until one is refused.

    Returns what was placed, where, and which request was refused (None: counting stopped); the fleet is filled then.
    """
    which, hosts, batch = [np.empty(0, np.int64)], [np.empty(0, np.int64)], _FIRST_BATCH
    while sum(map(len, which)) < MOST:
        queue = np.tile(turn, -(-batch // len(turn)))
        token = fleet.checkpoint()
        result = fleet.place_many(requests, queue)
        refused = np.flatnonzero(result.hosts < 0)
        if not len(refused):
            fleet.keep(token)
            which.append(queue)
            hosts.append(result.hosts)
            batch *= 2
            continue
        fleet.rollback(token)
        first = int(refused[0])
        which.append(queue[:first])
        hosts.append(fleet.place_many(requests, queue[:first]).hosts)
        return np.concatenate(which), np.concatenate(hosts), int(queue[first])
    return np.concatenate(which), np.concatenate(hosts), None


def _tell(cluster: Cluster, pod: Pod, look: Explanation, found: Headroom) -> None:
    """What the nodes say of the pod that was refused."""
    why = Refusals(cluster).explained(pod, look)
    found.message = why["message"]
    found.reasons, found.smallest_change = why.get("reasons", []), why.get("smallest_change")
    statuses, short = Statuses(cluster, look), look.refusals.short.tolist()
    lacking: Counter[str] = Counter()
    for host, room in enumerate(found.hosts):
        status = statuses[host]
        if status is not None:
            room.rule, room.text = status.plugin, "; ".join(status.reasons)
        room.short = [name for number, name in enumerate(cluster.fleet.resources) if short[host] >> number & 1]
        if room.rule == FIT:
            lacking.update(room.short)
    found.runs_out = max(lacking, key=lambda name: lacking[name], default=None)
