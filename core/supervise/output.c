/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What attempts write. Any thread hands pieces over under the lock of the attempt; the loop takes them all at once,
 * makes lines of them for whoever listens, and keeps the end of it for whoever asks later.
 *
 * A piece is never refused. At half the room the writer is asked to pause until `resume`; one that writes on loses
 * the oldest pieces first, and what is lost is counted.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/supervise/internal.h"
#include "paddock/helpers.h"

enum { ROOM = 256 * 1024, PAUSE_AT = ROOM / 2, PIECE = 4096, TAIL = 8192 };

struct piece {
    STAILQ_ENTRY(piece) next;
    int32_t stream;
    size_t size, capacity;
    char data[];
};
STAILQ_HEAD(pieces, piece);

struct line {
    char *data; /* of what has no newline yet */
    size_t size;
};

struct pdk_output {
    struct pieces pieces; /* under the lock, like the next three */
    size_t size;
    uint64_t lost;
    bool paused;
    struct line lines[2]; /* the loop's */
};

static void free_pieces(struct pieces *pieces) {
    for (struct piece *piece = STAILQ_FIRST(pieces); piece; piece = STAILQ_FIRST(pieces)) {
        STAILQ_REMOVE_HEAD(pieces, next);
        free(piece);
    }
}

void pdk_output_free(struct pdk_output *output) {
    if (!output) return;
    free_pieces(&output->pieces);
    free(output->lines[0].data);
    free(output->lines[1].data);
    free(output);
}

static struct pdk_output *get(struct pdk_cell *cell) {
    if (cell->output) return cell->output;
    cell->output = calloc(1, sizeof *cell->output);
    if (cell->output) STAILQ_INIT(&cell->output->pieces);
    return cell->output;
}

static void make_room(struct pdk_output *output, size_t size) {
    while (output->size + size > ROOM) {
        struct piece *oldest = STAILQ_FIRST(&output->pieces);
        STAILQ_REMOVE_HEAD(&output->pieces, next);
        output->size -= oldest->size;
        output->lost += oldest->size;
        free(oldest);
    }
}

static void append(struct pdk_output *output, int32_t stream, const char *data, size_t size) {
    if (size > ROOM) {
        output->lost += size - ROOM;
        data += size - ROOM;
        size = ROOM;
    }
    make_room(output, size);
    struct piece *last = STAILQ_LAST(&output->pieces, piece, next);
    if (!last || last->stream != stream || last->capacity - last->size < size) {
        size_t capacity = size > PIECE ? size : PIECE;
        last = malloc(sizeof *last + capacity);
        if (!last) {
            output->lost += size;
            return;
        }
        last->stream = stream;
        last->size = 0;
        last->capacity = capacity;
        STAILQ_INSERT_TAIL(&output->pieces, last, next);
    }
    memcpy(last->data + last->size, data, size);
    last->size += size;
    output->size += size;
}

int32_t pdk_output_take(struct pdk_supervisor *s, pdk_attempt attempt, int32_t stream, const char *data, size_t size) {
    struct pdk_cell *cell = attempt ? pdk_cell_lookup(s, attempt) : NULL;
    if (!cell) return -ESTALE;
    if (stream != PDK_STDOUT && stream != PDK_STDERR) return -EINVAL;
    bool push = false;
    int32_t rc = -ESTALE;
    pthread_mutex_lock(pdk_cell_lock(s, cell));
    atomic_store(&cell->touched, 1); /* before the gate is looked at: see pdk_news_of */
    if (pdk_cell_is_open(cell, attempt)) {
        struct pdk_output *output = get(cell);
        if (output && size) append(output, stream, data, size);
        rc = !output || output->size >= PAUSE_AT ? PDK_PAUSE : 0;
        if (output && rc) output->paused = true;
        push = pdk_news_mark(cell);
    }
    pthread_mutex_unlock(pdk_cell_lock(s, cell));
    if (push) pdk_news_push(s, cell);
    return rc;
}

static void emit(struct pdk_supervisor *s, struct pdk_record *run, int32_t stream, const char *data, size_t size,
                 bool cut) {
    pdk_emit(
        s, run,
        &(struct pdk_event_args){.kind = PDK_EVENT_OUTPUT, .stream = stream, .data = data, .size = size, .cut = cut},
        NULL);
}

static void add_to_line(struct pdk_supervisor *s, struct line *line, const char *data, size_t size) {
    if (!line->data) line->data = malloc(s->options.line);
    if (!line->data) return;
    memcpy(line->data + line->size, data, size);
    line->size += size;
}

static void end_line(struct pdk_supervisor *s, struct pdk_record *run, struct line *line, int32_t stream, bool cut) {
    emit(s, run, stream, line->data ? line->data : "", line->size, cut);
    line->size = 0;
}

/* Whole lines are told where they stand; only what is left over is copied. One longer than the limit comes in parts. */
static void split(struct pdk_supervisor *s, struct pdk_record *run, struct line *line, int32_t stream, const char *data,
                  size_t size) {
    while (size) {
        const char *newline = memchr(data, '\n', size);
        size_t part = newline ? (size_t)(newline - data) : size;
        size_t room = s->options.line - line->size;
        bool cut = part > room;
        if (cut) part = room;
        bool whole = cut || newline;
        if (whole && !line->size) {
            emit(s, run, stream, data, part, cut);
        } else {
            add_to_line(s, line, data, part);
            if (whole) end_line(s, run, line, stream, cut);
        }
        size_t taken = part + (newline && !cut);
        data += taken;
        size -= taken;
    }
}

/* The last of it, cut at a line where that is possible. */
static void keep_tail(struct pdk_record *run, const char *data, size_t size) {
    if (!run->tail) {
        run->tail = malloc(sizeof *run->tail);
        if (!run->tail) return;
        *run->tail = PDK_BUFFER(3 * TAIL);
    }
    if (size > TAIL) {
        data += size - TAIL;
        size = TAIL;
    }
    struct pdk_buffer *tail = run->tail;
    pdk_buffer_add(tail, data, size);
    if (tail->size <= 2 * TAIL) return;
    size_t surplus = tail->size - TAIL;
    const char *newline = memchr(tail->data + surplus, '\n', TAIL / 2);
    pdk_buffer_cut(tail, newline ? (size_t)(newline - tail->data) + 1 : surplus);
}

static void lost_event(struct pdk_supervisor *s, struct pdk_record *run, uint64_t lost) {
    run->output_lost += lost;
    pdk_meter_add(run->member->meter.output_lost, (double)lost);
    pdk_emit(s, run, &(struct pdk_event_args){.kind = PDK_EVENT_OUTPUT}, "%llu bytes of output are lost",
             (unsigned long long)lost);
}

void pdk_output_deliver(struct pdk_supervisor *s, struct pdk_record *run, struct pdk_cell *cell, bool ended) {
    struct pieces pieces = STAILQ_HEAD_INITIALIZER(pieces);
    pthread_mutex_lock(pdk_cell_lock(s, cell));
    struct pdk_output *output = cell->output;
    if (!ended && output && pdk_events_behind(s)) {
        /* Left where it is until the next turn: the writer pauses when that is too much. */
        bool push = pdk_news_mark(cell);
        pthread_mutex_unlock(pdk_cell_lock(s, cell));
        if (push) pdk_news_push(s, cell);
        return;
    }
    uint64_t lost = output ? output->lost : 0;
    bool paused = output && output->paused;
    if (output) {
        STAILQ_CONCAT(&pieces, &output->pieces);
        output->size = 0;
        output->lost = 0;
        output->paused = false;
    }
    pthread_mutex_unlock(pdk_cell_lock(s, cell));
    if (!output) return;
    bool wanted = pdk_event_wanted(s, PDK_EVENT_OUTPUT);
    if (lost) lost_event(s, run, lost);
    struct piece *piece;
    STAILQ_FOREACH(piece, &pieces, next) {
        pdk_meter_add(run->member->meter.output[piece->stream - 1], (double)piece->size);
        keep_tail(run, piece->data, piece->size);
        if (wanted) split(s, run, &output->lines[piece->stream - 1], piece->stream, piece->data, piece->size);
    }
    free_pieces(&pieces);
    for (int32_t i = 0; ended && i < 2; i++) {
        if (output->lines[i].size) end_line(s, run, &output->lines[i], i + 1, true);
    }
    if (paused && !ended && PDK_HAS(run->ops, resume)) run->ops->resume(run->task);
}
