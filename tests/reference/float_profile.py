"""The slow truth of a float64 profile: raw value, span, multiplier, summed in profile order with Python's floats.

Source: openstack spec 5.1. Touches nothing else; must never know numpy or anything of binwright.
"""


def totals(terms, hosts):
    """Total of each feasible host. terms: dicts with `raw` (per host), `low`, `high` (None = observed), `multiplier`
    (per host), in profile order; hosts: the feasible ones. A lone host is not weighed.
    """
    found = dict.fromkeys(hosts, 0.0)
    if len(hosts) < 2:
        return found
    for term in terms:
        raw = {host: clamped(float(term["raw"][host]), term["low"], term["high"]) for host in hosts}
        low = min(raw.values()) if term["low"] is None else term["low"]
        high = max(raw.values()) if term["high"] is None else term["high"]
        for host in hosts:
            share = 0.0 if low == high else (raw[host] - low) / (high - low)
            found[host] = found[host] + term["multiplier"][host] * share
    return found


def clamped(value, low, high):
    if low is not None and value < low:
        return low
    if high is not None and value > high:
        return high
    return value


def free(capacity, used, ratio):
    """What the CPU, RAM and disk weighers look at; the request itself is not subtracted."""
    return float(capacity - used) if ratio is None else float(capacity) * ratio - float(used)
