# Memory that the indexes of a fleet live in: zeroed arrays that go with their owner, and one that grows by class.

from libc.stdint cimport int64_t, uintptr_t
from libc.stdlib cimport calloc, free, realloc
from libc.string cimport memset


cdef inline void* taken(list blocks, int64_t* total, Py_ssize_t count, Py_ssize_t size) except NULL:
    # `count` zeroed cells of `size` bytes, 64-byte aligned, that live until give_back(blocks); `total` counts bytes.
    cdef Py_ssize_t needed = max(count, 1) * size + 64
    cdef void* memory = calloc(needed, 1)
    if memory == NULL:
        raise MemoryError("index")
    blocks.append(<uintptr_t>memory)
    total[0] += needed
    return <void*>((<uintptr_t>memory + 63) // 64 * 64)


cdef inline int give_back(list blocks) except -1:
    for block in blocks:
        free(<void*><uintptr_t>block)
    return 0


cdef inline void* with_room(void* memory, Py_ssize_t* room, Py_ssize_t classes, Py_ssize_t size) except? NULL:
    # An array that has `room` cells of `size` bytes, lengthened by zeros to twice as many as there are classes if they
    # are more than `room`.
    cdef Py_ssize_t wanted = max(16, 2 * classes)
    cdef char* grown
    if classes <= room[0]:
        return memory
    grown = <char*>realloc(memory, wanted * size)
    if grown == NULL:
        raise MemoryError("indexes")
    memset(grown + room[0] * size, 0, (wanted - room[0]) * size)
    room[0] = wanted
    return grown
