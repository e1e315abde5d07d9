/* SPDX-License-Identifier: Apache-2.0 */
/* A guest keeps a plugin in a process of its own: a crash there is a failed attempt here, and nothing more. */
#include "process.h"
#include "support/unit.h"

#include "paddock/helpers.h"
#include "paddock/supervisor.h"

struct visit {
    pdk_supervisor *supervisor;
    int settled, wanted;
    int32_t ends[4];
    char codes[4][32], messages[4][200];
};

static const pdk_value *parse(const char *json) {
    char text[512];
    const pdk_value *value = NULL;
    (void)snprintf(text, sizeof text, "%s", json);
    for (char *c = text; *c; c++)
        if (*c == '\'') *c = '"';
    assert_int_equal(pdk_values_get()->parse(pdk_values_get(), text, strlen(text), "test", &value, NULL), 0);
    return value;
}

static void begin(struct visit *visit, const char *program, const char *file, const char *isolation, int32_t wanted,
                  pdk_error *err) {
    const pdk_supervisor_options options = {.struct_size = sizeof options};
    pdk_isolated_options how = {.struct_size = sizeof how, .flags = PDK_ISOLATED_ASK, .program = program};
    const pdk_value *value = isolation ? parse(isolation) : NULL;
    how.isolation = value;
    *visit = (struct visit){0};
    assert_int_equal(pdk_supervisor_create(&options, &visit->supervisor, err), 0);
    int32_t rc = pdk_supervisor_load_isolated(visit->supervisor, file, NULL, &how, err);
    if (rc != wanted) fail_msg("%s: %d: %s", file, rc, err->message);
    pdk_values_get()->drop(value);
}

static void on_settled(void *arg, pdk_run run, const pdk_outcome *outcome) {
    struct visit *visit = arg;
    int i = visit->settled++;
    (void)run;
    visit->ends[i] = outcome->end;
    (void)snprintf(visit->codes[i], sizeof visit->codes[i], "%s", outcome->last->code);
    (void)snprintf(visit->messages[i], sizeof visit->messages[i], "%s", outcome->last->message);
    if (visit->settled == visit->wanted) (void)pdk_supervisor_shutdown(visit->supervisor);
}

static void submit(struct visit *visit, const char *spec) {
    const pdk_submit_options options = {.struct_size = sizeof options, .settled = on_settled, .arg = visit};
    const pdk_value *value = parse(spec);
    pdk_error err = PDK_ERROR;
    pdk_run run;
    if (pdk_supervisor_submit(visit->supervisor, value, &options, &run, &err) < 0) fail_msg("%s", err.message);
    pdk_values_get()->drop(value);
    visit->wanted++;
}

static void run(struct visit *visit) {
    pdk_error err = PDK_ERROR;
    if (pdk_supervisor_start(visit->supervisor, &err) < 0) fail_msg("%s", err.message);
    assert_int_equal(pdk_supervisor_run(visit->supervisor), 0);
    pdk_supervisor_destroy(visit->supervisor);
}

static void crash_and_come_back(const char *isolation) {
    struct visit visit;
    pdk_error err = PDK_ERROR;
    begin(&visit, HOST, BAD, isolation, 0, &err);
    submit(&visit, "{'name': 'first', 'slot': 'one', 'when_busy': 'queue', 'kind': 'bad', 'with': {'how': 'abort'}}");
    submit(&visit, "{'name': 'second', 'slot': 'one', 'when_busy': 'queue', 'kind': 'bad', 'with': {'how': 'twice'}}");
    run(&visit);
    assert_int_equal(visit.ends[0], PDK_END_FAILED);
    assert_string_equal(visit.codes[0], "plugin_gone");
    assert_string_equal(visit.messages[0], "its plugin's process was killed by SIGABRT");
    assert_int_equal(visit.ends[1], PDK_END_SUCCEEDED);
}

static void a_crash_is_an_attempt(void **state) {
    (void)state;
    crash_and_come_back(NULL);
    char *things = process_things();
    crash_and_come_back("'process'");
    crash_and_come_back("{'mode': 'process', 'rlimits': {'nofile': 100}, 'ping': {'every': '1s'}}");
    char *after = process_things();
    assert_string_equal(after, things);
    free(after);
    free(things);
}

static void none_is_this_process(void **state) {
    (void)state;
    struct visit visit;
    pdk_error err = PDK_ERROR;
    begin(&visit, "/nowhere/paddock-host", ECHO, "'none'", 0, &err);
    submit(&visit, "{'name': 'here', 'kind': 'echo', 'with': {}}");
    run(&visit);
    assert_int_equal(visit.ends[0], PDK_END_SUCCEEDED);
}

static void what_cannot_be_is_an_error(void **state) {
    static const struct {
        const char *program, *file, *isolation;
        int32_t code;
        const char *words;
    } cases[] = {
        {"/nowhere/paddock-host", BAD, NULL, -ENOENT, "cannot run /nowhere/paddock-host: No such file or directory"},
        {HOST, PROMETHEUS, NULL, -ENOTSUP,
         "only a runner can have a process of its own, and plugin \"prometheus\" is a metrics backend"},
        {HOST, BAD, "'thread'", -EINVAL, "\"thread\" is not one of its values"},
        {HOST, BAD, "{'mode': 'process', 'rlimits': {'nofiles': 1}}", -EINVAL, "unknown field \"nofiles\""},
        {HOST, BAD, "{'mode': 'process', 'user': 'nobody-of-that-name'}", -ENOENT,
         "there is no user \"nobody-of-that-name\""},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct visit visit;
        pdk_error err = PDK_ERROR;
        begin(&visit, cases[i].program, cases[i].file, cases[i].isolation, cases[i].code, &err);
        if (!strstr(err.message, cases[i].words)) fail_msg("%zu: %s (%s)", i, err.message, err.hint);
        pdk_supervisor_destroy(visit.supervisor);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_crash_is_an_attempt),
        cmocka_unit_test(none_is_this_process),
        cmocka_unit_test(what_cannot_be_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
