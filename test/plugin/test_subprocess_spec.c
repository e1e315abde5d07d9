/* SPDX-License-Identifier: Apache-2.0 */
/* subprocess: from a task as it is written in a file, through the reading of specs, to a process that runs. What the
 * spec layer hands on and what the runner takes must be the same thing. */
#include <stdio.h>
#include <unistd.h>

#include "core/spec/spec.h"
#include "plugin_test.h"

static void show_faults(const struct pdk_report *report, const char *text) {
    for (uint32_t i = 0; i < report->count; i++)
        print_error("%s: %s: %s\n", text, report->faults[i].path, report->faults[i].message);
    fail();
}

static pdk_test_attempt *run(pdk_test *m, const char *text) {
    const struct pdk_task_options options = {.name = "t", .folder = "/usr", .trusted = true};
    struct pdk_report report = {.limit = 0};
    struct pdk_task *written = NULL, *task = NULL;
    pdk_test_attempt *attempt;
    if (pdk_task_read(pdk_test_value(m, text), &options, &report, &written)) show_faults(&report, text);
    if (pdk_task_complete(written, pdk_test_plugin(m)->runner->kinds[0], NULL, "subprocess", &report, &task))
        show_faults(&report, text);
    attempt = start(pdk_test_build_spec(m, &task->plugin, NULL));
    wait_for(attempt);
    pdk_test_destroy(attempt->task);
    pdk_task_drop(task);
    pdk_task_drop(written);
    pdk_report_free(&report);
    return attempt;
}

static void says(pdk_test *m, const char *text, const char *output) {
    const pdk_test_attempt *attempt = run(m, text);
    const char *said = attempt->output[PDK_STDOUT];
    if (attempt->status != PDK_SUCCESS || strcmp(said, output))
        fail_msg("%s: status %d, \"%s\", \"%s\"", text, attempt->status, attempt->message, said);
}

static pdk_test *load(void) {
    return load_plugin("subprocess", NULL, PDK_TEST_REAL);
}

static void every_field_arrives(void **state) {
    pdk_test *m = load();
    (void)state;
    says(m, "'echo hello'", "hello\n");
    says(m, "['echo', 'a  b']", "a  b\n");
    says(m, "{'command': 'pwd'}", "/usr\n");
    says(m, "{'command': 'pwd', 'cwd': 'lib'}", "/usr/lib\n");
    says(m, "{'command': 'echo $A-$B-$HOME', 'env': {'A': 1.50, 'B': true, 'HOME': null}}", "1.5-true-\n");
    says(m, "{'command': 'echo $HOSTTYPE$A', 'env_file': [{'path': '/nowhere', 'optional': true}], 'env': {'A': 'b'}}",
         "b\n");
    says(m, "{'command': 'cat', 'input': {'a': [1]}}", "{\"a\":[1]}\n");
    says(m, "{'command': 'exit 7', 'exit': {'success': ['1-7']}}", "");
    says(m, "{'command': 'echo $NOTIFY_SOCKET | cut -c1', 'ready': 'notify'}", "@\n");
    says(m, "{'command': 'umask; ulimit -n', 'with': {'umask': '0077', 'rlimits': {'nofile': 99}}}", "0077\n99\n");
    says(m, "{'kind': 'subprocess', 'with': {'script': {'text': 'echo $0 $1', 'args': ['x']}}}", "/proc/self/fd/3 x\n");
    if (geteuid() == 0) says(m, "{'command': 'id -u', 'user': 'daemon'}", "1\n");
    end_plugin(m);
}

static void ends_are_as_written(void **state) {
    pdk_test *m = load();
    const pdk_test_attempt *attempt = run(m, "{'command': 'exit 9', 'exit': {'fatal': 9, 'retry': ['10-20']}}");
    (void)state;
    assert_int_equal(attempt->status, PDK_FATAL);
    attempt = run(m, "{'command': 'exit 15', 'exit': {'fatal': 9, 'retry': ['10-20']}}");
    assert_int_equal(attempt->status, PDK_RETRY);
    attempt = run(m, "{'command': 'exit 1', 'stop': 'QUIT', 'reload': 'HUP'}");
    assert_int_equal(attempt->status, PDK_FAILURE);
    end_plugin(m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_arrives),
        cmocka_unit_test(ends_are_as_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
