/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The data of the supervisor, for the files of this folder and their tests.
 *
 *   supervisor --- members   an instance of a plugin: its permits, its queue of READY runs, its deliveries
 *              |-- records   a run: loop thread only
 *              |-- cells     an attempt that is on: the one thing that other threads touch
 *              |-- slots     one for each that is owned
 *              '-- listeners of events
 */
#ifndef CORE_SUPERVISE_INTERNAL_H
#define CORE_SUPERVISE_INTERNAL_H

#include <bsd/sys/queue.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "core/base/buffer.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/loop/loop.h"
#include "core/process/process.h"
#include "core/supervise/policy.h"
#include "core/supervise/state.h"
#include "core/supervise/supervisor.h"
#include "core/supervise/timer.h"

#define PDK_STARTS_PER_TURN 64
#define PDK_INDEX_BITS      24 /* of a handle: which record or cell; the rest is a number never used again */
#define PDK_INDEX_MASK      ((UINT64_C(1) << PDK_INDEX_BITS) - 1)
#define PDK_CHUNK           256 /* records or cells allocated at once */
#define PDK_CHUNKS          ((1u << PDK_INDEX_BITS) / PDK_CHUNK)
#define PDK_RUN_ID_WORDS    20 /* of 8 bytes: a runner's and a slot's name, and a number */
#define PDK_LOCKS           16

struct pdk_record;
struct pdk_member;

/* A result with all it points to. */
struct pdk_said {
    pdk_result result;
    pdk_usage usage;
    char *text; /* code and message, if they had to be copied */
};

/* cell.h: one attempt, as other threads see it. Never freed while the supervisor lives. */
struct pdk_cell {
    _Atomic uint64_t gate;    /* generation and phase */
    struct pdk_cell *next;    /* in the inbox, the line of dones, or the free ones */
    struct pdk_said posted;   /* written by whoever closed the gate, before it is in the inbox */
    _Atomic uint32_t touched; /* output, progress or ready were called: look under the lock */
    uint32_t index;
    /* The loop's. */
    struct pdk_record *run; /* NULL: the attempt is over */
    bool arrived;           /* the done is in the line of dones */
    bool taken;             /* the done was taken out of that line */
    bool passed_over;       /* it was taken up where it stood; the line only frees the cell */
    bool free;
    /* Under the lock. */
    bool in_news;
    bool ready, ready_told, progress_new;
    double fraction;
    char *progress;
    struct pdk_output *output;
    struct pdk_cell *next_news;
    /* For words from any thread. */
    _Atomic uint64_t run_id[PDK_RUN_ID_WORDS];
    _Atomic uint32_t number; /* of the attempt */
};

/* What was asked for. */
enum pdk_order_kind {
    PDK_ORDER_ADMIT,
    PDK_ORDER_CANCEL,
    PDK_ORDER_FORCE,
    PDK_ORDER_PAUSE,
    PDK_ORDER_RESUME,
    PDK_ORDER_ABANDON,
    PDK_ORDER_UNFIT,
    PDK_ORDER_GONE,
    PDK_ORDER_SHUTDOWN
};
struct pdk_order {
    STAILQ_ENTRY(pdk_order) next;
    enum pdk_order_kind kind;
    int32_t cause;             /* PDK_CANCEL_... */
    pdk_run run;               /* 0: all */
    struct pdk_member *member; /* GONE */
    char *why;
};
STAILQ_HEAD(pdk_orders, pdk_order);

/* A run: what was accepted, until it is forgotten. */
struct pdk_record {
    pdk_run handle;
    uint64_t seq;
    uint8_t state;  /* enum pdk_state */
    uint8_t cause;  /* PDK_CANCEL_..., 0: none */
    int8_t end;     /* PDK_END_... once recorded */
    bool recorded;  /* the outcome is */
    bool told;      /* the outcome was */
    bool asked;     /* cause has reached the plugin */
    bool timed_out; /* this attempt */
    bool paused;
    bool built;     /* task is there */
    bool leaked;    /* abandoned: the task is left, a late done destroys it */
    bool replacing; /* stands before the queue of its slot */
    bool in_tells;
    bool progress_new;
    bool ready;
    int32_t phase_told; /* PDK_PHASE_... last told to its source; -1: none */

    struct pdk_member *member; /* who runs it */
    struct pdk_slot *slot;     /* owned or waited for */
    uint64_t slot_hash;
    struct pdk_cell *cell; /* of the attempt that is on */
    const pdk_task_ops *ops;
    void *task;
    struct pdk_task *spec;
    const pdk_spec *view; /* what the plugin was given: of spec, or in text */

    TAILQ_ENTRY(pdk_record) all;   /* by seq */
    TAILQ_ENTRY(pdk_record) line;  /* QUEUED: of the slot; READY: of the member; remembered: the history; free */
    STAILQ_ENTRY(pdk_record) out;  /* the outbox */
    TAILQ_ENTRY(pdk_record) tells; /* of progress */
    uint64_t stamp;                /* READY: place in the FIFO of all */

    struct pdk_timer phase, total;
    struct pdk_past past;
    uint64_t accepted, started, began, since, ended; /* on the loop's clock: accepted, first attempt, this attempt,
                                                        stuck, ended */
    uint64_t accepted_unix, started_unix, ended_unix, deadline, told_at;

    struct pdk_member *source; /* whom to tell, or: */
    pdk_delivery delivery;
    pdk_settled settled;
    void *arg;

    const char *code; /* the host's own word for the end; NULL: the plugin's */
    char *why;        /* what who asked first said */
    char *note;       /* the host's sentence for the end */
    char *unfit;      /* our own judgement of this attempt: code, NUL, text */
    double fraction;
    char *progress;
    struct pdk_buffer *tail; /* the last of its output */
    uint64_t output_lost;

    const char *run_id, *name, *slot_name, *trace;
    uint32_t run_id_size, slot_size;
    char *block; /* where these are, when text is too small */
    struct pdk_order admit;
    /* Not zeroed with the rest. */
    struct pdk_said last;
    _Alignas(8) char text[136];
};
TAILQ_HEAD(pdk_records, pdk_record);
STAILQ_HEAD(pdk_outbox, pdk_record);

/* A slot that is owned. */
struct pdk_slot {
    struct pdk_slot *next; /* with the same hash, or free */
    uint64_t hash;
    struct pdk_record *owner, *head; /* head: the replacement, before the queue */
    struct pdk_records queue;
    uint32_t waiting; /* in the queue */
};

struct pdk_slots {
    struct pdk_slot **buckets;
    struct pdk_slot *free;
    uint32_t mask, count, reserved;
    uint64_t secret;
};

enum { PDK_RESULTS = 5, PDK_ENDS = 7 };

/* Series of one member; all NULL without a backend. */
struct pdk_meter {
    pdk_series *started, *running, *backoffs, *kills[6];
    pdk_series *attempts[PDK_RESULTS + 1], *attempt_seconds[PDK_RESULTS + 1]; /* the last: timed out */
    pdk_series *runs[PDK_ENDS], *run_seconds[PDK_ENDS];
    pdk_series *output[2], *output_lost, *cpu[2];
    pdk_series *errors[PDK_CAT_INTERNAL + 1];
    pdk_series *deliveries[3], *settled[PDK_ENDS], *source_up, *pending, *submitted, *up;
};

/* An instance of a plugin, as the supervisor sees it. */
struct pdk_member {
    TAILQ_ENTRY(pdk_member) all;
    struct pdk_supervisor *supervisor;
    struct pdk_instance *instance;
    struct pdk_instance_limits limits;
    /* runner */
    TAILQ_ENTRY(pdk_member) active;
    struct pdk_records ready;
    bool is_active;
    uint32_t running, stuck;
    void (*kill)(void *arg); /* its process; NULL: it is in ours */
    void *kill_arg;
    /* source */
    pdk_source source;
    uint32_t pending, settled_now; /* settled_now: since the last flush */
    bool busy, resume_due, draining, gone;
    /* any */
    pdk_metrics metrics;
    pdk_control control;
    struct pdk_meter meter;
    struct pdk_order gone_order;
    bool stop_called;
    _Atomic uint32_t stopped;
    _Atomic uint64_t misbehaved;
    /* Under the supervisor's health lock. */
    bool health_new;
    int32_t health;
    char health_text[256];
};
TAILQ_HEAD(pdk_members, pdk_member);

/* What is remembered of limits for instances that are not there yet. */
struct pdk_limit_entry {
    SLIST_ENTRY(pdk_limit_entry) next;
    struct pdk_instance_limits limits;
    char name[];
};

enum pdk_life { PDK_LIFE_UP, PDK_LIFE_DRAIN, PDK_LIFE_STOP, PDK_LIFE_KILL, PDK_LIFE_FLUSH, PDK_LIFE_DOWN };

/* Records and cells stay where they are; a handle's low bits lead to them. */
struct pdk_records_store {
    struct pdk_record **chunks;
    uint32_t count, capacity;
    struct pdk_records free;
};
struct pdk_cells_store {
    _Atomic(struct pdk_cell *) chunks[PDK_CHUNKS];
    uint32_t count;
    struct pdk_cell *free;
};

enum { PDK_REASONS = 8 };
struct pdk_meters {
    pdk_series *lag;
    pdk_series *busy_slots, *submitted, *rejected[PDK_REASONS], *attempts[PDK_ENDS];
    pdk_series *states[PDK_STATES];
    uint32_t shown[PDK_STATES]; /* what the gauges say */
};

/* The call that the loop runs a turn by. A loop cannot be asked to forget a call, so this one may outlive us. */
struct pdk_wake {
    pdk_call call;
    struct pdk_supervisor *supervisor; /* NULL: it is gone */
    _Atomic uint32_t posted;
};

struct pdk_supervisor {
    pdk_supervisor_options options;
    struct pdk_log log;
    pdk_host host; /* the pattern of every instance's */
    const pdk_loop *loop;
    const pdk_pool *pool;
    const pdk_process *process;
    struct pdk_ev *own_loop;
    struct pdk_threads *own_pool;
    struct pdk_spawner *own_process;
    pdk_router *router;
    struct pdk_members members;
    SLIST_HEAD(, pdk_limit_entry) limits;
    bool started;

    /* the turn */
    struct pdk_wake *wake;
    pdk_watch timer;
    uint64_t timer_due;
    _Atomic uint64_t main; /* the thread of the loop */
    bool turning;
    uint32_t depth; /* of steps */
    uint64_t now, unix_offset, offset_at;

    /* runs */
    struct pdk_records_store records;
    struct pdk_records all, history;
    uint32_t remembered, history_limit;
    uint64_t next_seq, next_stamp;
    uint32_t accepted, live; /* not settled; not ENDED and not STUCK */
    uint32_t in_state[PDK_STATES];
    struct pdk_slots slots;
    struct pdk_timers timers;
    struct pdk_outbox outbox;
    struct pdk_orders orders;
    struct pdk_order shutdown_order;
    uint32_t shutdowns; /* asked for and not carried out yet */

    /* permits */
    TAILQ_HEAD(, pdk_member) active; /* members with READY runs */
    uint32_t ready, running;
    bool paused;

    /* attempts */
    struct pdk_cells_store cells;
    _Atomic(struct pdk_cell *) inbox;
    struct pdk_cell *dones, **dones_end;
    _Atomic(struct pdk_cell *) news;
    pthread_mutex_t locks[PDK_LOCKS], health_lock;
    _Atomic uint32_t health_new;
    struct pdk_records tells;
    struct pdk_timer tell_timer;

    /* events */
    TAILQ_HEAD(, pdk_listener) listeners;
    uint64_t events, next_watch;
    uint32_t wanted; /* bits of what the listeners want */
    bool delivering;

    /* metrics */
    uint32_t backends;
    struct pdk_meters meters;
    struct pdk_metric_copy *metric_copies; /* under the series lock; so are the next two */
    struct pdk_series *series;
    uint32_t series_count;
    pthread_mutex_t series_lock;

    /* shutdown */
    enum pdk_life life;
    bool closing; /* submit says no */
    struct pdk_timer life_timer, hosted_timer;
    uint64_t t1, t2, t3, t4;
    uint32_t stuck_at_end;
    bool sources_stopping, others_stopping, stopped_told;

    pdk_control control;

    /* Bugs of ours: cells of the table that cannot happen, each told once. */
    uint64_t bugs;
    uint8_t bug_told[PDK_INPUTS][PDK_STATES];
    void (*on_bug)(void *arg, enum pdk_state, enum pdk_input);
    void (*on_step)(void *arg, const char *what);
    void *on_arg;
};

/* ---- record.c */
struct pdk_record *pdk_record_create(struct pdk_supervisor *s);
void pdk_record_free(struct pdk_supervisor *s, struct pdk_record *run);
struct pdk_record *pdk_record_find(const struct pdk_supervisor *s, pdk_run handle); /* NULL: forgotten */
/* Give it its names; NULL: those of the task. -ENOMEM. */
int32_t pdk_record_name(struct pdk_record *run, const char *runner, const struct pdk_task *task, const char *name,
                        const char *slot, const char *trace);
const char *pdk_record_short(const struct pdk_record *run); /* "web-12" */
void pdk_record_state(struct pdk_supervisor *s, struct pdk_record *run, enum pdk_state state);
void pdk_records_free(struct pdk_supervisor *s);

/* ---- said.c */
void pdk_said_copy(struct pdk_said *said, const pdk_result *result);
void pdk_said_error(struct pdk_said *said, int32_t error, const pdk_error *err); /* what a failing start means */
void pdk_said_host(struct pdk_said *said, int32_t status, int32_t category, const char *code, const char *message);
void pdk_said_move(struct pdk_said *to, struct pdk_said *from);
void pdk_said_free(struct pdk_said *said);

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

/* ---- transition.c: the machine */
void pdk_step(struct pdk_supervisor *s, struct pdk_record *run, enum pdk_input input, int32_t cause, const char *why);
void pdk_apply(struct pdk_supervisor *s, struct pdk_record *run, enum pdk_input input, int32_t cause, const char *why);
void pdk_step_begin(struct pdk_supervisor *s);
void pdk_step_end(struct pdk_supervisor *s, const char *what);
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
void pdk_sources_resume(struct pdk_supervisor *s);
void pdk_sources_flush(struct pdk_supervisor *s);
uint32_t pdk_room(const struct pdk_supervisor *s, const struct pdk_member *source);

/* ---- submit.c */
struct pdk_intake {
    struct pdk_task *task;
    struct pdk_instance *instance; /* NULL: to be routed and completed */
    const char *name, *slot, *trace;
    uint64_t deadline; /* on the loop's clock, 0: none */
    struct pdk_member *source;
    pdk_delivery delivery;
    pdk_settled settled;
    void *arg;
};
int32_t pdk_submit(struct pdk_supervisor *s, const struct pdk_intake *intake, struct pdk_report *report, pdk_run *ret);
int32_t pdk_report_error(struct pdk_report *report, int32_t code, pdk_error *err); /* the first fault; frees */
void pdk_spec_options(struct pdk_task_options *options);

/* ---- source.c, metrics.c, host.c, control.c, list.c, inspect.c: tables given out */
void pdk_source_table(struct pdk_member *member);
struct pdk_task *pdk_template_task(const pdk_template *base); /* for tests and benchmarks */
void pdk_metrics_table(struct pdk_member *member);
void pdk_control_table(struct pdk_supervisor *s, pdk_control *control);
void pdk_host_pattern(struct pdk_supervisor *s);
int32_t pdk_list_runs(const pdk_control *, const pdk_filter *, int32_t (*each)(void *, const pdk_run_info *),
                      void *arg);
int32_t pdk_inspect_subject(const pdk_control *, const char *subject, pdk_run, const pdk_value *spec,
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
};
static inline bool pdk_event_wanted(const struct pdk_supervisor *s, int32_t kind) {
    return s->wanted >> kind & 1;
}
/* Number it, and copy it for those who listen. format is not looked at when nobody does. */
__attribute__((format(printf, 4, 5))) void pdk_emit(struct pdk_supervisor *s, const struct pdk_record *run,
                                                    const struct pdk_event_args *args, const char *format, ...);
bool pdk_events_deliver(struct pdk_supervisor *s);      /* true: there is more */
bool pdk_events_behind(const struct pdk_supervisor *s); /* who listens to output has half a ring to hear yet */
int32_t pdk_subscribe(const pdk_control *, const pdk_filter *, void (*event)(void *, const pdk_event *), void *arg,
                      pdk_watch *ret);
void pdk_unsubscribe(const pdk_control *, pdk_watch);
void pdk_events_free(struct pdk_supervisor *s);

/* ---- words.c */
const char *pdk_end_word(int32_t end);
const char *pdk_result_word(int32_t status, bool timed_out);
const char *pdk_cause_word(int32_t cause);
const char *pdk_say_result(const struct pdk_said *said, bool timed_out, uint64_t timeout, char *buf, size_t size);
const char *pdk_ordinal(uint32_t n, char *buf, size_t size);

/* ---- output.c, news.c */
int32_t pdk_output_take(struct pdk_supervisor *s, pdk_attempt attempt, int32_t stream, const char *data, size_t size);
void pdk_output_deliver(struct pdk_supervisor *s, struct pdk_record *run, struct pdk_cell *cell, bool ended);
void pdk_output_free(struct pdk_output *output);
bool pdk_news_mark(struct pdk_cell *cell); /* under its lock. true: then, outside of it: */
void pdk_news_push(struct pdk_supervisor *s, struct pdk_cell *cell);
int32_t pdk_news_progress(struct pdk_supervisor *s, pdk_attempt attempt, double fraction, const char *text);
int32_t pdk_news_ready(struct pdk_supervisor *s, pdk_attempt attempt);
void pdk_news_take(struct pdk_supervisor *s);
void pdk_news_of(struct pdk_supervisor *s, struct pdk_cell *cell, bool ended);
void pdk_tell_source(struct pdk_supervisor *s, struct pdk_record *run);
void pdk_tells(struct pdk_supervisor *s);

/* ---- shutdown.c */
void pdk_shutdown_ask(struct pdk_supervisor *s);
void pdk_shutdown_timer(struct pdk_supervisor *s);
void pdk_shutdown_hosted(struct pdk_supervisor *s);
void pdk_shutdown_look(struct pdk_supervisor *s);
bool pdk_shutdown_over(const struct pdk_supervisor *s);

/* ---- meter.c: what the supervisor itself counts; metrics.c has the service */
void pdk_meter_member(struct pdk_member *member);
void pdk_meter_supervisor(struct pdk_supervisor *s);
void pdk_meter_ended(struct pdk_supervisor *s, const struct pdk_record *run);
void pdk_meter_states(struct pdk_supervisor *s);
void pdk_meter_add(const struct pdk_supervisor *s, pdk_series *series, double n);
void pdk_meter_set(const struct pdk_supervisor *s, pdk_series *series, double n);
void pdk_meter_observe(const struct pdk_supervisor *s, pdk_series *series, double n);
pdk_series *pdk_metrics_series(struct pdk_supervisor *s, const pdk_metric *metric, const char *const *values);
void pdk_metrics_free(struct pdk_supervisor *s);

/* ---- check.c: the invariants of states.md section 9 that can be seen from here. NULL: all hold. */
const char *pdk_supervisor_check(const struct pdk_supervisor *s, char *buf, size_t size);

/* kinds of the timers that are not inputs of a run */
enum { PDK_TIMER_LIFE = PDK_INPUTS, PDK_TIMER_HOSTED, PDK_TIMER_TELL };

#endif
