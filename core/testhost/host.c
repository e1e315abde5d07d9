/* SPDX-License-Identifier: Apache-2.0 */
/* What the plugin calls: host.h, every word of it checked and kept. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/base/text.h"
#include "core/testhost/internal.h"

static pdk_test *of(const pdk_host *host) {
    return host->data;
}

void pdk_test_enter(pdk_test *t, const char *call) {
    t->inside = call;
    if (t->tuning.where) (void)strlcpy(t->tuning.where, call, 64);
    t->entered = pdk_test_wall();
}

void pdk_test_leave(pdk_test *t) {
    uint64_t took = pdk_test_wall() - t->entered;
    if (t->tuning.where) t->tuning.where[0] = '\0';
    if (took > t->tuning.slow_ns)
        pdk_test_break(t, PDK_TEST_RULE_SLOW, "%s took %llu ms on the main thread", t->inside,
                       (unsigned long long)(took / PDK_MILLISECOND));
    t->inside = NULL;
}

static uint64_t host_now(const pdk_host *host) {
    return pdk_test_now(of(host));
}

static uint64_t host_unix(const pdk_host *host) {
    return (uint64_t)1700000000 * PDK_SECOND + pdk_test_now(of(host));
}

/* Has its task been started since? */
static bool is_old(const struct attempt *attempt) {
    return attempt->gone || ((const struct task *)attempt->public.task)->last != attempt;
}

/* Under the lock. NULL: it may not speak, and *why says so. */
static struct attempt *find(pdk_test *t, pdk_attempt handle, int32_t *ret_rule, const char **why) {
    struct attempt *attempt;
    TAILQ_FOREACH(attempt, &t->attempts, link) {
        if (attempt->public.attempt != handle) continue;
        if (attempt->public.done == 0) return attempt;
        *ret_rule = is_old(attempt) ? PDK_TEST_RULE_HANDLE : PDK_TEST_RULE_AFTER;
        *why = is_old(attempt) ? "with the handle of an attempt that is long over" : "after done";
        return NULL;
    }
    *ret_rule = PDK_TEST_RULE_HANDLE;
    *why = "for an attempt that never was";
    return NULL;
}

static int32_t refuse(pdk_test *t, int32_t rule, const char *call, const char *why) {
    pdk_test_break(t, rule, "%s %s", call, why);
    return -ESTALE;
}

static void check_text(pdk_test *t, const char *call, const char *text) {
    if (strchr(text, '\n')) pdk_test_break(t, PDK_TEST_RULE_MANNERS, "%s with a newline: %s", call, text);
    if (!pdk_utf8_valid(text, strlen(text)))
        pdk_test_break(t, PDK_TEST_RULE_MANNERS, "%s with a text that is not UTF-8: %s", call, text);
}

/* What it refuses it says in its answer: whoever checks a hundred tasks wants no log of them. */
static void check_calm(pdk_test *t, int32_t level, const char *text) {
    if (level < PDK_LOG_ERROR || !pthread_equal(t->main, pthread_self()) || !t->inside) return;
    if (!strcmp(t->inside, "supports") || !strcmp(t->inside, "build_task"))
        pdk_test_break(t, PDK_TEST_RULE_PURE, "%s logged an error: %s", t->inside, text);
}

static void host_log(const pdk_host *host, int32_t level, pdk_attempt handle, const char *text) {
    pdk_test *t = of(host);
    const char *why = NULL;
    int32_t rule = 0;
    (void)pthread_mutex_lock(&t->lock);
    if (handle) (void)find(t, handle, &rule, &why);
    if (!why && t->stopped) rule = PDK_TEST_RULE_AFTER, why = "after stopped";
    (void)pthread_mutex_unlock(&t->lock);
    if (why) (void)refuse(t, rule, "log", why);
    check_text(t, "log", text);
    check_calm(t, level, text);
    if (level < PDK_LOG_DEBUG || level >= PDK_LOG_BUG)
        pdk_test_break(t, PDK_TEST_RULE_MANNERS, "log of level %d: %s", level, text);
    pdk_test_note(t, "log %d: %s", level, text);
    pdk_test_note_log(t, text);
}

static void host_health(const pdk_host *host, int32_t state, const char *text) {
    pdk_test *t = of(host);
    bool late;
    (void)pthread_mutex_lock(&t->lock);
    late = t->stopped;
    t->health = state;
    (void)snprintf(t->health_text, sizeof t->health_text, "%s", text ? text : "");
    (void)pthread_mutex_unlock(&t->lock);
    if (late) pdk_test_break(t, PDK_TEST_RULE_AFTER, "health after stopped");
    if (state < PDK_UP || state > PDK_DOWN) pdk_test_break(t, PDK_TEST_RULE_RESULT, "health is %d", state);
    if (text) check_text(t, "health", text);
    pdk_test_note(t, "health %d: %s", state, text ? text : "");
    pdk_test_wake(t);
}

static void host_stopped(const pdk_host *host) {
    pdk_test *t = of(host);
    bool again, asked;
    (void)pthread_mutex_lock(&t->lock);
    again = t->stopped;
    asked = t->phase >= PHASE_STOPPING;
    t->stopped = true;
    (void)pthread_mutex_unlock(&t->lock);
    if (again) pdk_test_break(t, PDK_TEST_RULE_STOP, "stopped was said twice");
    if (!asked) pdk_test_break(t, PDK_TEST_RULE_STOP, "stopped, and nobody had asked it to stop");
    pdk_test_note(t, "stopped");
    pdk_test_wake(t);
}

static void check_result(pdk_test *t, const pdk_result *r) {
    const int32_t rule = PDK_TEST_RULE_RESULT;
    if (r->struct_size < sizeof *r) pdk_test_break(t, rule, "result.struct_size is %u", r->struct_size);
    if (r->status < PDK_SUCCESS || r->status > PDK_CANCELED) pdk_test_break(t, rule, "status is %d", r->status);
    if (r->category < PDK_CAT_NONE || r->category > PDK_CAT_INTERNAL)
        pdk_test_break(t, rule, "category is %d", r->category);
    if (r->status == PDK_SUCCESS && r->category) pdk_test_break(t, rule, "a success of category %d", r->category);
    if (r->status != PDK_SUCCESS && !r->message)
        pdk_test_break(t, PDK_TEST_RULE_WORDS, "status %d without a message", r->status);
    if (r->message) check_text(t, "done", r->message);
}

static void take_result(struct attempt *attempt, const pdk_result *r) {
    pdk_test_attempt *public = &attempt->public;
    public->status = r->status;
    public->category = r->category;
    public->exit_code = r->exit_code;
    public->signal = r->signal;
    public->retry_after_ns = r->retry_after_ns;
    (void)snprintf(attempt->message, sizeof attempt->message, "%s", r->message ? r->message : "");
    (void)snprintf(attempt->code, sizeof attempt->code, "%s", r->code ? r->code : "");
    public->output_value = pdk_values_get()->hold(r->output);
    public->has_usage = r->usage != NULL;
    if (r->usage) public->usage = *r->usage;
    attempt->running = false;
}

static int32_t host_done(const pdk_host *host, pdk_attempt handle, const pdk_result *r) {
    pdk_test *t = of(host);
    struct attempt *attempt;
    const char *why = "";
    int32_t rule = 0;
    check_result(t, r);
    pdk_test_note(t, "done %llu: status %d category %d %s", (unsigned long long)handle, r->status, r->category,
                  r->message ? r->message : "");
    (void)pthread_mutex_lock(&t->lock);
    attempt = find(t, handle, &rule, &why);
    if (attempt) {
        take_result(attempt, r);
        attempt->public.done++;
    } else if (rule == PDK_TEST_RULE_AFTER) {
        TAILQ_FOREACH(attempt, &t->attempts, link) attempt->public.done += attempt->public.attempt == handle;
        rule = PDK_TEST_RULE_DONE;
    }
    (void)pthread_mutex_unlock(&t->lock);
    pdk_test_wake(t);
    return rule == PDK_TEST_RULE_DONE ? refuse(t, rule, "done", "was said again")
           : rule                     ? refuse(t, rule, "done", why)
                                      : 0;
}

/* Under the lock. */
static void append(struct attempt *attempt, int32_t stream, const char *data, size_t size) {
    struct pdk_buffer *out = &attempt->out[stream];
    pdk_buffer_add(out, data, size);
    attempt->public.output[stream] = pdk_buffer_string(out);
    attempt->public.output_size[stream] = out->size;
}

int32_t pdk_test_take_output(pdk_test *t, pdk_attempt handle, int32_t stream, const char *data, size_t size) {
    struct attempt *attempt;
    const char *why = "";
    int32_t rule = 0;
    bool known = stream == PDK_STDOUT || stream == PDK_STDERR;
    (void)pthread_mutex_lock(&t->lock);
    attempt = find(t, handle, &rule, &why);
    if (attempt && known) append(attempt, stream, data, size);
    (void)pthread_mutex_unlock(&t->lock);
    pdk_test_note(t, "output %llu: %zu bytes to %d", (unsigned long long)handle, size, stream);
    if (!known) pdk_test_break(t, PDK_TEST_RULE_RESULT, "output to stream %d: there is none", stream);
    pdk_test_wake(t);
    return rule ? refuse(t, rule, "output", why) : 0;
}

static int32_t host_output(const pdk_host *host, pdk_attempt handle, int32_t stream, const char *data, size_t size) {
    int32_t rc = pdk_test_take_output(of(host), handle, stream, data, size), answer = PDK_PAUSE;
    if (rc == 0 && pdk_test_strikes(of(host), PDK_TEST_FAULT_OUTPUT, &answer)) return answer;
    return rc;
}

static int32_t host_progress(const pdk_host *host, pdk_attempt handle, double fraction, const char *text) {
    pdk_test *t = of(host);
    struct attempt *attempt;
    const char *why = "";
    int32_t rule = 0;
    (void)pthread_mutex_lock(&t->lock);
    attempt = find(t, handle, &rule, &why);
    if (attempt) {
        attempt->public.reports++;
        attempt->public.fraction = fraction;
        if (text) (void)snprintf(attempt->text, sizeof attempt->text, "%s", text);
    }
    (void)pthread_mutex_unlock(&t->lock);
    if (!(fraction <= 1)) pdk_test_break(t, PDK_TEST_RULE_RESULT, "progress of %f", fraction);
    if (text) check_text(t, "progress", text);
    pdk_test_note(t, "progress %llu: %.3f %s", (unsigned long long)handle, fraction, text ? text : "");
    return rule ? refuse(t, rule, "progress", why) : 0;
}

static int32_t host_ready(const pdk_host *host, pdk_attempt handle) {
    pdk_test *t = of(host);
    struct attempt *attempt;
    const char *why = "";
    int32_t rule = 0;
    (void)pthread_mutex_lock(&t->lock);
    attempt = find(t, handle, &rule, &why);
    if (attempt) attempt->public.ready++;
    (void)pthread_mutex_unlock(&t->lock);
    pdk_test_note(t, "ready %llu", (unsigned long long)handle);
    pdk_test_wake(t);
    return rule ? refuse(t, rule, "ready", why) : 0;
}

static const void *host_extension(const pdk_host *host, const char *id) {
    pdk_test *t = of(host);
    const struct {
        const char *id;
        const void *service;
    } ours[] = {{PDK_LOOP_1, &t->loop},
                {PDK_POOL_1, &t->pool},
                {PDK_PROCESS_1, &t->process},
                {PDK_SOURCE_1, &t->source},
                {PDK_METRICS_1, &t->metrics}};
    for (const pdk_test_service *s = t->options.services; s && s->id; s++)
        if (!strcmp(s->id, id)) return s->service;
    if (t->options.flags & PDK_TEST_NO_SERVICES) return NULL;
    if (!strcmp(id, PDK_SOURCE_1) && !(t->host.roles & PDK_ROLE_SOURCE)) return NULL;
    if (t->real && pdk_test_real_service(t, id)) return pdk_test_real_service(t, id);
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (!strcmp(ours[i].id, id)) return ours[i].service;
    return NULL;
}

void pdk_test_fill_host(pdk_test *t) {
    t->host = (pdk_host){.struct_size = (uint32_t)sizeof t->host,
                         .abi_version = PDK_ABI,
                         .name = "paddock-testhost",
                         .version = pdk_version(),
                         .instance = t->options.instance,
                         .roles = t->options.roles,
                         .reserved = 0,
                         .data = t,
                         .values = pdk_test_watch_values(t),
                         .now_ns = host_now,
                         .unix_ns = host_unix,
                         .log = host_log,
                         .health = host_health,
                         .stopped = host_stopped,
                         .done = host_done,
                         .output = host_output,
                         .progress = host_progress,
                         .ready = host_ready,
                         .get_extension = host_extension};
}

const pdk_host *pdk_test_host(const pdk_test *t) {
    return t ? &t->host : NULL;
}

int32_t pdk_test_health(const pdk_test *t, const char **ret_text) {
    if (ret_text) *ret_text = t ? t->health_text : "";
    return t ? t->health : PDK_DOWN;
}
