/* SPDX-License-Identifier: Apache-2.0 */
/* paddock serve: the daemon. All is checked before anything starts; then it goes on until it is asked to end. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/text.h"
#include "core/cli/serve.h"

/* What an end takes beside the time that its steps have. */
#define MARGIN (10 * PDK_SECOND)

/* How often it is looked for strangers that have died. */
#define REAP (5 * PDK_SECOND)

/* How long a plugin may take to say how it is before we are called ready without it. */
#define PATIENCE (10 * PDK_SECOND)

static struct pdk_serve *of(const struct pdk_session *session) {
    return session->own;
}

/* ---- what comes from below */

static void talk_run(struct pdk_session *session, const pdk_event *event) {
    struct pdk_said_of said = {.level = PDK_LOG_DEBUG,
                               .task = event->name,
                               .run_id = event->run_id,
                               .runner = event->runner,
                               .attempt = event->attempt,
                               .trace_id = event->trace_id,
                               .span_id = event->span_id};
    bool bad = event->kind == PDK_EVENT_REJECTED || event->status != PDK_END_SUCCEEDED;
    switch (event->kind) {
    case PDK_EVENT_STARTED: pdk_run_talk_of(session, &said, "attempt %u started", event->attempt); break;
    case PDK_EVENT_WAITING: pdk_run_talk_of(session, &said, "%s", event->text); break;
    case PDK_EVENT_STUCK:
        said.level = PDK_LOG_ERROR;
        pdk_run_talk_of(session, &said, "%s", event->text);
        break;
    case PDK_EVENT_OUTCOME:
    case PDK_EVENT_REJECTED:
        if (bad && event->status != PDK_END_CANCELED) said.level = PDK_LOG_WARN;
        pdk_run_talk_of(session, &said, "%s%s%s", pdk_end_name(event->status), *event->text ? ": " : "", event->text);
        break;
    default: break;
    }
}

static void talk_server(struct pdk_session *session, const pdk_event *event) {
    static const char *const healths[] = {"up", "degraded", "down"};
    bool text = event->text && *event->text;
    switch (event->kind) {
    case PDK_EVENT_HEALTH:
        pdk_run_talk(session, event->status == PDK_UP ? text ? PDK_LOG_INFO : PDK_LOG_DEBUG : PDK_LOG_WARN,
                     event->run_id, "%s%s%s", healths[event->status], text ? ": " : "", text ? event->text : "");
        break;
    case PDK_EVENT_UP:
    case PDK_EVENT_RELOADED:        /* we have said it ourselves */
    case PDK_EVENT_SHUTDOWN: break; /* the supervisor says it by itself */
    case PDK_EVENT_PAUSED: pdk_run_talk(session, PDK_LOG_INFO, "", "%s", event->text); break;
    default: pdk_run_talk_event(session, NULL, event); break;
    }
}

/* Who hears that we are ready may ask at once, so the sources are there by then. */
static void become_ready(struct pdk_serve *serve) {
    struct pdk_session *session = serve->session;
    const struct pdk_config *config = serve->setup->config;
    char text[400];
    serve->ready = true;
    if (serve->patience) session->loop->stop(session->loop, serve->patience);
    serve->patience = 0;
    (void)snprintf(text, sizeof text, "serving %u task%s and %u source%s of %s", config->task_count,
                   config->task_count == 1 ? "" : "s", config->source_count, config->source_count == 1 ? "" : "s",
                   session->arguments->files.count ? session->arguments->files.items[0] : "standard input");
    pdk_run_talk(session, PDK_LOG_INFO, "", "%s", text);
    pdk_supervisor_announce(session->supervisor, PDK_EVENT_UP, text);
    pdk_notify_say(serve->notify, "READY=1\nMAINPID=%ld\nSTATUS=%u tasks declared", (long)getpid(), config->task_count);
    pdk_serve_tell_ready(serve);
}

static void look_whether_ready(struct pdk_serve *serve) {
    const struct pdk_session *session = serve->session;
    if (!serve->ready && !session->asked && !pdk_supervisor_awaited(session->supervisor)) become_ready(serve);
}

static void patience_over(void *arg) {
    struct pdk_serve *serve = arg;
    const char *name = pdk_supervisor_awaited(serve->session->supervisor);
    serve->patience = 0; /* it has fired, once */
    if (serve->ready || serve->session->asked) return;
    if (name) pdk_run_talk(serve->session, PDK_LOG_WARN, name, "it has not said how it is; ready without it");
    become_ready(serve);
}

static void on_event(void *arg, const struct pdk_item *item, const pdk_event *event) {
    struct pdk_session *session = arg;
    if (session->arguments->json) pdk_run_json(session, item, event);
    if (item)
        pdk_run_talk_event(session, item, event);
    else if (event->run)
        talk_run(session, event);
    else
        talk_server(session, event);
    if (event->kind == PDK_EVENT_HEALTH) look_whether_ready(of(session));
}

static void on_written(void *arg) {
    struct pdk_session *session = arg;
    session->over = true;
    pdk_session_leave(session);
}

static void on_finished(void *arg) {
    pdk_run_metrics_end(arg, on_written, arg);
}

/* ---- signals */

static void begin_to_end(struct pdk_session *session) {
    const struct pdk_limits *limits = &session->setup.config->limits;
    pdk_notify_stopping(of(session)->notify, limits->drain + limits->grace + limits->flush + MARGIN);
    pdk_plan_stop(session->plan);
}

static void ask_end(struct pdk_session *session, int signal) {
    static const char *const words[] = {"finishing what runs; again to stop it", "stopping what runs; again to kill it",
                                        "killing what still runs"};
    uint32_t first = session->setup.config->limits.drain ? 0 : 1, step = first + session->asked++;
    if (!session->signal) session->signal = signal;
    if (step >= sizeof words / sizeof *words) pdk_session_leave_at_once(session);
    pdk_run_talk(session, PDK_LOG_WARN, "", "%s", words[step]);
    if (session->asked == 1)
        begin_to_end(session);
    else
        (void)pdk_supervisor_shutdown(session->supervisor);
}

static void reload(struct pdk_session *session) {
    (void)pdk_serve_reload(of(session), NULL, NULL);
}

static void turn_over(struct pdk_session *session) {
    pdk_plan_reopen_logs(session->plan);
    pdk_run_talk(session, PDK_LOG_INFO, "", "log files are opened anew");
}

/* Strangers are left to us as to any process 1. No SIGCHLD is sure to tell of them: the threads that start children let it
 * pass, since it would tell of every child of ours, too. */
static void reap(void *arg) {
    struct pdk_serve *serve = arg;
    pdk_supervisor_reap(serve->session->supervisor);
}

/* ---- preparation */

/* Is standard error the journal's own stream? */
static bool is_journal(void) {
    const char *stream = getenv("JOURNAL_STREAM");
    char own[64];
    struct stat st;
    if (!stream || fstat(STDERR_FILENO, &st) < 0) return false;
    (void)snprintf(own, sizeof own, "%llu:%llu", (unsigned long long)st.st_dev, (unsigned long long)st.st_ino);
    return strcmp(stream, own) == 0;
}

static void set_talk(struct pdk_session *session) {
    static const int32_t levels[] = {PDK_LOG_ERROR, PDK_LOG_WARN, PDK_LOG_INFO, PDK_LOG_DEBUG, PDK_LOG_DEBUG};
    const struct pdk_arguments *arguments = session->arguments;
    const struct pdk_server *server = &session->setup.config->server;
    const char *variable = getenv("PADDOCK_LOG");
    enum pdk_log_format format = arguments->log_format;
    if (format == PDK_LOG_FORMAT_AUTO) format = (enum pdk_log_format)server->log_format;
    session->journal = is_journal();
    if (format == PDK_LOG_FORMAT_AUTO)
        format = session->journal || session->screen.err.tty ? PDK_LOG_FORMAT_TEXT : PDK_LOG_FORMAT_JSON;
    session->json_log = format == PDK_LOG_FORMAT_JSON;
    if (!arguments->quiet && !arguments->verbose && !(variable && *variable)) session->level = levels[server->log];
    session->log_level = session->level;
}

/* So that reading them again is the same as reading them now. */
static int settle_files(struct pdk_session *session) {
    struct pdk_arguments *arguments = session->arguments;
    const struct pdk_config *config = session->setup.config;
    if (arguments->files.count || !config->opened_count) return 0;
    const char *file = config->files[0].name;
    file = pdk_arena_text(&arguments->arena, file, strlen(file));
    return file && pdk_words_add(&arguments->files, &arguments->arena, file) == 0 ? 0 : pdk_say_memory();
}

static int read_files(struct pdk_session *session) {
    int code = pdk_setup_read(&session->setup, session->arguments, true);
    if (code == 0 && session->setup.config && pdk_serve_check_trust(&session->setup) < 0) code = pdk_say_memory();
    if (code == 0) code = pdk_setup_faults(&session->setup);
    session->setup.sources = "";
    session->setup.serves = true;
    return code ? code : settle_files(session);
}

/* Every task is routed and built once, manual ones too, so that nothing has been started when a fault is found. */
static int try_all(struct pdk_setup *setup, pdk_router *router) {
    setup->report.count = 0; /* warnings so far have been shown */
    setup->report.warnings = 0;
    for (uint32_t i = 0; i < setup->config->task_count; i++) pdk_setup_try(setup, router, setup->config->tasks[i]);
    pdk_setup_try_sources(setup, router);
    return pdk_setup_faults(setup);
}

static int select_tasks(struct pdk_serve *serve) {
    struct pdk_session *session = serve->session;
    pdk_error err = PDK_ERROR;
    int32_t rc = pdk_serve_select(serve, serve->setup, &session->plan, &err);
    if (rc == 0) return 0;
    pdk_say("%s", err.message[0] ? err.message : strerror(-rc));
    return rc == -E2BIG ? PDK_EXIT_FILE : PDK_EXIT_BUG;
}

static int open_outside(struct pdk_serve *serve) {
    int code = pdk_serve_take_sockets(serve);
    if (code == 0 && pdk_notify_create(serve->session, &serve->notify) < 0) code = pdk_say_memory();
    if (code == 0) code = pdk_serve_open_state(serve);
    return code ? code : pdk_serve_choose_socket(serve);
}

static int prepare(struct pdk_serve *serve) {
    struct pdk_session *session = serve->session;
    set_talk(session);
    int code = pdk_run_signals_block(session) < 0 ? PDK_EXIT_BUG : 0;
    if (code == 0) code = pdk_session_create(session);
    if (code) return code;
    pdk_supervisor_program(session->supervisor, &pdk_serve_ops, serve);
    code = open_outside(serve);
    if (code == 0) code = pdk_session_load(session);
    if (code == 0) code = try_all(serve->setup, pdk_supervisor_router(session->supervisor));
    if (code == 0) code = select_tasks(serve);
    if (code == 0) code = pdk_run_metrics_begin(session);
    if (code == 0) code = pdk_serve_check_ready(serve);
    return code ? code : pdk_serve_write_pid(serve);
}

/* ---- work */

static int begin(struct pdk_serve *serve) {
    struct pdk_session *session = serve->session;
    const struct pdk_plan_options options = {.supervisor = session->supervisor,
                                             .stop_on = PDK_STOP_ON_NEVER,
                                             .stays = true,
                                             .event = on_event,
                                             .output = pdk_run_output,
                                             .warn = pdk_run_warn,
                                             .finished = on_finished,
                                             .arg = session};
    pdk_error err = PDK_ERROR;
    int32_t rc = pdk_supervisor_start(session->supervisor, &err);
    if (rc == 0) rc = pdk_plan_start(session->plan, &options, &err);
    if (rc == 0) rc = session->loop->timer(session->loop, REAP, REAP, reap, serve, &serve->reaper);
    if (rc == 0) rc = session->loop->timer(session->loop, PATIENCE, 0, patience_over, serve, &serve->patience);
    if (rc == 0) look_whether_ready(serve);
    if (rc == 0) return 0;
    pdk_say("cannot start: %s", err.message[0] ? err.message : strerror(-rc));
    return rc == -EINVAL ? PDK_EXIT_FILE : PDK_EXIT_BUG;
}

static int work(struct pdk_serve *serve) {
    serve->started_at = pdk_clock_unix();
    int code = begin(serve);
    if (code) return code;
    pdk_ev_run(serve->session->ev);
    return 0;
}

/* What was asked for once is no failure. */
static int exit_code(const struct pdk_session *session) {
    uint32_t stuck = 0;
    (void)pdk_supervisor_stopped(session->supervisor, &stuck);
    if (stuck) return PDK_EXIT_FAILED;
    return session->asked <= 1 ? 0 : PDK_EXIT_SIGNAL + (session->signal ? session->signal : SIGTERM);
}

static int serve_all(struct pdk_serve *serve) {
    struct pdk_session *session = serve->session;
    session->prefix = session->arguments->prefix != PDK_NEVER;
    int code = pdk_session_open(session);
    if (code == 0) code = work(serve);
    pdk_session_close(session);
    return code ? code : exit_code(session);
}

static int check_only(struct pdk_session *session) {
    struct pdk_setup *setup = &session->setup;
    pdk_router *router = pdk_setup_router(setup);
    if (!router) return PDK_EXIT_BUG;
    int code = pdk_setup_faults(setup);
    if (code == 0) code = try_all(setup, router);
    pdk_router_destroy(router);
    if (code == 0 && !session->arguments->quiet)
        (void)fprintf(stderr, "it would start: %u task%s\n", setup->config->task_count,
                      setup->config->task_count == 1 ? "" : "s");
    return code;
}

static void end(struct pdk_serve *serve) {
    struct pdk_setup *setup = serve->setup;
    bool reloaded = setup != &serve->session->setup;
    const pdk_loop *loop = serve->session->loop;
    if (serve->reaper) loop->stop(loop, serve->reaper);
    if (serve->patience) loop->stop(loop, serve->patience);
    pdk_notify_free(serve->notify);
    pdk_serve_close_state(serve);
    pdk_session_free(serve->session);
    pdk_serve_close_sockets(serve);
    if (reloaded) pdk_setup_free(setup);
    if (reloaded) free(setup);
    pdk_serve_forget_asked(serve);
    pdk_arena_free(&serve->arena);
}

int pdk_verb_serve(struct pdk_arguments *arguments) {
    struct pdk_session *session = calloc(1, sizeof *session);
    struct pdk_serve serve = {.session = session, .state_lock = -1, .numbers = -1};
    if (!session) return pdk_say_memory();
    pdk_session_begin(session, arguments);
    serve.setup = &session->setup;
    session->own = &serve;
    session->serves = true;
    session->ask_end = ask_end;
    session->say_states = pdk_run_states;
    session->reload = reload;
    session->turn_over = turn_over;
    int code = read_files(session);
    if (code == 0 && arguments->check_only)
        code = check_only(session);
    else if (code == 0 && (code = prepare(&serve)) == 0)
        code = serve_all(&serve);
    end(&serve);
    return code;
}
