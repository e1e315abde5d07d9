/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The data of the supervisor.
 *
 *   supervisor --- members   an instance of a plugin: its permits, its queue of READY runs, its deliveries
 *              |-- records   a run: loop thread only
 *              |-- cells     an attempt that is on: the one thing that other threads touch
 *              |-- slots     one for each that is owned
 *              '-- listeners of events
 */
#ifndef CORE_SUPERVISE_MODEL_H
#define CORE_SUPERVISE_MODEL_H

#include <bsd/sys/queue.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "core/base/buffer.h"
#include "core/base/clock.h"
#include "core/base/hash.h"
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
#define PDK_SLOT_BYTES      65 /* of a slot's name, with its end */

struct pdk_record;
struct pdk_member;

/* A result with all it points to. */
struct pdk_said {
    pdk_result result;
    char *text; /* code and message, if they had to be copied */
    pdk_usage usage;
};

/* cell.c: one attempt, as other threads see it. Never freed while the supervisor lives. */
struct pdk_cell {
    _Atomic uint64_t gate;  /* generation and phase */
    struct pdk_cell *next;  /* in the inbox, the line of dones, or the free ones */
    struct pdk_record *run; /* the loop's. NULL: the attempt is over */
    uint32_t index;
    _Atomic uint32_t touched; /* output, progress or ready were called: look under the lock */
    _Atomic uint32_t number;  /* of the attempt */
    /* The loop's. */
    bool arrived;     /* the done is in the line of dones */
    bool taken;       /* the done was taken out of that line */
    bool passed_over; /* it was taken up where it stood; the line only frees the cell */
    bool free;
    /* Under the lock. */
    bool in_news;
    bool ready, ready_told, progress_new;
    struct pdk_said posted; /* written by whoever closed the gate, before it is in the inbox */
    /* For words from any thread. */
    _Atomic uint64_t run_id[PDK_RUN_ID_WORDS];
    /* Under the lock. */
    double fraction;
    char *progress;
    struct pdk_output *output;
    struct pdk_cell *next_news;
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

/* A run: what was accepted, until it is forgotten. What every attempt needs comes first, and what few runs ever need
 * comes later, since a run that waits its turn is cold when it comes. */
struct pdk_record {
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
    bool alone;     /* its slot is made for it: {name}-{seq} */
    bool in_tells;
    bool progress_new;
    bool ready;
    struct pdk_cell *cell;     /* of the attempt that is on */
    struct pdk_member *member; /* who runs it */
    const pdk_task_ops *ops;
    void *task;
    struct pdk_task *spec;
    const pdk_spec *view;      /* what the plugin was given: of spec, or in text */
    struct pdk_member *source; /* whom to tell, or settled */
    uint64_t seq;
    uint64_t began, started, deadline; /* on the loop's clock: this attempt, the first one */
    struct pdk_timer phase, total;
    char *unfit; /* our own judgement of this attempt: code, NUL, text */
    const char *run_id;
    struct pdk_trace *trace; /* NULL: it belongs to none */
    uint32_t run_id_size, slot_size;
    struct pdk_past past;

    pdk_run handle;
    struct pdk_slot *slot; /* owned or waited for */
    uint64_t slot_hash;
    const char *name, *slot_name;
    uint64_t accepted, ended, since; /* on the loop's clock; since: stuck */
    uint64_t accepted_unix, started_unix, ended_unix, told_at;
    pdk_delivery delivery;
    pdk_settled settled;
    void *arg;
    const char *code; /* the host's own word for the end; NULL: the plugin's */
    char *why;        /* what who asked first said */
    char *note;       /* the host's sentence for the end */
    char *progress;
    struct pdk_buffer *tail; /* the last of its output */
    uint64_t output_lost;
    char *block;        /* where the names are, when text is too small */
    double fraction;    /* from here on nothing is zeroed for a new run */
    int32_t phase_told; /* PDK_PHASE_... last told to its source; -1: none */
    struct pdk_order admit;
    TAILQ_ENTRY(pdk_record) all;   /* by seq */
    STAILQ_ENTRY(pdk_record) out;  /* the outbox */
    TAILQ_ENTRY(pdk_record) tells; /* of progress */
    TAILQ_ENTRY(pdk_record) line;  /* QUEUED: of the slot; READY: of the member; remembered: the history; free */
    uint64_t stamp;                /* READY: place in the FIFO of all */
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
    struct pdk_hash_key key;
};

enum { PDK_RESULTS = 5, PDK_ENDS = 7 };

/* Series of one member; all NULL without a backend. */
struct pdk_meter {
    pdk_series *started, *running, *backoffs, *kills[6];
    pdk_series *attempts[PDK_RESULTS + 1], *attempt_seconds[PDK_RESULTS + 1]; /* the last: timed out */
    pdk_series *runs[PDK_ENDS], *run_seconds[PDK_ENDS];
    pdk_series *output[2], *output_lost, *cpu[2];
    pdk_series *errors[PDK_CAT_INTERNAL + 1];
    pdk_series *deliveries[3], *settled[PDK_ENDS], *source_up, *pending, *submitted, *up, *events_dropped;
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
    const struct pdk_hosted_ops *hosted; /* NULL: it is in our process */
    void *hosted_arg;
    char gone_why[256]; /* how its process ended */
    /* source */
    pdk_source source;
    uint32_t pending, settled_now; /* settled_now: since the last flush */
    bool busy, resume_due, draining, gone, hears_progress;
    bool starved; /* there was no memory for what it submitted */
    bool heard;   /* it has said how it is */
    /* any */
    pdk_metrics metrics;
    pdk_control control;
    struct pdk_meter meter;
    struct pdk_order gone_order;
    uint32_t tracer; /* its bit in the masks of who takes spans; 0: it takes none */
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
    pdk_series *lag, *events_dropped; /* of who listens for the program */
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
    struct pdk_ev *own_loop; /* or our place in options.ev_loop */
    struct pdk_threads *own_pool;
    struct pdk_spawner *own_process;
    pdk_router *router;
    struct pdk_members members;
    SLIST_HEAD(, pdk_limit_entry) limits;
    const struct pdk_program_ops *program; /* around us; NULL: nobody answers for it */
    void *program_arg;
    SLIST_HEAD(, pdk_hold) holds;
    uint32_t hold_count;
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
    uint64_t numbered; /* when a run gets this number, number is asked */
    uint64_t (*number)(void *arg, uint64_t seq);
    void *number_arg;
    uint32_t accepted, live; /* not settled; not ENDED and not STUCK */
    uint32_t reserved;       /* runs that there are timers and slots for */
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
    bool paused, held_up; /* held_up: by the process service, which has enough to start */

    /* attempts */
    struct pdk_cells_store cells;
    _Atomic(struct pdk_cell *) inbox;
    struct pdk_cell *dones, **dones_end;
    _Atomic(struct pdk_cell *) news;
    pthread_mutex_t locks[PDK_LOCKS], health_lock;
    _Atomic uint32_t health_new;
    struct pdk_records tells;
    struct pdk_timer tell_timer;
    struct pdk_timer starved_timer; /* of all sources that wait for memory */
    struct pdk_timer history_timer; /* when the oldest that is remembered is too old */

    /* events */
    TAILQ_HEAD(, pdk_listener) listeners;
    TAILQ_HEAD(, pdk_tap) taps;
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

    /* traces */
    uint32_t tracers;               /* backends that take spans */
    uint64_t id_seeds[3], ids_made; /* of the ids of traces, in two halves, and of spans */

    /* shutdown */
    enum pdk_life life;
    bool closing; /* submit says no */
    struct pdk_timer life_timer, hosted_timer;
    uint64_t t1, t2, t3, t4;
    uint32_t stuck_at_end;
    bool sources_wait; /* with their start, for the runners */
    bool stopped_told;

    pdk_control control;

    /* Bugs of ours: cells of the table that cannot happen, each told once. */
    uint64_t bugs;
    uint8_t bug_told[PDK_INPUTS][PDK_STATES];
    void (*on_bug)(void *arg, enum pdk_state, enum pdk_input);
    void (*on_step)(void *arg, const char *what);
    void *on_arg;
};

#endif
