/* SPDX-License-Identifier: Apache-2.0 */
/* Gives back what it was given: the message, or else the input. It is done before start returns. */
#include <stdlib.h>

#include "echo.h"

struct echo {
    const pdk_host *host;
    const pdk_value *message; /* the spec's; NULL: nothing was given */
    int32_t print;
};

static const pdk_param params[] = {
    PDK_PARAM("message", PDK_ANY, 0, NULL, "What to give back; default: the input"),
    PDK_PARAM("print", PDK_BOOL, 0, "false", "Write it to the output as well: text as it is, all else as JSON"),
    PDK_PARAM("input", PDK_ANY, 0, NULL, "What to give back when there is no message"),
    PDK_PARAM_END,
};

const pdk_schema pdk_echo_kind = PDK_SCHEMA("echo", "Give back what it was given", params);

int32_t pdk_echo_build(void *self, const pdk_spec *spec, void **ret, pdk_error *err) {
    const pdk_host *host = self;
    const pdk_values *values = host->values;
    const pdk_value *const choices[] = {values->get(spec->with, "message"), values->get(spec->with, "input"),
                                        spec->input};
    struct echo *task = calloc(1, sizeof *task);
    int32_t rc;
    if (!task) return -ENOMEM;
    task->host = host;
    for (size_t i = 0; i < 3 && !task->message; i++)
        if (values->type(choices[i]) != PDK_NULL) task->message = choices[i];
    rc = pdk_take_boolean(host, spec->with, "print", &task->print, err);
    if (rc) {
        free(task);
        return rc;
    }
    *ret = task;
    return 0;
}

/* A value printed in pieces, gathered so that the line is one piece of output. */
struct gathered {
    char *data;
    size_t size, capacity;
    int32_t failed;
};

static void gather(void *arg, const char *data, size_t size) {
    struct gathered *g = arg;
    if (g->failed || size == 0) return;
    if (size > g->capacity - g->size) {
        size_t capacity = (g->size + size) * 2;
        char *larger = realloc(g->data, capacity);
        if (!larger) {
            g->failed = 1;
            return;
        }
        g->data = larger;
        g->capacity = capacity;
    }
    memcpy(g->data + g->size, data, size);
    g->size += size;
}

static int32_t print(const struct echo *task, pdk_attempt attempt) {
    const pdk_host *host = task->host;
    struct gathered g = {NULL, 0, 0, 0};
    const char *text = NULL;
    int32_t rc = 0;
    if (!host->values->string(task->message, &text))
        gather(&g, text, host->values->count(task->message));
    else
        rc = host->values->print(host->values, task->message, PDK_JSON_PLAIN, gather, &g);
    gather(&g, "\n", 1);
    if (g.failed) rc = -ENOMEM;
    if (!rc) (void)host->output(host, attempt, PDK_STDOUT, g.data, g.size);
    free(g.data);
    return rc;
}

static int32_t start(void *data, const pdk_start *how, pdk_error *err) {
    const struct echo *task = data;
    int32_t rc = task->print ? print(task, how->attempt) : 0;
    if (rc) return pdk_fail(err, rc, NULL, "the message cannot be printed", NULL, NULL);
    (void)pdk_succeed(task->host, how->attempt, task->message);
    return 0;
}

/* It may cross the done that start has made; there is nothing left to stop. */
static void cancel(void *data, int32_t reason) {
    (void)data;
    (void)reason;
}

const pdk_task_ops pdk_echo_task_ops = {PDK_HEAD(pdk_task_ops), start, cancel, NULL, NULL, free, NULL};
