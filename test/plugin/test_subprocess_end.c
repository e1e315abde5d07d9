/* SPDX-License-Identifier: Apache-2.0 */
/* subprocess: every way an attempt can end, or be ended; nothing really runs. */
#include <signal.h>

#include "subprocess.h"

static void exit_codes_have_classes(void **state) {
    static const struct {
        int32_t code, status;
    } cases[] = {{0, PDK_SUCCESS}, {3, PDK_SUCCESS}, {4, PDK_FAILURE},
                 {75, PDK_RETRY},  {78, PDK_FATAL},  {255, PDK_FATAL}};
    struct mock *m = mock_load("subprocess", NULL, NULL);
    struct mock_task *task =
        mock_build(m, "subprocess",
                   "{'command': ['x'], 'exit': {'success': ['0-3'], 'retry': ['75'], 'fatal': ['78', '100-255']}}");
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct mock_attempt *attempt = mock_start(task);
        char message[32];
        mock_child_started(mock_last_child(m), 5);
        mock_child_ended(mock_last_child(m), cases[i].code, 0);
        (void)snprintf(message, sizeof message, cases[i].status ? "exit code %d" : "%.0d", cases[i].code);
        expect(attempt, cases[i].status, cases[i].status ? PDK_CAT_EXIT : PDK_CAT_NONE, cases[i].status ? message : "");
        assert_int_equal(attempt->exit_code, cases[i].code);
    }
    mock_free(m);
}

static void zero_is_success_unless_it_is_something_else(void **state) {
    struct mock *m = mock_load("subprocess", NULL, NULL);
    struct mock_attempt *attempt;
    (void)state;
    mock_child_ended(run(m, "{'command': ['x'], 'exit': {'fatal': ['1']}}", &attempt), 0, 0);
    assert_int_equal(attempt->status, PDK_SUCCESS);
    mock_child_ended(run(m, "{'command': ['x'], 'exit': {'success': ['1']}}", &attempt), 0, 0);
    assert_int_equal(attempt->status, PDK_FAILURE);
    mock_child_ended(run(m, "{'command': ['x'], 'exit': {'retry': ['0']}}", &attempt), 0, 0);
    assert_int_equal(attempt->status, PDK_RETRY);
    mock_free(m);
}

static void signals_have_names(void **state) {
    struct mock *m = mock_load("subprocess", NULL, NULL);
    struct mock_attempt *attempt;
    (void)state;
    mock_child_ended(run(m, "{'command': ['x']}", &attempt), 0, SIGSEGV);
    expect(attempt, PDK_FAILURE, PDK_CAT_SIGNAL, "killed by SIGSEGV");
    assert_int_equal(attempt->signal, SIGSEGV);
    mock_child_ended(run(m, "{'command': ['x']}", &attempt), 0, SIGRTMIN + 2);
    expect(attempt, PDK_FAILURE, PDK_CAT_SIGNAL, "killed by SIGRTMIN+2");
    mock_free(m);
}

static void limits_are_named(void **state) {
    static const char with[] = "{'command': ['x'], 'resources': {'memory': '64MiB', 'pids': 3}}";
    struct mock *m = mock_load("subprocess", NULL, NULL);
    struct mock_attempt *attempt;
    struct mock_child *child = run(m, with, &attempt);
    (void)state;
    child->ops->limited(child->arg, PDK_LIMIT_MEMORY);
    mock_child_ended(child, 0, SIGKILL);
    expect(attempt, PDK_FAILURE, PDK_CAT_MEMORY, "killed by SIGKILL, out of memory at its limit of 65536 KiB");
    child = run(m, with, &attempt);
    child->ops->limited(child->arg, PDK_LIMIT_PIDS);
    child->ops->lost(child->arg, PDK_STDERR, 17);
    mock_child_ended(child, 1, 0);
    expect(attempt, PDK_FAILURE, PDK_CAT_EXIT, "exit code 1, refused more than 3 processes");
    assert_non_null(strstr(m->log, "17 bytes of stderr are lost"));
    child = run(m, with, &attempt);
    child->ops->limited(child->arg, PDK_LIMIT_MEMORY);
    mock_child_ended(child, 0, 0);
    expect(attempt, PDK_SUCCESS, PDK_CAT_NONE, "");
    mock_free(m);
}

static void failures_to_start_have_classes(void **state) {
    static const struct {
        int32_t code, status, category;
    } cases[] = {
        {-ENOENT, PDK_FATAL, PDK_CAT_MISSING}, {-EACCES, PDK_FATAL, PDK_CAT_DENIED},
        {-EPERM, PDK_FATAL, PDK_CAT_DENIED},   {-EAGAIN, PDK_FAILURE, PDK_CAT_BUSY},
        {-EMFILE, PDK_FAILURE, PDK_CAT_BUSY},  {-ENOMEM, PDK_FAILURE, PDK_CAT_MEMORY},
        {-ENOEXEC, PDK_FATAL, PDK_CAT_DENIED}, {-EIO, PDK_FAILURE, PDK_CAT_OTHER},
    };
    struct mock *m = mock_load("subprocess", NULL, NULL);
    struct mock_task *task = mock_build(m, "subprocess", "{'command': ['x']}");
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct mock_attempt *attempt = mock_start(task);
        mock_child_failed(mock_last_child(m), cases[i].code, "exec x: what happened");
        expect(attempt, cases[i].status, cases[i].category, "exec x: what happened");
        assert_false(attempt->has_usage);
    }
    m->options.spawn_rc = -EAGAIN;
    expect(mock_start(task), PDK_FAILURE, PDK_CAT_BUSY, "the mock spawns nothing");
    m->options.spawn_rc = -EINVAL;
    expect(mock_start(task), PDK_FATAL, PDK_CAT_INPUT, "the mock spawns nothing");
    mock_free(m);
}

static void a_full_pool_is_told_by_start(void **state) {
    const struct mock_options full = {.pool_is_full = true};
    struct mock *m = mock_load("subprocess", NULL, &full);
    struct mock_attempt *attempt;
    pdk_error err = PDK_ERROR;
    (void)state;
    assert_int_equal(
        mock_try_start(mock_build(m, "subprocess", "{'command': ['x'], 'stdin': 'y'}"), NULL, &attempt, &err), -EAGAIN);
    mock_free(m);
}

/* ---- cancel, kill, reload ---- */

static void cancel_sends_the_stop_signal(void **state) {
    struct mock *m = mock_load("subprocess", NULL, NULL);
    struct mock_attempt *attempt;
    struct mock_child *child = run(m, "{'command': ['x']}", &attempt);
    (void)state;
    mock_cancel(attempt->task);
    assert_int_equal(child->signal_count, 1);
    assert_int_equal(child->signals[0], SIGTERM);
    assert_false(child->leader_alone[0]);
    assert_int_equal(attempt->done, 0);
    mock_child_ended(child, 0, 0); /* whatever it says, it was asked to end */
    expect(attempt, PDK_CANCELED, PDK_CAT_NONE, "exit code 0");

    child = run(m, "{'command': ['x'], 'stop': {'signal': 'QUIT', 'to': 'leader'}}", &attempt);
    mock_cancel(attempt->task);
    assert_int_equal(child->signals[0], SIGQUIT);
    assert_true(child->leader_alone[0]);
    mock_child_ended(child, 0, SIGQUIT);
    expect(attempt, PDK_CANCELED, PDK_CAT_NONE, "killed by SIGQUIT");
    mock_free(m);
}

static void cancel_may_come_before_it_has_started(void **state) {
    struct mock *m = mock_load("subprocess", NULL, NULL);
    struct mock_attempt *attempt = begin(m, "{'command': ['x']}");
    struct mock_child *child = mock_last_child(m);
    (void)state;
    mock_cancel(attempt->task);
    assert_int_equal(child->signals[0], SIGTERM); /* it waits for the start */
    mock_child_started(child, 9);
    assert_int_equal(child->signal_count, 1);
    mock_child_ended(child, 0, SIGTERM);
    expect(attempt, PDK_CANCELED, PDK_CAT_NONE, "killed by SIGTERM");

    attempt = begin(m, "{'command': ['x']}");
    mock_cancel(attempt->task);
    mock_child_failed(mock_last_child(m), -ENOENT, "exec");
    expect(attempt, PDK_CANCELED, PDK_CAT_NONE, "canceled before it started");
    mock_free(m);
}

static void cancel_may_come_while_a_job_prepares(void **state) {
    struct mock *m = mock_load("subprocess", NULL, NULL);
    struct mock_task *task = mock_build(m, "subprocess", "{'command': ['x'], 'stdin': 'y', 'notify': true}");
    struct mock_attempt *attempt = mock_start(task);
    (void)state;
    assert_int_equal(mock_jobs(m), 1);
    mock_cancel(task);
    mock_kill(task);
    assert_int_equal(attempt->done, 0);
    mock_turn(m);
    expect(attempt, PDK_CANCELED, PDK_CAT_NONE, "canceled before it started");
    assert_int_equal(mock_jobs(m), 0);
    /* and again: the task is as new */
    attempt = mock_start(task);
    mock_run_jobs(m);
    mock_child_ended(mock_last_child(m), 0, 0);
    assert_int_equal(attempt->status, PDK_SUCCESS);
    mock_free(m);
}

static void kill_kills(void **state) {
    struct mock *m = mock_load("subprocess", NULL, NULL);
    struct mock_attempt *attempt;
    struct mock_child *child = run(m, "{'command': ['x']}", &attempt);
    (void)state;
    mock_cancel(attempt->task);
    assert_false(child->killed);
    mock_kill(attempt->task);
    assert_true(child->killed);
    mock_child_ended(child, 0, SIGKILL);
    expect(attempt, PDK_CANCELED, PDK_CAT_NONE, "killed by SIGKILL");
    mock_free(m);
}

static void a_stop_command_knows_the_process(void **state) {
    struct mock *m = mock_load("subprocess", NULL, NULL);
    struct mock_attempt *attempt;
    struct mock_child *child = run(m,
                                   "{'command': ['x'], 'stop': {'command': ['stop', 'me']}, 'env': {'A': 'b'},"
                                   "'resources': {'memory': '1MiB'}}",
                                   &attempt),
                      *stopper;
    (void)state;
    mock_cancel(attempt->task);
    stopper = mock_last_child(m);
    assert_ptr_not_equal(stopper, child);
    assert_int_equal(child->signal_count, 0);
    assert_string_equal(stopper->argv[0], "stop");
    assert_string_equal(mock_env(stopper, "PADDOCK_PID"), "4242");
    assert_string_equal(mock_env(stopper, "A"), "b");
    assert_null(mock_env(child, "PADDOCK_PID"));
    assert_true(stopper->command.memory_max == 0);
    mock_child_started(stopper, 4300);
    mock_child_ended(stopper, 0, 0);
    assert_int_equal(attempt->done, 0);
    mock_child_ended(child, 3, 0);
    expect(attempt, PDK_CANCELED, PDK_CAT_NONE, "exit code 3");
    mock_free(m);
}

static void done_waits_for_the_stop_command(void **state) {
    struct mock *m = mock_load("subprocess", NULL, NULL);
    struct mock_attempt *attempt;
    struct mock_child *child = run(m, "{'command': ['x'], 'stop': {'command': ['stop']}}", &attempt), *stopper;
    (void)state;
    mock_cancel(attempt->task);
    stopper = mock_last_child(m);
    mock_child_started(stopper, 4300);
    mock_child_ended(child, 0, 0);
    assert_int_equal(attempt->done, 0);
    assert_true(stopper->killed);
    mock_kill(attempt->task); /* nothing is left to kill but the helper */
    mock_child_ended(stopper, 0, SIGKILL);
    expect(attempt, PDK_CANCELED, PDK_CAT_NONE, "exit code 0");
    mock_free(m);
}

static void a_stop_command_that_fails_gives_way_to_the_signal(void **state) {
    struct mock *m = mock_load("subprocess", NULL, NULL);
    struct mock_attempt *attempt;
    struct mock_child *child = run(m, "{'command': ['x'], 'stop': {'command': ['stop'], 'signal': 'INT'}}", &attempt);
    (void)state;
    mock_cancel(attempt->task);
    mock_child_failed(mock_last_child(m), -ENOENT, "exec stop: not found");
    assert_int_equal(child->signals[0], SIGINT);
    assert_non_null(strstr(m->log, "stop command: exec stop: not found"));
    mock_child_ended(child, 0, SIGINT);
    child = run(m, "{'command': ['x'], 'stop': {'command': ['stop']}}", &attempt);
    m->options.spawn_rc = -EAGAIN;
    mock_cancel(attempt->task);
    assert_int_equal(child->signals[0], SIGTERM);
    mock_child_ended(child, 0, SIGTERM);
    m->options.spawn_rc = 0;
    child = run(m, "{'command': ['x'], 'stop': {'command': ['stop']}}", &attempt);
    mock_cancel(attempt->task);
    mock_child_started(mock_last_child(m), 1);
    mock_child_ended(mock_last_child(m), 2, 0);
    assert_int_equal(child->signals[0], SIGTERM);
    mock_child_ended(child, 0, SIGTERM);
    mock_free(m);
}

static void a_stop_command_waits_for_the_start(void **state) {
    struct mock *m = mock_load("subprocess", NULL, NULL);
    struct mock_attempt *attempt = begin(m, "{'command': ['x'], 'stop': {'command': ['stop']}}");
    struct mock_child *child = mock_last_child(m);
    (void)state;
    mock_cancel(attempt->task);
    assert_ptr_equal(mock_last_child(m), child);
    mock_child_started(child, 77);
    assert_string_equal(mock_env(mock_last_child(m), "PADDOCK_PID"), "77");
    mock_child_failed(mock_last_child(m), -ENOENT, "no");
    mock_child_ended(child, 0, 0);
    assert_int_equal(attempt->done, 1);
    mock_free(m);
}

static void reload_is_a_signal_or_a_command(void **state) {
    struct mock *m = mock_load("subprocess", NULL, NULL);
    struct mock_attempt *attempt = begin(m, "{'command': ['x'], 'reload': {'signal': 'HUP'}}");
    struct mock_child *child = mock_last_child(m), *helper;
    (void)state;
    assert_int_equal(mock_reload(attempt->task), 0); /* it has not begun: it will read its configuration anyway */
    assert_int_equal(child->signal_count, 0);
    mock_child_started(child, 8);
    assert_int_equal(mock_reload(attempt->task), 0);
    assert_int_equal(child->signals[0], SIGHUP);
    assert_true(child->leader_alone[0]);
    mock_child_ended(child, 0, 0);
    assert_int_equal(mock_reload(attempt->task), -ESTALE);

    child = run(m, "{'command': ['x'], 'reload': {'command': ['again']}}", &attempt);
    assert_int_equal(mock_reload(attempt->task), 0);
    assert_int_equal(mock_reload(attempt->task), -EBUSY);
    helper = mock_last_child(m);
    assert_string_equal(helper->argv[0], "again");
    mock_child_started(helper, 9);
    mock_child_ended(helper, 1, 0);
    assert_non_null(strstr(m->log, "reload command: exit code 1"));
    assert_int_equal(mock_reload(attempt->task), 0); /* and once more */
    helper = mock_last_child(m);
    assert_string_equal(mock_env(helper, "PADDOCK_PID"), "4242");
    mock_child_ended(helper, 0, 0);
    assert_int_equal(child->signal_count, 0);
    mock_child_ended(child, 0, 0);
    expect(attempt, PDK_SUCCESS, PDK_CAT_NONE, "");

    child = run(m, "{'command': ['x']}", &attempt);
    assert_int_equal(mock_reload(attempt->task), -ENOTSUP);
    mock_child_ended(child, 0, 0);
    mock_free(m);
}

static void resume_is_handed_on(void **state) {
    struct mock *m = mock_load("subprocess", NULL, NULL);
    struct mock_attempt *attempt;
    struct mock_child *child = run(m, "{'command': ['x'], 'stop': {'command': ['y']}}", &attempt), *stopper;
    (void)state;
    mock_cancel(attempt->task);
    stopper = mock_last_child(m);
    mock_resume(attempt->task);
    assert_int_equal(child->resumed, 1);
    assert_int_equal(stopper->resumed, 1);
    mock_child_ended(stopper, 0, 0);
    mock_child_ended(child, 0, 0);
    mock_free(m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exit_codes_have_classes),
        cmocka_unit_test(zero_is_success_unless_it_is_something_else),
        cmocka_unit_test(signals_have_names),
        cmocka_unit_test(limits_are_named),
        cmocka_unit_test(failures_to_start_have_classes),
        cmocka_unit_test(a_full_pool_is_told_by_start),
        cmocka_unit_test(cancel_sends_the_stop_signal),
        cmocka_unit_test(cancel_may_come_before_it_has_started),
        cmocka_unit_test(cancel_may_come_while_a_job_prepares),
        cmocka_unit_test(kill_kills),
        cmocka_unit_test(a_stop_command_knows_the_process),
        cmocka_unit_test(done_waits_for_the_stop_command),
        cmocka_unit_test(a_stop_command_that_fails_gives_way_to_the_signal),
        cmocka_unit_test(a_stop_command_waits_for_the_start),
        cmocka_unit_test(reload_is_a_signal_or_a_command),
        cmocka_unit_test(resume_is_handed_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
