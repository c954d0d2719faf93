"""Physical hosts on which pods were promised more than there is: what both schedulers gave away together."""

from collections.abc import Mapping

from binwright.outcome import NotEvaluated
from binwright.stack.finding import Finding, Ref
from binwright.stack.physical import MEMORY, capacities, promised
from binwright.stack.sandwich import Sandwich


def check_overcommit(sandwich: Sandwich) -> tuple[list[Finding], list[NotEvaluated]]:
    """Every host and resource of which more is requested than there is."""
    return overcommitted(sandwich, promised(sandwich), capacities(sandwich)), []


def overcommitted(
    sandwich: Sandwich, requested: Mapping[str, Mapping[str, int]], have: Mapping[str, Mapping[str, int]]
) -> list[Finding]:
    """The same with requests and physical amounts by host key, as `promised` and `capacities` tell them."""
    found = []
    for key, requests in sorted(requested.items()):
        host = sandwich.hosts[key]
        for name, amount in requests.items():
            there = have.get(key, {}).get(name)
            if there is not None and amount > there:
                unit = "bytes of memory" if name == MEMORY else "millicores"
                why = f"pods on its servers request {amount} {unit}, the host has {there} ({amount / there:.2f} times)"
                severity = "high" if name == MEMORY else "medium"
                found.append(
                    Finding("overcommit", severity, (Ref(host.source, "Host", host.name),), there, amount, why)
                )
    return found
