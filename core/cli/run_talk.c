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

static const char *const levels[] = {"debug", "info", "warn", "error", "error"};

static void json_line(const struct pdk_session *session, struct pdk_buffer *line, const struct pdk_said_of *of,
                      const char *text) {
    const char *part = of->task && *of->task ? of->task : "paddock";
    if (of->part && *of->part) part = of->part;
    if (session->serves && of->task && part == of->task) part = "tasks";
    pdk_json_open(line, NULL, '{');
    pdk_json_time(line, "time", pdk_clock_unix());
    pdk_json_text(line, "level", levels[of->level]);
    pdk_json_text(line, "msg", text);
    pdk_json_text(line, "logger", part);
    if (of->run_id && *of->run_id) pdk_json_text(line, "run_id", of->run_id);
    if (of->task && *of->task) pdk_json_text(line, "task", of->task);
    if (of->attempt) pdk_json_integer(line, "attempt", of->attempt);
    if (of->runner && *of->runner) pdk_json_text(line, "runner", of->runner);
    if (of->file && *of->file) pdk_json_text(line, "file", of->file);
    if (of->line) pdk_json_integer(line, "line", of->line);
    const struct pdk_item *item =
        session->plan && of->run_id && !of->trace_id ? pdk_plan_find_traced(session->plan, of->run_id) : NULL;
    const char *trace_id = item ? item->trace_id : of->trace_id, *span_id = item ? item->span_id : of->span_id;
    if (trace_id && *trace_id) pdk_json_text(line, "trace_id", trace_id);
    if (span_id && *span_id) pdk_json_text(line, "span_id", span_id);
    pdk_json_close(line, '}');
}

/* What a daemon says stands beside what others say: in the journal, which has the time and reads the level, or with both. */
static void begin_served(const struct pdk_session *session, struct pdk_buffer *line, int32_t level) {
    static const int priorities[] = {7, 6, 4, 3, 3};
    char time[64];
    if (session->journal) {
        pdk_buffer_format(line, "<%d>", priorities[level]);
        return;
    }
    const struct pdk_console *console = &session->screen.err;
    pdk_buffer_format(line, "%s%s%s %-5s ", pdk_tone_begin(console, PDK_TONE_DIM),
                      pdk_time_text(pdk_clock_unix() / 1000000 * 1000000, time, sizeof time),
                      pdk_tone_end(console, PDK_TONE_DIM), levels[level]);
}

static void text_line(const struct pdk_session *session, struct pdk_buffer *line, const struct pdk_said_of *of,
                      const char *text) {
    const struct pdk_console *console = &session->screen.err;
    const char *part = of->task && *of->task ? of->task : of->part ? of->part : "";
    enum pdk_tone tone = of->level >= PDK_LOG_ERROR  ? PDK_TONE_RED
                         : of->level == PDK_LOG_WARN ? PDK_TONE_YELLOW
                                                     : PDK_TONE_PLAIN;
    if (session->serves) begin_served(session, line, of->level);
    pdk_buffer_format(line, "%s%s%s%s", pdk_tone_begin(console, tone), session->serves ? "" : "paddock: ", part,
                      *part ? ": " : "");
    if (console->tty)
        pdk_run_visible(line, text, strlen(text), false);
    else
        pdk_buffer_text(line, text);
    pdk_buffer_text(line, pdk_tone_end(console, tone));
}

static void say(struct pdk_session *session, const struct pdk_said_of *of, const char *text) {
    struct pdk_buffer line = PDK_BUFFER(16384);
    if (session->json_log)
        json_line(session, &line, of, text);
    else
        text_line(session, &line, of, text);
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
    say(session, &(struct pdk_said_of){.level = level, .part = part}, text);
}

void pdk_run_talk_of(struct pdk_session *session, const struct pdk_said_of *of, const char *format, ...) {
    char text[2048];
    va_list args;
    if (of->level < session->level && !of->asked) return;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    say(session, of, text);
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
        const struct pdk_said_of of = {.level = note->level, .part = note->part, .run_id = note->run_id};
        say(notes->session, &of, note->text);
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

/* Of an item at a level. */
static struct pdk_said_of of_item(int32_t level, const struct pdk_item *item, const pdk_event *event) {
    return (struct pdk_said_of){.level = level,
                                .task = item->name,
                                .run_id = item->run_id,
                                .runner = item->runner,
                                .attempt = item->attempt,
                                .trace_id = event->trace_id,
                                .span_id = event->span_id};
}

/* A daemon says at info what a person at a terminal sees by himself. */
static int32_t quieter(const struct pdk_session *session) {
    return session->serves ? PDK_LOG_INFO : PDK_LOG_DEBUG;
}

static void talk_ended(struct pdk_session *session, const struct pdk_item *item, const pdk_event *event) {
    char why[400], time[32];
    bool good = item->end == PDK_END_SUCCEEDED;
    bool stopped = item->end == PDK_END_CANCELED && (item->canceled == PDK_CANCEL_SHUTDOWN || item->asked);
    struct pdk_said_of of = of_item(PDK_LOG_INFO, item, event);
    (void)pdk_run_why(item, why, sizeof why);
    (void)pdk_duration_about(item->duration, time, sizeof time);
    if (stopped) {
        pdk_run_talk_of(session, &of, "stopped after %s", time);
    } else if (good) {
        pdk_run_talk_of(session, &of, "succeeded in %s", time);
    } else {
        of.level = item->end == PDK_END_CANCELED && session->serves ? PDK_LOG_INFO : PDK_LOG_ERROR;
        pdk_run_talk_of(session, &of, "%s%s%s", pdk_end_name(item->end), *why ? ": " : "", why);
    }
}

static void talk_attempt(struct pdk_session *session, const struct pdk_item *item, const pdk_event *event) {
    char delay[32];
    struct pdk_said_of of = of_item(quieter(session), item, event);
    bool failed = item->last[0] && item->last_status != PDK_SUCCESS;
    switch (event->kind) {
    case PDK_EVENT_STARTED:
        if (event->attempt > 1)
            pdk_run_talk_of(session, &of, "attempt %u started", event->attempt);
        else
            pdk_run_talk_of(session, &of, "started");
        break;
    case PDK_EVENT_READY:
        of.level = PDK_LOG_INFO;
        pdk_run_talk_of(session, &of, "ready");
        break;
    case PDK_EVENT_STOPPING: pdk_run_talk_of(session, &of, "stopping: %s", event->text); break;
    case PDK_EVENT_WAITING:
        of.level = failed ? PDK_LOG_WARN : PDK_LOG_DEBUG;
        if (failed)
            pdk_run_talk_of(session, &of, "attempt %u failed: %s; again in %s", item->attempt, item->last,
                            pdk_duration_about(event->delay_ns, delay, sizeof delay));
        else
            pdk_run_talk_of(session, &of, "%s", event->text);
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
    struct pdk_said_of of = of_item(PDK_LOG_ERROR, item, event);
    switch (event->kind) {
    case PDK_EVENT_OUTCOME:
    case PDK_EVENT_REJECTED: talk_ended(session, item, event); break;
    case PDK_EVENT_STUCK: pdk_run_talk_of(session, &of, "%s", event->text); break;
    case PDK_PLAN_WAITS:
        of.level = quieter(session);
        pdk_run_talk_of(session, &of, "waits: %s", event->text);
        break;
    default: talk_attempt(session, item, event); break;
    }
}

void pdk_run_states(struct pdk_session *session) {
    const struct pdk_item *item;
    uint64_t now = session->loop->now_ns(session->loop);
    for (size_t i = 0; (item = pdk_plan_item(session->plan, i)); i++) {
        char text[300] = "", time[32];
        if (item->state == PDK_ITEM_WAITING)
            (void)pdk_item_waits_for(item, text, sizeof text);
        else if (item->state == PDK_ITEM_ENDED)
            (void)strlcpy(text, pdk_end_name(item->end), sizeof text);
        else if (item->last[0])
            (void)strlcpy(text, item->last, sizeof text);
        const struct pdk_said_of of = {
            .level = PDK_LOG_INFO, .asked = true, .task = item->name, .run_id = item->run_id};
        pdk_run_talk_of(session, &of, "%s%s for %s, attempt %u%s%s", pdk_item_state_name(item->state),
                        item->ready ? ", ready," : "", pdk_duration_about(now - item->since, time, sizeof time),
                        item->attempt, *text ? "; " : "", text);
    }
}
