/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The smallest host that ABI 1.0 allows, and is never changed: a plugin made with later headers of this major must
 * load and run in it, unless it says by min_host_abi that it cannot.
 *     host PLUGIN.so KIND
 * Its values are just enough for one map of texts.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <paddock/helpers.h>

struct pdk_value {
    int32_t type;
    const char *text;
};

struct pdk_writer {
    int depth;
};

static const pdk_value empty = {PDK_MAP, ""}, name = {PDK_STRING, "old"};
static const pdk_value with = {PDK_MAP, "with"}, output = {PDK_MAP, "output"};
static pdk_writer writer;

static int32_t v_type(const pdk_value *v) {
    return v ? v->type : PDK_NULL;
}
static size_t v_count(const pdk_value *v) {
    return v == &with ? 1 : v_type(v) == PDK_STRING ? strlen(v->text) : 0;
}
static const pdk_value *v_get(const pdk_value *v, const char *key) {
    return v == &with && strcmp(key, "name") == 0 ? &name : NULL;
}
static const pdk_value *v_at(const pdk_value *v, size_t i) {
    return v == &with && i == 0 ? &name : NULL;
}
static const char *v_key_at(const pdk_value *v, size_t i) {
    return v == &with && i == 0 ? "name" : NULL;
}
static int32_t v_absent(const pdk_value *v) {
    return v_type(v) == PDK_NULL ? -ENOENT : -EINVAL;
}
static int32_t v_boolean(const pdk_value *v, int32_t *ret) {
    (void)ret;
    return v_absent(v);
}
static int32_t v_integer(const pdk_value *v, int64_t *ret) {
    (void)ret;
    return v_absent(v);
}
static int32_t v_number(const pdk_value *v, double *ret) {
    (void)ret;
    return v_absent(v);
}
static int32_t v_amount(const pdk_value *v, uint64_t *ret) {
    (void)ret;
    return v_absent(v);
}
static size_t v_where(const pdk_value *v, char *buf, size_t size) {
    (void)v;
    return (size_t)snprintf(buf, size, "here");
}
static const pdk_value *v_hold(const pdk_value *v) {
    return v;
}
static void v_drop(const pdk_value *v) {
    (void)v;
}

static int32_t v_string(const pdk_value *v, const char **ret) {
    if (v_type(v) != PDK_STRING) return v_absent(v);
    *ret = v->text;
    return 0;
}

static pdk_writer *w_open(const pdk_values *v) {
    (void)v;
    writer.depth = 0;
    return &writer;
}
static void w_null(pdk_writer *w) {
    (void)w;
}
static void w_bool(pdk_writer *w, int32_t b) {
    (void)w;
    (void)b;
}
static void w_int(pdk_writer *w, int64_t i) {
    (void)w;
    (void)i;
}
static void w_number(pdk_writer *w, double d) {
    (void)w;
    (void)d;
}
static void w_string(pdk_writer *w, const char *data, size_t size) {
    (void)w;
    (void)data;
    (void)size;
}
static void w_value(pdk_writer *w, const pdk_value *v) {
    (void)w;
    (void)v;
}
static void w_open_one(pdk_writer *w) {
    w->depth++;
}
static void w_key(pdk_writer *w, const char *key) {
    (void)w;
    (void)key;
}
static void w_end(pdk_writer *w) {
    w->depth--;
}

static int32_t w_close(pdk_writer *w, const pdk_value **ret, pdk_error *err) {
    if (w->depth != 0) return pdk_fail(err, -EINVAL, NULL, "not ended", NULL, NULL);
    if (ret) *ret = &output;
    return 0;
}

static int32_t v_parse(const pdk_values *v, const char *data, size_t size, const char *origin, const pdk_value **ret,
                       pdk_error *err) {
    (void)v;
    (void)data;
    (void)size;
    (void)origin;
    (void)ret;
    return pdk_fail(err, -ENOTSUP, NULL, "no JSON here", NULL, NULL);
}

static int32_t v_print(const pdk_values *v, const pdk_value *value, uint32_t flags, pdk_write write, void *arg) {
    (void)v;
    (void)value;
    (void)flags;
    write(arg, "{}", 2);
    return 0;
}

static const pdk_values values = {PDK_HEAD(pdk_values),
                                  NULL,
                                  v_type,
                                  v_count,
                                  v_get,
                                  v_at,
                                  v_key_at,
                                  v_boolean,
                                  v_integer,
                                  v_number,
                                  v_string,
                                  v_amount,
                                  v_amount,
                                  v_where,
                                  v_hold,
                                  v_drop,
                                  w_open,
                                  w_null,
                                  w_bool,
                                  w_int,
                                  w_number,
                                  w_string,
                                  w_value,
                                  w_open_one,
                                  w_open_one,
                                  w_key,
                                  w_end,
                                  w_close,
                                  v_parse,
                                  v_print};

static uint64_t h_clock(const pdk_host *h) {
    struct timespec t;
    (void)h;
    clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

static void h_log(const pdk_host *h, int32_t level, pdk_attempt a, const char *text) {
    (void)h;
    (void)a;
    printf("log %d: %s\n", level, text);
}
static void h_health(const pdk_host *h, int32_t state, const char *text) {
    (void)h;
    printf("health %d: %s\n", state, text);
}
static void h_stopped(const pdk_host *h) {
    (void)h;
    printf("stopped\n");
}
static int32_t h_progress(const pdk_host *h, pdk_attempt a, double f, const char *text) {
    (void)h;
    (void)a;
    printf("progress %g: %s\n", f, text);
    return 0;
}
static int32_t h_ready(const pdk_host *h, pdk_attempt a) {
    (void)h;
    (void)a;
    printf("ready\n");
    return 0;
}
static const void *h_extension(const pdk_host *h, const char *id) {
    (void)h;
    (void)id;
    return NULL;
}

static int32_t h_done(const pdk_host *h, pdk_attempt a, const pdk_result *r) {
    (void)h;
    printf("done %u: status %d%s\n", (unsigned)a, r->status, r->output == &output ? ", with output" : "");
    return 0;
}

static int32_t h_output(const pdk_host *h, pdk_attempt a, int32_t stream, const char *data, size_t size) {
    (void)h;
    (void)a;
    printf("output %d: %.*s", stream, (int)size, data);
    return 0;
}

static const pdk_host host = {(uint32_t)sizeof(pdk_host),
                              PDK_ABI,
                              "old-host",
                              "1.0",
                              "one",
                              PDK_ROLE_RUNNER,
                              0,
                              NULL,
                              &values,
                              h_clock,
                              h_clock,
                              h_log,
                              h_health,
                              h_stopped,
                              h_done,
                              h_output,
                              h_progress,
                              h_ready,
                              h_extension};

static const pdk_plugin *load(const char *file) {
    void *handle = dlopen(file, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    const pdk_plugin *plugin = handle ? (const pdk_plugin *)dlsym(handle, "pdk_plugin_entry") : NULL;

    if (!plugin) {
        printf("not loaded: %s\n", dlerror());
        return NULL;
    }
    if (plugin->magic != PDK_MAGIC || plugin->abi_version >> 16 != 1 || plugin->struct_size < sizeof *plugin) {
        printf("not of ABI 1\n");
        return NULL;
    }
    if (plugin->min_host_abi > PDK_ABI_MAKE(1, 0)) {
        printf("needs a later host\n");
        return NULL;
    }
    if (!plugin->runner || plugin->runner->struct_size < sizeof *plugin->runner ||
        plugin->runner->task->struct_size < sizeof *plugin->runner->task) {
        printf("no runner\n");
        return NULL;
    }
    return plugin;
}

static int run(const pdk_plugin *plugin, void *self, const char *kind) {
    pdk_spec spec = {PDK_HEAD(pdk_spec), kind, "t", "t", &with, &empty, NULL, &empty, 0, 0};
    pdk_start start = {(uint32_t)sizeof(pdk_start), 1, 7, "frozen-t-1", 0, "", ""};
    pdk_error err = PDK_ERROR;
    void *task = NULL;
    int32_t rc;

    if (PDK_HAS(plugin->runner, supports) && plugin->runner->supports(self, &spec, NULL) != 1) {
        printf("not supported\n");
        return 1;
    }
    rc = plugin->runner->build_task(self, &spec, &task, &err);
    if (rc) {
        printf("not built: %s\n", err.message);
        return 1;
    }
    rc = plugin->runner->task->start(task, &start, &err);
    if (rc) printf("not started: %s\n", err.message);
    plugin->runner->task->destroy(task);
    return rc != 0;
}

int main(int argc, char **argv) {
    const pdk_plugin *plugin = argc == 3 ? load(argv[1]) : NULL;
    pdk_error err = PDK_ERROR;
    void *self = NULL;
    int bad;

    if (!plugin) return 1;
    if (plugin->create(&host, &empty, &self, &err)) {
        printf("not created: %s\n", err.message);
        return 1;
    }
    if (PDK_HAS(plugin, start) && plugin->start(self, &err)) {
        printf("not begun: %s\n", err.message);
        return 1;
    }
    bad = run(plugin, self, argv[2]);
    if (PDK_HAS(plugin, stop)) plugin->stop(self);
    plugin->destroy(self);
    return bad;
}
