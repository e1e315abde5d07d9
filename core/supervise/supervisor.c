/* SPDX-License-Identifier: Apache-2.0 */
/* Made, filled with plugins, started, run, taken apart. */
#include "paddock/supervisor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/supervise/internal.h"
#include "core/supervise/jitter.h"
#include "paddock/helpers.h"

/* The largest number says none. */
static void set_count(uint32_t *field, uint32_t value) {
    if (*field == 0) *field = value;
    if (*field == UINT32_MAX) *field = 0;
}

static void set_time(uint64_t *field, uint64_t value) {
    if (*field == 0) *field = value;
    if (*field == UINT64_MAX) *field = 0;
}

enum { ACCEPTED_MAX = 10000000, EVENTS_MIN = 2, EVENTS_MAX = 1000000, LINE_MIN = 256, LINE_MAX = 1 << 20 };

static void set_bounded(uint32_t *field, uint32_t value, uint32_t low, uint32_t high) {
    if (*field == 0) *field = value;
    if (*field < low) *field = low;
    if (*field > high) *field = high;
}

static void set_options(struct pdk_supervisor *s, const pdk_supervisor_options *given) {
    pdk_supervisor_options *o = &s->options;
    if (given) memcpy(o, given, given->struct_size < sizeof *o ? given->struct_size : sizeof *o);
    o->struct_size = (uint32_t)sizeof *o;
    set_bounded(&o->accepted, 100000, 1, ACCEPTED_MAX);
    set_bounded(&o->events, 1024, EVENTS_MIN, EVENTS_MAX);
    set_bounded(&o->line, 16384, LINE_MIN, LINE_MAX);
    set_count(&o->slot_queue, 100);
    set_count(&o->history, 1000);
    set_time(&o->grace, 30 * PDK_SECOND);
    set_time(&o->flush, 5 * PDK_SECOND);
    if (!o->history_age) o->history_age = PDK_DAY;
    if (o->history > ACCEPTED_MAX / 10) o->history = ACCEPTED_MAX / 10;
    pdk_trace_seed(s, o->seed);
    if (!o->seed) o->seed = pdk_jitter_mix(pdk_clock_now() ^ pdk_clock_unix());
    s->history_limit = o->history;
    s->slots.key = pdk_hash_key();
    s->log = (struct pdk_log){o->log, o->arg, PDK_LOG_DEBUG};
}

static void init(struct pdk_supervisor *s) {
    TAILQ_INIT(&s->members);
    TAILQ_INIT(&s->all);
    TAILQ_INIT(&s->history);
    TAILQ_INIT(&s->records.free);
    TAILQ_INIT(&s->active);
    TAILQ_INIT(&s->listeners);
    TAILQ_INIT(&s->taps);
    STAILQ_INIT(&s->outbox);
    STAILQ_INIT(&s->orders);
    TAILQ_INIT(&s->tells);
    SLIST_INIT(&s->limits);
    s->dones_end = &s->dones;
    s->next_seq = 1;
    s->numbered = UINT64_MAX;
    for (size_t i = 0; i < PDK_LOCKS; i++) (void)pthread_mutex_init(&s->locks[i], NULL);
    (void)pthread_mutex_init(&s->health_lock, NULL);
    (void)pthread_mutex_init(&s->series_lock, NULL);
    pdk_control_table(s, &s->control);
}

static void child_started(void *arg, pdk_attempt attempt, int32_t pid) {
    pdk_trace_process(arg, attempt, pid);
}

static int32_t child_output(void *arg, pdk_attempt attempt, int32_t stream, const char *data, size_t size) {
    return pdk_output_take(arg, attempt, stream, data, size);
}

/* Children are asked for no faster than they can be started. Whoever waits for that is cheap as long as it is READY, and
 * canceled at once. */
static void children_busy(void *arg, bool busy) {
    struct pdk_supervisor *s = arg;
    s->held_up = busy;
    if (!busy) pdk_wake(s);
}

/* What was not given is made. */
static int32_t make_services(struct pdk_supervisor *s, pdk_error *err) {
    s->loop = s->options.loop;
    s->pool = s->options.pool;
    s->process = s->options.process;
    if (s->loop && s->options.ev_loop)
        return pdk_fail(err, -EINVAL, NULL, "either loop or ev_loop, not both", NULL, NULL);
    if (!s->loop) {
        int32_t rc = s->options.ev_loop ? pdk_ev_adopt(s->options.ev_loop, &s->own_loop) : pdk_ev_create(&s->own_loop);
        if (rc < 0) return pdk_fail(err, rc, NULL, "cannot make a loop: ", strerror(-rc), NULL);
        s->loop = pdk_ev_loop(s->own_loop);
    }
    if (!s->pool) {
        int32_t rc = pdk_threads_create(s->loop, 0, 0, &s->own_pool);
        if (rc < 0) return pdk_fail(err, rc, NULL, "cannot make a pool of threads: ", strerror(-rc), NULL);
        s->pool = pdk_threads_pool(s->own_pool);
    }
    if (!s->process) {
        struct pdk_spawner_options options = {.loop = s->loop,
                                              .log = &s->log,
                                              .subreaper = s->options.flags & PDK_SUPERVISOR_OWNS_PROCESS,
                                              .cgroups = -1,
                                              .output = child_output,
                                              .busy = children_busy,
                                              .started = child_started,
                                              .arg = s};
        int32_t rc = pdk_spawner_create(&options, &s->own_process, err);
        if (rc < 0) return rc;
        s->process = pdk_spawner_service(s->own_process);
    }
    return 0;
}

static void dispose(struct pdk_supervisor *s) {
    pdk_spawner_free(s->own_process);
    pdk_threads_free(s->own_pool);
    if (s->timer) s->loop->stop(s->loop, s->timer);
    pdk_router_destroy(s->router);
    pdk_ev_free(s->own_loop);
    pdk_wake_free(s, s->own_loop != NULL);
    pdk_metrics_free(s);
    pdk_events_free(s);
    while (!TAILQ_EMPTY(&s->members)) pdk_member_drop(TAILQ_FIRST(&s->members));
    for (struct pdk_limit_entry *entry = SLIST_FIRST(&s->limits); entry; entry = SLIST_FIRST(&s->limits)) {
        SLIST_REMOVE_HEAD(&s->limits, next);
        free(entry);
    }
    pdk_holds_free(s);
    pdk_slots_free(&s->slots);
    pdk_timers_free(&s->timers);
    for (size_t i = 0; i < PDK_LOCKS; i++) (void)pthread_mutex_destroy(&s->locks[i]);
    (void)pthread_mutex_destroy(&s->health_lock);
    (void)pthread_mutex_destroy(&s->series_lock);
    free(s);
}

int32_t pdk_supervisor_create(const pdk_supervisor_options *options, pdk_supervisor **ret, pdk_error *err) {
    struct pdk_supervisor *s = calloc(1, sizeof *s);
    if (!s) return pdk_fail(err, -ENOMEM, NULL, "out of memory", NULL, NULL);
    set_options(s, options);
    init(s);
    pdk_host_pattern(s);
    int32_t rc =
        pdk_wake_create(s) < 0 ? pdk_fail(err, -ENOMEM, NULL, "out of memory", NULL, NULL) : make_services(s, err);
    if (rc == 0 && (pdk_slots_reserve(&s->slots, 1) < 0 || pdk_timers_reserve(&s->timers, 8) < 0))
        rc = pdk_fail(err, -ENOMEM, NULL, "out of memory", NULL, NULL);
    pdk_router_options router = {.struct_size = (uint32_t)sizeof router, .host = &s->host};
    if (rc == 0) rc = pdk_router_create(&router, &s->router, err);
    if (rc < 0) {
        dispose(s);
        return rc;
    }
    pdk_clock(s);
    *ret = s;
    return 0;
}

static bool routed(const struct pdk_supervisor *s, const struct pdk_instance *instance) {
    const struct pdk_instance *at;
    for (size_t i = 0; (at = pdk_router_instance(s->router, i)); i++) {
        if (at == instance) return true;
    }
    return false;
}

static struct pdk_instance *newest(const struct pdk_supervisor *s) {
    struct pdk_instance *at, *last = NULL;
    for (size_t i = 0; (at = pdk_router_instance(s->router, i)); i++) last = at;
    return last;
}

/* A service that it cannot do without and does not get: it may be routed to and checked, but nothing runs in it. */
static const char *missing(const struct pdk_instance *instance) {
    const char *const *need = instance->plugin->needs;
    while (need && *need && instance->host.get_extension(&instance->host, *need)) need++;
    return need ? *need : NULL;
}

static int32_t call_start(struct pdk_instance *instance, pdk_error *err) {
    const char *service = missing(instance);
    if (service) return pdk_fail(err, -ENOTSUP, NULL, "it needs ", service, ", which it is not given");
    return pdk_instance_start(instance, err);
}

static void start_instance(struct pdk_supervisor *s, struct pdk_member *member) {
    struct pdk_instance *instance = member->instance;
    pdk_error err = PDK_ERROR;
    if (instance->life != PDK_INSTANCE_MADE) return;
    int32_t rc = call_start(instance, &err);
    if (rc < 0) {
        const char *text = err.message[0] ? err.message : strerror(-rc);
        pdk_log_line(&s->log, PDK_LOG_ERROR, instance->name, "", "cannot start: %s", text);
        pdk_member_health(member, PDK_DOWN, text);
    } else if (!PDK_HAS(instance->plugin, start)) {
        pdk_member_health(member, PDK_UP, "");
    }
}

/* A peer that finds a source there may send at once, so the runners are up by then, or known not to be. */
void pdk_sources_start(struct pdk_supervisor *s) {
    struct pdk_member *member;
    if (!s->sources_wait || s->closing) return;
    TAILQ_FOREACH(member, &s->members, all) {
        if (!pdk_member_is_source(member) && member->instance->life == PDK_INSTANCE_STARTED && !member->heard) return;
    }
    s->sources_wait = false;
    TAILQ_FOREACH(member, &s->members, all) {
        if (pdk_member_is_source(member)) start_instance(s, member);
    }
}

const char *pdk_supervisor_awaited(const pdk_supervisor *supervisor) {
    const struct pdk_member *member;
    TAILQ_FOREACH(member, &supervisor->members, all) {
        bool next = supervisor->sources_wait && pdk_member_is_source(member);
        if (!member->heard && (next || member->instance->life == PDK_INSTANCE_STARTED)) return member->instance->name;
    }
    return NULL;
}

/* What a plugin that was entered, or failed to be, leaves to be done. */
static int32_t entered(struct pdk_supervisor *s, int32_t rc, pdk_error *err) {
    struct pdk_member *member, *next;
    for (member = TAILQ_FIRST(&s->members); member; member = next) {
        next = TAILQ_NEXT(member, all);
        if (!routed(s, member->instance)) pdk_member_drop(member);
    }
    if (rc < 0) return rc;
    struct pdk_instance *instance = newest(s);
    member = pdk_member_of(s, instance);
    if (!member) return pdk_fail(err, -ENOMEM, NULL, "out of memory", NULL, NULL);
    bool backend = instance->plugin->metrics && instance->host.roles & PDK_ROLE_METRICS;
    s->backends += backend;
    if (backend) pdk_trace_backend(s, member);
    if (!s->started || (s->sources_wait && pdk_member_is_source(member))) return 0;
    start_instance(s, member);
    if (backend) {
        pdk_meters_make(s);
    } else {
        pdk_meter_member(member);
    }
    return 0;
}

int32_t pdk_supervisor_add(pdk_supervisor *supervisor, const pdk_plugin *plugin, const pdk_router_entry *entry,
                           pdk_error *err) {
    return entered(supervisor, pdk_router_add(supervisor->router, plugin, entry, err), err);
}

int32_t pdk_supervisor_load(pdk_supervisor *supervisor, const char *path, const pdk_router_entry *entry,
                            pdk_error *err) {
    return entered(supervisor, pdk_router_load(supervisor->router, path, entry, err), err);
}

int32_t pdk_supervisor_start(pdk_supervisor *supervisor, pdk_error *err) {
    struct pdk_member *member;
    if (supervisor->started) return pdk_fail(err, -EALREADY, NULL, "it has been started", NULL, NULL);
    supervisor->started = true;
    atomic_store_explicit(&supervisor->main, (uint64_t)pthread_self(), memory_order_relaxed);
    pdk_meters_make(supervisor);
    /* Who records first, who runs next; who brings work last, when those have said how they are. */
    for (int role = 0; role < 2; role++) {
        TAILQ_FOREACH(member, &supervisor->members, all) {
            bool metrics = member->instance->plugin->metrics;
            if (!pdk_member_is_source(member) && role == (metrics ? 0 : 1)) start_instance(supervisor, member);
        }
    }
    supervisor->sources_wait = true;
    pdk_members_health(supervisor);
    pdk_sources_start(supervisor);
    pdk_wake(supervisor);
    return 0;
}

const pdk_control *pdk_supervisor_control(pdk_supervisor *supervisor) {
    return &supervisor->control;
}

pdk_router *pdk_supervisor_router(pdk_supervisor *supervisor) {
    return supervisor->router;
}

const pdk_loop *pdk_supervisor_loop(pdk_supervisor *supervisor) {
    return supervisor->loop;
}

const pdk_pool *pdk_supervisor_pool(pdk_supervisor *supervisor) {
    return supervisor->pool;
}

const pdk_process *pdk_supervisor_process(pdk_supervisor *supervisor) {
    return supervisor->process;
}

void pdk_supervisor_announce(pdk_supervisor *supervisor, int32_t kind, const char *text) {
    supervisor->now = supervisor->loop->now_ns(supervisor->loop);
    pdk_emit(supervisor, NULL, &(struct pdk_event_args){.kind = kind}, "%s", text);
    pdk_wake(supervisor);
}

void pdk_supervisor_reap(pdk_supervisor *supervisor) {
    if (supervisor->own_process) pdk_spawner_reap(supervisor->own_process);
}

int32_t pdk_supervisor_run(pdk_supervisor *supervisor) {
    if (!supervisor->own_loop || supervisor->options.ev_loop) return -ENOTSUP;
    while (!pdk_shutdown_over(supervisor)) pdk_ev_run(supervisor->own_loop);
    return 0;
}

void pdk_supervisor_instance_gone(pdk_supervisor *supervisor, struct pdk_instance *instance, const char *why) {
    struct pdk_member *member = pdk_member_of(supervisor, instance);
    if (!member || member->gone_order.member) return;
    (void)strlcpy(member->gone_why, why ? why : "the process of its plugin has died", sizeof member->gone_why);
    member->gone_order = (struct pdk_order){.kind = PDK_ORDER_GONE, .member = member};
    STAILQ_INSERT_TAIL(&supervisor->orders, &member->gone_order, next);
    pdk_wake(supervisor);
}

int32_t pdk_supervisor_fail_attempt(pdk_supervisor *supervisor, pdk_run run, const char *code, const char *text) {
    const struct pdk_record *record = pdk_record_find(supervisor, run);
    if (!record || record->state != PDK_STATE_RUNNING) return -ESTALE;
    char *both = NULL;
    if (asprintf(&both, "%s%c%s", code, 1, text ? text : "") < 0) return -ENOMEM;
    int32_t rc = pdk_order(supervisor, PDK_ORDER_UNFIT, run, 0, both);
    free(both);
    return rc;
}

/* Kill what can be killed. A task that still runs cannot be destroyed: it, and all it may touch, is left to leak. */
static bool kill_left(struct pdk_supervisor *s) {
    struct pdk_record *run;
    bool left = false;
    for (struct pdk_cell *cell = (pdk_cells_collect(s), pdk_cells_next(s)); cell; cell = pdk_cells_next(s))
        pdk_step(s, cell->run, PDK_INPUT_DONE, 0, NULL);
    TAILQ_FOREACH(run, &s->all, all) {
        if (!run->cell) continue;
        left = true;
        if (run->state == PDK_STATE_RUNNING) run->ops->cancel(run->task, PDK_CANCEL_SHUTDOWN);
        if (run->state == PDK_STATE_RUNNING || run->state == PDK_STATE_STOPPING)
            if (PDK_HAS(run->ops, kill)) run->ops->kill(run->task);
    }
    return left;
}

void pdk_supervisor_destroy(pdk_supervisor *supervisor) {
    struct pdk_supervisor *s = supervisor;
    struct pdk_record *run;
    if (!s) return;
    if (kill_left(s)) {
        pdk_spawner_free(s->own_process);
        return;
    }
    TAILQ_FOREACH(run, &s->all, all) {
        if (run->built) run->ops->destroy(run->task);
        run->built = false;
    }
    pdk_orders_free(s);
    pdk_records_free(s);
    pdk_cells_free(s);
    dispose(s);
}
