/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What runs print. An archive has all of it, with places and times; without one there is the end of it that the
 * supervisor remembers, and what is printed from now on.
 */
#include <stdio.h>

#include "console.h"

enum { BUFFER_MAX = 256 << 10, BUFFER_LIMIT = 2 << 20, BUFFER_FULL = 128 << 10, LINES_MAX = 1000000 };

#define HEARTBEAT (15 * SECOND)

struct con_follower {
    TAILQ_ENTRY(con_follower) all;
    struct con *con;
    struct con_request *request; /* until its answer has begun */
    struct con_peer *peer;
    struct MHD_Connection *connection;
    enum con_type type;
    struct con_text text;
    pdk_watch watch; /* of a subscription; 0: none */
    const pdk_archive *archive;
    pdk_reading_id reading; /* 0: none */
    uint64_t offset, lost, sent_ns, asked_ns;
    uint64_t tail; /* what was asked for, should the archive have nothing; UINT64_MAX: all of it */
    bool on;       /* and to go on */
    bool waiting, paused, ended, heartbeat;
    bool failed; /* what follows cannot be read */
};

static const enum con_type offered[] = {CON_PLAIN, CON_NDJSON, CON_SSE};

/* Output of which no more than its bytes is known: what is text in an event is never NULL. */
static pdk_event printed(void) {
    return (pdk_event){.struct_size = (uint32_t)sizeof(pdk_event),
                       .kind = PDK_EVENT_OUTPUT,
                       .run_id = "",
                       .text = "",
                       .code = "",
                       .name = "",
                       .runner = "",
                       .slot = "",
                       .trace_id = "",
                       .span_id = ""};
}

/* ---- how it is written ---- */

static void put_piece(const struct con *con, pdk_writer *w, const pdk_value *event, uint64_t offset, uint64_t lost) {
    static const char *const kept[] = {"time", "stream", "attempt", "text", "base64"};
    con->values->put_map(w);
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        con_put_value(con, w, kept[i], con->values->get(event, kept[i]));
    con_put_int(con, w, "offset", offset);
    if (lost) con_put_int(con, w, "lost", lost);
    con->values->end(w);
}

/* The words of an event for bytes that need not be text. */
static void write_object(struct con_follower *f, const pdk_event *event, uint64_t offset) {
    const struct con *con = f->con;
    const pdk_value *value = NULL, *object = NULL;
    pdk_writer *w = con->values->open(con->values);
    if (con->control->describe_event(con->control, event, &value) < 0) value = NULL;
    put_piece(con, w, value, offset, f->lost);
    con->values->drop(value);
    if (con->values->close(w, &object, NULL) < 0) return;
    uint64_t next = offset + event->size;
    if (f->type == CON_SSE && f->archive)
        con_text_format(&f->text, "id: %u-%llu\n", event->attempt, (unsigned long long)next);
    if (f->type == CON_SSE && !f->archive) con_text_format(&f->text, "id: %llu\n", (unsigned long long)next);
    if (f->type == CON_SSE) con_text_put(&f->text, "event: output\ndata: ");
    (void)con->values->print(con->values, object, PDK_JSON_PLAIN, con_text_write, &f->text);
    con_text_put(&f->text, f->type == CON_SSE ? "\n\n" : "\n");
    con->values->drop(object);
    f->lost = 0;
}

static void write_piece(struct con_follower *f, const pdk_event *event, uint64_t offset) {
    if (f->type != CON_PLAIN) {
        write_object(f, event, offset);
        return;
    }
    if (f->lost) con_text_format(&f->text, "[%llu bytes are missing here]\n", (unsigned long long)f->lost);
    f->lost = 0;
    if (event->size) con_text_add(&f->text, event->data, event->size);
}

/* ---- sending it ---- */

static void wake(struct con_follower *f) {
    if (!f->waiting) return;
    f->waiting = false;
    MHD_resume_connection(f->connection);
    con_daemon_kick(f->peer->server);
}

static void finish(struct con_follower *f) {
    if (f->ended) return;
    f->ended = true;
    if (f->type == CON_SSE && !f->failed) con_text_put(&f->text, "event: end\ndata: {}\n\n");
    wake(f);
}

static ssize_t read_output(void *arg, uint64_t position, char *buf, size_t max) {
    struct con_follower *f = arg;
    size_t size = f->text.size < max ? f->text.size : max;
    (void)position;
    f->asked_ns = con_now(f->con);
    if (f->heartbeat && con_peer_is_gone(f->peer)) return MHD_CONTENT_READER_END_WITH_ERROR;
    if (!size && f->heartbeat && f->type == CON_SSE && max >= 3) {
        con_text_put(&f->text, ":\n\n");
        size = f->text.size;
    }
    if (f->heartbeat) f->sent_ns = f->asked_ns;
    f->heartbeat = false;
    if (size) {
        memcpy(buf, f->text.data, size);
        con_text_cut(&f->text, size);
        f->sent_ns = f->asked_ns;
    }
    if (f->paused && f->text.size < BUFFER_FULL / 2) {
        f->paused = false;
        f->archive->resume(f->archive, f->reading);
    }
    if (size) return (ssize_t)size;
    if (f->failed || f->text.error) return MHD_CONTENT_READER_END_WITH_ERROR;
    if (f->ended || f->con->stopping) return MHD_CONTENT_READER_END_OF_STREAM;
    f->waiting = true;
    MHD_suspend_connection(f->connection);
    return 0;
}

static void stop_reading(struct con_follower *f) {
    const struct con *con = f->con;
    if (f->watch) con->control->unsubscribe(con->control, f->watch);
    if (f->reading) f->archive->stop(f->archive, f->reading);
    f->watch = f->reading = 0;
    f->paused = false; /* there is nothing to resume */
}

static void end_follower(void *arg) {
    struct con_follower *f = arg;
    stop_reading(f);
    TAILQ_REMOVE(&f->con->followers, f, all);
    con_text_free(&f->text);
    free(f);
}

static struct con_follower *begin(struct con_request *request, enum con_type type) {
    struct con_follower *f = calloc(1, sizeof *f);
    if (!f) return NULL;
    f->con = request->con;
    f->request = request;
    f->peer = request->peer;
    f->connection = request->connection;
    f->type = type;
    f->text = (struct con_text){.limit = BUFFER_LIMIT};
    f->sent_ns = f->asked_ns = con_now(f->con);
    TAILQ_INSERT_TAIL(&f->con->followers, f, all);
    return f;
}

static void answer(struct con_follower *f) {
    struct con_request *request = f->request;
    f->request = NULL;
    con_answer_stream(request, f->type, read_output, f, end_follower);
}

/* ---- from the supervisor ---- */

/* A line comes without its end, unless it is only the beginning of one. What was printed had it. */
static void write_line(struct con_follower *f, const pdk_event *event) {
    struct con_text line = {.limit = BUFFER_MAX + 1};
    pdk_event whole = *event;
    if (event->truncated) {
        write_piece(f, event, f->offset);
        return;
    }
    con_text_add(&line, event->data, event->size);
    con_text_put(&line, "\n");
    whole.data = line.data;
    whole.size = line.size;
    if (line.error)
        f->lost += event->size + 1;
    else
        write_piece(f, &whole, f->offset);
    con_text_free(&line);
}

/* What is missing at the very end: nothing comes after it that would say so. */
static void write_loss(struct con_follower *f, const pdk_event *event) {
    pdk_event nothing = *event;
    nothing.kind = PDK_EVENT_OUTPUT;
    nothing.data = "";
    nothing.size = 0;
    if (f->lost) write_piece(f, &nothing, f->offset);
}

static void on_output(void *arg, const pdk_event *event) {
    struct con_follower *f = arg;
    uint64_t size = event->size + !event->truncated; /* with its end */
    if (event->kind == PDK_EVENT_OUTCOME) {
        write_loss(f, event);
        finish(f);
        return;
    }
    if (event->kind != PDK_EVENT_OUTPUT) return;
    if (f->text.size + event->size > BUFFER_MAX || !event->data)
        f->lost += size;
    else
        write_line(f, event);
    f->offset += size;
    wake(f);
}

/* The last lines of a text; lines that end without one count too. */
static const char *last_lines(const char *text, size_t *size, uint64_t lines) {
    const char *start = text + *size;
    if (start > text && start[-1] == '\n') start--;
    while (start > text) {
        if (start[-1] == '\n' && !--lines) break;
        start--;
    }
    *size -= (size_t)(start - text);
    return start;
}

/* What the supervisor remembers. False: it is answered. */
static bool remember(struct con_follower *f, const struct con_run *run, uint64_t tail) {
    const struct con *con = f->con;
    const pdk_value *value = NULL;
    pdk_error err = PDK_ERROR;
    const char *text = "";
    pdk_event event = printed();
    int32_t rc = con->control->inspect(con->control, "output", run->run, NULL, &value, &err);
    if (rc < 0) {
        con_answer_error(f->request, rc, &err);
        return false;
    }
    (void)con->values->string(value, &text);
    event.size = con->values->count(value);
    event.unix_ns = con->host->unix_ns(con->host);
    event.stream = PDK_STDOUT;
    event.data = tail == UINT64_MAX ? text : tail ? last_lines(text, &event.size, tail) : (event.size = 0, text);
    if (event.size) write_piece(f, &event, 0);
    f->offset = event.size;
    con->values->drop(value);
    return true;
}

static bool subscribe(struct con_follower *f, pdk_run run) {
    const pdk_control *control = f->con->control;
    const pdk_filter filter = {.struct_size = (uint32_t)sizeof filter,
                               .run = run,
                               .events = 1u << PDK_EVENT_OUTPUT | 1u << PDK_EVENT_OUTCOME | 1u << PDK_EVENT_LOST};
    int32_t rc = control->subscribe(control, &filter, on_output, f, &f->watch);
    if (rc < 0) con_answer_error(f->request, rc, NULL);
    return rc == 0;
}

static void follow(struct con_request *request, enum con_type type, const struct con_run *run, uint64_t tail, bool on) {
    bool over = run->state == PDK_RUN_ENDED || run->state == PDK_RUN_STUCK;
    struct con_follower *f = begin(request, type);
    if (!f) return;
    if (!remember(f, run, tail) || (on && !over && !subscribe(f, run->run))) {
        end_follower(f);
        return;
    }
    if (!on || over) finish(f);
    answer(f);
}

/* ---- from an archive ---- */

/* The first word of the archive decides whether there is something to send. What it does not have yet the supervisor may
 * remember. */
static void answer_archive(struct con_follower *f, int32_t rc, const pdk_error *err) {
    struct con_request *request = f->request;
    struct con_run run;
    if (!request) return;
    if (rc < 0) {
        uint64_t tail = f->tail;
        enum con_type type = f->type;
        bool on = f->on;
        end_follower(f);
        if (rc == -ENOENT && con_run_find(request, con_request_part(request, "run"), &run))
            follow(request, type, &run, tail, on);
        else
            con_answer_error(request, rc, err);
    } else {
        answer(f);
    }
    con_request_wake(request);
    con_request_release(request);
}

static int32_t on_piece(void *arg, const pdk_piece *piece) {
    struct con_follower *f = arg;
    pdk_event event = printed();
    event.unix_ns = piece->unix_ns;
    event.data = piece->data;
    event.size = piece->size;
    event.stream = piece->stream;
    event.attempt = piece->attempt;
    f->lost += piece->lost;
    if (piece->size || piece->lost) write_piece(f, &event, piece->offset); /* else there is nothing yet */
    bool full = f->paused = f->text.size > BUFFER_FULL;
    wake(f);
    answer_archive(f, 0, NULL); /* last: for want of memory it ends the follower */
    return full;
}

/* Its beginning is sent already: whoever can read more than text is told, and the connection does not end well. */
static void tell_failure(struct con_follower *f, const pdk_error *err) {
    const struct con *con = f->con;
    const pdk_values *v = con->values;
    const pdk_value *value = NULL;
    pdk_writer *w = v->open(v);
    f->failed = true;
    v->put_map(w);
    v->key(w, "error");
    v->put_map(w);
    con_put_text(con, w, "code", "storage");
    con_put_text(con, w, "message", err && *err->message ? err->message : "it cannot be read");
    v->end(w);
    v->end(w);
    if (v->close(w, &value, NULL) < 0) return;
    if (f->type == CON_SSE) con_text_put(&f->text, "event: error\ndata: ");
    if (f->type != CON_PLAIN) (void)v->print(v, value, PDK_JSON_PLAIN, con_text_write, &f->text);
    if (f->type != CON_PLAIN) con_text_put(&f->text, f->type == CON_SSE ? "\n\n" : "\n");
    v->drop(value);
}

static void on_end(void *arg, int32_t rc, const pdk_error *err) {
    struct con_follower *f = arg;
    f->reading = 0;
    f->paused = false;
    if (rc < 0 && f->request) {
        answer_archive(f, rc, err);
        return;
    }
    if (rc < 0) tell_failure(f, err);
    finish(f);
    answer_archive(f, 0, NULL);
}

static void read_archive(struct con_request *request, const pdk_archive *archive, enum con_type type,
                         const pdk_read_options *options, uint64_t tail) {
    const char *name = con_request_part(request, "run");
    pdk_read_options kept = *options;
    struct con_run run;
    bool known = con_run_find(request, name, &run);
    if (known && options->attempt > run.attempts && !options->follow) {
        con_answer_faultf(request, CON_NOT_FOUND, "%.200s has no attempt %u: it has begun %u", run.run_id,
                          options->attempt, run.attempts);
        return;
    }
    struct con_follower *f = begin(request, type);
    if (!f) return;
    f->archive = archive;
    f->tail = tail;
    f->on = options->follow;
    con_request_hold(request);
    if (!tail) kept.tail = UINT64_MAX;
    int32_t rc = archive->read(archive, known ? run.run_id : name, &kept, on_piece, on_end, f, &f->reading);
    if (rc == 0) return;
    end_follower(f);
    con_answer_error(request, rc, NULL);
    con_request_release(request);
}

/* ---- the question ---- */

/* "ATTEMPT-OFFSET", or an offset alone. What is neither is not ours. */
static bool read_last(const char *last, pdk_read_options *options, uint64_t *attempt) {
    const char *dash = strchr(last, '-');
    char text[24] = "";
    uint64_t number = 0, from = 0;
    if (dash && (size_t)(dash - last) < sizeof text) memcpy(text, last, (size_t)(dash - last));
    if (dash && !con_uri_number(text, 1, UINT32_MAX, &number)) return false;
    if (!con_uri_number(dash ? dash + 1 : last, 0, INT64_MAX, &from)) return false;
    options->from = from;
    options->tail = 0;
    if (!*attempt) *attempt = number;
    return true;
}

static bool read_options(struct con_request *request, pdk_read_options *options, bool *ret_tail) {
    const char *stream = con_request_query(request, "stream"), *last = con_request_header(request, "Last-Event-ID");
    uint64_t attempt = 0;
    bool on = false;
    options->struct_size = (uint32_t)sizeof *options;
    if (!con_request_number(request, "attempt", 1, UINT32_MAX, &attempt) ||
        !con_request_number(request, "from", 0, INT64_MAX, &options->from) ||
        !con_request_number(request, "to", 1, INT64_MAX, &options->to) ||
        !con_request_number(request, "tail", 0, LINES_MAX, &options->tail) || !con_request_flag(request, "follow", &on))
        return false;
    *ret_tail = con_request_query(request, "tail") != NULL;
    if (last && read_last(last, options, &attempt)) *ret_tail = false; /* it goes on behind that */
    options->attempt = (uint32_t)attempt;
    options->follow = on;
    if (!stream) return true;
    options->stream = !strcmp(stream, "stdout") ? PDK_STDOUT : !strcmp(stream, "stderr") ? PDK_STDERR : 0;
    if (options->stream) return true;
    con_answer_faultf(request, CON_INVALID, "query parameter stream wants stdout or stderr, not \"%.64s\"", stream);
    return false;
}

void con_run_output(struct con_request *request) {
    const struct con *con = request->con;
    const pdk_archive *archive = con->control->find(con->control, PDK_ARCHIVE_1);
    const char *name = con_request_part(request, "run");
    pdk_read_options options = {0};
    struct con_run run;
    bool tail;
    if (!read_options(request, &options, &tail)) return;
    int type = con_request_type(request, offered, sizeof offered / sizeof *offered);
    if (type < 0) return;
    if (archive)
        read_archive(request, archive, offered[type], &options, tail ? options.tail : UINT64_MAX);
    else if (!con_run_find(request, name, &run))
        con_answer_faultf(request, CON_NOT_FOUND, "there is no run and no task \"%.200s\"", name);
    else if (options.attempt || options.from || options.to || options.stream)
        con_answer_fault(request, CON_NOT_SUPPORTED, "attempt, from, to and stream need an archive, and there is none",
                         "load a plugin that is one");
    else
        follow(request, offered[type], &run, tail ? options.tail : UINT64_MAX, options.follow);
}

/* ---- all of them ---- */

void con_followers_sweep(struct con *con) {
    struct con_follower *f;
    uint64_t now = con_now(con);
    TAILQ_FOREACH(f, &con->followers, all) {
        if (f->request) continue;
        if (!f->waiting && now - f->asked_ns > con->options.answer_ns) con_peer_close(f->peer);
        if (!f->waiting || (now - f->sent_ns < HEARTBEAT && !con_peer_is_gone(f->peer))) continue;
        f->heartbeat = true;
        wake(f);
    }
}

void con_followers_end(struct con *con) {
    struct con_follower *f, *next;
    for (f = TAILQ_FIRST(&con->followers); f; f = next) {
        struct con_request *request = f->request;
        next = TAILQ_NEXT(f, all);
        stop_reading(f);
        if (!request) {
            wake(f);
            continue;
        }
        end_follower(f);
        con_answer_fault(request, CON_UNAVAILABLE, "stopping", NULL);
        con_request_wake(request);
        con_request_release(request);
    }
}
