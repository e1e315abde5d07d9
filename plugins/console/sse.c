/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who follows events. A stream is asked for more when its socket takes more; with nothing to say it is suspended, and
 * woken when there is. Only so many are woken in a turn of the loop, for a thousand streams must not make it late.
 */
#include <stdio.h>

#include "console.h"

enum { WOKEN_PER_TURN = 32, PENDING_MAX = 1 << 20 };

#define HEARTBEAT (15 * SECOND)

struct con_stream {
    TAILQ_ENTRY(con_stream) all;
    struct con *con;
    struct con_peer *peer;
    struct MHD_Connection *connection;
    struct con_text pending; /* what did not fit */
    uint64_t cursor;         /* of the next event */
    uint64_t end;            /* of the first that is not wanted; UINT64_MAX: it goes on */
    uint64_t sent_ns;        /* when something was sent */
    uint64_t asked_ns;       /* when more could be sent */
    uint64_t lost_ns;        /* since when it is so far behind that it loses some; 0: it is not */
    char *run, *types;       /* NULL: all */
    bool waiting, heartbeat, ended;
};

/* ---- what to send ---- */

/* Decide by the run first: the name of an event takes work. */
static bool fits(struct con_stream *stream, uint64_t index) {
    const struct con_events *events = &stream->con->events;
    const pdk_event *event = &events->ring[index % events->capacity]->event;
    const struct con_event *entry;
    if (stream->run && strcmp(stream->run, event->run_id) != 0 && strcmp(stream->run, event->name) != 0)
        return event->kind == PDK_EVENT_LOST;
    if (!stream->types) return true;
    entry = con_event_text(stream->con, index);
    return !entry || con_uri_listed(stream->types, entry->name); /* what cannot be said is told as lost */
}

/* To the next event that is wanted. False: there is none. */
static bool advance(struct con_stream *stream) {
    const struct con_events *events = &stream->con->events;
    uint64_t end = events->next < stream->end ? events->next : stream->end;
    if (stream->cursor < events->first) return true; /* it lost some, which is said */
    while (stream->cursor < end && !fits(stream, stream->cursor)) stream->cursor++;
    return stream->cursor < end;
}

/* Those before next are. */
static void say_lost(struct con_stream *stream, uint64_t next) {
    struct con *con = stream->con;
    char time[64];
    con_text_format(
        &stream->pending, "event: events.lost\ndata: {\"time\":\"%s\",\"event\":\"events.lost\",\"count\":%llu}\n\n",
        con_time(con->host->unix_ns(con->host), time, sizeof time), (unsigned long long)(next - stream->cursor));
    stream->cursor = next;
    if (!stream->lost_ns) stream->lost_ns = con_now(con);
}

static void gather(struct con_stream *stream) {
    const struct con_event *entry;
    if (!advance(stream)) {
        if (stream->cursor >= stream->end && !stream->ended) con_text_put(&stream->pending, "event: end\ndata: {}\n\n");
        stream->ended = stream->cursor >= stream->end;
        return;
    }
    if (stream->cursor < stream->con->events.first) {
        say_lost(stream, stream->con->events.first);
        return;
    }
    entry = con_event_text(stream->con, stream->cursor);
    if (entry) {
        con_text_add(&stream->pending, entry->text, entry->text_size);
        stream->cursor++;
    } else {
        say_lost(stream, stream->cursor + 1); /* there was no memory for it */
    }
}

static size_t take(struct con_stream *stream, char *buf, size_t max) {
    size_t size = stream->pending.size < max ? stream->pending.size : max;
    if (!size) return 0;
    memcpy(buf, stream->pending.data, size);
    con_text_cut(&stream->pending, size);
    return size;
}

static ssize_t read_stream(void *arg, uint64_t position, char *buf, size_t max) {
    struct con_stream *stream = arg;
    size_t size = 0;
    (void)position;
    stream->asked_ns = con_now(stream->con);
    if (stream->pending.error) return MHD_CONTENT_READER_END_OF_STREAM;
    while (size < max) {
        if (!stream->pending.size) gather(stream);
        size_t more = take(stream, buf + size, max - size);
        if (!more) break;
        size += more;
    }
    if (!size && stream->heartbeat) {
        con_text_put(&stream->pending, ":\n\n");
        size = take(stream, buf, max);
    }
    stream->heartbeat = false;
    if (size) {
        stream->sent_ns = stream->asked_ns;
        return (ssize_t)size;
    }
    if (stream->ended || stream->con->stopping)
        return MHD_CONTENT_READER_END_OF_STREAM; /* it has heard all, that we stop as well */
    stream->lost_ns = 0;
    stream->waiting = true;
    MHD_suspend_connection(stream->connection);
    return 0;
}

/* ---- waking them ---- */

static void wake(struct con_stream *stream) {
    stream->waiting = false;
    MHD_resume_connection(stream->connection);
    con_daemon_kick(stream->peer->server);
}

/* From the one that waited longest; those that were woken go to the end. */
void con_streams_wake(struct con *con) {
    struct con_events *events = &con->events;
    struct con_stream *stream = TAILQ_FIRST(&events->streams), *next;
    uint32_t woken = 0;
    for (uint32_t i = events->stream_count; i > 0 && stream; i--, stream = next) {
        next = TAILQ_NEXT(stream, all);
        if (!stream->waiting || (!advance(stream) && !stream->heartbeat)) continue;
        if (woken++ == WOKEN_PER_TURN) {
            con_events_call(con, true);
            return;
        }
        wake(stream);
        TAILQ_REMOVE(&events->streams, stream, all);
        TAILQ_INSERT_TAIL(&events->streams, stream, all);
    }
}

void con_streams_sweep(struct con *con) {
    uint64_t now = con_now(con), patience = con->options.answer_ns;
    struct con_stream *stream;
    bool due = false;
    TAILQ_FOREACH(stream, &con->events.streams, all) {
        if (stream->waiting) {
            if (now - stream->sent_ns < HEARTBEAT && !con_peer_is_gone(stream->peer)) continue;
            due = stream->heartbeat = true;
        } else if (now - stream->asked_ns > patience || (stream->lost_ns && now - stream->lost_ns > patience)) {
            con_peer_close(stream->peer);
        }
    }
    if (due) con_events_call(con, true);
}

void con_streams_end(struct con *con) {
    struct con_stream *stream;
    TAILQ_FOREACH(stream, &con->events.streams, all) {
        if (stream->waiting) wake(stream);
    }
}

/* ---- life ---- */

static void end_stream(void *arg) {
    struct con_stream *stream = arg;
    TAILQ_REMOVE(&stream->con->events.streams, stream, all);
    stream->con->events.stream_count--;
    con_text_free(&stream->pending);
    free(stream->run);
    free(stream->types);
    free(stream);
}

/* Behind the event that was heard last; else, who follows hears what is new, and others all that is kept. What is not of this
 * start of the program was before everything that is kept. */
static bool read_place(struct con_request *request, bool follows, uint64_t *ret) {
    const struct con_events *events = &request->con->events;
    const char *header = con_request_header(request, "Last-Event-ID"), *text = header;
    size_t life = strlen(events->life);
    uint64_t number = 0;
    *ret = follows ? events->next : events->first;
    if (!text) text = con_request_query(request, "after");
    if (!text || !*text) return true;
    const char *dash = strchr(text, '-');
    bool ours = dash && (size_t)(dash - text) == life && !strncmp(text, events->life, life);
    if (!con_uri_number(dash ? dash + 1 : text, 0, UINT64_MAX, &number)) {
        con_answer_fault(request, CON_INVALID,
                         header ? "Last-Event-ID is no id of an event" : "query parameter after is no id of an event",
                         NULL);
        return false;
    }
    *ret = events->first;
    if (dash && !ours)
        *ret = 0; /* and what is gone is told as lost */
    else if (number < events->gone)
        *ret = events->first > events->gone - number ? events->first - (events->gone - number) : 0;
    while ((!dash || ours) && *ret >= events->first && *ret < events->next &&
           events->ring[*ret % events->capacity]->id <= number)
        ++*ret;
    return true;
}

static char *copy_text(const char *text, bool *failed) {
    char *copy = text ? strdup(text) : NULL;
    *failed |= text && !copy;
    return copy;
}

void con_events_follow(struct con_request *request) {
    static const enum con_type offered[] = {CON_SSE};
    struct con *con = request->con;
    bool failed = false, follows = true;
    uint64_t place;
    if (con_request_type(request, offered, 1) < 0 || !con_request_flag(request, "follow", &follows)) return;
    if (!read_place(request, follows, &place)) return;
    struct con_stream *stream = calloc(1, sizeof *stream);
    if (!stream) return;
    stream->con = con;
    stream->peer = request->peer;
    stream->connection = request->connection;
    stream->pending = (struct con_text){.limit = PENDING_MAX};
    stream->cursor = place;
    stream->end = follows ? UINT64_MAX : con->events.next;
    stream->sent_ns = stream->asked_ns = con_now(con);
    stream->run = copy_text(con_request_query(request, "run"), &failed);
    stream->types = copy_text(con_request_query(request, "type"), &failed);
    con_text_put(&stream->pending, "retry: 2000\n\n");
    TAILQ_INSERT_TAIL(&con->events.streams, stream, all);
    con->events.stream_count++;
    if (failed || stream->pending.error)
        end_stream(stream);
    else
        con_answer_stream(request, CON_SSE, read_stream, stream, end_stream);
}
