# cython: language_level=3
"""A scheduler of its own on binwright's Cython interface: no Python object and no GIL between two decisions."""

from libc.stdint cimport int64_t
from libc.stdlib cimport free, malloc

from binwright.api cimport *

import_binwright()


cdef class Scheduler:
    """Places equal jobs on hosts of one size; at most `most` of them on a host."""

    cdef bw_fleet* fleet
    cdef int32_t job
    cdef int32_t jobs_here     # counter: jobs on each host

    def __cinit__(self, int64_t hosts, int64_t cores, int64_t gigabytes, int64_t most):
        cdef bw_fleet_spec spec = fleet_spec()
        cdef const char** names = [b"cpu", b"memory"]
        cdef int64_t* column = <int64_t*>malloc(2 * hosts * sizeof(int64_t))
        cdef const int64_t** capacity = [column, column + hosts]
        cdef int64_t* demand = [2, 4]
        cdef int64_t one = 1, host
        cdef bw_class asked = class_spec(demand)
        cdef bw_limit limit
        if column == NULL:
            raise MemoryError()
        spec.resource_count, spec.resources = 2, names
        for host in range(hosts):
            column[host], column[hosts + host] = cores, gigabytes
        try:
            self.fleet = new_fleet(&spec)
            add_hosts(self.fleet, hosts, capacity, NULL)
        finally:
            free(column)
        self.jobs_here = new_counter(self.fleet, False)
        limit.rule = limit.key = NULL
        limit.counter, limit.most, limit.own = self.jobs_here, most, 1
        asked.counter_count, asked.counters, asked.amounts = 1, &self.jobs_here, &one
        asked.limit_count, asked.limits = 1, &limit
        self.job = new_class(self.fleet, &asked)

    def __dealloc__(self):
        close_fleet(self.fleet)

    def fill(self):
        """Place jobs until no host takes one more; how many there are."""
        cdef int64_t item, placed = 0
        with nogil:
            while place_one(self.fleet, self.job, &item) >= 0:
                placed += 1
        return placed

    def would_fit(self):
        """The same, and then as if nothing had been."""
        cdef bw_token token
        checkpoint(self.fleet, &token)
        placed = self.fill()
        rollback(self.fleet, &token)
        return placed

    def on(self, int64_t host):
        """Jobs on a host."""
        return counter_value(self.fleet, self.jobs_here, host)

    def __repr__(self):
        return repr(python_fleet(self.fleet))
