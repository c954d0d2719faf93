"""Sets of hosts as bitsets, with the algebra of Python's sets."""

cimport cython
from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stdint cimport uint8_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcmp, memcpy


cdef extern from *:
    int popcount "__builtin_popcountll"(unsigned long long) noexcept nogil

cdef Py_ssize_t MOST_HOSTS = <Py_ssize_t>1 << 31  # more than a fleet can have


@cython.final
cdef class HostSet:
    """A set of the hosts of a fleet with `hosts` host slots.

    `HostSet(hosts, members=())`: members are host indexes. Supports `|`, `&`, `-`, `^`, `~`, `in`, `len`, iteration
    in rising order, `==` and hashing; it never changes. Raises IndexError for a host outside the fleet and
    ValueError when sets of different fleets sizes meet.
    """

    def __cinit__(self, Py_ssize_t hosts, members=()):
        cdef Py_ssize_t host
        if not 0 <= hosts <= MOST_HOSTS:
            raise ValueError(f"HostSet: hosts must be in 0..2**31, not {hosts}")
        self.hosts = hosts
        self.count = (hosts + 63) // 64
        self.words = <uint64_t*>calloc(max(self.count, 1), sizeof(uint64_t))
        if self.words == NULL:
            raise MemoryError("HostSet")
        for host in members:
            if not 0 <= host < hosts:
                raise IndexError(f"HostSet: no host {host} in a fleet of {hosts}")
            self.words[host // 64] |= <uint64_t>1 << (host % 64)

    def __dealloc__(self):
        free(self.words)

    @staticmethod
    def from_mask(const uint8_t[::1] mask):
        """The set of hosts whose byte in `mask` (hosts,) is not 0."""
        cdef HostSet made = HostSet(mask.shape[0])
        cdef Py_ssize_t host
        for host in range(made.hosts):
            if mask[host]:
                made.words[host // 64] |= <uint64_t>1 << (host % 64)
        return made

    def fill_mask(self, uint8_t[::1] mask):
        """Write 1 for members and 0 for others into `mask` (hosts,)."""
        cdef Py_ssize_t host
        if mask.shape[0] != self.hosts:
            raise ValueError(f"HostSet: a mask of {mask.shape[0]} hosts for a set over {self.hosts}")
        for host in range(self.hosts):
            mask[host] = self.words[host // 64] >> (host % 64) & 1

    cdef HostSet same_size(self, HostSet other):
        if other.hosts != self.hosts:
            raise ValueError(f"HostSet: sets over {self.hosts} and {other.hosts} hosts do not mix")
        return HostSet(self.hosts)

    cdef void clear_beyond(self) noexcept nogil:
        if self.hosts % 64:
            self.words[self.count - 1] &= (<uint64_t>1 << (self.hosts % 64)) - 1

    def __or__(HostSet self, HostSet other not None):
        cdef HostSet made = self.same_size(other)
        cdef Py_ssize_t w
        for w in range(self.count):
            made.words[w] = self.words[w] | other.words[w]
        return made

    def __and__(HostSet self, HostSet other not None):
        cdef HostSet made = self.same_size(other)
        cdef Py_ssize_t w
        for w in range(self.count):
            made.words[w] = self.words[w] & other.words[w]
        return made

    def __sub__(HostSet self, HostSet other not None):
        cdef HostSet made = self.same_size(other)
        cdef Py_ssize_t w
        for w in range(self.count):
            made.words[w] = self.words[w] & ~other.words[w]
        return made

    def __xor__(HostSet self, HostSet other not None):
        cdef HostSet made = self.same_size(other)
        cdef Py_ssize_t w
        for w in range(self.count):
            made.words[w] = self.words[w] ^ other.words[w]
        return made

    def __invert__(self):
        cdef HostSet made = HostSet(self.hosts)
        cdef Py_ssize_t w
        for w in range(self.count):
            made.words[w] = ~self.words[w]
        made.clear_beyond()
        return made

    def __contains__(self, Py_ssize_t host):
        return 0 <= host < self.hosts and self.words[host // 64] >> (host % 64) & 1

    def __len__(self):
        cdef Py_ssize_t w, total = 0
        for w in range(self.count):
            total += popcount(self.words[w])
        return total

    def __iter__(self):
        cdef Py_ssize_t host
        for host in range(self.hosts):
            if self.words[host // 64] >> (host % 64) & 1:
                yield host

    def __eq__(self, other):
        if not isinstance(other, HostSet):
            return NotImplemented
        cdef HostSet that = other
        return self.hosts == that.hosts and memcmp(self.words, that.words, self.count * sizeof(uint64_t)) == 0

    def __hash__(self):
        return hash((self.hosts, PyBytes_FromStringAndSize(<char*>self.words, self.count * sizeof(uint64_t))))

    def __repr__(self):
        return f"HostSet({len(self)} of {self.hosts} hosts)"

    def __reduce__(self):
        return rebuild_set, (
            self.hosts, PyBytes_FromStringAndSize(<char*>self.words, self.count * sizeof(uint64_t)),
        )


def rebuild_set(Py_ssize_t hosts, bytes words):
    """A set from its pickled words; refuses a length that does not fit."""
    cdef HostSet made = HostSet(hosts)
    if len(words) != made.count * <Py_ssize_t>sizeof(uint64_t):
        raise ValueError(f"HostSet: {len(words)} bytes for {hosts} hosts")
    memcpy(made.words, <const char*>words, len(words))
    made.clear_beyond()
    return made
