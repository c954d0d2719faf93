# Scores of resources: shares of one, their mean, evenness of several. Included by kernels.pxi, which see.

cdef inline void add_least(
    const int64_t* capacity, const int64_t* used, int64_t demand, int64_t weight, int64_t* sums, int64_t* weights,
    bint wide,
) noexcept nogil:
    cdef int i
    cdef int64_t free, whole
    for i in range(BW_BLOCK):
        free = capacity[i] - used[i] - demand
        free = free if free > 0 else 0
        whole = capacity[i] if capacity[i] > 0 else 1
        sums[i] += weight * percent(free, whole, wide)
    for i in range(BW_BLOCK):
        weights[i] += weight if capacity[i] > 0 else 0


cdef inline void add_most(
    const int64_t* capacity, const int64_t* used, int64_t demand, int64_t weight, int64_t* sums, int64_t* weights,
    bint wide,
) noexcept nogil:
    cdef int i
    cdef int64_t taken, whole
    for i in range(BW_BLOCK):
        taken = used[i] + demand
        taken = taken if taken < capacity[i] else capacity[i]
        whole = capacity[i] if capacity[i] > 0 else 1
        sums[i] += weight * percent(taken, whole, wide)
    for i in range(BW_BLOCK):
        weights[i] += weight if capacity[i] > 0 else 0


cdef inline void add_ratio(
    const int64_t* capacity, const int64_t* used, int64_t demand, int64_t weight, const int64_t* table,
    int64_t* sums, int64_t* weights, bint wide,
) noexcept nogil:
    # A share of 0 takes its weight out of the mean as well.
    cdef int i
    cdef int64_t taken, whole
    cdef int64_t[BW_BLOCK] share
    for i in range(BW_BLOCK):
        taken = used[i] + demand
        taken = taken if taken < capacity[i] else capacity[i]
        whole = capacity[i] if capacity[i] > 0 else 1
        share[i] = percent(taken, whole, wide)
    for i in range(BW_BLOCK):
        share[i] = table[share[i]]
    for i in range(BW_BLOCK):
        share[i] = share[i] if capacity[i] > 0 else 0
    for i in range(BW_BLOCK):
        sums[i] += weight * share[i]
    for i in range(BW_BLOCK):
        weights[i] += weight if share[i] > 0 else 0


cdef void least_narrow(const int64_t* capacity, const int64_t* used, int64_t demand, int64_t weight,
                       int64_t* sums, int64_t* weights) noexcept nogil:
    add_least(capacity, used, demand, weight, sums, weights, False)


cdef void least_wide(const int64_t* capacity, const int64_t* used, int64_t demand, int64_t weight,
                     int64_t* sums, int64_t* weights) noexcept nogil:
    add_least(capacity, used, demand, weight, sums, weights, True)


cdef void most_narrow(const int64_t* capacity, const int64_t* used, int64_t demand, int64_t weight,
                      int64_t* sums, int64_t* weights) noexcept nogil:
    add_most(capacity, used, demand, weight, sums, weights, False)


cdef void most_wide(const int64_t* capacity, const int64_t* used, int64_t demand, int64_t weight,
                    int64_t* sums, int64_t* weights) noexcept nogil:
    add_most(capacity, used, demand, weight, sums, weights, True)


cdef void ratio_narrow(const int64_t* capacity, const int64_t* used, int64_t demand, int64_t weight,
                       const int64_t* table, int64_t* sums, int64_t* weights) noexcept nogil:
    add_ratio(capacity, used, demand, weight, table, sums, weights, False)


cdef void ratio_wide(const int64_t* capacity, const int64_t* used, int64_t demand, int64_t weight,
                     const int64_t* table, int64_t* sums, int64_t* weights) noexcept nogil:
    add_ratio(capacity, used, demand, weight, table, sums, weights, True)


cdef void mean_floor(const int64_t* sums, const int64_t* weights, int64_t* score) noexcept nogil:
    cdef int i
    cdef int64_t weight
    for i in range(BW_BLOCK):
        weight = weights[i] if weights[i] > 0 else 1
        score[i] = mean_down(sums[i], weight)


cdef void mean_round(const int64_t* sums, const int64_t* weights, int64_t* score) noexcept nogil:
    cdef int i
    cdef int64_t weight
    for i in range(BW_BLOCK):
        weight = weights[i] if weights[i] > 0 else 1
        score[i] = mean_nearest(sums[i], weight)


# ---- evenness of several resources ---------------------------------------------------------------------------

cdef inline void balance_pair(
    const int64_t* const* capacity, const int64_t* const* used, const int64_t* demand, int64_t* score, bint wide,
) noexcept nogil:
    cdef int i
    cdef const int64_t* capacity0 = capacity[0]
    cdef const int64_t* capacity1 = capacity[1]
    cdef const int64_t* used0 = used[0]
    cdef const int64_t* used1 = used[1]
    cdef int64_t demand0 = demand[0], demand1 = demand[1]
    cdef int64_t whole
    cdef double[BW_BLOCK] first
    cdef double[BW_BLOCK] second
    for i in range(BW_BLOCK):
        whole = capacity0[i] if capacity0[i] > 0 else 1
        first[i] = fraction(whole, used0[i], demand0, wide)
    for i in range(BW_BLOCK):
        whole = capacity1[i] if capacity1[i] > 0 else 1
        second[i] = fraction(whole, used1[i], demand1, wide)
    for i in range(BW_BLOCK):
        first[i] = fabs(first[i] - second[i]) / 2
    for i in range(BW_BLOCK):
        score[i] = <int64_t><int32_t>((1.0 - first[i]) * 100.0)
    # A resource without capacity is left out, and one resource alone is even.
    for i in range(BW_BLOCK):
        score[i] = score[i] if capacity0[i] > 0 else 100
    for i in range(BW_BLOCK):
        score[i] = score[i] if capacity1[i] > 0 else 100


cdef void balance_two_narrow(const int64_t* const* capacity, const int64_t* const* used, const int64_t* demand,
                             int64_t* score) noexcept nogil:
    balance_pair(capacity, used, demand, score, False)


cdef void balance_two_wide(const int64_t* const* capacity, const int64_t* const* used, const int64_t* demand,
                           int64_t* score) noexcept nogil:
    balance_pair(capacity, used, demand, score, True)


cdef void balance_any(const int64_t* const* capacity, const int64_t* const* used, const int64_t* demand,
                      int64_t count, int64_t* score) noexcept nogil:
    cdef int i
    cdef int64_t c, present
    cdef double total, mean, spread, share, first, second
    for i in range(BW_BLOCK):
        present = 0
        total = first = second = 0.0
        for c in range(count):
            if capacity[c][i] <= 0:
                continue
            share = fraction(capacity[c][i], used[c][i], demand[c], True)
            total += share
            if present == 0:
                first = share
            elif present == 1:
                second = share
            present += 1
        spread = 0.0
        if present == 2:
            spread = fabs(first - second) / 2
        elif present > 2:
            mean = total / present
            for c in range(count):
                if capacity[c][i] > 0:
                    share = fraction(capacity[c][i], used[c][i], demand[c], True)
                    spread += (share - mean) * (share - mean)
            spread = sqrt(spread / present)
        score[i] = <int64_t>((1.0 - spread) * 100.0)
