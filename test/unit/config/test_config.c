/* SPDX-License-Identifier: Apache-2.0 */
/* What a configuration says: limits, variables, order, and real files of other supervisors said in our words. */
#include <glob.h>

#include "load.h"

#include "core/base/clock.h"

static void absent_limits_are_their_defaults(void **state) {
    (void)state;
    struct loaded loaded = load_good("tasks: {}\nx-anything: [&a {b: c}, *a]\n");
    const struct pdk_limits *limits = &loaded.config->limits;
    assert_int_equal(limits->running, 0);
    assert_int_equal(limits->queued, 100000);
    assert_int_equal(limits->slot_queue, 100);
    assert_int_equal(limits->history, 1000);
    assert_int_equal(limits->history_age, PDK_DAY);
    assert_int_equal(limits->events, 1024);
    assert_int_equal(limits->line, 16384);
    assert_int_equal(limits->drain, 0);
    assert_int_equal(limits->grace, 30 * PDK_SECOND);
    assert_int_equal(limits->flush, 5 * PDK_SECOND);
    unload(&loaded);
}

static void limits_are_read(void **state) {
    (void)state;
    struct loaded loaded =
        load_good("limits: {running: 4, queued: 1, slot_queue: 7, history: 0, history_age: 0, events: 16, line: 1MiB}\n"
                  "shutdown: {drain: 1s, grace: 0s, flush: 2s}\n");
    const struct pdk_limits *limits = &loaded.config->limits;
    assert_int_equal(limits->running, 4);
    assert_int_equal(limits->queued, 1);
    assert_int_equal(limits->slot_queue, 7);
    assert_int_equal(limits->history_age, 0);
    assert_int_equal(limits->events, 16);
    assert_int_equal(limits->line, 1 << 20);
    assert_int_equal(limits->drain, PDK_SECOND);
    assert_int_equal(limits->grace, 0);
    assert_int_equal(limits->flush, 2 * PDK_SECOND);
    unload(&loaded);
    loaded = load_good("limits: {running: unlimited}\n");
    assert_int_equal(loaded.config->limits.running, 0);
    unload(&loaded);
}

static void a_configuration_may_come_as_json(void **state) {
    (void)state;
    static const char text[] = "{\"tasks\": {\"web\": {\"command\": \"x\", \"needs\": [\"wbe\"], \"timeout\": 5}}}";
    const pdk_values *values = pdk_values_get();
    struct loaded loaded = {.config = NULL};
    const pdk_value *value = NULL;
    assert_int_equal(values->parse(values, text, sizeof text - 1, "socket", &value, NULL), 0);
    assert_int_equal(pdk_config_read(value, NULL, &loaded.report, &loaded.config), -EINVAL);
    values->drop(value);
    print_report(&loaded);
    assert_printed(
        &loaded, "socket: error: /tasks/web/timeout: a duration needs a unit\n    write 5s or 5m\n1 error in 1 file\n");
    unload(&loaded);
}

static const char *with_text(const struct loaded *loaded, const char *task, const char *key) {
    const char *text = NULL;
    struct pdk_task *t = pdk_config_task(loaded->config, task);
    assert_non_null(t);
    assert_int_equal(pdk_values_get()->string(pdk_values_get()->get(t->plugin.with, key), &text), 0);
    return text;
}

/* From a file: only there are variables put in. */
static struct loaded load_variables(const char *text) {
    static const char *const files[] = {"/tmp/paddock-test-variables.yaml", NULL};
    FILE *file = fopen(files[0], "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    struct loaded loaded = load_files(files);
    assert_int_equal(remove(files[0]), 0);
    return loaded;
}

static void variables_are_put_into_values(void **state) {
    (void)state;
    assert_int_equal(setenv("PDK_A", "aaa", 1) | setenv("PDK_EMPTY", "", 1) | unsetenv("PDK_NONE"), 0);
    struct loaded loaded = load_variables(
        "defaults: {timeout: '${PDK_NONE:-5m}'}\n"
        "tasks:\n"
        "  t:\n"
        "    kind: k\n"
        "    with: {a: 'x${PDK_A}y${PDK_A}', b: '${PDK_EMPTY}', c: '${PDK_EMPTY:-d e}', d: '$$${PDK_A}', e: "
        "'$${PDK_A}',\n"
        "      f: $PDK_A, '${PDK_A}': key, g: '${PDK_NONE:-}', h: '${PDK_A:?never}'}\n"
        "  c: {command: 'echo ${PDK_A}', stop: {command: 'b ${PDK_A}'}, ready: {command: 'c ${PDK_A}'}}\n"
        "  s: echo ${PDK_A}\n"
        "  l: [echo, '${PDK_A}']\n");
    static const pdk_param rows[] = {PDK_PARAM("command", PDK_STRINGS, 0, NULL, ""),
                                     PDK_PARAM("stop", PDK_MAP, 0, NULL, ""), PDK_PARAM_END};
    static const pdk_schema schema = PDK_SCHEMA("subprocess", "", rows);
    static const struct {
        const char *key, *text;
    } cases[] = {{"a", "xaaayaaa"}, {"b", ""},           {"c", "d e"}, {"d", "$${PDK_A}"}, {"e", "${PDK_A}"},
                 {"f", "$PDK_A"},   {"${PDK_A}", "key"}, {"g", ""},    {"h", "aaa"}};
    static const struct {
        const char *task, *with;
    } commands[] = {
        {"c", "{\"command\":[\"/bin/sh\",\"-c\",\"echo "
              "${PDK_A}\"],\"stop\":{\"signal\":\"TERM\",\"to\":\"group\",\"command\":[\"/bin/sh\",\"-c\",\"b "
              "${PDK_A}\"]}}"},
        {"s", "{\"command\":[\"/bin/sh\",\"-c\",\"echo ${PDK_A}\"],\"stop\":{\"signal\":\"TERM\",\"to\":\"group\"}}"},
        {"l", "{\"command\":[\"echo\",\"aaa\"],\"stop\":{\"signal\":\"TERM\",\"to\":\"group\"}}"}};
    assert_printed(&loaded, "");
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_string_equal(with_text(&loaded, "t", cases[i].key), cases[i].text);
    assert_int_equal(pdk_config_task(loaded.config, "t")->plugin.timeout_ns, 5 * PDK_MINUTE);
    assert_string_equal(pdk_config_task(loaded.config, "c")->ready.command[2], "c ${PDK_A}");
    for (size_t i = 0; i < COUNT_OF(commands); i++) {
        struct pdk_buffer json = PDK_BUFFER(4096);
        struct pdk_task *complete = NULL;
        assert_int_equal(
            pdk_task_complete(pdk_config_task(loaded.config, commands[i].task), &schema, NULL, "p", NULL, &complete),
            0);
        (void)pdk_values_get()->print(pdk_values_get(), complete->plugin.with, 0, pdk_buffer_write, &json);
        assert_string_equal(pdk_buffer_string(&json), commands[i].with);
        pdk_buffer_free(&json);
        pdk_task_drop(complete);
    }
    unload(&loaded);
}

static void bad_variables_are_told(void **state) {
    (void)state;
    assert_int_equal(setenv("PDK_LATIN", "\xe4", 1) | unsetenv("PDK_NONE"), 0);
    struct loaded loaded =
        load_variables("tasks:\n  t:\n    kind: k\n    timeout: ${PDK_NONE}\n    restrat: x\n    with: {a: "
                       "'${PDK_NONE:?say where}', b: '${}', c: '${1A}', d: '${A', e: '${PDK_LATIN}'}\n");
    assert_int_equal(loaded.rc, -EINVAL);
    assert_printed(&loaded,
                   "/tmp/paddock-test-variables.yaml:4:14: error: tasks.t.timeout: the variable PDK_NONE is not set\n"
                   "  4 |     timeout: ${PDK_NONE}\n"
                   "    |              ^~~~~~~~~~~ set it, or write ${PDK_NONE:-default}\n"
                   "/tmp/paddock-test-variables.yaml:5:5: error: tasks.t: unknown field \"restrat\"\n"
                   "  5 |     restrat: x\n"
                   "    |     ^~~~~~~ did you mean \"restart\"?\n"
                   "/tmp/paddock-test-variables.yaml:6:15: error: tasks.t.with.a: the variable PDK_NONE is not set\n"
                   "  6 |     with: {a: '${PDK_NONE:?say where}', b: '${}', c: '${1A}', d: '${A', e: '${PDK_LATIN}'}\n"
                   "    |               ^~~~~~~~~~~~~~~~~~~~~~~~ say where\n"
                   "/tmp/paddock-test-variables.yaml:6:44: error: tasks.t.with.b: this is not a variable: ${}\n"
                   "  6 |     with: {a: '${PDK_NONE:?say where}', b: '${}', c: '${1A}', d: '${A', e: '${PDK_LATIN}'}\n"
                   "    |                                            ^~~~~ write ${NAME}, ${NAME:-text}, "
                   "${NAME:?message}, or $${ for a plain ${\n"
                   "/tmp/paddock-test-variables.yaml:6:54: error: tasks.t.with.c: this is not a variable: ${1A}\n"
                   "  6 |     with: {a: '${PDK_NONE:?say where}', b: '${}', c: '${1A}', d: '${A', e: '${PDK_LATIN}'}\n"
                   "    |                                                      ^~~~~~~ write ${NAME}, ${NAME:-text}, "
                   "${NAME:?message}, or $${ for a plain ${\n"
                   "/tmp/paddock-test-variables.yaml:6:66: error: tasks.t.with.d: this is not a variable: ${A\n"
                   "  6 |     with: {a: '${PDK_NONE:?say where}', b: '${}', c: '${1A}', d: '${A', e: '${PDK_LATIN}'}\n"
                   "    |                                                                  ^~~~~ write ${NAME}, "
                   "${NAME:-text}, ${NAME:?message}, or $${ for a plain ${\n"
                   "/tmp/paddock-test-variables.yaml:6:76: error: tasks.t.with.e: the variable PDK_LATIN is not UTF-8\n"
                   "  6 |     with: {a: '${PDK_NONE:?say where}', b: '${}', c: '${1A}', d: '${A', e: '${PDK_LATIN}'}\n"
                   "    |                                                                            ^~~~~~~~~~~~~~\n"
                   "7 errors in 1 file\n");
    unload(&loaded);
}

static void real_files_can_be_said(void **state) {
    static const char *const later[] = {"08", "09", "11", "12", "13", "14", "15", "16"};
    glob_t found;
    (void)state;
    assert_int_equal(glob("unit/config/data/real/*.yaml", 0, NULL, &found), 0);
    assert_int_equal(found.gl_pathc, 18);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        const char *files[] = {found.gl_pathv[i], NULL};
        struct loaded loaded = load_files(files);
        bool is_later = false;
        for (size_t k = 0; k < COUNT_OF(later); k++) is_later |= strstr(files[0], later[k]) != NULL;
        assert_int_equal(loaded.rc, is_later ? -EINVAL : 0);
        assert_int_equal(loaded.report.errors > 0, is_later);
        for (uint32_t k = 0; k < loaded.report.count; k++)
            assert_non_null(strstr(loaded.report.faults[k].message, "\" comes with a later version"));
        unload(&loaded);
    }
    globfree(&found);
}

static void long_chains_need_no_stack(void **state) {
    (void)state;
    enum { TASKS = 20000 };
    struct pdk_buffer text = PDK_BUFFER(4 << 20);
    pdk_buffer_text(&text, "tasks:\n");
    for (int i = 0; i < TASKS; i++) pdk_buffer_format(&text, "  t%d: {command: x, needs: t%d}\n", i, (i + 1) % TASKS);
    struct loaded loaded = load_text(pdk_buffer_string(&text));
    assert_int_equal(loaded.report.errors, 1);
    assert_non_null(strstr(loaded.report.faults[0].message, "t0 waits for itself: t0 -> t1 -> "));
    pdk_buffer_free(&text);
    unload(&loaded);
}

static void the_schema_has_every_field(void **state) {
    (void)state;
    static const pdk_param rows[] = {PDK_PARAM("url", PDK_STRING, PDK_REQUIRED, NULL, "Where to"),
                                     PDK_PARAM("env", PDK_MAP, 0, NULL, ""), PDK_PARAM_END};
    static const pdk_schema http = PDK_SCHEMA("http", "Calls a URL", rows);
    const pdk_schema *kinds[] = {&http, NULL};
    const pdk_values *values = pdk_values_get();
    const pdk_value *schema = NULL, *again = NULL, *defs, *task, *fields, *kind;
    const struct pdk_field_doc *doc;
    struct pdk_buffer text = PDK_BUFFER(1 << 20);
    assert_int_equal(pdk_config_schema(kinds, &schema), 0);
    assert_int_equal(values->print(values, schema, PDK_JSON_INDENT, pdk_buffer_write, &text), 0);
    assert_int_equal(values->parse(values, pdk_buffer_string(&text), text.size, "schema", &again, NULL), 0);
    assert_true(pdk_value_equal(schema, again));
    defs = values->get(schema, "$defs");
    task = values->at(values->get(values->get(defs, "task"), "anyOf"), 1);
    fields = values->get(task, "properties");
    for (size_t i = 0; (doc = pdk_task_field(i)); i++) assert_non_null(values->get(fields, doc->name));
    assert_null(values->get(fields, "schedule"));
    assert_null(values->get(values->get(values->get(defs, "defaults"), "properties"), "command"));
    kind = values->at(values->get(task, "allOf"), 0);
    kind = values->get(values->get(values->get(kind, "then"), "properties"), "with");
    assert_non_null(values->get(values->get(kind, "properties"), "url"));
    assert_null(values->get(values->get(kind, "properties"), "env")); /* handed on by the task */
    pdk_buffer_free(&text);
    values->drop(again);
    values->drop(schema);
    assert_int_equal(pdk_config_schema(NULL, &schema), 0);
    task = values->at(values->get(values->get(values->get(schema, "$defs"), "task"), "anyOf"), 1);
    assert_null(values->get(task, "allOf"));
    values->drop(schema);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(absent_limits_are_their_defaults), cmocka_unit_test(limits_are_read),
        cmocka_unit_test(a_configuration_may_come_as_json), cmocka_unit_test(variables_are_put_into_values),
        cmocka_unit_test(bad_variables_are_told),           cmocka_unit_test(real_files_can_be_said),
        cmocka_unit_test(long_chains_need_no_stack),        cmocka_unit_test(the_schema_has_every_field),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
