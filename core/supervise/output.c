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
    size_t first, size, capacity; /* heard up to first */
    char data[];
};
STAILQ_HEAD(pieces, piece);

struct pdk_output {
    struct pieces pieces; /* under the lock, like the next three */
    size_t size;
    uint64_t lost;
    bool paused;
    struct pdk_buffer lines[2]; /* the loop's: what has no newline yet */
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
    for (int i = 0; i < 2; i++) pdk_buffer_free(&output->lines[i]);
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
        output->size -= oldest->size - oldest->first;
        output->lost += oldest->size - oldest->first;
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
        last->first = last->size = 0;
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

/* The buffer is given back with every line: those of a thousand children who once wrote half a line add up. */
static void end_line(struct pdk_supervisor *s, struct pdk_record *run, struct pdk_buffer *line, int32_t stream,
                     bool cut) {
    emit(s, run, stream, pdk_buffer_string(line), line->size, cut);
    pdk_buffer_free(line);
}

/* Whole lines are told where they stand; only what is left over is copied. One longer than the limit comes in parts.
 * Stops when *room lines were told. Returns how much of the data was used. */
static size_t split(struct pdk_supervisor *s, struct pdk_record *run, struct pdk_buffer *line, int32_t stream,
                    const char *data, size_t size, uint32_t *room) {
    size_t used = 0;
    line->limit = s->options.line;
    while (used < size && *room) {
        const char *at = data + used, *newline = memchr(at, '\n', size - used);
        size_t part = newline ? (size_t)(newline - at) : size - used;
        size_t left = s->options.line - line->size;
        bool cut = part > left;
        if (cut) part = left;
        bool whole = cut || newline;
        if (whole && !line->size) {
            emit(s, run, stream, at, part, cut);
        } else {
            pdk_buffer_add(line, at, part);
            if (whole) end_line(s, run, line, stream, cut);
        }
        *room -= whole;
        used += part + (newline && !cut);
    }
    return used;
}

/* So much is left, or a little less to begin with a line. */
static void cut_tail(struct pdk_buffer *tail, size_t left) {
    size_t surplus = tail->size - left;
    const char *newline = memchr(tail->data + surplus, '\n', left / 2);
    pdk_buffer_cut(tail, newline ? (size_t)(newline - tail->data) + 1 : surplus);
}

/* The last of it, cut at a line where that is possible. */
static void keep_tail(struct pdk_record *run, const char *data, size_t size) {
    if (!run->tail) {
        run->tail = malloc(sizeof *run->tail);
        if (!run->tail) return;
        *run->tail = PDK_BUFFER((size_t)2 * TAIL - 1); /* and a NUL */
    }
    if (size > TAIL) {
        data += size - TAIL;
        size = TAIL;
    }
    struct pdk_buffer *tail = run->tail;
    if (tail->size + size > tail->limit) cut_tail(tail, TAIL - size);
    pdk_buffer_add(tail, data, size);
}

static void lost_event(struct pdk_supervisor *s, struct pdk_record *run, uint64_t lost) {
    run->output_lost += lost;
    pdk_meter_add(run->member->meter.output_lost, (double)lost);
    pdk_taps_tell(s, run, 0, NULL, lost);
    pdk_emit(s, run, &(struct pdk_event_args){.kind = PDK_EVENT_OUTPUT}, "%llu bytes of output are lost",
             (unsigned long long)lost);
}

static struct piece *take_piece(struct pdk_supervisor *s, struct pdk_cell *cell) {
    pthread_mutex_lock(pdk_cell_lock(s, cell));
    struct pdk_output *output = cell->output;
    struct piece *piece = STAILQ_FIRST(&output->pieces);
    if (piece) {
        STAILQ_REMOVE_HEAD(&output->pieces, next);
        output->size -= piece->size - piece->first;
    }
    pthread_mutex_unlock(pdk_cell_lock(s, cell));
    return piece;
}

static void put_back(struct pdk_supervisor *s, struct pdk_cell *cell, struct piece *piece) {
    pthread_mutex_lock(pdk_cell_lock(s, cell));
    STAILQ_INSERT_HEAD(&cell->output->pieces, piece, next);
    cell->output->size += piece->size - piece->first;
    bool push = pdk_news_mark(cell);
    pthread_mutex_unlock(pdk_cell_lock(s, cell));
    if (push) pdk_news_push(s, cell);
}

static void tell_piece(struct pdk_supervisor *s, struct pdk_record *run, struct piece *piece, uint32_t *room) {
    struct pdk_buffer *line = &run->cell->output->lines[piece->stream - 1];
    const char *data = piece->data + piece->first;
    size_t size = piece->size - piece->first;
    if (pdk_event_wanted(s, PDK_EVENT_OUTPUT)) size = split(s, run, line, piece->stream, data, size, room);
    pdk_meter_add(run->member->meter.output[piece->stream - 1], (double)size);
    pdk_taps_tell(s, run, piece->stream, data, size);
    keep_tail(run, data, size);
    piece->first += size;
}

static bool tell_pieces(struct pdk_supervisor *s, struct pdk_record *run, struct pdk_cell *cell, uint32_t room) {
    for (struct piece *piece = take_piece(s, cell); piece; piece = take_piece(s, cell)) {
        tell_piece(s, run, piece, &room);
        if (piece->first < piece->size) {
            put_back(s, cell, piece);
            return true;
        }
        free(piece);
    }
    return false;
}

/* Who listens has a ring of limited size: what has no room there stays with us, and the writer pauses when that is too
 * much. When the attempt has ended within a step nobody can wait any more. */
bool pdk_output_deliver(struct pdk_supervisor *s, struct pdk_record *run, struct pdk_cell *cell, bool ended) {
    pthread_mutex_lock(pdk_cell_lock(s, cell));
    struct pdk_output *output = cell->output;
    uint64_t lost = output ? output->lost : 0;
    if (output) output->lost = 0;
    pthread_mutex_unlock(pdk_cell_lock(s, cell));
    if (!output) return false;
    if (lost) lost_event(s, run, lost);
    if (tell_pieces(s, run, cell, ended ? UINT32_MAX : pdk_events_room(s))) return true;
    for (int32_t i = 0; ended && i < 2; i++) {
        if (output->lines[i].size) end_line(s, run, &output->lines[i], i + 1, true);
    }
    pthread_mutex_lock(pdk_cell_lock(s, cell));
    bool paused = output->paused;
    output->paused = false;
    pthread_mutex_unlock(pdk_cell_lock(s, cell));
    if (paused && !ended && PDK_HAS(run->ops, resume)) run->ops->resume(run->task);
    return false;
}

void pdk_output_drain(struct pdk_supervisor *s, struct pdk_cell *cell) {
    if (!atomic_load(&cell->touched)) return;
    while (pdk_output_deliver(s, cell->run, cell, false)) (void)pdk_events_deliver(s);
}
