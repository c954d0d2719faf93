"""`pack`: form, bounds, constructive packings, column generation where there is a solver; then all is checked."""

from __future__ import annotations

import time
from typing import Any

from binwright.errors import InputError, MissingExtraError
from binwright.packing.bounds import best_bound, nothing
from binwright.packing.certificate import Certificate, for_problem, widest
from binwright.packing.check import CheckFailed, TooHard, check_certificate, check_packing
from binwright.packing.correct import Correction
from binwright.packing.expand import expand
from binwright.packing.form import make_form
from binwright.packing.greedy import best_greedy
from binwright.packing.pricer import Pricing
from binwright.packing.problem import Problem, read
from binwright.packing.remains import check_cases
from binwright.packing.result import PackResult
from binwright.packing.search import Clock, Progress, Search
from binwright.packing.state import State

DEFAULT_SECONDS = 60.0
TURNS = 4  # of value correction
SOLVED = ("column-generation", "cuts")  # certificates that can be hard to check


def pack(
    items: Any,
    bins: Any,
    *,
    time_limit: float | None = None,
    iterations: int | None = None,
    progress: Progress | None = None,
    clock: Clock = time.perf_counter,
) -> PackResult:
    """Pack items into few or cheap bins, and prove how few or how cheap it can be.

    `items`: `Items`, or integers (n,) or (n, resources), one row an item; `bins`: `Bins`, or the capacity of one kind,
    an integer or (resources,). `time_limit` in seconds of wall clock (default 60; not reproducible) or `iterations`
    of column generation (reproducible); 0 iterations: constructive packings and bounds only. `progress(Moment)` is
    called whenever value or bound improve. Items that fit no bin make the result "infeasible" and are named.
    Raises InputError for what is no problem at all.
    """
    problem = read(items, bins)
    refuse_limits(time_limit, iterations)
    if time_limit is None and iterations is None:
        time_limit = DEFAULT_SECONDS
    start = clock()
    form = make_form(problem)
    search = Search(form, time_limit, iterations, progress, clock, start)
    search.checker = lambda certificate: passes(problem, search, certificate)
    if form.homeless:
        result = PackResult(problem, "infeasible", [], None, 0, for_problem(nothing(form), form, problem))
        result.unpacked = form.homeless
    else:
        if form.types:
            run(search, problem)
        else:
            search.found(0, [])
            search.proved(nothing(form))
        result = checked(problem, search)
    result.history, result.iterations, result.seconds = search.history, search.iterations, search.seconds
    result.notes = search.notes
    return result


def refuse_limits(time_limit: float | None, iterations: int | None) -> None:
    """InputError for limits that are none."""
    if time_limit is not None and (isinstance(time_limit, bool) or not 0 <= float(time_limit) < 1e9):
        raise InputError(f"time_limit: {time_limit!r} is not a number of seconds")
    if iterations is not None and (isinstance(iterations, bool) or not isinstance(iterations, int) or iterations < 0):
        raise InputError(f"iterations: {iterations!r} is not a number of iterations")


def run(search: Search, problem: Problem) -> None:
    """Every way to a packing and a bound, the cheap ones first, until they meet or the limits end it."""
    search.proved(best_bound(search.form, lambda: search.left <= 0))
    greedy = best_greedy(search.form, search.bound, lambda: search.left)
    if greedy is not None:
        search.found(*greedy)
    if search.over:
        return
    pricing = Pricing(search.form)
    correction = Correction(search, pricing)
    correction.run(State(search.form, search.form.counts, search.form.stock, []), TURNS)
    if search.over:
        return
    try:
        from binwright.packing import exact
    except MissingExtraError as missing:
        search.notes.append(f"no column generation: {missing}")
        return
    exact.run(search, problem, pricing, correction)


def passes(problem: Problem, search: Search, certificate: Certificate) -> bool:
    """Whether the checker accepts a certificate within the time; what it cannot decide gets a note.

    Raises CheckFailed where it finds it wrong.
    """
    form = search.form
    bound = certificate.bound(form.counts.tolist(), form.stock.tolist())
    solved = certificate.kind in SOLVED
    try:
        if solved and search.ended:
            raise TooHard
        proof = for_problem(widest(certificate, form), form, problem)
        if check_certificate(problem, proof, (lambda: search.ended) if solved else None) != bound:
            raise CheckFailed(f"certificate: does not prove {bound}")
    except TooHard:
        why = "no time was left to check it" if search.ended else "its certificate is too hard to check"
        search.notes.append(f"a bound of {bound} is not claimed: {why}")
        return False
    return True


def checked(problem: Problem, search: Search) -> PackResult:
    """The result, after packing and certificate passed the checker; certificates it cannot decide are passed over."""
    patterns = [] if search.packing is None else expand(search.form, search.packing)
    cost = None if search.packing is None else check_packing(problem, patterns)
    if cost != search.cost:
        raise CheckFailed(f"packing: costs {cost}, not {search.cost}")
    for claimed, certificate in sorted(search.certificates, key=lambda pair: -pair[0]):
        if certificate in search.passed or passes(problem, search, certificate):
            bound, proof = claimed, for_problem(widest(certificate, search.form), search.form, problem)
            break
    else:
        bound, proof = 0, for_problem(nothing(search.form), search.form, problem)
    case = None
    if search.cases is not None and search.cases[0] > bound:
        try:
            bound_by_cases, case_tree = search.cases
            check_cases(problem, case_tree, bound_by_cases, search.verified, lambda: search.ended)
            bound, case = search.cases
        except TooHard:
            search.notes.append(f"a bound of {search.cases[0]} is not claimed: its proof by cases is too hard to check")
    if cost is not None:
        status = "optimal" if bound == cost else "feasible"
    else:
        most = [problem.stock_of(kind) for kind in range(problem.kinds)]
        dearest = None
        if None not in most:
            dearest = sum(count * int(price) for count, price in zip(most, problem.bins.prices) if count)
        status = "infeasible" if dearest is not None and bound > dearest else "unknown"
    return PackResult(problem, status, patterns, cost, bound, proof, case)
