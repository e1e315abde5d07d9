/* SPDX-License-Identifier: Apache-2.0 */
/* subprocess with the loop, the pool and the processes of the core: what children really see and do. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "plugin_test.h"

static pdk_test *load(void) {
    return load_plugin("subprocess", NULL, PDK_TEST_REAL);
}

static pdk_test_attempt *run(pdk_test *m, const char *with) {
    pdk_test_attempt *attempt = start(build(m, "subprocess", with));
    wait_for(attempt);
    return attempt;
}

static const char *out(const pdk_test_attempt *attempt) {
    return attempt->output[PDK_STDOUT];
}

/* What it says when all goes well. */
static void says(pdk_test *m, const char *with, const char *text) {
    pdk_test_attempt *attempt = run(m, with);
    if (attempt->status != PDK_SUCCESS || strcmp(out(attempt), text))
        fail_msg("%s: status %d, \"%s\", stdout \"%s\", stderr \"%s\"", with, attempt->status, attempt->message,
                 out(attempt), attempt->output[PDK_STDERR]);
}

static void fails(pdk_test *m, const char *with, int32_t status, int32_t category, const char *message) {
    pdk_test_attempt *attempt = run(m, with);
    if (attempt->status != status || attempt->category != category || !strstr(attempt->message, message))
        fail_msg("%s: status %d, category %d, \"%s\"", with, attempt->status, attempt->category, attempt->message);
}

static void programs_run(void **state) {
    pdk_test *m = load();
    pdk_test_attempt *attempt =
        run(m, "{'command': ['sh', '-c', 'echo out; echo err >&2; pwd; exit 3'], 'cwd': '/usr'}");
    (void)state;
    assert_string_equal(out(attempt), "out\n/usr\n");
    assert_string_equal(attempt->output[PDK_STDERR], "err\n");
    assert_int_equal(attempt->exit_code, 3);
    assert_string_equal(attempt->message, "exit code 3");
    assert_true(attempt->has_usage && attempt->usage.max_rss > 0);
    says(m, "{'command': ['sh', '-c', 'echo a; echo b >&2; echo c'], 'merge_stderr': true}", "a\nb\nc\n");
    end_plugin(m);
}

static void what_cannot_run_says_why(void **state) {
    pdk_test *m = load();
    (void)state;
    fails(m, "{'command': ['/nowhere/at/all']}", PDK_FATAL, PDK_CAT_MISSING, "/nowhere/at/all");
    fails(m, "{'command': ['no-such-program-anywhere']}", PDK_FATAL, PDK_CAT_MISSING, "no-such-program-anywhere");
    fails(m, "{'command': ['/etc/passwd']}", PDK_FATAL, PDK_CAT_DENIED, "/etc/passwd");
    fails(m, "{'command': ['sh', '-c', 'kill -SEGV $$']}", PDK_FAILURE, PDK_CAT_SIGNAL, "killed by SIGSEGV");
    end_plugin(m);
}

static void the_environment_arrives(void **state) {
    pdk_test *m = load();
    (void)state;
    setenv("OURS", "1", 1);
    says(m, "{'command': ['sh', '-c', 'echo $A $OURS $PADDOCK_TASK $PADDOCK_ATTEMPT'], 'env': {'A': 'b'}}",
         "b 1 web 1\n");
    says(m, "{'command': ['sh', '-c', 'echo $OURS$PATH'], 'inherit': 'none'}", "/usr/local/bin:/usr/bin:/bin\n");
    end_plugin(m);
}

static void stdin_arrives(void **state) {
    pdk_test *m = load();
    (void)state;
    says(m, "{'command': ['cat'], 'stdin': 'hello'}", "hello");
    says(m, "{'command': ['cat'], 'input': {'a': 1}}", "{\"a\":1}\n");
    says(m, "{'command': ['cat'], 'stdin': {'file': 'ostype'}, 'cwd': '/proc/sys/kernel'}", "Linux\n");
    says(m, "{'command': ['cat']}", "");
    end_plugin(m);
}

static void scripts_run(void **state) {
    pdk_test *m = load();
    (void)state;
    says(m, "{'script': {'text': 'echo \\u0022$1-$2\\u0022; cat', 'args': ['a b', 'c']}, 'stdin': 'in'}", "a b-c\nin");
    says(m, "{'script': {'interpreter': 'python3', 'text': 'import sys\\nprint(sys.argv[1:])', 'args': ['x']}}",
         "['x']\n");
    if (!access("/usr/bin/node", X_OK))
        says(m, "{'script': {'interpreter': 'node', 'text': 'console.log(process.argv.slice(2))', 'args': ['y']}}",
             "[ 'y' ]\n");
    /* nobody can change it: it is sealed */
    fails(m, "{'script': {'text': 'echo evil >/proc/self/fd/3'}}", PDK_FAILURE, PDK_CAT_EXIT, "exit code 1");
    fails(m, "{'script': {'text': 'echo evil >>/proc/self/fd/3'}}", PDK_FAILURE, PDK_CAT_EXIT, "exit code 1");
    fails(m, "{'script': {'text': 'echo evil 1<>/proc/self/fd/3'}}", PDK_FAILURE, PDK_CAT_EXIT, "exit code 1");
    end_plugin(m);
}

static void results_come_back(void **state) {
    pdk_test *m = load();
    pdk_test_attempt *attempt =
        run(m, "{'command': ['sh', '-c', 'echo n=1 >>$PADDOCK_OUTPUT; echo t=text >>$PADDOCK_OUTPUT']}");
    (void)state;
    assert_string_equal(pdk_test_text(m, attempt->output_value), "{\"n\":\"1\",\"t\":\"text\"}");
    attempt = run(m, "{'command': ['sh', '-c', 'cat >$PADDOCK_OUTPUT'], 'input': {'deep': [1, {'a': null}]}}");
    assert_string_equal(pdk_test_text(m, attempt->output_value), "{\"deep\":[1,{\"a\":null}]}");
    if (geteuid() == 0) {
        attempt =
            run(m, "{'command': ['sh', '-c', 'id -un; echo n=1 >$PADDOCK_OUTPUT'], 'user': 'nobody', 'cwd': '/'}");
        assert_string_equal(out(attempt), "nobody\n");
        assert_string_equal(pdk_test_text(m, attempt->output_value), "{\"n\":\"1\"}");
    }
    end_plugin(m);
}

static void limits_hold(void **state) {
    pdk_test *m = load();
    (void)state;
    says(m,
         "{'command': ['sh', '-c', 'ulimit -n; ulimit -c; umask; nice'], 'umask': '0027', 'nice': 5,"
         "'rlimits': {'nofile': 77, 'core': 0}}",
         "77\n0\n0027\n5\n");
    says(m, "{'command': ['sh', '-c', 'cat /proc/self/oom_score_adj'], 'oom_score': 700}", "700\n");
    if (geteuid() == 0) says(m, "{'command': ['sh', '-c', 'ls -A /tmp'], 'private_tmp': true}", "");
    says(m, "{'command': ['sh', '-c', 'grep NoNewPrivs /proc/self/status'], 'no_new_privileges': true}",
         "NoNewPrivs:\t1\n");
    end_plugin(m);
}

static void privileges_go(void **state) {
    pdk_test *m;
    (void)state;
    if (geteuid() != 0) skip();
    m = load();
    says(m,
         "{'command': ['sh', '-c', 'id -u; id -g; id -G; echo $HOME'], 'user': 'daemon:games', 'groups': ['adm'], "
         "'cwd': '/'}",
         "1\n60\n60 4\n/usr/sbin\n");
    says(m, "{'command': ['sh', '-c', 'grep CapEff /proc/self/status'], 'capabilities': ['chown', 'kill']}",
         "CapEff:\t0000000000000021\n");
    says(m, "{'command': ['sh', '-c', 'grep CapEff /proc/self/status'], 'capabilities': []}",
         "CapEff:\t0000000000000000\n");
    end_plugin(m);
}

static void nobody_needs_a_right_to_stay_who_he_is(void **state) {
    char with[128], text[32];
    pdk_test *m = load();
    (void)state;
    (void)snprintf(with, sizeof with, "{'command': ['id', '-u'], 'user': '%u:%u', 'cwd': '/'}", geteuid(), getegid());
    (void)snprintf(text, sizeof text, "%u\n", geteuid());
    says(m, with, text);
    end_plugin(m);
}

static void denied_calls_fail(void **state) {
    pdk_test *m = load();
    (void)state;
    says(m, "{'command': ['sh', '-c', 'grep Seccomp: /proc/self/status'], 'seccomp': 'default'}", "Seccomp:\t2\n");
    says(m,
         "{'script': {'interpreter': 'python3', 'text':"
         "'import ctypes\\nl=ctypes.CDLL(None,use_errno=True)\\nprint(l.unshare(0x10000000), ctypes.get_errno())'},"
         "'seccomp': 'default'}",
         "-1 1\n");
    says(m, "{'command': ['sh', '-c', 'mkdir /tmp/never 2>/dev/null || echo no'], 'seccomp': ['mkdir', 'mkdirat']}",
         "no\n");
    end_plugin(m);
}

static void passed_descriptors_arrive(void **state) {
    char with[128];
    int fd = open("/proc/sys/kernel/ostype", O_RDONLY); /* stays open in children: as if we were started with it */
    pdk_test *m = load();
    (void)state;
    assert_true(fd >= 0);
    (void)snprintf(with, sizeof with, "{'command': ['sh', '-c', 'cat <&3'], 'pass_fds': [%d]}", fd);
    says(m, with, "Linux\n");
    (void)snprintf(with, sizeof with, "{'script': {'text': 'cat <&3'}, 'pass_fds': [%d]}", fd);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    says(m, with, "Linux\n");
    end_plugin(m);
    close(fd);
}

static void cancel_asks_and_kill_insists(void **state) {
    pdk_test *m = load();
    pdk_test_attempt *attempt = start(build(m, "subprocess",
                                            "{'script': {'text': 'trap \\u0022echo bye; exit 7\\u0022 "
                                            "TERM; echo up; while :; do read -t 1 x <> <(:); done'}}"));
    (void)state;
    wait_for_output(attempt, "up");
    cancel(attempt);
    wait_for(attempt);
    assert_int_equal(attempt->status, PDK_CANCELED);
    assert_non_null(strstr(out(attempt), "bye"));
    assert_int_equal(attempt->exit_code, 7);

    attempt = start(build(m, "subprocess",
                          "{'command': ['sh', '-c', 'trap \\u0022\\u0022 TERM; echo up; while :; do wait; done']}"));
    wait_for_output(attempt, "up");
    cancel(attempt);
    pdk_test_kill(attempt);
    wait_for(attempt);
    assert_int_equal(attempt->status, PDK_CANCELED);
    assert_int_equal(attempt->signal, SIGKILL);
    end_plugin(m);
}

static void cancel_before_the_start_is_heard(void **state) {
    static const char *const withs[] = {
        "{'command': ['cat', '/dev/zero']}",
        "{'command': ['cat', '/dev/zero'], 'stdin': 'x'}",
        "{'command': ['cat', '/dev/zero'], 'stop': {'command': ['sh', '-c', 'kill $PADDOCK_PID']}}",
    };
    pdk_test *m = load();
    (void)state;
    for (size_t i = 0; i < sizeof withs / sizeof *withs; i++) {
        pdk_test_attempt *attempt = start(build(m, "subprocess", withs[i]));
        cancel(attempt);
        wait_for(attempt);
        assert_int_equal(attempt->status, PDK_CANCELED);
    }
    end_plugin(m);
}

static void stop_and_reload_commands_run(void **state) {
    pdk_test *m = load();
    pdk_test_attempt *attempt =
        start(build(m, "subprocess",
                    "{'script': {'text': 'trap \\u0022echo again\\u0022 HUP; trap \\u0022echo bye; exit "
                    "0\\u0022 USR1; echo up; while :; do read -t 1 x <> <(:); done'},"
                    "'reload': {'command': ['sh', '-c', 'kill -HUP $PADDOCK_PID']},"
                    "'stop': {'command': ['sh', '-c', 'echo stopping; kill -USR1 $PADDOCK_PID']}}"));
    (void)state;
    wait_for_output(attempt, "up");
    assert_int_equal(pdk_test_reload(attempt), 0);
    wait_for_output(attempt, "again");
    cancel(attempt);
    wait_for(attempt);
    assert_int_equal(attempt->status, PDK_CANCELED);
    assert_non_null(strstr(out(attempt), "stopping"));
    assert_non_null(strstr(out(attempt), "bye"));
    end_plugin(m);
}

static void notify_is_heard(void **state) {
    pdk_test *m = load();
    pdk_test_attempt *attempt =
        run(m, "{'script': {'interpreter': 'python3', 'text': 'import os, socket\\n"
               "s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\\n"
               "n = os.environ[\\u0022NOTIFY_SOCKET\\u0022]\\n"
               "s.connect(chr(0) + n[1:])\\n"
               "s.send(b\\u0022X_PROGRESS=0.5\\u0022)\\ns.send(b\\u0022READY=1\\u0022)'}, 'notify': true}");
    (void)state;
    assert_int_equal(attempt->status, PDK_SUCCESS);
    assert_int_equal(attempt->ready, 1);
    assert_true(attempt->fraction == 0.5);
    end_plugin(m);
}

static void a_task_runs_again(void **state) {
    pdk_test *m = load();
    pdk_test_task *task = build(m, "subprocess", "{'script': {'text': 'echo $PADDOCK_ATTEMPT'}, 'cwd': '/'}");
    (void)state;
    for (int i = 1; i <= 5; i++) {
        pdk_test_attempt *attempt = start(task);
        char text[16];
        wait_for(attempt);
        (void)snprintf(text, sizeof text, "%d\n", i);
        assert_string_equal(out(attempt), text);
    }
    end_plugin(m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(programs_run),
        cmocka_unit_test(what_cannot_run_says_why),
        cmocka_unit_test(the_environment_arrives),
        cmocka_unit_test(stdin_arrives),
        cmocka_unit_test(scripts_run),
        cmocka_unit_test(results_come_back),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(privileges_go),
        cmocka_unit_test(nobody_needs_a_right_to_stay_who_he_is),
        cmocka_unit_test(denied_calls_fail),
        cmocka_unit_test(passed_descriptors_arrive),
        cmocka_unit_test(cancel_asks_and_kill_insists),
        cmocka_unit_test(cancel_before_the_start_is_heard),
        cmocka_unit_test(stop_and_reload_commands_run),
        cmocka_unit_test(notify_is_heard),
        cmocka_unit_test(a_task_runs_again),
    };
    /* whoever runs us may have folders there that not everybody may look into: that is another error */
    setenv("PATH", "/usr/local/bin:/usr/bin:/bin", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
