/* SPDX-License-Identifier: Apache-2.0 */
/* subprocess: what children leave and tell: $PADDOCK_OUTPUT and NOTIFY_SOCKET. */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "subprocess.h"

static void finish_with(pdk_test *m, pdk_test_child *child, const char *text, int32_t exit_code) {
    write_file(pdk_test_child_env(child, "PADDOCK_OUTPUT"), text);
    pdk_test_child_ended(child, exit_code, 0);
    assert_int_equal(pdk_test_run_jobs(m), 1);
}

static void results_are_lines_or_json(void **state) {
    static const struct {
        const char *text, *value;
    } cases[] = {
        {"a=1\nb=x=y\n\nc=", "{\"a\":\"1\",\"b\":\"x=y\",\"c\":\"\"}"},
        {" {\"n\": 1}\n", "{\"n\":1}"},
        {"[1, 2]", "[1,2]"},
        {"a=1\r\n", "{\"a\":\"1\"}"},
        {"\n", "null"},
        {"", "null"},
    };
    pdk_test *m = load_plugin("subprocess", NULL, 0);
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        pdk_test_attempt *attempt;
        pdk_test_child *child = run(m, "{'command': ['x']}", &attempt);
        finish_with(m, child, cases[i].text, 0);
        expect(attempt, PDK_SUCCESS, PDK_CAT_NONE, "");
        assert_string_equal(pdk_test_text(m, attempt->output_value), cases[i].value);
        assert_int_equal(access(pdk_test_child_env(child, "PADDOCK_OUTPUT"), F_OK), -1);
    }
    end_plugin(m);
}

static void bad_results_fail_a_success(void **state) {
    pdk_test *m = load_plugin("subprocess", NULL, 0);
    pdk_test_attempt *attempt;
    pdk_test_child *child;
    char *large = calloc(1, 1100000);
    (void)state;
    assert_non_null(large);
    memset(large, 'a', 1099999);
    finish_with(m, run(m, "{'command': ['x']}", &attempt), "no result\n", 0);
    expect(attempt, PDK_FAILURE, PDK_CAT_PEER, "lines of name=value");
    finish_with(m, run(m, "{'command': ['x']}", &attempt), "{broken", 0);
    expect(attempt, PDK_FAILURE, PDK_CAT_PEER, "PADDOCK_OUTPUT: ");
    finish_with(m, run(m, "{'command': ['x']}", &attempt), "a=\xff\n", 0);
    expect(attempt, PDK_FAILURE, PDK_CAT_PEER, "PADDOCK_OUTPUT: ");
    finish_with(m, run(m, "{'command': ['x']}", &attempt), large, 0);
    expect(attempt, PDK_FATAL, PDK_CAT_INPUT, "too large");
    finish_with(m, run(m, "{'command': ['x']}", &attempt), "no result", 3);
    expect(attempt, PDK_FAILURE, PDK_CAT_EXIT, "exit code 3");
    assert_non_null(strstr(pdk_test_log(m), "lines of name=value"));
    child = run(m, "{'command': ['x']}", &attempt);
    assert_int_equal(symlink("/etc/passwd", pdk_test_child_env(child, "PADDOCK_OUTPUT")), 0);
    pdk_test_child_ended(child, 0, 0);
    pdk_test_run_jobs(m);
    assert_int_equal(attempt->status, PDK_FATAL);
    assert_null(attempt->output_value);
    free(large);
    end_plugin(m);
}

static void results_are_read_even_when_the_pool_is_full(void **state) {
    pdk_test *m = load_plugin("subprocess", NULL, 0);
    pdk_test_attempt *attempt;
    pdk_test_child *child = run(m, "{'command': ['x']}", &attempt);
    (void)state;
    write_file(pdk_test_child_env(child, "PADDOCK_OUTPUT"), "a=1");
    (void)pdk_test_fault(m, PDK_TEST_FAULT_SUBMIT_JOB, 0, 0, UINT32_MAX);
    pdk_test_child_ended(child, 0, 0);
    assert_string_equal(pdk_test_text(m, attempt->output_value), "{\"a\":\"1\"}");
    end_plugin(m);
}

static void results_of_another_user_have_a_folder(void **state) {
    pdk_test *m = load_plugin("subprocess", NULL, 0);
    pdk_test_attempt *attempt;
    pdk_test_child *child;
    struct stat st;
    char folder[4096];
    (void)state;
    if (geteuid() != 0) skip();
    child = run(m, "{'command': ['x'], 'user': 'nobody'}", &attempt);
    (void)snprintf(folder, sizeof folder, "%s", pdk_test_child_env(child, "PADDOCK_OUTPUT"));
    *strrchr(folder, '/') = '\0';
    assert_int_equal(stat(folder, &st), 0);
    assert_int_equal(st.st_uid, 65534);
    assert_int_equal(st.st_mode & 0777, 0700);
    finish_with(m, child, "a=1", 0);
    assert_string_equal(pdk_test_text(m, attempt->output_value), "{\"a\":\"1\"}");
    assert_int_equal(access(folder, F_OK), -1);

    child = run(m, "{'command': ['x'], 'user': 'nobody'}", &attempt);
    (void)snprintf(folder, sizeof folder, "%s", pdk_test_child_env(child, "PADDOCK_OUTPUT"));
    memcpy(strrchr(folder, '/'), "/more", 6);
    write_file(folder, "not ours");
    pdk_test_child_ended(child, 0, 0);
    assert_non_null(strstr(pdk_test_log(m), "files in it that are not ours"));
    assert_int_equal(unlink(folder), 0);
    *strrchr(folder, '/') = '\0';
    assert_int_equal(rmdir(folder), 0);
    end_plugin(m);
}

static void without_a_folder_there_is_a_warning(void **state) {
    pdk_test *m = load_plugin("subprocess", "{'runtime_dir': '/nowhere/at/all'}", 0);
    pdk_test_attempt *attempt;
    pdk_test_child *child = run(m, "{'command': ['x']}", &attempt);
    (void)state;
    assert_null(pdk_test_child_env(child, "PADDOCK_OUTPUT"));
    assert_non_null(strstr(pdk_test_log(m), "children get no PADDOCK_OUTPUT"));
    assert_int_equal(pdk_test_health(m, NULL), PDK_DEGRADED);
    pdk_test_child_ended(child, 0, 0);
    expect(attempt, PDK_SUCCESS, PDK_CAT_NONE, "");
    end_plugin(m);
}

static void a_private_tmp_hides_no_results_silently(void **state) {
    pdk_test *m = load_plugin("subprocess", "{'runtime_dir': '/tmp'}", 0);
    pdk_test_attempt *attempt;
    pdk_test_child *child = run(m, "{'command': ['x'], 'private_tmp': true}", &attempt);
    (void)state;
    assert_null(pdk_test_child_env(child, "PADDOCK_OUTPUT"));
    assert_non_null(strstr(pdk_test_log(m), "private_tmp hides"));
    pdk_test_child_ended(child, 0, 0);
    end_plugin(m);
}

/* ---- notify ---- */

static int connect_to(const char *name) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0 && name[0] == '@');
    memcpy(address.sun_path + 1, name + 1, strlen(name) - 1);
    assert_int_equal(
        connect(fd, (struct sockaddr *)&address, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name))),
        0);
    return fd;
}

static void say(int fd, const char *text) {
    assert_int_equal(send(fd, text, strlen(text), 0), strlen(text));
}

static void notify_tells_ready_and_progress(void **state) {
    pdk_test *m = load_plugin("subprocess", NULL, 0);
    pdk_test_attempt *attempt;
    pdk_test_child *child = run(m, "{'command': ['x'], 'notify': true}", &attempt);
    int fd = connect_to(pdk_test_child_env(child, "NOTIFY_SOCKET"));
    (void)state;
    say(fd, "STATUS=warming up\nX_PROGRESS=0.25\nMAINPID=1");
    pdk_test_turn(m);
    assert_int_equal(attempt->ready, 0);
    assert_true(attempt->fraction == 0.25);
    assert_string_equal(attempt->text, "warming up");
    say(fd, "X_PROGRESS=1.5");
    say(fd, "X_PROGRESS=nan");
    say(fd, "X_PROGRESS=");
    say(fd, "STATUS=\033[31mred");
    say(fd, "READY=0");
    say(fd, "");
    pdk_test_turn(m);
    assert_true(attempt->fraction == 0.25);
    assert_string_equal(attempt->text, "warming up");
    assert_int_equal(attempt->ready, 0);
    say(fd, "READY=1\n");
    pdk_test_child_ended(child, 0, 0); /* what was said before the end is heard */
    assert_int_equal(attempt->ready, 1);
    close(fd);
    end_plugin(m);
}

static void strangers_are_not_heard(void **state) {
    pdk_test *m = load_plugin("subprocess", NULL, 0);
    pdk_test_attempt *attempt;
    pdk_test_child *child;
    pid_t pid;
    (void)state;
    if (geteuid() != 0) skip();
    child = run(m, "{'command': ['x'], 'notify': true}", &attempt);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        if (setresuid(65533, 65533, 65533)) _exit(1);
        say(connect_to(pdk_test_child_env(child, "NOTIFY_SOCKET")), "READY=1");
        _exit(0);
    }
    {
        siginfo_t info;
        assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED), 0);
    }
    pdk_test_turn(m);
    assert_int_equal(attempt->ready, 0);
    assert_non_null(strstr(pdk_test_log(m), "messages of uid 65533 are passed over"));
    pdk_test_child_ended(child, 0, 0);
    end_plugin(m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(results_are_lines_or_json),
        cmocka_unit_test(bad_results_fail_a_success),
        cmocka_unit_test(results_are_read_even_when_the_pool_is_full),
        cmocka_unit_test(results_of_another_user_have_a_folder),
        cmocka_unit_test(without_a_folder_there_is_a_warning),
        cmocka_unit_test(a_private_tmp_hides_no_results_silently),
        cmocka_unit_test(notify_tells_ready_and_progress),
        cmocka_unit_test(strangers_are_not_heard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
