"""Words that the tables of the joint verbs share: why no host takes a server. Knows no verb."""

from binwright.cli.words import amount, count
from binwright.openstack.growth import QUOTA, NoHost


def no_host_text(flavor: str, why: NoHost) -> str:
    """Why there is no further server of a flavor, hosts told apart by what stands in the way."""
    if why.reasons and why.reasons[0].rule == QUOTA:
        return f"no further {flavor}: {why.message}"
    hole = ", ".join(f"{amount(name, free)} of {name}" for name, free in why.hole.items())
    parts = [
        f"{count(why.lacking, 'host lacks', 'hosts lack')} a trait" if why.lacking else "",
        f"{why.fragmented} fragmented (largest hole {hole})" if why.fragmented else "",
        f"{why.shut_out} shut out by the server group" if why.shut_out else "",
        f"{why.other} closed, elsewhere, or without the resource" if why.other else "",
    ]
    told = ", ".join(part for part in parts if part)
    return f"no host takes another {flavor}" + (f": {told}" if told else "")
