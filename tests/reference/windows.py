"""The window of the reference fleet: which hosts a decision asks when it does not ask all.

Touches numbers only. Must never know numpy or anything of binwright.
Source: kubernetes spec 1 (sampling), 8.8.
"""


def look(order: list[int], stop: int, cursor: int, feasible: set[int]) -> tuple[set[int], int]:
    """(hosts asked, where the next decision begins): in `order` from `cursor` on, wrapping, until `stop` feasible hosts
    are found; the next feasible one ends the look and is not asked.
    """
    asked: list[int] = []
    for i in range(len(order)):
        host = order[(cursor + i) % len(order)]
        if host in feasible and len(feasible & set(asked)) == stop:
            break
        asked.append(host)
    return set(asked), (cursor + len(asked)) % len(order) if order else cursor
