"""What lies on no known host: nodes and pods that no question about hosts sees, so that their number is said."""

from collections.abc import Container

from binwright.outcome import NotEvaluated
from binwright.stack.finding import not_known
from binwright.stack.sandwich import Sandwich


def unplaced(sandwich: Sandwich, told: Container[tuple[str, str]] = ()) -> list[NotEvaluated]:
    """Nodes without a host, but those that were told of already, by (cluster, name); pods without a node."""
    blind = [key for key, one in sorted(sandwich.nodes.items()) if one.host is None and key not in told]
    pods = [
        f"{cluster}/{pod.key}"
        for cluster in sorted(sandwich.clusters)
        for pod in sandwich.bound(cluster)
        if sandwich.place_of(cluster, pod) is None
    ]
    return [
        *not_known(
            "nodes whose host nobody tells (a server list, or its hosts, is not in the input)",
            ["/".join(key) for key in blind],
        ),
        *not_known("pods on nodes that are not in the input", pods),
    ]
