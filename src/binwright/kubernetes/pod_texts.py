"""Pods out of JSON text. Specs that are written alike are read once and shared, as most pods that wait have siblings.

Alike but for the name that admission gives to the volume of a pod's token, where nothing that is read depends on it.
Shared specs must not be changed in place. Knows shapes only, like `objects`.
"""

from __future__ import annotations

import msgspec

from binwright.kubernetes.objects import AnnotatedMeta, Part, Pod, PodSpec, PodStatus, Volume

__all__ = ["PodTexts"]

_TOKEN = b"kube-api-access-"
_SUFFIX = 5  # random characters behind it
_HAS_NODE = b'"nodeName"'


class _Unopened(Part):
    """A pod whose spec has not been read."""

    metadata: AnnotatedMeta = msgspec.field(default_factory=AnnotatedMeta)
    spec: msgspec.Raw = msgspec.Raw()
    status: PodStatus | None = None


_decode = msgspec.json.Decoder(Pod).decode
_decode_unopened = msgspec.json.Decoder(_Unopened).decode
_decode_spec = msgspec.json.Decoder(PodSpec | None).decode
_encode = msgspec.json.Encoder().encode


class PodTexts:
    """Reads the pods of one input."""

    def __init__(self) -> None:
        self._specs: dict[bytes, PodSpec] = {}

    def read(self, data: bytes | msgspec.Raw) -> Pod:
        """The pod of this text. Raises what msgspec raises for text that is broken or of another shape."""
        data = bytes(data)
        if _HAS_NODE in data:  # hardly any two pods on one node are of one template
            return _decode(data)
        try:
            pod = _decode_unopened(data)
            text = bytes(pod.spec)
            return Pod(pod.metadata, self._spec(text) if text else None, pod.status)
        except msgspec.ValidationError:
            return _decode(data)  # which names the field from the pod on

    def _spec(self, text: bytes) -> PodSpec | None:
        begins = text.find(_TOKEN)
        token = text[begins : begins + len(_TOKEN) + _SUFFIX] if begins >= 0 else b""
        key = text.replace(token, b"") if token else text
        spec = self._specs.get(key)
        if spec is None:
            made: PodSpec | None = _decode_spec(text)
            if made is None or not _names_only_its_volume(token, made):
                return made
            spec = self._specs[key] = made
        return spec


def _names_only_its_volume(token: bytes, spec: PodSpec) -> bool:
    """Whether nothing that is read of a spec has this text in it, but for the name of a volume without a source."""
    rest = [one for one in spec.volumes or () if one != Volume(one.name)]
    return not token or token not in _encode(msgspec.structs.replace(spec, volumes=tuple(rest)))
