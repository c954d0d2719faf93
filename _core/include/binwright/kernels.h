/* The table of block kernels: one filled copy per instruction set, one of them chosen at import.
 *
 * A block is BW_BLOCK hosts. Every pointer is the first host of a block in its column, 64-byte aligned.
 * `verdict` holds one int64 a host: its sign bit is set as soon as one rule rejects the host.
 * `narrow` kernels need capacities of at most BW_NARROW (2^45); `wide` ones take anything up to 2^56.
 */
#ifndef BINWRIGHT_KERNELS_H
#define BINWRIGHT_KERNELS_H

#include <stdint.h>

#define BW_KERNELS_VERSION 3
#define BW_BLOCK 256
#define BW_FAN 32     /* keys of a fan, one cache line */
#define BW_FAN_BITS 5
#define BW_NARROW (INT64_C(1) << 45)

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
     * writes level[0][slot] and what changes above it; descend finds the first slot of the largest key, -1 = none */
    void (*fold_keys)(const uint16_t *keys, int64_t fans, uint16_t *above);
    void (*climb)(uint16_t *const *level, int64_t depth, int64_t slot, uint16_t key);
    int64_t (*descend)(uint16_t *const *level, int64_t depth);
} bw_kernels;

#endif
