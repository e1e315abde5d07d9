/* SPDX-License-Identifier: Apache-2.0 */
/* The host as a whole: it is made around one instance, and ends with a look at what that left behind. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/testhost/heap.h"
#include "core/testhost/internal.h"
#include "paddock/helpers.h"

static _Atomic uint32_t made;
static _Atomic int alive; /* hosts in this process: the heap is shared by all of them */

static const char *copy(pdk_test *t, const char *text) {
    return text ? pdk_arena_text(&t->arena, text, strlen(text)) : NULL;
}

static int32_t copy_services(pdk_test *t, const pdk_test_service *from) {
    pdk_test_service *to;
    size_t n = 0;
    if (!from) return 0;
    while (from[n].id) n++;
    to = pdk_arena_alloc(&t->arena, (n + 1) * sizeof *to);
    for (size_t i = 0; to && i < n; i++) to[i] = (pdk_test_service){copy(t, from[i].id), from[i].service};
    t->options.services = to;
    return to ? 0 : -ENOMEM;
}

static int32_t copy_options(pdk_test *t, const pdk_test_options *options) {
    size_t size = options ? options->struct_size : 0;
    if (options) memcpy(&t->options, options, size < sizeof t->options ? size : sizeof t->options);
    t->options.config = copy(t, t->options.config ? t->options.config : "{}");
    t->options.instance = copy(t, t->options.instance ? t->options.instance : "test");
    t->real = (t->options.flags & PDK_TEST_REAL) != 0;
    return t->options.config && t->options.instance ? copy_services(t, t->options.services) : -ENOMEM;
}

static void release(pdk_test *t) {
    struct pdk_buffer *const buffers[] = {&t->log, &t->record, &t->shown_log, &t->shown_record, &t->page};
    for (size_t i = 0; i < t->value_count; i++) pdk_values_get()->drop(t->values[i]);
    free(t->values);
    for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++) pdk_buffer_free(buffers[i]);
    if (t->library.plugin) pdk_library_free(&t->library);
    if (t->wake >= 0) close(t->wake);
    pdk_arena_free(&t->arena);
    (void)pthread_mutex_destroy(&t->lock);
    (void)pthread_mutex_destroy(&t->said);
    free(t->broken);
    free(t);
    alive--;
}

/* Zeroed lists and buffers are not empty ones. */
static pdk_test *allocate(void) {
    pdk_test *t = calloc(1, sizeof *t);
    if (!t) return NULL;
    t->broken = calloc(BROKEN_MAX, sizeof *t->broken);
    if (!t->broken) {
        free(t);
        return NULL;
    }
    TAILQ_INIT(&t->attempts);
    TAILQ_INIT(&t->tasks);
    TAILQ_INIT(&t->gone);
    TAILQ_INIT(&t->children);
    TAILQ_INIT(&t->deliveries);
    TAILQ_INIT(&t->jobs);
    TAILQ_INIT(&t->worked);
    t->log = PDK_BUFFER(OUTPUT_MAX);
    t->record = PDK_BUFFER(TEXT_MAX);
    t->shown_log = t->page = t->log;
    t->shown_record = t->record;
    t->main = pthread_self();
    t->next_handle = 1000 * (uint64_t)++made; /* the handles of one host are not those of another */
    t->now = 100 * PDK_SECOND;
    t->wake = -1;
    (void)pthread_mutex_init(&t->lock, NULL);
    (void)pthread_mutex_init(&t->said, NULL);
    alive++;
    return t;
}

static void fill(pdk_test *t) {
    uint32_t roles = (t->plugin->runner ? PDK_ROLE_RUNNER : 0u) | (t->plugin->source ? PDK_ROLE_SOURCE : 0u) |
                     (t->plugin->metrics ? PDK_ROLE_METRICS : 0u);
    if (!t->options.roles) t->options.roles = roles;
    t->health = t->plugin->start ? PDK_DOWN : PDK_UP;
    t->phase = t->plugin->start ? PHASE_MADE : PHASE_OPEN;
    pdk_test_fill_host(t);
    pdk_test_fill_loop(t);
    pdk_test_fill_pool(t);
    pdk_test_fill_process(t);
    pdk_test_fill_source(t);
    pdk_test_fill_metrics(t);
}

static int32_t create(pdk_test *t, pdk_error *why) {
    const pdk_value *given = NULL, *config = NULL;
    struct footprint before;
    int32_t rc = pdk_test_parse(t, t->options.config, &given, why);
    if (rc == 0) rc = pdk_test_complete(t, t->plugin->config, given, &config, why);
    if (rc) return rc;
    pdk_test_footprint(t, &before);
    pdk_test_enter(t, "create");
    rc = t->plugin->create(&t->host, config, &t->self, why);
    pdk_test_leave(t);
    pdk_test_note(t, "create: %d %s", rc, rc ? why->message : "");
    pdk_test_pure(t, &before, "create");
    t->self_made = rc == 0;
    if (rc > 0) rc = pdk_fail(why, -EINVAL, NULL, "create returned something above 0", NULL, NULL);
    if (rc && t->self) pdk_test_break(t, PDK_TEST_RULE_RESULT, "create failed and stored an instance");
    if (rc && rc != -ENOMEM && !why->message[0])
        pdk_test_break(t, PDK_TEST_RULE_RESULT, "create returned %d and did not say why", rc);
    return rc;
}

static const char *some(char *buf, size_t size, uint32_t n, const char *what) {
    if (n == 1)
        (void)snprintf(buf, size, "a %s was", what);
    else
        (void)snprintf(buf, size, "%u %ss were", n, what);
    return buf;
}

/* Nothing is freed that the plugin may still use: all of it is looked at first. */
static void look_back(pdk_test *t, bool destroyed) {
    struct pdk_heap_left left;
    struct footprint now;
    char text[64];
    pdk_test_free_attempts(t);
    pdk_test_free_pool(t);
    pdk_test_free_process(t);
    pdk_test_free_source(t);
    pdk_test_free_loop(t);
    pdk_test_free_real(t);
    pdk_test_free_metrics(t);
    pdk_test_free_values(t, destroyed);
    for (int i = 0; i < 50 && pdk_test_threads() > t->begin.threads; i++) (void)poll(NULL, 0, 10); /* they take leave */
    pdk_test_footprint(t, &now);
    if (now.threads > t->begin.threads)
        pdk_test_break(t, PDK_TEST_RULE_LEFT, "%s left running",
                       some(text, sizeof text, now.threads - t->begin.threads, "thread"));
    if (now.fds > t->begin.fds)
        pdk_test_break(t, PDK_TEST_RULE_LEFT, "%s left open",
                       some(text, sizeof text, now.fds - t->begin.fds, "descriptor"));
    if (!t->library.plugin || alive > 1 || (t->options.flags & PDK_TEST_KEEPS_HEAP)) return;
    pdk_heap_left(t->begin.heap, false, &left);
    if (left.blocks)
        pdk_test_break(t, PDK_TEST_RULE_LEFT, "memory was left: %llu blocks, %llu bytes; the first was allocated at %s",
                       (unsigned long long)left.blocks, (unsigned long long)left.bytes, left.first);
}

/* Take over t, which knows its plugin. */
static pdk_test *begin(pdk_test *t, int32_t rc, pdk_error *why, pdk_error *err) {
    if (rc == 0) {
        fill(t);
        pdk_test_footprint(t, &t->begin);
        if (t->real)
            rc = pdk_test_make_real(t, why);
        else
            t->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (!t->real && t->wake < 0) rc = -errno;
        if (!t->real) t->begin.fds++;
    }
    if (rc == 0) rc = create(t, why);
    if (rc == 0) return t;
    if (!why->message[0]) (void)pdk_fail(why, rc, NULL, strerror(-rc), NULL, NULL);
    why->at = NULL; /* it goes with the host */
    (void)pdk_test_failed(t, err, rc, why, t->plugin ? "create" : "load");
    if (t->plugin) look_back(t, true);
    release(t);
    return NULL;
}

static void tune(pdk_test *t, const struct pdk_test_tuning *tuning) {
    if (tuning) t->tuning = *tuning;
    if (!t->tuning.patience_ns) t->tuning.patience_ns = 60 * PDK_SECOND;
    if (!t->tuning.slow_ns) t->tuning.slow_ns = PDK_SECOND;
}

pdk_test *pdk_test_load(const char *path, const pdk_test_options *options, pdk_error *err) {
    return pdk_test_load_tuned(path, options, NULL, err);
}

pdk_test *pdk_test_load_tuned(const char *path, const pdk_test_options *options, const struct pdk_test_tuning *tuning,
                              pdk_error *err) {
    pdk_test *t = path ? allocate() : NULL;
    pdk_error why = PDK_ERROR;
    size_t before = pdk_heap_before();
    int32_t rc;
    if (!t) return NULL;
    tune(t, tuning);
    rc = copy_options(t, options);
    if (rc == 0) rc = pdk_library_open(path, &t->library, &why);
    t->plugin = t->library.plugin;
    if (rc == 0) (void)pdk_heap_after(before, t->plugin);
    return begin(t, rc, &why, err);
}

pdk_test *pdk_test_make(const pdk_plugin *plugin, const pdk_test_options *options, pdk_error *err) {
    pdk_test *t = plugin ? allocate() : NULL;
    pdk_error why = PDK_ERROR;
    int32_t rc;
    if (!t) return NULL;
    tune(t, NULL);
    rc = copy_options(t, options);
    if (rc == 0) rc = pdk_plugin_check(plugin, &why);
    if (rc == 0) t->plugin = plugin;
    return begin(t, rc, &why, err);
}

int pdk_test_end(pdk_test *t) {
    uint32_t broken;
    bool destroyed;
    if (!t) return 1;
    pdk_test_end_tasks(t);
    if (t->plugin->start || t->plugin->stop || t->plugin->source) (void)pdk_test_close(t);
    if (!t->real) pdk_test_turn(t);
    destroyed = TAILQ_EMPTY(&t->tasks);
    if (destroyed) {
        pdk_test_note(t, "destroy");
        pdk_test_enter(t, "destroy");
        t->plugin->destroy(t->self);
        pdk_test_leave(t);
    }
    look_back(t, destroyed);
    broken = t->broken_count;
    release(t);
    return broken > 125 ? 125 : (int)broken;
}

const pdk_plugin *pdk_test_plugin(const pdk_test *t) {
    return t ? t->plugin : NULL;
}

void *pdk_test_self(const pdk_test *t) {
    return t ? t->self : NULL;
}

void *pdk_test_symbol(const pdk_test *t, const char *name) {
    return t && t->library.plugin ? pdk_library_symbol(&t->library, name) : NULL;
}
