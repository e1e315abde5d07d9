/* SPDX-License-Identifier: Apache-2.0 */
#include "isolate/world.h"

#include <pthread.h>
#include <unistd.h>

#include "core/base/buffer.h"
#include "core/base/clock.h"
#include "core/spec/spec.h"
#include "paddock/helpers.h"

static void add(char *text, size_t size, const char *part, size_t part_size) {
    size_t used = strlen(text);
    if (used + part_size + 1 >= size) part_size = size - used - 1;
    memcpy(text + used, part, part_size);
    text[used + part_size] = '\0';
}

static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;

static void on_log(void *arg, int32_t level, const char *part, const char *run_id, const char *text) {
    struct world *world = arg;
    char line[2048];
    (void)level;
    (void)snprintf(line, sizeof line, "%s: %s: %s\n", part, run_id, text);
    pthread_mutex_lock(&log_lock);
    add(world->log, sizeof world->log, line, strlen(line));
    pthread_mutex_unlock(&log_lock);
}

static void on_stopped(void *arg) {
    struct world *world = arg;
    world->stopped = true;
    pdk_ev_break(world->ev);
}

static void on_event(void *arg, const pdk_event *event) {
    struct world *world = arg;
    if (event->kind == PDK_EVENT_OUTPUT) add(world->out, sizeof world->out, event->data, event->size);
    if (event->kind == PDK_EVENT_OUTPUT) add(world->out, sizeof world->out, "\n", 1);
    for (uint32_t i = 0; event->kind == PDK_EVENT_STARTED && i < world->run_count; i++)
        if (world->runs[i].run == event->run) world->runs[i].started++;
    pdk_ev_break(world->ev);
}

/* What is not told by an event shows in a moment. */
static void on_tick(void *arg) {
    struct world *world = arg;
    pdk_ev_break(world->ev);
}

static void on_late(void *arg) {
    struct world *world = arg;
    world->late = true;
    pdk_ev_break(world->ev);
}

struct world *world_begin(void) {
    struct world *world = calloc(1, sizeof *world);
    pdk_watch watch;
    assert_non_null(world);
    assert_int_equal(pdk_ev_create(&world->ev), 0);
    world->loop = pdk_ev_loop(world->ev);
    const pdk_supervisor_options options = {.struct_size = sizeof options,
                                            .flags = PDK_SUPERVISOR_OWNS_PROCESS,
                                            .loop = world->loop,
                                            .log = on_log,
                                            .stopped = on_stopped,
                                            .arg = world,
                                            .events = 100000,
                                            .seed = 1};
    pdk_error err = PDK_ERROR;
    assert_int_equal(pdk_supervisor_create(&options, &world->supervisor, &err), 0);
    const pdk_control *control = pdk_supervisor_control(world->supervisor);
    const pdk_filter all = {.struct_size = sizeof all, .events = UINT32_MAX};
    assert_int_equal(control->subscribe(control, &all, on_event, world, &watch), 0);
    assert_int_equal(world->loop->timer(world->loop, 5 * PDK_MILLISECOND, 5 * PDK_MILLISECOND, on_tick, world, &watch),
                     0);
    assert_int_equal(world->loop->timer(world->loop, 60 * PDK_SECOND, 0, on_late, world, &watch), 0);
    return world;
}

void world_end(struct world *world) {
    (void)pdk_supervisor_shutdown(world->supervisor);
    (void)pdk_supervisor_shutdown(world->supervisor);
    world_until(world, world->stopped);
    pdk_supervisor_destroy(world->supervisor);
    if (strstr(world->log, "Sanitizer")) fail_msg("%s", world->log); /* over there */
    pdk_ev_once(world->ev);
    pdk_ev_free(world->ev);
    free(world);
}

struct pdk_isolation world_isolation(void) {
    return (struct pdk_isolation){
        .mode = PDK_ISOLATION_PROCESS, .ping_every = 100 * PDK_MILLISECOND, .ping_timeout = 20 * PDK_SECOND};
}

static const pdk_value *parse(const char *json) {
    char text[4096];
    const pdk_value *value = NULL;
    pdk_error err = PDK_ERROR;
    (void)snprintf(text, sizeof text, "%s", json);
    for (char *c = text; *c; c++)
        if (*c == '\'') *c = '"';
    if (pdk_values_get()->parse(pdk_values_get(), text, strlen(text), "test", &value, &err) < 0)
        fail_msg("%s: %s", text, err.message);
    return value;
}

int32_t world_isolate(struct world *world, const char *file, const char *name, const char *config,
                      const struct pdk_isolation *isolation, bool probe, pdk_error *err) {
    const char *program = getenv("PADDOCK_HOST_PROGRAM");
    const struct pdk_isolate_options options = {program ? program : HOST, isolation, probe};
    const pdk_value *value = config ? parse(config) : NULL;
    const pdk_router_entry entry = {.struct_size = sizeof entry, .name = name, .config = value};
    int32_t rc = pdk_isolate_load(world->supervisor, NULL, file, &entry, &options, err);
    pdk_values_get()->drop(value);
    return rc;
}

void world_load(struct world *world, const char *file) {
    pdk_error err = PDK_ERROR;
    if (pdk_supervisor_load(world->supervisor, file, NULL, &err) < 0) fail_msg("%s", err.message);
}

void world_start(struct world *world) {
    pdk_error err = PDK_ERROR;
    if (pdk_supervisor_start(world->supervisor, &err) < 0) fail_msg("%s", err.message);
}

static void on_settled(void *arg, pdk_run handle, const pdk_outcome *outcome) {
    struct world_run *run = arg;
    const pdk_result *last = outcome->last;
    struct pdk_buffer json = PDK_BUFFER(sizeof run->output);
    (void)handle;
    run->settled = true;
    run->end = outcome->end;
    run->attempts = outcome->attempts;
    run->status = last->status;
    run->category = last->category;
    run->exit_code = last->exit_code;
    (void)strlcpy(run->code, last->code, sizeof run->code);
    (void)strlcpy(run->message, last->message, sizeof run->message);
    if (last->usage) run->usage = *last->usage;
    if (last->output)
        (void)pdk_values_get()->print(pdk_values_get(), last->output, PDK_JSON_PLAIN, pdk_buffer_write, &json);
    (void)strlcpy(run->output, pdk_buffer_string(&json), sizeof run->output);
    pdk_buffer_free(&json);
}

struct world_run *world_submit(struct world *world, const char *spec, uint32_t kill_wait_ms) {
    struct world_run *run = &world->runs[world->run_count++];
    const pdk_value *value = parse(spec);
    const pdk_submit_options options = {.struct_size = sizeof options, .settled = on_settled, .arg = run};
    struct pdk_task_options task_options = {0};
    struct pdk_report report = {0};
    struct pdk_task *task = NULL;
    int32_t rc = pdk_task_read(value, &task_options, &report, &task);
    if (rc == 0 && kill_wait_ms) task->kill_wait = kill_wait_ms * PDK_MILLISECOND;
    if (rc == 0) rc = pdk_supervisor_submit_task(world->supervisor, task, &options, &report, &run->run);
    if (rc < 0) fail_msg("%s: %s", spec, report.count ? report.faults[0].message : strerror(-rc));
    pdk_task_drop(task);
    pdk_report_free(&report);
    pdk_values_get()->drop(value);
    return run;
}

struct pdk_instance *world_instance(struct world *world, const char *name) {
    struct pdk_instance *instance;
    for (size_t i = 0; (instance = pdk_router_instance(pdk_supervisor_router(world->supervisor), i)); i++)
        if (strcmp(instance->name, name) == 0) return instance;
    fail_msg("no instance %s", name);
    return NULL;
}

bool world_is_up(struct world *world, const char *name) {
    return world_instance(world, name)->health == PDK_UP;
}

/* Its process may have spoken before its service tells that it has started: the thread which made it has to get a turn. */
int32_t world_warden(struct world *world, const char *name) {
    const struct pdk_instance *instance = world_instance(world, name);
    world_until(world, pdk_isolate_pid(instance));
    return pdk_isolate_pid(instance);
}

/* The one child of the warden. */
int32_t world_host(struct world *world, const char *name) {
    int32_t warden = world_warden(world, name), pid = 0;
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%d/task/%d/children", warden, warden);
    FILE *list = fopen(path, "re");
    if (!list || fscanf(list, "%d", &pid) != 1) fail_msg("%s names nobody", path);
    (void)fclose(list);
    return pid;
}

uint32_t world_count(const char *text, const char *part) {
    uint32_t count = 0;
    for (const char *at = text; (at = strstr(at, part)); at++) count++;
    return count;
}

bool world_lives(int32_t pid) {
    char path[64], state = 'X';
    (void)snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *stat = fopen(path, "re");
    if (!stat) return false;
    if (fscanf(stat, "%*d (%*[^)]) %c", &state) != 1) state = 'X';
    (void)fclose(stat);
    return state != 'Z' && state != 'X';
}
