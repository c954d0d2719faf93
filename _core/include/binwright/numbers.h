/* Exact conversions that compilers vectorise on every instruction set. Private to the core's arithmetic. */
#ifndef BINWRIGHT_NUMBERS_H
#define BINWRIGHT_NUMBERS_H

#include <stdint.h>
#include <string.h>

/* The double of an integer in 0 .. 2^52 - 1. AVX2 and SSE2 cannot convert a vector of int64, which loops over blocks
 * (BW_BLOCKS) need; adding the integer to the mantissa of 2^52 and taking 2^52 away again is exact there. */
static inline double bw_narrow_double(int64_t value)
{
#if defined(__AVX512DQ__) || defined(__aarch64__) || !defined(BW_BLOCKS)
    return (double)value;
#else
    int64_t bits = value | INT64_C(0x4330000000000000);
    double shifted;
    memcpy(&shifted, &bits, sizeof shifted);
    return shifted - 4503599627370496.0;
#endif
}

#endif
