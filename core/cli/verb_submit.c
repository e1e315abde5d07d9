/* SPDX-License-Identifier: Apache-2.0 */
/* paddock submit: hand work to a server, and wait for its end if that is wanted. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/cli/remote.h"
#include "core/cli/submit.h"

#define PROGRESS (100 * PDK_MILLISECOND)
#define WAIT_MAX ((size_t)100000)

struct submitting {
    struct pdk_remote *remote;
    struct pdk_arguments *arguments;
    struct pdk_handover handover;
    struct pdk_awaited *awaited;
    bool direct, told_direct;

    /* of --jsonl */
    size_t count; /* that were submitted */
    bool progress;
    uint64_t told_at;
};

/* ---- the question */

static void put_text(pdk_writer *w, const char *key, const char *text) {
    const pdk_values *v = pdk_values_get();
    if (!text) return;
    v->key(w, key);
    v->put_string(w, text, strlen(text));
}

static void put_number(pdk_writer *w, const char *key, int64_t number, bool said) {
    const pdk_values *v = pdk_values_get();
    if (!said) return;
    v->key(w, key);
    v->put_int(w, number);
}

/* *ret is owned by the caller. 0, or an exit code after the error was told. */
static int make_job(const struct pdk_arguments *a, const pdk_value *spec, const pdk_value **ret) {
    const struct pdk_remote_arguments *own = &a->remote;
    const pdk_values *v = pdk_values_get();
    pdk_writer *w = v->open(v);
    v->put_map(w);
    v->key(w, "spec");
    v->put_value(w, spec);
    put_text(w, "topic", own->topic);
    put_text(w, "key", own->key);
    put_number(w, "priority", own->priority, own->has_priority);
    put_number(w, "max_attempts", own->max_attempts, own->max_attempts > 0);
    if (own->delay_ns) {
        v->key(w, "delay_seconds");
        v->put_number(w, (double)own->delay_ns / (double)PDK_SECOND);
    }
    if (own->unique) {
        v->key(w, "unique");
        v->put_map(w);
        put_text(w, "key", own->unique);
        put_text(w, "mode", own->unique_mode);
        v->end(w);
    }
    v->end(w);
    int32_t rc = v->close(w, ret, NULL);
    if (rc == 0) return 0;
    return rc == -ENOMEM ? pdk_say_memory() : pdk_say_usage(a->verb, "", "--topic, --key and --unique are UTF-8");
}

/* The option that only a queue understands; NULL: none was given. */
static const char *queue_option(const struct pdk_remote_arguments *own) {
    const struct {
        bool said;
        const char *name;
    } options[] = {{own->topic, "topic"},
                   {own->has_priority, "priority"},
                   {own->delay_ns, "delay"},
                   {own->unique, "unique"},
                   {own->key, "key"},
                   {own->max_attempts, "max-attempts"},
                   {own->unique_mode, "unique-mode"}};
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        if (options[i].said) return options[i].name;
    return NULL;
}

/* ---- what the server does not like, at the place where it was written */

/* The value that a JSON pointer leads to, or the last on the way. */
static const pdk_value *at_pointer(const pdk_value *value, const char *pointer) {
    const pdk_values *v = pdk_values_get();
    if (strncmp(pointer, "/spec", 5) == 0 && (pointer[5] == '/' || !pointer[5])) pointer += 5;
    while (value && *pointer == '/') {
        char token[256];
        size_t size = strcspn(++pointer, "/");
        (void)snprintf(token, sizeof token, "%.*s", (int)(size < 255 ? size : 255), pointer);
        const pdk_value *next =
            v->type(value) == PDK_LIST ? v->at(value, (size_t)strtoul(token, NULL, 10)) : v->get(value, token);
        if (!next) break;
        value = next;
        pointer += size;
    }
    return value;
}

static bool tell_place(const struct submitting *s, const struct pdk_handed *one) {
    const pdk_value *error = pdk_values_get()->get(s->remote->value, "error");
    const char *pointer = pdk_get_text(error, "path"), *hint = pdk_get_text(error, "hint");
    const pdk_value *at = *pointer ? at_pointer(one->spec, pointer) : NULL;
    struct pdk_report report = {0};
    struct pdk_console err = pdk_console_of(STDERR_FILENO, s->arguments->color);
    if (!at || !pdk_value_place(at).line) return false;
    (void)pdk_value_fault(&report, -EINVAL, at, *hint ? hint : NULL, NULL, "%s", pdk_get_text(error, "message"));
    pdk_report_print(&report, err.color, pdk_write_file, stderr);
    pdk_report_free(&report);
    return true;
}

/* Does nobody take it? Then why, runner by runner. */
static bool tell_route(struct submitting *s, const struct pdk_handed *one) {
    const pdk_values *v = pdk_values_get();
    PDK_PATH(path);
    pdk_buffer_text(&path, "/v1/route");
    if (pdk_remote_ask(s->remote, "POST", &path, one->spec) || s->remote->status != 200) return false;
    const pdk_value *candidates = v->get(s->remote->value, "candidates");
    if (*pdk_get_text(s->remote->value, "runner") || v->type(candidates) != PDK_LIST) return false;
    for (size_t i = 0; i < v->count(candidates); i++) {
        const pdk_value *runner = v->at(candidates, i);
        pdk_say("  %s: %s", pdk_cell_of(&s->remote->arena, runner, "runner"),
                pdk_cell_of(&s->remote->arena, runner, "text"));
    }
    return true;
}

static int refused(struct submitting *s, const struct pdk_handed *one) {
    const pdk_value *error = pdk_values_get()->get(s->remote->value, "error");
    int status = s->remote->status;
    bool content = status == 400 || status == 422, declared = pdk_values_get()->get(one->spec, "task") != NULL;
    const char *path = pdk_get_text(error, "path");
    bool unknown = declared && (strcmp(path, "/spec/task") == 0 || strcmp(path, "/task") == 0);
    if (content && tell_place(s, one)) return PDK_EXIT_FILE;
    int code = pdk_remote_fault(s->remote);
    if (!content) return code;
    if (unknown) return PDK_EXIT_NO_SUCH;
    if (declared && !s->direct && s->handover.fields && !s->arguments->quiet)
        pdk_say("the queue takes a declared task with its input alone; --direct takes what else is to differ");
    if (declared) return code;
    if (tell_route(s, one)) return PDK_EXIT_NO_RUNNER;
    return one->from_file ? PDK_EXIT_FILE : code;
}

/* ---- one after another */

/* A server without a queue has runs; whoever wants more of it than that cannot be served. */
static int without_queue(struct submitting *s) {
    const char *option = queue_option(&s->arguments->remote);
    if (option) {
        pdk_say("--%s needs a queue, and the server has none; it has the plugin queue to load", option);
        return PDK_EXIT_PLUGIN;
    }
    if (!s->told_direct && !s->arguments->quiet)
        pdk_say("the server has no queue: it is a run, which a restart of the server forgets");
    s->direct = s->told_direct = true;
    return 0;
}

static int ask(struct submitting *s, const struct pdk_handed *one) {
    const pdk_value *job = s->direct ? pdk_values_get()->hold(one->spec) : NULL;
    int code = s->direct ? 0 : make_job(s->arguments, one->spec, &job);
    if (code) return code;
    PDK_PATH(path);
    pdk_buffer_text(&path, s->direct ? "/v1/runs" : "/v1/jobs");
    code = pdk_remote_ask(s->remote, "POST", &path, job);
    pdk_values_get()->drop(job);
    return code;
}

/* The id that *ret gets lies in the arena. */
static int submit(struct submitting *s, const struct pdk_handed *one, struct pdk_arena *arena,
                  struct pdk_awaited *ret) {
    struct pdk_remote *remote = s->remote;
    int code = ask(s, one);
    if (code == 0 && remote->status == 501 && !s->direct) {
        code = without_queue(s);
        if (code == 0) code = ask(s, one);
    }
    if (code) return code;
    if (remote->status >= 400 || !remote->value) return refused(s, one);
    const char *id = pdk_cell_of(arena, remote->value, s->direct ? "run_id" : "job_id");
    if (s->arguments->json)
        pdk_print_json(remote->value);
    else
        (void)printf("%s\n", id);
    if (pdk_get_flag(remote->value, "duplicate") && !s->arguments->quiet) pdk_say("job %s was there before", id);
    *ret = (struct pdk_awaited){
        .id = id, .job = !s->direct, .own_code = s->arguments->command != NULL && s->handover.count == 1};
    return 0;
}

static int submit_all(struct submitting *s) {
    size_t count = s->handover.count;
    int code = 0;
    s->awaited = calloc(count + 1, sizeof *s->awaited);
    if (!s->awaited) return pdk_say_memory();
    for (size_t i = 0; code == 0 && i < count; i++)
        code = submit(s, &s->handover.items[i], &s->remote->arena, &s->awaited[i]);
    if (code == 0 && s->arguments->remote.wait) code = pdk_remote_await(s->remote, s->awaited, count);
    return code;
}

/* ---- line after line */

/* On a terminal, unless the ids that are printed there say it already. */
static void tell_progress(struct submitting *s, bool over) {
    uint64_t now = pdk_clock_now();
    if (!s->progress || (!over && now - s->told_at < PROGRESS)) return;
    s->told_at = now;
    (void)fprintf(stderr, "paddock: %zu submitted%s", s->count, over ? "\n" : "\r");
}

static int submit_line(struct submitting *s, const pdk_value *line) {
    struct pdk_arena own = {0};
    struct pdk_awaited last, *awaited = &last;
    struct pdk_handed one = {.from_file = true};
    bool wait = s->arguments->remote.wait;
    if (wait && (s->count & (s->count - 1)) == 0) {
        awaited = reallocarray(s->awaited, s->count ? s->count * 2 : 1, sizeof *awaited);
        if (!awaited) return pdk_say_memory();
        s->awaited = awaited;
    }
    if (wait) awaited = &s->awaited[s->count];
    int code = pdk_submit_single(s->arguments, line, s->handover.fields, &one.spec);
    if (code == 0) code = submit(s, &one, wait ? &s->remote->arena : &own, awaited);
    pdk_values_get()->drop(one.spec);
    pdk_arena_free(&own);
    s->count += code == 0;
    return code;
}

/* As far as the first that is wrong or refused; those before it stay submitted, which is told. */
static int submit_lines(struct submitting *s) {
    struct pdk_lines lines;
    char about[300];
    const pdk_value *line = NULL;
    int code = pdk_lines_open(&lines, s->arguments->remote.jsonl);
    if (code) return code;
    s->progress = isatty(STDERR_FILENO) && !isatty(STDOUT_FILENO) && !s->arguments->quiet;
    while (code == 0 && (code = pdk_lines_next(&lines, s->remote, &line)) == 0 && line) {
        (void)snprintf(about, sizeof about, "%.250s:%llu", lines.name, (unsigned long long)lines.number);
        s->remote->about = about;
        if (s->arguments->remote.wait && s->count == WAIT_MAX) {
            pdk_say("%s: --wait waits for %zu at most", about, WAIT_MAX);
            code = PDK_EXIT_USAGE;
        } else {
            code = submit_line(s, line);
        }
        pdk_values_get()->drop(line);
        tell_progress(s, false);
    }
    tell_progress(s, true);
    if (code && s->count && !s->progress && !s->arguments->quiet) pdk_say("%zu submitted before that", s->count);
    s->remote->about = NULL;
    pdk_lines_close(&lines);
    if (code == 0 && s->arguments->remote.wait) code = pdk_remote_await(s->remote, s->awaited, s->count);
    return code;
}

/* ---- the verb */

static int check_jsonl(const struct pdk_arguments *a) {
    const struct pdk_remote_arguments *own = &a->remote;
    const char *other = a->files.count   ? a->files.items[0]
                        : a->names.count ? a->names.items[0]
                        : a->command     ? "a command behind --"
                        : own->kind      ? "--kind"
                        : own->name      ? "--name"
                        : own->key       ? "--key" /* of all lines it would make one job */
                        : own->unique    ? "--unique"
                                         : NULL;
    if (!own->jsonl || !other) return 0;
    return pdk_say_usage(a->verb, "each line says what it is", "either --jsonl or %s, not both", other);
}

int pdk_verb_submit(struct pdk_arguments *a) {
    struct pdk_remote remote = {.watch_fd = -1, .signal_fd = -1};
    struct pdk_place_of_server place;
    struct submitting s = {.remote = &remote, .arguments = a, .direct = a->remote.direct};
    const char *option = queue_option(&a->remote);
    if (a->remote.direct && option) return pdk_say_usage(a->verb, "", "either --direct or --%s, not both", option);
    if (a->remote.unique_mode && !a->remote.unique)
        return pdk_say_usage(a->verb, "", "--unique-mode is of --unique KEY");
    int code = check_jsonl(a);
    if (code == 0) code = pdk_remote_place(a, &place);
    if (code) return code;
    code = pdk_handover_make(&s.handover, a, !place.url);
    if (code == 0) {
        code = pdk_remote_open(&remote, a, a->remote.wait || a->remote.jsonl, 0);
        if (code == 0) code = a->remote.jsonl ? submit_lines(&s) : submit_all(&s);
        code = pdk_remote_close(&remote, code);
    }
    pdk_handover_free(&s.handover);
    free(s.awaited);
    return code;
}
