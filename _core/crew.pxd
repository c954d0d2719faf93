# Threads that help a decision over a large fleet: one crew for all fleets of a process. Their work writes to places of
# its own and what it comes to does not depend on who did what, so that the number of threads decides nothing.

from libc.stdint cimport int64_t

ctypedef void (*Work)(void* what, int64_t piece) noexcept nogil

cdef void share_out(Work work, void* what, int64_t pieces, int64_t threads) noexcept nogil
