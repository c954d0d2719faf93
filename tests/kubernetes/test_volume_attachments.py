"""VolumeAttachments: what is attached to a node beside the volumes of its pods (NodeVolumeLimits)."""

import pytest

from binwright.kubernetes.place import Options, place_dicts
from tests.kubernetes.made import node_dict, pod_dict


def attached_cluster(limit, attached, pods):
    """A node that attaches `limit` volumes of one driver; `attached`: numbers of volumes with a VolumeAttachment there;
    `pods`: (name, number of its volume, whether it is bound).
    """
    items = [node_dict("n")]
    drivers = [{"name": "csi.x", "allocatable": {"count": limit}}]
    items.append(
        {"apiVersion": "storage.k8s.io/v1", "kind": "CSINode", "metadata": {"name": "n"}, "spec": {"drivers": drivers}}
    )
    for number in range(4):
        source = {"driver": "csi.x", "volumeHandle": f"h{number}"}
        items.append(
            {
                "apiVersion": "v1",
                "kind": "PersistentVolume",
                "metadata": {"name": f"pv{number}"},
                "spec": {"csi": source},
            }
        )
        meta = {"name": f"c{number}", "annotations": {"pv.kubernetes.io/bind-completed": "yes"}}
        items.append(
            {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "metadata": meta,
                "spec": {"volumeName": f"pv{number}"},
            }
        )
    for number in attached:
        spec = {"attacher": "csi.x", "nodeName": "n", "source": {"persistentVolumeName": f"pv{number}"}}
        items.append(
            {
                "apiVersion": "storage.k8s.io/v1",
                "kind": "VolumeAttachment",
                "metadata": {"name": f"va{number}"},
                "spec": spec,
            }
        )
    for name, number, bound in pods:
        volumes = [{"name": "v", "persistentVolumeClaim": {"claimName": f"c{number}"}}]
        items.append(pod_dict(name, node="n" if bound else None, volumes=volumes))
    return items


@pytest.mark.parametrize(
    ("limit", "attached", "pods", "fits"),
    [
        (1, [], [("p", 0, False)], True),
        (1, [1], [("p", 0, False)], False),
        (2, [1], [("p", 0, False)], True),
        (1, [0], [("p", 0, False)], False),  # attached, but used by no pod of the node: counted twice, as the peer does
        (2, [0], [("p", 0, False)], True),
        (1, [0], [("old", 0, True), ("p", 0, False)], True),
        (2, [0, 1], [("old", 0, True), ("p", 2, False)], False),
        (3, [0, 1], [("old", 0, True), ("p", 2, False)], True),
    ],
)
def test_attached_volumes_count_beside_those_of_pods(limit, attached, pods, fits):
    outcome = place_dicts("demo", attached_cluster(limit, attached, pods), Options(complete=True))
    assert [one.name for one in outcome.placed] == (["p"] if fits else [])
    assert fits or outcome.unplaced[0].message == "0/1 nodes are available: 1 node(s) exceed max volume count."


def test_no_eviction_takes_an_attachment_away():
    items = attached_cluster(1, [1], [("old", 2, True), ("p", 0, False)])
    items[-1]["spec"]["priority"] = 9
    outcome = place_dicts("demo", items, Options(complete=True, preempt=True))
    assert [(one.name, one.victims) for one in outcome.placed] == []
