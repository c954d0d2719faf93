# The chosen table of block kernels. `K` is the one C variable that everybody else in _core reads.

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t


cdef extern from "binwright/kernels.h" nogil:
    enum:
        BW_KERNELS_VERSION
        BW_BLOCK
        BW_FAN
        BW_FAN_BITS
        BW_WHOLE
        BW_INVERSE
        BW_LEFTS
        BW_SHARES
        BW_GAINS
        BW_FREE
        BW_TAKEN
        BW_EVEN
        BW_ALL
    const int64_t BW_NARROW

    ctypedef struct bw_row:
        uint16_t* cell

    ctypedef struct bw_left:
        int32_t resource
        int32_t filtered
        uint16_t demand
        uint16_t shift
        uint16_t slack

    ctypedef struct bw_share:
        int32_t left
        uint16_t some
        uint16_t weight

    ctypedef struct bw_gain:
        int32_t kind
        int32_t first
        int32_t count
        uint16_t weight
        uint16_t factor
        uint16_t slack

    ctypedef struct bw_bounds:
        int32_t resources
        int32_t lefts
        int32_t shares
        int32_t gains
        bw_left* left
        bw_share* share
        bw_gain* gain

    ctypedef struct bw_kernels:
        int32_t version
        int32_t size
        void (*open_hosts)(const uint8_t*, int64_t*) noexcept nogil
        void (*reject)(const uint32_t*, int64_t*) noexcept nogil
        void (*fit)(const int64_t*, const int64_t*, int64_t, int64_t*) noexcept nogil
        int64_t (*count_open)(const int64_t*) noexcept nogil
        void (*least[2])(const int64_t*, const int64_t*, int64_t, int64_t, int64_t*, int64_t*) noexcept nogil
        void (*most[2])(const int64_t*, const int64_t*, int64_t, int64_t, int64_t*, int64_t*) noexcept nogil
        void (*ratio[2])(
            const int64_t*, const int64_t*, int64_t, int64_t, const int64_t*, int64_t*, int64_t*
        ) noexcept nogil
        void (*mean_floor)(const int64_t*, const int64_t*, int64_t*) noexcept nogil
        void (*mean_round)(const int64_t*, const int64_t*, int64_t*) noexcept nogil
        void (*balance_two[2])(const int64_t* const*, const int64_t* const*, const int64_t*, int64_t*) noexcept nogil
        void (*balance_any)(
            const int64_t* const*, const int64_t* const*, const int64_t*, int64_t, int64_t*
        ) noexcept nogil
        int64_t (*raw_max)(const int64_t*, const int64_t*, int64_t) noexcept nogil
        int64_t (*raw_min)(const int64_t*, const int64_t*, int64_t) noexcept nogil
        void (*scale_up)(const int64_t*, int64_t, int64_t*) noexcept nogil
        void (*scale_down)(const int64_t*, int64_t, int64_t*) noexcept nogil
        void (*scale_between)(const int64_t*, int64_t, int64_t, int64_t*) noexcept nogil
        void (*add)(const int64_t*, int64_t, int64_t*) noexcept nogil
        void (*close)(const int64_t*, int64_t*) noexcept nogil
        int64_t (*highest)(const int64_t*) noexcept nogil
        void (*gather)(const int64_t*, const int32_t*, int64_t, int64_t*) noexcept nogil
        void (*fold_keys)(const uint16_t*, int64_t, uint16_t*) noexcept nogil
        void (*climb)(uint16_t* const*, int64_t, int64_t, uint16_t) noexcept nogil
        int64_t (*descend)(uint16_t* const*, int64_t) noexcept nogil
        int64_t (*succeed)(uint16_t* const*, int64_t, int64_t, uint16_t) noexcept nogil
        void (*shade[2])(const int64_t*, const int64_t*, int64_t, uint16_t*, uint16_t*) noexcept nogil
        int64_t (*bound)(const bw_bounds*, const uint16_t*, const uint16_t*, uint16_t*) noexcept nogil
        int64_t (*potential)(const bw_bounds*, const uint16_t*) noexcept nogil
        int64_t (*top)(const uint16_t*) noexcept nogil
        int64_t (*find)(const uint16_t*, int64_t) noexcept nogil


cdef const bw_kernels* K
