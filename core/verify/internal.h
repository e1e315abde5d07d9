/* SPDX-License-Identifier: Apache-2.0 */
/* What the checks share. All of it happens in the process of one check. */
#ifndef CORE_VERIFY_INTERNAL_H
#define CORE_VERIFY_INTERNAL_H

#include "core/base/buffer.h"
#include "core/plugin/instance.h"
#include "core/testhost/testhost.h"
#include "core/verify/verify.h"

/* When children that are simulated end. */
enum pdk_ending { PDK_END_ALONE, PDK_END_SIGNALED, PDK_END_KILLED };

struct pdk_verify {
    const struct pdk_verify_check *check;
    const struct pdk_verify_subject *subject;
    struct pdk_verify_result *result;   /* shared with the parent */
    const pdk_plugin *plugin;           /* NULL until it was loaded */
    const char *kind;                   /* the one that is looked at */
    const char *sampled, *sampled_kind; /* parameters that were found, for which kind */
    char sampled_text[4096];
    uint32_t kind_index;
    uint32_t children;      /* that were there before */
    enum pdk_ending ending; /* of children */
    uint32_t verdict;       /* PDK_VERIFY_...; 0: none yet */
    uint32_t allocation;    /* the one that fails, from 1; 0: none does */
    bool dry, unwell;       /* what brought nothing in, or did not come up: it is not waited for again */
    bool rules_alone; /* what a check that is borrowed finds, or skips, is its own business: the host's lines count */
};

/* ---- verdicts: the first one stands ---- */
void pdk_verify_fail(struct pdk_verify *v, const char *format, ...) __attribute__((format(printf, 2, 3)));
void pdk_verify_skip(struct pdk_verify *v, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool pdk_verify_is_open(const struct pdk_verify *v); /* no verdict yet */

/* ---- play.c: a plugin led through its life ---- */

/* NULL: there is a verdict. */
pdk_test *pdk_play_load(struct pdk_verify *v, uint32_t flags);
/* Keep the record, and end. */
void pdk_play_end(struct pdk_verify *v, pdk_test *t);

/* A task of v->kind with parameters that it takes. NULL: there is a verdict. */
pdk_test_task *pdk_play_build(struct pdk_verify *v, pdk_test *t);
/* Start it; what it needs to run goes well. NULL: there is a verdict. */
pdk_test_attempt *pdk_play_start(struct pdk_verify *v, pdk_test_task *task);
/* Until it is done; who does not end is cancelled, then killed. False, and a verdict: it never is. */
bool pdk_play_finish(struct pdk_verify *v, pdk_test_attempt *attempt);
/* The same for at most so many ns of its time. Is it done? */
bool pdk_play_run(struct pdk_verify *v, pdk_test_attempt *attempt, uint64_t ns);
/* Let it get going: until it has a child, or a few things have happened; children go on. */
void pdk_play_begin(struct pdk_verify *v, pdk_test_attempt *attempt);
/* Build, start, finish, destroy. */
void pdk_play_task(struct pdk_verify *v, pdk_test *t);

/* Once for each kind that is to be looked at. */
void pdk_play_kinds(struct pdk_verify *v, void (*each)(struct pdk_verify *v, pdk_test *t));
/* The whole life of an instance, in every role. */
void pdk_play_life(struct pdk_verify *v);

/* The same again and again: does memory grow each time? */
void pdk_play_cycles(struct pdk_verify *v, void (*once)(struct pdk_verify *v));
/* The same, by all that the process has allocated, whoever did it. */
void pdk_play_level(struct pdk_verify *v, void (*once)(struct pdk_verify *v));
/* Each allocation fails in turn while once runs, and pdk_play_heal says that there is memory again. */
void pdk_play_memory(struct pdk_verify *v, void (*once)(struct pdk_verify *v));
void pdk_play_heal(void);

/* ---- sample.c ---- */

/* JSON of parameters that kind takes. NULL: none were found. Lives until the end of t. */
const char *pdk_sample_with(struct pdk_verify *v, pdk_test *t, const pdk_schema *schema);

/* Its supports says no to the smallest of them, and why. */
bool pdk_sample_is_refused(struct pdk_verify *v, pdk_test *t, const pdk_schema *schema, pdk_error *why);
/* Values a field may have by its row, from the least to the most; NULL past the last. buf may be used. */
const char *pdk_sample_value(const pdk_param *row, uint32_t size, unsigned i, char *buf, size_t buf_size);

/* ---- the checks ---- */
void pdk_check_trust(struct pdk_verify *v);
void pdk_check_loads(struct pdk_verify *v);
void pdk_check_exports(struct pdk_verify *v);
void pdk_check_imports(struct pdk_verify *v);
void pdk_check_constructors(struct pdk_verify *v);

void pdk_check_create(struct pdk_verify *v);
void pdk_check_pure_create(struct pdk_verify *v);
void pdk_check_alone(struct pdk_verify *v);
void pdk_check_two_instances(struct pdk_verify *v);
void pdk_check_create_cycles(struct pdk_verify *v);
void pdk_check_create_memory(struct pdk_verify *v);
void pdk_check_schemas(struct pdk_verify *v);
void pdk_check_streams(struct pdk_verify *v);
void pdk_check_process(struct pdk_verify *v);
void pdk_check_life(struct pdk_verify *v); /* what is broken is told by the host */
void pdk_check_extension(struct pdk_verify *v);
void pdk_check_stop(struct pdk_verify *v);
void pdk_check_owned(struct pdk_verify *v);
void pdk_check_level(struct pdk_verify *v);

void pdk_check_supports(struct pdk_verify *v);
void pdk_check_build(struct pdk_verify *v);
void pdk_check_refusals(struct pdk_verify *v);
void pdk_check_build_cycles(struct pdk_verify *v);
void pdk_check_slow(struct pdk_verify *v);
void pdk_check_one_done(struct pdk_verify *v);
void pdk_check_after_done(struct pdk_verify *v);
void pdk_check_again(struct pdk_verify *v);
void pdk_check_two_tasks(struct pdk_verify *v);
void pdk_check_cancel(struct pdk_verify *v);
void pdk_check_cancel_late(struct pdk_verify *v);
void pdk_check_kill(struct pdk_verify *v);
void pdk_check_paused(struct pdk_verify *v);
void pdk_check_reload(struct pdk_verify *v);
void pdk_check_task_cycles(struct pdk_verify *v);
void pdk_check_left(struct pdk_verify *v);
void pdk_check_pool_busy(struct pdk_verify *v);
void pdk_check_job_canceled(struct pdk_verify *v);
void pdk_check_spawn_fails(struct pdk_verify *v);
void pdk_check_loop_fails(struct pdk_verify *v);
void pdk_check_task_memory(struct pdk_verify *v);

void pdk_check_source_early(struct pdk_verify *v);
void pdk_check_source_settled(struct pdk_verify *v);
void pdk_check_source_busy(struct pdk_verify *v);
void pdk_check_source_invalid(struct pdk_verify *v);
void pdk_check_source_drain(struct pdk_verify *v);
void pdk_check_source_cycles(struct pdk_verify *v);

void pdk_check_series(struct pdk_verify *v);
void pdk_check_values(struct pdk_verify *v);
void pdk_check_threads(struct pdk_verify *v);
void pdk_check_page(struct pdk_verify *v);
void pdk_check_series_cycles(struct pdk_verify *v);
void pdk_check_series_memory(struct pdk_verify *v);

#endif
