/* SPDX-License-Identifier: Apache-2.0 */
/*
 * paddock/task.h - what is to run, how one attempt of it ended, how all of it ended.
 *
 * A plugin reports the result of an attempt. The host makes the outcome of the run out of it: it alone
 * knows about retries, timeouts, slots and shutdown. So a plugin never reports a timeout of the spec's
 * making; it is cancelled with PDK_CANCEL_TIMEOUT, says PDK_CANCELED, and the host says what it was.
 */
#ifndef PADDOCK_TASK_H
#define PADDOCK_TASK_H

#include "value.h"

PDK_BEGIN

/* A spec as a runner sees it. The host's; read only; lives until the task made from it is destroyed,
 * or, if none is made, until supports or build_task returns. [any] */
typedef struct pdk_spec {
    uint32_t struct_size, reserved;
    const char *kind, *name, *slot;
    const pdk_value *with;   /* the runner's own parameters, checked and completed by its schema; never NULL */
    const pdk_value *labels; /* map of strings; never NULL */
    const pdk_value *input;  /* the payload; NULL: none */
    const pdk_value *whole;  /* all of it as written, for what is not above; never NULL */
    uint64_t timeout_ns;     /* per attempt, 0: none; the host keeps it, you may pass it on */
    uint64_t grace_ns;       /* between cancel and kill */
} pdk_spec;

/* What a start is told. Lives until start returns; copy what you need longer. */
typedef struct pdk_start {
    uint32_t struct_size;
    uint32_t number;         /* 1 for the first attempt of this run */
    pdk_attempt attempt;     /* the handle for done, output, progress and log */
    const char *run_id;      /* {runner}-{slot}-{seq}: letters, digits, '.', '_', '-'; fit for a file name. A
                                slot made for one run ends in the seq, which stands once then */
    uint64_t deadline_ns;    /* when the host will cancel, on the clock of host->now_ns; 0: never */
    const char *trace;       /* W3C traceparent, or "": hand it to whatever works for this attempt */
    const char *trace_state; /* W3C tracestate, or "" */
} pdk_start;

/* pdk_result.status */
enum {
    PDK_SUCCESS = 0,
    PDK_FAILURE = 1, /* tried again if the spec's policy says so */
    PDK_FATAL = 2,   /* never tried again: it cannot work */
    PDK_RETRY = 3,   /* please again, not before retry_after_ns; within the spec's limits, without its back-off */
    PDK_CANCELED = 4 /* ended because cancel or kill asked; without their asking it ends the run as canceled */
};

/* pdk_result.category: what went wrong, for machines. Unknown numbers read as PDK_CAT_OTHER. */
enum {
    PDK_CAT_NONE = 0,
    PDK_CAT_OTHER = 1,
    PDK_CAT_INPUT = 2,    /* the spec or its data is wrong */
    PDK_CAT_MISSING = 3,  /* no such program, file, handler, image */
    PDK_CAT_DENIED = 4,   /* not allowed */
    PDK_CAT_BUSY = 5,     /* no room there now */
    PDK_CAT_NETWORK = 6,  /* not reached, or lost on the way */
    PDK_CAT_PEER = 7,     /* reached, and it said no or talked nonsense */
    PDK_CAT_EXIT = 8,     /* a process ended with exit_code */
    PDK_CAT_SIGNAL = 9,   /* a process was ended by signal */
    PDK_CAT_MEMORY = 10,  /* out of memory, ours or its limit */
    PDK_CAT_TIMEOUT = 11, /* a limit other than the spec's timeout: a peer's, a query's */
    PDK_CAT_INTERNAL = 12 /* our own bug */
};

typedef struct pdk_usage {
    uint32_t struct_size, reserved;
    uint64_t user_ns, system_ns;
    uint64_t max_rss; /* bytes */
    uint64_t read_bytes, written_bytes;
} pdk_usage;

/* How one attempt ended. The plugin's, on its stack: done copies what it wants and holds output. */
typedef struct pdk_result {
    uint32_t struct_size;
    int32_t status;    /* PDK_SUCCESS ... */
    int32_t category;  /* PDK_CAT_... */
    int32_t exit_code; /* of a process or a peer; else 0 */
    int32_t signal;    /* 0: none */
    uint32_t reserved;
    uint64_t retry_after_ns; /* with PDK_RETRY; 0: at once */
    const char *code;        /* error code of the system spoken to, "HTTP_503"; NULL: none */
    const char *message;     /* one line for a human; NULL: none */
    const pdk_value *output; /* what it produced; NULL: nothing */
    const pdk_usage *usage;  /* NULL: unknown */
} pdk_result;

#define PDK_RESULT(status, category, message) \
    { (uint32_t)sizeof(pdk_result), (status), (category), 0, 0, 0, 0, NULL, (message), NULL, NULL }

/* Why the host cancels. */
enum {
    PDK_CANCEL_USER = 1,    /* somebody asked, or the source took it back */
    PDK_CANCEL_TIMEOUT = 2, /* of the attempt */
    PDK_CANCEL_SHUTDOWN = 3,
    PDK_CANCEL_REPLACED = 4, /* a newer run wants the slot */
    PDK_CANCEL_DEADLINE = 5  /* of the run */
};

/* pdk_outcome.end */
enum {
    PDK_END_SUCCEEDED = 0,
    PDK_END_FAILED = 1, /* and no retry was left */
    PDK_END_FATAL = 2,
    PDK_END_CANCELED = 3,  /* see reason */
    PDK_END_TIMED_OUT = 4, /* the last attempt did, and no retry was left */
    PDK_END_REJECTED = 5,  /* never started; last->code: slot_busy, queue_full, replaced, canceled, deadline,
                              shutting_down, needs_failed */
    PDK_END_LOST = 6       /* it did not stop even when killed; it may still be running */
};

/* The host's own words in last->code, beside those of plugins: deadline (no time was left for another
 * attempt), start_limit (too many starts), plugin_gone (its process died), not_ready. */

/* How a run ended. The host's; lives until the call that brings it returns; hold `output` to keep it. */
typedef struct pdk_outcome {
    uint32_t struct_size;
    int32_t end;       /* PDK_END_... */
    uint32_t attempts; /* started; 0 when rejected */
    int32_t reason;    /* PDK_CANCEL_... when somebody cancelled it, whatever came of that; else 0 */
    pdk_run run;
    const char *run_id;
    const char *runner;    /* name of the instance that ran it; "" when rejected before routing */
    uint64_t submitted_ns; /* these three as Unix time; 0: never */
    uint64_t started_ns;   /* first attempt */
    uint64_t ended_ns;
    const pdk_result *last; /* never NULL; no member NULL except output and usage */
    const char *trace;      /* W3C traceparent of the run, for the answer; "" */
} pdk_outcome;

PDK_END
#endif
