/* What this processor can run. Private to kernels.pyx. */
#ifndef BINWRIGHT_CPU_H
#define BINWRIGHT_CPU_H

#if defined(__x86_64__)

static inline int bw_cpu_has_v3(void)
{
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") &&
           __builtin_cpu_supports("fma");
}

static inline int bw_cpu_has_v4(void)
{
    return bw_cpu_has_v3() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl");
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
