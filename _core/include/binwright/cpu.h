/* What this processor can run. Private to kernels.pyx. */
#ifndef BINWRIGHT_CPU_H
#define BINWRIGHT_CPU_H

#if defined(__x86_64__)

#include <stdint.h>

/* The processor and the system are asked themselves: __builtin_cpu_supports needs a library that not every linker (on
 * Windows, Microsoft's) is given. */
static inline uint32_t bw_cpuid(uint32_t leaf, int reg)
{
    uint32_t answer[4];
    __asm__ volatile("cpuid" : "=a"(answer[0]), "=b"(answer[1]), "=c"(answer[2]), "=d"(answer[3]) : "a"(leaf), "c"(0));
    return answer[reg];
}

/* Which registers the system saves: bits 1, 2 = AVX; 5, 6, 7 = AVX-512. */
static inline uint32_t bw_saved_registers(void)
{
    uint32_t low, high;
    if (!(bw_cpuid(1, 2) & (1u << 27))) return 0; /* OSXSAVE */
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low;
}

static inline int bw_cpu_has_v3(void)
{
    const uint32_t fma = 1u << 12, bmi_avx2_bmi2 = 1u << 3 | 1u << 5 | 1u << 8;
    return bw_cpuid(0, 0) >= 7 && (bw_saved_registers() & 0x06) == 0x06 && (bw_cpuid(1, 2) & fma) == fma &&
           (bw_cpuid(7, 1) & bmi_avx2_bmi2) == bmi_avx2_bmi2;
}

static inline int bw_cpu_has_v4(void)
{
    const uint32_t f_dq_cd_bw_vl = 1u << 16 | 1u << 17 | 1u << 28 | 1u << 30 | 1u << 31;
    return bw_cpu_has_v3() && (bw_saved_registers() & 0xe6) == 0xe6 && (bw_cpuid(7, 1) & f_dq_cd_bw_vl) == f_dq_cd_bw_vl;
}

static inline int bw_cpu_has_sve(void) { return 0; }

#elif defined(__aarch64__) && defined(__linux__)

#include <sys/auxv.h>

static inline int bw_cpu_has_v3(void) { return 0; }
static inline int bw_cpu_has_v4(void) { return 0; }
static inline int bw_cpu_has_sve(void) { return (getauxval(AT_HWCAP) & (1UL << 22)) != 0; }

#else

static inline int bw_cpu_has_v3(void) { return 0; }
static inline int bw_cpu_has_v4(void) { return 0; }
static inline int bw_cpu_has_sve(void) { return 0; }

#endif
#endif
