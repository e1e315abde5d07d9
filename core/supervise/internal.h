/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this folder offer each other, and their tests; model.h has the data. [main] unless said otherwise. */
#ifndef CORE_SUPERVISE_INTERNAL_H
#define CORE_SUPERVISE_INTERNAL_H

#include "core/base/traceparent.h"
#include "core/supervise/model.h"

/* Not part of the function that calls it: so the usual way, which does not, saves no registers and needs no buffers. */
#define PDK_APART __attribute__((noinline))

/* ---- record.c */
struct pdk_record *pdk_record_create(struct pdk_supervisor *s);
void pdk_record_free(struct pdk_supervisor *s, struct pdk_record *run);
struct pdk_record *pdk_record_find(const struct pdk_supervisor *s, pdk_run handle); /* NULL: forgotten */
/* Give it its names; NULL: those of the task. -ENOMEM. */
int32_t pdk_record_name(struct pdk_record *run, const char *runner, const struct pdk_task *task, const char *name,
                        const char *slot);
/* A slot for this run alone: {name}-{seq}, the name cut where it must be. Returns buf. */
const char *pdk_record_slot(const struct pdk_record *run, const char *name, char buf[PDK_SLOT_BYTES]);
const char *pdk_record_short(const struct pdk_record *run); /* "web-12" */
static inline void pdk_record_state(struct pdk_supervisor *s, struct pdk_record *run, enum pdk_state state) {
    s->in_state[run->state]--;
    run->state = (uint8_t)state;
    s->in_state[state]++;
}
void pdk_records_free(struct pdk_supervisor *s);

/* ---- said.c */
void pdk_said_copy(struct pdk_said *said, const pdk_result *result);
void pdk_said_error(struct pdk_said *said, int32_t error, const pdk_error *err); /* what a failing start means */
void pdk_said_host(struct pdk_said *said, int32_t status, int32_t category, const char *code, const char *message);
void pdk_said_move(struct pdk_said *to, struct pdk_said *from);
void pdk_said_free(struct pdk_said *said);

/* PDK_ERROR without writing all of its 800 bytes: for what is called at every run. */
static inline void pdk_error_clear(pdk_error *err) {
    err->struct_size = (uint32_t)sizeof *err;
    err->code = 0;
    err->at = NULL;
    err->message[0] = err->hint[0] = '\0';
}

/* ---- cell.c */
struct pdk_cell *pdk_cell_open(struct pdk_supervisor *s, struct pdk_record *run); /* NULL: no memory */
pdk_attempt pdk_cell_handle(const struct pdk_cell *cell);
bool pdk_cell_posted(const struct pdk_cell *cell);
/* Close it. True: a done was posted, it is complete and will not be taken up by anyone else. */
bool pdk_cell_close(struct pdk_supervisor *s, struct pdk_cell *cell);
void pdk_cell_release(struct pdk_supervisor *s, struct pdk_cell *cell);
int32_t pdk_cell_done(struct pdk_supervisor *s, pdk_attempt attempt, const pdk_result *result); /* [any] */
struct pdk_cell *pdk_cell_lookup(const struct pdk_supervisor *s, pdk_attempt attempt);          /* [any] */
bool pdk_cell_is_open(const struct pdk_cell *cell, pdk_attempt attempt);                        /* [any] */
void pdk_cell_run_id(const struct pdk_cell *cell, char *buf, size_t size);                      /* [any] */
pthread_mutex_t *pdk_cell_lock(struct pdk_supervisor *s, const struct pdk_cell *cell);          /* [any] */
void pdk_cells_collect(struct pdk_supervisor *s); /* from the inbox to the line of dones */
struct pdk_cell *pdk_cells_next(struct pdk_supervisor *s);
void pdk_cells_free(struct pdk_supervisor *s);
bool pdk_on_main(const struct pdk_supervisor *s); /* [any] */

/* ---- slot.c */
int32_t pdk_slots_reserve(struct pdk_slots *slots, uint32_t count);
struct pdk_slot *pdk_slot_find(const struct pdk_slots *slots, const char *name, size_t size, uint64_t *ret_hash);
struct pdk_slot *pdk_slot_take(struct pdk_slots *slots, uint64_t hash, struct pdk_record *owner);
void pdk_slot_wait(struct pdk_slot *slot, struct pdk_record *run);
void pdk_slot_leave(struct pdk_slot *slot, struct pdk_record *run); /* a waiter does */
/* The owner does: the next owner, or NULL and the slot is no more. */
struct pdk_record *pdk_slot_pass(struct pdk_slots *slots, struct pdk_slot *slot);
void pdk_slots_free(struct pdk_slots *slots);

/* ---- hold.c: paused slots */
bool pdk_slot_is_held(const struct pdk_supervisor *s, const char *slot);
int32_t pdk_slot_hold(struct pdk_supervisor *s, const char *slot);    /* -EINVAL: no name of a slot; -EAGAIN, -ENOMEM */
int32_t pdk_slot_release(struct pdk_supervisor *s, const char *slot); /* 0 also when it was not held */
void pdk_holds_each(const struct pdk_supervisor *s, void (*each)(void *arg, const char *slot), void *arg);
void pdk_holds_free(struct pdk_supervisor *s);

/* ---- transition.c: the machine */
void pdk_step(struct pdk_supervisor *s, struct pdk_record *run, enum pdk_input input, int32_t cause, const char *why);
void pdk_apply(struct pdk_supervisor *s, struct pdk_record *run, enum pdk_input input, int32_t cause, const char *why);
/* A step may contain others (an owner's end is its successor's beginning); only the outermost one is looked at. */
static inline void pdk_step_begin(struct pdk_supervisor *s) {
    s->depth++;
}
static inline void pdk_step_end(struct pdk_supervisor *s, const char *what) {
    if (--s->depth == 0 && s->on_step) s->on_step(s->on_arg, what);
}
void pdk_bug(struct pdk_supervisor *s, enum pdk_state state, enum pdk_input input);
void pdk_admit(struct pdk_supervisor *s, struct pdk_record *run);
void pdk_note_cause(struct pdk_supervisor *s, struct pdk_record *run, int32_t cause, const char *why);
void pdk_end_run(struct pdk_supervisor *s, struct pdk_record *run, int32_t end, const char *code);
void pdk_record_outcome(struct pdk_supervisor *s, struct pdk_record *run, int32_t end, const char *code);
void pdk_free_slot(struct pdk_supervisor *s, struct pdk_record *run);
void pdk_leave_line(struct pdk_supervisor *s, struct pdk_record *run);

/* ---- start.c, finish.c, stop.c */
void pdk_act_start(struct pdk_supervisor *s, struct pdk_record *run);
void pdk_act_on(struct pdk_supervisor *s, struct pdk_record *run);
void pdk_act_finish(struct pdk_supervisor *s, struct pdk_record *run, enum pdk_input input);
bool pdk_take_up(struct pdk_supervisor *s, struct pdk_record *run); /* close the attempt; false: nothing was said */
void pdk_act_ask(struct pdk_supervisor *s, struct pdk_record *run, enum pdk_input input, int32_t cause,
                 const char *why);
void pdk_act_cause(struct pdk_supervisor *s, struct pdk_record *run, enum pdk_input input, int32_t cause,
                   const char *why);
void pdk_act_kill(struct pdk_supervisor *s, struct pdk_record *run);
void pdk_act_lose(struct pdk_supervisor *s, struct pdk_record *run, enum pdk_input input);
void pdk_act_free(struct pdk_supervisor *s, struct pdk_record *run, enum pdk_input input);
void pdk_act_late(struct pdk_supervisor *s, struct pdk_record *run, enum pdk_input input);
void pdk_act_unbuild(struct pdk_record *run);
void pdk_act_pause(struct pdk_supervisor *s, struct pdk_record *run, bool pause);

/* ---- ready.c */
void pdk_ready_push(struct pdk_supervisor *s, struct pdk_record *run);
void pdk_ready_remove(struct pdk_supervisor *s, struct pdk_record *run);
void pdk_permit_take(struct pdk_supervisor *s, struct pdk_record *run);
void pdk_permit_give(struct pdk_supervisor *s, struct pdk_record *run);
bool pdk_member_has_room(const struct pdk_member *member);
bool pdk_pump_has_work(const struct pdk_supervisor *s);
void pdk_pump(struct pdk_supervisor *s, uint32_t *budget);

/* ---- turn.c */
void pdk_wake(struct pdk_supervisor *s); /* [main] there is work */
void pdk_poke(struct pdk_supervisor *s); /* [any] the same */
int32_t pdk_wake_create(struct pdk_supervisor *s);
void pdk_wake_free(struct pdk_supervisor *s, bool with_loop); /* with_loop: nothing will run it any more */
void pdk_turn(void *supervisor);
void pdk_clock(struct pdk_supervisor *s); /* read it into s->now */
uint64_t pdk_unix_of(const struct pdk_supervisor *s, uint64_t time);

/* ---- order.c */
int32_t pdk_order(struct pdk_supervisor *s, enum pdk_order_kind kind, pdk_run run, int32_t cause, const char *why);
void pdk_orders_carry_out(struct pdk_supervisor *s);
void pdk_orders_free(struct pdk_supervisor *s);

/* ---- outbox.c */
void pdk_outbox_settle(struct pdk_supervisor *s);
void pdk_outcome_make(const struct pdk_record *run, pdk_outcome *ret, pdk_result *ret_last);
void pdk_retire(struct pdk_supervisor *s, struct pdk_record *run);
void pdk_history_age(struct pdk_supervisor *s); /* forget what is too old */
void pdk_sources_resume(struct pdk_supervisor *s);
void pdk_source_starves(struct pdk_member *source); /* it is resumed after a while, also when no run ends */
void pdk_sources_starved(struct pdk_supervisor *s); /* [timer] that while is over */
void pdk_sources_flush(struct pdk_supervisor *s);
uint32_t pdk_room(const struct pdk_supervisor *s, const struct pdk_member *source);

/* ---- submit.c */
struct pdk_intake {
    struct pdk_task *task;
    struct pdk_instance *instance; /* NULL: to be routed and completed */
    const char *name, *slot, *trace, *trace_state;
    const pdk_value *attributes; /* of its spans; NULL: none */
    bool alone;                  /* in a slot made for it */
    uint64_t deadline;           /* on the loop's clock, 0: none */
    struct pdk_member *source;
    pdk_delivery delivery;
    pdk_settled settled;
    void *arg;
};
/* For who has looked whether there is room. */
int32_t pdk_submit(struct pdk_supervisor *s, const struct pdk_intake *intake, struct pdk_report *report, pdk_run *ret);
void pdk_spec_options(struct pdk_task_options *options);

/* ---- gate.c */
/* Read a spec that a source brings: a task it may name with its input, or a spec of a kind it may name. *ret has one
 * reference. -ENOENT: not one that it may run. */
int32_t pdk_gate_read(const struct pdk_grant *grant, const pdk_value *spec, struct pdk_report *report,
                      struct pdk_task **ret);
bool pdk_gate_is_declared(const struct pdk_grant *grant, const pdk_value *spec); /* it is a task of the operator's */
/* Does a run of it have a slot of its own? It does when none was written, since messages come at the same time. */
static inline bool pdk_gate_alone(const struct pdk_member *source, const struct pdk_task *task, const char *slot) {
    return source->limits.grant && !slot && task->plugin.slot == task->plugin.name;
}

/* ---- source.c, metrics.c, host.c, control.c, list.c, inspect.c: tables given out */
void pdk_source_table(struct pdk_member *member);
struct pdk_task *pdk_template_task(const pdk_template *base); /* for tests and benchmarks */
void pdk_metrics_table(struct pdk_member *member);
void pdk_control_table(struct pdk_supervisor *s, pdk_control *control);
void pdk_host_pattern(struct pdk_supervisor *s);
int32_t pdk_public_state(enum pdk_state state); /* PDK_RUN_... */
const char *pdk_public_word(int32_t state);     /* of PDK_RUN_... */
void pdk_show_spec(const pdk_values *values, pdk_writer *writer, const pdk_spec *spec);
int32_t pdk_list_runs(const pdk_control *, const pdk_filter *, int32_t (*each)(void *, const pdk_run_info *),
                      void *arg);
int32_t pdk_inspect_subject(const pdk_control *, const char *subject, pdk_run, const pdk_value *given,
                            const pdk_value **ret, pdk_error *);

/* ---- member.c */
struct pdk_member *pdk_member_of(struct pdk_supervisor *s,
                                 struct pdk_instance *instance); /* made at need; NULL: no memory */
void pdk_member_drop(struct pdk_member *member);
__attribute__((format(printf, 2, 3))) void pdk_member_misbehaves(struct pdk_member *member, const char *format,
                                                                 ...); /* [any] */
bool pdk_member_is_source(const struct pdk_member *member);
void pdk_member_health(struct pdk_member *member, int32_t state, const char *text); /* [any] */
void pdk_members_health(struct pdk_supervisor *s);

/* ---- event.c */
struct pdk_listener;
struct pdk_event_args {
    int32_t kind, status;
    uint64_t delay;
    const char *data;
    size_t size;
    int32_t stream;
    bool cut;
    double fraction;
    uint64_t duration;
    const char *code, *subject; /* subject: the instance, when there is no run */
    const pdk_usage *usage;
};
static inline bool pdk_event_wanted(const struct pdk_supervisor *s, int32_t kind) {
    return s->wanted >> kind & 1;
}
/* One nobody wants is numbered too. True: somebody does, make it with pdk_emit. */
static inline bool pdk_event_needed(struct pdk_supervisor *s, int32_t kind) {
    if (pdk_event_wanted(s, kind)) return true;
    s->events++;
    return false;
}
/* Number it, and copy it for those who listen. format is not looked at when nobody does. */
__attribute__((format(printf, 4, 5))) void pdk_emit(struct pdk_supervisor *s, const struct pdk_record *run,
                                                    const struct pdk_event_args *args, const char *format, ...);
bool pdk_events_deliver(struct pdk_supervisor *s);        /* true: there is more */
uint32_t pdk_events_room(const struct pdk_supervisor *s); /* lines that all who listen to output could take now */
int32_t pdk_subscribe(const pdk_control *, const pdk_filter *, void (*event)(void *, const pdk_event *), void *arg,
                      pdk_watch *ret);
void pdk_unsubscribe(const pdk_control *, pdk_watch);
int32_t pdk_tap(const pdk_control *, void (*output)(void *arg, const pdk_event *), void *arg, pdk_watch *ret);
/* As it came, to those who tap; data NULL: so much is lost. */
void pdk_taps_tell(struct pdk_supervisor *s, const struct pdk_record *run, int32_t stream, const char *data,
                   size_t size);
void pdk_events_forget(struct pdk_supervisor *s, const struct pdk_member *member); /* it listens no more */
void pdk_events_free(struct pdk_supervisor *s);

/* ---- describe.c */
int32_t pdk_print_run(const pdk_control *, const pdk_run_info *, pdk_write, void *arg);
int32_t pdk_print_event(const pdk_control *, const pdk_event *, pdk_write, void *arg);
int32_t pdk_describe_run(const pdk_control *, const pdk_run_info *, const pdk_value **ret);
int32_t pdk_describe_event(const pdk_control *, const pdk_event *, const pdk_value **ret);

/* ---- words.c */
const char *pdk_end_word(int32_t end);
const char *pdk_result_word(int32_t status, bool timed_out);
const char *pdk_category_word(int32_t category); /* NULL: none */
const char *pdk_cause_word(int32_t cause);
const char *pdk_say_result(const struct pdk_said *said, bool timed_out, uint64_t timeout, char *buf, size_t size);
const char *pdk_ordinal(uint32_t n, char *buf, size_t size);

/* ---- output.c, news.c */
int32_t pdk_output_take(struct pdk_supervisor *s, pdk_attempt attempt, int32_t stream, const char *data, size_t size);
bool pdk_output_deliver(struct pdk_supervisor *s, struct pdk_record *run, struct pdk_cell *cell,
                        bool ended); /* true: there is more, for when those who listen have heard this */
void pdk_output_drain(struct pdk_supervisor *s, struct pdk_cell *cell); /* all of it, outside of steps */
void pdk_output_free(struct pdk_output *output);
bool pdk_news_mark(struct pdk_cell *cell); /* under its lock. true: then, outside of it: */
void pdk_news_push(struct pdk_supervisor *s, struct pdk_cell *cell);
int32_t pdk_news_progress(struct pdk_supervisor *s, pdk_attempt attempt, double fraction, const char *text);
int32_t pdk_news_ready(struct pdk_supervisor *s, pdk_attempt attempt);
void pdk_news_take(struct pdk_supervisor *s);
void pdk_news_touched(struct pdk_supervisor *s, struct pdk_cell *cell, bool ended);
/* Whoever calls output or progress marks the cell first and looks at the gate then; we have closed the gate first
 * and look at the mark now. So when an attempt is over, nothing of it comes later. */
static inline void pdk_news_of(struct pdk_supervisor *s, struct pdk_cell *cell, bool ended) {
    if (atomic_load(&cell->touched)) pdk_news_touched(s, cell, ended);
}
void pdk_tell_listening(struct pdk_supervisor *s, struct pdk_record *run);
static inline void pdk_tell_source(struct pdk_supervisor *s, struct pdk_record *run) {
    if (run->progress_new || (run->source && run->source->hears_progress)) pdk_tell_listening(s, run);
}
void pdk_tells(struct pdk_supervisor *s);

/* ---- supervisor.c */
void pdk_sources_start(struct pdk_supervisor *s); /* if they wait with it, and need not any more */

/* ---- shutdown.c */
void pdk_shutdown_ask(struct pdk_supervisor *s);
void pdk_shutdown_timer(struct pdk_supervisor *s);
void pdk_shutdown_hosted(struct pdk_supervisor *s);
void pdk_shutdown_look(struct pdk_supervisor *s);
bool pdk_shutdown_over(const struct pdk_supervisor *s);

/* ---- meter.c: what the supervisor itself counts; metrics.c has the service */
void pdk_meter_member(struct pdk_member *member);
void pdk_meters_make(struct pdk_supervisor *s); /* for all that are there; again, when there is one more backend */
void pdk_meter_ended(struct pdk_supervisor *s, const struct pdk_record *run);
void pdk_meter_states(struct pdk_supervisor *s);
void pdk_series_add(pdk_series *series, double n);
static inline void pdk_meter_add(pdk_series *series, double n) {
    if (series) pdk_series_add(series, n);
}
void pdk_meter_set(pdk_series *series, double n);     /* NULL is fine */
void pdk_meter_observe(pdk_series *series, double n); /* NULL is fine */
pdk_series *pdk_metrics_series(struct pdk_supervisor *s, const pdk_metric *metric, const char *const *values);
void pdk_metrics_free(struct pdk_supervisor *s);

/* ---- trace.c: which trace a run belongs to; NULL without one. span.c: what is told of it when it is over */
struct pdk_moment_of_run {
    uint64_t at, delay; /* at: on the loop's clock */
    const char *name;   /* static */
    uint32_t attempt;
};
enum { PDK_MOMENTS = 16, PDK_CARRIED = 16, PDK_CARRIED_KEY = 64, PDK_CARRIED_TEXT = 256 };
struct pdk_trace {
    struct pdk_traceparent run;    /* its own span */
    uint8_t parent[8], attempt[8]; /* parent: zero without one. attempt: the last one's span */
    uint32_t tracers;              /* who takes the spans */
    bool own;                      /* the spans are ours; else what came is passed on */
    bool open;                     /* an attempt is on whose span was not told */
    int32_t pid;                   /* of the first process of that attempt; 0: unknown */
    const char *state;
    pdk_attribute *carried; /* what it came with, for its spans; with their texts one block */
    uint32_t carried_count;
    struct pdk_moment_of_run *moments;
    uint32_t moment_count;
    uint64_t moments_lost;
    char trace_hex[33], run_hex[17], attempt_hex[17];
    char run_header[PDK_TRACEPARENT_SIZE], header[PDK_TRACEPARENT_SIZE]; /* header: of the attempt */
    char text[];                                                         /* what came: traceparent, tracestate */
};
void pdk_trace_seed(struct pdk_supervisor *s, uint64_t seed);
void pdk_trace_backend(struct pdk_supervisor *s, struct pdk_member *member);
int32_t pdk_trace_begin(struct pdk_supervisor *s, struct pdk_record *run, const struct pdk_intake *intake);
void pdk_trace_attempt(struct pdk_supervisor *s, struct pdk_trace *trace);
static inline const char *pdk_trace_of_run(const struct pdk_trace *trace) {
    return trace->own ? trace->run_header : trace->text;
}
static inline const char *pdk_trace_of_attempt(const struct pdk_trace *trace) {
    return trace->own ? trace->header : trace->text;
}
void pdk_trace_ids(const struct pdk_trace *trace, int32_t kind, pdk_event *event);
void pdk_trace_process(struct pdk_supervisor *s, pdk_attempt attempt, int32_t pid);
void pdk_trace_free(struct pdk_trace *trace);
void pdk_span_attempt(struct pdk_supervisor *s, struct pdk_record *run, bool lost); /* its end, or that it has none */
void pdk_span_run(struct pdk_supervisor *s, struct pdk_record *run);
void pdk_span_moment(struct pdk_supervisor *s, struct pdk_record *run, const char *name, uint64_t delay);

/* ---- check.c: the invariants of states.md section 9 that can be seen from here. NULL: all hold. */
const char *pdk_supervisor_check(const struct pdk_supervisor *s, char *buf, size_t size);

/* kinds of the timers that are not inputs of a run */
enum { PDK_TIMER_LIFE = PDK_INPUTS, PDK_TIMER_HOSTED, PDK_TIMER_TELL, PDK_TIMER_HISTORY, PDK_TIMER_STARVED };

#endif
