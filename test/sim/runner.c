/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The runner of the simulation. Its script has a word per attempt, the last one for all that follow:
 *
 *   S F X C   success, failure, fatal, canceled: at once, from the loop   -   nothing by itself
 *   R7s       retry after that long                                       !S  the same from inside start
 *   S:3s      after that long                                             E5  start gives -5;  !E5 done and then -5
 *
 * on_cancel: polite (at once), deaf, stubborn (hears kill), or a duration.
 */
#include "sim.h"

#include "core/base/text.h"

static struct sim *current; /* create has no other way to know; one simulation at a time */

void sim_runner_of(struct sim *sim);
void sim_runner_of(struct sim *sim) {
    current = sim;
}

struct self {
    struct sim *sim;
    const pdk_host *host;
};

static int32_t create(const pdk_host *host, const pdk_value *config, void **ret, pdk_error *err) {
    struct self *self = calloc(1, sizeof *self);
    (void)config, (void)err;
    self->sim = current;
    self->host = host;
    *ret = self;
    return 0;
}

static void destroy(void *self) {
    free(self);
}

static void word_of(const struct sim_task *task, char *buf, size_t size) {
    const char *at = task->script;
    for (uint32_t i = 1; i < task->starts && strchr(at, ' '); i++) at = strchr(at, ' ') + 1;
    size_t length = strcspn(at, " ");
    assert_true(length < size);
    memcpy(buf, at, length);
    buf[length] = '\0';
}

static uint64_t duration(const char *text) {
    uint64_t ns = 0;
    assert_int_equal(pdk_duration_parse(text, &ns, NULL, 0), 0);
    return ns;
}

static int32_t status_of(char letter) {
    const char *letters = "SFXRC", *at = strchr(letters, letter);
    assert_non_null(at);
    return (int32_t)(at - letters);
}

static void result_of(const char *word, pdk_result *result) {
    *result = (pdk_result)PDK_RESULT(status_of(word[0]), PDK_CAT_NONE, NULL);
    if (word[0] == 'F' || word[0] == 'X') {
        result->category = PDK_CAT_EXIT;
        result->exit_code = 1;
    }
    if (word[0] == 'R' && word[1] && word[1] != ':') result->retry_after_ns = duration(word + 1);
}

int32_t sim_done_with(struct sim_task *task, const pdk_result *result) {
    if (task->alive) {
        task->alive = false;
        task->sim->alive--;
    }
    if (task->timer) task->sim->loop.stop(&task->sim->loop, task->timer);
    task->timer = 0;
    return task->host->done(task->host, task->attempt, result);
}

int32_t sim_done(struct sim_task *task, int32_t status) {
    pdk_result result = PDK_RESULT(status, PDK_CAT_NONE, NULL);
    return sim_done_with(task, &result);
}

static void on_time(void *arg) {
    struct sim_task *task = arg;
    task->timer = 0;
    (void)sim_done_with(task, &task->said);
}

static void later(struct sim_task *task, uint64_t delay, const pdk_result *result) {
    const pdk_loop *loop = &task->sim->loop;
    if (task->timer) loop->stop(loop, task->timer);
    task->said = *result;
    assert_int_equal(loop->timer(loop, delay, 0, on_time, task, &task->timer), 0);
}

/* Its process has died. That calls come is no mistake as long as nobody has told the supervisor. */
static bool unheard(const pdk_host *host) {
    const struct pdk_member *member = ((const struct pdk_instance *)(const void *)host)->owner_data;
    return member && member->gone_order.member;
}

static bool dead(const struct sim_task *task) {
    if (task->gone) assert_true(unheard(task->host));
    return task->gone;
}

static void alive_now(struct sim_task *task) {
    struct sim *sim = task->sim;
    assert_false(task->alive); /* I3: never started while it still runs */
    assert_false(task->destroyed || task->gone);
    for (struct sim_task *other = sim->tasks; other; other = other->next) {
        if (other != task && other->alive && !other->leaked && !strcmp(other->slot, task->slot))
            fail_msg("I2: %s and %s are alive in slot %s", other->name, task->name, task->slot);
    }
    task->alive = true;
    if (++sim->alive > sim->peak) sim->peak = sim->alive;
}

static int32_t start(void *arg, const pdk_start *info, pdk_error *err) {
    struct sim_task *task = arg;
    struct sim *sim = task->sim;
    char word[64];
    pdk_result result;
    assert_non_null(err);
    if (dead(task)) return -EPIPE;
    if (task->starts < 64) task->started[task->starts] = sim->now;
    task->starts++;
    sim->starts_total++;
    task->cancels = task->kills = 0;
    task->previous = task->attempt;
    task->attempt = info->attempt;
    alive_now(task);
    size_t used = strlen(sim->journal);
    if (used < sizeof sim->journal - 128)
        (void)snprintf(sim->journal + used, sizeof sim->journal - used, "start %s; ", task->name);
    if (sim->on_start) sim->on_start(sim, task, info);
    word_of(task, word, sizeof word);
    bool inside = word[0] == '!';
    const char *w = word + inside;
    if (*w == 'E') {
        task->alive = false;
        sim->alive--;
        result = (pdk_result)PDK_RESULT(PDK_SUCCESS, 0, NULL);
        if (inside) assert_int_equal(task->host->done(task->host, task->attempt, &result), 0);
        return -(int32_t)strtol(w + 1, NULL, 10);
    }
    if (*w == '-') return 0;
    result_of(w, &result);
    const char *colon = strchr(w, ':');
    if (inside) {
        assert_int_equal(sim_done_with(task, &result), 0);
    } else {
        later(task, colon ? duration(colon + 1) : 0, &result);
    }
    return 0;
}

static void cancel(void *arg, int32_t reason) {
    struct sim_task *task = arg;
    pdk_result result = PDK_RESULT(PDK_CANCELED, PDK_CAT_NONE, NULL);
    assert_true(task->starts > 0);
    assert_false(task->destroyed);
    if (dead(task)) return;
    assert_true(task->alive); /* nothing is asked of an attempt that has ended, with one thread */
    assert_int_equal(task->cancels++, 0);
    task->all_cancels++;
    task->reason = reason;
    task->canceled_at = task->sim->now;
    if (task->deaf || task->stubborn) return;
    later(task, task->patience, &result);
}

static void kill_task(void *arg) {
    struct sim_task *task = arg;
    pdk_result result = PDK_RESULT(PDK_CANCELED, PDK_CAT_SIGNAL, NULL);
    result.signal = 9;
    if (dead(task)) return;
    assert_true(task->alive);
    assert_int_equal(task->cancels, 1);
    assert_int_equal(task->kills++, 0);
    task->all_kills++;
    task->killed_at = task->sim->now;
    if (!task->deaf) later(task, 0, &result);
}

static void destroy_task(void *arg) {
    struct sim_task *task = arg;
    assert_false(task->alive); /* I7 */
    (void)dead(task);
    assert_int_equal(task->destroys++, 0);
    task->destroyed = true;
}

static int32_t build(void *arg, const pdk_spec *spec, void **ret, pdk_error *err) {
    struct self *self = arg;
    const pdk_values *v = self->host->values;
    const char *script = NULL, *manner = NULL;
    if (self->sim->fail_builds) return pdk_fail(err, self->sim->fail_builds, NULL, "told to fail", NULL, NULL);
    struct sim_task *task = calloc(1, sizeof *task);
    if (!task) return pdk_fail(err, -ENOMEM, NULL, "out of memory", NULL, NULL);
    assert_int_equal(v->string(v->get(spec->with, "script"), &script), 0);
    assert_int_equal(v->string(v->get(spec->with, "on_cancel"), &manner), 0);
    task->sim = self->sim;
    task->host = self->host;
    task->gone = unheard(self->host); /* built for a process that is no more */
    (void)strlcpy(task->name, spec->name, sizeof task->name);
    (void)strlcpy(task->slot, spec->slot, sizeof task->slot);
    (void)strlcpy(task->script, script, sizeof task->script);
    task->deaf = !strcmp(manner, "deaf");
    task->stubborn = !strcmp(manner, "stubborn");
    if (manner[0] >= '0' && manner[0] <= '9') task->patience = duration(manner);
    task->next = self->sim->tasks;
    self->sim->tasks = task;
    *ret = task;
    return 0;
}

static const pdk_param params[] = {PDK_PARAM("script", PDK_STRING, 0, "-", "A word per attempt"),
                                   PDK_PARAM("on_cancel", PDK_STRING, 0, "polite", "What it does then"),
                                   PDK_PARAM("secret", PDK_STRING, PDK_SECRET, NULL, "Nothing comes of it"),
                                   PDK_PARAM_END};
static const pdk_schema kind = PDK_SCHEMA("fake", "Does what its script says", params);
static const pdk_schema *const kinds[] = {&kind, NULL};
static const pdk_task_ops task_ops = {(uint32_t)sizeof task_ops, 0, start, cancel, kill_task, NULL, destroy_task, NULL};
static const pdk_runner_ops runner = {(uint32_t)sizeof runner, 0, kinds, &task_ops, NULL, build};
const pdk_plugin sim_plugin = {PDK_PLUGIN_HEAD, "fake", "1",  "",      "",  NULL, NULL, &runner, NULL, NULL,
                               create,          NULL,   NULL, destroy, NULL};

/* One without kill. */
static const pdk_task_ops meek_ops = {(uint32_t)sizeof meek_ops, 0, start, cancel, NULL, NULL, destroy_task, NULL};
static const pdk_runner_ops meek = {(uint32_t)sizeof meek, 0, kinds, &meek_ops, NULL, build};
const pdk_plugin sim_meek = {PDK_PLUGIN_HEAD, "meek", "1",  "",      "",  NULL, NULL, &meek, NULL, NULL,
                             create,          NULL,   NULL, destroy, NULL};
