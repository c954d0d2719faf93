/* What a C program can get wrong: each is refused with a status and a line that names the argument, and nothing has
 * changed. Run by test_c.py, and by .ci/sanitize against a core with the address sanitizer. */
#include <Python.h>
#include <binwright/binwright.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const bw_api *api;
static int checks;

static void is(const char *call, int found, int status, const char *text, const char *said)
{
    checks++;
    if (found != status || !strstr(text, said)) {
        printf("%s: status %d, \"%s\"; wanted %d, \"%s\"\n", call, found, text, status, said);
        exit(1);
    }
}

#define REFUSED(call, status, said)                                                                                    \
    do {                                                                                                               \
        int found = (call);                                                                                            \
        is(#call, found, status, api->error_text(fleet, found), said);                                                 \
    } while (0)
#define FINE(call) REFUSED(call, BW_OK, "")

/* A fleet that cannot be made: the handle says why. */
static void no_fleet(const bw_fleet_spec *spec, const char *said)
{
    bw_fleet *fleet = NULL;
    REFUSED(api->fleet_new(spec, &fleet), BW_INPUT, said);
    REFUSED(api->place(fleet, 0, 1, &(int64_t){0}, NULL, NULL, NULL), BW_STATE, said);
    api->fleet_free(fleet);
}

static void descriptions(void)
{
    const char *names[] = {"cpu", "memory"}, *holes[] = {"cpu", NULL}, *bytes[] = {"cpu", "\xff\xfe"};
    bw_score unnamed = {.kind = BW_LEAST, .weight = 1};
    const bw_fleet_spec sound = {.size = sizeof sound, .resource_count = 2, .resources = names};
    bw_fleet_spec spec;

    no_fleet(NULL, "fleet_new: spec is NULL");
#define WITH(change, said)                                                                                             \
    do {                                                                                                               \
        spec = sound;                                                                                                  \
        change;                                                                                                        \
        no_fleet(&spec, said);                                                                                         \
    } while (0)
    WITH(spec.size = 0, "fleet_new: spec: size is 0");
    WITH(spec.size = -1, "fleet_new: spec: size is -1");
    WITH(spec.size = 1 << 30, "fleet_new: spec: size is 1073741824");
    WITH(spec.resources = NULL, "fleet_new: resources is NULL, and its count 2");
    WITH(spec.resource_count = -1, "fleet_new: resources: count -1 is outside");
    WITH(spec.resource_count = INT32_MAX, "fleet_new: resources: count 2147483647 is outside");
    WITH(spec.resources = holes, "fleet_new: resource 1 is NULL");
    WITH(spec.resources = bytes, "fleet_new: resource 1 is not UTF-8");
    WITH(spec.rule_count = 1, "fleet_new: rules is NULL");
    WITH((spec.rule_count = 2, spec.rules = bytes), "fleet_new: rule 1 is not UTF-8");
    WITH(spec.rule_count = INT32_MIN, "fleet_new: rules: count -2147483648 is outside");
    WITH(spec.score_count = 1, "fleet_new: scores is NULL");
    WITH((spec.score_count = 1, spec.scores = &unnamed), "fleet_new: name of score 0 is NULL");
#undef WITH
    if (api->fleet_new(&sound, NULL) != BW_INPUT || api->fleet_of(NULL, NULL) != BW_INPUT)
        exit(2);
    bw_fleet *fleet = NULL;
    REFUSED(api->fleet_of(NULL, &fleet), BW_INPUT, "fleet_of: python_fleet is NULL");
    api->fleet_free(fleet);
    REFUSED(api->fleet_of(Py_None, &fleet), BW_INPUT, "NoneType is not a binwright.Fleet");
    api->fleet_free(fleet);
}

static bw_fleet *made(void)
{
    const char *names[] = {"cpu", "memory"};
    const bw_fleet_spec spec = {.size = sizeof spec, .resource_count = 2, .resources = names};
    int64_t cells[] = {8, 8, 8}, demand[] = {1, 1};
    const int64_t *capacity[] = {cells, cells};
    const bw_class asked = {.size = sizeof asked, .demand = demand};
    bw_fleet *fleet = NULL;
    int32_t number = -1;
    FINE(api->fleet_new(&spec, &fleet));
    FINE(api->hosts_add(fleet, 3, capacity, NULL, NULL));
    FINE(api->class_new(fleet, &asked, &number));
    return fleet;
}

static void hosts(bw_fleet *fleet)
{
    int64_t cells[] = {8, 8}, first = 7, negative[] = {8, -1};
    const int64_t *capacity[] = {cells, cells}, *holes[] = {cells, NULL}, *below[] = {cells, negative};
    bw_columns seen = {.size = sizeof seen};

    REFUSED(api->hosts_add(fleet, -1, capacity, NULL, &first), BW_INPUT, "hosts_add: count -1 is outside");
    REFUSED(api->hosts_add(fleet, INT64_MAX, capacity, NULL, &first), BW_INPUT, "hosts_add: count 9223372036854775807");
    REFUSED(api->hosts_add(fleet, INT64_C(1) << 61, capacity, NULL, &first), BW_INPUT, "hosts_add: count");
    REFUSED(api->hosts_add(fleet, 2, NULL, NULL, &first), BW_INPUT, "hosts_add: capacity is NULL");
    REFUSED(api->hosts_add(fleet, 2, holes, NULL, &first), BW_INPUT, "hosts_add: capacity of 'memory' is NULL");
    REFUSED(api->hosts_add(fleet, 2, capacity, holes, &first), BW_INPUT, "hosts_add: used of 'memory' is NULL");
    REFUSED(api->hosts_add(fleet, 2, below, NULL, &first), BW_INPUT, "capacity of 'memory', host 1: -1 is negative");
    FINE(api->hosts_add(fleet, 0, NULL, NULL, NULL));
    REFUSED(api->host_remove(fleet, -1), BW_INPUT, "remove_hosts");
    REFUSED(api->host_remove(fleet, INT64_MIN), BW_INPUT, "remove_hosts");
    REFUSED(api->host_resize(fleet, 3, cells), BW_INPUT, "resize");
    REFUSED(api->host_resize(fleet, 0, NULL), BW_INPUT, "host_resize: capacity is NULL");
    REFUSED(api->host_cordon(fleet, INT64_MAX, 1), BW_INPUT, "cordon");
    REFUSED(api->columns(fleet, NULL), BW_INPUT, "columns: columns is NULL");
    seen.size = 0;
    REFUSED(api->columns(fleet, &seen), BW_INPUT, "columns: size: 0 is not sizeof(bw_columns)");
    seen.size = -5;
    REFUSED(api->columns(fleet, &seen), BW_INPUT, "columns: size: -5");
    seen.size = INT32_MAX;
    REFUSED(api->columns(fleet, &seen), BW_INPUT, "columns: size: 2147483647");
    seen.size = sizeof seen;
    FINE(api->columns(fleet, &seen));
    if (first != 7 || seen.hosts != 3)
        exit(3);
}

static void classes(bw_fleet *fleet)
{
    int64_t demand[] = {1, 1}, amounts[] = {1}, most[] = {INT64_MAX, INT64_MIN};
    int32_t counters[] = {0}, number = 7, missing[] = {5};
    bw_limit limit = {.most = 1, .counter = 9}, bytes = {.rule = "\xc3("}, key = {.key = "\xed\xa0\x80"};
    bw_external *none[] = {NULL};
    const bw_class sound = {.size = sizeof sound, .demand = demand};
    bw_class spec;

    REFUSED(api->class_new(fleet, NULL, &number), BW_INPUT, "class_new: spec is NULL");
    REFUSED(api->class_new(fleet, &sound, NULL), BW_INPUT, "class_new: number is NULL");
#define WITH(change, said)                                                                                             \
    do {                                                                                                               \
        spec = sound;                                                                                                  \
        change;                                                                                                        \
        REFUSED(api->class_new(fleet, &spec, &number), BW_INPUT, said);                                                \
    } while (0)
    WITH(spec.size = 4, "class_new: spec: size is 4");
    WITH(spec.size = INT32_MIN, "class_new: spec: size is -2147483648");
    WITH(spec.size = sizeof sound + 1, "class_new: spec: size is");
    WITH(spec.demand = NULL, "class_new: demand is NULL");
    WITH(spec.demand = most, "request: demand: 'cpu': 9223372036854775807 is more than");
    WITH(spec.commit = most, "9223372036854775807");
    WITH(spec.counter_count = 1, "class_new: counters is NULL, and its count 1");
    WITH((spec.counter_count = 1, spec.counters = counters), "class_new: amounts is NULL, and its count 1");
    WITH((spec.counter_count = -3, spec.counters = counters, spec.amounts = amounts), "class_new: counters: count -3");
    WITH((spec.counter_count = 1, spec.counters = missing, spec.amounts = amounts), "no counter 5");
    WITH(spec.limit_count = 2, "class_new: limits is NULL, and its count 2");
    WITH((spec.limit_count = INT32_MAX, spec.limits = &limit), "class_new: limits: count 2147483647");
    WITH((spec.limit_count = 1, spec.limits = &limit), "no counter 9");
    WITH((spec.limit_count = 1, spec.limits = &bytes), "class_new: rule of limit 0 is not UTF-8");
    WITH((spec.limit_count = 1, spec.limits = &key), "class_new: key of limit 0 is not UTF-8");
    WITH(spec.external_count = 1, "class_new: externals is NULL");
    WITH((spec.external_count = 1, spec.externals = none), "class_new: external 0 is NULL");
#undef WITH
    REFUSED(api->counter_new(fleet, 0, NULL), BW_INPUT, "counter_new: counter is NULL");
    FINE(api->counter_new(fleet, 0, &number));
    REFUSED(api->counter_value(fleet, number, 0, NULL), BW_INPUT, "counter_value: value is NULL");
    REFUSED(api->counter_value(fleet, -1, 0, demand), BW_INPUT, "counter_value: counter: -1 is not a counter");
    REFUSED(api->counter_value(fleet, number, INT64_MIN, demand), BW_INPUT, "counter_value: host: -9223372036854775808");
}

static void decisions(bw_fleet *fleet)
{
    int64_t numbers[] = {0, 0}, others[] = {0, INT64_MAX}, hosts[2], items[2], no_host[] = {0, -1}, no_item[] = {-1};
    char text[8] = "1234567";
    bw_token token = {0}, lie = {.depth = INT64_MAX, .number = INT64_MIN, .made = 1};

    REFUSED(api->place(fleet, 0, 2, NULL, NULL, NULL, NULL), BW_INPUT, "place: hosts is NULL");
    REFUSED(api->place(fleet, 0, -1, hosts, NULL, NULL, NULL), BW_INPUT, "place: count: -1 entries are too many");
    REFUSED(api->place(fleet, 0, INT64_MAX, hosts, NULL, NULL, NULL), BW_INPUT, "place: count: 9223372036854775807");
    REFUSED(api->place(fleet, -1, 1, hosts, NULL, NULL, NULL), BW_INPUT, "place: number: entry 0: -1 is not a class");
    REFUSED(api->place(fleet, INT32_MAX, 1, hosts, NULL, NULL, NULL), BW_INPUT, "2147483647 is not a class");
    FINE(api->place(fleet, 0, 0, NULL, NULL, NULL, NULL));
    REFUSED(api->place_queue(fleet, NULL, 2, hosts, NULL, NULL, NULL), BW_INPUT, "place_queue: numbers is NULL");
    REFUSED(api->place_queue(fleet, numbers, 2, NULL, NULL, NULL, NULL), BW_INPUT, "place_queue: hosts is NULL");
    REFUSED(api->place_queue(fleet, numbers, -9, hosts, NULL, NULL, NULL), BW_INPUT, "place_queue: count: -9");
    REFUSED(api->place_queue(fleet, others, 2, hosts, NULL, NULL, NULL), BW_INPUT, "place_queue: numbers: entry 1: 92233");
    REFUSED(api->claim(fleet, NULL, 1, hosts, items), BW_INPUT, "claim: numbers is NULL");
    REFUSED(api->claim(fleet, numbers, 1, NULL, items), BW_INPUT, "claim: hosts is NULL");
    REFUSED(api->claim(fleet, numbers, 2, numbers, NULL), BW_INPUT, "claim: items is NULL");
    REFUSED(api->claim(fleet, numbers, INT64_MIN, numbers, items), BW_INPUT, "claim: count: -9223372036854775808");
    REFUSED(api->claim(fleet, numbers, 2, no_host, items), BW_INPUT, "claim: hosts: entry 1: -1 is not a host");
    REFUSED(api->release(fleet, NULL, 1), BW_INPUT, "release: items is NULL");
    REFUSED(api->release(fleet, no_item, 1), BW_INPUT, "release: items: entry 0: -1 is not an item");
    REFUSED(api->release(fleet, no_item, INT64_C(1) << 40), BW_INPUT, "release: count: 1099511627776");
    REFUSED(api->explain(fleet, 0, NULL, 8), BW_INPUT, "explain: text is NULL");
    REFUSED(api->explain(fleet, 0, text, -1), BW_INPUT, "explain: room: -1 is negative");
    REFUSED(api->explain(fleet, 4, text, sizeof text), BW_INPUT, "explain: number: entry 0: 4 is not a class");
    FINE(api->explain(fleet, 0, NULL, 0));
    FINE(api->explain(fleet, 0, text, sizeof text));
    if (strlen(text) != 7)
        exit(4);
    REFUSED(api->checkpoint(fleet, NULL), BW_INPUT, "checkpoint: token is NULL");
    FINE(api->checkpoint(fleet, &token));
    REFUSED(api->rollback(fleet, NULL), BW_INPUT, "rollback: token is NULL");
    REFUSED(api->keep(fleet, NULL), BW_INPUT, "keep: token is NULL");
    REFUSED(api->rollback(fleet, &lie), BW_STATE, "not the newest open checkpoint");
    FINE(api->rollback(fleet, &token));
    REFUSED(api->rollback(fleet, &token), BW_STATE, "not the newest open checkpoint");
    REFUSED(api->fleet_fork(fleet, NULL), BW_INPUT, "fleet_fork: copy is NULL");
}

static int reject(void *data, const bw_question *question, int32_t *reasons) { return !data && !question && !reasons; }
static int told(void *data, int64_t request, int64_t host, int32_t sign) { return data && request + host + sign < 0; }

static void no_term(bw_term term, const char *said)
{
    bw_external *external = NULL;
    const char *why = NULL;
    int found = api->external_new(&term, &external, &why);
    is("external_new", found, BW_INPUT, why, said);
}

static void terms(void)
{
    const bw_term sound = {.size = sizeof sound, .rule = "own", .rejected = reject};
    bw_external *external;
    const char *why;
    bw_term term;
#define WITH(change, said)                                                                                             \
    do {                                                                                                               \
        term = sound;                                                                                                  \
        change;                                                                                                        \
        no_term(term, said);                                                                                           \
    } while (0)
    WITH(term.size = 0, "external_new: size");
    WITH(term.size = INT32_MAX, "external_new: size");
    WITH(term.flags = 1, "external_new: flags");
    WITH(term.rule = "\xff", "external_new: rule is not UTF-8");
    WITH(term.name = "\xff", "external_new: name is not UTF-8");
    WITH((term.score = "\xff"), "external_new: score is not UTF-8");
    WITH(term.rule = NULL, "external_new: rule and rejected");
    WITH(term.rejected = NULL, "external_new: rule and rejected");
    WITH(term.score = "s", "external_new: score and scores");
    WITH((term.rule = NULL, term.rejected = NULL), "external_new: rule and score are both NULL");
    WITH(term.placed = told, "external_new: fork is NULL");
#undef WITH
    int found = api->external_new(NULL, &external, &why);
    is("external_new", found, BW_INPUT, why, "external_new: term is NULL");
    found = api->external_new(&sound, NULL, &why);
    is("external_new", found, BW_INPUT, why, "external_new: external is NULL");
    is("external_new", api->external_new(NULL, NULL, NULL), BW_INPUT, "", "");
    is("external_new", api->external_new(&sound, &external, NULL), BW_OK, "", "");
    api->external_free(external);
    api->external_free(NULL);
}

/* A handle that was freed, or never was one, is no crash: its magic word is gone. */
static void handles(void)
{
    bw_fleet *fleet = made(), *fork = NULL, *nobody = NULL;
    struct { char bytes[4096]; } other;
    int64_t host, cells[] = {1, 1};
    const int64_t *capacity[] = {cells, cells};
    bw_columns seen = {.size = sizeof seen};
    bw_token token = {0};
    int32_t number;

    memset(&other, 0, sizeof other);
    FINE(api->fleet_fork(fleet, &fork));
    api->fleet_free(fleet);
    api->fleet_free(fleet);
    bw_fleet *stale[] = {fleet, nobody, (bw_fleet *)(void *)&other};
    const char *said[] = {"fleet: no handle, or freed before", "fleet: NULL", "fleet: no handle, or freed before"};
    for (int i = 0; i < 3; i++) {
        fleet = stale[i];
        REFUSED(api->place(fleet, 0, 1, &host, NULL, NULL, NULL), BW_INPUT, said[i]);
        REFUSED(api->place_queue(fleet, &host, 1, &host, NULL, NULL, NULL), BW_INPUT, said[i]);
        REFUSED(api->claim(fleet, &host, 1, &host, &host), BW_INPUT, said[i]);
        REFUSED(api->release(fleet, &host, 1), BW_INPUT, said[i]);
        REFUSED(api->hosts_add(fleet, 1, capacity, NULL, NULL), BW_INPUT, said[i]);
        REFUSED(api->host_remove(fleet, 0), BW_INPUT, said[i]);
        REFUSED(api->host_resize(fleet, 0, cells), BW_INPUT, said[i]);
        REFUSED(api->host_cordon(fleet, 0, 1), BW_INPUT, said[i]);
        REFUSED(api->columns(fleet, &seen), BW_INPUT, said[i]);
        REFUSED(api->class_new(fleet, NULL, &number), BW_INPUT, said[i]);
        REFUSED(api->counter_new(fleet, 0, &number), BW_INPUT, said[i]);
        REFUSED(api->counter_value(fleet, 0, 0, &host), BW_INPUT, said[i]);
        REFUSED(api->explain(fleet, 0, NULL, 0), BW_INPUT, said[i]);
        REFUSED(api->checkpoint(fleet, &token), BW_INPUT, said[i]);
        REFUSED(api->rollback(fleet, &token), BW_INPUT, said[i]);
        REFUSED(api->keep(fleet, &token), BW_INPUT, said[i]);
        REFUSED(api->fleet_fork(fleet, &nobody), BW_INPUT, said[i]);
        if (nobody || api->fleet_python(fleet))
            exit(5);
        api->fleet_free(fleet);
    }
    fleet = fork; /* lives on */
    FINE(api->place(fleet, 0, 1, &host, NULL, NULL, NULL));
    api->fleet_free(fleet);
    for (int i = 0; i < 1000; i++) /* those that were freed long ago are gone for good, and nothing grows */
        api->fleet_free(made());
}

int main(void)
{
    bw_fleet *fleet;
    Py_Initialize();
    api = bw_import();
    if (!api) {
        PyErr_Print();
        return 1;
    }
    descriptions();
    fleet = made();
    hosts(fleet);
    classes(fleet);
    decisions(fleet);
    bw_columns seen = {.size = sizeof seen};
    FINE(api->columns(fleet, &seen));
    for (int i = 0; i < 3; i++)
        if (seen.used[i] || seen.used[seen.stride + i]) /* nothing has changed */
            return 6;
    api->fleet_free(fleet);
    terms();
    handles();
    if (PyErr_Occurred())
        return 7;
    printf("%s\n", checks > 1000 ? "all refused" : "too few checks");
    return Py_FinalizeEx();
}
