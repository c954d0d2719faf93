/* binwright from C: fleets as opaque handles, one table of functions with its size and ABI version.
 *
 * Plain C99; with Python.h included before it, bw_import() fetches the table. There is no global state: everything
 * hangs on a handle. docs/embedding.md says what each call promises.
 *
 * - A call returns BW_OK or another bw_status and then has changed nothing; error_text() says in one line what was
 *   wrong. No call leaves a Python exception behind.
 * - Calls may be made with or without the GIL. Those marked [free] do not touch it while the fleet is the embedder's
 *   alone (made by fleet_new or fleet_fork, never given out by fleet_python) and has no external terms.
 * - What is wrong with an argument is BW_INPUT, and the line names it: NULL where something is needed, a count below 0
 *   or too large, a size that is no struct's, text that is not UTF-8, numbers that mean nothing here. A handle that was
 *   freed is refused as long as not hundreds were freed after it. What C cannot see (an array that is shorter than
 *   said, memory that was given back, an external term that was freed) is the caller's.
 * - One call at a time per fleet: a second thread gets BW_BUSY. Different fleets, forks too, are independent.
 * - Hosts, classes and counters are numbers from 0; amounts are int64 in 0..2^56, without a unit.
 */
#ifndef BINWRIGHT_H
#define BINWRIGHT_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The ABI that this header describes. It grows by one when the table or a struct gets new members at its end; members
 * are never moved, changed or taken away. A table serves every consumer of its own or an older ABI. */
#define BW_ABI_VERSION 1

typedef struct bw_fleet bw_fleet;       /* a fleet; free with fleet_free */
typedef struct bw_external bw_external; /* an external term; a Python object of class binwright.External */

enum bw_status {
    BW_OK = 0,
    BW_INPUT = 1,       /* an argument is wrong */
    BW_STATE = 2,       /* out of order: not the newest checkpoint, a host that still holds items */
    BW_BUSY = 3,        /* another thread is inside this fleet, or an external term calls its own fleet */
    BW_MEMORY = 4,
    BW_INTERRUPTED = 5, /* Ctrl-C in Python's main thread */
    BW_FAILED = 6       /* an external term failed, or Python raised something else */
};

enum bw_verdict { BW_PLACED = 0, BW_UNSCHEDULABLE = 1, BW_UNRESOLVABLE = 2, BW_ERROR = 3 };

enum bw_score_kind { BW_LEAST = 0, BW_MOST = 1, BW_BALANCED = 2, BW_STATIC = 3 };
enum bw_normaliser { BW_AS_IT_IS = 0, BW_TO_MAX = 1, BW_REVERSED = 2, BW_MIN_MAX = 3 };

/* Structs that may grow begin with their size, set by the caller to sizeof(it): members beyond it count as 0 and are not
 * written. Those without (bw_score, bw_limit, bw_token) stay as they are. */

typedef struct bw_score {
    int32_t kind;      /* bw_score_kind; all resources with equal weights, BW_STATIC: what an external term gives */
    int32_t normalise; /* bw_normaliser, of BW_STATIC */
    int64_t weight;    /* 0..2^20 */
    const char *name;
} bw_score;

typedef struct bw_fleet_spec {
    int32_t size;
    int32_t resource_count;
    const char *const *resources; /* their names */
    int32_t rule_count;           /* rules of the caller's own, asked before "fit"; none: "eligible" serves */
    int32_t score_count;          /* none: least allocated over all resources */
    const char *const *rules;
    const bw_score *scores; /* summed in this order */
} bw_fleet_spec;

typedef struct bw_limit { /* at most so many in a host's domain */
    const char *rule;     /* that speaks when it is passed, NULL = "eligible" */
    const char *key;      /* label key of the domain, NULL = the host */
    int64_t most;
    int32_t counter;
    int32_t own; /* what one item of the class counts for */
} bw_limit;

typedef struct bw_class {
    int32_t size;
    int32_t priority;
    const int64_t *demand;   /* (resources,) what a host must have free */
    const int64_t *commit;   /* (resources,) what a placed one adds to used; NULL = demand */
    const int64_t *score;    /* (resources,) what the scores see; NULL = demand */
    const uint8_t *eligible; /* (hosts,) 0 = may not go there; NULL = may go everywhere, also to hosts added later */
    int32_t counter_count;   /* what a placed one adds to counters */
    int32_t limit_count;
    const int32_t *counters; /* (counter_count,) */
    const int64_t *amounts;  /* (counter_count,) 0..2^16; of a flag 1 */
    const bw_limit *limits;  /* (limit_count,) */
    bw_external *const *externals; /* (external_count,) */
    int32_t external_count;
} bw_class;

typedef struct bw_columns { /* borrowed from a fleet until hosts are added to it, or that is undone */
    int32_t size;
    int32_t resources;
    int64_t hosts;           /* slots, removed ones included */
    int64_t stride;          /* cells from one resource to the next */
    const int64_t *capacity; /* (resources, stride) */
    const int64_t *used;     /* (resources, stride) */
    const uint8_t *flags;    /* (hosts,) 0 = takes requests, 1 = cordoned, 2 = removed */
} bw_columns;

typedef struct bw_token { /* of a checkpoint */
    int64_t depth;
    int64_t number;
    int64_t made;
} bw_token;

/* An external term: a filter, a score, or both, of the embedder's own. Its functions are called without the GIL held,
 * from the thread that asks, one at a time per fleet; they may not call the fleet (BW_BUSY). They return 0, or
 * anything else to fail: the whole batch is then taken back and ends with BW_FAILED. The same question must get the
 * same answer: that is all there is to determinism. */
typedef struct bw_question { /* filled by binwright */
    int32_t size;
    int32_t request;           /* class number */
    const int64_t *demand;     /* (resources,) of the class */
    const bw_columns *columns; /* of the fleet */
} bw_question;

typedef struct bw_term {
    int32_t size;
    int32_t flags;     /* 0 */
    const char *name;  /* for messages */
    const char *rule;  /* static rule of the profile that `rejected` speaks for */
    const char *score; /* static score of the profile that `scores` fills */
    void *data;        /* first argument of all that follow */
    /* (hosts,), all -1 when called: write k >= 0 where the host is rejected, for reason k. NULL = no filter */
    int (*rejected)(void *data, const bw_question *question, int32_t *reasons);
    /* (hosts,), all 0 when called: write raw scores in 0..2^40. NULL = no score */
    int (*scores)(void *data, const bw_question *question, int64_t *scores);
    /* An item of a class came to a host (sign 1) or left it, or its coming was undone (-1). NULL = not told */
    int (*placed)(void *data, int64_t request, int64_t host, int32_t sign);
    /* Asked again only when this has changed, or hosts were added. NULL = asked at every decision */
    int64_t (*version)(void *data);
    /* Data for a fork of the fleet, NULL = out of memory. Needed with `placed`; without it forks share the data */
    void *(*fork)(void *data);
    /* The data is no longer needed: once for the original and for each fork. NULL = nothing to do */
    void (*release)(void *data);
} bw_term;

typedef struct bw_api {
    int32_t abi_version; /* BW_ABI_VERSION of this table */
    int32_t size;        /* sizeof(bw_api) of this table */
    const char *version; /* of binwright */

    /* Fleets. `fleet` is set also on failure, for error_text() and fleet_free(), unless memory ran out: NULL. */
    int (*fleet_new)(const bw_fleet_spec *spec, bw_fleet **fleet);
    /* The fleet behind a binwright.Fleet (a PyObject *); classes are `Request.index`. */
    int (*fleet_of)(void *python_fleet, bw_fleet **fleet);
    int (*fleet_fork)(bw_fleet *fleet, bw_fleet **copy);
    void (*fleet_free)(bw_fleet *fleet); /* NULL is fine */
    /* Its binwright.Fleet, a new reference; NULL when another thread is inside. Needs the GIL held. */
    void *(*fleet_python)(bw_fleet *fleet);
    /* One line about a status that a call with this fleet returned, valid until the next call. Never NULL. */
    const char *(*error_text)(const bw_fleet *fleet, int status);

    /* Hosts. Columns are arrays (count,) per resource; used NULL = nothing. `first` gets the first new index. */
    int (*hosts_add)(bw_fleet *fleet, int64_t count, const int64_t *const *capacity, const int64_t *const *used,
                     int64_t *first);
    int (*host_remove)(bw_fleet *fleet, int64_t host);
    int (*host_resize)(bw_fleet *fleet, int64_t host, const int64_t *capacity); /* (resources,) */
    int (*host_cordon)(bw_fleet *fleet, int64_t host, int cordoned);
    int (*columns)(bw_fleet *fleet, bw_columns *columns); /* [free] */

    /* Classes and counters. Equal classes get one number. */
    int (*class_new)(bw_fleet *fleet, const bw_class *spec, int32_t *number);
    int (*counter_new)(bw_fleet *fleet, int flag, int32_t *counter);
    int (*counter_value)(bw_fleet *fleet, int32_t counter, int64_t host, int64_t *value); /* [free] */

    /* Decisions, one after another; a batch is done whole or not at all. Answers are arrays (count,): host -1 = none,
     * score -1 without one, item id for `release`, bw_verdict. Any of the last three may be NULL. [free] */
    int (*place)(bw_fleet *fleet, int32_t number, int64_t count, int64_t *hosts, int64_t *scores, int64_t *items,
                 uint8_t *verdicts);
    int (*place_queue)(bw_fleet *fleet, const int64_t *numbers, int64_t count, int64_t *hosts, int64_t *scores,
                       int64_t *items, uint8_t *verdicts);
    int (*claim)(bw_fleet *fleet, const int64_t *numbers, int64_t count, const int64_t *hosts, int64_t *items);
    int (*release)(bw_fleet *fleet, const int64_t *items, int64_t count);
    /* What place() would decide now, in one line of at most `room` - 1 bytes. */
    int (*explain)(bw_fleet *fleet, int32_t number, char *text, int64_t room);

    /* Undo: last in, first out. */
    int (*checkpoint)(bw_fleet *fleet, bw_token *token);
    int (*rollback)(bw_fleet *fleet, const bw_token *token);
    int (*keep)(bw_fleet *fleet, const bw_token *token);

    /* External terms. `why` gets a static text on failure. The term is copied, its strings too. */
    int (*external_new)(const bw_term *term, bw_external **external, const char **why);
    void (*external_free)(bw_external *external); /* NULL is fine; classes keep theirs */
} bw_api;

/* Why a table cannot serve this header, NULL = it can. */
static inline const char *bw_unfit(const bw_api *api)
{
    if (api == 0 || api->abi_version < 1)
        return "this is no table of binwright";
    if (api->abi_version < BW_ABI_VERSION || api->size < (int32_t)sizeof(bw_api))
        return "the installed binwright is older than the one that this program was compiled with";
    return 0;
}

#ifdef Py_PYTHON_H

/* The table of the installed binwright; NULL with an ImportError that names both ABI versions. Needs the GIL. */
static inline const bw_api *bw_import(void)
{
    const bw_api *api = 0;
    const char *why;
    PyObject *module = PyImport_ImportModule("binwright.embedding");
    PyObject *capsule = module ? PyObject_GetAttrString(module, "table") : 0;
    if (capsule)
        api = (const bw_api *)PyCapsule_GetPointer(capsule, "binwright.embedding.table");
    Py_XDECREF(capsule);
    Py_XDECREF(module);
    if (api == 0)
        return 0;
    why = bw_unfit(api);
    if (why) {
        PyErr_Format(PyExc_ImportError, "%s: it offers ABI %d, needed is ABI %d (pip install --upgrade binwright)", why,
                     (int)api->abi_version, BW_ABI_VERSION);
        return 0;
    }
    return api; /* the module keeps it for as long as the process lives */
}

#endif

#ifdef __cplusplus
}
#endif
#endif
