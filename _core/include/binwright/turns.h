/* Whose turn it is: a flag that one thread takes and gives back, without a lock and without the GIL. Private. */
#ifndef BINWRIGHT_TURNS_H
#define BINWRIGHT_TURNS_H

#include <stdint.h>

/* 1 = taken now, 0 = somebody has it. */
static inline int bw_take_turn(int32_t *turn)
{
    int32_t nobody = 0;
    return __atomic_compare_exchange_n(turn, &nobody, 1, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

static inline void bw_give_turn(int32_t *turn) { __atomic_store_n(turn, 0, __ATOMIC_RELEASE); }

#endif
