/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The router in a program of your own: two runners from memory, one more from a file if one is given. A task is
 * made as a value, routed, explained, built and started; how it ended comes to `done`. Needs paddock-router alone.
 *     embed_router [PLUGIN.so]
 */
#include <stdio.h>
#include <stdlib.h>

#include <paddock/helpers.h>
#include <paddock/router.h>

/* A runner from memory is a plugin like any other; it is only not exported. `shout` writes its text in capitals. */
struct shout {
    const pdk_host *host;
    const char *text;
};

static int32_t shout_start(void *arg, const pdk_start *start, pdk_error *err) {
    struct shout *shout = arg;

    (void)err;
    for (const char *c = shout->text; *c; c++) {
        char upper = *c >= 'a' && *c <= 'z' ? (char)(*c - 'a' + 'A') : *c;
        shout->host->output(shout->host, start->attempt, PDK_STDOUT, &upper, 1);
    }
    shout->host->output(shout->host, start->attempt, PDK_STDOUT, "\n", 1);
    return pdk_succeed(shout->host, start->attempt, NULL);
}

static void shout_cancel(void *task, int32_t reason) {
    (void)task, (void)reason;
}

static int32_t shout_build(void *self, const pdk_spec *spec, void **ret, pdk_error *err) {
    struct shout *shout = calloc(1, sizeof *shout);
    int32_t rc;

    if (!shout) return -ENOMEM;
    shout->host = self;
    rc = pdk_need_string(shout->host, spec->with, "text", &shout->text, err);
    if (rc == 0)
        *ret = shout;
    else
        free(shout);
    return rc;
}

static int32_t shout_create(const pdk_host *host, const pdk_value *config, void **ret, pdk_error *err) {
    (void)config, (void)err;
    *ret = (void *)(uintptr_t)host;
    return 0;
}

static void shout_destroy(void *self) {
    (void)self;
}

static const pdk_param shout_params[] = {PDK_PARAM("text", PDK_STRING, PDK_REQUIRED, NULL, "What to shout"),
                                         PDK_PARAM_END};
static const pdk_schema shout_kind = PDK_SCHEMA("shout", "Writes in capitals", shout_params);
static const pdk_schema *const shout_kinds[] = {&shout_kind, NULL};
static const pdk_task_ops shout_task = {PDK_HEAD(pdk_task_ops), shout_start, shout_cancel, NULL, NULL, free, NULL};
static const pdk_runner_ops shout_runner = {PDK_HEAD(pdk_runner_ops), shout_kinds, &shout_task, NULL, shout_build};
static const pdk_plugin shout_plugin = {
    PDK_PLUGIN_HEAD, "shout", "1.0", "", "", NULL, NULL, &shout_runner, NULL, NULL, shout_create, NULL, NULL,
    shout_destroy,   NULL};

/* What the host does for plugins: here only what this program wants to hear. */
static int32_t on_output(const pdk_host *host, pdk_attempt attempt, int32_t stream, const char *data, size_t size) {
    (void)attempt, (void)stream;
    fwrite(data, 1, size, host->data);
    return 0;
}

static int32_t on_done(const pdk_host *host, pdk_attempt attempt, const pdk_result *result) {
    fprintf(host->data, "attempt %llu on %s %s\n", (unsigned long long)attempt, host->instance,
            result->status == PDK_SUCCESS ? "succeeded" : "did not succeed");
    return 0;
}

static void on_verdict(void *arg, const char *runner, const char *verdict, const char *text) {
    fprintf(arg, "  %-6s %-8s %s\n", runner, verdict, text);
}

static int failed(const char *what, const pdk_error *err) {
    fprintf(stderr, "%s: %s%s%s\n", what, err->message, err->hint[0] ? "; " : "", err->hint);
    return 1;
}

static void put(const pdk_values *v, pdk_writer *w, const char *key, const char *text) {
    v->key(w, key);
    v->put_string(w, text, strlen(text));
}

/* {name: NAME, kind: KIND, selector: {zone: local}, with: {KEY: TEXT}} */
static const pdk_value *make_spec(const char *name, const char *kind, const char *key, const char *text) {
    const pdk_values *v = pdk_values_get();
    pdk_writer *w = v->open(v);
    const pdk_value *spec = NULL;
    pdk_error err = PDK_ERROR;

    v->put_map(w);
    put(v, w, "name", name);
    put(v, w, "kind", kind);
    v->key(w, "selector");
    v->put_map(w);
    put(v, w, "zone", "local");
    v->end(w);
    v->key(w, "with");
    v->put_map(w);
    put(v, w, key, text);
    v->end(w);
    v->end(w);
    if (v->close(w, &spec, &err)) failed("spec", &err);
    return spec;
}

static int run(pdk_router *router, const pdk_value *spec, pdk_attempt attempt) {
    pdk_router_task task = {.struct_size = (uint32_t)sizeof task};
    pdk_start start = {
        .struct_size = (uint32_t)sizeof start, .number = 1, .attempt = attempt, .run_id = "", .trace = ""};
    pdk_error err = PDK_ERROR;
    const char *runner = NULL;
    int32_t rc;

    if (pdk_router_route(router, spec, &runner, &err)) return failed("route", &err);
    printf("taken by %s\n", runner);
    if (pdk_router_explain(router, spec, on_verdict, stdout, &err)) return failed("explain", &err);
    if (pdk_router_build(router, spec, &task, &err)) return failed("build", &err);
    rc = task.ops->start(task.task, &start, &err);
    if (rc < 0) failed("start", &err);
    pdk_router_task_free(&task);
    return rc < 0;
}

/* {zone: ZONE} */
static const pdk_value *make_labels(const char *zone) {
    const pdk_values *v = pdk_values_get();
    pdk_writer *w = v->open(v);
    const pdk_value *labels = NULL;
    pdk_error err = PDK_ERROR;

    v->put_map(w);
    put(v, w, "zone", zone);
    v->end(w);
    if (v->close(w, &labels, &err)) failed("labels", &err);
    return labels;
}

static int enter_and_run(pdk_router *router, const char *file) {
    const pdk_values *v = pdk_values_get();
    const pdk_value *far = make_labels("far"), *local = make_labels("local");
    const pdk_value *spec = make_spec("welcome", "shout", "text", "hello"), *greet = NULL;
    pdk_router_entry first = {.struct_size = (uint32_t)sizeof first, .name = "loud-1", .labels = far};
    pdk_router_entry second = {.struct_size = (uint32_t)sizeof second, .name = "loud-2", .labels = local};
    pdk_router_entry loaded = {.struct_size = (uint32_t)sizeof loaded, .labels = local};
    pdk_error err = PDK_ERROR;
    int rc = 0;

    if (pdk_router_add(router, &shout_plugin, &first, &err)) rc = failed("loud-1", &err);
    if (pdk_router_add(router, &shout_plugin, &second, &err)) rc = failed("loud-2", &err);
    if (file && pdk_router_load(router, file, &loaded, &err)) rc = failed("load", &err);
    if (rc == 0) rc = run(router, spec, 1);
    if (rc == 0 && file) {
        greet = make_spec("hello", "greet", "name", "embedder");
        rc = run(router, greet, 2);
    }
    v->drop(greet);
    v->drop(spec);
    v->drop(far);
    v->drop(local);
    return rc;
}

int main(int argc, char **argv) {
    pdk_host host = {.struct_size = (uint32_t)sizeof host, .name = "embed_router", .version = "1", .data = stdout};
    pdk_router_options options = {.struct_size = (uint32_t)sizeof options, .host = &host};
    pdk_router *router = NULL;
    pdk_error err = PDK_ERROR;
    int rc;

    host.output = on_output;
    host.done = on_done;
    if (pdk_router_create(&options, &router, &err)) return failed("router", &err);
    rc = enter_and_run(router, argc > 1 ? argv[1] : NULL);
    pdk_router_destroy(router);
    return rc;
}
