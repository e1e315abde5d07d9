/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An attempt as plugins' threads see it: a handle that leads to a cell, and a gate in the cell that closes once.
 *
 *   CLOSED --- open, by the loop ---> OPEN --- done, any thread ---> POSTED --- taken up, by the loop ---> CLOSED
 *
 * The gate holds the generation of the handle, and both are changed by one compare-and-swap. So of all the dones
 * of an attempt one wins, and one with an old handle never does. Cells are never freed while the supervisor lives:
 * a stale handle leads to a cell, and finds another generation.
 */
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "core/supervise/internal.h"

enum { CLOSED = 0, OPEN = 1, POSTED = 2, PHASE_BITS = 2, PHASE_MASK = 3 };

static uint64_t gate_of(pdk_attempt attempt, uint64_t phase) {
    return (attempt >> PDK_INDEX_BITS) << PHASE_BITS | phase;
}

static uint64_t gate_phase(const struct pdk_cell *cell) {
    return atomic_load(&cell->gate) & PHASE_MASK;
}

static void gate_shut(struct pdk_cell *cell) {
    atomic_store_explicit(&cell->gate, atomic_load(&cell->gate) & ~(uint64_t)PHASE_MASK, memory_order_release);
}

bool pdk_on_main(const struct pdk_supervisor *s) {
    return atomic_load_explicit(&s->main, memory_order_relaxed) == (uint64_t)pthread_self();
}

static int32_t grow(struct pdk_cells_store *store) {
    if (store->count >= PDK_CHUNKS) return -ENOMEM;
    struct pdk_cell *chunk = calloc(PDK_CHUNK, sizeof *chunk);
    if (!chunk) return -ENOMEM;
    for (uint32_t i = PDK_CHUNK; i-- > 0;) {
        chunk[i].index = store->count * PDK_CHUNK + i;
        chunk[i].free = true;
        chunk[i].next = store->free;
        store->free = &chunk[i];
    }
    atomic_store_explicit(&store->chunks[store->count++], chunk, memory_order_release);
    return 0;
}

struct pdk_cell *pdk_cell_lookup(const struct pdk_supervisor *s, pdk_attempt attempt) {
    uint64_t index = attempt & PDK_INDEX_MASK;
    struct pdk_cell *chunk = atomic_load_explicit(&s->cells.chunks[index / PDK_CHUNK], memory_order_acquire);
    return chunk ? &chunk[index % PDK_CHUNK] : NULL;
}

/* As words, so that a thread with a stale handle that reads them now reads nonsense, but nothing undefined. */
static void put_run_id(struct pdk_cell *cell, const struct pdk_record *run) {
    size_t size = run->run_id_size;
    if (size >= sizeof cell->run_id) size = sizeof cell->run_id - 1;
    for (size_t i = 0; i <= size / 8; i++) {
        uint64_t word;
        memcpy(&word, run->run_id + i * 8, 8);
        atomic_store_explicit(&cell->run_id[i], word, memory_order_relaxed);
    }
}

void pdk_cell_run_id(const struct pdk_cell *cell, char *buf, size_t size) {
    uint64_t words[PDK_RUN_ID_WORDS];
    for (size_t i = 0; i < PDK_RUN_ID_WORDS; i++)
        words[i] = atomic_load_explicit(&cell->run_id[i], memory_order_relaxed);
    size_t wanted = strnlen((const char *)words, sizeof words - 1);
    if (wanted >= size) wanted = size - 1;
    memcpy(buf, words, wanted);
    buf[wanted] = '\0';
}

struct pdk_cell *pdk_cell_open(struct pdk_supervisor *s, struct pdk_record *run) {
    struct pdk_cells_store *store = &s->cells;
    if (!store->free && grow(store) < 0) return NULL;
    struct pdk_cell *cell = store->free;
    store->free = cell->next;
    cell->free = false;
    cell->run = run;
    cell->arrived = cell->taken = cell->passed_over = false;
    cell->ready = cell->ready_told = cell->progress_new = false;
    atomic_store_explicit(&cell->touched, 0, memory_order_relaxed);
    put_run_id(cell, run);
    atomic_store_explicit(&cell->number, run->past.attempts, memory_order_relaxed);
    uint64_t generation = (atomic_load_explicit(&cell->gate, memory_order_relaxed) >> PHASE_BITS) + 1;
    atomic_store_explicit(&cell->gate, generation << PHASE_BITS | OPEN, memory_order_release);
    return cell;
}

pdk_attempt pdk_cell_handle(const struct pdk_cell *cell) {
    return (atomic_load_explicit(&cell->gate, memory_order_relaxed) >> PHASE_BITS) << PDK_INDEX_BITS | cell->index;
}

bool pdk_cell_posted(const struct pdk_cell *cell) {
    return gate_phase(cell) == POSTED;
}

bool pdk_cell_is_open(const struct pdk_cell *cell, pdk_attempt attempt) {
    return atomic_load(&cell->gate) == gate_of(attempt, OPEN);
}

pthread_mutex_t *pdk_cell_lock(struct pdk_supervisor *s, const struct pdk_cell *cell) {
    return &s->locks[cell->index % PDK_LOCKS];
}

static void line_up(struct pdk_supervisor *s, struct pdk_cell *cell) {
    cell->arrived = true;
    cell->next = NULL;
    *s->dones_end = cell;
    s->dones_end = &cell->next;
}

int32_t pdk_cell_done(struct pdk_supervisor *s, pdk_attempt attempt, const pdk_result *result) {
    struct pdk_cell *cell = pdk_cell_lookup(s, attempt);
    uint64_t gate = gate_of(attempt, OPEN);
    if (!cell || !attempt) return -ESTALE;
    if (!atomic_compare_exchange_strong(&cell->gate, &gate, gate_of(attempt, POSTED)))
        return gate >> PHASE_BITS == attempt >> PDK_INDEX_BITS ? -EALREADY : -ESTALE;
    pdk_said_copy(&cell->posted, result);
    if (pdk_on_main(s)) {
        line_up(s, cell);
        pdk_wake(s);
        return 0;
    }
    struct pdk_cell *head = atomic_load_explicit(&s->inbox, memory_order_relaxed);
    do {
        cell->next = head;
    } while (
        !atomic_compare_exchange_weak_explicit(&s->inbox, &head, cell, memory_order_release, memory_order_relaxed));
    if (!head) pdk_poke(s);
    return 0;
}

/* The inbox is a stack; in the line they stand in the order they came. */
void pdk_cells_collect(struct pdk_supervisor *s) {
    if (!atomic_load_explicit(&s->inbox, memory_order_relaxed)) return;
    struct pdk_cell *stack = atomic_exchange_explicit(&s->inbox, NULL, memory_order_acquire), *queue = NULL;
    while (stack) {
        struct pdk_cell *cell = stack;
        stack = cell->next;
        cell->next = queue;
        queue = cell;
    }
    while (queue) {
        struct pdk_cell *cell = queue;
        queue = cell->next;
        line_up(s, cell);
    }
}

static void try_free(struct pdk_supervisor *s, struct pdk_cell *cell) {
    if (cell->run || cell->free || cell->arrived) return;
    if (atomic_load(&cell->touched)) {
        pthread_mutex_lock(pdk_cell_lock(s, cell));
        bool in_news = cell->in_news;
        if (!in_news) {
            pdk_output_free(cell->output);
            free(cell->progress);
            cell->output = NULL;
            cell->progress = NULL;
        }
        pthread_mutex_unlock(pdk_cell_lock(s, cell));
        if (in_news) return;
    }
    cell->free = true;
    cell->next = s->cells.free;
    s->cells.free = cell;
}

struct pdk_cell *pdk_cells_next(struct pdk_supervisor *s) {
    for (struct pdk_cell *cell = s->dones; cell; cell = s->dones) {
        s->dones = cell->next;
        if (!s->dones) s->dones_end = &s->dones;
        cell->arrived = false;
        if (!cell->passed_over) {
            cell->taken = true;
            return cell;
        }
        try_free(s, cell);
    }
    return NULL;
}

bool pdk_cell_close(struct pdk_supervisor *s, struct pdk_cell *cell) {
    uint64_t gate = atomic_load_explicit(&cell->gate, memory_order_acquire);
    if ((gate & PHASE_MASK) == OPEN && atomic_compare_exchange_strong(&cell->gate, &gate, gate & ~(uint64_t)PHASE_MASK))
        return false;
    /* Whoever posted it may still be on the way to the inbox: a few instructions. */
    while (!cell->taken && !cell->arrived) {
        pdk_cells_collect(s);
        if (!cell->arrived) sched_yield();
    }
    cell->passed_over = !cell->taken;
    gate_shut(cell);
    return true;
}

void pdk_cell_release(struct pdk_supervisor *s, struct pdk_cell *cell) {
    cell->run = NULL;
    try_free(s, cell);
}

void pdk_cells_free(struct pdk_supervisor *s) {
    for (uint32_t i = 0; i < s->cells.count; i++) {
        struct pdk_cell *chunk = atomic_load(&s->cells.chunks[i]);
        for (uint32_t k = 0; k < PDK_CHUNK; k++) {
            if (chunk[k].free) continue;
            pdk_said_free(&chunk[k].posted);
            pdk_output_free(chunk[k].output);
            free(chunk[k].progress);
        }
        free(chunk);
    }
}
