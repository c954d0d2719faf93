# Scores over counters and domains: how many are near (weighted sums), how even a placing keeps its domains.

from libc.stdint cimport int32_t, int64_t

from binwright._core.domain_terms cimport DomainTerms, Ref, SoftTerm


cdef int64_t most_counted(const SoftTerm* mine, const Ref* ref) noexcept nogil
cdef void count_scores(DomainTerms terms, int32_t number, int32_t slot, int64_t* raw) noexcept nogil
cdef void spread_scores(
    DomainTerms terms, int32_t number, int32_t slot, const int64_t* verdict, int64_t* raw, int64_t* score
) noexcept nogil
cpdef double exact_log(double x) noexcept nogil
