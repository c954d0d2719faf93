"""The bin-centric greedy: patterns, each repeated as often as it goes; several kinds of bins with price and stock."""

cimport cython
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy, memset

cdef double NOTHING = -1e300


@cython.final
cdef class Packer:
    """A packing under way. All arrays int64 and checked by the caller; stock: bins of each kind.

    `Packer(weights (types, resources), counts (types,), capacity (kinds, resources), price (kinds,), stock (kinds,),
    allowed uint8 (kinds, types), value float64 (types,), conflicts uint64 (types, words) | None)`.
    """

    def __cinit__(
        self, const int64_t[:, ::1] weights, const int64_t[::1] counts, const int64_t[:, ::1] capacity,
        const int64_t[::1] price, const int64_t[::1] stock, const unsigned char[:, ::1] allowed,
        const double[::1] value, const uint64_t[:, ::1] conflicts=None,
    ):
        self.weights = self.waiting = self.capacity = self.price = self.stock = NULL
        self.left = self.pattern = self.best = NULL
        self.allowed = NULL
        self.conflicts = self.blocked = NULL
        self.value = self.urgency = self.scale = self.size = NULL
        self.types, self.resources, self.kinds = weights.shape[0], weights.shape[1], capacity.shape[0]
        self.words = 0
        if (counts.shape[0] != self.types or value.shape[0] != self.types or capacity.shape[1] != self.resources
                or price.shape[0] != self.kinds or stock.shape[0] != self.kinds or allowed.shape[0] != self.kinds
                or allowed.shape[1] != self.types or not self.kinds or not self.types or not self.resources):
            raise ValueError("pack: arrays of different lengths")
        self.weights = <int64_t*>calloc(self.types * self.resources, sizeof(int64_t))
        self.waiting = <int64_t*>calloc(self.types, sizeof(int64_t))
        self.pattern = <int64_t*>calloc(self.types, sizeof(int64_t))
        self.best = <int64_t*>calloc(self.types, sizeof(int64_t))
        self.value = <double*>calloc(self.types, sizeof(double))
        self.size = <double*>calloc(self.types, sizeof(double))
        self.capacity = <int64_t*>calloc(self.kinds * self.resources, sizeof(int64_t))
        self.price = <int64_t*>calloc(self.kinds, sizeof(int64_t))
        self.stock = <int64_t*>calloc(self.kinds, sizeof(int64_t))
        self.allowed = <unsigned char*>calloc(self.kinds * self.types, 1)
        self.left = <int64_t*>calloc(self.resources, sizeof(int64_t))
        self.urgency = <double*>calloc(self.resources, sizeof(double))
        self.scale = <double*>calloc(self.resources, sizeof(double))
        if (self.weights == NULL or self.waiting == NULL or self.pattern == NULL or self.best == NULL
                or self.value == NULL or self.size == NULL or self.capacity == NULL or self.price == NULL
                or self.stock == NULL or self.allowed == NULL or self.left == NULL or self.urgency == NULL
                or self.scale == NULL):
            raise MemoryError("pack")
        memcpy(self.weights, &weights[0, 0], self.types * self.resources * sizeof(int64_t))
        memcpy(self.waiting, &counts[0], self.types * sizeof(int64_t))
        memcpy(self.value, &value[0], self.types * sizeof(double))
        memcpy(self.capacity, &capacity[0, 0], self.kinds * self.resources * sizeof(int64_t))
        memcpy(self.price, &price[0], self.kinds * sizeof(int64_t))
        memcpy(self.stock, &stock[0], self.kinds * sizeof(int64_t))
        memcpy(self.allowed, &allowed[0, 0], self.kinds * self.types)
        if conflicts is not None:
            if conflicts.shape[0] != self.types:
                raise ValueError("pack: arrays of different lengths")
            self.words = conflicts.shape[1]
            self.conflicts = <uint64_t*>calloc(self.types * self.words, sizeof(uint64_t))
            self.blocked = <uint64_t*>calloc(self.words, sizeof(uint64_t))
            if self.conflicts == NULL or self.blocked == NULL:
                raise MemoryError("pack")
            memcpy(self.conflicts, &conflicts[0, 0], self.types * self.words * sizeof(uint64_t))

    def __dealloc__(self):
        free(self.weights)
        free(self.waiting)
        free(self.pattern)
        free(self.best)
        free(self.value)
        free(self.size)
        free(self.capacity)
        free(self.price)
        free(self.stock)
        free(self.allowed)
        free(self.left)
        free(self.urgency)
        free(self.scale)
        free(self.conflicts)
        free(self.blocked)

    def step(self, int measure, int64_t[::1] pattern):
        """One pattern, written into `pattern` (types,), and packed as often as it goes: (kind, times).

        (-1, 0) when nothing is left that any bin in stock could take. measure: 0 dot product, 1 nearest, 2 value.
        """
        cdef Py_ssize_t kind, chosen = -1, t
        cdef double score, best = NOTHING
        cdef int64_t times
        if pattern.shape[0] != self.types or not 0 <= measure <= 2:
            raise ValueError("pack: no such measure, or no room for the pattern")
        with nogil:
            self.weigh()
            for kind in range(self.kinds):
                if self.stock[kind] <= 0:
                    continue
                score = self.fill(kind, <Measure>measure)
                if score > 0:
                    score = score / <double>self.price[kind] if self.price[kind] else 1e200 * score
                    if score > best:
                        best = score
                        chosen = kind
                        memcpy(self.best, self.pattern, self.types * sizeof(int64_t))
            if chosen >= 0:
                times = self.stock[chosen]
                for t in range(self.types):
                    if self.best[t] and self.waiting[t] // self.best[t] < times:
                        times = self.waiting[t] // self.best[t]
                for t in range(self.types):
                    self.waiting[t] -= times * self.best[t]
                self.stock[chosen] -= times
        if chosen < 0:
            return -1, 0
        memcpy(&pattern[0], self.best, self.types * sizeof(int64_t))
        return chosen, times

    cdef void weigh(self) noexcept nogil:
        """Urgency of each resource: the share of the largest bin that waiting items ask of it, together."""
        cdef Py_ssize_t t, r, k
        cdef double largest, sum, most = 0
        for r in range(self.resources):
            largest = sum = 0
            for k in range(self.kinds):
                if self.stock[k] > 0 and <double>self.capacity[k * self.resources + r] > largest:
                    largest = <double>self.capacity[k * self.resources + r]
            for t in range(self.types):
                sum += <double>self.waiting[t] * <double>self.weights[t * self.resources + r]
            self.urgency[r] = sum / largest if largest > 0 else 0
            most = max(most, self.urgency[r])
        for r in range(self.resources):
            self.urgency[r] = self.urgency[r] / most if most > 0 else 1.0
        for t in range(self.types):
            self.size[t] = 1e-9
        for r in range(self.resources):
            largest = 0
            for k in range(self.kinds):
                if self.stock[k] > 0 and <double>self.capacity[k * self.resources + r] > largest:
                    largest = <double>self.capacity[k * self.resources + r]
            if largest > 0:
                for t in range(self.types):
                    self.size[t] += self.urgency[r] * <double>self.weights[t * self.resources + r] / largest

    cdef double fill(self, Py_ssize_t kind, Measure measure) noexcept nogil:
        """Fill one bin of a kind into `pattern`; the sum of the sizes packed, 0 when nothing fits."""
        cdef Py_ssize_t r, t, word
        cdef double sum = 0
        memset(self.pattern, 0, self.types * sizeof(int64_t))
        if self.conflicts != NULL:
            memset(self.blocked, 0, self.words * sizeof(uint64_t))
        for r in range(self.resources):
            self.left[r] = self.capacity[kind * self.resources + r]
            self.scale[r] = 1.0 / <double>self.left[r] if self.left[r] else 0
        while True:
            t = self.choose_in(kind, measure)
            if t < 0:
                return sum
            self.pattern[t] += 1
            sum += self.value[t] if measure == VALUE else self.size[t]
            for r in range(self.resources):
                self.left[r] -= self.weights[t * self.resources + r]
            if self.conflicts != NULL:
                for word in range(self.words):
                    self.blocked[word] |= self.conflicts[t * self.words + word]

    cdef Py_ssize_t choose_in(self, Py_ssize_t kind, Measure measure) noexcept nogil:
        """The type that fits what is left with the best score; the first of equals; -1 = none."""
        cdef Py_ssize_t t, r, chosen = -1
        cdef double score, best = NOTHING
        cdef bint fits
        cdef const int64_t* weight
        for t in range(self.types):
            if self.pattern[t] >= self.waiting[t] or not self.allowed[kind * self.types + t]:
                continue
            weight = self.weights + t * self.resources
            fits = True
            for r in range(self.resources):
                if weight[r] > self.left[r]:
                    fits = False
                    break
            if not fits:
                continue
            if self.conflicts != NULL and self.blocked[t // 64] >> (t % 64) & 1:
                continue
            score = self.score(t, measure)
            if score > best:
                best = score
                chosen = t
        return chosen

    cdef inline double score(self, Py_ssize_t type, Measure measure) noexcept nogil:
        cdef const int64_t* weight = self.weights + type * self.resources
        cdef double sum = 0, part
        cdef Py_ssize_t r
        if measure == VALUE:
            return self.value[type] / self.size[type]
        for r in range(self.resources):
            if measure == DOT:
                sum += (self.urgency[r] * <double>weight[r] * self.scale[r] * <double>self.left[r] * self.scale[r])
            else:
                part = <double>(self.left[r] - weight[r]) * self.scale[r]
                sum -= self.urgency[r] * part * part
        return sum
