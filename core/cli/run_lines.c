/* SPDX-License-Identifier: Apache-2.0 */
/* What tasks print, line by line: alone as it comes, else with the name of its task before it. */
#include <string.h>

#include "core/base/clock.h"
#include "core/cli/json.h"
#include "core/cli/run.h"

static const struct pdk_console *console_of(const struct pdk_session *session, int fd) {
    return fd == 1 ? &session->screen.out : &session->screen.err;
}

/* "12:04:05.678 web.1  | " */
static void add_prefix(const struct pdk_session *session, const char *name, int fd, struct pdk_buffer *to) {
    const struct pdk_console *console = console_of(session, fd);
    if (session->arguments->timestamps) {
        char time[64];
        (void)pdk_time_text(pdk_clock_unix(), time, sizeof time);
        pdk_buffer_format(to, "%s%.23sZ%s ", pdk_tone_begin(console, PDK_TONE_DIM), time,
                          pdk_tone_end(console, PDK_TONE_DIM));
    }
    if (!session->prefix) return;
    const char *tone = pdk_tone_task(console, name);
    pdk_buffer_format(to, "%s%-*s %c%s ", tone, (int)session->name_width, name, fd == 1 ? '|' : '!',
                      *tone ? "\x1b[0m" : "");
}

static void add_text(const struct pdk_session *session, int fd, const char *data, size_t size, struct pdk_buffer *to) {
    if (console_of(session, fd)->tty) {
        pdk_run_visible(to, data, size, false);
        if (memchr(data, '\x1b', size)) pdk_buffer_text(to, "\x1b[0m"); /* its colours end with its line */
    } else {
        pdk_buffer_add(to, data, size);
    }
}

static void show_line(struct pdk_session *session, const char *name, int fd, const pdk_event *event) {
    struct pdk_buffer line = PDK_BUFFER(8 * event->size + 512);
    add_prefix(session, name, fd, &line);
    add_text(session, fd, event->data, event->size, &line);
    pdk_buffer_text(&line, "\n");
    pdk_screen_output(&session->screen, fd, pdk_buffer_string(&line), line.size);
    pdk_buffer_free(&line);
}

/* As it came: what was cut goes on without a newline. */
static void pass_on(struct pdk_session *session, int fd, const pdk_event *event) {
    struct pdk_buffer text = PDK_BUFFER(8 * event->size + 16);
    if (console_of(session, fd)->tty)
        pdk_run_visible(&text, event->data, event->size, true);
    else
        pdk_buffer_add(&text, event->data, event->size);
    if (!event->truncated) pdk_buffer_text(&text, "\n");
    pdk_screen_output(&session->screen, fd, pdk_buffer_string(&text), text.size);
    pdk_buffer_free(&text);
}

void pdk_run_line(struct pdk_session *session, const char *name, const pdk_event *event) {
    int fd = event->stream == PDK_STDERR ? 2 : 1;
    if (session->prefix || session->arguments->timestamps || session->screen.live)
        show_line(session, name, fd, event);
    else
        pass_on(session, fd, event);
}

void pdk_run_output(void *arg, const struct pdk_item *item, const pdk_event *event) {
    struct pdk_session *session = arg;
    if (session->arguments->json)
        pdk_run_json(session, item, event);
    else
        pdk_run_line(session, item ? item->name : event->name, event);
}

void pdk_run_warn(void *arg, const char *text) {
    pdk_run_talk(arg, PDK_LOG_WARN, "", "%s", text);
}
