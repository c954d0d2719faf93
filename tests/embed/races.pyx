# cython: language_level=3
"""Loops over one fleet without the GIL, for threads that meet; built with the thread sanitizer by .ci/tsan."""

from libc.stdint cimport int32_t, int64_t

from binwright.api cimport *

import_binwright()


cdef class Own:
    """A fleet of an embedder's own: a fork of what is behind a Python fleet."""

    cdef bw_fleet* fleet

    def __cinit__(self, fleet):
        cdef bw_fleet* shared = fleet_of(fleet)
        try:
            self.fleet = fork_fleet(shared)
        finally:
            close_fleet(shared)

    def __dealloc__(self):
        close_fleet(self.fleet)

    def churn(self, int32_t number, int64_t rounds):
        """Place and release, with a rollback now and then. Returns (rounds done, rounds refused as busy)."""
        cdef int64_t i, host, done = 0, busy = 0
        cdef int64_t items[3]
        cdef bw_token token
        cdef int status
        with nogil:
            for i in range(rounds):
                status = bw_table.place(self.fleet, number, 1, &host, NULL, items, NULL)
                if status == 0 and host >= 0:
                    status = bw_table.release(self.fleet, items, 1)
                if status == 0 and i % 64 == 0:
                    status = bw_table.checkpoint(self.fleet, &token)
                    if status == 0:
                        bw_table.place(self.fleet, number, 1, &host, NULL, NULL, NULL)
                        status = bw_table.rollback(self.fleet, &token)
                done += status == 0
                busy += status != 0
        return done, busy

    def look(self, int32_t counter, int64_t rounds):
        """Read a counter through the interface: (rounds answered, rounds refused as busy)."""
        cdef int64_t i, value, done = 0
        with nogil:
            for i in range(rounds):
                done += bw_table.counter_value(self.fleet, counter, i % 7, &value) == 0
        return done, rounds - done

    def peek(self, int64_t rounds):
        """The planted race: read borrowed columns while another thread may place. The sum of what was seen."""
        cdef bw_columns columns
        cdef int64_t i, total = 0
        look_at(self.fleet, &columns)
        with nogil:
            for i in range(rounds):
                total += columns.used[i % columns.hosts]
        return total
