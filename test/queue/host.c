/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small host with the source `queue` and a runner that does as it is told: what the tests drive, and kill.
 *
 *     queue-host QUEUE.so JOURNAL CONFIG [PENDING]
 *
 * Reads {"tag": any, "verb": "submit", "params": {...}} from stdin, a line each, and prints {"tag", "rc", "value" or
 * "error"} for each; health and log as {"health": n, "text"} and {"log": n, "text"}. The end of stdin shuts it down.
 * Each start of the runner `mark` is a line in JOURNAL: its input, written before it does anything else; each end that it
 * comes to by itself one in JOURNAL.ends.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/buffer.h"
#include "core/supervise/supervisor.h"
#include "core/value/value.h"
#include "paddock/helpers.h"
#include "paddock/queue.h"
#include "support/extension.h"

enum { LINE_MAX_BYTES = 4 * 1024 * 1024, LOOK_NS = 5000000 };

static pdk_supervisor *supervisor;
static const pdk_loop *loop;
static const pdk_queue *queue;
static const pdk_values *values;
static const pdk_value *config;
static pdk_watch stdin_watch;
static int journal = -1, ends = -1;
static struct pdk_buffer pending;

/* ---- the runner ---- */

struct mark {
    const pdk_host *host;
    char input[256];
    const char *then, *until;
    uint64_t length;
    pdk_attempt attempt;
    pdk_watch watch;
};

static const pdk_host *mark_host;

static void note(int fd, const struct mark *mark) {
    char line[300];
    int n = snprintf(line, sizeof line, "%s\n", mark->input);
    if (write(fd, line, (size_t)n) != n) (void)fprintf(stderr, "4 host: no journal\n");
}

static void mark_end(struct mark *mark, int32_t status) {
    pdk_result result = PDK_RESULT(status, status ? PDK_CAT_OTHER : PDK_CAT_NONE, status ? "as told" : NULL);
    pdk_attempt attempt = mark->attempt;
    mark->attempt = 0;
    loop->stop(loop, mark->watch);
    if (status == PDK_RETRY) result.retry_after_ns = 20000000;
    if (status == PDK_FAILURE) result.exit_code = 7;
    (void)mark->host->done(mark->host, attempt, &result);
}

static void mark_wake(void *arg) {
    static const char *const words[] = {"success", "failure", "fatal", "retry"};
    struct mark *mark = arg;
    note(ends, mark);
    for (int32_t i = 0; i < 4; i++)
        if (mark->attempt && !strcmp(mark->then, words[i])) mark_end(mark, i);
}

static void mark_look(void *arg) {
    struct mark *mark = arg;
    if (access(mark->until, F_OK) != 0) return;
    loop->stop(loop, mark->watch);
    mark_wake(mark);
}

static int32_t mark_start(void *data, const pdk_start *how, pdk_error *err) {
    struct mark *mark = data;
    mark->attempt = how->attempt;
    mark->watch = 0;
    (void)err;
    note(journal, mark);
    if (mark->until) return loop->timer(loop, LOOK_NS, LOOK_NS, mark_look, mark, &mark->watch);
    if (!mark->length && strcmp(mark->then, "hang") != 0) mark_wake(mark);
    if (!mark->length) return 0;
    return loop->timer(loop, mark->length, 0, mark_wake, mark, &mark->watch);
}

static void mark_cancel(void *data, int32_t reason) {
    struct mark *mark = data;
    (void)reason;
    if (mark->attempt) mark_end(mark, PDK_CANCELED);
}

static void mark_note(void *arg, const char *data, size_t size) {
    struct mark *mark = arg;
    size_t used = strlen(mark->input);
    if (used + size < sizeof mark->input) memcpy(mark->input + used, data, size);
}

static int32_t mark_build(void *self, const pdk_spec *spec, void **ret, pdk_error *err) {
    struct mark *mark = calloc(1, sizeof *mark);
    (void)self;
    if (!mark) return -ENOMEM;
    mark->host = mark_host;
    mark->then = "success";
    int32_t rc = pdk_take_string(mark_host, spec->with, "then", &mark->then, err);
    if (!rc) rc = pdk_take_duration(mark_host, spec->with, "for", &mark->length, err);
    if (!rc) rc = pdk_take_string(mark_host, spec->with, "until", &mark->until, err);
    if (!rc && spec->input) rc = values->print(values, spec->input, PDK_JSON_PLAIN, mark_note, mark);
    *ret = mark;
    if (rc) free(mark);
    return rc;
}

static int32_t mark_create(const pdk_host *host, const pdk_value *given, void **ret, pdk_error *err) {
    (void)given, (void)err;
    mark_host = host;
    *ret = &mark_host;
    return 0;
}

static void nothing(void *self) {
    (void)self;
}

static const char *const thens[] = {"success", "failure", "fatal", "retry", "hang", NULL};
static const pdk_param mark_params[] = {
    {"then", PDK_STRING, 0, "success", "How to end", thens, 0, 0, NULL},
    PDK_PARAM("for", PDK_DURATION, 0, "0s", "How long to run"),
    PDK_PARAM("until", PDK_STRING, 0, NULL, "Run until there is a file of this name"),
    PDK_PARAM_END,
};
static const pdk_schema mark_kind = PDK_SCHEMA("mark", "Write a line and end as told", mark_params);
static const pdk_schema *const mark_kinds[] = {&mark_kind, NULL};
static const pdk_task_ops mark_ops = {sizeof mark_ops, 0, mark_start, mark_cancel, NULL, NULL, free, NULL};
static const pdk_runner_ops mark_runner = {sizeof mark_runner, 0, mark_kinds, &mark_ops, NULL, mark_build};
static const pdk_plugin mark_plugin = {
    PDK_PLUGIN_HEAD, "mark", "1", "", "", NULL, NULL, &mark_runner, NULL, NULL, mark_create, NULL, NULL, nothing, NULL};

/* ---- what is printed ---- */

static void print_to(void *arg, const char *data, size_t size) {
    (void)fwrite(data, 1, size, arg);
}

static void say(pdk_writer *writer) {
    const pdk_value *value = NULL;
    values->end(writer);
    if (values->close(writer, &value, NULL) < 0) return;
    (void)values->print(values, value, PDK_JSON_PLAIN, print_to, stdout);
    (void)fputc('\n', stdout);
    (void)fflush(stdout);
    values->drop(value);
}

static pdk_writer *begin(void) {
    pdk_writer *writer = values->open(values);
    values->put_map(writer);
    return writer;
}

static void put_text(pdk_writer *writer, const char *key, const char *text) {
    values->key(writer, key);
    values->put_string(writer, text, strlen(text));
}

static void log_line(void *arg, int32_t level, const char *part, const char *run_id, const char *text) {
    (void)arg, (void)run_id;
    (void)fprintf(stderr, "%d %s: %s\n", (int)level, part, text);
}

static void answered(void *arg, int32_t rc, const pdk_value *value, const pdk_error *err) {
    const pdk_value *tag = arg;
    pdk_writer *writer = begin();
    values->key(writer, "tag");
    values->put_value(writer, tag);
    values->key(writer, "rc");
    values->put_int(writer, rc);
    if (value) {
        values->key(writer, "value");
        values->put_value(writer, value);
    }
    if (rc < 0 && err) {
        char place[256] = "";
        put_text(writer, "error", err->message);
        if (err->at && values->where(err->at, place, sizeof place)) put_text(writer, "at", place);
    }
    say(writer);
    values->drop(tag);
}

/* ---- what is asked ---- */

static void take_line(const char *line, size_t size) {
    const pdk_value *asked = NULL;
    pdk_error err = PDK_ERROR;
    const char *verb = "";
    if (values->parse(values, line, size, "stdin", &asked, &err) < 0) {
        (void)fprintf(stderr, "4 host: %s\n", err.message);
        return;
    }
    (void)values->string(values->get(asked, "verb"), &verb);
    const pdk_value *tag = values->hold(values->get(asked, "tag"));
    union {
        const pdk_value *value;
        void *arg;
    } both = {tag};
    int32_t rc = queue->ask(queue, verb, values->get(asked, "params"), answered, both.arg);
    if (rc < 0) answered(both.arg, rc, NULL, NULL);
    values->drop(asked);
}

static void readable(void *arg, uint32_t events) {
    static char data[65536];
    (void)arg, (void)events;
    ssize_t n = read(STDIN_FILENO, data, sizeof data);
    if (n <= 0) {
        loop->stop(loop, stdin_watch);
        pdk_buffer_free(&pending);
        (void)pdk_supervisor_shutdown(supervisor);
        return;
    }
    const char *at = data, *end = data + n, *newline;
    while ((newline = memchr(at, '\n', (size_t)(end - at)))) {
        pdk_buffer_add(&pending, at, (size_t)(newline - at));
        take_line(pdk_buffer_string(&pending), strlen(pdk_buffer_string(&pending)));
        pdk_buffer_free(&pending);
        at = newline + 1;
    }
    pdk_buffer_add(&pending, at, (size_t)(end - at));
}

static int fail(const char *what, const pdk_error *err) {
    (void)fprintf(stderr, "4 host: %s: %s\n", what, err->message);
    values->drop(config);
    return 2;
}

int main(int argc, char **argv) {
    pdk_supervisor_options options = {.struct_size = sizeof options, .log = log_line, .grace = 2000000000};
    static const char *const kinds[] = {"mark", NULL};
    static struct pdk_task *const no_tasks[] = {NULL};
    const struct pdk_grant grant = {no_tasks, kinds, NULL};
    struct pdk_instance_limits limits = {.pending = argc > 4 ? (uint32_t)strtoul(argv[4], NULL, 10) : 0,
                                         .grant = &grant};
    pdk_router_entry entry = {.struct_size = sizeof entry};
    pdk_error err = PDK_ERROR;
    char path[4096];
    if (argc < 4) return 2;
    values = pdk_values_get();
    pending = PDK_BUFFER(LINE_MAX_BYTES);
    (void)signal(SIGXFSZ, SIG_IGN);
    journal = open(argv[2], O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    (void)snprintf(path, sizeof path, "%s.ends", argv[2]);
    ends = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (journal < 0 || ends < 0) return 2;
    if (values->parse(values, argv[3], strlen(argv[3]), "config", &config, &err) < 0) return fail("config", &err);
    entry.config = config;
    if (pdk_supervisor_create(&options, &supervisor, &err) < 0) return fail("create", &err);
    loop = pdk_supervisor_loop(supervisor);
    if (pdk_supervisor_add(supervisor, &mark_plugin, NULL, &err) < 0) return fail("mark", &err);
    (void)pdk_supervisor_limit(supervisor, "queue", &limits);
    if (pdk_supervisor_load(supervisor, argv[1], &entry, &err) < 0) return fail("queue", &err);
    if (pdk_supervisor_start(supervisor, &err) < 0) return fail("start", &err);
    queue = find_extension(supervisor, PDK_QUEUE_1);
    if (!queue) return fail("find", &err);
    if (loop->io(loop, STDIN_FILENO, PDK_READ, readable, NULL, &stdin_watch) < 0) return fail("stdin", &err);
    int32_t rc = pdk_supervisor_run(supervisor);
    pdk_supervisor_destroy(supervisor);
    values->drop(config);
    (void)close(journal);
    (void)close(ends);
    return rc < 0 ? 1 : 0;
}
