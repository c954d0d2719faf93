"""The helpers of this process: threads that share the work of one decision at a time, and are gone at its exit."""

import atexit

from libc.stdint cimport int32_t


cdef extern from "binwright/crew.h" nogil:
    ctypedef void (*bw_work)(void* what, int64_t piece) noexcept
    enum:
        BW_MOST_HELPERS
    void bw_share_out(bw_work work, void* what, int64_t pieces, int64_t threads)
    void bw_dismiss()
    int bw_found_crew()
    int64_t bw_helpers()
    int64_t bw_helped()
    void bw_insist(int32_t each)

MOST_THREADS = BW_MOST_HELPERS + 1    # of one decision


cdef void share_out(Work work, void* what, int64_t pieces, int64_t threads) noexcept nogil:
    """Do `work` on each of the pieces 0 .. pieces - 1, in any order, on at most `threads` threads, this one among them.
    All is done on return. Another thread that comes meanwhile does its own work alone.
    """
    bw_share_out(work, what, pieces, threads)


def helpers():
    """How many threads there are beside those of the program."""
    return bw_helpers()


def helped():
    """How many pieces of work they have taken."""
    return bw_helped()


def insist(bint each):
    """Tests: from now on every thread does its own part of all shared work, however long it takes to begin; or not."""
    bw_insist(each)


def dismiss():
    """End all helpers, for good."""
    with nogil:
        bw_dismiss()


cdef found():
    """Before the first helper: those of this process are forgotten by a forked one, and end with the interpreter."""
    if bw_found_crew():
        raise MemoryError("crew")
    atexit.register(dismiss)


found()
