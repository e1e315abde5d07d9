/* SPDX-License-Identifier: Apache-2.0 */
/* paddock run: everything is checked first; then it runs; then it is told how it ended. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/cli/run.h"

/* ---- what comes from below */

static void on_event(void *arg, const struct pdk_item *item, const pdk_event *event) {
    struct pdk_session *session = arg;
    if (session->arguments->json) pdk_run_json(session, item, event);
    if (!session->screen.live || event->kind == PDK_EVENT_LOST || session->arguments->verbose)
        pdk_run_talk_event(session, item, event);
    pdk_screen_changed(&session->screen);
}

static void on_written(void *arg) {
    struct pdk_session *session = arg;
    session->over = true;
    if (!session->stopped) (void)pdk_supervisor_shutdown(session->supervisor);
    pdk_session_leave(session);
}

static void on_finished(void *arg) {
    pdk_run_metrics_end(arg, on_written, arg);
}

/* ---- the end, when somebody asks for it */

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

static void ask_end(struct pdk_session *session, int signal) {
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
    default: pdk_session_leave_at_once(session);
    }
    pdk_screen_changed(&session->screen);
}

/* ---- preparation */

static int read_selector(struct pdk_session *session) {
    struct pdk_arguments *arguments = session->arguments;
    if (arguments->only.count && (arguments->names.count || arguments->selector))
        return pdk_say_usage(arguments->verb, "", "--only names all tasks there are to be: no other word, and no -l");
    return pdk_arguments_selector(arguments, &session->selector);
}

static int select_tasks(struct pdk_session *session) {
    const struct pdk_arguments *arguments = session->arguments;
    const struct pdk_selection selection = {arguments->only.count ? arguments->only.items : arguments->names.items,
                                            arguments->selector ? &session->selector : NULL, arguments->only.count > 0,
                                            NULL};
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

static int work(struct pdk_session *session) {
    const struct pdk_plan_options options = {.supervisor = session->supervisor,
                                             .stop_on = (enum pdk_stop_on)session->arguments->stop_on,
                                             .exit_with = session->arguments->exit_code_from,
                                             .trace = getenv("TRACEPARENT"), /* whoever started us is in one */
                                             .trace_state = getenv("TRACESTATE"),
                                             .event = on_event,
                                             .output = pdk_run_output,
                                             .warn = pdk_run_warn,
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

static int run_all(struct pdk_session *session) {
    const struct pdk_arguments *arguments = session->arguments;
    session->screen.live = wants_live(session);
    session->prefix = arguments->prefix == PDK_AUTO ? session->item_count > 1 : arguments->prefix == PDK_ALWAYS;
    int code = pdk_session_open(session);
    if (code == 0) code = work(session);
    pdk_session_close(session);
    if (code) return code;
    pdk_run_summary(session);
    return pdk_run_exit_code(session);
}

static void warn_of_sources(struct pdk_session *session) {
    const struct pdk_config *config = session->setup.config;
    if (config && config->source_count)
        pdk_run_talk(session, PDK_LOG_WARN, "", "run starts no sources: %s%s is left out", config->sources[0].name,
                     config->source_count > 1 ? ", like every other," : "");
}

static int prepare(struct pdk_session *session) {
    struct pdk_arguments *arguments = session->arguments;
    int code = read_selector(session);
    if (code) return code;
    code = arguments->command ? pdk_setup_command(&session->setup, arguments)
                              : pdk_setup_read(&session->setup, arguments, true);
    if (code == 0) code = pdk_setup_faults(&session->setup);
    if (code == 0) warn_of_sources(session);
    if (code == 0 && pdk_run_signals_block(session) < 0) code = PDK_EXIT_BUG;
    if (code == 0) code = pdk_session_create(session);
    if (code == 0) code = pdk_session_load(session);
    if (code == 0) code = select_tasks(session);
    if (code == 0) code = try_tasks(session);
    return code;
}

int pdk_verb_run(struct pdk_arguments *arguments) {
    struct pdk_session *session = calloc(1, sizeof *session);
    if (!session) return pdk_say_memory();
    pdk_session_begin(session, arguments);
    session->ask_end = ask_end;
    session->say_states = pdk_run_states;
    int code = prepare(session);
    if (code == 0 && arguments->dry_run) {
        code = dry_run(session);
    } else if (code == 0 && session->item_count == 0) {
        pdk_say("nothing to run: no task starts by itself");
    } else if (code == 0) {
        code = pdk_run_metrics_begin(session);
        if (code == 0) code = run_all(session);
    }
    pdk_session_free(session);
    return code;
}
