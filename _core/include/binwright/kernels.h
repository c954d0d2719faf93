/* The table of block kernels: one filled copy per instruction set, one of them chosen at import.
 *
 * A block is BW_BLOCK hosts. Every pointer is the first host of a block in its column, 64-byte aligned.
 * `verdict` holds one int64 a host: its sign bit is set as soon as one rule rejects the host.
 * `narrow` kernels need capacities of at most BW_NARROW (2^45); `wide` ones take anything up to 2^56.
 */
#ifndef BINWRIGHT_KERNELS_H
#define BINWRIGHT_KERNELS_H

#include <stdint.h>

#define BW_KERNELS_VERSION 6
#define BW_BLOCK 256
#define BW_FAN 32     /* keys of a fan, one cache line */
#define BW_FAN_BITS 5
#define BW_NARROW (INT64_C(1) << 45)
#define BW_WHOLE 51200  /* a whole capacity in the 16-bit units of bounds: 512 a percent */
#define BW_INVERSE 65535 /* the inverse of a resource's unit of size */

/* What bounds the totals of one decision. Bounds are never below the totals and need no divisions: what a demand leaves
 * of a resource is rounded up, by at most `slack` units of BW_WHOLE; shares of it are whole percents. */
typedef struct bw_left {
    int32_t resource;
    int32_t filtered;   /* a host where the demand does not fit is out */
    uint16_t demand;    /* in BW_WHOLE-ths of the resource's size, */
    uint16_t shift;     /* shifted down by this */
    uint16_t slack;
} bw_left;

typedef struct bw_share {
    int32_t left;       /* its number */
    uint16_t some;      /* some hosts have none of the resource; the mean leaves it out there */
    uint16_t weight;    /* in the mean */
} bw_share;

enum { BW_FREE = 0, BW_TAKEN = 1, BW_EVEN = 2, BW_ALL = 3 };

typedef struct bw_gain {
    int32_t kind;       /* mean of shares free or taken; evenness; or the 100 that no score exceeds */
    int32_t first, count;   /* shares */
    uint16_t weight;
    uint16_t factor;    /* of a mean: 2^16 / sum of weights, rounded up; of evenness: 2^16 / sqrt(2 count), down */
    uint16_t slack;     /* the largest of its lefts */
} bw_gain;

/* A block of 16-bit numbers that a kernel works on: a vector never crosses a cache line. */
#if defined(__GNUC__)
typedef struct bw_row { uint16_t cell[BW_BLOCK]; } __attribute__((aligned(64))) bw_row;
#else
typedef struct bw_row { uint16_t cell[BW_BLOCK]; } bw_row;
#endif

#define BW_LEFTS 24
#define BW_SHARES 64
#define BW_GAINS 32

typedef struct bw_bounds {
    int32_t resources;  /* of the fleet */
    int32_t lefts, shares, gains;
    bw_left left[BW_LEFTS];
    bw_share share[BW_SHARES];
    bw_gain gain[BW_GAINS];
} bw_bounds;

typedef struct bw_kernels {
    int32_t version; /* BW_KERNELS_VERSION of the copy */
    int32_t size;    /* sizeof(bw_kernels) of the copy */

    /* filters */
    void (*open_hosts)(const uint8_t *flags, int64_t *verdict);
    void (*reject)(const uint32_t *mask, int64_t *verdict);
    void (*fit)(const int64_t *capacity, const int64_t *used, int64_t demand, int64_t *verdict);
    int64_t (*count_open)(const int64_t *verdict);

    /* shares of one resource: sum += weight * share in 0..100, weights += weight; a capacity of 0 is left out.
     * [0] narrow, [1] wide */
    void (*least[2])(const int64_t *capacity, const int64_t *used, int64_t demand, int64_t weight, int64_t *sum,
                     int64_t *weights);
    void (*most[2])(const int64_t *capacity, const int64_t *used, int64_t demand, int64_t weight, int64_t *sum,
                    int64_t *weights);
    void (*ratio[2])(const int64_t *capacity, const int64_t *used, int64_t demand, int64_t weight,
                     const int64_t *table, int64_t *sum, int64_t *weights);
    void (*mean_floor)(const int64_t *sum, const int64_t *weights, int64_t *score);
    void (*mean_round)(const int64_t *sum, const int64_t *weights, int64_t *score);

    /* evenness of two resources [0] narrow, [1] wide; of any number of them */
    void (*balance_two[2])(const int64_t *const *capacity, const int64_t *const *used, const int64_t *demand,
                           int64_t *score);
    void (*balance_any)(const int64_t *const *capacity, const int64_t *const *used, const int64_t *demand,
                        int64_t count, int64_t *score);

    /* normalisers of a raw column; extremes are over hosts with an open verdict and carry `extreme` along */
    int64_t (*raw_max)(const int64_t *raw, const int64_t *verdict, int64_t extreme);
    int64_t (*raw_min)(const int64_t *raw, const int64_t *verdict, int64_t extreme);
    void (*scale_up)(const int64_t *raw, int64_t top, int64_t *score);
    void (*scale_down)(const int64_t *raw, int64_t top, int64_t *score);
    void (*scale_between)(const int64_t *raw, int64_t low, int64_t high, int64_t *score);

    /* totals: hosts with a rejecting verdict end at -1 */
    void (*add)(const int64_t *score, int64_t weight, int64_t *total);
    void (*close)(const int64_t *verdict, int64_t *total);
    int64_t (*highest)(const int64_t *total);

    /* cells of the `count` <= BW_BLOCK hosts listed, the rest of the block 0 */
    void (*gather)(const int64_t *column, const int32_t *hosts, int64_t count, int64_t *cells);

    /* trees of keys: level[0] has a key per slot, 0 = none, level[l + 1] the largest key of each BW_FAN of level[l], the
     * last of `depth` levels one fan; unused keys are 0. fold_keys makes the next level from `fans` fans; climb
     * writes level[0][slot] and what changes above it; descend finds the first slot of the largest key, -1 = none;
     * succeed is both for a slot that was that one and gets another key above 0 */
    void (*fold_keys)(const uint16_t *keys, int64_t fans, uint16_t *above);
    void (*climb)(uint16_t *const *level, int64_t depth, int64_t slot, uint16_t key);
    int64_t (*descend)(uint16_t *const *level, int64_t depth);
    int64_t (*succeed)(uint16_t *const *level, int64_t depth, int64_t slot, uint16_t key);

    /* bounds in 16 bits: shade [0] narrow, [1] wide derives what they read of one resource: room = what is free in
     * BW_WHOLE-ths of the capacity, rounded up; inverse = size / capacity in BW_INVERSE-ths, rounded down. bound writes
     * the keys of a block whose cells are these two columns for each resource and then `closed` (0 = takes requests):
     * 0 where a demand does not fit, the host is closed or `extra` is 0, else extra + the gains; returns the highest.
     * potential: the most that the gains could come to at a host that is not closed, whatever the demands are, 0 = all are
     * closed. top and find: the highest key of a block, and the first one of a height, -1 = none */
    void (*shade[2])(const int64_t *capacity, const int64_t *used, int64_t size, uint16_t *room, uint16_t *inverse);
    int64_t (*bound)(const bw_bounds *bounds, const uint16_t *cells, const uint16_t *extra, uint16_t *key);
    int64_t (*potential)(const bw_bounds *bounds, const uint16_t *cells);
    int64_t (*top)(const uint16_t *key);
    int64_t (*find)(const uint16_t *key, int64_t value);
} bw_kernels;

#endif
