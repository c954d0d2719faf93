"""Scores and normalisers in plain Python: one host, one number, in the order of operations of the specification.

Touches numbers only. Must never know a fleet, a request object or numpy.
Source: kubernetes spec 2.1 (default normalize), 4 (NodeResourcesFit, NodeResourcesBalancedAllocation, InterPodAffinity
for min-max). "/" on integers truncates toward zero; floats are binary64; no fused multiply-add.
"""

import itertools
import math

MAX_SCORE = 100


def divide(a: int, b: int) -> int:
    """Integer division that truncates toward zero."""
    quotient = abs(a) // abs(b)
    return quotient if (a < 0) == (b < 0) else -quotient


def round_half_away(x: float) -> int:
    """Nearest integer, halves away from zero."""
    whole = math.trunc(x)
    if abs(x - whole) >= 0.5:
        whole += 1 if x > 0 else -1
    return whole


def least_part(capacity: int, request: int) -> int:
    """Score 0..100 of one resource, emptier is better."""
    if request > capacity:
        return 0
    return divide((capacity - request) * MAX_SCORE, capacity)


def most_part(capacity: int, request: int) -> int:
    """Score 0..100 of one resource, fuller is better."""
    return divide(min(request, capacity) * MAX_SCORE, capacity)


def ratio_part(capacity: int, request: int, shape: list[tuple[int, int]]) -> int:
    """Score of one resource on the broken line through (utilization 0..100, score 0..10)."""
    utilization = MAX_SCORE if request > capacity else divide(request * MAX_SCORE, capacity)
    points = [(x, y * 10) for x, y in shape]
    if utilization <= points[0][0]:
        return points[0][1]
    for (x0, y0), (x1, y1) in itertools.pairwise(points):
        if utilization <= x1:
            return y0 + divide((y1 - y0) * (utilization - x0), x1 - x0)
    return points[-1][1]


def weighted_mean(parts: list[tuple[int, int]]) -> int:
    """Truncated mean of (score, weight); 0 without any."""
    weights = sum(weight for _, weight in parts)
    if weights == 0:
        return 0
    return divide(sum(score * weight for score, weight in parts), weights)


def ratio_mean(parts: list[tuple[int, int]]) -> int:
    """Rounded mean of the (score, weight) whose score is above 0; 0 without any."""
    parts = [(score, weight) for score, weight in parts if score > 0]
    if not parts:
        return 0
    return round_half_away(float(sum(score * weight for score, weight in parts)) / float(sum(w for _, w in parts)))


def balanced(pairs: list[tuple[int, int]]) -> int:
    """Score 0..100 of (capacity, request) pairs in resource order: the more equal the fractions, the better."""
    fractions = [min(float(request) / float(capacity), 1.0) for capacity, request in pairs]
    if len(fractions) == 2:
        deviation = abs((fractions[0] - fractions[1]) / 2.0)
    elif len(fractions) > 2:
        total = 0.0
        for fraction in fractions:
            total += fraction
        mean = total / float(len(fractions))
        squares = 0.0
        for fraction in fractions:
            squares += (fraction - mean) * (fraction - mean)
        deviation = math.sqrt(squares / float(len(fractions)))
    else:
        deviation = 0.0
    return math.trunc((1.0 - deviation) * 100.0)


def normalise(raw: list[int], kind: str | None) -> list[int]:
    """Raw scores of the feasible hosts -> normalised ones. kind: None, "max", "reverse" or "minmax"."""
    if kind is None or not raw:
        return list(raw)
    high, low = max(raw), min(raw)
    if kind == "minmax":
        if high == low:
            return [0] * len(raw)
        return [math.trunc(100.0 * (float(value - low) / float(high - low))) for value in raw]
    if high == 0:
        return [MAX_SCORE if kind == "reverse" else 0] * len(raw)
    scaled = [divide(MAX_SCORE * value, high) for value in raw]
    if kind == "reverse":
        return [MAX_SCORE - value for value in scaled]
    return scaled
