/* SPDX-License-Identifier: Apache-2.0 */
/* The calls of paddock/router.h that take specs and entries as values, and answer in one pdk_error. */
#include <stdlib.h>

#include "internal.h"
#include "paddock/helpers.h"

/* "FILE:3:5: path: message", as far as these are known, and how many more there are. */
static void print_fault(const struct pdk_report *report, pdk_error *err) {
    const struct pdk_fault *fault = &report->faults[0];
    size_t size = sizeof err->message;
    char line[48], more[48];

    err->message[0] = '\0';
    if (fault->place.file) pdk_append(err->message, size, fault->place.file);
    snprintf(line, sizeof line, ":%u:%u", fault->place.line, fault->place.column);
    if (fault->place.file && fault->place.line) pdk_append(err->message, size, line);
    if (fault->place.file) pdk_append(err->message, size, ": ");
    if (fault->path && *fault->path) pdk_append(err->message, size, fault->path);
    if (fault->path && *fault->path) pdk_append(err->message, size, ": ");
    pdk_append(err->message, size, fault->message);
    snprintf(more, sizeof more, " (and %u more)", report->errors - 1);
    if (report->errors > 1) pdk_append(err->message, size, more);
}

static void print_hint(const struct pdk_fault *fault, pdk_error *err) {
    bool expected = fault->expected && *fault->expected, suggestion = fault->suggestion && *fault->suggestion;

    snprintf(err->hint, sizeof err->hint, "%s%s%s%s%s", expected ? fault->expected : "",
             expected && suggestion ? "; " : "", suggestion ? "did you mean \"" : "",
             suggestion ? fault->suggestion : "", suggestion ? "\"?" : "");
}

/* Ends the report. */
static int32_t answer(struct pdk_report *report, int32_t rc, pdk_error *err) {
    if (rc < 0 && err) {
        pdk_report_sort(report);
        err->code = rc;
        err->at = NULL;
        if (rc != -ENOMEM && report->count > 0) {
            print_fault(report, err);
            print_hint(&report->faults[0], err);
        } else if (!err->message[0]) {
            pdk_fail(err, rc, NULL, strerror(-rc), NULL, NULL);
        }
    }
    pdk_report_free(report);
    return rc;
}

static int32_t enter(pdk_router *router, const pdk_plugin *plugin, const char *file, const pdk_router_entry *entry,
                     pdk_error *err) {
    struct pdk_instance_options options = {.file = file, .host = &router->host};
    struct pdk_report report = {0};
    struct pdk_instance *instance;
    int32_t rc;

    if (entry && PDK_HAS(entry, name)) options.name = entry->name;
    if (entry && PDK_HAS(entry, labels)) options.labels = entry->labels;
    if (entry && PDK_HAS(entry, config)) options.config = entry->config;
    if (entry && PDK_HAS(entry, roles)) options.roles = entry->roles;
    if (err) err->message[0] = err->hint[0] = '\0';
    rc = pdk_instance_create(plugin, &options, &report, &instance);
    if (rc < 0) return answer(&report, rc, err);
    rc = pdk_router_take(router, instance, err);
    if (rc < 0) pdk_instance_free(instance);
    return answer(&report, rc, err);
}

int32_t pdk_router_add(pdk_router *router, const pdk_plugin *plugin, const pdk_router_entry *entry, pdk_error *err) {
    int32_t rc = pdk_plugin_check(plugin, err);

    return rc < 0 ? rc : enter(router, plugin, NULL, entry, err);
}

static int32_t libraries_reserve(pdk_router *router) {
    struct pdk_library *libraries = reallocarray(router->libraries, router->library_count + 1, sizeof *libraries);

    if (!libraries) return -ENOMEM;
    router->libraries = libraries;
    return 0;
}

int32_t pdk_router_load(pdk_router *router, const char *path, const pdk_router_entry *entry, pdk_error *err) {
    struct pdk_library library;
    int32_t rc = libraries_reserve(router);

    if (rc < 0) return pdk_fail(err, rc, NULL, strerror(-rc), NULL, NULL);
    rc = pdk_library_open(path, &library, err);
    if (rc < 0) return rc;
    rc = enter(router, library.plugin, library.path, entry, err);
    if (rc < 0)
        pdk_library_free(&library);
    else
        router->libraries[router->library_count++] = library;
    return rc;
}

static int32_t read_spec(const pdk_value *spec, struct pdk_report *report, struct pdk_task **ret, pdk_error *err) {
    static const struct pdk_task_options options = {0};

    if (err) err->message[0] = err->hint[0] = '\0';
    return pdk_task_read(spec, &options, report, ret);
}

int32_t pdk_router_route(pdk_router *router, const pdk_value *spec, const char **ret_runner, pdk_error *err) {
    struct pdk_report report = {0};
    const struct pdk_instance *instance;
    struct pdk_task *task = NULL;
    int32_t rc = read_spec(spec, &report, &task, err);

    if (rc < 0) return answer(&report, rc, err);
    instance = pdk_router_pick(router, task, &report);
    if (instance) *ret_runner = instance->name;
    rc = answer(&report, instance ? 0 : -ENOENT, err);
    pdk_task_drop(task);
    return rc;
}

struct telling {
    pdk_router_verdict each;
    void *arg;
};

static void tell(void *arg, struct pdk_instance *instance, enum pdk_verdict verdict, const char *text) {
    const struct telling *telling = arg;

    telling->each(telling->arg, instance->name, pdk_verdict_word(verdict), text);
}

int32_t pdk_router_explain(pdk_router *router, const pdk_value *spec, pdk_router_verdict each, void *arg,
                           pdk_error *err) {
    struct telling telling = {each, arg};
    struct pdk_report report = {0};
    struct pdk_task *task = NULL;
    int32_t rc = read_spec(spec, &report, &task, err);

    if (rc == 0) pdk_router_explain_task(router, task, tell, &telling);
    rc = answer(&report, rc, err);
    pdk_task_drop(task);
    return rc;
}

static void hand_out(struct pdk_built *built, pdk_router_task *ret) {
    uint32_t size = ret->struct_size;
    pdk_router_task full = {size, 0, built->ops, built->self, &built->task->plugin, built->instance->name, built};

    memcpy(ret, &full, size < sizeof full ? size : sizeof full);
}

int32_t pdk_router_build(pdk_router *router, const pdk_value *spec, pdk_router_task *ret, pdk_error *err) {
    struct pdk_built *built = calloc(1, sizeof *built);
    struct pdk_report report = {0};
    struct pdk_task *task = NULL;
    int32_t rc = -ENOMEM;

    if (!PDK_REACHES(ret, data))
        rc = pdk_fail(err, -EINVAL, NULL, "set ret->struct_size before", NULL, NULL);
    else if (built)
        rc = read_spec(spec, &report, &task, err);
    if (rc == 0) rc = pdk_router_build_task(router, task, &report, built);
    if (rc == 0)
        hand_out(built, ret);
    else
        free(built);
    rc = answer(&report, rc, err);
    pdk_task_drop(task);
    return rc;
}

void pdk_router_task_free(pdk_router_task *task) {
    struct pdk_built *built = task->data;

    if (!built) return;
    built->ops->destroy(built->self);
    pdk_task_drop(built->task);
    free(built);
    task->data = NULL;
}
