/* SPDX-License-Identifier: Apache-2.0 */
/* subprocess: from a task as it is written in a file, through the reading of specs, to a process that runs. What the
 * spec layer hands on and what the runner takes must be the same thing. */
#include <stdio.h>
#include <unistd.h>

#include "core/spec/spec.h"
#include "mock_host.h"

static void show_faults(const struct pdk_report *report, const char *text) {
    for (uint32_t i = 0; i < report->count; i++)
        print_error("%s: %s: %s\n", text, report->faults[i].path, report->faults[i].message);
    fail();
}

static struct mock_attempt *run(struct mock *m, const char *text) {
    const struct pdk_task_options options = {.name = "t", .folder = "/usr", .trusted = true};
    struct pdk_report report = {.limit = 0};
    struct pdk_task *written = NULL, *task = NULL;
    struct mock_attempt *attempt;
    if (pdk_task_read(mock_json(m, text), &options, &report, &written)) show_faults(&report, text);
    if (pdk_task_complete(written, m->plugin->runner->kinds[0], "subprocess", &report, &task))
        show_faults(&report, text);
    attempt = mock_start(mock_build_spec(m, &task->plugin));
    mock_wait(attempt);
    mock_destroy(attempt->task);
    pdk_task_drop(task);
    pdk_task_drop(written);
    pdk_report_free(&report);
    return attempt;
}

static void says(struct mock *m, const char *text, const char *output) {
    const struct mock_attempt *attempt = run(m, text);
    const char *said = attempt->output[PDK_STDOUT] ? attempt->output[PDK_STDOUT] : "";
    if (attempt->status != PDK_SUCCESS || strcmp(said, output))
        fail_msg("%s: status %d, \"%s\", \"%s\"", text, attempt->status, attempt->message, said);
}

static struct mock *load(void) {
    const struct mock_options options = {.real = true};
    return mock_load("subprocess", NULL, &options);
}

static void every_field_arrives(void **state) {
    struct mock *m = load();
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
    mock_free(m);
}

static void ends_are_as_written(void **state) {
    struct mock *m = load();
    const struct mock_attempt *attempt = run(m, "{'command': 'exit 9', 'exit': {'fatal': 9, 'retry': ['10-20']}}");
    (void)state;
    assert_int_equal(attempt->status, PDK_FATAL);
    attempt = run(m, "{'command': 'exit 15', 'exit': {'fatal': 9, 'retry': ['10-20']}}");
    assert_int_equal(attempt->status, PDK_RETRY);
    attempt = run(m, "{'command': 'exit 1', 'stop': 'QUIT', 'reload': 'HUP'}");
    assert_int_equal(attempt->status, PDK_FAILURE);
    mock_free(m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_arrives),
        cmocka_unit_test(ends_are_as_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
