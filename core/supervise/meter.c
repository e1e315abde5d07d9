/* SPDX-License-Identifier: Apache-2.0 */
/* What the supervisor counts by itself: the table of metrics, and the series of each instance. */
#include <string.h>

#include "core/supervise/internal.h"

static const double durations[] = {.005, .01, .05, .1, .5, 1, 5, 10, 30, 60, 120, 300, 600, 1800, 3600};
static const double lags[] = {.0001, .001, .005, .01, .05, .1, .5, 1, 5};
static const double counts[] = {1, 2, 3, 5, 10, 20, 50, 100};

static const char *const
    by_runner[] = {"runner", NULL},
    *const by_outcome[] = {"outcome", NULL}, *const by_reason[] = {"reason", NULL}, *const by_state[] = {"state", NULL},
    *const by_source[] = {"source", NULL}, *const by_plugin[] = {"plugin", NULL},
    *const by_runner_outcome[] = {"runner", "outcome", NULL}, *const by_runner_result[] = {"runner", "result", NULL},
    *const by_runner_reason[] = {"runner", "reason", NULL}, *const by_runner_stream[] = {"runner", "stream", NULL},
    *const by_runner_mode[] = {"runner", "mode", NULL}, *const by_source_result[] = {"source", "result", NULL},
    *const by_source_outcome[] = {"source", "outcome", NULL}, *const by_category[] = {"plugin", "category", NULL},
    *const by_listener[] = {"listener", NULL}, *const by_version[] = {"version", "abi", NULL};

enum {
    BUILD,
    SUBMITTED,
    RUNS_ENDED,
    REJECTED,
    RUNS,
    RUN_SECONDS,
    RUN_ATTEMPTS,
    STARTED,
    ATTEMPTS_ENDED,
    RUNNING,
    ATTEMPT_SECONDS,
    BACKOFFS,
    KILLS,
    SLOTS,
    DELIVERIES,
    SETTLED,
    SOURCE_UP,
    PENDING,
    PLUGIN_UP,
    OUTPUT_BYTES,
    OUTPUT_LOST,
    CPU_SECONDS,
    PLUGIN_ERRORS,
    EVENTS_DROPPED,
    LOOP_LAG
};

#define ROW(type, name, unit, help, labels) \
    { sizeof(pdk_metric), type, name, unit, help, labels, NULL, 0, 0 }
#define HISTOGRAM(name, unit, help, labels, buckets) \
    { sizeof(pdk_metric), PDK_HISTOGRAM, name, unit, help, labels, buckets, sizeof buckets / sizeof *buckets, 0 }

static const pdk_metric metrics[] = {
    [BUILD] = ROW(PDK_GAUGE, "build_info", "", "The program that is running.", by_version),
    [SUBMITTED] = ROW(PDK_COUNTER, "runs_submitted", "", "Runs accepted.", by_source),
    [RUNS_ENDED] = ROW(PDK_COUNTER, "runs_ended", "", "Runs that ended.", by_runner_outcome),
    [REJECTED] = ROW(PDK_COUNTER, "runs_rejected", "", "Runs that never started.", by_reason),
    [RUNS] = ROW(PDK_GAUGE, "runs", "", "Runs by state.", by_state),
    [RUN_SECONDS] = HISTOGRAM("run_duration", "seconds", "From acceptance to outcome.", by_runner_outcome, durations),
    [RUN_ATTEMPTS] = HISTOGRAM("run_attempts", "", "Attempts of a run.", by_outcome, counts),
    [STARTED] = ROW(PDK_COUNTER, "attempts_started", "", "Attempts started.", by_runner),
    [ATTEMPTS_ENDED] = ROW(PDK_COUNTER, "attempts_ended", "", "Attempts that ended.", by_runner_result),
    [RUNNING] = ROW(PDK_GAUGE, "attempts_running", "", "Attempts that are on.", by_runner),
    [ATTEMPT_SECONDS] = HISTOGRAM("attempt_duration", "seconds", "Duration of attempts.", by_runner_result, durations),
    [BACKOFFS] = ROW(PDK_COUNTER, "backoffs", "", "Retries that were put off.", by_runner),
    [KILLS] = ROW(PDK_COUNTER, "kills", "", "Attempts that had to be killed.", by_runner_reason),
    [SLOTS] = ROW(PDK_GAUGE, "slots_busy", "", "Slots that are taken.", NULL),
    [DELIVERIES] = ROW(PDK_COUNTER, "source_deliveries", "", "Deliveries handed over.", by_source_result),
    [SETTLED] = ROW(PDK_COUNTER, "source_settled", "", "Deliveries settled.", by_source_outcome),
    [SOURCE_UP] = ROW(PDK_GAUGE, "source_up", "", "Whether the source is up.", by_source),
    [PENDING] = ROW(PDK_GAUGE, "source_pending", "", "Deliveries accepted and not settled.", by_source),
    [PLUGIN_UP] = ROW(PDK_GAUGE, "plugin_up", "", "Whether the plugin is up.", by_plugin),
    [OUTPUT_BYTES] = ROW(PDK_COUNTER, "output", "bytes", "Bytes that attempts wrote.", by_runner_stream),
    [OUTPUT_LOST] = ROW(PDK_COUNTER, "output_dropped", "bytes", "Bytes lost to slow readers.", by_runner),
    [PLUGIN_ERRORS] = ROW(PDK_COUNTER, "plugin_errors", "", "Attempts that went wrong.", by_category),
    [EVENTS_DROPPED] = ROW(PDK_COUNTER, "events_dropped", "", "Events lost to slow listeners.", by_listener),
    [LOOP_LAG] = HISTOGRAM("loop_lag", "seconds", "How late timers are.", NULL, lags),
    [CPU_SECONDS] = ROW(PDK_COUNTER, "child_cpu", "seconds", "Processor time of children.", by_runner_mode),
};

static pdk_series *get(struct pdk_supervisor *s, int metric, const char *first, const char *second) {
    const char *values[] = {first, second, NULL};
    return pdk_metrics_series(s, &metrics[metric], values);
}

static const char *const reasons[PDK_REASONS] = {"slot_busy", "queue_full",    "replaced", "canceled",
                                                 "deadline",  "shutting_down", "other",    "unknown"};

static void of_runner(struct pdk_supervisor *s, struct pdk_meter *meter, const char *name) {
    meter->started = get(s, STARTED, name, NULL);
    meter->running = get(s, RUNNING, name, NULL);
    meter->backoffs = get(s, BACKOFFS, name, NULL);
    meter->output_lost = get(s, OUTPUT_LOST, name, NULL);
    meter->output[0] = get(s, OUTPUT_BYTES, name, "stdout");
    meter->output[1] = get(s, OUTPUT_BYTES, name, "stderr");
    meter->cpu[0] = get(s, CPU_SECONDS, name, "user");
    meter->cpu[1] = get(s, CPU_SECONDS, name, "system");
    static const char *const causes[] = {NULL, "user", "timeout", "shutdown", "replaced", "deadline"};
    for (int32_t i = PDK_CANCEL_USER; i <= PDK_CANCEL_DEADLINE; i++) meter->kills[i] = get(s, KILLS, name, causes[i]);
    for (int32_t i = PDK_CAT_OTHER; i <= PDK_CAT_INTERNAL; i++)
        meter->errors[i] = get(s, PLUGIN_ERRORS, name, pdk_category_word(i));
    for (int32_t i = 0; i < PDK_RESULTS; i++) {
        if (i == PDK_RETRY) continue;
        meter->attempts[i] = get(s, ATTEMPTS_ENDED, name, pdk_result_word(i, false));
        meter->attempt_seconds[i] = get(s, ATTEMPT_SECONDS, name, pdk_result_word(i, false));
    }
    meter->attempts[PDK_RETRY] = meter->attempts[PDK_FAILURE];
    meter->attempt_seconds[PDK_RETRY] = meter->attempt_seconds[PDK_FAILURE];
    meter->attempts[PDK_RESULTS] = get(s, ATTEMPTS_ENDED, name, pdk_result_word(0, true));
    meter->attempt_seconds[PDK_RESULTS] = get(s, ATTEMPT_SECONDS, name, pdk_result_word(0, true));
    for (int32_t i = 0; i < PDK_ENDS; i++) {
        if (i == PDK_END_REJECTED) continue;
        meter->runs[i] = get(s, RUNS_ENDED, name, pdk_end_word(i));
        meter->run_seconds[i] = get(s, RUN_SECONDS, name, pdk_end_word(i));
    }
}

static void of_source(struct pdk_supervisor *s, struct pdk_meter *meter, const char *name) {
    static const char *const words[] = {"accepted", "busy", "invalid"};
    meter->submitted = get(s, SUBMITTED, name, NULL);
    meter->source_up = get(s, SOURCE_UP, name, NULL);
    meter->pending = get(s, PENDING, name, NULL);
    for (int i = 0; i < 3; i++) meter->deliveries[i] = get(s, DELIVERIES, name, words[i]);
    for (int32_t i = 0; i < PDK_ENDS; i++) meter->settled[i] = get(s, SETTLED, name, pdk_end_word(i));
}

void pdk_meter_member(struct pdk_member *member) {
    struct pdk_supervisor *s = member->supervisor;
    const char *name = member->instance->name;
    if (!s->backends || member->meter.up) return;
    member->meter.up = get(s, PLUGIN_UP, name, NULL);
    member->meter.events_dropped = get(s, EVENTS_DROPPED, name, NULL);
    pdk_meter_set(member->meter.up, atomic_load(&member->instance->health) != PDK_DOWN);
    if (member->instance->plugin->runner) of_runner(s, &member->meter, name);
    if (pdk_member_is_source(member)) of_source(s, &member->meter, name);
}

static void of_supervisor(struct pdk_supervisor *s) {
    struct pdk_meters *m = &s->meters;
    memset(m->shown, 0, sizeof m->shown);
    pdk_meter_set(get(s, BUILD, s->host.version, "1.0"), 1);
    m->busy_slots = get(s, SLOTS, NULL, NULL);
    m->lag = get(s, LOOP_LAG, NULL, NULL);
    m->events_dropped = get(s, EVENTS_DROPPED, s->host.name, NULL);
    m->submitted = get(s, SUBMITTED, "", NULL);
    for (int i = 0; i < PDK_REASONS; i++) m->rejected[i] = get(s, REJECTED, reasons[i], NULL);
    for (int32_t i = 0; i < PDK_ENDS; i++) m->attempts[i] = get(s, RUN_ATTEMPTS, pdk_end_word(i), NULL);
    for (int i = 0; i < PDK_STATES; i++) m->states[i] = get(s, RUNS, pdk_state_name((enum pdk_state)i), NULL);
}

void pdk_meters_make(struct pdk_supervisor *s) {
    struct pdk_member *member;
    if (!s->backends) return;
    of_supervisor(s);
    TAILQ_FOREACH(member, &s->members, all) {
        member->meter = (struct pdk_meter){0};
        pdk_meter_member(member);
    }
}

void pdk_meter_ended(struct pdk_supervisor *s, const struct pdk_record *run) {
    size_t end = (uint8_t)run->end;
    pdk_meter_observe(s->meters.attempts[end], run->past.attempts);
    if (end == PDK_END_REJECTED) {
        int i = 0;
        while (i < PDK_REASONS - 1 && strcmp(reasons[i], run->code ? run->code : "") != 0) i++;
        pdk_meter_add(s->meters.rejected[i], 1);
        return;
    }
    pdk_meter_add(run->member->meter.runs[end], 1);
    pdk_meter_observe(run->member->meter.run_seconds[end], (double)(run->ended - run->accepted) / 1e9);
}

/* Once a turn, not at every step. */
void pdk_meter_states(struct pdk_supervisor *s) {
    for (int i = 0; i < PDK_STATES; i++) {
        if (s->meters.shown[i] == s->in_state[i]) continue;
        s->meters.shown[i] = s->in_state[i];
        pdk_meter_set(s->meters.states[i], s->in_state[i]);
    }
}
