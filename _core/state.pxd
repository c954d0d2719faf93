# The state of one fleet: its registered ideas, and what works on all of them at once.

cimport cython
from libc.stdint cimport int64_t

from binwright._core.devices cimport Forest
from binwright._core.budgets cimport Budgets
from binwright._core.counters cimport Counters
from binwright._core.domain_terms cimport DomainTerms
from binwright._core.domains cimport Domains
from binwright._core.externals cimport Externals
from binwright._core.fleet cimport Fleet
from binwright._core.float_scores cimport FloatScores
from binwright._core.indexes cimport Indexes
from binwright._core.items cimport Items
from binwright._core.journal cimport Journal
from binwright._core.overlays cimport Overlays
from binwright._core.pools cimport Pools
from binwright._core.request cimport Classes
from binwright._core.scan cimport Scan
from binwright._core.search cimport Search
from binwright._core.terms cimport Terms
from binwright._core.windows cimport Window


@cython.final
cdef class State:
    cdef readonly Journal journal
    cdef readonly Fleet fleet
    cdef readonly Classes classes
    cdef readonly Counters counters
    cdef readonly Items items
    cdef readonly Domains domains
    cdef readonly Forest forest
    cdef readonly Search search
    cdef readonly DomainTerms domain_terms
    cdef readonly Pools pools
    cdef readonly Overlays overlays
    cdef readonly Budgets budgets
    cdef readonly Externals externals
    cdef readonly Window window
    cdef readonly FloatScores floats
    cdef readonly Terms terms
    cdef readonly Scan scan
    cdef readonly Indexes indexes
    cdef tuple rules           # (cordon position, fit position, resolvable bits, always resolvable bits, rows position)
    cdef int64_t writer        # the thread that is in the middle of a change, 0 = none
    cdef int within            # how deep: a change may consist of others
    cdef list tokens           # numbers of the open checkpoints

    cdef int enter(self) except -1
    cdef int begin_batch(self) except -1
    cdef void end_batch(self) noexcept
    cdef bint is_at(self, int64_t position, int64_t serial) noexcept
    cdef int check_newest(self, str where, tuple token) except -1
