"""The PodGroup of scheduler-plugins as a msgspec Struct. Only its shape, as in `objects`."""

from __future__ import annotations

from msgspec import field

from binwright.kubernetes.objects import ObjectMeta, Part, Quantities

__all__ = ["PodGroup"]


class PodGroupSpec(Part):
    min_member: int | None = None
    min_resources: Quantities | None = None


class PodGroup(Part):
    metadata: ObjectMeta = field(default_factory=ObjectMeta)
    spec: PodGroupSpec = field(default_factory=PodGroupSpec)
