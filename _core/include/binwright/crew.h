/* Threads that help one decision: its work is cut into pieces, whoever is free takes the next. Private; included by
 * crew.pyx alone, which owns the one crew of a process.
 *
 * - One caller at a time has the crew; another one that wants it meanwhile does all its pieces itself.
 * - Each thread has a span of pieces of its own, the same at each decision, so that what it wrote and read last time is
 *   in its own cache; who is through takes from the others' spans. The caller works too, and waits only for pieces that
 *   a helper has begun: helpers that sleep, or get no processor, hold nobody up.
 * - A span's `ticket` says which piece is next: the number of the job in the high bits, pieces left in the low ones. A
 *   piece is taken by counting it down, which fails if the ticket is another by then: what was read of a job before
 *   that belongs to it, as it is written only while no piece is left.
 * - A helper looks for work for some 100 microseconds, then sleeps. One that finds itself on the caller's processor
 *   sleeps at once, as it would only be in the way; after BW_UNHELPED jobs without any help helpers are seldom woken.
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
static void bw_insist(int32_t each) { (void)each; }

#else

#include <pthread.h>
#include <sched.h>
#include <signal.h>

#define BW_LOOKS 4000       /* for work, before a helper sleeps */
#define BW_UNHELPED 16
#define BW_SELDOM 256       /* jobs, then */
#define BW_PIECE_BITS 24    /* of a ticket: pieces left */
#define BW_PIECES_LEFT ((UINT64_C(1) << BW_PIECE_BITS) - 1)

typedef struct bw_span {
    uint64_t ticket;
    char rest[56];          /* a cache line each */
} bw_span;

static struct {
    bw_span span[BW_MOST_HELPERS + 1];  /* 0 is the caller's */
    int32_t turn;           /* who has it writes what is not a ticket, `asleep`, `helped` or `done` */
    int32_t closing;        /* helpers go home */
    int32_t each;           /* tests: every thread does its own span, whatever it takes */
    int64_t helpers;        /* that there are: their spans are 1 .. helpers */
    pthread_t thread[BW_MOST_HELPERS];
    pthread_mutex_t lock;   /* of sleeping and waking */
    pthread_cond_t wake;
    int64_t asleep;
    int64_t helped;         /* pieces that helpers took, ever */
    int64_t unhelped;       /* jobs one after another of which they took none */
    /* of one job */
    uint64_t job;
    bw_work work;
    void *what;
    int64_t pieces;
    int64_t threads;        /* spans */
    int64_t processor;      /* of the caller, -1 = not known */
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

/* The processor that this thread runs on, -1 = not known. */
static inline int64_t bw_processor(void)
{
#if defined(__linux__)
    return sched_getcpu();
#else
    return -1;
#endif
}

/* Take pieces of a span until none is left; how many. */
static int64_t bw_take_pieces(int64_t number)
{
    uint64_t *mine = &bw_crew.span[number].ticket, ticket = __atomic_load_n(mine, __ATOMIC_ACQUIRE);
    int64_t taken = 0;
    while (ticket & BW_PIECES_LEFT) {
        bw_work work = __atomic_load_n(&bw_crew.work, __ATOMIC_RELAXED);
        void *what = __atomic_load_n(&bw_crew.what, __ATOMIC_RELAXED);
        int64_t pieces = __atomic_load_n(&bw_crew.pieces, __ATOMIC_RELAXED);
        int64_t threads = __atomic_load_n(&bw_crew.threads, __ATOMIC_RELAXED);
        if (__atomic_compare_exchange_n(mine, &ticket, ticket - 1, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
            work(what, pieces * (number + 1) / threads - (int64_t)(ticket & BW_PIECES_LEFT));
            __atomic_add_fetch(&bw_crew.done, 1, __ATOMIC_RELEASE);
            ticket = __atomic_load_n(mine, __ATOMIC_ACQUIRE);
            taken++;
        }
    }
    return taken;
}

static inline int bw_each_its_own(void) { return __atomic_load_n(&bw_crew.each, __ATOMIC_RELAXED); }

/* Take pieces of all spans, one's own first; how many. */
static int64_t bw_take_all(int64_t number)
{
    const int64_t threads = bw_each_its_own() ? 0 : __atomic_load_n(&bw_crew.threads, __ATOMIC_RELAXED);
    int64_t taken = bw_take_pieces(number);
    for (int64_t other = 0; other < threads; other++)
        if (other != number) taken += bw_take_pieces(other);
    return taken;
}

/* The job that has pieces for this helper, 0 = none but that of `refused`. */
static uint64_t bw_call_for(int64_t number, uint64_t refused)
{
    uint64_t ticket = __atomic_load_n(&bw_crew.span[number].ticket, __ATOMIC_SEQ_CST);
    return ticket & BW_PIECES_LEFT && ticket >> BW_PIECE_BITS != refused ? ticket >> BW_PIECE_BITS : 0;
}

static void *bw_help(void *mine)
{
    const int64_t number = (int64_t)(intptr_t)mine;
    uint64_t job, refused = 0;
    int64_t processor;
    int looks = 0;
    while (!__atomic_load_n(&bw_crew.closing, __ATOMIC_ACQUIRE)) {
        job = bw_call_for(number, refused);
        if (job) {
            processor = __atomic_load_n(&bw_crew.processor, __ATOMIC_RELAXED);
            if (processor >= 0 && processor == bw_processor() && !bw_each_its_own()) {
                refused = job;
                looks = BW_LOOKS;
                continue;
            }
            __atomic_add_fetch(&bw_crew.helped, bw_take_all(number), __ATOMIC_RELAXED);
            looks = 0;
        } else if (looks < BW_LOOKS) {
            bw_relax();
            looks++;
        } else {
            pthread_mutex_lock(&bw_crew.lock);
            __atomic_add_fetch(&bw_crew.asleep, 1, __ATOMIC_SEQ_CST);
            while (!bw_call_for(number, refused) && !__atomic_load_n(&bw_crew.closing, __ATOMIC_ACQUIRE))
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
    while (bw_crew.helpers < wanted && pthread_create(&bw_crew.thread[bw_crew.helpers], NULL, bw_help,
                                                      (void *)(intptr_t)(bw_crew.helpers + 1)) == 0)
        bw_crew.helpers++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* Do `work` on the pieces 0 .. pieces - 1, in any order, on at most `threads` threads; done when it returns. */
static void bw_share_out(bw_work work, void *what, int64_t pieces, int64_t threads)
{
    int64_t first, end, mine;
    if (threads > pieces) threads = pieces;
    if (threads > BW_MOST_HELPERS + 1) threads = BW_MOST_HELPERS + 1;
    if (threads < 2 || pieces > (int64_t)BW_PIECES_LEFT || !bw_take_turn(&bw_crew.turn)) {
        bw_work_alone(work, what, pieces);
        return;
    }
    bw_hire(threads - 1);
    __atomic_store_n(&bw_crew.work, work, __ATOMIC_RELAXED);
    __atomic_store_n(&bw_crew.what, what, __ATOMIC_RELAXED);
    __atomic_store_n(&bw_crew.pieces, pieces, __ATOMIC_RELAXED);
    __atomic_store_n(&bw_crew.threads, threads, __ATOMIC_RELAXED);
    __atomic_store_n(&bw_crew.processor, bw_processor(), __ATOMIC_RELAXED);
    __atomic_store_n(&bw_crew.done, 0, __ATOMIC_RELAXED);
    bw_crew.job++;
    for (int64_t span = 0; span < threads; span++) {
        first = pieces * span / threads;
        end = pieces * (span + 1) / threads;
        __atomic_store_n(&bw_crew.span[span].ticket, bw_crew.job << BW_PIECE_BITS | (uint64_t)(end - first),
                         __ATOMIC_SEQ_CST);
    }
    if (__atomic_load_n(&bw_crew.asleep, __ATOMIC_SEQ_CST) &&
        (bw_crew.unhelped < BW_UNHELPED || bw_crew.job % BW_SELDOM == 0 || bw_each_its_own()))
        bw_wake_all();
    mine = bw_take_all(0);
    if (bw_crew.helpers < threads - 1) /* the system gave no more */
        for (int64_t span = 1; span < threads; span++) mine += bw_take_pieces(span);
    bw_crew.unhelped = mine < pieces ? 0 : bw_crew.unhelped + 1;
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
    for (int span = 0; span <= BW_MOST_HELPERS; span++) bw_crew.span[span].ticket = 0;
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

static void bw_insist(int32_t each) { __atomic_store_n(&bw_crew.each, each, __ATOMIC_RELAXED); }

static int64_t bw_helped(void) { return __atomic_load_n(&bw_crew.helped, __ATOMIC_RELAXED); }

#endif
#endif
