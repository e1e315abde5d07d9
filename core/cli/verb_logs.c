/* SPDX-License-Identifier: Apache-2.0 */
/* paddock logs: what a run has printed, and what it prints. */
#include <string.h>
#include <unistd.h>

#include "core/base/base64.h"
#include "core/base/clock.h"
#include "core/cli/remote.h"
#include "core/cli/run.h"

/* Runs die with their server: it does not come back with the same ones. */
#define RECONNECT (5 * PDK_SECOND)

struct logs {
    struct pdk_remote *remote;
    struct pdk_console err;
    bool at_start[3]; /* of a line, on stdout and stderr */
};

static void tell_lost(const struct logs *logs, int64_t lost) {
    if (!logs->remote->arguments->quiet) pdk_say("%lld bytes are missing here", (long long)lost);
}

/* The time goes before each line; control characters are shown where they would steer a terminal. */
static void print(struct logs *logs, int fd, const char *time, const char *data, size_t size) {
    const struct pdk_console *console = fd == STDERR_FILENO ? &logs->err : &logs->remote->out;
    FILE *to = fd == STDERR_FILENO ? stderr : stdout;
    bool stamps = logs->remote->arguments->timestamps;
    while (size) {
        const char *newline = memchr(data, '\n', size);
        size_t line = newline ? (size_t)(newline - data) + 1 : size;
        if (stamps && logs->at_start[fd])
            (void)fprintf(to, "%s%s%s ", pdk_tone_begin(console, PDK_TONE_DIM), time,
                          pdk_tone_end(console, PDK_TONE_DIM));
        struct pdk_buffer shown = PDK_BUFFER(1u << 24);
        if (console->tty)
            pdk_run_visible(&shown, data, line, true);
        else
            pdk_buffer_add(&shown, data, line);
        (void)fwrite(pdk_buffer_string(&shown), 1, shown.size, to);
        pdk_buffer_free(&shown);
        logs->at_start[fd] = newline != NULL;
        data += line;
        size -= line;
    }
}

static void print_piece(struct logs *logs, const pdk_value *piece) {
    const pdk_values *v = pdk_values_get();
    int fd = strcmp(pdk_get_text(piece, "stream"), "stderr") == 0 ? STDERR_FILENO : STDOUT_FILENO;
    const char *coded = pdk_get_text(piece, "base64"), *time = pdk_get_text(piece, "time"), *text = "";
    struct pdk_arena arena = {0};
    int64_t lost = pdk_get_integer(piece, "lost");
    if (lost) tell_lost(logs, lost);
    time = pdk_cell(&arena, time);
    if (*coded) {
        struct pdk_buffer bytes = PDK_BUFFER(1u << 24);
        if (pdk_base64_read(&bytes, coded, strlen(coded)) == 0)
            print(logs, fd, time, pdk_buffer_string(&bytes), bytes.size);
        pdk_buffer_free(&bytes);
    } else if (v->string(v->get(piece, "text"), &text) == 0) {
        print(logs, fd, time, text, v->count(v->get(piece, "text")));
    }
    pdk_arena_free(&arena);
}

static int32_t on_event(void *arg, const pdk_client_event *event) {
    struct logs *logs = arg;
    const pdk_values *v = pdk_values_get();
    const pdk_value *piece = NULL;
    if (!*event->type && !logs->remote->arguments->quiet) pdk_say("%s; trying to go on", event->data);
    if (strcmp(event->type, "output") != 0) return 0;
    if (v->parse(v, event->data, event->size, "an event", &piece, NULL) < 0) return 0;
    if (logs->remote->arguments->json)
        pdk_print_json(piece);
    else
        print_piece(logs, piece);
    v->drop(piece);
    return !pdk_remote_flush(logs->remote);
}

static int print_one(struct logs *logs, const char *run) {
    const struct pdk_arguments *a = logs->remote->arguments;
    const struct pdk_remote_arguments *own = &a->remote;
    char tail[32];
    PDK_PATH(path);
    (void)snprintf(tail, sizeof tail, "%lld", (long long)own->tail);
    pdk_buffer_text(&path, "/v1/runs/");
    pdk_url_add(&path, run);
    pdk_buffer_text(&path, "/output");
    pdk_url_number(&path, "attempt", own->attempt);
    pdk_url_query(&path, "stream", own->stream);
    pdk_url_query(&path, "tail", own->tail < 0 ? NULL : tail);
    pdk_url_query(&path, "follow", own->follow ? "true" : NULL);
    logs->at_start[STDOUT_FILENO] = logs->at_start[STDERR_FILENO] = true;
    return pdk_remote_follow(logs->remote, &path, NULL, on_event, logs);
}

int pdk_verb_logs(struct pdk_arguments *a) {
    struct pdk_remote remote;
    struct logs logs = {.remote = &remote, .err = pdk_console_of(STDERR_FILENO, a->color)};
    if (!a->names.count) return pdk_say_usage(a->verb, "paddock ps lists them", "of which run?");
    if (a->remote.follow && a->names.count > 1) return pdk_say_usage(a->verb, "", "one run can be followed at a time");
    int code = pdk_remote_open(&remote, a, true, RECONNECT);
    for (size_t i = 0; code == 0 && i < a->names.count; i++) code = print_one(&logs, a->names.items[i]);
    return pdk_remote_close(&remote, code);
}
