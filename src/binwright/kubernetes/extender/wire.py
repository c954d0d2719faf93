"""The JSON of kube-scheduler's extender protocol: calls in, with keys in any case; answers out, from cached fragments.

Source: k8s.io/kube-scheduler/extender/v1, whose Go structs have no JSON tags: keys are written capitalised and read in
any case; what is inside of pods and nodes is as everywhere. Decides nothing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np

from binwright.errors import InputError
from binwright.formats.documents import shape_problem
from binwright.kubernetes.extender.bounds import MOST_NODES, MOST_VICTIMS, POD_BYTES
from binwright.kubernetes.objects import Pod
from binwright.kubernetes.reader import read_object

__all__ = [
    "BEST",
    "Asked",
    "Binding",
    "Call",
    "LastAsked",
    "Names",
    "PreemptCall",
    "Victims",
    "read_binding",
    "read_call",
    "read_preempt_call",
    "write_bound",
    "write_filter",
    "write_preempted",
    "write_refusal",
    "write_scores",
]

BEST = 10
"""MaxExtenderPriority."""

_KEPT_LISTS = 4
_KEPT_BYTES = 8 * 2**20

_encode = msgspec.json.encode
_decode_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_names = msgspec.json.Decoder(list[str]).decode
_decode_items = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode_text = msgspec.json.Decoder(str | None).decode
_decode_count = msgspec.json.Decoder(int | None).decode


class _Meta(msgspec.Struct, gc=False):
    name: str = ""
    uid: str = ""


class _Named(msgspec.Struct, gc=False):
    metadata: _Meta = msgspec.field(default_factory=_Meta)


_decode_named = msgspec.json.Decoder(list[_Named]).decode


@dataclass(slots=True)
class Asked:
    """The nodes of a call. `names`; `nodes`: the same as they came, None where only names travel; `places`: where a
    caller keeps what it has made of the names.
    """

    names: list[str]
    nodes: list[msgspec.Raw] | None = None
    places: Any = None


class LastAsked:
    """Node lists of the last calls, by their very bytes: the scheduler sends the same one with pod after pod."""

    def __init__(self) -> None:
        self._known: deque[tuple[bytes, bool, Asked]] = deque(maxlen=_KEPT_LISTS)

    def find(self, data: msgspec.Raw, whole: bool) -> Asked:
        """What a list says: whole nodes, or names. Raises InputError naming the field."""
        text = bytes(data)
        for known, of_whole, asked in self._known:
            if of_whole is whole and known == text:
                return asked
        asked = _nodes(data) if whole else _names(data, text.count(b","))
        if len(text) <= _KEPT_BYTES:
            self._known.append((text, whole, asked))
        return asked


@dataclass(slots=True)
class Call:
    """ExtenderArgs: the pod, and the nodes that are asked about."""

    pod: Pod
    asked: Asked

    @property
    def names(self) -> list[str]:
        """The nodes, by name."""
        return self.asked.names


@dataclass(slots=True)
class Victims:
    """What would have to leave one node: uids, and how many of them overdraw a disruption budget."""

    uids: list[str] = field(default_factory=list)
    violations: int = 0


@dataclass(slots=True)
class PreemptCall:
    """ExtenderPreemptionArgs: the nodes that the scheduler proposes, with its victims."""

    pod: Pod
    proposed: dict[str, Victims]


@dataclass(frozen=True, slots=True)
class Binding:
    """ExtenderBindingArgs."""

    namespace: str
    name: str
    uid: str
    node: str

    @property
    def key(self) -> str:
        """NAMESPACE/NAME."""
        return f"{self.namespace or 'default'}/{self.name}"


def read_call(body: bytes, last: LastAsked) -> Call:
    """The arguments of filter and prioritize. Raises InputError naming the field."""
    fields = _fields(body, "the call")
    pod = _pod(fields)
    for key, whole in (("nodes", True), ("nodenames", False)):
        if key in fields and not _is_null(fields[key]):
            return Call(pod, last.find(fields[key], whole))
    raise InputError("NodeNames: missing, and Nodes as well: no node is asked about")


def _names(data: msgspec.Raw, commas: int) -> Asked:
    """commas: of which names have none."""
    if commas >= MOST_NODES:
        raise InputError(f"NodeNames: has {commas + 1} names, more than {MOST_NODES}")
    return Asked(_typed(_decode_names, data, "NodeNames"))


def _nodes(data: msgspec.Raw) -> Asked:
    listed = _fields(data, "Nodes").get("items")
    if listed is None or _is_null(listed):
        return Asked([], [])
    names = [one.metadata.name for one in _typed(_decode_named, listed, "Nodes.items")]
    if len(names) > MOST_NODES:
        raise InputError(f"Nodes.items: has {len(names)} nodes, more than {MOST_NODES}")
    if "" in names:
        raise InputError(f"Nodes.items[{names.index('')}]: metadata.name: missing")
    return Asked(names, _decode_items(listed))


def read_preempt_call(body: bytes) -> PreemptCall:
    """The arguments of preempt, with whole victims or their uids only. Raises InputError naming the field."""
    fields = _fields(body, "the call")
    pod = _pod(fields)
    for key, words in (("nodenametometavictims", "NodeNameToMetaVictims"), ("nodenametovictims", "NodeNameToVictims")):
        if key in fields and not _is_null(fields[key]):
            nodes = _typed(_decode_fields, fields[key], words)
            if len(nodes) > MOST_NODES:
                raise InputError(f"{words}: has {len(nodes)} nodes, more than {MOST_NODES}")
            return PreemptCall(pod, {name: _victims(one, f"{words}[{name}]") for name, one in nodes.items()})
    raise InputError("NodeNameToMetaVictims: missing, and NodeNameToVictims as well: no node is asked about")


def _victims(data: msgspec.Raw, where: str) -> Victims:
    if _is_null(data):
        return Victims()
    fields = _fields(data, where)
    found = Victims()
    if "pods" in fields and not _is_null(fields["pods"]):
        pods = _typed(_decode_items, fields["pods"], f"{where}.Pods")
        if len(pods) > MOST_VICTIMS:
            raise InputError(f"{where}.Pods: has {len(pods)} pods, more than {MOST_VICTIMS}")
        for number, one in enumerate(pods):
            place = f"{where}.Pods[{number}]"
            parts = _fields(one, place)
            inside = _fields(parts["metadata"], f"{place}.metadata") if "metadata" in parts else parts
            found.uids.append(_text(inside, "uid", place))
    if "numpdbviolations" in fields:
        found.violations = _typed(_decode_count, fields["numpdbviolations"], f"{where}.NumPDBViolations") or 0
    return found


def read_binding(body: bytes) -> Binding:
    """The arguments of bind. Raises InputError naming the field."""
    fields = _fields(body, "the call")
    found = Binding(*(_text(fields, key, "the call") for key in ("podnamespace", "podname", "poduid", "node")))
    for words, value in (("PodName", found.name), ("Node", found.node)):
        if not value:
            raise InputError(f"{words}: missing")
    return found


def _fields(data: bytes | msgspec.Raw, where: str) -> dict[str, msgspec.Raw]:
    return {key.lower(): value for key, value in _typed(_decode_fields, data, where).items()}


def _pod(fields: Mapping[str, msgspec.Raw]) -> Pod:
    if "pod" not in fields or _is_null(fields["pod"]):
        raise InputError("Pod: missing")
    size = len(memoryview(fields["pod"]))
    if size > POD_BYTES:
        raise InputError(f"Pod: has {size} bytes, more than the {POD_BYTES} that are stored of one")
    read = read_object("Pod", fields["pod"], "Pod")
    if read is None or read[0] != "Pod":
        raise InputError("Pod: is an object of another kind")
    pod: Pod = read[1]
    return pod


def _text(fields: Mapping[str, msgspec.Raw], key: str, where: str) -> str:
    return (_typed(_decode_text, fields[key], f"{where}: {key}") or "") if key in fields else ""


def _typed(decode: Any, data: bytes | msgspec.Raw, where: str) -> Any:
    try:
        return decode(data)
    except msgspec.ValidationError as problem:
        path, what = shape_problem(problem)
        raise InputError(f"{where}{path}: {what}") from None
    except msgspec.DecodeError as problem:
        raise InputError(f"{where}: broken JSON: {problem}") from None
    except UnicodeDecodeError:
        raise InputError(f"{where}: not UTF-8 text") from None
    except RecursionError:
        raise InputError(f"{where}: nested too deeply") from None


def _is_null(data: msgspec.Raw) -> bool:
    return bytes(data).strip() == b"null"


# ---- answers ---------------------------------------------------------------------------------------------------------


class Names:
    """The names of a cluster's nodes as they stand in answers, made once: `quoted` and `keyed` object arrays (nodes,)
    of `"name"` and `"name":`.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.quoted = np.empty(len(names), object)
        self.keyed = np.empty(len(names), object)
        self.quoted[:] = [_encode(name) for name in names]
        self.keyed[:] = [name + b":" for name in self.quoted]
        self._scored: np.ndarray | None = None

    def scored(self, hosts: np.ndarray, scores: np.ndarray) -> list[bytes]:
        """One `{"Host":"name","Score":n}` a host; scores in 0..BEST."""
        if self._scored is None:
            self._scored = np.empty((BEST + 1, len(self.quoted)), object)
            for score in range(BEST + 1):
                self._scored[score] = [b'{"Host":%b,"Score":%d}' % (name, score) for name in self.quoted]
        found: list[bytes] = self._scored[scores, hosts].tolist()
        return found


def write_filter(
    names: Names,
    passed: np.ndarray,
    nodes: Sequence[msgspec.Raw] | None,
    refused: Iterable[tuple[str, bool, np.ndarray]],
    unknown: Mapping[str, str],
) -> bytes:
    """ExtenderFilterResult. passed: node positions, int64. nodes: these nodes as they came, where whole nodes travel.
    refused: (message, whether preemption may help, node positions). unknown: other names with the words for them.
    """
    failed: list[bytes] = []
    hopeless = [_encode(name) + b":" + _encode(text) for name, text in unknown.items()]
    for message, resolvable, hosts in refused:
        if len(hosts):
            text = _encode(message)
            entry = (text + b",").join(names.keyed[hosts].tolist()) + text
            (failed if resolvable else hopeless).append(entry)
    if nodes is None:
        kept = b'"Nodes":null,"NodeNames":[' + b",".join(names.quoted[passed].tolist()) + b"]"
    else:
        kept = b'"Nodes":{"metadata":{},"items":[' + b",".join(map(bytes, nodes)) + b']},"NodeNames":null'
    return b'{%b,"FailedNodes":{%b},"FailedAndUnresolvableNodes":{%b},"Error":""}' % (
        kept,
        b",".join(failed),
        b",".join(hopeless),
    )


def write_refusal(message: str) -> bytes:
    """ExtenderFilterResult of a pod that cannot be judged."""
    return _encode({"Nodes": None, "NodeNames": None, "Error": message})


def write_scores(fragments: Iterable[bytes]) -> bytes:
    """HostPriorityList of what `Names.scored` gives."""
    return b"[" + b",".join(fragments) + b"]"


def write_preempted(victims: Mapping[str, Victims]) -> bytes:
    """ExtenderPreemptionResult."""
    return _encode(
        {
            "NodeNameToMetaVictims": {
                name: {"Pods": [{"UID": uid} for uid in one.uids], "NumPDBViolations": one.violations}
                for name, one in victims.items()
            }
        }
    )


def write_bound(error: str = "") -> bytes:
    """ExtenderBindingResult."""
    return _encode({"Error": error})
