/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A supervisor at work in the program: verb_run.c and verb_rrq.c lead it, session.c has what they share; the run_*.c
 * each have one subject: what tasks print, what is said of them, the live view, JSON, signals, metrics, the end.
 */
#ifndef CORE_CLI_RUN_H
#define CORE_CLI_RUN_H

#include "core/cli/load.h"
#include "core/cli/screen.h"
#include "core/loop/loop.h"
#include "core/plan/plan.h"

struct pdk_run_metrics;
struct pdk_run_notes;

struct pdk_session {
    struct pdk_arguments *arguments;
    struct pdk_setup setup;
    struct pdk_selector selector;
    struct pdk_ev *ev;
    pdk_supervisor *supervisor;
    const pdk_loop *loop;
    struct pdk_plan *plan; /* of run */
    struct pdk_sink *sink;
    struct pdk_screen screen;
    size_t item_count, name_width;
    bool single; /* run -- COMMAND: as if the command had been run by itself */
    bool prefix, json_log;
    bool serves;                 /* as a daemon: it remembers ended runs, and what it says has a time and a level */
    bool journal;                /* what it says goes to the journal */
    int32_t level, log_level;    /* the lowest that is said, PDK_LOG_...: by us, and by the supervisor and plugins */
    uint64_t seq;                /* of the JSON events */
    struct pdk_run_lines *lines; /* of each item and stream */
    struct pdk_run_metrics *metrics;
    struct pdk_run_notes *notes; /* of the log, on their way to the main thread */

    int signal_fd;
    pdk_watch signal_watch;
    int signal;     /* the first that asked for the end; 0: none has */
    uint32_t asked; /* how often somebody did */
    bool output_failed;
    bool over;    /* there is nothing more to be done, and the metrics are written */
    bool stopped; /* and the supervisor */

    /* of the verb */
    void (*on_stopped)(struct pdk_session *session);          /* the supervisor has */
    void (*ask_end)(struct pdk_session *session, int signal); /* somebody wants the end: again and again, perhaps */
    void (*say_states)(struct pdk_session *session);          /* on QUIT */
    void (*reload)(struct pdk_session *session);              /* on HUP; NULL: that is the same as TERM */
    void (*turn_over)(struct pdk_session *session);           /* on USR1; NULL: not heard */
    uint64_t drain;                                           /* when the file does not say */
    void *own;                                                /* the verb's */
    const pdk_value *made;                                    /* what the command line made of a config; dropped */
};

/* session.c. Those that give an int: 0, or an exit code after the error was told. In this order: */
void pdk_session_begin(struct pdk_session *session, struct pdk_arguments *arguments);
int pdk_session_create(struct pdk_session *session); /* the supervisor, by the limits of the file */
int pdk_session_load(struct pdk_session *session);   /* the plugins */
int pdk_session_open(struct pdk_session *session);   /* the screen, whose live and prefix are set; and the signals */
void pdk_session_leave(struct pdk_session *session); /* break the loop off if all is over */
void pdk_session_close(struct pdk_session *session); /* what open did; then output can only be printed */
void pdk_session_free(struct pdk_session *session);

/* Kill what is below us, say so, and be gone. */
void pdk_session_leave_at_once(const struct pdk_session *session);

/* run_lines.c: a line that a task printed. */
void pdk_run_line(struct pdk_session *session, const char *name, const pdk_event *event);
/* What the options of a plan call output and warn; arg: the session. */
void pdk_run_output(void *arg, const struct pdk_item *item, const pdk_event *event);
void pdk_run_warn(void *arg, const char *text);

/* run_visible.c: for a terminal: control characters as ^X, but for colours, tabs and newlines. */
void pdk_run_visible(struct pdk_buffer *to, const char *data, size_t size, bool keep_return);

/* run_talk.c */
void pdk_run_talk(struct pdk_session *session, int32_t level, const char *part, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* What a line is of. Texts NULL or "": not known. */
struct pdk_said_of {
    int32_t level;
    bool asked;       /* somebody wants to know: whatever level is said otherwise */
    const char *part; /* of the core, or a plugin */
    const char *task, *run_id, *runner, *file;
    const char *trace_id, *span_id; /* trace_id NULL: that of the run, if it is an item's */
    uint32_t attempt, line;
};
void pdk_run_talk_of(struct pdk_session *session, const struct pdk_said_of *of, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void pdk_run_talk_event(struct pdk_session *session, const struct pdk_item *item, const pdk_event *event);
void pdk_run_states(struct pdk_session *session);                                                   /* of all items */
void pdk_run_log(void *arg, int32_t level, const char *part, const char *run_id, const char *text); /* [any] */
int32_t pdk_run_notes_create(struct pdk_session *session); /* before the first line of the log */
void pdk_run_notes_say(struct pdk_session *session);       /* what still waits */
void pdk_run_notes_free(struct pdk_session *session);
const char *pdk_end_name(int32_t end);
const char *pdk_result_name(int32_t status);

/* "exit 1", "not ready within 2s", "migrate did not succeed": why an item ended as it did. Returns buf. */
const char *pdk_run_why(const struct pdk_item *item, char *buf, size_t size);

/* run_live.c: a pdk_screen's draw. */
void pdk_run_draw(void *arg, struct pdk_screen *screen);

/* run_json.c: one line on stdout for each event. */
void pdk_run_json(struct pdk_session *session, const struct pdk_item *item, const pdk_event *event);

/* run_signals.c */
int32_t pdk_run_signals_block(struct pdk_session *session); /* before any thread starts */
int32_t pdk_run_signals_watch(struct pdk_session *session);
void pdk_run_signals_look(void *arg); /* now, rather than when the loop comes to it */
void pdk_run_signals_free(struct pdk_session *session);

/* run_metrics.c: --metrics-file. end: once more, then `then` is called; at once when there is no such file. */
int pdk_run_metrics_begin(struct pdk_session *session); /* 0, or an exit code after it was told */
void pdk_run_metrics_end(struct pdk_session *session, void (*then)(void *arg), void *arg);
void pdk_run_metrics_free(struct pdk_session *session);

/* run_end.c */
void pdk_run_summary(struct pdk_session *session);
int pdk_run_exit_code(const struct pdk_session *session);

#endif
