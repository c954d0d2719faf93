/* Threads that help one decision: its work is cut into pieces, whoever is free takes the next. Private; included by
 * crew.pyx alone, which owns the one crew of a process.
 *
 * - One caller at a time has the crew; another one that wants it meanwhile does all its pieces itself.
 * - The caller works too, and waits only for pieces that a helper has begun: helpers that sleep, or get no processor,
 *   hold nobody up.
 * - `ticket` says which piece is next: the number of the job in the high bits, pieces left in the low ones. A piece is
 *   taken by counting it down, which fails if the ticket is another by then: what was read of a job before that
 *   belongs to it, as it is written only while no piece is left.
 * - A helper looks for work for some ten microseconds, then sleeps.
 * - A forked process begins without helpers. They block all signals and call nothing of Python.
 * Without POSIX threads (Windows) the caller does all its work itself.
 */
#ifndef BINWRIGHT_CREW_H
#define BINWRIGHT_CREW_H

#include <stdint.h>

#include "binwright/turns.h"

typedef void (*bw_work)(void *what, int64_t piece);

#define BW_MOST_HELPERS 63

static void bw_work_alone(bw_work work, void *what, int64_t pieces)
{
    for (int64_t piece = 0; piece < pieces; piece++) work(what, piece);
}

#if defined(_WIN32)

static void bw_share_out(bw_work work, void *what, int64_t pieces, int64_t threads)
{
    (void)threads;
    bw_work_alone(work, what, pieces);
}

static void bw_dismiss(void) {}
static int bw_found_crew(void) { return 0; }
static int64_t bw_helpers(void) { return 0; }
static int64_t bw_helped(void) { return 0; }

#else

#include <pthread.h>
#include <sched.h>
#include <signal.h>

#define BW_LOOKS 4000       /* for work, before a helper sleeps */
#define BW_PIECE_BITS 24    /* of a ticket: pieces left */
#define BW_PIECES_LEFT ((UINT64_C(1) << BW_PIECE_BITS) - 1)

static struct {
    int32_t turn;           /* who has it writes all else but `asleep`, `helped`, `done` and the ticket's pieces left */
    int32_t closing;        /* helpers go home */
    int64_t helpers;        /* that there are: their numbers are 0 .. helpers - 1 */
    pthread_t thread[BW_MOST_HELPERS];
    pthread_mutex_t lock;   /* of sleeping and waking */
    pthread_cond_t wake;
    int64_t asleep;
    int64_t helped;         /* pieces that helpers took, ever */
    /* of one job */
    uint64_t ticket;
    bw_work work;
    void *what;
    int64_t pieces;
    int64_t wanted;         /* helpers of lower numbers work */
    int64_t done;           /* pieces */
} bw_crew = {.lock = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER};

static inline void bw_relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* Take pieces of the job of `ticket` until none is left; how many. */
static int64_t bw_take_pieces(uint64_t ticket)
{
    const uint64_t job = ticket >> BW_PIECE_BITS;
    bw_work work = __atomic_load_n(&bw_crew.work, __ATOMIC_RELAXED);
    void *what = __atomic_load_n(&bw_crew.what, __ATOMIC_RELAXED);
    int64_t pieces = __atomic_load_n(&bw_crew.pieces, __ATOMIC_RELAXED), taken = 0;
    while (ticket >> BW_PIECE_BITS == job && ticket & BW_PIECES_LEFT) {
        if (__atomic_compare_exchange_n(&bw_crew.ticket, &ticket, ticket - 1, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
            work(what, pieces - (int64_t)(ticket & BW_PIECES_LEFT));
            __atomic_add_fetch(&bw_crew.done, 1, __ATOMIC_RELEASE);
            ticket--;
            taken++;
        }
    }
    return taken;
}

/* The ticket if this helper is wanted, else 0. */
static uint64_t bw_call_for(int64_t number)
{
    uint64_t ticket = __atomic_load_n(&bw_crew.ticket, __ATOMIC_SEQ_CST);
    return ticket & BW_PIECES_LEFT && number < __atomic_load_n(&bw_crew.wanted, __ATOMIC_RELAXED) ? ticket : 0;
}

static void *bw_help(void *mine)
{
    const int64_t number = (int64_t)(intptr_t)mine;
    uint64_t ticket;
    int looks = 0;
    while (!__atomic_load_n(&bw_crew.closing, __ATOMIC_ACQUIRE)) {
        ticket = bw_call_for(number);
        if (ticket) {
            bw_add_to(&bw_crew.helped, bw_take_pieces(ticket));
            looks = 0;
        } else if (looks < BW_LOOKS) {
            bw_relax();
            looks++;
        } else {
            pthread_mutex_lock(&bw_crew.lock);
            __atomic_add_fetch(&bw_crew.asleep, 1, __ATOMIC_SEQ_CST);
            while (!bw_call_for(number) && !__atomic_load_n(&bw_crew.closing, __ATOMIC_ACQUIRE))
                pthread_cond_wait(&bw_crew.wake, &bw_crew.lock);
            __atomic_sub_fetch(&bw_crew.asleep, 1, __ATOMIC_SEQ_CST);
            pthread_mutex_unlock(&bw_crew.lock);
            looks = 0;
        }
    }
    return NULL;
}

static void bw_wake_all(void)
{
    pthread_mutex_lock(&bw_crew.lock);
    pthread_cond_broadcast(&bw_crew.wake);
    pthread_mutex_unlock(&bw_crew.lock);
}

/* As many helpers as are wanted, or as the system gives. For who has the turn. */
static void bw_hire(int64_t wanted)
{
    sigset_t all, before;
    if (wanted > BW_MOST_HELPERS) wanted = BW_MOST_HELPERS;
    if (bw_crew.helpers >= wanted || __atomic_load_n(&bw_crew.closing, __ATOMIC_ACQUIRE)) return;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (bw_crew.helpers < wanted &&
           pthread_create(&bw_crew.thread[bw_crew.helpers], NULL, bw_help, (void *)(intptr_t)bw_crew.helpers) == 0)
        bw_crew.helpers++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* Do `work` on the pieces 0 .. pieces - 1, in any order, on at most `threads` threads; done when it returns. */
static void bw_share_out(bw_work work, void *what, int64_t pieces, int64_t threads)
{
    uint64_t ticket;
    if (threads < 2 || pieces < 2 || pieces > (int64_t)BW_PIECES_LEFT || !bw_take_turn(&bw_crew.turn)) {
        bw_work_alone(work, what, pieces);
        return;
    }
    bw_hire(threads - 1);
    __atomic_store_n(&bw_crew.work, work, __ATOMIC_RELAXED);
    __atomic_store_n(&bw_crew.what, what, __ATOMIC_RELAXED);
    __atomic_store_n(&bw_crew.pieces, pieces, __ATOMIC_RELAXED);
    __atomic_store_n(&bw_crew.wanted, threads - 1, __ATOMIC_RELAXED);
    __atomic_store_n(&bw_crew.done, 0, __ATOMIC_RELAXED);
    ticket = ((__atomic_load_n(&bw_crew.ticket, __ATOMIC_RELAXED) >> BW_PIECE_BITS) + 1) << BW_PIECE_BITS;
    ticket |= (uint64_t)pieces;
    __atomic_store_n(&bw_crew.ticket, ticket, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&bw_crew.asleep, __ATOMIC_SEQ_CST)) bw_wake_all();
    bw_take_pieces(ticket);
    for (int looks = 0; __atomic_load_n(&bw_crew.done, __ATOMIC_ACQUIRE) < pieces; looks++) {
        if (looks < BW_LOOKS) bw_relax();
        else sched_yield(); /* a helper has lost its processor in the middle of a piece */
    }
    bw_give_turn(&bw_crew.turn);
}

/* Send all helpers home for good, when nobody works any more. */
static void bw_dismiss(void)
{
    while (!bw_take_turn(&bw_crew.turn)) sched_yield();
    __atomic_store_n(&bw_crew.closing, 1, __ATOMIC_RELEASE);
    bw_wake_all();
    while (bw_crew.helpers) pthread_join(bw_crew.thread[--bw_crew.helpers], NULL);
    bw_give_turn(&bw_crew.turn);
}

/* In a forked process: only the thread that forked is there. */
static void bw_begin_without(void)
{
    pthread_mutex_init(&bw_crew.lock, NULL);
    pthread_cond_init(&bw_crew.wake, NULL);
    bw_crew.helpers = bw_crew.asleep = 0;
    bw_crew.ticket = 0;
    bw_give_turn(&bw_crew.turn);
}

/* 0, or why forked processes cannot be told. */
static int bw_found_crew(void) { return pthread_atfork(NULL, NULL, bw_begin_without); }

static int64_t bw_helpers(void)
{
    int64_t helpers;
    while (!bw_take_turn(&bw_crew.turn)) sched_yield();
    helpers = bw_crew.helpers;
    bw_give_turn(&bw_crew.turn);
    return helpers;
}

static int64_t bw_helped(void) { return __atomic_load_n(&bw_crew.helped, __ATOMIC_RELAXED); }

#endif
#endif
