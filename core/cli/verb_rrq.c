/* SPDX-License-Identifier: Apache-2.0 */
/* paddock rrq: the source rrq by itself, as an RRQ orchestrator starts its runners. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/cli/run.h"

#define PLUGIN "rrq"

/* An orchestrator gives a job as long, unless it is told otherwise. */
#define DRAIN (5 * PDK_MINUTE)

struct rrq {
    struct pdk_session *session; /* freed by itself */
    struct pdk_plugin_entry_config *entry;
    pdk_watch parent;
    int parent_fd; /* -1: none is watched */
    int failed;    /* an exit code */
};

/* ---- the entry of the source */

/* Without an entry of its own it serves all tasks that can be served. */
static int make_entry(struct pdk_setup *setup, struct pdk_plugin_entry_config *ret) {
    static const char *const none[] = {NULL};
    struct pdk_config *config = setup->config;
    const char **tasks = pdk_arena_alloc(&setup->arena, (config->task_count + 1) * sizeof *tasks);
    size_t count = 0;
    if (!tasks) return pdk_say_memory();
    for (uint32_t i = 0; i < config->task_count; i++)
        if (!pdk_config_unfit(config->tasks[i])) tasks[count++] = config->tasks[i]->plugin.name;
    tasks[count] = NULL;
    *ret = (struct pdk_plugin_entry_config){.use = PLUGIN, .name = PLUGIN, .tasks = tasks, .kinds = none};
    if (count) return 0;
    pdk_say("nothing can be called: declare tasks, or sources: [{use: rrq, kinds: [...]}]");
    return PDK_EXIT_FILE;
}

/* The one entry that uses rrq; *ret NULL: there is none. */
static int find_entry(struct pdk_setup *setup, struct pdk_plugin_entry_config **ret) {
    struct pdk_config *config = setup->config;
    *ret = NULL;
    for (uint32_t i = 0; i < config->source_count; i++) {
        if (!pdk_setup_wants_source(setup, &config->sources[i])) continue;
        if (*ret) {
            pdk_say("there are two sources that use rrq, %s and %s: put one of them into another file", (*ret)->name,
                    config->sources[i].name);
            return PDK_EXIT_FILE;
        }
        *ret = &config->sources[i];
    }
    return 0;
}

static int add_entry(struct rrq *rrq) {
    struct pdk_setup *setup = &rrq->session->setup;
    struct pdk_config *config = setup->config;
    int code = find_entry(setup, &rrq->entry);
    if (code || rrq->entry) return code;
    struct pdk_plugin_entry_config *entries = calloc(1, sizeof *entries);
    if (!entries) return pdk_say_memory();
    free(config->sources); /* none of them was for us */
    config->sources = rrq->entry = entries;
    config->source_count = 1;
    return make_entry(setup, entries);
}

/* Its config with another `listen`, that says where it was said. */
static const pdk_value *write_config(const pdk_value *config, const pdk_value *listen) {
    const pdk_values *v = pdk_values_get();
    const pdk_value *made = NULL;
    pdk_writer *w = v->open(v);
    if (config) pdk_writer_like(w, config);
    v->put_map(w);
    for (size_t i = 0; i < v->count(config); i++) {
        if (strcmp(v->key_at(config, i), "listen") == 0) continue;
        pdk_writer_key_like(w, config, i);
        v->key(w, v->key_at(config, i));
        v->put_value(w, v->at(config, i));
    }
    v->key(w, "listen");
    v->put_value(w, listen);
    v->end(w);
    return v->close(w, &made, NULL) < 0 ? NULL : made;
}

/* An address of the command line counts more than one of the environment, and that more than one of the file. */
static int set_address(struct rrq *rrq) {
    struct pdk_setup *setup = &rrq->session->setup;
    const char *origin = "--tcp-socket", *text = setup->arguments->tcp_socket;
    const pdk_value *listen = NULL;
    if (!text) {
        origin = "RRQ_RUNNER_TCP_SOCKET";
        text = getenv(origin);
    }
    if (!text || !*text || !rrq->entry) return 0;
    pdk_writer *w = pdk_values_get()->open(pdk_values_get());
    pdk_values_get()->put_string(w, text, strlen(text));
    if (pdk_values_get()->close(w, &listen, NULL) < 0) {
        pdk_say("%s: \"%.100s\" is no text", origin, text);
        return PDK_EXIT_USAGE;
    }
    rrq->session->made = write_config(rrq->entry->config, listen);
    pdk_values_get()->drop(listen);
    rrq->entry->config = rrq->session->made;
    return rrq->session->made ? 0 : pdk_say_memory();
}

/* ---- the parent: an orchestrator that was killed leaves nobody behind */

static void on_parent_gone(void *arg, uint32_t events) {
    struct rrq *rrq = arg;
    (void)events;
    rrq->session->loop->stop(rrq->session->loop, rrq->parent);
    pdk_run_talk(rrq->session, PDK_LOG_WARN, "", "the process that started this one has died");
    rrq->session->ask_end(rrq->session, SIGTERM);
}

/* By a pidfd, since PR_SET_PDEATHSIG goes by the thread that started us, which may end long before its process. */
static int watch_parent(struct rrq *rrq) {
    struct pdk_session *session = rrq->session;
    pid_t parent = getppid();
    if (session->arguments->stay || parent <= 1) return 0;
    rrq->parent_fd = (int)syscall(SYS_pidfd_open, parent, 0);
    if (rrq->parent_fd >= 0 && getppid() == parent &&
        session->loop->io(session->loop, rrq->parent_fd, PDK_READ, on_parent_gone, rrq, &rrq->parent) == 0)
        return 0;
    pdk_say("the process that started this one has died already");
    return PDK_EXIT_FAILED;
}

/* ---- what happens */

static void on_written(void *arg) {
    struct pdk_session *session = arg;
    session->over = true;
    pdk_session_leave(session);
}

static void on_stopped(struct pdk_session *session) {
    pdk_run_metrics_end(session, on_written, session);
}

static void ask_end(struct pdk_session *session, int signal) {
    static const char *const words[] = {"finishing what runs; again to stop it", "stopping what runs; again to kill it",
                                        "killing what still runs"};
    if (!session->signal) session->signal = signal;
    if (session->asked >= sizeof words / sizeof *words) pdk_session_leave_at_once(session);
    pdk_run_talk(session, PDK_LOG_WARN, "", "%s", words[session->asked++]);
    (void)pdk_supervisor_shutdown(session->supervisor);
}

static int32_t say_run(void *arg, const pdk_run_info *info) {
    pdk_run_talk(arg, PDK_LOG_BUG, "", "%s, attempt %u%s%s", info->run_id, info->attempts, *info->text ? ": " : "",
                 info->text);
    return 0;
}

static void say_states(struct pdk_session *session) {
    const pdk_control *control = pdk_supervisor_control(session->supervisor);
    const pdk_filter filter = {.struct_size = sizeof filter, .states = ~(1u << PDK_RUN_ENDED), .limit = 100};
    if (control->list(control, &filter, say_run, session) == 0) pdk_run_talk(session, PDK_LOG_BUG, "", "nothing runs");
}

static void on_health(struct rrq *rrq, const pdk_event *event) {
    struct pdk_session *session = rrq->session;
    bool ours = strcmp(event->run_id, rrq->entry->name) == 0;
    if (ours && event->status == PDK_UP) {
        pdk_run_talk(session, PDK_LOG_INFO, event->run_id, "%s", event->text);
    } else if (ours) {
        rrq->failed = PDK_EXIT_FAILED; /* its words are in the log */
        (void)pdk_supervisor_shutdown(session->supervisor);
    } else if (event->status != PDK_UP) {
        pdk_run_talk(session, PDK_LOG_WARN, event->run_id, "%s: %s", event->status == PDK_DOWN ? "down" : "degraded",
                     event->text);
    }
}

static void talk(struct pdk_session *session, const pdk_event *event) {
    const char *name = event->name ? event->name : "";
    switch (event->kind) {
    case PDK_EVENT_LOST:
        pdk_run_talk(session, PDK_LOG_WARN, "", "%llu events were lost: output may be missing",
                     (unsigned long long)event->number);
        break;
    case PDK_EVENT_STUCK: pdk_run_talk(session, PDK_LOG_ERROR, name, "%s", event->text); break;
    case PDK_EVENT_STARTED: pdk_run_talk(session, PDK_LOG_DEBUG, name, "%s started", event->run_id); break;
    case PDK_EVENT_OUTCOME:
    case PDK_EVENT_REJECTED:
        pdk_run_talk(session, PDK_LOG_DEBUG, name, "%s %s%s%s", event->run_id, pdk_end_name(event->status),
                     *event->text ? ": " : "", event->text);
        break;
    default: break;
    }
}

static void on_event(void *arg, const pdk_event *event) {
    struct rrq *rrq = arg;
    struct pdk_session *session = rrq->session;
    if (session->arguments->json) pdk_run_json(session, NULL, event);
    if (event->kind == PDK_EVENT_HEALTH)
        on_health(rrq, event);
    else if (event->kind != PDK_EVENT_OUTPUT)
        talk(session, event);
    else if (!session->arguments->json)
        pdk_run_line(session, event->name, event);
}

/* Of what nobody wants to hear no event is made: there may be ten thousands of jobs in a second. */
static int32_t subscribe(struct rrq *rrq) {
    const struct pdk_session *session = rrq->session;
    const pdk_control *control = pdk_supervisor_control(session->supervisor);
    pdk_filter filter = {.struct_size = sizeof filter};
    pdk_watch watch;
    filter.events = 1u << PDK_EVENT_OUTPUT | 1u << PDK_EVENT_HEALTH | 1u << PDK_EVENT_STUCK | 1u << PDK_EVENT_LOST;
    if (session->level <= PDK_LOG_DEBUG || session->arguments->json)
        filter.events |= 1u << PDK_EVENT_STARTED | 1u << PDK_EVENT_OUTCOME | 1u << PDK_EVENT_REJECTED;
    if (session->arguments->json)
        filter.events |= 1u << PDK_EVENT_ACCEPTED | 1u << PDK_EVENT_ENDED | 1u << PDK_EVENT_WAITING |
                         1u << PDK_EVENT_STOPPING | 1u << PDK_EVENT_PROGRESS | 1u << PDK_EVENT_SHUTDOWN;
    return control->subscribe(control, &filter, on_event, rrq, &watch);
}

/* ---- the whole */

/* Every task that may be called is built once, so that faults are found before anybody calls. */
static int try_tasks(struct rrq *rrq) {
    struct pdk_setup *setup = &rrq->session->setup;
    const pdk_router *router = pdk_supervisor_router(rrq->session->supervisor);
    setup->report.count = 0; /* warnings so far have been shown */
    setup->report.warnings = 0;
    for (const char *const *name = rrq->entry->tasks; *name; name++)
        pdk_setup_try(setup, pdk_supervisor_router(rrq->session->supervisor), pdk_config_task(setup->config, *name));
    pdk_setup_try_sources(setup, router);
    return pdk_setup_faults(setup);
}

static int prepare(struct rrq *rrq) {
    struct pdk_session *session = rrq->session;
    int code = pdk_setup_read(&session->setup, session->arguments, true);
    if (code == 0) code = pdk_setup_faults(&session->setup);
    if (code) return code;
    session->setup.sources = PLUGIN;
    code = add_entry(rrq);
    if (code == 0) code = set_address(rrq);
    if (code == 0 && pdk_run_signals_block(session) < 0) code = PDK_EXIT_BUG;
    if (code == 0) code = pdk_session_create(session);
    if (code == 0) code = watch_parent(rrq);
    if (code == 0) code = pdk_session_load(session);
    if (code == 0) code = try_tasks(rrq);
    return code ? code : pdk_run_metrics_begin(session);
}

static int work(struct rrq *rrq) {
    struct pdk_session *session = rrq->session;
    pdk_error err = PDK_ERROR;
    int32_t rc = subscribe(rrq);
    if (rc == 0) rc = pdk_supervisor_start(session->supervisor, &err);
    if (rc < 0) {
        pdk_say("cannot start: %s", err.message[0] ? err.message : strerror(-rc));
        return PDK_EXIT_BUG;
    }
    pdk_ev_run(session->ev);
    return 0;
}

/* What an orchestrator or a service manager asked for once is no failure. */
static int exit_code(const struct rrq *rrq) {
    const struct pdk_session *session = rrq->session;
    uint32_t stuck = 0;
    (void)pdk_supervisor_stopped(session->supervisor, &stuck);
    if (rrq->failed) return rrq->failed;
    if (stuck) return PDK_EXIT_FAILED;
    return session->asked == 1 && session->signal == SIGTERM ? 0 : PDK_EXIT_SIGNAL + session->signal;
}

static int serve(struct rrq *rrq) {
    struct pdk_session *session = rrq->session;
    const struct pdk_arguments *arguments = session->arguments;
    session->prefix = arguments->prefix == PDK_AUTO ? session->screen.out.tty : arguments->prefix == PDK_ALWAYS;
    int code = pdk_session_open(session);
    if (code == 0) code = work(rrq);
    pdk_session_close(session);
    return code ? code : exit_code(rrq);
}

int pdk_verb_rrq(struct pdk_arguments *arguments) {
    struct pdk_session *session = calloc(1, sizeof *session);
    struct rrq rrq = {.session = session, .parent_fd = -1};
    if (!session) return pdk_say_memory();
    pdk_session_begin(session, arguments);
    session->ask_end = ask_end;
    session->say_states = say_states;
    session->on_stopped = on_stopped;
    session->drain = DRAIN;
    int code = prepare(&rrq);
    if (code == 0) code = serve(&rrq);
    pdk_session_free(session);
    if (rrq.parent_fd >= 0) (void)close(rrq.parent_fd);
    return code;
}
