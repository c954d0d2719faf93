"""The sandwich drawn to scale: a row a host, its servers as wide as they are, the pods' requests in them.

Two bars a host, CPU above memory, each the host's physical amount wide; what is sold beyond that sticks out and is
framed. Makes SVG text of numbers; knows no file.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape

from binwright.stack.physical import CPU, MEMORY

WIDTH, LABEL, BAR, ROW = 360, 92, 6, 18
IDLE = 1.8  # pixels of the stripe for what is sold and idle
SCALE = 220  # pixels of a whole host; what is oversold goes on to the right


@dataclass(slots=True)
class Block:
    """A server, or the pods on a host that is a node itself: sold and requested amounts by resource."""

    name: str
    node: bool
    sold: dict[str, int]
    requested: dict[str, int] = field(default_factory=dict)
    moved: bool = False


@dataclass(slots=True)
class HostDrawing:
    """One host: physical amounts, blocks in name order; the peak of what is used, and what is sold and idle, where that
    is known.
    """

    name: str
    physical: Mapping[str, int | None]
    blocks: list[Block] = field(default_factory=list)
    used: Mapping[str, int | None] = field(default_factory=dict)
    reclaimable: Mapping[str, int | None] = field(default_factory=dict)


def draw_hosts(hosts: Sequence[HostDrawing]) -> str:
    """An SVG of these hosts, in order."""
    height = ROW * len(hosts) + 2
    rows = "".join(_host(host, 2 + ROW * number) for number, host in enumerate(hosts))
    return f'<svg viewBox="0 0 {WIDTH} {height}" role="img">{rows}</svg>'


def _host(host: HostDrawing, top: int) -> str:
    label = host.name if len(host.name) <= 16 else f"{host.name[:15]}…"
    text = f'<text x="0" y="{top + 10}">{escape(label)}</text>'
    return f"<g>{text}{_bar(host, CPU, top)}{_bar(host, MEMORY, top + BAR + 1)}</g>"


def _bar(host: HostDrawing, name: str, top: int) -> str:
    whole = host.physical.get(name)
    if not whole:
        return ""
    parts = [_rect("free", LABEL, SCALE, top)]
    at = 0
    for block in host.blocks:
        sold = block.sold.get(name, 0)
        if sold:
            left, wide = LABEL + SCALE * at / whole, SCALE * sold / whole
            room = max(0.0, WIDTH - left)
            kind = "server" if block.node else "other"
            title = f"<title>{escape(block.name)}</title>"
            parts.append(_rect(f"{kind} moved" if block.moved else kind, left, min(wide, room), top, title))
            asked = min(block.requested.get(name, 0), sold)
            if asked:
                parts.append(_rect("pods", left, min(SCALE * asked / whole, room), top + BAR / 2, height=BAR / 2))
            at += sold
    if at > whole:
        parts.append(_rect("over", LABEL + SCALE, min(SCALE * (at - whole) / whole, WIDTH - LABEL - SCALE - 1), top))
    idle = host.reclaimable.get(name)
    if idle:
        end = min(at, whole)
        parts.append(
            _rect(
                "idle",
                LABEL + SCALE * max(0, end - idle) / whole,
                SCALE * min(idle, end) / whole,
                top + BAR - IDLE,
                height=IDLE,
            )
        )
    peak = host.used.get(name)
    if peak is not None:
        x = LABEL + SCALE * min(peak / whole, 1.2)
        parts.append(f'<line class="used" x1="{x:.1f}" x2="{x:.1f}" y1="{top}" y2="{top + BAR}"/>')
    return "".join(parts)


def _rect(kind: str, left: float, wide: float, top: float, inside: str = "", height: float = BAR) -> str:
    shape = f'class="{kind}" x="{left:.1f}" y="{top:.1f}" width="{max(wide, 0):.1f}" height="{height:g}"'
    return f"<rect {shape}>{inside}</rect>" if inside else f"<rect {shape}/>"
