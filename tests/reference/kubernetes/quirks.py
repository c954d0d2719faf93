"""The switches for what kube-scheduler 1.34.1 does surprisingly, named as in the vectors' ``sensitiveTo``."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Quirks:
    """Which [quirk] marks of the spec are followed; False is the intended behaviour."""

    nsSelectorEmptyLabels: bool = False  # a term's namespaceSelector is still tried on no labels
    fitScorePodLevel: bool = True  # NodeResourcesFit scores without the pod-level requests
    draNotFound: bool = True  # no preemption when PreFilter ended before DynamicResources
