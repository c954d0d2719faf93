# Knapsack pricing: the pattern of largest value that one bin can hold, and a proof of how large a value can be.
#
# A pattern is how many items of each type share a bin. Prices are integers of at most 2^40, so every sum of them is
# below 2^53 and a double holds it exactly; the tables are doubles because their maximum vectorises everywhere.
#
# Candidates of one call: types with a price, a limit and a fit, sorted by price per surrogate weight. Table k of
# candidate j tells, per whole cell of resource k that is left, the largest value that candidates j.. can still add
# when only resource k counts; weights are rounded down to cells, so it is never too small. Table 0 is the surrogate
# resource: the sum of all resources weighted by integer multipliers. Candidates with a negative weight, which makes
# room, come first; while they do, the bin may be overfull by what others of them can still make. In the tables they
# weigh nothing, and the tables reach as far as all that room.
#
# A cut is a set of types; every second item of it in a bin costs its fine. The tables know nothing of fines, so they
# are never too small; candidates in cuts come before the others, and behind them the tables tell the whole truth.

from libc.stdint cimport int32_t, int64_t, uint64_t


cdef struct Candidate:
    int64_t price
    int64_t surrogate       # weight in the surrogate resource
    int64_t most            # copies that fit an empty bin, at most the limit
    double efficiency       # price per surrogate share of the bin
    int32_t type            # number of the type
    int32_t cuts            # in how many cuts it is, for the order


cdef struct Grid:
    # How one table divides its resource into cells.
    int32_t resource        # -1 = the surrogate
    int64_t capacity        # of the bin in this resource, with `made`
    int64_t made            # room that negative weights could make, all together
    int32_t cells           # the whole bin has this many
    double per_unit         # cells a unit
    double* table           # (candidates + 1, cells + 1); row `candidates` is 0


cdef class Pricer:
    cdef readonly Py_ssize_t types
    cdef readonly Py_ssize_t resources
    cdef Py_ssize_t words           # of 64 bits a row of `conflicts`
    cdef int64_t* weights           # (types, resources)
    cdef int64_t* limits            # (types,) copies a bin may hold; 0 = not in this bin
    cdef int64_t* capacity          # (resources,)
    cdef uint64_t* conflicts        # (types, words): bit = type that may not share a bin; NULL = none
    cdef int64_t* made              # (resources,) room that all negative weights make together
    cdef double* shares             # (types, resources): weight / capacity
    cdef double* lambdas            # (resources,) multipliers of the surrogate, kept from call to call
    cdef Py_ssize_t cuts
    cdef int64_t* fines             # (cuts,)
    cdef int64_t* held              # (cuts,) items of each cut in the bin
    cdef int32_t* cut_starts        # (types + 1,): cuts of type t are cut_list[cut_starts[t] : cut_starts[t + 1]]
    cdef int32_t* cut_list
    # scratch of one call; candidates and tables stay for `again`
    cdef Candidate* candidates      # (types,)
    cdef Py_ssize_t count           # candidates
    cdef Py_ssize_t makers          # the first so many of them make room in some resource
    cdef int64_t* packed            # (types, resources): weights in the order of the candidates
    cdef uint64_t* blocked          # (types + 1 as used, words): conflicts of what the bin holds, per depth
    cdef int64_t* left              # (resources + 1,): the surrogate first
    cdef int64_t* taken             # (types,) copies in the bin, per candidate
    cdef int32_t* stack             # (depth,) candidates in the bin
    cdef Py_ssize_t depth_room
    cdef Grid* grids                # (resources + 1,)
    cdef int grid_count
    cdef double* cells              # all tables
    cdef Py_ssize_t cell_room
    cdef double* spare              # one row
    cdef Py_ssize_t spare_room

    cdef int refuse(self, const int64_t[::1] limits, const int64_t[:, ::1] found) except -1
    cdef Py_ssize_t ordered(self, int64_t[:, ::1] found, int64_t improvements) except -1
    cdef int gather(self, const int64_t* prices, const int64_t* limits) except -1 nogil
    cdef bint makes_room(self, Py_ssize_t type) noexcept nogil
    cdef double fit_multipliers(self) noexcept nogil
    cdef int make_tables(self) except -1 nogil
    cdef Py_ssize_t next_resource(self, Py_ssize_t rank) noexcept nogil
    cdef void fill_table(self, Grid* grid) noexcept nogil
    cdef double bound(self, Py_ssize_t j) noexcept nogil
    cdef bint fits(self, Py_ssize_t j, Py_ssize_t level) noexcept nogil
    cdef bint within(self) noexcept nogil
    cdef int64_t move(self, Py_ssize_t j, int64_t sign) noexcept nogil
    cdef int64_t search(
        self, int64_t floor, int64_t steps, int64_t* found, Py_ssize_t most, int64_t* report,
    ) except -1 nogil
