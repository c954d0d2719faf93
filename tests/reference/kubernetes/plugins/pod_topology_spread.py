"""PodTopologySpread (spec 4, 8.4): hard constraints filter, soft ones score."""

from dataclasses import dataclass, field

from tests.reference.kubernetes.arithmetic import (
    MAX_NODE_SCORE,
    divide_truncating,
    natural_log,
    round_half_away,
)
from tests.reference.kubernetes.plugins.base import Plugin, Skip
from tests.reference.kubernetes.plugins.spread_constraints import (
    HARD,
    HOSTNAME,
    SOFT,
    SYSTEM_DEFAULTS,
    Constraint,
    default_constraints,
    has_all_keys,
    own_constraints,
)
from tests.reference.kubernetes.selectors import selects


@dataclass
class FilterState:
    """Per hard constraint: matching pods by topology value; a value with 0 is a domain too."""

    constraints: list[Constraint]
    domains: list[dict[str, int]]


@dataclass
class ScoreState:
    """Per soft constraint: weight and matching pods by topology value (unused for hostname)."""

    constraints: list[Constraint]
    ignored: set[str]  # feasible nodes that miss a key
    weights: list[float] = field(default_factory=list)
    domains: list[dict[str, int]] = field(default_factory=list)


class PodTopologySpread(Plugin):
    name = "PodTopologySpread"

    def __init__(self, arguments, quirks):
        super().__init__(arguments, quirks)
        self.system_defaulted = (arguments.get("defaultingType") or "System") == "System"
        self.defaults = SYSTEM_DEFAULTS if self.system_defaulted else arguments.get("defaultConstraints") or ()

    def constraints(self, cycle, when_unsatisfiable):
        """The pod's own list if it is non-empty, otherwise the defaults."""
        pod = cycle.pod
        constraints = own_constraints(pod) or default_constraints(self.defaults, pod, cycle.cluster)
        return [c for c in constraints if c.when_unsatisfiable == when_unsatisfiable]

    # --- Filter ------------------------------------------------------------------------------------------------

    def pre_filter(self, cycle):
        constraints = self.constraints(cycle, HARD)
        if not constraints:
            return Skip()
        state = FilterState(constraints, [{} for _ in constraints])
        for node in cycle.cluster.nodes:
            if not has_all_keys(node, constraints):
                continue
            for constraint, domains in zip(constraints, state.domains, strict=True):
                if constraint.eligible(cycle.pod, node):
                    value = node.labels[constraint.topology_key]
                    domains[value] = domains.get(value, 0) + constraint.count(cycle.pod, node)
        cycle.state[self.name] = state
        return None

    def copy_state(self, state):
        return FilterState(state.constraints, [dict(domains) for domains in state.domains])

    def update(self, cycle, pod, node, sign):
        """Dry run (spec 8.4): also terminating pods and the empty selector count here; counts may become negative."""
        state = cycle.state[self.name]
        if pod.namespace != cycle.pod.namespace or not has_all_keys(node, state.constraints):
            return
        for constraint, domains in zip(state.constraints, state.domains, strict=True):
            if selects(constraint.selector, pod.labels) and constraint.eligible(cycle.pod, node):
                value = node.labels[constraint.topology_key]
                domains[value] = domains.get(value, 0) + sign

    def filter(self, cycle, node):
        state = cycle.state[self.name]
        for constraint, domains in zip(state.constraints, state.domains, strict=True):
            value = node.labels.get(constraint.topology_key)
            if value is None:
                return self.unresolvable(
                    "node(s) didn't match pod topology spread constraints (missing required label)"
                )
            smallest = min(domains.values()) if domains and len(domains) >= constraint.min_domains else 0
            itself = 1 if selects(constraint.selector, cycle.pod.labels) else 0
            if domains.get(value, 0) + itself - smallest > constraint.max_skew:
                return self.resolvable("node(s) didn't match pod topology spread constraints")
        return None

    # --- Score -------------------------------------------------------------------------------------------------

    def pre_score(self, cycle, feasible):
        constraints = self.constraints(cycle, SOFT)
        if not constraints:
            return False
        require_all = not self.system_defaulted or bool(cycle.pod.spec.get("topologySpreadConstraints"))
        ignored = {node.name for node in feasible if require_all and not has_all_keys(node, constraints)}
        state = ScoreState(constraints, ignored)
        counted = [n for n in cycle.cluster.nodes if not require_all or has_all_keys(n, constraints)]
        for constraint in constraints:
            key = constraint.topology_key
            domains = {}
            if key == HOSTNAME:
                size = len(feasible) - len(ignored)
            else:
                # with the system defaults a missing label is the value ""
                domains = {node.labels.get(key, ""): 0 for node in feasible if node.name not in ignored}
                size = len(domains)
                for node in counted:
                    value = node.labels.get(key, "")
                    if value in domains and constraint.eligible(cycle.pod, node):
                        domains[value] += constraint.count(cycle.pod, node)
            state.domains.append(domains)
            state.weights.append(natural_log(float(size + 2)))
        cycle.state[f"{self.name}/score"] = state
        return True

    def score(self, cycle, node):
        """The sum over the constraints whose key the node has; on hostname eligibility is not consulted."""
        state = cycle.state[f"{self.name}/score"]
        if node.name in state.ignored:
            return 0
        total = 0.0
        for constraint, domains, weight in zip(state.constraints, state.domains, state.weights, strict=True):
            key = constraint.topology_key
            if key not in node.labels:
                continue
            count = constraint.count(cycle.pod, node) if key == HOSTNAME else domains[node.labels[key]]
            total += float(count) * weight + float(constraint.max_skew - 1)
        return round_half_away(total)

    def normalize(self, cycle, feasible, raw):
        """Fewer is better; ignored nodes get 0 and take no part in minimum and maximum."""
        ignored = cycle.state[f"{self.name}/score"].ignored
        counted = [score for node, score in zip(feasible, raw, strict=True) if node.name not in ignored]
        lowest, highest = min(counted, default=0), max([0, *counted])

        def normal(node, score):
            if node.name in ignored:
                return 0
            if highest == 0:
                return MAX_NODE_SCORE
            return divide_truncating(MAX_NODE_SCORE * (highest + lowest - score), highest)

        return [normal(node, score) for node, score in zip(feasible, raw, strict=True)]
