"""The few arithmetic leaves that the rules share: Go's integer and float conventions written out.

Knows numbers only; never pods, nodes or plugins.  All float work is IEEE binary64 in the order written
(kubernetes spec, preamble).
"""

import math

MAX_NODE_SCORE = 100

_SQRT_HALF = 7.07106781186547524401e-01
_LN2_HIGH = 6.93147180369123816490e-01
_LN2_LOW = 1.90821492927058770002e-10
_LOG_COEFFICIENTS = (
    6.666666666666735130e-01,
    3.999999999940941908e-01,
    2.857142874366239149e-01,
    2.222219843214978396e-01,
    1.818357216161805012e-01,
    1.531383769920937332e-01,
    1.479819860511658591e-01,
)


def divide_truncating(numerator: int, denominator: int) -> int:
    """Integer division toward zero (spec preamble); Python's ``//`` rounds toward minus infinity."""
    quotient = abs(numerator) // abs(denominator)
    return quotient if (numerator < 0) == (denominator < 0) else -quotient


def round_half_away(value: float) -> int:
    """``round()`` of the spec preamble: half away from zero, not half to even."""
    whole = math.trunc(value)
    if abs(value - whole) >= 0.5:
        whole += 1 if value > 0 else -1
    return whole


def natural_log(value: float) -> float:
    """The logarithm of spec 4 (PodTopologySpread, *Logarithm*): the fdlibm algorithm, bit for bit Go's math.Log.

    For finite ``value`` > 0 only.
    """
    mantissa, exponent = math.frexp(value)
    if mantissa < _SQRT_HALF:
        mantissa *= 2
        exponent -= 1
    f = mantissa - 1
    k = float(exponent)
    l1, l2, l3, l4, l5, l6, l7 = _LOG_COEFFICIENTS
    s = f / (2 + f)
    s2 = s * s
    s4 = s2 * s2
    t1 = s2 * (l1 + s4 * (l3 + s4 * (l5 + s4 * l7)))
    t2 = s4 * (l2 + s4 * (l4 + s4 * l6))
    remainder = t1 + t2
    half_square = 0.5 * f * f
    return k * _LN2_HIGH - ((half_square - (s * (half_square + remainder) + k * _LN2_LOW)) - f)


def default_normalize(raw: list[int], reverse: bool) -> list[int]:
    """*Default normalize(reverse)* of spec 2.1, over the feasible nodes."""
    highest = max(raw, default=0)
    if highest == 0:
        return [MAX_NODE_SCORE] * len(raw) if reverse else list(raw)
    scaled = [divide_truncating(MAX_NODE_SCORE * score, highest) for score in raw]
    return [MAX_NODE_SCORE - score for score in scaled] if reverse else scaled
