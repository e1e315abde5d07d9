/* SPDX-License-Identifier: Apache-2.0 */
/* A source runs what it was granted, and nothing else. */
#include "sim.h"

#include "core/base/text.h"

static const pdk_source *service;
static const pdk_host *source_host;
static uint32_t settled;

static int32_t create(const pdk_host *host, const pdk_value *config, void **ret, pdk_error *err) {
    (void)config, (void)err;
    source_host = host;
    service = host->get_extension(host, PDK_SOURCE_1);
    *ret = &settled;
    return 0;
}
static void destroy(void *self) {
    (void)self;
}
static void on_settled(void *self, pdk_delivery delivery, const pdk_outcome *outcome) {
    (void)self, (void)delivery, (void)outcome;
    settled++;
}
static const pdk_source_ops ops = {sizeof ops, 0, on_settled, destroy, destroy, NULL, NULL};
static const pdk_plugin plugin = {PDK_PLUGIN_HEAD, "src", "1",  "",      "",  NULL, NULL, NULL, &ops, NULL,
                                  create,          NULL,  NULL, destroy, NULL};

static const pdk_value *parse(const char *json) {
    const pdk_value *value = NULL;
    char text[512];
    (void)strlcpy(text, json, sizeof text);
    for (char *at = text; *at; at++) *at = *at == '\'' ? '"' : *at;
    assert_int_equal(pdk_values_get()->parse(pdk_values_get(), text, strlen(text), "test", &value, NULL), 0);
    return value;
}

static struct pdk_task *declare(const char *name, const char *json) {
    const struct pdk_task_options options = {.name = name, .folder = "/f", .trusted = true};
    const pdk_value *value = parse(json);
    struct pdk_task *task = NULL;
    assert_int_equal(pdk_task_read(value, &options, NULL, &task), 0);
    pdk_values_get()->drop(value);
    return task;
}

static const char *const fake[] = {"fake", NULL}, *const no_kinds[] = {NULL};
static struct pdk_task *tasks[3];
static struct pdk_grant grant;

static struct sim *begin(const char *const *kinds, const char *defaults) {
    struct sim *sim = sim_with(NULL);
    pdk_error err = PDK_ERROR;
    tasks[0] = declare("slow", "{'kind':'fake','with':{'script':'S:1s'},'input':'mine'}");
    tasks[1] = tasks[2] = NULL;
    grant = (struct pdk_grant){tasks, kinds, defaults ? parse(defaults) : NULL};
    settled = 0;
    assert_int_equal(pdk_supervisor_limit(sim->s, "src", &(struct pdk_instance_limits){.grant = &grant}), 0);
    if (pdk_supervisor_add(sim->s, &plugin, NULL, &err) < 0) fail_msg("%s", err.message);
    sim_turn(sim);
    return sim;
}

static void end(struct sim *sim) {
    sim_end(sim);
    for (size_t i = 0; tasks[i]; i++) pdk_task_drop(tasks[i]);
    pdk_values_get()->drop(grant.defaults);
}

static int32_t submit(const char *json, pdk_run *run, pdk_error *err) {
    const pdk_value *spec = parse(json);
    pdk_submission given = {.struct_size = sizeof given, .delivery = 1, .spec = spec};
    int32_t rc = service->submit(service, &given, run, err);
    pdk_values_get()->drop(spec);
    return rc;
}

static void assert_refused(const char *json, const char *message) {
    pdk_error err = PDK_ERROR;
    pdk_run run;
    assert_int_equal(submit(json, &run, &err), -EINVAL);
    assert_string_equal(err.message, message);
}

static pdk_run accepted(const char *json) {
    pdk_error err = PDK_ERROR;
    pdk_run run = 0;
    if (submit(json, &run, &err) < 0) fail_msg("%s", err.message);
    return run;
}

static void nothing_else_runs(void **state) {
    (void)state;
    struct sim *sim = begin(no_kinds, NULL);
    assert_refused("{'task':'other'}", "test: /task: \"other\" is no task that this source may run");
    assert_refused("{'task':['slow']}", "test: /task: expected the name of a task");
    assert_refused("{'name':'n','kind':'fake'}", "test: \"fake\" is no kind that this source may name");
    assert_refused("{'name':'n','command':'rm -rf /'}", "test: \"subprocess\" is no kind that this source may name");
    assert_refused("'rm -rf /'", "test: \"name\" is missing");
    assert_refused("{'task':'slow','with':{}}", "test: unknown field \"with\"");
    assert_refused("{'task':'slow','user':'root'}", "test: unknown field \"user\"");
    assert_int_equal(sim->starts_total, 0);
    end(sim);
    sim = begin(fake, NULL);
    assert_refused("{'name':'n','kind':'fake','restart':'always'}",
                   "test: it never ends, so that nobody would be answered");
    assert_refused("{'name':'n','kind':'fake','env':{'A':{'file':'/etc/shadow'}}}",
                   "test: /env/A: only a task of a file may read a secret from a file");
    end(sim);
}

static void the_input_is_the_message(void **state) {
    (void)state;
    struct sim *sim = begin(no_kinds, NULL);
    const char *text = NULL;
    pdk_run named = accepted("{'task':'slow','input':'yours'}"), plain = accepted("{'task':'slow'}");
    pdk_run alone = accepted("{'input':'only'}");
    assert_int_equal(pdk_values_get()->string(sim_run(sim, named)->view->input, &text), 0);
    assert_string_equal(text, "yours");
    assert_int_equal(pdk_values_get()->string(sim_run(sim, plain)->view->input, &text), 0);
    assert_string_equal(text, "mine");
    assert_int_equal(pdk_values_get()->string(sim_run(sim, alone)->view->input, &text), 0);
    assert_string_equal(text, "only");
    sim_advance(sim, 2 * S);
    assert_int_equal(settled, 3); /* at the same time: each in a slot of its own */
    end(sim);
}

static void a_slot_that_is_written_counts(void **state) {
    (void)state;
    struct sim *sim = begin(fake, "{'timeout':'7s'}");
    pdk_run run = accepted("{'name':'a','kind':'fake','slot':'s','with':{'script':'S:1s'}}");
    assert_int_equal(sim_run(sim, run)->spec->plugin.timeout_ns, 7 * S);
    (void)accepted("{'name':'b','kind':'fake','slot':'s','with':{'script':'S:1s'}}");
    pdk_run same[] = {accepted("{'name':'c','kind':'fake','with':{'script':'S:1s'}}"),
                      accepted("{'name':'c','kind':'fake','with':{'script':'S:1s'}}")};
    pdk_run mine = sim_submit(sim, "c", "'with':{'script':'S:1s'}"); /* whose slot is called the same */
    sim_advance(sim, 0);
    assert_int_equal(settled, 1); /* b: slot_busy */
    assert_int_equal(sim_state(sim, same[0]), PDK_STATE_RUNNING);
    assert_int_equal(sim_state(sim, same[1]), PDK_STATE_RUNNING);
    assert_string_equal(sim_run(sim, same[0])->view->slot, "c-3");
    assert_string_equal(sim_run(sim, same[0])->run_id, "fake-c-3");
    assert_string_equal(pdk_record_short(sim_run(sim, same[0])), "c-3");
    assert_int_equal(sim_state(sim, mine), PDK_STATE_RUNNING);
    sim_advance(sim, 2 * S);
    assert_int_equal(settled, 4);
    end(sim);
}

static void a_template_of_a_task_takes_input_alone(void **state) {
    (void)state;
    struct sim *sim = begin(no_kinds, NULL);
    const pdk_value *spec = parse("{'task':'slow'}"), *other = parse("{'script':'F'}"), *wrong = parse("{'task':'x'}");
    const pdk_template *base = NULL;
    pdk_error err = PDK_ERROR;
    pdk_run run;
    assert_int_equal(service->prepare(service, wrong, &base, &err), -ENOENT);
    assert_int_equal(service->prepare(service, spec, &base, &err), 0);
    pdk_submission given = {.struct_size = sizeof given, .base = base, .with = other};
    assert_int_equal(service->submit(service, &given, &run, &err), -EINVAL);
    assert_string_equal(err.message, "with is the task's own: a message gives its input alone");
    given.with = NULL;
    given.input = other;
    assert_int_equal(service->submit(service, &given, &run, &err), 0);
    assert_int_equal(pdk_values_get()->type(sim_run(sim, run)->view->input), PDK_MAP);
    given.struct_size = offsetof(pdk_submission, input); /* a plugin that knows of no input */
    assert_int_equal(service->submit(service, &given, &run, &err), 0);
    assert_int_equal(pdk_values_get()->type(sim_run(sim, run)->view->input), PDK_STRING);
    sim_advance(sim, 2 * S);
    assert_int_equal(settled, 2);
    service->release(service, base);
    pdk_values_get()->drop(spec);
    pdk_values_get()->drop(other);
    pdk_values_get()->drop(wrong);
    end(sim);
}

static const pdk_host *late_host;
static bool source_started;

static int32_t late_create(const pdk_host *host, const pdk_value *config, void **ret, pdk_error *err) {
    late_host = host;
    return sim_plugin.create(host, config, ret, err);
}
static int32_t late_start(void *self, pdk_error *err) {
    (void)self, (void)err;
    return 0; /* and says how it is later */
}
static int32_t source_start(void *self, pdk_error *err) {
    (void)self, (void)err;
    source_started = true;
    return 0;
}

static void a_source_starts_when_all_runners_have_spoken(void **state) {
    (void)state;
    pdk_plugin late = sim_plugin, source = plugin;
    pdk_supervisor *s = NULL;
    pdk_error err = PDK_ERROR;
    late.create = late_create;
    late.start = late_start;
    source.start = source_start;
    source_started = false;
    assert_int_equal(pdk_supervisor_create(NULL, &s, &err), 0);
    assert_int_equal(pdk_supervisor_add(s, &source, NULL, &err), 0);
    assert_int_equal(pdk_supervisor_add(s, &late, NULL, &err), 0);
    assert_int_equal(pdk_supervisor_start(s, &err), 0);
    assert_false(source_started);
    late_host->health(late_host, PDK_UP, "");
    pdk_turn(s);
    assert_true(source_started);
    pdk_supervisor_destroy(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_else_runs),
        cmocka_unit_test(the_input_is_the_message),
        cmocka_unit_test(a_slot_that_is_written_counts),
        cmocka_unit_test(a_template_of_a_task_takes_input_alone),
        cmocka_unit_test(a_source_starts_when_all_runners_have_spoken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
