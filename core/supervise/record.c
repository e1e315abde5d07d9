/* SPDX-License-Identifier: Apache-2.0 */
/* Records of runs: where they are kept, how they are found, what they are called. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/supervise/internal.h"

/* Another chunk of free records. They are found by index, so a chunk stays where it is. */
static int32_t grow(struct pdk_records_store *store) {
    if (store->count >= PDK_CHUNKS) return -ENOMEM;
    if (store->count == store->capacity) {
        uint32_t capacity = store->capacity ? store->capacity * 2 : 16;
        struct pdk_record **chunks = reallocarray(store->chunks, capacity, sizeof(*chunks));
        if (!chunks) return -ENOMEM;
        store->chunks = chunks;
        store->capacity = capacity;
    }
    struct pdk_record *chunk = calloc(PDK_CHUNK, sizeof *chunk);
    if (!chunk) return -ENOMEM;
    for (uint32_t i = 0; i < PDK_CHUNK; i++) {
        chunk[i].admit.run = (pdk_run)store->count * PDK_CHUNK + i; /* its index, until it has a handle */
        TAILQ_INSERT_TAIL(&store->free, &chunk[i], line);
    }
    store->chunks[store->count++] = chunk;
    return 0;
}

/* All that a run may need later is reserved now, so nothing that was accepted fails for want of memory. */
static int32_t reserve(struct pdk_supervisor *s, uint32_t runs) {
    int32_t rc = pdk_timers_reserve(&s->timers, 2 * runs + 8);
    if (rc == 0) rc = pdk_slots_reserve(&s->slots, runs);
    if (rc == 0) s->reserved = runs;
    return rc;
}

struct pdk_record *pdk_record_create(struct pdk_supervisor *s) {
    struct pdk_records_store *store = &s->records;
    uint32_t runs = s->accepted + s->in_state[PDK_STATE_STUCK] + 1;
    if (TAILQ_EMPTY(&store->free) && grow(store) < 0) return NULL;
    if (runs > s->reserved && reserve(s, runs) < 0) return NULL;
    struct pdk_record *run = TAILQ_FIRST(&store->free);
    TAILQ_REMOVE(&store->free, run, line);
    uint64_t index = run->admit.run;
    /* A call: what compilers make of a memset of this size, rep stos, can take five times as long. */
    explicit_bzero(run, offsetof(struct pdk_record, fraction));
    run->last.result = (pdk_result){.code = "", .message = ""}; /* nothing has been said */
    run->last.text = NULL;
    if (s->next_seq >= s->numbered) s->numbered = s->number(s->number_arg, s->next_seq);
    run->handle = (s->next_seq << PDK_INDEX_BITS) | index;
    run->seq = s->next_seq++;
    run->state = PDK_STATE_NEW;
    run->phase_told = -1;
    run->fraction = -1;
    run->admit = (struct pdk_order){.kind = PDK_ORDER_ADMIT, .run = run->handle};
    s->in_state[PDK_STATE_NEW]++;
    TAILQ_INSERT_TAIL(&s->all, run, all);
    return run;
}

void pdk_record_free(struct pdk_supervisor *s, struct pdk_record *run) {
    TAILQ_REMOVE(&s->all, run, all);
    if (run->in_tells) TAILQ_REMOVE(&s->tells, run, tells);
    s->in_state[run->state]--;
    pdk_said_free(&run->last);
    pdk_task_drop(run->spec);
    if (run->past.starts.times) free(run->past.starts.times); /* most runs have none of all these */
    if (run->past.failures.times) free(run->past.failures.times);
    if (run->why) free(run->why);
    if (run->note) free(run->note);
    if (run->unfit) free(run->unfit);
    if (run->progress) free(run->progress);
    if (run->block) free(run->block);
    if (run->trace) pdk_trace_free(run->trace);
    if (run->tail) pdk_buffer_free(run->tail);
    if (run->tail) free(run->tail);
    run->admit.run = run->handle & PDK_INDEX_MASK;
    run->handle = 0;
    TAILQ_INSERT_HEAD(&s->records.free, run, line);
}

struct pdk_record *pdk_record_find(const struct pdk_supervisor *s, pdk_run handle) {
    uint64_t index = handle & PDK_INDEX_MASK;
    if (!handle || index / PDK_CHUNK >= s->records.count) return NULL;
    struct pdk_record *run = &s->records.chunks[index / PDK_CHUNK][index % PDK_CHUNK];
    return run->handle == handle ? run : NULL;
}

void pdk_records_free(struct pdk_supervisor *s) {
    while (!TAILQ_EMPTY(&s->all)) pdk_record_free(s, TAILQ_FIRST(&s->all));
    for (uint32_t i = 0; i < s->records.count; i++) free(s->records.chunks[i]);
    free(s->records.chunks);
}

static char *put_text(char **at, const char *text, size_t size) {
    char *start = *at;
    memcpy(start, text, size);
    start[size] = '\0';
    *at = start + size + 1;
    return start;
}

static char *put_number(char *at, uint64_t number) {
    size_t digits = 1;
    for (uint64_t n = number; n >= 10; n /= 10) digits++;
    for (size_t i = digits; i-- > 0; number /= 10) at[i] = (char)('0' + number % 10);
    return at + digits;
}

/* {runner}-{slot}-{seq}; a slot made for one run ends in its number already */
static void put_run_id(struct pdk_record *run, char *at, const char *runner, size_t runner_size) {
    run->run_id = at;
    memcpy(at, runner, runner_size);
    at += runner_size;
    *at++ = '-';
    memcpy(at, run->slot_name, run->slot_size);
    at += run->slot_size;
    if (!run->alone) {
        *at++ = '-';
        at = put_number(at, run->seq);
    }
    memset(at, 0, 8); /* it is copied by words: see cell.c */
    run->run_id_size = (uint32_t)(at - run->run_id);
}

int32_t pdk_record_name(struct pdk_record *run, const char *runner, const struct pdk_task *task, const char *name,
                        const char *slot) {
    bool own = name || slot;
    const char *slot_text = slot ? slot : task->plugin.slot;
    size_t runner_size = strlen(runner), slot_size = strlen(slot_text);
    size_t name_size = name ? strlen(name) + 1 : 0;
    size_t size = (own ? sizeof(pdk_spec) : 0) + runner_size + slot_size + 31 + (slot ? slot_size + 1 : 0) + name_size;
    char *at = run->text;
    if (size > sizeof run->text) at = run->block = malloc(size);
    if (!at) return -ENOMEM;
    run->view = &task->plugin;
    run->name = task->plugin.name;
    run->slot_name = task->plugin.slot;
    run->slot_size = (uint32_t)slot_size;
    if (own) {
        pdk_spec *view = (pdk_spec *)(void *)at;
        at += sizeof *view;
        if (slot) run->slot_name = put_text(&at, slot, slot_size);
        if (name) run->name = put_text(&at, name, name_size - 1);
        *view = task->plugin;
        view->slot = run->slot_name;
        view->name = run->name;
        run->view = view;
    }
    put_run_id(run, at, runner, runner_size);
    return 0;
}

const char *pdk_record_slot(const struct pdk_record *run, const char *name, char buf[PDK_SLOT_BYTES]) {
    char number[24];
    size_t digits = (size_t)(put_number(number, run->seq) - number), size = strlen(name);
    if (size > PDK_SLOT_BYTES - 2 - digits) size = PDK_SLOT_BYTES - 2 - digits;
    memcpy(buf, name, size);
    buf[size++] = '-';
    memcpy(buf + size, number, digits);
    buf[size + digits] = '\0';
    return buf;
}

const char *pdk_record_short(const struct pdk_record *run) {
    if (run->alone) return run->run_id + run->run_id_size - run->slot_size;
    size_t digits = 0;
    for (uint64_t n = run->seq; digits == 0 || n; n /= 10) digits++;
    return run->run_id + run->run_id_size - digits - 1 - run->slot_size;
}
