/* The memory traffic that a placement cannot do without, and nothing else: what bench/roofline.py times beside the
 * engine. Read and written are the engine's own structures: answers, change, feed, item record and its neighbour in the
 * host's list, the list's end, used and capacity of every resource, one counter. No decision is taken: hosts are given. */
#include <stdint.h>
#include <stdlib.h>

struct change { int64_t serial; int32_t host; int16_t idea, kind; int64_t what, old; };
struct item { int32_t request, host, previous, next, generation, priority, budgets; int64_t order; };
struct ends { int32_t first, last; };

/* Everything in memory that the caller has touched before. Returns a sum that keeps the compiler honest. */
int64_t replay(int64_t count, int64_t hosts, int64_t resources, const int64_t *chosen, int64_t *answers,
               struct change *changes, struct item *items, struct ends *ends, int64_t *used, const int64_t *capacity,
               int64_t *counter, int32_t *feed, int64_t feed_room)
{
    int64_t *scores = answers + count, *ids = scores + count, *positions = ids + count, sum = 0;
    uint8_t *verdicts = (uint8_t *)(positions + count);
    for (int64_t i = 0; i < count; i++) {
        int64_t host = chosen[i], least = INT64_MAX;
        for (int64_t r = 0; r < resources; r++) {
            int64_t free = capacity[r * hosts + host] - (used[r * hosts + host] += r + 1);
            least = free < least ? free : least;
        }
        sum += least;
        positions[i] = i;
        answers[i] = host;
        scores[i] = least;
        ids[i] = i;
        verdicts[i] = 0;
        changes[i] = (struct change){i + 1, (int32_t)host, 3, 0, i, 0};
        feed[i & (feed_room - 1)] = (int32_t)host;
        items[i] = (struct item){0, (int32_t)host, ends[host].last, -1, 0, 0, -1, 0};
        if (ends[host].last >= 0)
            items[ends[host].last].next = (int32_t)i;
        else
            ends[host].first = (int32_t)i;
        ends[host].last = (int32_t)i;
        counter[host]++;
    }
    return sum;
}
