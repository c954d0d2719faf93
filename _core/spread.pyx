"""Scores over counters and domains. Written for whole fleets: one call fills a column for one decision.

`exact_log` is the natural logarithm by FreeBSD's e_log.c algorithm (argument reduction to [sqrt(1/2), sqrt(2)), a
polynomial of seven coefficients in s = f / (2 + f)), so that scores do not depend on the platform's libm.
"""

from libc.math cimport frexp
from libc.stdint cimport INT64_MAX
from libc.string cimport memset

from binwright._core.domain_terms cimport HOST, MAX_SPREAD_REFS, Ref, SoftTerm
from binwright._core.leaves cimport rounded

cdef int64_t LARGEST_RAW = (<int64_t>1) << 61  # the difference of two raw scores stays inside int64


cpdef double exact_log(double x) noexcept nogil:
    """ln(x) of a finite x > 0."""
    cdef int exponent
    cdef double f1 = frexp(x, &exponent)
    cdef double f, s, s2, s4, t1, t2, hfsq, k
    if f1 < 0.7071067811865476:
        f1 *= 2
        exponent -= 1
    f = f1 - 1
    k = <double>exponent
    s = f / (2 + f)
    s2 = s * s
    s4 = s2 * s2
    t1 = s2 * (6.666666666666735130e-01 + s4 * (2.857142874366239149e-01 + s4 * (
        1.818357216161805012e-01 + s4 * 1.479819860511658591e-01)))
    t2 = s4 * (3.999999999940941908e-01 + s4 * (2.222219843214978396e-01 + s4 * 1.531383769920937332e-01))
    hfsq = 0.5 * f * f
    return k * 6.93147180369123816490e-01 - (
        (hfsq - (s * (hfsq + (t1 + t2)) + k * 1.90821492927058770002e-10)) - f
    )


cdef int64_t most_counted(const SoftTerm* mine, const Ref* ref) noexcept nogil:
    """A count that would take the sum of its term past 2^61 with its weight, were all refs like it, counts as this."""
    if ref.weight == 0:
        return LARGEST_RAW
    return LARGEST_RAW // mine.refs // (ref.weight if ref.weight > 0 else -ref.weight)


cdef void count_scores(DomainTerms terms, int32_t number, int32_t slot, int64_t* raw) noexcept nogil:
    """raw[h] = sum of weight * count in the host's domain, at most `most_counted`, over the refs; after prepare()."""
    cdef const SoftTerm* mine = terms.soft_term(number, slot)
    cdef const Ref* refs = terms.classes[number].refs
    cdef Py_ssize_t host
    cdef int32_t r
    cdef int64_t most, count
    memset(raw, 0, terms.fleet.stride * sizeof(int64_t))
    if mine == NULL:
        return
    for r in range(mine.first, mine.first + mine.refs):
        if refs[r].weight == 0 or terms.counters.counters[refs[r].counter].total == 0:
            continue
        most = most_counted(mine, refs + r)
        for host in range(terms.fleet.hosts):
            count = terms.value(number, r, host)
            raw[host] += refs[r].weight * (count if count < most else most)


cdef bint ignored(DomainTerms terms, int32_t number, const SoftTerm* mine, Py_ssize_t host) noexcept nogil:
    """A host without one of the keys, where all are required, takes no part in this score."""
    cdef int32_t r
    if mine.require_all:
        for r in range(mine.first, mine.first + mine.refs):
            if terms.domain(terms.classes[number].refs[r].key, host) < 0:
                return True
    return False


cdef double domain_weight(
    DomainTerms terms, int32_t number, const SoftTerm* mine, int32_t r, const int64_t* verdict
) noexcept nogil:
    """ln(size + 2), size = domains that feasible hosts lie in (or the feasible hosts themselves)."""
    cdef const Ref* ref = terms.classes[number].refs + r
    cdef Py_ssize_t host, size = 0
    cdef int32_t domain
    cdef bint by_host = ref.per_host or ref.key == HOST
    if not by_host:
        memset(terms.present, 0, (terms.domains.domain_count(ref.key) + 1) * sizeof(int64_t))
    for host in range(terms.fleet.hosts):
        if verdict[host] < 0 or ignored(terms, number, mine, host):
            continue
        if by_host:
            size += 1
            continue
        domain = terms.domain(ref.key, host)
        if terms.present[domain + 1] == 0:
            terms.present[domain + 1] = 1
            size += 1
    return exact_log(<double>(size + 2))


cdef void spread_scores(
    DomainTerms terms, int32_t number, int32_t slot, const int64_t* verdict, int64_t* raw, int64_t* score
) noexcept nogil:
    """Raw and normalised spread score of the hosts with an open verdict; after prepare().

    raw = round(sum over constraints whose key the host has of count * weight + (max skew - 1)), added up in float64
    in constraint order. score = 100 * (max + min - raw) / max over the hosts that are not ignored; those get 0.
    """
    cdef const SoftTerm* mine = terms.soft_term(number, slot)
    cdef const Ref* refs = terms.classes[number].refs
    cdef Py_ssize_t host
    cdef int32_t r, domain
    cdef int64_t low = INT64_MAX, high = 0, count
    cdef double[MAX_SPREAD_REFS] weights
    cdef double total
    memset(raw, 0, terms.fleet.stride * sizeof(int64_t))
    memset(score, 0, terms.fleet.stride * sizeof(int64_t))
    if mine == NULL:
        return
    for r in range(mine.refs):
        weights[r] = domain_weight(terms, number, mine, mine.first + r, verdict)
    for host in range(terms.fleet.hosts):
        if verdict[host] < 0 or ignored(terms, number, mine, host):
            continue
        total = 0.0
        for r in range(mine.refs):
            domain = terms.domain(refs[mine.first + r].key, host)
            if domain < 0:
                continue
            if refs[mine.first + r].per_host:
                count = terms.counters.cell(refs[mine.first + r].counter, host)
            else:
                count = terms.value(number, mine.first + r, host)
            total += <double>count * weights[r] + <double>(refs[mine.first + r].max_skew - 1)
        raw[host] = rounded(total)
        low = min(low, raw[host])
        high = max(high, raw[host])
    for host in range(terms.fleet.hosts):
        if verdict[host] < 0 or ignored(terms, number, mine, host):
            continue
        score[host] = 100 if high == 0 else 100 * (high + low - raw[host]) // high
