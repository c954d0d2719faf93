"""`stack report`: one page for people, without network: numbers, hazards, the sandwich to scale, before and after.

Puts together what audit, ledger and blast found; decides nothing. All text of the input is escaped.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from importlib import resources

from binwright import __version__
from binwright.kubernetes.requests import Requests
from binwright.stack.audit import audit
from binwright.stack.audit_result import AuditResult
from binwright.stack.blast import Blast, Break, blast
from binwright.stack.finding import Finding
from binwright.stack.ledger import RESOURCES, Account, LedgerResult, ledger
from binwright.stack.physical import CPU, MEMORY
from binwright.stack.report_drawing import Block, HostDrawing, draw_hosts
from binwright.stack.sandwich import Sandwich
from binwright.stack.server_sizes import server_sizes
from binwright.stack.usage import Usage
from binwright.stack.whatif import with_repairs

MOST_HOSTS = 400  # drawn; beyond that a page is no picture any more
MOST_LOSSES = 10
WORDS = {"movePod": "move", "liveMigrate": "live-migrate", "addNode": "add"}


@dataclass(frozen=True)
class Told:
    """Everything the page shows of one state of the sandwich."""

    sandwich: Sandwich
    audit: AuditResult
    ledger: LedgerResult
    losses: list[Blast]


def tell(sandwich: Sandwich, usage: Usage, risk: float, *, repair: bool) -> Told:
    """Audit, ledger and the loss of each host."""
    losses = blast(sandwich, any_level="host").blasts
    return Told(sandwich, audit(sandwich, repair=repair), ledger(sandwich, usage, risk), losses)


def report(sandwich: Sandwich, usage: Usage, title: str, risk: float = 0.01) -> str:
    """The page. title: what was read. Raises InputError as audit, ledger and blast do."""
    before = tell(sandwich, usage, risk, repair=True)
    steps = [step for finding in before.audit.findings for step in finding.repairs]
    after = tell(with_repairs(sandwich, steps), usage, risk, repair=False) if steps else None
    moved = {str(step.object) for step in steps}
    body = "".join(
        (
            f"<h1>{escape(title)}</h1>",
            f'<p class="faint">{escape(_size(before))}. Made by binwright {__version__}, which changed nothing.</p>',
            _numbers(before),
            "<h2>Hazards</h2>",
            "".join(map(_finding, before.audit.findings)) or '<p class="good">None found.</p>',
            _not_sought(before.audit),
            _before_after(before, after, moved),
            "<h2>If a host is lost</h2>",
            _losses(before.losses),
            "<h2>The sandwich, to scale</h2>",
            _to_scale(before),
            "<h2>How the layers were joined</h2>",
            _joins(before.audit),
            _blind(before.audit),
        )
    )
    style = resources.files("binwright.stack").joinpath("report.css").read_text(encoding="utf-8")
    viewport = '<meta name="viewport" content="width=device-width, initial-scale=1">'
    head = f'<meta charset="utf-8">{viewport}<title>{escape(title)}</title><style>{style}</style>'
    return f'<!doctype html>\n<html lang="en"><head>{head}</head><body>{body}</body></html>\n'


# ---- parts -----------------------------------------------------------------------------------------------------------


def _size(told: Told) -> str:
    sandwich = told.sandwich
    parts = (
        (len(sandwich.clouds), "cloud"),
        (len(sandwich.clusters), "cluster"),
        (len(told.ledger.accounts), "physical host"),
        (len(sandwich.servers), "server"),
        (len(sandwich.nodes), "node"),
        (sum(len(objects.pods) for objects in sandwich.clusters.values()), "pod"),
    )
    return ", ".join(f"{number:,} {word}{'' if number == 1 else 's'}" for number, word in parts)


def _numbers(told: Told) -> str:
    findings = told.audit.findings
    kept = sum(one.kept for one in told.audit.spreads)
    cells = [
        (f"{len(findings)}", "hazard" if len(findings) == 1 else "hazards", "bad" if findings else "good"),
        (f"{kept} of {len(told.audit.spreads)}", "claimed spreads hold below the nodes", ""),
    ]
    for name in RESOURCES:
        total = told.ledger.total(name)
        if total.physical:
            cells.append((_share(total.sold, total.physical), f"of the {_word(name)} is sold", ""))
            if total.mean is not None:
                cells.append((_share(total.mean, total.physical), f"of the {_word(name)} is used", ""))
            if total.reclaimable:
                cells.append((_share(total.reclaimable, total.physical), f"of the {_word(name)} is sold and idle", ""))
    inner = "".join(
        f'<div class="number"><b class="{kind}">{big}</b>{escape(small)}</div>' for big, small, kind in cells
    )
    return f'<div class="numbers">{inner}</div>'


def _finding(one: Finding) -> str:
    head = f'<span class="tag">{one.severity} · {_spaced(one.kind)}</span><h3>{escape(str(one.objects[0]))}</h3>'
    claim = (
        ""
        if one.claimed is None
        else f"claimed {one.claimed}, actual {'nothing' if one.actual is None else one.actual}"
    )
    steps = "".join(
        f"<p><b>Repair:</b> {WORDS[step.action]} {escape(str(step.object))}: {escape(step.from_host or 'new')} → "
        f"{escape(step.to_host or '?')} <span class=faint>(checked by {escape(', '.join(step.checked))})</span></p>"
        for step in one.repairs
    )
    commands = [*(line for step in one.repairs for line in step.commands), *one.advice]
    paste = f"<pre>{escape(chr(10).join(commands))}</pre>" if commands else ""
    return (
        f'<div class="card {one.severity}">{head}<p>{escape(one.evidence)}</p>'
        f'<p class="faint small">{escape(claim)}</p>{steps}{paste}<p class="faint small">{one.id}</p></div>'
    )


def _not_sought(told: AuditResult) -> str:
    if not told.not_sought:
        return ""
    return f"<p>Repairs were not looked for of the last {told.not_sought} findings that moving things may mend.</p>"


def _before_after(before: Told, after: Told | None, moved: set[str]) -> str:
    if after is None:
        return ""
    rows = [
        ("hazards", len(before.audit.findings), len(after.audit.findings)),
        (
            "claimed spreads that hold",
            sum(one.kept for one in before.audit.spreads),
            sum(one.kept for one in after.audit.spreads),
        ),
        ("hosts whose loss breaks something", _breaking(before.losses), _breaking(after.losses)),
        ("quorums that one host takes down", _quorums(before.losses), _quorums(after.losses)),
    ]
    cells = "".join(
        f'<tr><td>{name}</td><td class="n">{old}</td><td class="n">{new}</td></tr>' for name, old, new in rows
    )
    table = f'<table><tr><th></th><th class="n">now</th><th class="n">after the repairs</th></tr>{cells}</table>'
    drawn = [(words, _touched(told, before, after, moved)) for words, told in (("Now", before), ("After", after))]
    if not all(hosts for _, hosts in drawn):
        return f'<h2>Before and after</h2><div class="scroll">{table}</div>'
    pictures = "".join(f'<div class="rack"><h3>{words}</h3>{draw_hosts(hosts)}</div>' for words, hosts in drawn)
    key = '<div class="key"><span><i class="k-moved"></i>what the repairs move</span></div>'
    return f'<h2>Before and after</h2><div class="scroll">{table}</div><div class="racks">{pictures}</div>{key}'


def _breaking(losses: Iterable[Blast]) -> int:
    return sum(bool(one.breaks) for one in losses)


def _quorums(losses: Iterable[Blast]) -> int:
    return sum(each.kind == "quorum" for one in losses for each in one.breaks)


def _touched(told: Told, before: Told, after: Told, moved: set[str]) -> list[HostDrawing]:
    """The hosts that a repair leaves or enters, as they are in `told`."""
    touched: set[str] = set()
    for state in (before.sandwich, after.sandwich):
        for server in state.servers.values():
            if f"Server {server.cloud}/{server.server.name}" in moved and server.host is not None:
                touched.add(server.host.physical().key)
        for cluster, objects in state.clusters.items():
            for pod in objects.pods:
                name = f"Pod {cluster}/{pod.metadata.namespace or 'default'}/{pod.metadata.name}"
                place = state.place_of(cluster, pod) if name in moved else None
                if place is not None and place.host is not None:
                    touched.add(place.host.physical().key)
    return [one for key, one in sorted(_drawings(told.sandwich, told.ledger, moved).items()) if key in touched]


def _losses(losses: Sequence[Blast]) -> str:
    rows = "".join(
        f'<tr><td>{escape(one.name)}</td><td class="n roomy">{one.servers}</td><td class="n">{one.lost}</td>'
        f'<td class="n roomy">{one.placed}</td><td class="n">{len(one.homeless)}</td>'
        f"<td>{escape('; '.join(map(_break, one.breaks))) or '–'}</td></tr>"
        for one in losses[:MOST_LOSSES]
    )
    head = "<tr><th>Host</th>" + "".join(
        f'<th class="n{kind}">{word}</th>'
        for word, kind in (("Servers", " roomy"), ("Pods", ""), ("Placed again", " roomy"), ("Homeless", ""))
    )
    more = f'<p class="faint small">The worst {MOST_LOSSES} of {len(losses)}.</p>' if len(losses) > MOST_LOSSES else ""
    return f'{more}<div class="scroll"><table class="losses">{head}<th>Breaks</th></tr>{rows}</table></div>'


def _break(one: Break) -> str:
    """What breaks, by the word for it, where the object's kind does not say that already."""
    text = str(one.object)
    return text if text.lower().startswith(one.kind) else f"{one.kind}: {text}"


def _spaced(kind: str) -> str:
    """staleLabel as "stale label"."""
    return "".join(f" {char.lower()}" if char.isupper() else char for char in kind)


def _legend(told: LedgerResult) -> str:
    keys = [
        ("server", "server that is a node"), ("other", "other server"), ("pods", "requested by its pods"),
        ("free", "not sold"),
    ]  # fmt: skip
    if told.samples:
        keys.append(("idle", f"sold and idle, to be had again at risk {told.risk:g}"))
        keys.append(("used", "peak of what is used"))
    inner = "".join(f'<span><i class="k-{kind}"></i>{words}</span>' for kind, words in keys)
    about = (
        "Each host has two bars, CPU above memory, as wide as what it has; what is sold beyond that sticks out, framed."
    )
    return f'<p class="faint small">{about}</p><div class="key">{inner}</div>'


def _to_scale(told: Told) -> str:
    sizeless = sum(all(line.physical is None for line in one.lines.values()) for one in told.ledger.accounts)
    left = (
        f"<p>How large {sizeless:,} of {len(told.ledger.accounts):,} hosts are, no file tells; they are not drawn.</p>"
    )
    if sizeless == len(told.ledger.accounts):
        return left
    drawn = _legend(told.ledger) + _racks(told.sandwich, told.ledger)
    return drawn + left if sizeless else drawn


def _racks(sandwich: Sandwich, told: LedgerResult) -> str:
    racks: dict[str, list[HostDrawing]] = defaultdict(list)
    accounts = {one.host: one for one in told.accounts}
    drawings = _drawings(sandwich, told, set())
    for key in sorted(drawings)[:MOST_HOSTS]:
        account = accounts[key]
        place = f"rack {account.rack}" if account.rack else "no rack told"
        racks[f"{place}{f', zone {account.zone}' if account.zone else ''}"].append(drawings[key])
    inner = "".join(
        f'<div class="rack"><h3>{escape(name)}</h3>{draw_hosts(hosts)}</div>' for name, hosts in sorted(racks.items())
    )
    left = len(drawings) - MOST_HOSTS
    more = f'<p class="faint small">{left} more hosts are not drawn.</p>' if left > 0 else ""
    return f'<div class="racks">{inner}</div>{more}'


def _drawings(sandwich: Sandwich, told: LedgerResult, moved: set[str]) -> dict[str, HostDrawing]:
    """Host key -> its drawing, of hosts whose size is told."""
    accounts: dict[str, Account] = {one.host: one for one in told.accounts}
    found = {
        key: HostDrawing(
            sandwich.hosts[key].name,
            {name: line.physical for name, line in account.lines.items()},
            used={name: line.peak for name, line in account.lines.items()},
            reclaimable={name: line.reclaimable for name, line in account.lines.items()},
        )
        for key, account in accounts.items()
    }
    requested: dict[int, dict[str, int]] = defaultdict(lambda: {CPU: 0, MEMORY: 0})
    on_metal: dict[str, dict[str, int]] = defaultdict(lambda: {CPU: 0, MEMORY: 0})
    requests = Requests()
    for cluster in sandwich.clusters:
        for pod in sandwich.bound(cluster):
            place = sandwich.place_of(cluster, pod)
            if place is None or place.host is None:
                continue
            here = requested[id(place.server)] if place.server is not None else on_metal[place.host.physical().key]
            used = requests.of(pod).used
            for name in RESOURCES:
                here[name] += used.get(name, 0)
    sizes = {source: server_sizes(cloud) for source, cloud in sandwich.clouds.items()}
    nodes = {id(place.server) for place in sandwich.nodes.values() if place.server is not None}
    for (source, _), server in sorted(sandwich.servers.items(), key=lambda one: (one[1].server.name, one[0])):
        if server.host is None or server.host.physical() is not server.host:
            continue
        cpu, memory = sizes[source](server.server)
        name = f"Server {source}/{server.server.name}"
        sold = {CPU: cpu, MEMORY: memory}
        block = Block(name, id(server) in nodes, sold, dict(requested.get(id(server), {})), name in moved)
        found[server.host.key].blocks.append(block)
    for key, amounts in on_metal.items():
        found[key].blocks.insert(0, Block("pods on the host itself", True, dict(amounts), dict(amounts)))
    return {key: one for key, one in found.items() if any(size is not None for size in one.physical.values())}


def _joins(told: AuditResult) -> str:
    rows = "".join(
        f'<tr><td>{escape(source)}</td><td>{kind}</td><td>{escape(how)}</td><td class="n">{number}</td></tr>'
        for source, kind, how, number in told.joins
    )
    head = '<tr><th>Source</th><th>Kind</th><th>By</th><th class="n">Objects</th></tr>'
    return f'<div class="scroll"><table>{head}{rows}</table></div>'


def _blind(told: AuditResult) -> str:
    items = "".join(
        f"<p>{escape(one.rule)}: {one.objects}, such as {escape(one.example)}</p>" for one in told.not_evaluated
    )
    return f"<h2>What could not be judged</h2>{items}" if items else ""


def _share(part: int, whole: int) -> str:
    return f"{part * 100 // whole} %"


def _word(name: str) -> str:
    return "CPU" if name == CPU else name
