/* SPDX-License-Identifier: Apache-2.0 */
/* The simulation: makes a supervisor over the fake loop and runner, and looks at it after every step. */
#include "sim.h"

void sim_loop(struct sim *sim);
void sim_runner_of(struct sim *sim);

static int32_t no_job(const pdk_pool *pool, pdk_job *job) {
    (void)pool, (void)job;
    return -ENOTSUP;
}

static const pdk_pool no_pool = {(uint32_t)sizeof no_pool, 0, NULL, no_job, no_job};
static const pdk_process no_process = {(uint32_t)sizeof no_process, 0, NULL, NULL, NULL, NULL, NULL};

static void log_line(void *arg, int32_t level, const char *part, const char *run_id, const char *text) {
    struct sim *sim = arg;
    (void)run_id;
    if (level == PDK_LOG_BUG) sim->misbehaved++;
    (void)snprintf(sim->last_log, sizeof sim->last_log, "%s: %s", part, text);
}

static void on_bug(void *arg, enum pdk_state state, enum pdk_input input) {
    struct sim *sim = arg;
    sim->bugs++;
    sim->bug_state = state;
    sim->bug_input = input;
    if (!sim->bugs_expected) fail_msg("a run that is %s had %s", pdk_state_name(state), pdk_input_name(input));
}

/* I4 in the runner's truth: what holds a permit is alive or about to be heard of, nothing else is. */
static void check_truth(struct sim *sim, const char *what) {
    uint32_t limit = sim->s->options.running, leaked = 0;
    for (struct sim_task *task = sim->tasks; task; task = task->next) leaked += task->alive && task->leaked;
    if (limit && sim->alive - leaked > limit) fail_msg("I4 after %s: %u are alive of %u", what, sim->alive, limit);
}

static void on_step(void *arg, const char *what) {
    struct sim *sim = arg;
    char text[256];
    if (++sim->steps % sim->check_every) return;
    const char *bad = pdk_supervisor_check(sim->s, text, sizeof text);
    if (bad) fail_msg("after step %u, %s: %s", sim->steps, what, bad);
    check_truth(sim, what);
}

struct sim *sim_with(const pdk_supervisor_options *given) {
    struct sim *sim = calloc(1, sizeof *sim);
    pdk_supervisor_options options = {.struct_size = (uint32_t)sizeof options};
    assert_non_null(sim);
    if (given) options = *given;
    sim_loop(sim);
    sim_runner_of(sim);
    options.loop = &sim->loop;
    options.pool = &no_pool;
    options.process = &no_process;
    options.log = log_line;
    options.arg = sim;
    if (!options.seed) options.seed = 1;
    sim->check_every = 1;
    assert_int_equal(pdk_supervisor_create(&options, &sim->s, NULL), 0);
    sim->s->on_bug = on_bug;
    sim->s->on_step = on_step;
    sim->s->on_arg = sim;
    sim->control = pdk_supervisor_control(sim->s);
    pdk_error err = PDK_ERROR;
    if (pdk_supervisor_add(sim->s, &sim_plugin, NULL, &err) < 0) fail_msg("%s", err.message);
    assert_int_equal(pdk_supervisor_start(sim->s, NULL), 0);
    sim_turn(sim);
    return sim;
}

struct sim *sim_new(void) {
    return sim_with(NULL);
}

struct pdk_instance *sim_instance(struct sim *sim, const char *name) {
    struct pdk_instance *instance;
    for (size_t i = 0; (instance = pdk_router_instance(sim->s->router, i)); i++) {
        if (!strcmp(instance->name, name)) return instance;
    }
    return NULL;
}

static const pdk_value *parse(const char *text) {
    const pdk_value *value = NULL;
    pdk_error err = PDK_ERROR;
    char json[2048];
    (void)strlcpy(json, text, sizeof json);
    for (char *at = json; *at; at++) {
        if (*at == '\'') *at = '"';
    }
    if (pdk_values_get()->parse(pdk_values_get(), json, strlen(json), "test", &value, &err) < 0)
        fail_msg("%s: %s", json, err.message);
    return value;
}

struct pdk_instance *sim_add(struct sim *sim, const char *name, const char *label) {
    char text[128];
    (void)snprintf(text, sizeof text, "{'r':'%s'}", label);
    const pdk_value *labels = parse(text);
    pdk_router_entry entry = {.struct_size = (uint32_t)sizeof entry, .name = name, .labels = labels};
    pdk_error err = PDK_ERROR;
    if (pdk_supervisor_add(sim->s, &sim_plugin, &entry, &err) < 0) fail_msg("%s", err.message);
    pdk_values_get()->drop(labels);
    sim_turn(sim);
    return sim_instance(sim, name);
}

static void settled(void *arg, pdk_run run, const pdk_outcome *outcome) {
    struct sim *sim = arg;
    struct sim_outcome *o = sim_outcome(sim, run);
    assert_int_equal(o->told++, 0); /* I1 */
    sim->settled++;
    o->end = outcome->end;
    o->reason = outcome->reason;
    o->attempts = outcome->attempts;
    o->last_status = outcome->last->status;
    o->at = sim->now;
    (void)strlcpy(o->code, outcome->last->code, sizeof o->code);
    (void)strlcpy(o->message, outcome->last->message, sizeof o->message);
    (void)strlcpy(o->run_id, outcome->run_id, sizeof o->run_id);
    (void)strlcpy(o->trace, outcome->trace, sizeof o->trace);
    const struct pdk_record *record = pdk_record_find(sim->s, run);
    size_t used = strlen(sim->journal);
    if (record && used < sizeof sim->journal - 128)
        (void)snprintf(sim->journal + used, sizeof sim->journal - used, "settled %s; ", record->name);
    if (sim->on_settled) sim->on_settled(sim, run);
}

static struct pdk_task *read_task(const char *name, const char *fields, int32_t *rc) {
    char text[2048];
    struct pdk_report report = {0};
    struct pdk_task_options options;
    struct pdk_task *task = NULL;
    (void)snprintf(text, sizeof text, "{'name':'%s','kind':'fake'%s%s}", name, *fields ? "," : "", fields);
    const pdk_value *spec = parse(text);
    pdk_spec_options(&options);
    *rc = pdk_task_read(spec, &options, &report, &task);
    if (*rc < 0 && report.count) fail_msg("%s: %s", text, report.faults[0].message);
    pdk_report_free(&report);
    pdk_values_get()->drop(spec);
    return task;
}

static int32_t submit(struct sim *sim, const char *name, const char *fields, void (*change)(struct pdk_task *),
                      pdk_run *ret) {
    pdk_submit_options options = {(uint32_t)sizeof options, 0, settled, sim, sim->trace, 0, sim->trace_state};
    struct pdk_report report = {0};
    int32_t rc = 0;
    struct pdk_task *task = read_task(name, fields, &rc);
    if (rc < 0) return rc;
    if (change) change(task);
    uint32_t told = sim->settled;
    rc = pdk_supervisor_submit_task(sim->s, task, &options, &report, ret);
    assert_int_equal(told, sim->settled); /* never told inside submit */
    if (rc == -EINVAL) fail_msg("%s", report.count ? report.faults[0].message : "invalid");
    pdk_report_free(&report);
    pdk_task_drop(task);
    if (rc == 0) sim->submitted++;
    return rc;
}

int32_t sim_try(struct sim *sim, const char *name, const char *fields, pdk_run *ret) {
    return submit(sim, name, fields, NULL, ret);
}

pdk_run sim_submit_task(struct sim *sim, const char *name, const char *fields, void (*change)(struct pdk_task *)) {
    pdk_run run = 0;
    assert_int_equal(submit(sim, name, fields, change, &run), 0);
    sim_turn(sim);
    return run;
}

pdk_run sim_submit(struct sim *sim, const char *name, const char *fields) {
    return sim_submit_task(sim, name, fields, NULL);
}

struct sim_task *sim_task(struct sim *sim, const char *name) {
    for (struct sim_task *task = sim->tasks; task; task = task->next) {
        if (!strcmp(task->name, name)) return task;
    }
    fail_msg("no task %s was built", name);
    return NULL;
}

/* The process is gone with all that lived in it. */
void sim_host_dies(struct sim *sim, struct pdk_instance *instance) {
    for (struct sim_task *task = sim->tasks; task; task = task->next) {
        if (task->host != &instance->host || task->destroyed) continue;
        if (task->alive) sim->alive--;
        if (task->timer) sim->loop.stop(&sim->loop, task->timer);
        task->timer = 0;
        task->alive = false;
        task->gone = true;
    }
    pdk_supervisor_instance_gone(sim->s, instance, NULL);
}

struct pdk_record *sim_run(struct sim *sim, pdk_run run) {
    struct pdk_record *record = pdk_record_find(sim->s, run);
    assert_non_null(record);
    return record;
}

enum pdk_state sim_state(struct sim *sim, pdk_run run) {
    return (enum pdk_state)sim_run(sim, run)->state;
}

struct sim_outcome *sim_outcome(struct sim *sim, pdk_run run) {
    uint64_t seq = run >> PDK_INDEX_BITS;
    assert_true(seq < SIM_RUNS);
    return &sim->outcomes[seq];
}

void sim_expect(struct sim *sim, pdk_run run, int32_t end, const char *code) {
    const struct sim_outcome *o = sim_outcome(sim, run);
    assert_int_equal(o->told, 1);
    assert_string_equal(pdk_end_word(o->end), pdk_end_word(end));
    if (code) assert_string_equal(o->code, code);
}

static void on_event(void *arg, const pdk_event *event) {
    struct sim *sim = arg;
    if (event->kind == PDK_EVENT_LOST) sim->events_lost += event->number;
    if (sim->event_count == sim->event_capacity) {
        sim->event_capacity = sim->event_capacity ? sim->event_capacity * 2 : 256;
        sim->events = reallocarray(sim->events, sim->event_capacity, sizeof *sim->events);
        assert_non_null(sim->events);
    }
    struct sim_event *copy = &sim->events[sim->event_count++];
    copy->at = sim->now;
    copy->event = *event;
    (void)strlcpy(copy->text, event->text, sizeof copy->text);
    (void)strlcpy(copy->trace_id, event->trace_id, sizeof copy->trace_id);
    (void)strlcpy(copy->span_id, event->span_id, sizeof copy->span_id);
    if (event->kind == PDK_EVENT_OUTPUT && event->data)
        (void)snprintf(copy->text, sizeof copy->text, "%.*s", (int)event->size, event->data);
}

void sim_listen(struct sim *sim) {
    pdk_filter filter = {.struct_size = (uint32_t)sizeof filter, .events = 0xffff};
    pdk_watch watch;
    assert_int_equal(sim->control->subscribe(sim->control, &filter, on_event, sim, &watch), 0);
}

static const char *const kinds[] = {"ACCEPTED", "REJECTED", "STARTED", "STOPPING", "ENDED", "WAITING",
                                    "PROGRESS", "OUTPUT",   "OUTCOME", "HEALTH",   "LOST",  "STUCK",
                                    "FREED",    "PAUSED",   "READY",   "SHUTDOWN"};

char *sim_events(struct sim *sim, pdk_run run, char *buf, size_t size) {
    buf[0] = '\0';
    for (uint32_t i = 0; i < sim->event_count; i++) {
        if (sim->events[i].event.run != run) continue;
        if (*buf) (void)strlcat(buf, " ", size);
        (void)strlcat(buf, kinds[sim->events[i].event.kind], size);
    }
    return buf;
}

const char *sim_event_text(struct sim *sim, pdk_run run, int32_t kind, uint32_t n) {
    for (uint32_t i = 0; i < sim->event_count; i++) {
        if (sim->events[i].event.run == run && sim->events[i].event.kind == kind && n-- == 0)
            return sim->events[i].text;
    }
    return NULL;
}

/* What is stuck is let go, so that nothing is left to leak. */
void sim_end(struct sim *sim) {
    sim->s->on_step = NULL;
    for (struct sim_task *task = sim->tasks; task; task = task->next) {
        if (task->alive) (void)sim_done(task, PDK_CANCELED);
    }
    pdk_supervisor_destroy(sim->s);
    sim_turn(sim); /* a loop runs what was posted, whoever is gone by then */
    while (sim->tasks) {
        struct sim_task *task = sim->tasks;
        sim->tasks = task->next;
        assert_true(task->destroyed || task->gone);
        free(task);
    }
    free(sim->events);
    free(sim);
}
