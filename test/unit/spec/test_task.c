/* SPDX-License-Identifier: Apache-2.0 */
/* Tasks read from JSON: defaults, every field, shorthands, what a source may not do. */
#include "read.h"

#include "core/base/clock.h"

static void an_absent_field_is_its_default(void **state) {
    (void)state;
    struct pdk_task *t = task("{'command': ['a']}");
    assert_string_equal(t->plugin.name, "t");
    assert_string_equal(t->plugin.slot, "t");
    assert_string_equal(t->plugin.kind, "subprocess");
    assert_int_equal(t->plugin.struct_size, sizeof(pdk_spec));
    assert_json(t->plugin.with, "{}");
    assert_json(t->plugin.labels, "{}");
    assert_json(t->plugin.whole, "{'command':['a']}");
    assert_null(t->plugin.input);
    assert_int_equal(t->plugin.timeout_ns, 0);
    assert_int_equal(t->plugin.grace_ns, 10 * PDK_SECOND);
    assert_int_equal(t->kill_wait, 5 * PDK_SECOND);
    assert_int_equal(t->deadline, 0);
    assert_int_equal(t->selector.count, 0);
    assert_int_equal(t->policy.restart, PDK_RESTART_NEVER);
    assert_int_equal(t->policy.jitter, PDK_JITTER_EQUAL);
    assert_int_equal(t->policy.retries, PDK_RETRIES_UNLIMITED);
    assert_int_equal(t->policy.backoff_first, 200 * PDK_MILLISECOND);
    assert_int_equal(t->policy.backoff_max, 30 * PDK_SECOND);
    assert_int_equal(t->policy.backoff_factor, 2 << 20);
    assert_int_equal(t->policy.backoff_reset, PDK_MINUTE);
    assert_int_equal(t->policy.start_burst, 0);
    assert_int_equal(t->when_busy, PDK_BUSY_DROP);
    assert_string_equal(t->description, "");
    assert_false(t->manual);
    assert_int_equal(t->replicas, 1);
    assert_int_equal(t->replica, 0);
    assert_null(t->after[0]);
    assert_null(t->needs[0]);
    assert_int_equal(t->ready.kind, PDK_CHECK_NONE);
    assert_null(t->log.file);
    pdk_task_drop(t);
}

static void every_field_is_read(void **state) {
    (void)state;
    struct pdk_task *t = task(
        "{'kind': 'job', 'with': {'a': 1}, 'input': [1], 'labels': {'a': 'b', 'n': 1}, 'selector': {'zone': 'local'},"
        " 'description': 'd', 'manual': true, 'replicas': 3, 'restart': 'always', 'timeout': '5m', 'deadline': '1h',"
        " 'stop': {'grace': '1m'}, 'after': ['a', 'b'], 'needs': 'c', 'slot': 's', 'when_busy': 'replace',"
        " 'backoff': {'first': '1s', 'max': '2s', 'factor': 1.1, 'jitter': 'decorrelated', 'reset': '3s'},"
        " 'retries': {'limit': 4, 'within': '5s'},"
        " 'log': {'file': 'a.log', 'stderr': '/b.log', 'max_size': '1MB', 'keep': 0}}");
    assert_string_equal(t->plugin.kind, "job");
    assert_string_equal(t->plugin.slot, "s");
    assert_json(t->plugin.with, "{'a':1}");
    assert_json(t->plugin.input, "[1]");
    assert_json(t->plugin.labels, "{'a':'b','n':'1'}");
    assert_int_equal(t->selector.count, 1);
    assert_string_equal(t->selector.requirements[0].values[0], "local");
    assert_string_equal(t->description, "d");
    assert_true(t->manual);
    assert_int_equal(t->replicas, 3);
    assert_int_equal(t->plugin.timeout_ns, 5 * PDK_MINUTE);
    assert_int_equal(t->deadline, PDK_HOUR);
    assert_int_equal(t->plugin.grace_ns, PDK_MINUTE);
    assert_string_equal(t->after[1], "b");
    assert_null(t->after[2]);
    assert_string_equal(t->needs[0], "c");
    assert_int_equal(t->when_busy, PDK_BUSY_REPLACE);
    assert_int_equal(t->policy.restart, PDK_RESTART_ALWAYS);
    assert_int_equal(t->policy.backoff_first, PDK_SECOND);
    assert_int_equal(t->policy.backoff_max, 2 * PDK_SECOND);
    assert_int_equal(t->policy.backoff_factor, 1153434); /* round(1.1 * 2^20) */
    assert_int_equal(t->policy.jitter, PDK_JITTER_DECORRELATED);
    assert_int_equal(t->policy.backoff_reset, 3 * PDK_SECOND);
    assert_int_equal(t->policy.retries, 4);
    assert_int_equal(t->policy.retries_within, 5 * PDK_SECOND);
    assert_string_equal(t->log.file, "/f/a.log");
    assert_string_equal(t->log.stderr_file, "/b.log");
    assert_int_equal(t->log.max_size, 1000000);
    assert_int_equal(t->log.keep, 0);
    pdk_task_drop(t);
}

static void restart_is_implied(void **state) {
    (void)state;
    static const struct {
        const char *text;
        enum pdk_restart restart;
        uint64_t every;
        uint32_t retries, burst;
    } cases[] = {
        {"{'command': 'x', 'retries': 3}", PDK_RESTART_ON_FAILURE, 0, 3, 0},
        {"{'command': 'x', 'retries': 0}", PDK_RESTART_ON_FAILURE, 0, 0, 0},
        {"{'command': 'x', 'retries': 'unlimited'}", PDK_RESTART_ON_FAILURE, 0, PDK_RETRIES_UNLIMITED, 0},
        {"{'command': 'x', 'backoff': '5s'}", PDK_RESTART_ON_FAILURE, 0, PDK_RETRIES_UNLIMITED, 0},
        {"{'command': 'x', 'every': '5s'}", PDK_RESTART_ALWAYS, 5 * PDK_SECOND, PDK_RETRIES_UNLIMITED, 0},
        {"{'command': 'x', 'every': '5s', 'retries': 2}", PDK_RESTART_ALWAYS, 5 * PDK_SECOND, 2, 0},
        {"{'command': 'x', 'every': '5s', 'restart': 'always'}", PDK_RESTART_ALWAYS, 5 * PDK_SECOND,
         PDK_RETRIES_UNLIMITED, 0},
        {"{'command': 'x', 'restart': 'always'}", PDK_RESTART_ALWAYS, 0, PDK_RETRIES_UNLIMITED, 10},
        {"{'command': 'x', 'restart': 'always', 'retries': 1}", PDK_RESTART_ALWAYS, 0, 1, 10},
        {"{'command': 'x', 'restart': 'never'}", PDK_RESTART_NEVER, 0, PDK_RETRIES_UNLIMITED, 0},
        {"{'command': 'x', 'backoff': '0s'}", PDK_RESTART_ON_FAILURE, 0, PDK_RETRIES_UNLIMITED, 10},
        {"{'command': 'x', 'backoff': {'first': '0s'}}", PDK_RESTART_ON_FAILURE, 0, PDK_RETRIES_UNLIMITED, 10},
        {"{'command': 'x', 'every': '5s', 'backoff': '0s'}", PDK_RESTART_ALWAYS, 5 * PDK_SECOND, PDK_RETRIES_UNLIMITED,
         10},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct pdk_task *t = task(cases[i].text);
        assert_int_equal(t->policy.restart, cases[i].restart);
        assert_int_equal(t->policy.every, cases[i].every);
        assert_int_equal(t->policy.retries, cases[i].retries);
        assert_int_equal(t->policy.start_burst, cases[i].burst);
        assert_int_equal(t->policy.start_within, cases[i].burst ? 10 * PDK_SECOND : 0);
        pdk_task_drop(t);
    }
}

static void a_backoff_may_be_one_duration(void **state) {
    (void)state;
    struct pdk_task *t = task("{'command': 'x', 'backoff': '5s'}");
    assert_int_equal(t->policy.backoff_first, 5 * PDK_SECOND);
    assert_int_equal(t->policy.backoff_max, 5 * PDK_SECOND);
    assert_int_equal(t->policy.backoff_factor, 1 << 20);
    assert_int_equal(t->policy.jitter, PDK_JITTER_NONE);
    assert_int_equal(t->policy.backoff_reset, PDK_MINUTE);
    pdk_task_drop(t);
}

static void a_backoff_is_nothing_or_a_millisecond(void **state) {
    (void)state;
    struct pdk_task *t = task("{'command': 'x', 'backoff': '0s'}");
    assert_int_equal(t->policy.backoff_first, 0);
    assert_int_equal(t->policy.backoff_max, 0);
    pdk_task_drop(t);
    assert_refused("{'command': 'x', 'backoff': '999us'}",
                   "/backoff: 999us is out of range / expected 0s, or 1ms to 365d");
    assert_refused("{'command': 'x', 'backoff': {'max': '0s'}}",
                   "/backoff: max is 0s, less than first / expected 200ms or more");
}

static void what_the_task_says_counts_more_than_defaults(void **state) {
    (void)state;
    static const struct {
        const char *defaults, *text;
        enum pdk_restart restart;
        uint64_t every;
    } cases[] = {
        {"{'restart': 'always'}", "{'command': 'x'}", PDK_RESTART_ALWAYS, 0},
        {"{'restart': 'always'}", "{'command': 'x', 'restart': 'never'}", PDK_RESTART_NEVER, 0},
        {"{'restart': 'never'}", "{'command': 'x', 'retries': 1}", PDK_RESTART_ON_FAILURE, 0},
        {"{'retries': 1}", "{'command': 'x', 'restart': 'never'}", PDK_RESTART_NEVER, 0},
        {"{'retries': 1}", "{'command': 'x'}", PDK_RESTART_ON_FAILURE, 0},
        {"{'every': '1s'}", "{'command': 'x', 'restart': 'never'}", PDK_RESTART_NEVER, 0},
        {"{'every': '1s'}", "{'command': 'x', 'retries': 1}", PDK_RESTART_ALWAYS, PDK_SECOND},
        {"{'restart': 'on-failure'}", "{'command': 'x', 'every': '1s'}", PDK_RESTART_ALWAYS, PDK_SECOND},
        {"{'backoff': '1s', 'restart': 'always'}", "{'command': 'x'}", PDK_RESTART_ALWAYS, 0},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const pdk_value *defaults = json(cases[i].defaults);
        struct pdk_task_options options = {.name = "t", .defaults = defaults};
        struct pdk_task *t = task_with(cases[i].text, &options);
        pdk_values_get()->drop(defaults);
        assert_int_equal(t->policy.restart, cases[i].restart);
        assert_int_equal(t->policy.every, cases[i].every);
        pdk_task_drop(t);
    }
}

static void maps_of_defaults_are_merged(void **state) {
    (void)state;
    const pdk_value *defaults =
        json("{'labels': {'a': '1', 'b': '1'}, 'with': {'x': {'y': 1}, 'z': 1},"
             " 'backoff': {'reset': '9s'}, 'stop': 'QUIT', 'ready': '2s', 'selector': {'a': 'b'}}");
    struct pdk_task_options options = {.name = "t", .defaults = defaults};
    struct pdk_task *t = task_with("{'kind': 'k', 'labels': {'b': '2'}, 'with': {'x': {'q': 2}}, 'backoff': '5s',"
                                   " 'stop': {'grace': '1s'}, 'selector': {'c': 'd'}}",
                                   &options);
    pdk_values_get()->drop(defaults);
    assert_json(t->plugin.labels, "{'a':'1','b':'2'}");
    assert_json(t->plugin.with, "{'x':{'q':2},'z':1}"); /* one level deep */
    assert_int_equal(t->policy.backoff_first, 5 * PDK_SECOND);
    assert_int_equal(t->policy.backoff_max, 5 * PDK_SECOND);
    assert_int_equal(t->policy.backoff_factor, 1 << 20);
    assert_int_equal(t->policy.jitter, PDK_JITTER_NONE);
    assert_int_equal(t->policy.backoff_reset, 9 * PDK_SECOND);
    assert_int_equal(t->plugin.grace_ns, PDK_SECOND);
    assert_int_equal(t->ready.kind, PDK_CHECK_AFTER);
    assert_int_equal(t->selector.count, 1); /* replaced */
    assert_string_equal(t->selector.requirements[0].key, "c");
    pdk_task_drop(t);
}

static void ready_has_many_forms(void **state) {
    (void)state;
    struct pdk_task *t = task("{'command': 'x', 'ready': 'notify'}");
    assert_int_equal(t->ready.kind, PDK_CHECK_NOTIFY);
    assert_int_equal(t->ready.within, PDK_MINUTE);
    pdk_task_drop(t);
    t = task("{'command': 'x', 'ready': {'notify': true, 'within': '10m'}}");
    assert_int_equal(t->ready.kind, PDK_CHECK_NOTIFY);
    assert_int_equal(t->ready.within, 10 * PDK_MINUTE);
    pdk_task_drop(t);
    t = task("{'command': 'x', 'ready': '2s'}");
    assert_int_equal(t->ready.kind, PDK_CHECK_AFTER);
    assert_int_equal(t->ready.after, 2 * PDK_SECOND);
    pdk_task_drop(t);
    t = task("{'command': 'x', 'ready': {'command': 'curl x', 'every': '1s', 'timeout': '2s'}}");
    assert_int_equal(t->ready.kind, PDK_CHECK_COMMAND);
    assert_string_equal(t->ready.command[0], "/bin/sh");
    assert_string_equal(t->ready.command[2], "curl x");
    assert_null(t->ready.command[3]);
    assert_int_equal(t->ready.every, PDK_SECOND);
    assert_int_equal(t->ready.timeout, 2 * PDK_SECOND);
    pdk_task_drop(t);
    t = task("{'command': 'x', 'ready': {'tcp': '[::1]:80'}}");
    assert_int_equal(t->ready.kind, PDK_CHECK_TCP);
    assert_string_equal(t->ready.host, "::1");
    assert_string_equal(t->ready.port, "80");
    pdk_task_drop(t);
    t = task("{'command': 'x', 'ready': {'line': 'listening on [0-9]{2,5}'}}");
    assert_int_equal(t->ready.kind, PDK_CHECK_LINE);
    assert_string_equal(t->ready.line, "listening on [0-9]{2,5}");
    pdk_task_drop(t);
}

static void an_expression_that_explodes_is_refused(void **state) {
    (void)state;
    static const char *const lines[] = {"a++++++++++++++++++++", "((((((((((((((a+)+)+)+)+)+)+)+)+)+)+)+)+)+",
                                        "((a{255}){255})", "(a|(b|c{100})?{100}){2}"};
    static const char *const fine[] = {"listening on [0-9]+[.][0-9]+[.][0-9]+[.][0-9]+:[0-9]{2,5}$", "[]+*{99999}]+",
                                       "x{1,50}"};
    char text[160];
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        (void)snprintf(text, sizeof text, "{'command': 'x', 'ready': {'line': '%s'}}", lines[i]);
        assert_refused(text, "/ready/line: this regular expression is too large");
    }
    for (size_t i = 0; i < COUNT_OF(fine); i++) {
        (void)snprintf(text, sizeof text, "{'command': 'x', 'ready': {'line': '%s'}}", fine[i]);
        pdk_task_drop(task(text));
    }
}

static void a_command_may_stand_alone(void **state) {
    (void)state;
    struct pdk_task *t = task("'./x --y'"), *complete;
    assert_string_equal(t->plugin.kind, "subprocess");
    assert_int_equal(pdk_task_complete(t, &program, NULL, "p", NULL, &complete), 0);
    pdk_task_drop(t); /* the completed one keeps what it shares */
    assert_json(pdk_values_get()->get(complete->plugin.with, "command"), "['/bin/sh','-c','./x --y']");
    assert_string_equal(complete->plugin.slot, "t");
    pdk_task_drop(complete);
}

static void a_source_names_its_task(void **state) {
    (void)state;
    struct pdk_task *t =
        task_with("{'name': 'job-7', 'command': ['x'], 'env': {'P': {'credential': 'c'}}}", &of_source);
    assert_string_equal(t->plugin.name, "job-7");
    assert_null(t->file);
    assert_json(t->plugin.whole, "{'command':['x'],'env':{'P':{'credential':'c'}},'name':'job-7'}");
    pdk_task_drop(t);
    assert_refused_with("{'command': 'x'}", &of_source, ": \"name\" is missing");
    assert_refused_with(
        "{'name': 'a/b', 'command': 'x'}", &of_source,
        "/name: \"a/b\" cannot be the name of a task / only letters, digits, '-', '_' and '.' may be in it");
    assert_refused("{'name': 'a', 'command': 'x'}", ": unknown field \"name\"");
}

static void a_source_may_not_read_our_files(void **state) {
    (void)state;
    assert_refused_with(
        "{'name': 'a', 'command': 'x', 'env': {'A': {'file': '/etc/shadow'}, 'B': {'env': 'HOME'}}, "
        "'env_file': '/etc/x', 'log': '/etc/y'}",
        &of_source,
        "/env/A: only a task of a file may read a secret from a file / use {credential: NAME}\n"
        "/env/B: only a task of a file may read a secret from our environment / use {credential: NAME}\n"
        "/env_file: only a task of a file may use env_file / remove it\n"
        "/log: only a task of a file may use log / remove it");
}

static void json_gets_the_same_checks(void **state) {
    (void)state;
    assert_refused("{'command': 'x', 'timeout': 30, 'manual': 1, 'replicas': 1.5, 'restart': true, 'retries': null}",
                   "/manual: expected true or false, found \"1\" / write true\n"
                   "/replicas: expected a whole number, found \"1.5\"\n"
                   "/restart: \"true\" is not one of its values / expected never, on-failure or always\n"
                   "/retries: retries has no value / leave the field out\n"
                   "/timeout: a duration needs a unit / write 30s or 30m");
    struct pdk_task *t = task("{'command': ['x', 1, 2.5, true], 'replicas': 3.0, 'env': {'A': 1, 'B': false}}"),
                    *complete;
    assert_int_equal(t->replicas, 3);
    assert_int_equal(pdk_task_complete(t, &program, NULL, "p", NULL, &complete), 0);
    assert_json(pdk_values_get()->get(complete->plugin.with, "command"), "['x','1','2.5','true']");
    assert_json(pdk_values_get()->get(complete->plugin.with, "env"), "{'A':'1','B':'false'}");
    pdk_task_drop(complete);
    pdk_task_drop(t);
}

static void a_fault_of_json_has_no_line(void **state) {
    (void)state;
    const pdk_value *value = json("{'command': 'x', 'timeout': 30}");
    struct pdk_report report = {.limit = 0};
    struct pdk_task *t;
    assert_int_equal(pdk_task_read(value, &of_file, &report, &t), -EINVAL);
    assert_int_equal(report.faults[0].place.line, 0);
    assert_string_equal(report.faults[0].place.file, "test");
    pdk_report_free(&report);
    pdk_values_get()->drop(value);
}

static void a_copy_shares_the_rest(void **state) {
    (void)state;
    struct pdk_task *t = task("{'command': 'x', 'timeout': '5s', 'replicas': 2}"), *copy, *again, *complete;
    const pdk_value *with = json("{'nice': 3}"), *bad = json("{'env': {'A': 'b'}}");
    struct pdk_report report = {.limit = 0};
    assert_int_equal(pdk_task_vary(t, &(struct pdk_task_change){.name = "t.2", .slot = "s.2", .replica = 2}, &copy), 0);
    assert_string_equal(copy->plugin.name, "t.2");
    assert_string_equal(copy->plugin.slot, "s.2");
    assert_int_equal(copy->replica, 2);
    assert_int_equal(copy->plugin.timeout_ns, 5 * PDK_SECOND);
    assert_int_equal(copy->references, 1);
    assert_int_equal(pdk_task_vary(copy, &(struct pdk_task_change){.with = with}, &again), 0);
    pdk_values_get()->drop(with);
    pdk_task_drop(t);
    pdk_task_drop(copy);
    assert_string_equal(again->plugin.name, "t.2");
    assert_int_equal(pdk_task_complete(again, &program, NULL, "p", NULL, &complete), 0);
    assert_json(pdk_values_get()->get(complete->plugin.with, "nice"), "3");
    pdk_task_drop(complete);
    assert_int_equal(pdk_task_vary(again, &(struct pdk_task_change){.with = bad}, &copy), 0);
    pdk_values_get()->drop(bad);
    assert_int_equal(pdk_task_complete(copy, &program, NULL, "p", &report, &complete), -EINVAL);
    assert_faults(&report, ": \"env\" is a field of the task / move it up, out of with");
    pdk_report_free(&report);
    pdk_task_drop(copy);
    pdk_task_drop(again);
}

static void every_field_is_documented(void **state) {
    (void)state;
    const struct pdk_field_doc *doc;
    size_t count = 0;
    for (; (doc = pdk_task_field(count)); count++) {
        assert_true(doc->name && *doc->name && doc->type && *doc->type && doc->fallback && doc->doc && *doc->doc);
        assert_string_not_equal(doc->name, "schedule");
    }
    assert_int_equal(count, 29);
    assert_string_equal(pdk_task_field(0)->name, "kind");
    assert_string_equal(pdk_task_field(28)->name, "log");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_absent_field_is_its_default),
        cmocka_unit_test(every_field_is_read),
        cmocka_unit_test(restart_is_implied),
        cmocka_unit_test(a_backoff_may_be_one_duration),
        cmocka_unit_test(a_backoff_is_nothing_or_a_millisecond),
        cmocka_unit_test(what_the_task_says_counts_more_than_defaults),
        cmocka_unit_test(maps_of_defaults_are_merged),
        cmocka_unit_test(ready_has_many_forms),
        cmocka_unit_test(an_expression_that_explodes_is_refused),
        cmocka_unit_test(a_command_may_stand_alone),
        cmocka_unit_test(a_source_names_its_task),
        cmocka_unit_test(a_source_may_not_read_our_files),
        cmocka_unit_test(json_gets_the_same_checks),
        cmocka_unit_test(a_fault_of_json_has_no_line),
        cmocka_unit_test(a_copy_shares_the_rest),
        cmocka_unit_test(every_field_is_documented),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
