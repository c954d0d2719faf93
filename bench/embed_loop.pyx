# cython: language_level=3
"""One decision after another through the Cython interface, without the GIL; built and timed by bench.embedding."""

from libc.stdint cimport int64_t

from binwright.api cimport *

import_binwright()


cdef class Loop:
    """A fleet of an embedder's own: a fork of a Python one."""

    cdef bw_fleet* fleet

    def __cinit__(self, fleet):
        cdef bw_fleet* shared = fleet_of(fleet)
        try:
            self.fleet = fork_fleet(shared)
        finally:
            close_fleet(shared)

    def __dealloc__(self):
        close_fleet(self.fleet)

    def run(self, int32_t number, int64_t count):
        """Place `count` items, each in a call of its own; the sum of their hosts."""
        cdef int64_t _, item, total = 0
        with nogil:
            for _ in range(count):
                total += place_one(self.fleet, number, &item)
        return total
