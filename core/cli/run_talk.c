/* SPDX-License-Identifier: Apache-2.0 */
/* What Paddock says while tasks run: one line for each change, as text or as JSON. */
#include <bsd/sys/queue.h>
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/text.h"
#include "core/cli/json.h"
#include "core/cli/run.h"

const char *pdk_end_name(int32_t end) {
    static const char *const names[] = {"succeeded", "failed", "fatal", "canceled", "timed_out", "rejected", "lost"};
    return end >= 0 && end < 7 ? names[end] : "?";
}

const char *pdk_result_name(int32_t status) {
    static const char *const names[] = {"succeeded", "failed", "fatal", "failed", "canceled"};
    return status >= 0 && status < 5 ? names[status] : "?";
}

const char *pdk_run_why(const struct pdk_item *item, char *buf, size_t size) {
    const char *text = item->message[0] ? item->message : item->reason;
    if (item->end == PDK_END_SUCCEEDED) text = "";
    if (item->end == PDK_END_CANCELED && item->canceled == PDK_CANCEL_SHUTDOWN) text = "stopped";
    (void)strlcpy(buf, text, size);
    return buf;
}

static void json_line(const struct pdk_session *session, struct pdk_buffer *line, int32_t level, const char *part,
                      const char *run_id, const char *text) {
    static const char *const levels[] = {"debug", "info", "warn", "error", "error"};
    pdk_json_open(line, NULL, '{');
    pdk_json_time(line, "time", pdk_clock_unix());
    pdk_json_text(line, "level", levels[level]);
    pdk_json_text(line, "msg", text);
    pdk_json_text(line, "logger", part);
    if (run_id && *run_id) pdk_json_text(line, "run_id", run_id);
    const struct pdk_item *item = session->plan && run_id ? pdk_plan_find_traced(session->plan, run_id) : NULL;
    if (item) pdk_json_text(line, "trace_id", item->trace_id);
    if (item && item->span_id[0]) pdk_json_text(line, "span_id", item->span_id);
    pdk_json_close(line, '}');
}

static void text_line(const struct pdk_session *session, struct pdk_buffer *line, int32_t level, const char *part,
                      const char *text) {
    const struct pdk_console *console = &session->screen.err;
    enum pdk_tone tone = level >= PDK_LOG_ERROR  ? PDK_TONE_RED
                         : level == PDK_LOG_WARN ? PDK_TONE_YELLOW
                                                 : PDK_TONE_PLAIN;
    pdk_buffer_format(line, "%spaddock: %s%s", pdk_tone_begin(console, tone), part, *part ? ": " : "");
    if (console->tty)
        pdk_run_visible(line, text, strlen(text), false);
    else
        pdk_buffer_text(line, text);
    pdk_buffer_text(line, pdk_tone_end(console, tone));
}

static void say(struct pdk_session *session, int32_t level, const char *part, const char *run_id, const char *text) {
    struct pdk_buffer line = PDK_BUFFER(16384);
    if (session->json_log)
        json_line(session, &line, level, *part ? part : "paddock", run_id, text);
    else
        text_line(session, &line, level, part, text);
    pdk_buffer_text(&line, "\n");
    if (session->sink)
        pdk_screen_talk(&session->screen, pdk_buffer_string(&line), line.size);
    else
        (void)fwrite(pdk_buffer_string(&line), 1, line.size, stderr); /* before it runs, and after */
    pdk_buffer_free(&line);
}

void pdk_run_talk(struct pdk_session *session, int32_t level, const char *part, const char *format, ...) {
    char text[2048];
    va_list args;
    if (level < session->level) return;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    say(session, level, part, "", text);
}

/* A line of the log on its way to the main thread. */
struct note {
    STAILQ_ENTRY(note) next;
    int32_t level;
    char part[64], run_id[160];
    char text[];
};

struct pdk_run_notes {
    struct pdk_session *session;
    pthread_mutex_t lock;
    STAILQ_HEAD(, note) list;
    pdk_call call;
};

static struct note *take_note(struct pdk_run_notes *notes) {
    (void)pthread_mutex_lock(&notes->lock);
    struct note *note = STAILQ_FIRST(&notes->list);
    if (note) STAILQ_REMOVE_HEAD(&notes->list, next);
    (void)pthread_mutex_unlock(&notes->lock);
    return note;
}

static void say_notes(void *arg) {
    struct pdk_run_notes *notes = arg;
    struct note *note;
    while ((note = take_note(notes))) {
        say(notes->session, note->level, note->part, note->run_id, note->text);
        free(note);
    }
}

int32_t pdk_run_notes_create(struct pdk_session *session) {
    struct pdk_run_notes *notes = calloc(1, sizeof *notes);
    if (!notes) return -ENOMEM;
    notes->session = session;
    (void)pthread_mutex_init(&notes->lock, NULL);
    STAILQ_INIT(&notes->list);
    notes->call = (pdk_call){.run = say_notes, .arg = notes};
    session->notes = notes;
    return 0;
}

void pdk_run_notes_say(struct pdk_session *session) {
    if (session->notes) say_notes(session->notes);
}

void pdk_run_notes_free(struct pdk_session *session) {
    struct note *note;
    if (!session->notes) return;
    while ((note = take_note(session->notes))) free(note);
    (void)pthread_mutex_destroy(&session->notes->lock);
    free(session->notes);
}

void pdk_run_log(void *arg, int32_t level, const char *part, const char *run_id, const char *text) {
    struct pdk_session *session = arg;
    struct pdk_run_notes *notes = session->notes;
    size_t size = strlen(text) + 1;
    if (level < session->log_level) return;
    struct note *note = malloc(sizeof *note + size);
    if (!note) return;
    *note = (struct note){.level = level};
    (void)strlcpy(note->part, part, sizeof note->part);
    (void)strlcpy(note->run_id, run_id, sizeof note->run_id);
    memcpy(note->text, text, size);
    (void)pthread_mutex_lock(&notes->lock);
    STAILQ_INSERT_TAIL(&notes->list, note, next);
    (void)pthread_mutex_unlock(&notes->lock);
    session->loop->post(session->loop, &notes->call);
}

static void talk_ended(struct pdk_session *session, const struct pdk_item *item) {
    char why[400], time[32];
    bool good = item->end == PDK_END_SUCCEEDED;
    bool stopped = item->end == PDK_END_CANCELED && item->canceled == PDK_CANCEL_SHUTDOWN;
    (void)pdk_run_why(item, why, sizeof why);
    (void)pdk_duration_about(item->duration, time, sizeof time);
    if (stopped)
        pdk_run_talk(session, PDK_LOG_INFO, item->name, "stopped after %s", time);
    else if (good)
        pdk_run_talk(session, PDK_LOG_INFO, item->name, "succeeded in %s", time);
    else
        pdk_run_talk(session, PDK_LOG_ERROR, item->name, "%s%s%s", pdk_end_name(item->end), *why ? ": " : "", why);
}

static void talk_attempt(struct pdk_session *session, const struct pdk_item *item, const pdk_event *event) {
    char delay[32];
    switch (event->kind) {
    case PDK_EVENT_STARTED:
        if (event->attempt > 1)
            pdk_run_talk(session, PDK_LOG_DEBUG, item->name, "attempt %u started", event->attempt);
        else
            pdk_run_talk(session, PDK_LOG_DEBUG, item->name, "started");
        break;
    case PDK_EVENT_READY: pdk_run_talk(session, PDK_LOG_INFO, item->name, "ready"); break;
    case PDK_EVENT_STOPPING: pdk_run_talk(session, PDK_LOG_DEBUG, item->name, "stopping: %s", event->text); break;
    case PDK_EVENT_WAITING:
        if (item->last[0] && item->last_status != PDK_SUCCESS)
            pdk_run_talk(session, PDK_LOG_WARN, item->name, "attempt %u failed: %s; again in %s", item->attempt,
                         item->last, pdk_duration_about(event->delay_ns, delay, sizeof delay));
        else
            pdk_run_talk(session, PDK_LOG_DEBUG, item->name, "%s", event->text);
        break;
    default: break;
    }
}

void pdk_run_talk_event(struct pdk_session *session, const struct pdk_item *item, const pdk_event *event) {
    if (session->single && session->level > PDK_LOG_DEBUG) return;
    if (!item) {
        if (event->kind == PDK_EVENT_LOST)
            pdk_run_talk(session, PDK_LOG_WARN, "", "%llu events were lost: output may be missing",
                         (unsigned long long)event->number);
        return;
    }
    switch (event->kind) {
    case PDK_EVENT_OUTCOME:
    case PDK_EVENT_REJECTED: talk_ended(session, item); break;
    case PDK_EVENT_STUCK: pdk_run_talk(session, PDK_LOG_ERROR, item->name, "%s", event->text); break;
    case PDK_PLAN_WAITS: pdk_run_talk(session, PDK_LOG_DEBUG, item->name, "waits: %s", event->text); break;
    default: talk_attempt(session, item, event); break;
    }
}
