/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A supervisor in virtual time: a loop whose clock only moves when told, and a runner that keeps its own truth of what
 * is alive. After every step of the machine its invariants are checked, and the runner's truth with them: what the
 * supervisor believes is not taken for granted.
 */
#ifndef TEST_SIM_SIM_H
#define TEST_SIM_SIM_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/supervise/internal.h"
#include "paddock/helpers.h"

#define MS     PDK_MILLISECOND
#define S      PDK_SECOND
#define MINUTE PDK_MINUTE
#define HOUR   PDK_HOUR

/* What the runner knows of a task it built. */
struct sim_task {
    struct sim_task *next;
    struct sim *sim;
    char name[64], slot[72], script[256];
    uint64_t patience;   /* how long it takes to end when cancelled */
    bool deaf, stubborn; /* hears neither; hears kill alone */
    bool alive, gone, destroyed, leaked;
    pdk_attempt attempt, previous;
    uint32_t starts, cancels, kills, destroys; /* cancels and kills of this attempt */
    uint32_t all_cancels, all_kills;
    int32_t reason; /* of the last cancel */
    uint64_t started[64], canceled_at, killed_at;
    uint64_t timer, timer_due; /* of the loop */
    pdk_result said;           /* what the timer will say */
    const pdk_host *host;
};

struct sim_outcome {
    uint32_t told;
    int32_t end, reason, last_status;
    uint32_t attempts;
    uint64_t at;
    char code[64], message[256], run_id[160], trace[64];
};

struct sim_event {
    uint64_t at;
    pdk_event event;
    char text[256], trace_id[33], span_id[17];
};

#define SIM_RUNS 20000

struct sim_timer {
    uint64_t id, due;
    void (*fire)(void *arg);
    void *arg;
};

struct sim {
    pdk_supervisor *s;
    const pdk_control *control;
    uint64_t now;
    /* the loop */
    pdk_loop loop;
    pdk_call *calls[4096];
    uint32_t call_first, call_count;
    struct sim_timer timers[4096];
    uint32_t timer_count;
    uint64_t next_id;
    /* the runner */
    struct sim_task *tasks;
    uint32_t alive, peak, starts_total;
    int32_t fail_builds; /* errno that build_task gives; 0: none */
    uint32_t host_kills;
    /* what came of it */
    struct sim_outcome outcomes[SIM_RUNS];
    uint32_t submitted, settled;
    const char *trace, *trace_state; /* what is submitted next comes with; NULL: nothing */
    struct sim_event *events;
    uint32_t event_count, event_capacity;
    uint64_t events_lost;
    /* the checks */
    uint32_t steps, check_every, bugs;
    bool bugs_expected, quiet;
    enum pdk_state bug_state;
    enum pdk_input bug_input;
    uint32_t misbehaved;
    char last_log[512];
    char journal[65536]; /* "settled 1; start 2; ..." */
    void (*on_settled)(struct sim *, pdk_run);
    void (*on_start)(struct sim *, struct sim_task *, const pdk_start *);
    void *extra;
};

extern const pdk_plugin sim_plugin, sim_meek; /* the runner, and one without kill */

struct sim *sim_new(void); /* seed 1, limits as by default */
struct sim *sim_with(const pdk_supervisor_options *options);
void sim_end(struct sim *sim);                                                      /* all must be over, or stuck */
struct pdk_instance *sim_add(struct sim *sim, const char *name, const char *label); /* another runner: label r=... */

/* fields in JSON with ' for ": "'restart':'always','with':{'script':'F S'}". Must be accepted. */
pdk_run sim_submit(struct sim *sim, const char *name, const char *fields);
int32_t sim_try(struct sim *sim, const char *name, const char *fields, pdk_run *ret);
/* The same, with a chance to change the task before. */
pdk_run sim_submit_task(struct sim *sim, const char *name, const char *fields, void (*change)(struct pdk_task *));

void sim_turn(struct sim *sim); /* what is to be done now */
void sim_advance(struct sim *sim, uint64_t ns);
void sim_until(struct sim *sim, uint64_t at);

struct sim_task *sim_task(struct sim *sim, const char *name); /* the last one built of that name */
int32_t sim_done(struct sim_task *task, int32_t status);      /* an end as told by the runner */
int32_t sim_done_with(struct sim_task *task, const pdk_result *result);
void sim_host_dies(struct sim *sim, struct pdk_instance *instance);

struct pdk_record *sim_run(struct sim *sim, pdk_run run);
enum pdk_state sim_state(struct sim *sim, pdk_run run);
struct sim_outcome *sim_outcome(struct sim *sim, pdk_run run);
void sim_expect(struct sim *sim, pdk_run run, int32_t end, const char *code);       /* told once, so; code NULL: any */
char *sim_events(struct sim *sim, pdk_run run, char *buf, size_t size);             /* "ACCEPTED STARTED ..." */
const char *sim_event_text(struct sim *sim, pdk_run run, int32_t kind, uint32_t n); /* of the n-th, or NULL */
void sim_listen(struct sim *sim);
struct pdk_instance *sim_instance(struct sim *sim, const char *name);

#endif
