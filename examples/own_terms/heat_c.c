/* The term of heat_python.py in C: four functions, and the data that they work on. The module's function makes it. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <binwright/binwright.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    int64_t limit, watts, version;
    int64_t room;
    int64_t *heat; /* (room,) */
} heat_data;

static int make_room(heat_data *mine, int64_t hosts)
{
    if (hosts > mine->room) {
        int64_t *grown = realloc(mine->heat, (size_t)hosts * sizeof *grown);
        if (!grown)
            return 1;
        memset(grown + mine->room, 0, (size_t)(hosts - mine->room) * sizeof *grown);
        mine->heat = grown;
        mine->room = hosts;
    }
    return 0;
}

static int rejected(void *data, const bw_question *question, int32_t *reasons)
{
    heat_data *mine = data;
    if (make_room(mine, question->columns->hosts))
        return 1;
    for (int64_t host = 0; host < question->columns->hosts; host++)
        if (mine->heat[host] + mine->watts > mine->limit)
            reasons[host] = (int32_t)mine->heat[host];
    return 0;
}

static int scores(void *data, const bw_question *question, int64_t *scores)
{
    heat_data *mine = data;
    if (make_room(mine, question->columns->hosts))
        return 1;
    for (int64_t host = 0; host < question->columns->hosts; host++) {
        int64_t left = mine->limit - mine->heat[host] - mine->watts;
        scores[host] = left > 0 ? left * 1000 / mine->limit : 0;
    }
    return 0;
}

static int placed(void *data, int64_t request, int64_t host, int32_t sign)
{
    heat_data *mine = data;
    (void)request;
    if (make_room(mine, host + 1))
        return 1;
    mine->heat[host] += sign * mine->watts;
    mine->version++;
    return 0;
}

static int64_t version(void *data) { return ((heat_data *)data)->version; }

static void release(void *data)
{
    free(((heat_data *)data)->heat);
    free(data);
}

static void *fork_heat(void *data)
{
    heat_data *mine = data, *other = calloc(1, sizeof *other);
    if (!other)
        return NULL;
    other->limit = mine->limit;
    other->watts = mine->watts;
    if (make_room(other, mine->room)) {
        free(other);
        return NULL;
    }
    if (mine->room)
        memcpy(other->heat, mine->heat, (size_t)mine->room * sizeof *other->heat);
    return other;
}

static PyObject *heat(PyObject *module, PyObject *arguments)
{
    long long limit, watts;
    const bw_api *api = bw_import();
    const char *why;
    bw_external *made;
    heat_data *data;
    (void)module;
    if (!api || !PyArg_ParseTuple(arguments, "LL", &limit, &watts))
        return NULL;
    data = calloc(1, sizeof *data);
    if (!data)
        return PyErr_NoMemory();
    data->limit = limit;
    data->watts = watts;
    bw_term term = {.size = sizeof term, .name = "heat", .rule = "heat", .score = "cool", .data = data,
                    .rejected = rejected, .scores = scores, .placed = placed, .version = version,
                    .fork = fork_heat, .release = release};
    if (api->external_new(&term, &made, &why)) {
        release(data);
        return PyErr_Format(PyExc_ValueError, "%s", why);
    }
    return (PyObject *)made; /* a binwright.External, for Fleet.request(external=[...]) */
}

static PyMethodDef functions[] = {{"heat", heat, METH_VARARGS, "heat(limit, watts): the term."}, {0}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, .m_name = "heat_c", .m_methods = functions};

PyMODINIT_FUNC PyInit_heat_c(void) { return PyModule_Create(&module); }
