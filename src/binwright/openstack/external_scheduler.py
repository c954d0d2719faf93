"""The external scheduler that SAP's Nova asks after its own filters and weighers (interfaces 5): hosts in, the same
hosts out, best first and without those that our rules refuse.

Judges by a cloud as a dump has it: filters and weighers are those of `place`. A host that the dump does not have is not
judged; such hosts follow at the end, by the weights that Nova gave them. Knows bytes of the protocol, no HTTP.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from binwright.errors import InputError
from binwright.formats.documents import shape_problem
from binwright.openstack.capacity import cloud_hosts
from binwright.openstack.cloud import Cloud, Flavor
from binwright.openstack.nova.conf import PLAIN_CONF, NovaConf
from binwright.openstack.pending import Wanted, pending_servers
from binwright.openstack.scheduler import Scheduler
from binwright.openstack.zones import cloud_zones

__all__ = ["ExternalScheduler", "Ranked"]

_MOST_KINDS = 64


class _Host(msgspec.Struct):
    host: str
    hypervisor_hostname: str = ""


class _Call(msgspec.Struct):
    spec: dict[str, Any]
    hosts: list[_Host]
    weights: dict[str, float] = {}
    rebuild: bool = False


class _Specs(msgspec.Struct):
    """The fields of a flavor that are read."""

    name: str
    vcpus: int
    memory_mb: int
    flavorid: str | None = None
    root_gb: int = 0
    ephemeral_gb: int = 0
    swap: int = 0
    extra_specs: dict[str, str] | None = None


class _Spec(msgspec.Struct):
    """The fields of a RequestSpec that are read, without the nesting of versioned objects."""

    flavor: _Specs
    instance_uuid: str | None = None
    project_id: str | None = None
    availability_zone: str | None = None
    scheduler_hints: dict[str, Any] | None = None
    image: dict[str, Any] | None = None
    instance_group: dict[str, Any] | None = None
    is_bfv: bool | None = None


@dataclass(frozen=True, slots=True)
class Ranked:
    """The answer: `hosts` best first; how many were `asked` about, how many of them the dump does not have."""

    hosts: list[str]
    instance: str
    asked: int
    unknown: int


class ExternalScheduler:
    """One cloud that is asked about. It does not change: read the dump again to follow the cloud."""

    def __init__(self, cloud: Cloud, conf: NovaConf = PLAIN_CONF) -> None:
        self._cloud = cloud
        self._conf = conf
        self._known: dict[str, tuple[Wanted, Scheduler]] = {}  # by what is asked for, the last ones

    def rank(self, body: bytes) -> Ranked:
        """Answer one call. Raises InputError naming the field of what is malformed."""
        call = _typed(body, _Call)
        spec = _converted(_plain(call.spec), _Spec, "spec")
        names = list(dict.fromkeys(one.host for one in call.hosts))
        instance = spec.instance_uuid or ""
        if call.rebuild:  # of an instance that stays where it is
            return Ranked(names, instance, len(names), 0)
        wanted, scheduler = self._scheduler(spec)
        named: dict[int, str] = {}
        unknown: list[str] = []
        for one in call.hosts:
            found = scheduler.hosts.lookup.find(one.hypervisor_hostname) or scheduler.hosts.lookup.find(one.host)
            if found:
                named.update((host, one.host) for host in found)
            else:
                unknown.append(one.host)
        best = [named[host] for host in scheduler.ranking(wanted) if host in named]
        unknown.sort(key=lambda name: -call.weights.get(name, 0.0))
        hosts = list(dict.fromkeys([*best, *unknown]))
        return Ranked(hosts, instance, len(names), len(set(unknown)))

    def _scheduler(self, spec: _Spec) -> tuple[Wanted, Scheduler]:
        """What is wanted, and the rules made ready for it; equal wishes of different instances share them."""
        key = msgspec.json.encode(msgspec.structs.replace(spec, instance_uuid=None), order="deterministic").decode()
        if key not in self._known:
            wanted = _wanted(spec)
            hosts = cloud_hosts(self._cloud, pending_servers(self._cloud))
            made = Scheduler(self._cloud, hosts, cloud_zones(self._cloud, hosts), [wanted], self._conf)
            if len(self._known) >= _MOST_KINDS:
                del self._known[next(iter(self._known))]
            self._known[key] = wanted, made
        return self._known[key]


def _wanted(spec: _Spec) -> Wanted:
    of = spec.flavor
    flavor = Flavor(
        of.flavorid, of.name, of.vcpus, of.memory_mb, of.root_gb, of.ephemeral_gb, of.swap, of.extra_specs or {},
        where=f"flavor {of.name}",
    )  # fmt: skip
    hints = dict(spec.scheduler_hints or {})
    if spec.instance_group is not None and spec.instance_group.get("uuid"):
        hints["group"] = spec.instance_group["uuid"]
    image = (spec.image or {}).get("id")
    return Wanted(
        name="instance",
        uid=None,
        project=spec.project_id,
        flavor=flavor,
        zone=spec.availability_zone,
        from_volume=bool(spec.is_bfv),
        image=image if isinstance(image, str) else None,
        hints=hints,
        where="spec",
    )


def _plain(value: Any) -> Any:
    """A versioned object's primitive as plain data: what stands under nova_object.data, at every depth."""
    if isinstance(value, dict):
        inside = value.get("nova_object.data", value)
        return {key: _plain(one) for key, one in inside.items()} if isinstance(inside, dict) else inside
    return [_plain(one) for one in value] if isinstance(value, list) else value


def _typed(body: bytes, kind: type) -> Any:
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as problem:
        path, what = shape_problem(problem)
        raise InputError(f"{path.removeprefix('.') or 'the call'}: {what}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise InputError(f"the call: not JSON: {problem}") from None


def _converted(value: Any, kind: type, where: str) -> Any:
    try:
        return msgspec.convert(value, type=kind)
    except msgspec.ValidationError as problem:
        path, what = shape_problem(problem)
        raise InputError(f"{where}{path}: {what}") from None
