/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a function runs. Those that the operator maps are known from the start; any other is the declared task of its
 * name, or else the kind of its name, if the host lets us. What was found is kept: there are no more of them than
 * the operator has named.
 */
#include <stdlib.h>

#include "rrq.h"

static int compare(const void *a, const void *b) {
    const struct pdk_rrq_function *one = a, *other = b;
    return strcmp(one->name, other->name);
}

static const struct pdk_rrq_function *lookup(const struct pdk_rrq_functions *functions, const char *name) {
    const struct pdk_rrq_function key = {.name = name};
    return functions->count ? bsearch(&key, functions->list, functions->count, sizeof key, compare) : NULL;
}

static int32_t add(struct pdk_rrq_functions *functions, const struct pdk_rrq_function *function) {
    struct pdk_rrq_function copy = *function, *list = functions->list;
    if (functions->count == functions->capacity) {
        size_t capacity = functions->capacity ? functions->capacity * 2 : 16;
        list = reallocarray(list, capacity, sizeof *list);
        if (!list) return -ENOMEM;
        functions->list = list;
        functions->capacity = capacity;
    }
    copy.name = strdup(function->name);
    if (!copy.name) return -ENOMEM;
    list[functions->count++] = copy;
    qsort(list, functions->count, sizeof *list, compare);
    return 0;
}

static bool is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* The name of its runs: what a task may not be called by is replaced. */
static void name_run(const char *function, char *name, size_t size) {
    size_t n = 0;
    for (; function[n] && n < size - 1; n++)
        name[n] = is_word(function[n]) || (n && strchr(".-", function[n])) ? function[n] : '_';
    name[n] = '\0';
}

/* Nothing that a task or a kind could be called. */
static bool is_nobody(const char *name) {
    size_t n = 0;
    while (is_word(name[n]) || (n && name[n] && strchr(".-", name[n]))) n++;
    return name[n] || n == 0 || n > 63;
}

static void put_pair(const pdk_values *v, pdk_writer *w, const char *key, const char *text) {
    v->key(w, key);
    v->put_string(w, text, strlen(text));
}

/* {task: T}, or {name: .., kind: K} */
static int32_t prepare(struct pdk_rrq *self, const char *task, const char *kind, struct pdk_rrq_function *function,
                       pdk_error *err) {
    const pdk_values *v = self->host->values;
    const pdk_value *spec = NULL;
    char name[64];
    name_run(function->name, name, sizeof name);
    pdk_writer *w = v->open(v);
    v->put_map(w);
    if (task) put_pair(v, w, "task", task);
    if (!task) put_pair(v, w, "name", name);
    if (!task) put_pair(v, w, "kind", kind);
    v->end(w);
    int32_t rc = v->close(w, &spec, err);
    if (rc == 0) rc = self->source->prepare(self->source, spec, &function->base, err);
    v->drop(spec);
    if (rc < 0) return rc;
    function->with = !task;
    rc = add(&self->functions, function);
    if (rc < 0) self->source->release(self->source, function->base);
    return rc;
}

int32_t pdk_rrq_functions_find(struct pdk_rrq *self, const char *name, const struct pdk_rrq_function **ret,
                               pdk_error *err) {
    struct pdk_rrq_function function = {.name = name, .input = PDK_RRQ_INPUT_PARAMS};
    int32_t rc = 0;
    *ret = lookup(&self->functions, name);
    if (*ret) return 0;
    if (is_nobody(name)) return -ENOENT;
    rc = prepare(self, name, NULL, &function, err);
    if (rc == -ENOENT) {
        function.input = PDK_RRQ_INPUT_NONE;
        rc = prepare(self, NULL, name, &function, err);
    }
    if (rc == 0) *ret = lookup(&self->functions, name);
    return rc;
}

/* ---- what the operator maps */

static const char *const inputs[] = {"none", "params", "request"};

static int32_t read_input(const pdk_host *host, const pdk_value *entry, bool task, enum pdk_rrq_input *ret,
                          pdk_error *err) {
    const char *word = task ? "params" : "none";
    int32_t rc = pdk_take_string(host, entry, "input", &word, err);
    if (rc < 0) return rc;
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++) {
        *ret = (enum pdk_rrq_input)i;
        if (strcmp(word, inputs[i]) == 0) return 0;
    }
    return pdk_failf(err, -EINVAL, host->values->get(entry, "input"), "input is none, params or request, not \"%.60s\"",
                     word);
}

static int32_t check_keys(const pdk_host *host, const pdk_value *entry, pdk_error *err) {
    for (size_t i = 0; i < host->values->count(entry); i++) {
        const char *key = host->values->key_at(entry, i);
        if (strcmp(key, "task") != 0 && strcmp(key, "kind") != 0 && strcmp(key, "input") != 0)
            return pdk_failf(err, -EINVAL, host->values->at(entry, i),
                             "a function has task or kind, and input, but no \"%.60s\"", key);
    }
    return 0;
}

/* One of task and kind. */
static int32_t read_entry(const struct pdk_rrq *self, const pdk_value *entry, const char **ret_task,
                          const char **ret_kind, enum pdk_rrq_input *ret_input, pdk_error *err) {
    const pdk_host *host = self->host;
    *ret_task = *ret_kind = NULL;
    if (host->values->type(entry) != PDK_MAP)
        return pdk_fail(err, -EINVAL, entry, "a function wants a map: {task: NAME}, or {kind: NAME}", NULL, NULL);
    int32_t rc = check_keys(host, entry, err);
    if (rc == 0) rc = pdk_take_string(host, entry, "task", ret_task, err);
    if (rc == 0) rc = pdk_take_string(host, entry, "kind", ret_kind, err);
    if (rc == 0 && !*ret_task == !*ret_kind)
        rc = pdk_fail(err, -EINVAL, entry, "a function wants one of task and kind", NULL, NULL);
    return rc == 0 ? read_input(host, entry, *ret_task, ret_input, err) : rc;
}

int32_t pdk_rrq_functions_check(const struct pdk_rrq *self, pdk_error *err) {
    const pdk_values *v = self->host->values;
    const pdk_value *map = v->get(self->config, "functions");
    enum pdk_rrq_input input;
    const char *task, *kind;
    int32_t rc = 0;
    for (size_t i = 0; rc == 0 && i < v->count(map); i++)
        rc = read_entry(self, v->at(map, i), &task, &kind, &input, err);
    return rc;
}

int32_t pdk_rrq_functions_start(struct pdk_rrq *self, pdk_error *err) {
    const pdk_values *v = self->host->values;
    const pdk_value *map = v->get(self->config, "functions");
    int32_t rc = 0;
    for (size_t i = 0; rc == 0 && i < v->count(map); i++) {
        struct pdk_rrq_function function = {.name = v->key_at(map, i)};
        const char *task, *kind;
        pdk_error why = PDK_ERROR;
        rc = read_entry(self, v->at(map, i), &task, &kind, &function.input, err);
        if (rc == 0) rc = prepare(self, task, kind, &function, &why);
        if (rc < 0) pdk_failf(err, rc, v->at(map, i), "function %.60s: %.300s", function.name, why.message);
    }
    return rc;
}

void pdk_rrq_functions_free(struct pdk_rrq *self) {
    struct pdk_rrq_functions *functions = &self->functions;
    for (size_t i = 0; i < functions->count; i++) {
        self->source->release(self->source, functions->list[i].base);
        free((void *)(uintptr_t)functions->list[i].name);
    }
    free(functions->list);
    *functions = (struct pdk_rrq_functions){NULL, 0, 0};
}
