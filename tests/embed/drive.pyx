# cython: language_level=3
"""Fleets as Python sees them, over the Cython functions (`Facade`) or the bare C table (`Table`); for the tests."""

from cpython.object cimport PyObject
from posix.time cimport CLOCK_MONOTONIC, clock_gettime, timespec
from libc.stdint cimport int32_t, int64_t, uint8_t
from libc.stdlib cimport free, malloc
from libc.string cimport memset

from binwright.api cimport *

import_binwright()


cdef double clock() noexcept nogil:
    cdef timespec now
    clock_gettime(CLOCK_MONOTONIC, &now)
    return now.tv_sec + now.tv_nsec * 1e-9


cdef int answer_7(void* data, const bw_question* question, int32_t* reasons) noexcept nogil:
    return 7


cdef int answer_minus_5(void* data, const bw_question* question, int32_t* reasons) noexcept nogil:
    reasons[1] = -5
    return 0


cdef int score_minus_1(void* data, const bw_question* question, int64_t* scores) noexcept nogil:
    scores[2] = -1
    return 0


def term(str kind):
    """An external term that does something wrong."""
    cdef bw_term made = term_spec(NULL)
    cdef bytes name = kind.encode()
    made.name = name
    if kind in ("fails", "reason"):
        made.rule = b"own"
        made.rejected = answer_7 if kind == "fails" else answer_minus_5
    elif kind == "score":
        made.score = b"own score"
        made.scores = score_minus_1
    else:
        made.rule = b"own"
    return new_external(&made)


class Refused(Exception):
    """(status, text) of a call of the table."""


cdef class Numbers:
    """An int64 array of C, from a list or empty."""

    cdef int64_t* cells
    cdef Py_ssize_t count

    def __cinit__(self, count, values=None):
        self.count = count
        self.cells = <int64_t*>malloc(max(count, 1) * sizeof(int64_t))
        for i, value in enumerate(values or ()):
            self.cells[i] = value

    def __dealloc__(self):
        free(self.cells)

    def list(self):
        return [self.cells[i] for i in range(self.count)]


cdef Numbers numbers(values):
    values = list(values)
    return Numbers(len(values), values)


cdef class Side:
    cdef bw_fleet* fleet
    cdef bint bare            # calls go to the table, not to the Cython functions
    cdef readonly object resources

    def __dealloc__(self):
        if self.fleet != NULL:
            bw_table.fleet_free(self.fleet)

    cdef int check(self, int status) except -1:
        if status:
            raise Refused(status, (<bytes>bw_table.error_text(self.fleet, status)).decode())
        return 0

    @staticmethod
    def made(bint bare, resources, rules, scores):
        """scores: (kind, normaliser, weight, name)."""
        cdef Side side = Side()
        cdef bw_fleet_spec spec = fleet_spec()
        cdef const char* names[8]
        cdef const char* rule_names[8]
        cdef bw_score terms[8]
        side.bare, side.resources = bare, list(resources)
        kept = [[name.encode() for name in group] for group in (resources, rules, [score[3] for score in scores])]
        for i, name in enumerate(kept[0]):
            names[i] = <bytes>name
        for i, name in enumerate(kept[1]):
            rule_names[i] = <bytes>name
        for i, (kind, normaliser, weight, _) in enumerate(scores):
            terms[i].kind, terms[i].normalise, terms[i].weight = kind, normaliser, weight
            terms[i].name = <bytes>kept[2][i]
        spec.resource_count, spec.resources = len(kept[0]), names
        spec.rule_count, spec.rules = len(kept[1]), rule_names
        spec.score_count, spec.scores = len(kept[2]), terms
        if bare:
            side.check(bw_table.fleet_new(&spec, &side.fleet))
        else:
            side.fleet = new_fleet(&spec)
        return side

    @staticmethod
    def of(bint bare, fleet):
        """The fleet behind a Python one."""
        cdef Side side = Side()
        side.bare, side.resources = bare, list(fleet.resources)
        if bare:
            side.check(bw_table.fleet_of(<void*>fleet, &side.fleet))
        else:
            side.fleet = fleet_of(fleet)
        return side

    def fork(self):
        cdef Side other = Side()
        other.bare, other.resources = self.bare, self.resources
        if self.bare:
            self.check(bw_table.fleet_fork(self.fleet, &other.fleet))
        else:
            other.fleet = fork_fleet(self.fleet)
        return other

    def python(self):
        return python_fleet(self.fleet)

    def add_hosts(self, capacity, used):
        cdef const int64_t* given[8]
        cdef const int64_t* taken[8]
        cdef int64_t first = -1
        rows = [numbers(capacity[name]) for name in self.resources]
        uses = [numbers(used[name]) for name in self.resources] if used else []
        for i, row in enumerate(rows):
            given[i] = (<Numbers>row).cells
        for i, row in enumerate(uses):
            taken[i] = (<Numbers>row).cells
        count = (<Numbers>rows[0]).count
        if not self.bare:
            return add_hosts(self.fleet, count, given, taken if used else NULL)
        self.check(bw_table.hosts_add(self.fleet, count, given, taken if used else NULL, &first))
        return first

    def remove(self, int64_t host):
        return self.check(bw_table.host_remove(self.fleet, host)) if self.bare else remove_host(self.fleet, host)

    def resize(self, int64_t host, capacity):
        cdef Numbers cells = numbers(capacity)
        if self.bare:
            return self.check(bw_table.host_resize(self.fleet, host, cells.cells))
        return resize_host(self.fleet, host, cells.cells)

    def cordon(self, int64_t host, bint cordoned):
        if self.bare:
            return self.check(bw_table.host_cordon(self.fleet, host, cordoned))
        return cordon_host(self.fleet, host, cordoned)

    def counter(self, bint flag):
        cdef int32_t counter = -1
        if not self.bare:
            return new_counter(self.fleet, flag)
        self.check(bw_table.counter_new(self.fleet, flag, &counter))
        return counter

    def count(self, int32_t counter, int64_t host):
        cdef int64_t value = -1
        if not self.bare:
            return counter_value(self.fleet, counter, host)
        self.check(bw_table.counter_value(self.fleet, counter, host, &value))
        return value

    def new_class(
        self, demand, commit=None, score=None, eligible=None, priority=0, contributes=(), limits=(), externals=()
    ):
        """contributes: (counter, amount); limits: (counter, most, own)."""
        cdef Numbers asked = numbers(demand)
        cdef bw_class spec = class_spec(asked.cells)
        cdef int32_t counters[8]
        cdef int64_t amounts[8]
        cdef bw_limit most[8]
        cdef bw_external* own[8]
        cdef int32_t number = -1
        kept = [numbers(column or ()) for column in (commit, score)]
        if commit is not None:
            spec.commit = (<Numbers>kept[0]).cells
        if score is not None:
            spec.score = (<Numbers>kept[1]).cells
        cells = bytes(eligible or ())
        if eligible is not None:
            spec.eligible = <const uint8_t*><const char*>cells
        spec.priority = priority
        for i, (counter, amount) in enumerate(contributes):
            counters[i], amounts[i] = counter, amount
        for i, (counter, limit, share) in enumerate(limits):
            most[i].rule = most[i].key = NULL
            most[i].counter, most[i].most, most[i].own = counter, limit, share
        for i, term in enumerate(externals):
            own[i] = <bw_external*><PyObject*>term
        spec.counter_count, spec.counters, spec.amounts = len(contributes), counters, amounts
        spec.limit_count, spec.limits = len(limits), most
        spec.external_count, spec.externals = len(externals), own
        if not self.bare:
            return new_class(self.fleet, &spec)
        self.check(bw_table.class_new(self.fleet, &spec, &number))
        return number

    def place(self, which, count=None):
        """(hosts, scores, items, verdicts) of a class `count` times, or of a list of classes."""
        cdef Numbers queue = numbers(which if count is None else ())
        cdef Py_ssize_t entries = queue.count if count is None else count
        cdef Numbers hosts = Numbers(entries), scores = Numbers(entries), items = Numbers(entries)
        cdef bytearray verdicts = bytearray(entries + 1)
        cdef uint8_t* cells = <uint8_t*><char*>verdicts
        cdef int32_t number = -1 if count is None else which
        cdef int status
        if self.bare:
            with nogil:
                if number < 0:
                    status = bw_table.place_queue(
                        self.fleet, queue.cells, entries, hosts.cells, scores.cells, items.cells, cells
                    )
                else:
                    status = bw_table.place(self.fleet, number, entries, hosts.cells, scores.cells, items.cells, cells)
            self.check(status)
        else:
            with nogil:
                if number < 0:
                    place_queue(self.fleet, queue.cells, entries, hosts.cells, scores.cells, items.cells, cells)
                else:
                    place(self.fleet, number, entries, hosts.cells, scores.cells, items.cells, cells)
        return hosts.list(), scores.list(), items.list(), list(verdicts[:entries])

    def place_hosts_only(self, int32_t number, int64_t count):
        """Only the hosts are asked for."""
        cdef Numbers hosts = Numbers(count)
        self.check(bw_table.place(self.fleet, number, count, hosts.cells, NULL, NULL, NULL))
        return hosts.list()

    def place_for(self, double seconds, int32_t number, meanwhile):
        """Place and release for some time without the GIL; (calls, seconds of the longest place and release)."""
        cdef int64_t host, item, calls = 0
        cdef double start, before, now, longest = 0
        meanwhile()
        with nogil:
            start = now = clock()
            while now - start < seconds:
                before = now
                place(self.fleet, number, 1, &host, NULL, &item, NULL)
                release(self.fleet, &item, 1)
                now = clock()
                longest = max(longest, now - before)
                calls += 1
        return calls, longest

    def claim(self, which, hosts):
        cdef Numbers queue = numbers(which), given = numbers(hosts), items = Numbers(len(hosts))
        if self.bare:
            self.check(bw_table.claim(self.fleet, queue.cells, queue.count, given.cells, items.cells))
        else:
            claim(self.fleet, queue.cells, queue.count, given.cells, items.cells)
        return items.list()

    def release(self, items):
        cdef Numbers given = numbers(items)
        if self.bare:
            return self.check(bw_table.release(self.fleet, given.cells, given.count))
        return release(self.fleet, given.cells, given.count)

    def explain(self, int32_t number, int64_t room=200):
        cdef char text[200]
        self.check(bw_table.explain(self.fleet, number, text, room))
        return (<bytes>text).decode()

    def checkpoint(self):
        cdef bw_token token
        if self.bare:
            self.check(bw_table.checkpoint(self.fleet, &token))
        else:
            checkpoint(self.fleet, &token)
        return token.depth, token.number, token.made

    def close(self, given, bint undo):
        """Roll back to a checkpoint, or keep what was done since."""
        cdef bw_token token
        token.depth, token.number, token.made = given
        if self.bare:
            return self.check((bw_table.rollback if undo else bw_table.keep)(self.fleet, &token))
        return rollback(self.fleet, &token) if undo else keep(self.fleet, &token)

    def columns(self):
        """(capacity, used, flags) as lists."""
        cdef bw_columns seen
        cdef int64_t r, h
        if self.bare:
            memset(&seen, 0, sizeof(seen))
            seen.size = sizeof(seen)
            self.check(bw_table.columns(self.fleet, &seen))
        else:
            look_at(self.fleet, &seen)
        capacity = [[seen.capacity[r * seen.stride + h] for h in range(seen.hosts)] for r in range(seen.resources)]
        used = [[seen.used[r * seen.stride + h] for h in range(seen.hosts)] for r in range(seen.resources)]
        return capacity, used, [seen.flags[h] for h in range(seen.hosts)]
