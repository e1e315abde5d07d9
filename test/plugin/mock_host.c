/* SPDX-License-Identifier: Apache-2.0 */
/* The host's side of the ABI: instances, tasks and attempts, and the rules between them. */
#include <dirent.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/spec/schema.h"
#include "core/value/value.h"
#include "mock_host.h"

enum { BROKEN_MAX = 16, VALUES_MAX = 4096 };

struct mock_private {
    pthread_mutex_t lock;
    pthread_t main;
    void *library;
    uint64_t next_handle;
    int fds; /* open when it began */
    uint32_t broken;
    char what[BROKEN_MAX][256];
    const pdk_value *values[VALUES_MAX]; /* dropped at the end */
    char *texts[VALUES_MAX];
    uint32_t value_count, text_count;
};

static int count_fds(void) {
    DIR *folder = opendir("/proc/self/fd");
    int n = 0;
    while (folder && readdir(folder)) n++;
    if (folder) closedir(folder);
    return n;
}

void mock_broken(struct mock *m, const char *format, ...) {
    struct mock_private *p = m->private;
    va_list args;
    if (p->broken >= BROKEN_MAX) return;
    va_start(args, format);
    (void)vsnprintf(p->what[p->broken++], sizeof p->what[0], format, args);
    va_end(args);
}

void mock_check_main(struct mock *m, const char *call) {
    if (!pthread_equal(m->private->main, pthread_self())) mock_broken(m, "%s is for the main thread", call);
}

static struct mock *of(const pdk_host *host) {
    return host->data;
}

static void append_text(char **text, const char *line) {
    size_t old = *text ? strlen(*text) : 0, size = strlen(line);
    char *longer = realloc(*text, old + size + 2);
    assert_non_null(longer);
    memcpy(longer + old, line, size);
    memcpy(longer + old + size, "\n", 2);
    *text = longer;
}

/* ---- what the plugin calls ---- */

static uint64_t host_now(const pdk_host *host) {
    return of(host)->now;
}

static uint64_t host_unix(const pdk_host *host) {
    return SECONDS(1700000000) + of(host)->now;
}

static void host_log(const pdk_host *host, int32_t level, pdk_attempt attempt, const char *text) {
    struct mock *m = of(host);
    (void)attempt;
    (void)pthread_mutex_lock(&m->private->lock);
    if (strchr(text, '\n')) mock_broken(m, "a log line holds a newline: %s", text);
    if (level >= PDK_LOG_BUG) mock_broken(m, "BUG is the host's word: %s", text);
    append_text(&m->log, text);
    (void)pthread_mutex_unlock(&m->private->lock);
}

static void host_health(const pdk_host *host, int32_t state, const char *text) {
    of(host)->health = state;
    (void)text;
}

static void host_stopped(const pdk_host *host) {
    mock_broken(of(host), "stopped, and nobody had asked");
}

static struct mock_attempt *find_attempt(struct mock *m, pdk_attempt handle, const char *call) {
    struct mock_attempt *attempt;
    TAILQ_FOREACH(attempt, &m->attempts, link) {
        if (attempt->handle != handle) continue;
        if (attempt->done) mock_broken(m, "%s after done", call);
        return attempt->done ? NULL : attempt;
    }
    mock_broken(m, "%s for an attempt that never was", call);
    return NULL;
}

static void check_result(struct mock *m, const pdk_result *r) {
    if (r->struct_size != sizeof *r) mock_broken(m, "result.struct_size is %u", r->struct_size);
    if (r->status < PDK_SUCCESS || r->status > PDK_CANCELED) mock_broken(m, "status is %d", r->status);
    if (r->category < PDK_CAT_NONE || r->category > PDK_CAT_INTERNAL) mock_broken(m, "category is %d", r->category);
    if (r->status == PDK_SUCCESS && r->category) mock_broken(m, "a success of category %d", r->category);
    if (r->status != PDK_SUCCESS && !r->message) mock_broken(m, "status %d without a message", r->status);
    if (r->message && strchr(r->message, '\n')) mock_broken(m, "the message holds a newline");
}

static int32_t host_done(const pdk_host *host, pdk_attempt handle, const pdk_result *r) {
    struct mock *m = of(host);
    struct mock_attempt *attempt;
    (void)pthread_mutex_lock(&m->private->lock);
    attempt = find_attempt(m, handle, "done");
    if (attempt) {
        check_result(m, r);
        attempt->done++;
        attempt->status = r->status;
        attempt->category = r->category;
        attempt->exit_code = r->exit_code;
        attempt->signal = r->signal;
        attempt->retry_after_ns = r->retry_after_ns;
        (void)snprintf(attempt->message, sizeof attempt->message, "%s", r->message ? r->message : "");
        (void)snprintf(attempt->code, sizeof attempt->code, "%s", r->code ? r->code : "");
        attempt->output_value = host->values->hold(r->output);
        attempt->has_usage = r->usage != NULL;
        if (r->usage) attempt->usage = *r->usage;
        attempt->task->running = NULL;
    }
    (void)pthread_mutex_unlock(&m->private->lock);
    mock_services_wake(m);
    return attempt ? 0 : -ESTALE;
}

int32_t mock_take_output(struct mock *m, pdk_attempt handle, int32_t stream, const char *data, size_t size) {
    struct mock_attempt *attempt;
    (void)pthread_mutex_lock(&m->private->lock);
    attempt = find_attempt(m, handle, "output");
    if (attempt && (stream == PDK_STDOUT || stream == PDK_STDERR)) {
        char *more = realloc(attempt->output[stream], attempt->output_size[stream] + size + 1);
        assert_non_null(more);
        if (size) memcpy(more + attempt->output_size[stream], data, size);
        attempt->output_size[stream] += size;
        more[attempt->output_size[stream]] = '\0';
        attempt->output[stream] = more;
    } else if (attempt) {
        mock_broken(m, "there is no stream %d", stream);
    }
    (void)pthread_mutex_unlock(&m->private->lock);
    mock_services_wake(m);
    return attempt ? 0 : -ESTALE;
}

static int32_t host_output(const pdk_host *host, pdk_attempt handle, int32_t stream, const char *data, size_t size) {
    return mock_take_output(of(host), handle, stream, data, size);
}

static int32_t host_progress(const pdk_host *host, pdk_attempt handle, double fraction, const char *text) {
    struct mock *m = of(host);
    struct mock_attempt *attempt;
    (void)pthread_mutex_lock(&m->private->lock);
    attempt = find_attempt(m, handle, "progress");
    if (fraction > 1) mock_broken(m, "progress of %f", fraction);
    if (attempt) {
        attempt->reports++;
        attempt->fraction = fraction;
        if (text) (void)snprintf(attempt->text, sizeof attempt->text, "%s", text);
    }
    (void)pthread_mutex_unlock(&m->private->lock);
    return attempt ? 0 : -ESTALE;
}

static int32_t host_ready(const pdk_host *host, pdk_attempt handle) {
    struct mock *m = of(host);
    struct mock_attempt *attempt;
    (void)pthread_mutex_lock(&m->private->lock);
    attempt = find_attempt(m, handle, "ready");
    if (attempt) attempt->ready++;
    (void)pthread_mutex_unlock(&m->private->lock);
    mock_services_wake(m);
    return attempt ? 0 : -ESTALE;
}

static const void *host_extension(const pdk_host *host, const char *id) {
    return of(host)->options.no_services ? NULL : mock_service(of(host), id);
}

/* ---- values ---- */

static const pdk_value *keep(struct mock *m, const pdk_value *value) {
    assert_true(m->private->value_count < VALUES_MAX);
    m->private->values[m->private->value_count++] = value;
    return value;
}

const pdk_value *mock_json(struct mock *m, const char *text) {
    const pdk_values *values = m->host.values;
    const pdk_value *value = NULL;
    pdk_error err = PDK_ERROR;
    char *copy = strdup(text);
    assert_non_null(copy);
    for (char *c = copy; *c; c++)
        if (*c == '\'') *c = '"';
    if (values->parse(values, copy, strlen(copy), "test", &value, &err)) fail_msg("%s: %s", copy, err.message);
    free(copy);
    return keep(m, value);
}

static void append_piece(void *arg, const char *data, size_t size) {
    char **text = arg;
    size_t old = *text ? strlen(*text) : 0;
    char *longer = realloc(*text, old + size + 1);
    assert_non_null(longer);
    memcpy(longer + old, data, size);
    longer[old + size] = '\0';
    *text = longer;
}

char *mock_print(struct mock *m, const pdk_value *value) {
    char *text = NULL;
    assert_true(m->private->text_count < VALUES_MAX);
    assert_int_equal(m->host.values->print(m->host.values, value, PDK_JSON_PLAIN, append_piece, &text), 0);
    m->private->texts[m->private->text_count++] = text;
    return text;
}

/* A map with one key more, or one less when value is NULL. */
static const pdk_value *with_key(struct mock *m, const pdk_value *map, const char *key, const pdk_value *value) {
    const pdk_values *values = m->host.values;
    const pdk_value *made = NULL;
    pdk_writer *w = values->open(values);
    values->put_map(w);
    for (size_t i = 0; i < values->count(map); i++) {
        if (!strcmp(values->key_at(map, i), key)) continue;
        values->key(w, values->key_at(map, i));
        values->put_value(w, values->at(map, i));
    }
    if (value) values->key(w, key);
    if (value) values->put_value(w, value);
    values->end(w);
    assert_int_equal(values->close(w, &made, NULL), 0);
    return keep(m, made);
}

/* As the host does before it calls: checked, and fallbacks filled in. env is a field of the task, which the host
 * has read by rules of its own (null unsets). */
static int32_t complete(struct mock *m, const pdk_schema *schema, const pdk_value *given, const pdk_value **ret,
                        pdk_error *err) {
    const pdk_value *env = m->host.values->get(given, "env");
    struct pdk_report report = {.limit = 1};
    int32_t rc = 0;
    *ret = given;
    if (m->options.unchecked) return 0;
    rc = pdk_schema_check(schema, m->plugin->name, with_key(m, given, "env", NULL), &report, ret);
    if (!rc) *ret = keep(m, *ret);
    if (!rc && env) *ret = with_key(m, *ret, "env", env);
    if (rc) (void)pdk_fail(err, rc, given, report.count ? report.faults[0].message : "no fault was told", NULL, NULL);
    pdk_report_free(&report);
    return rc;
}

static const pdk_schema *kind_of(const struct mock *m, const char *kind) {
    const pdk_schema *const *kinds = m->plugin->runner->kinds;
    while (*kinds && strcmp((*kinds)->name, kind)) kinds++;
    if (!*kinds) fail_msg("it does not serve %s", kind);
    return *kinds;
}

/* ---- instances ---- */

static void fill_host(struct mock *m) {
    m->host = (pdk_host){
        .struct_size = sizeof m->host,
        .abi_version = PDK_ABI,
        .name = "mock",
        .version = "1",
        .instance = "runner",
        .roles = PDK_ROLE_RUNNER | PDK_ROLE_METRICS,
        .data = m,
        .values = pdk_values_get(),
        .now_ns = host_now,
        .unix_ns = host_unix,
        .log = host_log,
        .health = host_health,
        .stopped = host_stopped,
        .done = host_done,
        .output = host_output,
        .progress = host_progress,
        .ready = host_ready,
        .get_extension = host_extension,
    };
}

static void open_plugin(struct mock *m, const char *name) {
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/%s.so", m->options.folder ? m->options.folder : MOCK_PLUGINS, name);
    m->private->library = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!m->private->library) fail_msg("%s", dlerror());
    m->plugin = dlsym(m->private->library, "pdk_plugin_entry");
    assert_non_null(m->plugin);
    assert_int_equal(m->plugin->magic, PDK_MAGIC);
    assert_string_equal(m->plugin->name, name);
}

void *mock_symbol(struct mock *m, const char *name) {
    void *symbol = dlsym(m->private->library, name);
    assert_non_null(symbol);
    return symbol;
}

static void release(struct mock *m) {
    struct mock_private *p = m->private;
    for (uint32_t i = 0; i < p->value_count; i++) m->host.values->drop(p->values[i]);
    for (uint32_t i = 0; i < p->text_count; i++) free(p->texts[i]);
    (void)pthread_mutex_destroy(&p->lock);
    free(m->log);
    free(p);
    free(m);
}

int32_t mock_try_load(const char *name, const char *config, const struct mock_options *options, struct mock **ret,
                      pdk_error *err) {
    struct mock *m = calloc(1, sizeof *m);
    const pdk_value *completed;
    int32_t rc;
    assert_non_null(m);
    m->private = calloc(1, sizeof *m->private);
    assert_non_null(m->private);
    if (options) m->options = *options;
    m->now = SECONDS(100);
    m->private->fds = count_fds();
    m->private->main = pthread_self();
    m->private->next_handle = 1000;
    assert_int_equal(pthread_mutex_init(&m->private->lock, NULL), 0);
    TAILQ_INIT(&m->attempts);
    TAILQ_INIT(&m->tasks);
    TAILQ_INIT(&m->children);
    fill_host(m);
    open_plugin(m, name);
    assert_int_equal(mock_services_make(m), 0);
    rc = complete(m, m->plugin->config, mock_json(m, config ? config : "{}"), &completed, err);
    if (!rc) rc = m->plugin->create(&m->host, completed, &m->self, err);
    if (rc) {
        mock_services_free(m);
        release(m);
        m = NULL;
    }
    *ret = m;
    return rc;
}

struct mock *mock_load(const char *name, const char *config, const struct mock_options *options) {
    pdk_error err = PDK_ERROR;
    struct mock *m;
    if (mock_try_load(name, config, options, &m, &err)) fail_msg("create: %s", err.message);
    return m;
}

static void free_attempts(struct mock *m) {
    struct mock_attempt *attempt;
    while ((attempt = TAILQ_FIRST(&m->attempts))) {
        if (attempt->done != 1) mock_broken(m, "attempt %u was done %d times", attempt->number, attempt->done);
        TAILQ_REMOVE(&m->attempts, attempt, link);
        m->host.values->drop(attempt->output_value);
        free(attempt->output[PDK_STDOUT]);
        free(attempt->output[PDK_STDERR]);
        free(attempt);
    }
}

void mock_free(struct mock *m) {
    struct mock_private *p = m->private;
    char what[BROKEN_MAX * 256] = "";
    while (!TAILQ_EMPTY(&m->tasks)) mock_destroy(TAILQ_FIRST(&m->tasks));
    m->plugin->destroy(m->self);
    free_attempts(m);
    mock_services_free(m);
    if (count_fds() != p->fds) mock_broken(m, "%d descriptors were left open", count_fds() - p->fds);
    for (uint32_t i = 0; i < p->broken; i++) {
        pdk_append(what, sizeof what, "\n  ");
        pdk_append(what, sizeof what, p->what[i]);
    }
    release(m);
    if (what[0]) fail_msg("rules were broken:%s", what);
}

/* ---- tasks ---- */

/* task->spec is filled in. Takes the task, or frees it. */
static int32_t build(struct mock_task *task, struct mock_task **ret, pdk_error *err) {
    struct mock *m = task->mock;
    int fds = count_fds();
    int32_t rc = m->plugin->runner->build_task(m->self, &task->spec, &task->task, err);
    if (count_fds() != fds) mock_broken(m, "build_task opened something");
    *ret = rc ? NULL : task;
    if (rc)
        free(task);
    else
        TAILQ_INSERT_TAIL(&m->tasks, task, link);
    return rc;
}

int32_t mock_try_build(struct mock *m, const char *kind, const char *with, const char *input, struct mock_task **ret,
                       pdk_error *err) {
    struct mock_task *task = calloc(1, sizeof *task);
    int32_t rc;
    assert_non_null(task);
    task->mock = m;
    task->spec = (pdk_spec){.struct_size = sizeof task->spec, .kind = kind, .name = "web", .slot = "slot"};
    rc = complete(m, kind_of(m, kind), mock_json(m, with), &task->spec.with, err);
    task->spec.labels = mock_json(m, "{'paddock/replica': '3'}");
    task->spec.input = input ? mock_json(m, input) : NULL;
    task->spec.whole = task->spec.with;
    if (!rc) return build(task, ret, err);
    free(task);
    *ret = NULL;
    return rc;
}

struct mock_task *mock_build_spec(struct mock *m, const pdk_spec *spec) {
    struct mock_task *task = calloc(1, sizeof *task);
    pdk_error err = PDK_ERROR;
    assert_non_null(task);
    task->mock = m;
    task->spec = *spec;
    if (build(task, &task, &err)) fail_msg("%s", err.message);
    return task;
}

struct mock_task *mock_build(struct mock *m, const char *kind, const char *with) {
    pdk_error err = PDK_ERROR;
    struct mock_task *task;
    if (mock_try_build(m, kind, with, NULL, &task, &err)) fail_msg("%.200s: %s", with, err.message);
    return task;
}

const char *mock_refused(struct mock *m, const char *kind, const char *with, const char **at) {
    pdk_error err = PDK_ERROR;
    struct mock_task *task;
    char *text;
    int32_t rc = mock_try_build(m, kind, with, NULL, &task, &err);
    if (!rc) fail_msg("%.200s: was taken", with);
    assert_int_equal(rc, -EINVAL);
    assert_true(err.message[0] != '\0');
    assert_null(strchr(err.message, '\n'));
    assert_non_null(err.at);
    if (at) *at = mock_print(m, err.at);
    text = strdup(err.message);
    assert_non_null(text);
    m->private->texts[m->private->text_count++] = text;
    return text;
}

void mock_destroy(struct mock_task *task) {
    if (task->running) mock_broken(task->mock, "the test destroys a task that runs");
    task->mock->plugin->runner->task->destroy(task->task);
    TAILQ_REMOVE(&task->mock->tasks, task, link);
    free(task);
}

int32_t mock_try_start(struct mock_task *task, const pdk_start *how, struct mock_attempt **ret, pdk_error *err) {
    struct mock *m = task->mock;
    struct mock_attempt *attempt = calloc(1, sizeof *attempt);
    pdk_start start = {.struct_size = sizeof start, .run_id = "runner-slot-7", .trace = ""};
    int32_t rc;
    assert_non_null(attempt);
    assert_null(task->running);
    if (how) start = *how;
    attempt->task = task;
    attempt->number = start.number = ++task->attempts;
    attempt->handle = start.attempt = m->private->next_handle++;
    attempt->fraction = -2;
    TAILQ_INSERT_TAIL(&m->attempts, attempt, link);
    task->running = attempt;
    task->asked = false;
    rc = m->plugin->runner->task->start(task->task, &start, err);
    if (rc) {
        if (attempt->done) mock_broken(m, "start returned %d and there was a done", rc);
        TAILQ_REMOVE(&m->attempts, attempt, link);
        free(attempt);
        attempt = NULL;
        task->running = NULL;
    }
    *ret = attempt;
    return rc;
}

struct mock_attempt *mock_start(struct mock_task *task) {
    pdk_error err = PDK_ERROR;
    struct mock_attempt *attempt;
    if (mock_try_start(task, NULL, &attempt, &err)) fail_msg("start: %s", err.message);
    return attempt;
}

/* As the host: at most once, and not when done has been heard of. */
void mock_cancel(struct mock_task *task) {
    if (!task->running || task->asked) return;
    task->asked = true;
    task->mock->plugin->runner->task->cancel(task->task, PDK_CANCEL_USER);
}

void mock_kill(struct mock_task *task) {
    mock_cancel(task);
    if (task->running && task->mock->plugin->runner->task->kill) task->mock->plugin->runner->task->kill(task->task);
}

void mock_resume(struct mock_task *task) {
    if (task->running && task->mock->plugin->runner->task->resume) task->mock->plugin->runner->task->resume(task->task);
}

int32_t mock_reload(struct mock_task *task) {
    return task->mock->plugin->runner->task->reload(task->task);
}
