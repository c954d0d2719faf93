"""`-o commands` of drain and consolidate: kubectl commands to paste, quoted and commented. Nothing here is ever run.

Makes text of a result; names come from files, so words are quoted and comments keep to their line.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from binwright.cli.words import count
from binwright.moves import Evacuated, Held, Move
from binwright.stack.commands import command, comment, kubectl, named

__all__ = ["consolidate_commands", "drain_commands"]

PATIENCE = "10m"
EVICT = """\
# evict CONTEXT NAMESPACE POD
evict() {
  printf '{"apiVersion":"policy/v1","kind":"Eviction","metadata":{"namespace":"%s","name":"%s"}}' "$2" "$3" |
    kubectl --context "$1" create --raw "/api/v1/namespaces/$2/pods/$3/eviction" -f -
}"""
DRAIN_NOTE = """\
The scheduler decides by itself, when it comes to it: "only winner" means that no other node scores as high with the
cluster as dumped; where several are equal it takes one by chance. kubectl drain evicts all pods of a node at once and
asks again every five seconds where a disruption budget says no."""
CONSOLIDATE_NOTE = """\
Run it from top to bottom, a round at a time. The scheduler decides by itself, when it comes to it: "only winner" means
that no other node scores as high with the cluster as dumped and the moves above done; where several are equal it takes
one by chance, and what follows may then differ. Each replacement should have its node before the next eviction. An
eviction that a disruption budget refuses changes nothing."""


def drain_commands(drained: Sequence[Evacuated], flags: Sequence[str]) -> str:
    """Cordon all nodes, then drain one after another; `flags` as for `kubectl drain`."""
    lines: list[str] = []
    for source in drained:
        lines += heading(source, f"drains {count(len(source.emptied), 'node')}", DRAIN_NOTE)
        lines += [kubectl(source.source, "cordon", *named(node)) for node in source.emptied]
        for node in source.emptied:
            moves = [move for move in source.moves if move.origin == node]
            lines += ["", comment(f"{node}: {count(len(moves), 'pod')} to evict")]
            lines += [comment(f"  {move.outcome.namespace}/{move.outcome.name} {where(move)}") for move in moves]
            lines += [comment(f"  {pod(one)} is lost: {one.text}") for one in held(source, node, "delete", "unmanaged")]
            refused = held(source, node, "refuse")
            if refused:
                lines += [comment(f"  {refusal(one)}") for one in refused]
                lines.append(comment(f"  not drained: {node} would not become empty"))
            else:
                lines.append(kubectl(source.source, "drain", *flags, *named(node)))
        lines.append("")
    return "".join(f"{line}\n" for line in lines[:-1])


def consolidate_commands(plans: Sequence[Evacuated]) -> str:
    """Cordon the nodes, then evict pod by pod in executable order; between rounds wait for the budgets."""
    lines: list[str] = []
    for source in plans:
        lines += heading(source, f"empties {count(len(source.emptied), 'node')}", CONSOLIDATE_NOTE)
        lines += [kubectl(source.source, "cordon", *named(node)) for node in source.emptied]
        if source.moves:
            lines += ["", EVICT]
        for number, moves in rounds(source.moves):
            lines += ["", comment(f"round {number} of {source.rounds}: {count(len(moves), 'eviction')}")]
            if number > 1:
                lines.append(comment("the replacements of the round before have to be ready"))
                lines += waits(source, moves)
            for move in moves:
                evict = command("evict", source.source, move.outcome.namespace or "default", move.outcome.name)
                lines.append(f"{evict}  {comment(where(move))}")
        if source.emptied:
            lines += ["", comment(f"now without pods but those of daemon sets: {' '.join(source.emptied)}")]
        lines.append("")
    return "".join(f"{line}\n" for line in lines[:-1])


def heading(source: Evacuated, what: str, note: str) -> Iterator[str]:
    """Comment lines before the commands of one cluster."""
    yield comment(
        f"{source.source}: {what}, {count(len(source.moves), 'pod moves', 'pods move')}. "
        "Made by binwright, which ran nothing."
    )
    yield from map(comment, note.splitlines())
    for remark in source.notes:
        yield comment(f"{remark}.")
    yield comment(f"Context {source.source} has to be the cluster that {source.source} is a dump of.")


def rounds(moves: Iterable[Move]) -> Iterator[tuple[int, list[Move]]]:
    """The moves by round, in order."""
    by_round: dict[int, list[Move]] = {}
    for move in moves:
        by_round.setdefault(move.round, []).append(move)
    yield from by_round.items()


def waits(source: Evacuated, moves: Iterable[Move]) -> Iterator[str]:
    """Commands that wait until the budgets of these moves allow again what they allowed at first."""
    used = {move.budget for move in moves}
    for one in source.budgets:
        if one.name in used:
            namespace, _, name = one.name.rpartition("/")
            allowed = f"--for=jsonpath={{.status.disruptionsAllowed}}={one.allowed}"
            yield kubectl(source.source, "wait", "-n", namespace, f"pdb/{name}", allowed, f"--timeout={PATIENCE}")


def held(source: Evacuated, node: str, action: str, reason: str | None = None) -> list[Held]:
    """What is not moved from a node."""
    return [
        one
        for one in source.held
        if one.host == node and one.action == action and (reason is None or one.reason == reason)
    ]


def where(move: Move) -> str:
    """Where the replacement of a pod goes, and whether that is sure."""
    outcome = move.outcome
    if not move.placed:
        return "goes nowhere, it waits" if outcome.host is None else f"comes back to {outcome.host}"
    sure = "only winner" if move.ties == 1 else f"one of {move.ties} equals"
    return f"{move.origin} -> {outcome.host} ({sure})"


def pod(one: Held) -> str:
    """NAMESPACE/NAME."""
    return f"{one.namespace}/{one.name}" if one.namespace else one.name


def refusal(one: Held) -> str:
    """Why a node does not become empty."""
    return f"{one.text}, to be migrated first" if one.kind == "Node" else f"{pod(one)} may not go: {one.text}"
