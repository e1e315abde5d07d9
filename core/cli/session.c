/* SPDX-License-Identifier: Apache-2.0 */
/* What every verb that runs a supervisor does around it: the loop, the limits, the plugins, the screen, the end. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/cli/run.h"
#include "core/leave/leave.h"

/* What one attempt can still print when it ends fits twice, however short its lines are. */
#define EVENTS (1u << 19)

/* How long who leaves at once waits for the last child to be gone: one that hangs in the kernel is left to it. */
#define LEAVE_MS 500

void pdk_session_begin(struct pdk_session *session, struct pdk_arguments *arguments) {
    static const char *const names[] = {"debug", "info", "warn", "error"};
    const char *wanted = getenv("PADDOCK_LOG");
    session->arguments = arguments;
    session->signal_fd = -1;
    session->screen.out = pdk_console_of(STDOUT_FILENO, arguments->color);
    session->screen.err = pdk_console_of(STDERR_FILENO, arguments->color);
    session->level = arguments->command ? PDK_LOG_WARN : PDK_LOG_INFO;
    session->log_level = PDK_LOG_WARN;
    for (int32_t level = 0; wanted && level < 4; level++)
        if (strcmp(wanted, names[level]) == 0) session->level = session->log_level = level;
    if (arguments->verbose) {
        session->level = PDK_LOG_DEBUG;
        session->log_level = arguments->verbose > 1 ? PDK_LOG_DEBUG : PDK_LOG_INFO;
    }
    if (arguments->quiet) session->level = session->log_level = PDK_LOG_ERROR;
    session->json_log = arguments->log_format == PDK_LOG_FORMAT_JSON;
    session->single = arguments->command != NULL;
}

void pdk_session_leave(struct pdk_session *session) {
    if (session->over && session->stopped) pdk_ev_break(session->ev);
}

static void on_stopped(void *arg) {
    struct pdk_session *session = arg;
    session->stopped = true;
    if (session->on_stopped) session->on_stopped(session);
    pdk_session_leave(session);
}

static int create_loop(struct pdk_session *session) {
    int32_t rc = pdk_run_notes_create(session);
    if (rc == 0) rc = pdk_ev_create(&session->ev);
    if (rc == 0) {
        session->loop = pdk_ev_loop(session->ev);
        return 0;
    }
    pdk_say("cannot start: %s", strerror(-rc));
    return PDK_EXIT_BUG;
}

int pdk_session_create(struct pdk_session *session) {
    struct pdk_limits limits;
    const struct pdk_config *config = session->setup.config;
    pdk_error err = PDK_ERROR;
    pdk_limits_default(&limits);
    if (config) limits = config->limits;
    int code = create_loop(session);
    if (code != 0) return code;
    const pdk_supervisor_options options = {.struct_size = sizeof options,
                                            .loop = session->loop,
                                            .stopped = on_stopped,
                                            .flags = PDK_SUPERVISOR_OWNS_PROCESS,
                                            .log = pdk_run_log,
                                            .arg = session,
                                            .running = limits.running,
                                            .accepted = limits.queued,
                                            .slot_queue = limits.slot_queue ? limits.slot_queue : UINT32_MAX,
                                            .history = session->serves && limits.history ? limits.history : UINT32_MAX,
                                            .history_age = limits.history_age,
                                            .events = limits.events > EVENTS ? limits.events : EVENTS,
                                            .line = (uint32_t)limits.line,
                                            .drain = config && config->has_drain ? limits.drain : session->drain,
                                            .grace = limits.grace ? limits.grace : UINT64_MAX,
                                            .flush = limits.flush ? limits.flush : UINT64_MAX};
    int32_t rc = pdk_supervisor_create(&options, &session->supervisor, &err);
    if (rc == 0) return 0;
    pdk_say("cannot start: %s", err.message[0] ? err.message : strerror(-rc));
    return PDK_EXIT_BUG;
}

int pdk_session_load(struct pdk_session *session) {
    int32_t rc = pdk_setup_list(&session->setup);
    if (rc == 0) rc = pdk_setup_enter(&session->setup, NULL, session->supervisor);
    if (rc == 0) return pdk_setup_faults(&session->setup);
    pdk_say("cannot load the plugins: %s", strerror(-rc));
    return PDK_EXIT_BUG;
}

void pdk_session_leave_at_once(const struct pdk_session *session) {
    static const char text[] = "\npaddock: left at once; what still ran is killed\n";
    (void)pdk_leave_no_child(LEAVE_MS);
    if (write(STDERR_FILENO, text, sizeof text - 1) < 0) _exit(PDK_EXIT_SIGNAL + session->signal);
    _exit(PDK_EXIT_SIGNAL + session->signal);
}

/* A reader who has gone is a wish to end; any other error is told, once. */
static void on_write_failed(void *arg, int fd, int error) {
    struct pdk_session *session = arg;
    session->output_failed = true;
    if (fd == STDOUT_FILENO && error == EPIPE) {
        session->ask_end(session, SIGTERM);
    } else if (fd == STDOUT_FILENO) {
        pdk_run_talk(session, PDK_LOG_ERROR, "", "cannot write to standard output: %s; what tasks print there is lost",
                     strerror(error));
    }
}

int pdk_session_open(struct pdk_session *session) {
    struct pdk_screen *screen = &session->screen;
    screen->loop = session->loop;
    screen->draw = pdk_run_draw;
    screen->before = pdk_run_signals_look;
    screen->arg = session;
    int32_t rc = pdk_sink_create(session->loop, on_write_failed, session, &screen->sink);
    session->sink = screen->sink;
    if (rc == 0) rc = pdk_screen_begin(screen);
    if (rc == 0) rc = pdk_run_signals_watch(session);
    if (rc == 0) return 0;
    pdk_say("cannot start: %s", strerror(-rc));
    return PDK_EXIT_BUG;
}

/* From here on signals have their usual effect again: a reader who does not read must not hold us. */
static void restore_signals(struct pdk_session *session) {
    sigset_t none;
    pdk_run_signals_free(session);
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

void pdk_session_close(struct pdk_session *session) {
    pdk_run_notes_say(session);
    if (!session->sink) return;
    pdk_screen_end(&session->screen);
    restore_signals(session);
    pdk_sink_end(session->sink);
    pdk_ev_once(session->ev);
    pdk_sink_free(session->sink);
    session->sink = NULL;
}

static void close_supervisor(struct pdk_session *session) {
    uint32_t stuck = 0;
    if (session->supervisor) (void)pdk_supervisor_stopped(session->supervisor, &stuck);
    pdk_supervisor_destroy(session->supervisor);
    if (stuck || !session->ev) return; /* it may still be posted to */
    pdk_ev_once(session->ev);
    pdk_ev_free(session->ev);
}

void pdk_session_free(struct pdk_session *session) {
    pdk_run_notes_say(session);
    pdk_run_signals_free(session);
    close_supervisor(session);
    pdk_plan_free(session->plan);
    pdk_run_metrics_free(session);
    pdk_run_notes_free(session);
    pdk_setup_free(&session->setup);
    pdk_values_get()->drop(session->made);
    free(session);
}
