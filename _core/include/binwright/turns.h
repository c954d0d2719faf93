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

/* Who writes: the thread that is in the middle of a change, 0 = nobody. Threads are told apart by the address of a
 * variable of their own. */
static inline int64_t bw_this_thread(void)
{
    static __thread char mine;
    return (int64_t)(intptr_t)&mine;
}

static inline int64_t bw_writer(const int64_t *writer) { return __atomic_load_n(writer, __ATOMIC_ACQUIRE); }

static inline int bw_become_writer(int64_t *writer, int64_t thread)
{
    int64_t nobody = 0;
    return __atomic_compare_exchange_n(writer, &nobody, thread, 0, __ATOMIC_ACQUIRE, __ATOMIC_ACQUIRE) ||
           nobody == thread;
}

static inline void bw_resign(int64_t *writer) { __atomic_store_n(writer, 0, __ATOMIC_RELEASE); }

/* Numbers that no two callers share. */
static inline int64_t bw_next(int64_t *last) { return __atomic_add_fetch(last, 1, __ATOMIC_RELAXED); }

/* A sum to which several threads add. */
static inline void bw_add_to(int64_t *sum, int64_t amount) { __atomic_add_fetch(sum, amount, __ATOMIC_RELAXED); }

#endif
