/* SPDX-License-Identifier: Apache-2.0 */
/* subprocess: every way an attempt can end, or be ended; nothing really runs. */
#include <signal.h>

#include "subprocess.h"

static void exit_codes_have_classes(void **state) {
    static const struct {
        int32_t code, status;
    } cases[] = {{0, PDK_SUCCESS}, {3, PDK_SUCCESS}, {4, PDK_FAILURE},
                 {75, PDK_RETRY},  {78, PDK_FATAL},  {255, PDK_FATAL}};
    pdk_test *m = load_plugin("subprocess", NULL, 0);
    pdk_test_task *task =
        build(m, "subprocess",
              "{'command': ['x'], 'exit': {'success': ['0-3'], 'retry': ['75'], 'fatal': ['78', '100-255']}}");
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        pdk_test_attempt *attempt = start(task);
        char message[32];
        pdk_test_child_started(pdk_test_last_child(m), 5);
        pdk_test_child_ended(pdk_test_last_child(m), cases[i].code, 0);
        (void)snprintf(message, sizeof message, cases[i].status ? "exit code %d" : "%.0d", cases[i].code);
        expect(attempt, cases[i].status, cases[i].status ? PDK_CAT_EXIT : PDK_CAT_NONE, cases[i].status ? message : "");
        assert_int_equal(attempt->exit_code, cases[i].code);
    }
    end_plugin(m);
}

static void zero_is_success_unless_it_is_something_else(void **state) {
    pdk_test *m = load_plugin("subprocess", NULL, 0);
    pdk_test_attempt *attempt;
    (void)state;
    pdk_test_child_ended(run(m, "{'command': ['x'], 'exit': {'fatal': ['1']}}", &attempt), 0, 0);
    assert_int_equal(attempt->status, PDK_SUCCESS);
    pdk_test_child_ended(run(m, "{'command': ['x'], 'exit': {'success': ['1']}}", &attempt), 0, 0);
    assert_int_equal(attempt->status, PDK_FAILURE);
    pdk_test_child_ended(run(m, "{'command': ['x'], 'exit': {'retry': ['0']}}", &attempt), 0, 0);
    assert_int_equal(attempt->status, PDK_RETRY);
    end_plugin(m);
}

static void signals_have_names(void **state) {
    pdk_test *m = load_plugin("subprocess", NULL, 0);
    pdk_test_attempt *attempt;
    (void)state;
    pdk_test_child_ended(run(m, "{'command': ['x']}", &attempt), 0, SIGSEGV);
    expect(attempt, PDK_FAILURE, PDK_CAT_SIGNAL, "killed by SIGSEGV");
    assert_int_equal(attempt->signal, SIGSEGV);
    pdk_test_child_ended(run(m, "{'command': ['x']}", &attempt), 0, SIGRTMIN + 2);
    expect(attempt, PDK_FAILURE, PDK_CAT_SIGNAL, "killed by SIGRTMIN+2");
    end_plugin(m);
}

static void limits_are_named(void **state) {
    static const char with[] = "{'command': ['x'], 'resources': {'memory': '64MiB', 'pids': 3}}";
    pdk_test *m = load_plugin("subprocess", NULL, 0);
    pdk_test_attempt *attempt;
    pdk_test_child *child = run(m, with, &attempt);
    (void)state;
    child->ops->limited(child->arg, PDK_LIMIT_MEMORY);
    pdk_test_child_ended(child, 0, SIGKILL);
    expect(attempt, PDK_FAILURE, PDK_CAT_MEMORY, "killed by SIGKILL, out of memory at its limit of 65536 KiB");
    child = run(m, with, &attempt);
    child->ops->limited(child->arg, PDK_LIMIT_PIDS);
    child->ops->lost(child->arg, PDK_STDERR, 17);
    pdk_test_child_ended(child, 1, 0);
    expect(attempt, PDK_FAILURE, PDK_CAT_EXIT, "exit code 1, refused more than 3 processes");
    assert_non_null(strstr(pdk_test_log(m), "17 bytes of stderr are lost"));
    child = run(m, with, &attempt);
    child->ops->limited(child->arg, PDK_LIMIT_MEMORY);
    pdk_test_child_ended(child, 0, 0);
    expect(attempt, PDK_SUCCESS, PDK_CAT_NONE, "");
    end_plugin(m);
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
    pdk_test *m = load_plugin("subprocess", NULL, 0);
    pdk_test_task *task = build(m, "subprocess", "{'command': ['x']}");
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        pdk_test_attempt *attempt = start(task);
        pdk_test_child_failed(pdk_test_last_child(m), cases[i].code, "exec x: what happened");
        expect(attempt, cases[i].status, cases[i].category, "exec x: what happened");
        assert_false(attempt->has_usage);
    }
    (void)pdk_test_fault(m, PDK_TEST_FAULT_SPAWN, -EAGAIN, 0, UINT32_MAX);
    expect(start(task), PDK_FAILURE, PDK_CAT_BUSY, "the test host spawns nothing");
    (void)pdk_test_fault(m, PDK_TEST_FAULT_SPAWN, -EINVAL, 0, UINT32_MAX);
    expect(start(task), PDK_FATAL, PDK_CAT_INPUT, "the test host spawns nothing");
    end_plugin(m);
}

static void a_full_pool_is_told_by_start(void **state) {
    pdk_test *m = load_plugin("subprocess", NULL, 0);
    (void)state;
    (void)pdk_test_fault(m, PDK_TEST_FAULT_SUBMIT_JOB, 0, 0, UINT32_MAX);
    assert_int_equal(start_refused(build(m, "subprocess", "{'command': ['x'], 'stdin': 'y'}")), -EAGAIN);
    end_plugin(m);
}

/* ---- cancel, kill, reload ---- */

static void cancel_sends_the_stop_signal(void **state) {
    pdk_test *m = load_plugin("subprocess", NULL, 0);
    pdk_test_attempt *attempt;
    pdk_test_child *child = run(m, "{'command': ['x']}", &attempt);
    (void)state;
    cancel(attempt);
    assert_int_equal(child->signal_count, 1);
    assert_int_equal(child->signals[0], SIGTERM);
    assert_false(child->leader_alone[0]);
    assert_int_equal(attempt->done, 0);
    pdk_test_child_ended(child, 0, 0); /* whatever it says, it was asked to end */
    expect(attempt, PDK_CANCELED, PDK_CAT_NONE, "exit code 0");

    child = run(m, "{'command': ['x'], 'stop': {'signal': 'QUIT', 'to': 'leader'}}", &attempt);
    cancel(attempt);
    assert_int_equal(child->signals[0], SIGQUIT);
    assert_true(child->leader_alone[0]);
    pdk_test_child_ended(child, 0, SIGQUIT);
    expect(attempt, PDK_CANCELED, PDK_CAT_NONE, "killed by SIGQUIT");
    end_plugin(m);
}

static void cancel_may_come_before_it_has_started(void **state) {
    pdk_test *m = load_plugin("subprocess", NULL, 0);
    pdk_test_attempt *attempt = begin(m, "{'command': ['x']}");
    pdk_test_child *child = pdk_test_last_child(m);
    (void)state;
    cancel(attempt);
    assert_int_equal(child->signals[0], SIGTERM); /* it waits for the start */
    pdk_test_child_started(child, 9);
    assert_int_equal(child->signal_count, 1);
    pdk_test_child_ended(child, 0, SIGTERM);
    expect(attempt, PDK_CANCELED, PDK_CAT_NONE, "killed by SIGTERM");

    attempt = begin(m, "{'command': ['x']}");
    cancel(attempt);
    pdk_test_child_failed(pdk_test_last_child(m), -ENOENT, "exec");
    expect(attempt, PDK_CANCELED, PDK_CAT_NONE, "canceled before it started");
    end_plugin(m);
}

static void cancel_may_come_while_a_job_prepares(void **state) {
    pdk_test *m = load_plugin("subprocess", NULL, 0);
    pdk_test_task *task = build(m, "subprocess", "{'command': ['x'], 'stdin': 'y', 'notify': true}");
    pdk_test_attempt *attempt = start(task);
    (void)state;
    assert_int_equal(pdk_test_jobs(m), 1);
    cancel(attempt);
    pdk_test_kill(attempt);
    assert_int_equal(attempt->done, 0);
    pdk_test_turn(m);
    expect(attempt, PDK_CANCELED, PDK_CAT_NONE, "canceled before it started");
    assert_int_equal(pdk_test_jobs(m), 0);
    /* and again: the task is as new */
    attempt = start(task);
    pdk_test_run_jobs(m);
    pdk_test_child_ended(pdk_test_last_child(m), 0, 0);
    assert_int_equal(attempt->status, PDK_SUCCESS);
    end_plugin(m);
}

static void kill_kills(void **state) {
    pdk_test *m = load_plugin("subprocess", NULL, 0);
    pdk_test_attempt *attempt;
    pdk_test_child *child = run(m, "{'command': ['x']}", &attempt);
    (void)state;
    cancel(attempt);
    assert_false(child->killed);
    pdk_test_kill(attempt);
    assert_true(child->killed);
    pdk_test_child_ended(child, 0, SIGKILL);
    expect(attempt, PDK_CANCELED, PDK_CAT_NONE, "killed by SIGKILL");
    end_plugin(m);
}

static void a_stop_command_knows_the_process(void **state) {
    pdk_test *m = load_plugin("subprocess", NULL, 0);
    pdk_test_attempt *attempt;
    pdk_test_child *child = run(m,
                                "{'command': ['x'], 'stop': {'command': ['stop', 'me']}, 'env': {'A': 'b'},"
                                "'resources': {'memory': '1MiB'}}",
                                &attempt),
                   *stopper;
    (void)state;
    cancel(attempt);
    stopper = pdk_test_last_child(m);
    assert_ptr_not_equal(stopper, child);
    assert_int_equal(child->signal_count, 0);
    assert_string_equal(stopper->command.argv[0], "stop");
    assert_string_equal(pdk_test_child_env(stopper, "PADDOCK_PID"), "4242");
    assert_string_equal(pdk_test_child_env(stopper, "A"), "b");
    assert_null(pdk_test_child_env(child, "PADDOCK_PID"));
    assert_true(stopper->command.memory_max == 0);
    pdk_test_child_started(stopper, 4300);
    pdk_test_child_ended(stopper, 0, 0);
    assert_int_equal(attempt->done, 0);
    pdk_test_child_ended(child, 3, 0);
    expect(attempt, PDK_CANCELED, PDK_CAT_NONE, "exit code 3");
    end_plugin(m);
}

static void done_waits_for_the_stop_command(void **state) {
    pdk_test *m = load_plugin("subprocess", NULL, 0);
    pdk_test_attempt *attempt;
    pdk_test_child *child = run(m, "{'command': ['x'], 'stop': {'command': ['stop']}}", &attempt), *stopper;
    (void)state;
    cancel(attempt);
    stopper = pdk_test_last_child(m);
    pdk_test_child_started(stopper, 4300);
    pdk_test_child_ended(child, 0, 0);
    assert_int_equal(attempt->done, 0);
    assert_true(stopper->killed);
    pdk_test_kill(attempt); /* nothing is left to kill but the helper */
    pdk_test_child_ended(stopper, 0, SIGKILL);
    expect(attempt, PDK_CANCELED, PDK_CAT_NONE, "exit code 0");
    end_plugin(m);
}

static void a_stop_command_that_fails_gives_way_to_the_signal(void **state) {
    pdk_test *m = load_plugin("subprocess", NULL, 0);
    pdk_test_attempt *attempt;
    pdk_test_child *child = run(m, "{'command': ['x'], 'stop': {'command': ['stop'], 'signal': 'INT'}}", &attempt);
    (void)state;
    cancel(attempt);
    pdk_test_child_failed(pdk_test_last_child(m), -ENOENT, "exec stop: not found");
    assert_int_equal(child->signals[0], SIGINT);
    assert_non_null(strstr(pdk_test_log(m), "stop command: exec stop: not found"));
    pdk_test_child_ended(child, 0, SIGINT);
    child = run(m, "{'command': ['x'], 'stop': {'command': ['stop']}}", &attempt);
    (void)pdk_test_fault(m, PDK_TEST_FAULT_SPAWN, -EAGAIN, 0, UINT32_MAX);
    cancel(attempt);
    assert_int_equal(child->signals[0], SIGTERM);
    pdk_test_child_ended(child, 0, SIGTERM);
    (void)pdk_test_fault(m, PDK_TEST_FAULT_SPAWN, 0, 0, 0);
    child = run(m, "{'command': ['x'], 'stop': {'command': ['stop']}}", &attempt);
    cancel(attempt);
    pdk_test_child_started(pdk_test_last_child(m), 1);
    pdk_test_child_ended(pdk_test_last_child(m), 2, 0);
    assert_int_equal(child->signals[0], SIGTERM);
    pdk_test_child_ended(child, 0, SIGTERM);
    end_plugin(m);
}

static void a_stop_command_waits_for_the_start(void **state) {
    pdk_test *m = load_plugin("subprocess", NULL, 0);
    pdk_test_attempt *attempt = begin(m, "{'command': ['x'], 'stop': {'command': ['stop']}}");
    pdk_test_child *child = pdk_test_last_child(m);
    (void)state;
    cancel(attempt);
    assert_ptr_equal(pdk_test_last_child(m), child);
    pdk_test_child_started(child, 77);
    assert_string_equal(pdk_test_child_env(pdk_test_last_child(m), "PADDOCK_PID"), "77");
    pdk_test_child_failed(pdk_test_last_child(m), -ENOENT, "no");
    pdk_test_child_ended(child, 0, 0);
    assert_int_equal(attempt->done, 1);
    end_plugin(m);
}

static void reload_is_a_signal_or_a_command(void **state) {
    pdk_test *m = load_plugin("subprocess", NULL, 0);
    pdk_test_attempt *attempt = begin(m, "{'command': ['x'], 'reload': {'signal': 'HUP'}}");
    pdk_test_child *child = pdk_test_last_child(m), *helper;
    (void)state;
    assert_int_equal(pdk_test_reload(attempt), 0); /* it has not begun: it will read its configuration anyway */
    assert_int_equal(child->signal_count, 0);
    pdk_test_child_started(child, 8);
    assert_int_equal(pdk_test_reload(attempt), 0);
    assert_int_equal(child->signals[0], SIGHUP);
    assert_true(child->leader_alone[0]);
    pdk_test_child_ended(child, 0, 0);
    assert_int_equal(pdk_test_reload(attempt), -ESTALE);

    child = run(m, "{'command': ['x'], 'reload': {'command': ['again']}}", &attempt);
    assert_int_equal(pdk_test_reload(attempt), 0);
    assert_int_equal(pdk_test_reload(attempt), -EBUSY);
    helper = pdk_test_last_child(m);
    assert_string_equal(helper->command.argv[0], "again");
    pdk_test_child_started(helper, 9);
    pdk_test_child_ended(helper, 1, 0);
    assert_non_null(strstr(pdk_test_log(m), "reload command: exit code 1"));
    assert_int_equal(pdk_test_reload(attempt), 0); /* and once more */
    helper = pdk_test_last_child(m);
    assert_string_equal(pdk_test_child_env(helper, "PADDOCK_PID"), "4242");
    pdk_test_child_ended(helper, 0, 0);
    assert_int_equal(child->signal_count, 0);
    pdk_test_child_ended(child, 0, 0);
    expect(attempt, PDK_SUCCESS, PDK_CAT_NONE, "");

    child = run(m, "{'command': ['x']}", &attempt);
    assert_int_equal(pdk_test_reload(attempt), -ENOTSUP);
    pdk_test_child_ended(child, 0, 0);
    end_plugin(m);
}

static void resume_is_handed_on(void **state) {
    pdk_test *m = load_plugin("subprocess", NULL, 0);
    pdk_test_attempt *attempt;
    pdk_test_child *child = run(m, "{'command': ['x'], 'stop': {'command': ['y']}}", &attempt), *stopper;
    (void)state;
    cancel(attempt);
    stopper = pdk_test_last_child(m);
    pdk_test_resume(attempt);
    assert_int_equal(child->resumed, 1);
    assert_int_equal(stopper->resumed, 1);
    pdk_test_child_ended(stopper, 0, 0);
    pdk_test_child_ended(child, 0, 0);
    end_plugin(m);
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
