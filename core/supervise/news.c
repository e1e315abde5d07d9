/* SPDX-License-Identifier: Apache-2.0 */
/* What attempts say of themselves while they run: progress, readiness, output. Any thread says it, the loop tells. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/supervise/internal.h"
#include "paddock/helpers.h"

enum { TELL_EVERY_MS = 100, TEXT_MAX = 512 };

bool pdk_news_mark(struct pdk_cell *cell) {
    if (cell->in_news) return false;
    cell->in_news = true;
    return true;
}

void pdk_news_push(struct pdk_supervisor *s, struct pdk_cell *cell) {
    struct pdk_cell *head = atomic_load_explicit(&s->news, memory_order_relaxed);
    do {
        cell->next_news = head;
    } while (!atomic_compare_exchange_weak_explicit(&s->news, &head, cell, memory_order_release, memory_order_relaxed));
    if (!head) pdk_poke(s);
}

/* Lock the attempt's cell; NULL: it is over, and nothing is locked. */
static struct pdk_cell *enter(struct pdk_supervisor *s, pdk_attempt attempt) {
    struct pdk_cell *cell = attempt ? pdk_cell_lookup(s, attempt) : NULL;
    if (!cell) return NULL;
    pthread_mutex_lock(pdk_cell_lock(s, cell));
    atomic_store(&cell->touched, 1);
    if (pdk_cell_is_open(cell, attempt)) return cell;
    pthread_mutex_unlock(pdk_cell_lock(s, cell));
    return NULL;
}

static void leave(struct pdk_supervisor *s, struct pdk_cell *cell) {
    bool push = pdk_news_mark(cell);
    pthread_mutex_unlock(pdk_cell_lock(s, cell));
    if (push) pdk_news_push(s, cell);
}

int32_t pdk_news_progress(struct pdk_supervisor *s, pdk_attempt attempt, double fraction, const char *text) {
    struct pdk_cell *cell = enter(s, attempt);
    if (!cell) return -ESTALE;
    cell->fraction = fraction >= 0 && fraction <= 1 ? fraction : -1;
    if (text) {
        char *copy = strndup(text, TEXT_MAX);
        if (copy) {
            free(cell->progress);
            cell->progress = copy;
        }
    }
    cell->progress_new = true;
    leave(s, cell);
    return 0;
}

int32_t pdk_news_ready(struct pdk_supervisor *s, pdk_attempt attempt) {
    struct pdk_cell *cell = enter(s, attempt);
    if (!cell) return -ESTALE;
    cell->ready = true;
    leave(s, cell);
    return 0;
}

static void take_progress(struct pdk_supervisor *s, struct pdk_record *run, double fraction, char *text) {
    run->fraction = fraction;
    if (text) {
        free(run->progress);
        run->progress = text;
    }
    run->progress_new = true;
    pdk_tell_source(s, run);
}

void pdk_news_touched(struct pdk_supervisor *s, struct pdk_cell *cell, bool ended) {
    struct pdk_record *run = cell->run;
    pthread_mutex_lock(pdk_cell_lock(s, cell));
    bool is_new = cell->progress_new, ready = cell->ready && !cell->ready_told;
    double fraction = cell->fraction;
    char *text = is_new ? cell->progress : NULL;
    if (is_new) cell->progress = NULL;
    cell->progress_new = false;
    cell->ready_told = cell->ready;
    pthread_mutex_unlock(pdk_cell_lock(s, cell));
    if (is_new) take_progress(s, run, fraction, text);
    (void)pdk_output_deliver(s, run, cell, ended);
    if (!ready) return;
    run->ready = true;
    pdk_emit(s, run, &(struct pdk_event_args){.kind = PDK_EVENT_READY}, "attempt %u is up", run->past.attempts);
}

/* Oldest first. */
static struct pdk_cell *all_news(struct pdk_supervisor *s) {
    struct pdk_cell *stack = atomic_exchange_explicit(&s->news, NULL, memory_order_acquire), *queue = NULL;
    while (stack) {
        struct pdk_cell *cell = stack;
        stack = cell->next_news;
        cell->next_news = queue;
        queue = cell;
    }
    return queue;
}

void pdk_news_take(struct pdk_supervisor *s) {
    if (!atomic_load_explicit(&s->news, memory_order_relaxed)) return;
    struct pdk_cell *queue = all_news(s);
    while (queue) {
        struct pdk_cell *cell = queue;
        queue = cell->next_news;
        pthread_mutex_lock(pdk_cell_lock(s, cell));
        cell->in_news = false;
        pthread_mutex_unlock(pdk_cell_lock(s, cell));
        if (cell->run) {
            pdk_news_of(s, cell, false);
        } else {
            pdk_cell_release(s, cell);
        }
    }
}

static const pdk_source_ops *listening(const struct pdk_record *run) {
    const struct pdk_member *source = run->source;
    return source && source->hears_progress && !source->gone ? source->instance->plugin->source : NULL;
}

void pdk_tell_listening(struct pdk_supervisor *s, struct pdk_record *run) {
    if (run->in_tells || run->recorded) return;
    if (!run->progress_new && !listening(run)) return;
    run->in_tells = true;
    TAILQ_INSERT_TAIL(&s->tells, run, tells);
}

static int32_t phase_of(const struct pdk_record *run) {
    switch (run->state) {
    case PDK_STATE_STARTING:
    case PDK_STATE_RUNNING:
    case PDK_STATE_STOPPING:
    case PDK_STATE_KILLING: return PDK_PHASE_RUNNING;
    case PDK_STATE_WAITING: return PDK_PHASE_WAITING;
    default: return PDK_PHASE_QUEUED;
    }
}

static void tell(struct pdk_supervisor *s, struct pdk_record *run, int32_t phase) {
    const pdk_source_ops *ops = listening(run);
    const char *text = run->progress ? run->progress : "";
    if (run->progress_new)
        pdk_emit(s, run, &(struct pdk_event_args){.kind = PDK_EVENT_PROGRESS, .fraction = run->fraction}, "%s", text);
    run->progress_new = false;
    run->told_at = s->now;
    run->phase_told = phase;
    if (!ops) return;
    pdk_progress progress = {(uint32_t)sizeof progress, phase, run->past.attempts, 0, run->fraction, text};
    ops->progress(run->source->instance->self, run->delivery, &progress);
}

/* At once when the phase is another; else ten times in a second at most. */
void pdk_tells(struct pdk_supervisor *s) {
    struct pdk_record *run, *next;
    uint64_t soonest = UINT64_MAX;
    for (run = TAILQ_FIRST(&s->tells); run; run = next) {
        next = TAILQ_NEXT(run, tells);
        int32_t phase = phase_of(run);
        uint64_t due = run->told_at ? run->told_at + TELL_EVERY_MS * PDK_MILLISECOND : 0;
        bool over = run->recorded;
        if (!over && phase == run->phase_told && due > s->now) {
            if (due < soonest) soonest = due;
            continue;
        }
        TAILQ_REMOVE(&s->tells, run, tells);
        run->in_tells = false;
        if (!over) tell(s, run, phase);
    }
    if (soonest == UINT64_MAX) return;
    s->tell_timer.kind = PDK_TIMER_TELL;
    pdk_timer_start(&s->timers, &s->tell_timer, soonest, 0);
}
