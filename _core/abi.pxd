# The C interface for embedders as Cython sees it; binwright.h says what each name means.

from libc.stdint cimport int32_t, int64_t, uint8_t

cdef extern from "binwright/binwright.h" nogil:
    const int BW_ABI_VERSION

    ctypedef struct bw_fleet
    ctypedef struct bw_external

    cdef enum bw_status:
        BW_OK
        BW_INPUT
        BW_STATE
        BW_BUSY
        BW_MEMORY
        BW_INTERRUPTED
        BW_FAILED

    cdef enum bw_verdict:
        BW_PLACED
        BW_UNSCHEDULABLE
        BW_UNRESOLVABLE
        BW_ERROR

    cdef enum bw_score_kind:
        BW_LEAST
        BW_MOST
        BW_BALANCED
        BW_STATIC

    cdef enum bw_normaliser:
        BW_AS_IT_IS
        BW_TO_MAX
        BW_REVERSED
        BW_MIN_MAX

    ctypedef struct bw_score:
        int32_t kind
        int32_t normalise
        int64_t weight
        const char* name

    ctypedef struct bw_fleet_spec:
        int32_t size
        int32_t resource_count
        const char** resources
        int32_t rule_count
        int32_t score_count
        const char** rules
        const bw_score* scores

    ctypedef struct bw_limit:
        const char* rule
        const char* key
        int64_t most
        int32_t counter
        int32_t own

    ctypedef struct bw_class:
        int32_t size
        int32_t priority
        const int64_t* demand
        const int64_t* commit
        const int64_t* score
        const uint8_t* eligible
        int32_t counter_count
        int32_t limit_count
        const int32_t* counters
        const int64_t* amounts
        const bw_limit* limits
        bw_external** externals
        int32_t external_count

    ctypedef struct bw_columns:
        int32_t size
        int32_t resources
        int64_t hosts
        int64_t stride
        const int64_t* capacity
        const int64_t* used
        const uint8_t* flags

    ctypedef struct bw_token:
        int64_t depth
        int64_t number
        int64_t made

    ctypedef struct bw_question:
        int32_t size
        int32_t request
        const int64_t* demand
        const bw_columns* columns

    ctypedef struct bw_term:
        int32_t size
        int32_t flags
        const char* name
        const char* rule
        const char* score
        void* data
        int (*rejected)(void* data, const bw_question* question, int32_t* reasons) noexcept nogil
        int (*scores)(void* data, const bw_question* question, int64_t* scores) noexcept nogil
        int (*placed)(void* data, int64_t request, int64_t host, int32_t sign) noexcept nogil
        int64_t (*version)(void* data) noexcept nogil
        void* (*fork)(void* data) noexcept nogil
        void (*release)(void* data) noexcept nogil

    ctypedef struct bw_api:
        int32_t abi_version
        int32_t size
        const char* version
        int (*fleet_new)(const bw_fleet_spec* spec, bw_fleet** fleet) noexcept nogil
        int (*fleet_of)(void* python_fleet, bw_fleet** fleet) noexcept nogil
        int (*fleet_fork)(bw_fleet* fleet, bw_fleet** copy) noexcept nogil
        void (*fleet_free)(bw_fleet* fleet) noexcept nogil
        void* (*fleet_python)(bw_fleet* fleet) noexcept nogil
        const char* (*error_text)(const bw_fleet* fleet, int status) noexcept nogil
        int (*hosts_add)(
            bw_fleet* fleet, int64_t count, const int64_t** capacity, const int64_t** used, int64_t* first
        ) noexcept nogil
        int (*host_remove)(bw_fleet* fleet, int64_t host) noexcept nogil
        int (*host_resize)(bw_fleet* fleet, int64_t host, const int64_t* capacity) noexcept nogil
        int (*host_cordon)(bw_fleet* fleet, int64_t host, int cordoned) noexcept nogil
        int (*columns)(bw_fleet* fleet, bw_columns* columns) noexcept nogil
        int (*class_new)(bw_fleet* fleet, const bw_class* spec, int32_t* number) noexcept nogil
        int (*counter_new)(bw_fleet* fleet, int flag, int32_t* counter) noexcept nogil
        int (*counter_value)(bw_fleet* fleet, int32_t counter, int64_t host, int64_t* value) noexcept nogil
        int (*place)(
            bw_fleet* fleet, int32_t number, int64_t count, int64_t* hosts, int64_t* scores, int64_t* items,
            uint8_t* verdicts,
        ) noexcept nogil
        int (*place_queue)(
            bw_fleet* fleet, const int64_t* numbers, int64_t count, int64_t* hosts, int64_t* scores, int64_t* items,
            uint8_t* verdicts,
        ) noexcept nogil
        int (*claim)(
            bw_fleet* fleet, const int64_t* numbers, int64_t count, const int64_t* hosts, int64_t* items
        ) noexcept nogil
        int (*release)(bw_fleet* fleet, const int64_t* items, int64_t count) noexcept nogil
        int (*explain)(bw_fleet* fleet, int32_t number, char* text, int64_t room) noexcept nogil
        int (*checkpoint)(bw_fleet* fleet, bw_token* token) noexcept nogil
        int (*rollback)(bw_fleet* fleet, const bw_token* token) noexcept nogil
        int (*keep)(bw_fleet* fleet, const bw_token* token) noexcept nogil
        int (*external_new)(const bw_term* term, bw_external** external, const char** why) noexcept nogil
        void (*external_free)(bw_external* external) noexcept nogil
