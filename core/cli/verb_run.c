/* SPDX-License-Identifier: Apache-2.0 */
/* paddock run: everything is checked first; then it runs; then it is told how it ended. */
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

/* ---- what comes from below */

static void on_event(void *arg, const struct pdk_item *item, const pdk_event *event) {
    struct pdk_session *session = arg;
    if (session->arguments->json) pdk_run_json(session, item, event);
    if (!session->screen.live || event->kind == PDK_EVENT_LOST || session->arguments->verbose)
        pdk_run_talk_event(session, item, event);
    pdk_screen_changed(&session->screen);
}

static void on_output(void *arg, const struct pdk_item *item, const pdk_event *event) {
    struct pdk_session *session = arg;
    if (session->arguments->json)
        pdk_run_json(session, item, event);
    else
        pdk_run_line(session, item, event);
}

static void on_warning(void *arg, const char *text) {
    pdk_run_talk(arg, PDK_LOG_WARN, "", "%s", text);
}

static void leave_when_done(struct pdk_session *session) {
    if (session->over && session->stopped) pdk_ev_break(session->ev);
}

static void on_stopped(void *arg) {
    struct pdk_session *session = arg;
    session->stopped = true;
    leave_when_done(session);
}

static void on_written(void *arg) {
    struct pdk_session *session = arg;
    session->over = true;
    if (!session->stopped) (void)pdk_supervisor_shutdown(session->supervisor);
    leave_when_done(session);
}

static void on_finished(void *arg) {
    pdk_run_metrics_end(arg, on_written, arg);
}

/* ---- the end, when somebody asks for it */

static void leave_at_once(const struct pdk_session *session) {
    static const char text[] = "\npaddock: left at once; what still ran is killed\n";
    (void)pdk_leave_no_child(LEAVE_MS);
    if (write(STDERR_FILENO, text, sizeof text - 1) < 0) _exit(PDK_EXIT_SIGNAL + session->signal);
    _exit(PDK_EXIT_SIGNAL + session->signal);
}

/* "stopping 3 tasks: a, b, c" */
static void tell_stopping(struct pdk_session *session) {
    struct pdk_buffer names = PDK_BUFFER(200);
    const struct pdk_item *item;
    size_t count = 0;
    for (size_t i = 0; (item = pdk_plan_item(session->plan, i)); i++) {
        if (item->state == PDK_ITEM_ENDED || item->state == PDK_ITEM_WAITING) continue;
        if (count++ < 5) pdk_buffer_format(&names, "%s%s", names.size ? ", " : ": ", item->name);
    }
    pdk_run_talk(session, PDK_LOG_WARN, "", "stopping %zu task%s%s%s; again to kill", count, count == 1 ? "" : "s",
                 pdk_buffer_string(&names), count > 5 ? ", .." : "");
    pdk_buffer_free(&names);
}

void pdk_run_ask_end(struct pdk_session *session, int signal) {
    if (!session->signal) session->signal = signal;
    switch (session->asked++) {
    case 0:
        if (!session->single && !session->over) tell_stopping(session);
        if (!session->over) pdk_plan_stop(session->plan);
        break;
    case 1:
        pdk_run_talk(session, PDK_LOG_WARN, "", "killing what still runs");
        (void)pdk_supervisor_shutdown(session->supervisor);
        break;
    default: leave_at_once(session);
    }
    pdk_screen_changed(&session->screen);
}

/* A reader who has gone is a wish to end; any other error is told, once. */
static void on_write_failed(void *arg, int fd, int error) {
    struct pdk_session *session = arg;
    session->output_failed = true;
    if (fd == STDOUT_FILENO && error == EPIPE) {
        pdk_run_ask_end(session, SIGTERM);
    } else if (fd == STDOUT_FILENO) {
        pdk_run_talk(session, PDK_LOG_ERROR, "", "cannot write to standard output: %s; what tasks print there is lost",
                     strerror(error));
    }
}

/* ---- preparation */

static int read_selector(struct pdk_session *session) {
    struct pdk_arguments *arguments = session->arguments;
    pdk_error err = PDK_ERROR;
    if (arguments->only.count && (arguments->names.count || arguments->selector))
        return pdk_say_usage(arguments->verb, "", "--only names all tasks there are to be: no other word, and no -l");
    if (!arguments->selector) return 0;
    if (pdk_selector_parse(arguments->selector, &arguments->arena, &session->selector, &err) == 0) return 0;
    return pdk_say_usage(arguments->verb, err.hint, "-l %s: %s", arguments->selector, err.message);
}

static void set_talk(struct pdk_session *session) {
    const struct pdk_arguments *arguments = session->arguments;
    static const char *const names[] = {"debug", "info", "warn", "error"};
    const char *wanted = getenv("PADDOCK_LOG");
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

static int create_supervisor(struct pdk_session *session) {
    struct pdk_limits limits;
    pdk_error err = PDK_ERROR;
    pdk_limits_default(&limits);
    if (session->setup.config) limits = session->setup.config->limits;
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
                                            .history = UINT32_MAX,
                                            .events = limits.events > EVENTS ? limits.events : EVENTS,
                                            .line = (uint32_t)limits.line,
                                            .drain = limits.drain,
                                            .grace = limits.grace ? limits.grace : UINT64_MAX,
                                            .flush = limits.flush ? limits.flush : UINT64_MAX};
    int32_t rc = pdk_supervisor_create(&options, &session->supervisor, &err);
    if (rc == 0) return 0;
    pdk_say("cannot start: %s", err.message[0] ? err.message : strerror(-rc));
    return PDK_EXIT_BUG;
}

static int load_plugins(struct pdk_session *session) {
    const struct pdk_config *config = session->setup.config;
    if (config && config->source_count)
        pdk_run_talk(session, PDK_LOG_WARN, "", "run starts no sources: %s%s is left out", config->sources[0].name,
                     config->source_count > 1 ? " and every other" : "");
    int32_t rc = pdk_setup_list(&session->setup);
    if (rc == 0) rc = pdk_setup_enter(&session->setup, NULL, session->supervisor);
    if (rc == 0) return pdk_setup_faults(&session->setup);
    pdk_say("cannot load the plugins: %s", strerror(-rc));
    return PDK_EXIT_BUG;
}

static int select_tasks(struct pdk_session *session) {
    const struct pdk_arguments *arguments = session->arguments;
    const struct pdk_selection selection = {arguments->only.count ? arguments->only.items : arguments->names.items,
                                            arguments->selector ? &session->selector : NULL, arguments->only.count > 0};
    pdk_error err = PDK_ERROR;
    int32_t rc = pdk_plan_select(session->setup.config, &selection, &session->plan, &err);
    if (rc == 0 && arguments->exit_code_from && !pdk_config_task(session->setup.config, arguments->exit_code_from)) {
        rc = -ENOENT;
        (void)snprintf(err.message, sizeof err.message, "--exit-code-from: there is no task \"%s\"",
                       arguments->exit_code_from);
    }
    if (rc < 0) {
        pdk_say("%s%s%s", err.message[0] ? err.message : strerror(-rc), err.hint[0] ? "; " : "", err.hint);
        return rc == -ENOENT ? PDK_EXIT_NO_SUCH : rc == -E2BIG ? PDK_EXIT_FILE : PDK_EXIT_BUG;
    }
    const struct pdk_item *item;
    for (; (item = pdk_plan_item(session->plan, session->item_count)); session->item_count++)
        if (strlen(item->name) > session->name_width) session->name_width = strlen(item->name);
    return 0;
}

/* Route and build every task, so that nothing has been started when a fault is found. */
static int try_tasks(struct pdk_session *session) {
    pdk_router *router = pdk_supervisor_router(session->supervisor);
    struct pdk_item *item;
    session->setup.report.count = 0; /* warnings so far have been shown */
    session->setup.report.warnings = 0;
    for (size_t i = 0; (item = pdk_plan_item(session->plan, i)); i++)
        pdk_setup_try(&session->setup, router, item->task);
    return pdk_setup_faults(&session->setup);
}

static int dry_run(struct pdk_session *session) {
    struct pdk_console console = pdk_console_of(STDOUT_FILENO, session->arguments->color);
    pdk_router *router = pdk_supervisor_router(session->supervisor);
    struct pdk_item *item;
    struct pdk_grid grid;
    pdk_grid_begin(&grid, 4);
    for (size_t i = 0; i < 4; i++)
        pdk_grid_cell(&grid, "%s", (const char *const[]){"TASK", "KIND", "RUNNER", "STARTS"}[i]);
    for (size_t i = 0; (item = pdk_plan_item(session->plan, i)); i++) {
        const struct pdk_instance *runner = pdk_router_pick(router, item->task, NULL);
        char when[300];
        (void)pdk_item_waits_for(item, when, sizeof when);
        pdk_grid_cell(&grid, "%s", item->name);
        pdk_grid_cell(&grid, "%s", item->task->plugin.kind);
        pdk_grid_cell(&grid, "%s", runner ? runner->name : "-");
        pdk_grid_cell(&grid, "%s", *when ? when : "at once");
    }
    pdk_grid_print(&grid, &console, "", stdout);
    pdk_grid_free(&grid);
    return 0;
}

/* ---- work */

static bool wants_live(const struct pdk_session *session) {
    const struct pdk_arguments *arguments = session->arguments;
    const char *term = getenv("TERM");
    bool able = session->screen.err.tty && term && *term && strcmp(term, "dumb") != 0;
    if (session->single || arguments->quiet || arguments->progress == PDK_PROGRESS_PLAIN || session->json_log)
        return false;
    return able && !(arguments->json && session->screen.out.tty);
}

static int open_screen(struct pdk_session *session) {
    const struct pdk_arguments *arguments = session->arguments;
    struct pdk_screen *screen = &session->screen;
    screen->out = pdk_console_of(STDOUT_FILENO, arguments->color);
    screen->err = pdk_console_of(STDERR_FILENO, arguments->color);
    screen->loop = session->loop;
    screen->draw = pdk_run_draw;
    screen->before = pdk_run_signals_look;
    screen->arg = session;
    screen->live = wants_live(session);
    session->prefix = arguments->prefix == PDK_AUTO ? session->item_count > 1 : arguments->prefix == PDK_ALWAYS;
    int32_t rc = pdk_sink_create(session->loop, on_write_failed, session, &screen->sink);
    session->sink = screen->sink;
    if (rc == 0) rc = pdk_screen_begin(screen);
    if (rc == 0) rc = pdk_run_signals_watch(session);
    if (rc == 0) return 0;
    pdk_say("cannot start: %s", strerror(-rc));
    return PDK_EXIT_BUG;
}

static int work(struct pdk_session *session) {
    const struct pdk_plan_options options = {.supervisor = session->supervisor,
                                             .stop_on = (enum pdk_stop_on)session->arguments->stop_on,
                                             .exit_with = session->arguments->exit_code_from,
                                             .trace = getenv("TRACEPARENT"), /* whoever started us is in one */
                                             .trace_state = getenv("TRACESTATE"),
                                             .event = on_event,
                                             .output = on_output,
                                             .warn = on_warning,
                                             .finished = on_finished,
                                             .arg = session};
    pdk_error err = PDK_ERROR;
    int32_t rc = pdk_supervisor_start(session->supervisor, &err);
    if (rc == 0) rc = pdk_plan_start(session->plan, &options, &err);
    if (rc == 0) {
        pdk_ev_run(session->ev);
        return 0;
    }
    pdk_say("cannot run: %s", err.message[0] ? err.message : strerror(-rc));
    return rc == -EINVAL ? PDK_EXIT_FILE : PDK_EXIT_BUG;
}

/* From here on signals have their usual effect again: a reader who does not read must not hold us. */
static void restore_signals(struct pdk_session *session) {
    sigset_t none;
    pdk_run_signals_free(session);
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static int run_all(struct pdk_session *session) {
    int code = open_screen(session);
    if (code == 0) code = work(session);
    int failed = code;
    pdk_run_notes_say(session);
    if (session->sink) {
        pdk_screen_end(&session->screen);
        restore_signals(session);
        pdk_sink_end(session->sink);
        pdk_ev_once(session->ev);
        pdk_sink_free(session->sink);
        session->sink = NULL;
    }
    if (failed) return failed;
    pdk_run_summary(session);
    return pdk_run_exit_code(session);
}

static int prepare(struct pdk_session *session) {
    struct pdk_arguments *arguments = session->arguments;
    int code = read_selector(session);
    if (code) return code;
    code = arguments->command ? pdk_setup_command(&session->setup, arguments)
                              : pdk_setup_read(&session->setup, arguments, true);
    if (code == 0) code = pdk_setup_faults(&session->setup);
    if (code == 0 && pdk_run_signals_block(session) < 0) code = PDK_EXIT_BUG;
    if (code == 0) code = create_supervisor(session);
    if (code == 0) code = load_plugins(session);
    if (code == 0) code = select_tasks(session);
    if (code == 0) code = try_tasks(session);
    return code;
}

static void close_supervisor(struct pdk_session *session) {
    uint32_t stuck = 0;
    if (session->supervisor) (void)pdk_supervisor_stopped(session->supervisor, &stuck);
    pdk_supervisor_destroy(session->supervisor);
    if (stuck || !session->ev) return; /* it may still be posted to */
    pdk_ev_once(session->ev);
    pdk_ev_free(session->ev);
}

int pdk_verb_run(struct pdk_arguments *arguments) {
    struct pdk_session *session = calloc(1, sizeof *session);
    if (!session) return pdk_say_memory();
    session->arguments = arguments;
    session->signal_fd = -1;
    set_talk(session);
    int code = prepare(session);
    if (code == 0 && arguments->dry_run) {
        code = dry_run(session);
    } else if (code == 0 && session->item_count == 0) {
        pdk_say("nothing to run: no task starts by itself");
    } else if (code == 0) {
        code = pdk_run_metrics_begin(session);
        if (code == 0) code = run_all(session);
    }
    pdk_run_notes_say(session);
    pdk_run_signals_free(session);
    close_supervisor(session);
    pdk_plan_free(session->plan);
    pdk_run_metrics_free(session);
    pdk_run_notes_free(session);
    pdk_setup_free(&session->setup);
    free(session);
    return code;
}
