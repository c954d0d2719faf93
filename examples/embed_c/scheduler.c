/* A scheduler in C on binwright: a fleet, two classes, a what-if on a fork in a second thread. README.md says how to build. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <binwright/binwright.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define HOSTS 1000

static const bw_api *api;

static void check(bw_fleet *fleet, int status)
{
    if (status != BW_OK) {
        fprintf(stderr, "scheduler: %s\n", api->error_text(fleet, status));
        exit(1);
    }
}

/* Runs without the GIL: how many more large ones would fit? The fork is this thread's own. */
static void *fill(void *argument)
{
    bw_fleet *fork = argument;
    int64_t host = 0, placed = 0;
    for (;;) {
        check(fork, api->place(fork, 1, 1, &host, NULL, NULL, NULL));
        if (host < 0)
            break;
        placed++;
    }
    return (void *)(intptr_t)placed;
}

int main(void)
{
    const char *resources[] = {"cpu", "memory"};
    bw_fleet_spec spec = {.size = sizeof spec, .resource_count = 2, .resources = resources};
    int64_t cpu[HOSTS], memory[HOSTS], small[] = {1, 2}, large[] = {8, 32};
    const int64_t *capacity[] = {cpu, memory};
    bw_class asked = {.size = sizeof asked, .demand = small};
    bw_fleet *fleet, *fork;
    bw_token token;
    int32_t small_class, large_class;
    int64_t hosts[4], items[4];
    uint8_t verdicts[4];
    char text[256];
    pthread_t thread;
    void *fitted;
    int status;

    Py_Initialize();
    api = bw_import();
    if (!api) {
        PyErr_Print();
        return 1;
    }
    status = api->fleet_new(&spec, &fleet);
    check(fleet, status); /* there is a handle to ask also when it failed */
    for (int i = 0; i < HOSTS; i++) {
        cpu[i] = 16 + i % 2 * 16;
        memory[i] = 64;
    }
    check(fleet, api->hosts_add(fleet, HOSTS, capacity, NULL, NULL));
    check(fleet, api->class_new(fleet, &asked, &small_class));
    asked.demand = large;
    check(fleet, api->class_new(fleet, &asked, &large_class));

    check(fleet, api->place(fleet, small_class, 4, hosts, NULL, items, verdicts));
    printf("small ones on hosts %d %d %d %d\n", (int)hosts[0], (int)hosts[1], (int)hosts[2], (int)hosts[3]);
    check(fleet, api->fleet_fork(fleet, &fork));

    PyThreadState *state = PyEval_SaveThread(); /* from here on nobody holds the GIL */
    pthread_create(&thread, NULL, fill, fork);
    check(fleet, api->checkpoint(fleet, &token));
    check(fleet, api->release(fleet, items, 4));
    check(fleet, api->rollback(fleet, &token)); /* they are there again */
    pthread_join(thread, &fitted);
    check(fork, api->explain(fork, large_class, text, sizeof text));
    printf("%d large ones would fit; then: %s\n", (int)(intptr_t)fitted, text);
    if (api->release(fork, items, 4) != BW_OK || api->release(fork, items, 1) != BW_INPUT)
        return 1;
    printf("refused: %s\n", api->error_text(fork, BW_INPUT));
    PyEval_RestoreThread(state);

    api->fleet_free(fork);
    api->fleet_free(fleet);
    return Py_FinalizeEx();
}
