/* SPDX-License-Identifier: Apache-2.0 */
/* A plugin led through its life by the test host, the way most checks want it. */
#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <string.h>

#include "core/testhost/heap.h"
#include "core/verify/internal.h"
#include "paddock/helpers.h"

enum { CYCLES = 6, LEVEL_CYCLES = 16, ALLOCATIONS_MAX = 5000 };

static const uint64_t patience = 2 * PDK_SECOND, slow = 200 * PDK_MILLISECOND;
static const uint64_t level_time = 5 * PDK_SECOND; /* of the wall; a life takes as long as its plugin does */
static const uint64_t day = (uint64_t)24 * 3600 * PDK_SECOND;

/* ---- instances ---- */

static void heard(void *arg, int32_t rule, const char *line) {
    struct pdk_verify *v = arg;
    bool rules_alone = v->rules_alone;
    v->rules_alone = false;
    if (v->check->broken & 1u << rule) pdk_verify_fail(v, "%s", line);
    v->rules_alone = rules_alone;
}

static pdk_test *load(struct pdk_verify *v, uint32_t flags, pdk_error *err) {
    struct pdk_test_tuning tuning = {v->result->where, patience, slow, true};
    pdk_test_options options = PDK_TEST_OPTIONS(flags | PDK_TEST_KEEPS_HEAP, v->subject->config);
    pdk_test *t;
    options.broken = heard;
    options.arg = v;
    t = pdk_test_load_tuned(v->subject->path, &options, &tuning, err);
    if (t) v->plugin = pdk_test_plugin(t);
    return t;
}

pdk_test *pdk_play_load(struct pdk_verify *v, uint32_t flags) {
    pdk_error err = PDK_ERROR;
    pdk_test *t = load(v, flags, &err);
    if (t) return t;
    if (v->check->number == 10)
        pdk_verify_fail(v, "create: %s; --config says what it is given", err.message);
    else
        pdk_verify_skip(v, "no instance is made: see check 10");
    return NULL;
}

void pdk_play_end(struct pdk_verify *v, pdk_test *t) {
    const char *record = pdk_test_record(t);
    size_t size = strlen(record), room = sizeof v->result->record - 1;
    if (!t) return;
    (void)strlcpy(v->result->record, size > room ? record + (size - room) : record, sizeof v->result->record);
    (void)pdk_test_end(t);
}

/* ---- tasks ---- */

pdk_test_task *pdk_play_build(struct pdk_verify *v, pdk_test *t) {
    const pdk_schema *const *kinds = v->plugin->runner->kinds;
    pdk_error err = PDK_ERROR;
    pdk_test_task *task = NULL;
    const char *with = v->subject->with;
    for (; *kinds && strcmp((*kinds)->name, v->kind) != 0; kinds++) {}
    if (!with) with = pdk_sample_with(v, t, *kinds);
    if (!with) {
        if (pdk_sample_is_refused(v, t, *kinds, &err))
            pdk_verify_skip(v, "kind %s is not supported: %s; say more by --with or --config", v->kind, err.message);
        else if (v->check->number == 31)
            pdk_verify_fail(v, "kind %s takes none of the parameters that its schema allows: say some by --with",
                            v->kind);
        else
            pdk_verify_skip(v, "no parameters were found that kind %s takes: see check 31", v->kind);
        return NULL;
    }
    task = pdk_test_build(t, v->kind, with, &err);
    if (!task) pdk_verify_skip(v, "kind %s does not take %s: %s", v->kind, with, err.message);
    return task;
}

pdk_test_attempt *pdk_play_start(struct pdk_verify *v, pdk_test_task *task) {
    pdk_error err = PDK_ERROR;
    pdk_test_attempt *attempt = pdk_test_start(task, &err);
    if (task && !attempt) pdk_verify_skip(v, "kind %s does not start: %s", v->kind, err.message);
    return attempt;
}

static bool may_end(const struct pdk_verify *v, const pdk_test_child *child) {
    switch (v->ending) {
    case PDK_END_ALONE: return true;
    case PDK_END_SIGNALED: return child->signal_count || child->killed;
    default: return child->killed;
    }
}

/* Children begin, write a line, and end when they may. */
static bool end_children(const struct pdk_verify *v, pdk_test *t) {
    pdk_test_child *child;
    bool any = false;
    for (uint32_t i = 0; (child = pdk_test_child_at(t, i)); i++) {
        if (child->over || (child->started && !may_end(v, child))) continue;
        any = true;
        if (!child->started) {
            pdk_test_child_started(child, 4242);
            (void)pdk_test_child_writes(child, PDK_STDOUT, "a line\n");
            continue;
        }
        pdk_test_child_ended(child, 0, child->killed ? SIGKILL : child->signal_count ? child->signals[0] : 0);
    }
    return any;
}

bool pdk_play_run(struct pdk_verify *v, pdk_test_attempt *attempt, uint64_t ns) {
    pdk_test *t = attempt->task->test;
    uint64_t until = pdk_test_now(t) + ns;
    int idle = 0;
    while (!attempt->done && pdk_test_now(t) < until && idle < 2) {
        bool any;
        pdk_test_turn(t);
        any = end_children(v, t);
        idle = pdk_test_step(t) || any ? 0 : idle + 1;
    }
    pdk_test_turn(t);
    return attempt->done > 0;
}

void pdk_play_begin(struct pdk_verify *v, pdk_test_attempt *attempt) {
    pdk_test *t = attempt->task->test;
    for (int i = 0; i < 5 && !attempt->done && !pdk_test_child_at(t, v->children); i++)
        if (!pdk_test_step(t)) break;
    while (pdk_test_child_at(t, v->children)) v->children++;
    if (!attempt->done && v->ending != PDK_END_ALONE) (void)end_children(v, t);
}

/* A second of the wall's time where that is what counts, a day of its own where it stands still. */
static uint64_t long_enough(const pdk_test *t) {
    return pdk_test_descriptors(t) ? PDK_SECOND : day;
}

bool pdk_play_finish(struct pdk_verify *v, pdk_test_attempt *attempt) {
    pdk_test *t = attempt->task->test;
    if (pdk_play_run(v, attempt, long_enough(t))) return true;
    pdk_test_cancel(attempt, PDK_CANCEL_USER);
    if (pdk_play_run(v, attempt, attempt->task->spec.grace_ns)) return true;
    pdk_test_kill(attempt);
    if (pdk_play_run(v, attempt, attempt->task->spec.grace_ns)) return true;
    pdk_verify_fail(v, "attempt %u of kind %s was never done, not even after cancel and kill", attempt->number,
                    v->kind);
    return false;
}

void pdk_play_task(struct pdk_verify *v, pdk_test *t) {
    pdk_test_task *task = pdk_play_build(v, t);
    pdk_test_attempt *attempt = pdk_play_start(v, task);
    if (attempt && !pdk_play_finish(v, attempt)) return;
    pdk_test_destroy(task);
}

void pdk_play_kinds(struct pdk_verify *v, void (*each)(struct pdk_verify *v, pdk_test *t)) {
    pdk_test *t = pdk_play_load(v, 0);
    const pdk_schema *const *kinds = t && v->plugin->runner ? v->plugin->runner->kinds : NULL;
    pdk_error err = PDK_ERROR;
    if (t && pdk_test_open(t, &err) < 0) pdk_verify_skip(v, "the instance does not start: %s", err.message);
    if (t && v->plugin->start) (void)pdk_test_wait_health(t, PDK_UP);
    for (; kinds && *kinds && pdk_verify_is_open(v); kinds++) {
        v->kind = (*kinds)->name;
        if (!v->subject->kind || !strcmp(v->subject->kind, v->kind)) each(v, t);
    }
    if (t) pdk_play_end(v, t);
}

static void play_metrics(pdk_test *t) {
    static const pdk_metric metric = {
        (uint32_t)sizeof(pdk_metric), PDK_COUNTER, "verify_things", "", "Things", NULL, NULL, 0, 0};
    pdk_test_add(t, pdk_test_series(t, &metric, NULL), 1);
    (void)pdk_test_page(t);
}

void pdk_play_life(struct pdk_verify *v) {
    pdk_test *t = pdk_play_load(v, 0);
    const pdk_schema *const *kinds = t && v->plugin->runner ? v->plugin->runner->kinds : NULL;
    pdk_error err = PDK_ERROR;
    if (!t) return;
    if (pdk_test_open(t, &err) < 0) pdk_verify_skip(v, "the instance does not start: %s", err.message);
    if (v->plugin->start && !v->unwell) v->unwell = pdk_test_wait_health(t, PDK_UP) < 0;
    for (; kinds && *kinds && pdk_verify_is_open(v); kinds++) {
        v->kind = (*kinds)->name;
        if (!v->subject->kind || !strcmp(v->subject->kind, v->kind)) pdk_play_task(v, t);
    }
    if (v->plugin->source && !v->dry) v->dry = !pdk_test_wait_delivery(t, 1);
    if (v->plugin->metrics) play_metrics(t);
    (void)pdk_test_close(t);
    pdk_play_end(v, t);
}

/* ---- again and again ---- */

/* What a library keeps for good is there after the first times; what leaks comes on top each time. */
void pdk_play_cycles(struct pdk_verify *v, void (*once)(struct pdk_verify *v)) {
    struct pdk_heap_left left[CYCLES] = {{0, 0, ""}};
    uint64_t begin = pdk_heap_time();
    for (int i = 0; i < CYCLES && pdk_verify_is_open(v); i++) {
        once(v);
        pdk_heap_left(begin, true, &left[i]);
    }
    if (!pdk_verify_is_open(v)) return;
    for (int i = CYCLES / 2; i < CYCLES; i++)
        if (left[i].blocks <= left[i - 1].blocks) return;
    pdk_heap_left(begin, true, &left[0]);
    pdk_verify_fail(v, "memory is left each time: %llu blocks; the first was allocated at %s",
                    (unsigned long long)(left[CYCLES - 1].blocks - left[CYCLES - 2].blocks), left[0].first);
}

#ifdef PDK_SANITIZED
size_t __sanitizer_get_current_allocated_bytes(void); /* its header does not come with every compiler */
#endif

/* A sanitizer has an allocator of its own, which counts. */
static uint64_t allocated(void) {
#ifdef PDK_SANITIZED
    return __sanitizer_get_current_allocated_bytes();
#else
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
#endif
}

/* Caches fill up, and tables grow now and then; who takes more each time, to the last, never stops. */
void pdk_play_level(struct pdk_verify *v, void (*once)(struct pdk_verify *v)) {
    uint64_t bytes[LEVEL_CYCLES] = {0}, until = pdk_test_wall() + level_time;
    int count = 0;
    while (count < LEVEL_CYCLES && (count < CYCLES || pdk_test_wall() < until) && pdk_verify_is_open(v)) {
        once(v);
        bytes[count++] = allocated();
    }
    if (!pdk_verify_is_open(v)) return;
    for (int i = count / 2; i < count; i++)
        if (bytes[i] <= bytes[i - 1]) return;
    pdk_verify_fail(v, "each life takes %llu bytes more than the one before",
                    (unsigned long long)(bytes[count - 1] - bytes[count - 2]));
}

/* What was struck stays known. */
void pdk_play_heal(void) {
    if (pdk_heap_struck() == 0) pdk_heap_fail(false, UINT32_MAX, 0);
}

/* The first time shows whether it goes well at all, and loads what is loaded on first use. */
void pdk_play_memory(struct pdk_verify *v, void (*once)(struct pdk_verify *v)) {
    once(v);
    for (uint32_t n = 0; n < ALLOCATIONS_MAX && pdk_verify_is_open(v); n++) {
        uint32_t struck;
        v->allocation = n + 1;
        (void)pdk_test_fault(NULL, PDK_TEST_FAULT_ALLOCATION, 0, n, 1);
        once(v);
        struck = pdk_heap_struck();
        (void)pdk_test_fault(NULL, PDK_TEST_FAULT_ALLOCATION, 0, 0, 0);
        if (!struck) return;
    }
}
