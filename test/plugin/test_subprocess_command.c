/* SPDX-License-Identifier: Apache-2.0 */
/* subprocess: what is asked of process/1; nothing really runs. */
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "subprocess.h"

static void a_plain_command_needs_no_job(void **state) {
    pdk_test *m = load_plugin("subprocess", NULL, 0);
    pdk_test_attempt *attempt = start(build(m, "subprocess", "{'command': ['ls', '-l'], 'cwd': '/'}"));
    const pdk_command *command = &pdk_test_last_child(m)->command;
    (void)state;
    assert_int_equal(pdk_test_jobs(m), 0);
    assert_string_equal(pdk_test_last_child(m)->command.argv[0], "ls");
    assert_string_equal(pdk_test_last_child(m)->command.argv[1], "-l");
    assert_null(pdk_test_last_child(m)->command.argv[2]);
    assert_true(command->cwd_fd >= 0);
    assert_int_equal(command->input_fd, -1);
    assert_int_equal(command->stdout_to, PDK_STREAM_CAPTURE);
    assert_int_equal(command->stderr_to, PDK_STREAM_CAPTURE);
    assert_int_equal(command->flags, PDK_COMMAND_BLOCK);
    assert_int_equal(command->umask, -1);
    assert_int_equal(command->nice, PDK_UNCHANGED);
    assert_int_equal(command->oom_score, PDK_UNCHANGED);
    assert_int_equal(command->drain_ms, 5000);
    assert_int_equal(command->pass_count, 0);
    assert_null(pdk_test_last_child(m)->ops->output);
    pdk_test_child_started(pdk_test_last_child(m), 7);
    pdk_test_child_ended(pdk_test_last_child(m), 0, 0);
    expect(attempt, PDK_SUCCESS, PDK_CAT_NONE, "");
    assert_true(attempt->has_usage && attempt->usage.user_ns == 5);
    end_plugin(m);
}

static void all_options_arrive(void **state) {
    pdk_test *m = load_plugin("subprocess", NULL, 0);
    pdk_test_attempt *attempt;
    pdk_test_child *child = run(
        m,
        "{'command': ['x'], 'umask': '0027', 'nice': 5, 'ionice': 'best-effort:6', 'oom_score': -7, 'drain': '20ms',"
        "'rlimits': {'nofile': '64:128', 'core': '2KiB', 'as': 'unlimited'}, 'no_new_privileges': true,"
        "'private_tmp': true, 'capabilities': ['CAP_CHOWN', 'net_bind_service'], 'merge_stderr': true,"
        "'resources': {'cpu': 1.5, 'memory': '64MiB', 'pids': 9}, 'seccomp': ['default']}",
        &attempt);
    const pdk_command *c = &child->command;
    (void)state;
    assert_int_equal(c->umask, 027);
    assert_int_equal(c->nice, 5);
    assert_int_equal(c->io_class, 2);
    assert_int_equal(c->io_level, 6);
    assert_int_equal(c->oom_score, -7);
    assert_int_equal(c->drain_ms, 20);
    assert_int_equal(c->rlimit_count, 3);
    assert_int_equal(c->rlimits[0].resource, RLIMIT_NOFILE);
    assert_true(c->rlimits[0].soft == 64 && c->rlimits[0].hard == 128);
    assert_true(c->rlimits[1].resource == RLIMIT_CORE && c->rlimits[1].soft == 2048 && c->rlimits[1].hard == 2048);
    assert_true(c->rlimits[2].resource == RLIMIT_AS && c->rlimits[2].hard == UINT64_MAX);
    assert_int_equal(c->flags, PDK_COMMAND_NO_NEW_PRIVILEGES | PDK_COMMAND_PRIVATE_TMP | PDK_COMMAND_BLOCK |
                                   PDK_COMMAND_KEEP_CAPABILITIES);
    assert_true(c->capabilities == (1U << 0 | 1U << 10));
    assert_int_equal(c->stderr_to, PDK_STREAM_JOIN);
    assert_true(c->cpu_max == 1.5 && c->memory_max == 64 * 1048576 && c->pids_max == 9);
    assert_true(c->seccomp && c->seccomp_count > 10);
    pdk_test_child_ended(child, 0, 0);
    end_plugin(m);
}

static void the_environment_has_layers(void **state) {
    char path[] = "/tmp/paddock-env-XXXXXX", with[512];
    pdk_test *m = load_plugin("subprocess", NULL, 0);
    pdk_test_attempt *attempt;
    pdk_test_child *child;
    (void)state;
    write_file(temporary(path), "FROM_FILE=file\nBOTH=file\nINHERITED=file\nPADDOCK_TASK=file\n");
    setenv("INHERITED", "ours", 1);
    setenv("INHERITED_TOO", "ours", 1);
    setenv("DROPPED", "ours", 1);
    setenv("SECRET_SOURCE", "s3cret", 1);
    setenv("NOTIFY_SOCKET", "/somewhere", 1);
    setenv("PADDOCK_SOCKET", "/kept", 1);
    (void)snprintf(with, sizeof with,
                   "{'command': ['x'], 'env_file': [{'path': '%s'}, {'path': '/nowhere/at/all', 'optional': true}],"
                   "'env': {'BOTH': 'env', 'DROPPED': null, 'NEW': {'env': 'SECRET_SOURCE'}, 'EMPTY': ''}}",
                   path);
    child = run(m, with, &attempt);
    assert_string_equal(pdk_test_child_env(child, "INHERITED"), "file");
    assert_string_equal(pdk_test_child_env(child, "INHERITED_TOO"), "ours");
    assert_string_equal(pdk_test_child_env(child, "FROM_FILE"), "file");
    assert_string_equal(pdk_test_child_env(child, "BOTH"), "env");
    assert_string_equal(pdk_test_child_env(child, "EMPTY"), "");
    assert_string_equal(pdk_test_child_env(child, "NEW"), "s3cret");
    assert_string_equal(pdk_test_child_env(child, "PADDOCK_SOCKET"), "/kept");
    assert_null(pdk_test_child_env(child, "DROPPED"));
    assert_null(pdk_test_child_env(child, "SECRET_SOURCE")); /* a secret names it */
    assert_null(pdk_test_child_env(child, "NOTIFY_SOCKET"));
    assert_string_equal(pdk_test_child_env(child, "PADDOCK_TASK"), "web");
    assert_string_equal(pdk_test_child_env(child, "PADDOCK_RUN_ID"), "runner-slot-7");
    assert_string_equal(pdk_test_child_env(child, "PADDOCK_SLOT"), "slot");
    assert_string_equal(pdk_test_child_env(child, "PADDOCK_RUNNER"), "test");
    assert_string_equal(pdk_test_child_env(child, "PADDOCK_ATTEMPT"), "1");
    assert_string_equal(pdk_test_child_env(child, "PADDOCK_REPLICA"), "3");
    assert_null(pdk_test_child_env(child, "TRACEPARENT"));
    assert_null(pdk_test_child_env(child, "PADDOCK_DEADLINE"));
    for (const char *const *entry = child->command.env; entry[0] && entry[1]; entry++) {
        size_t size = strcspn(entry[0], "=");
        assert_true(strncmp(entry[0], entry[1], size + 1) != 0); /* each once */
    }
    pdk_test_child_ended(child, 0, 0);
    assert_null(strstr(pdk_test_log(m) ? pdk_test_log(m) : "", "s3cret"));
    unlink(path);
    end_plugin(m);
}

static void inheritance_is_the_less_of_both(void **state) {
    static const struct {
        const char *config, *with;
        bool one, two, path;
    } cases[] = {
        {"{}", "{'command': ['x']}", true, true, true},
        {"{}", "{'command': ['x'], 'inherit': 'none'}", false, false, false},
        {"{}", "{'command': ['x'], 'inherit': ['ONE']}", true, false, false},
        {"{'inherit': 'none'}", "{'command': ['x']}", false, false, false},
        {"{'inherit': ['ONE', 'PATH']}", "{'command': ['x']}", true, false, true},
        {"{'inherit': ['ONE']}", "{'command': ['x'], 'inherit': ['ONE', 'TWO']}", true, false, false},
        {"{'inherit': ['ONE']}", "{'command': ['x'], 'inherit': 'none'}", false, false, false},
    };
    (void)state;
    setenv("ONE", "1", 1);
    setenv("TWO", "2", 1);
    setenv("PATH", "/ours", 1);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        pdk_test *m = load_plugin("subprocess", cases[i].config, 0);
        pdk_test_attempt *attempt;
        pdk_test_child *child = run(m, cases[i].with, &attempt);
        assert_int_equal(pdk_test_child_env(child, "ONE") != NULL, cases[i].one);
        assert_int_equal(pdk_test_child_env(child, "TWO") != NULL, cases[i].two);
        assert_string_equal(pdk_test_child_env(child, "PATH"),
                            cases[i].path ? "/ours" : "/usr/local/bin:/usr/bin:/bin");
        pdk_test_child_ended(child, 0, 0);
        end_plugin(m);
    }
}

static void start_tells_trace_and_deadline(void **state) {
    pdk_test *m = load_plugin("subprocess", NULL, 0);
    pdk_start how = {.struct_size = sizeof how, .run_id = "r-s-1", .trace = "00-ab-cd-01", .trace_state = "a=b"};
    (void)state;
    how.deadline_ns = pdk_test_now(m) + SECONDS(5);
    assert_non_null(pdk_test_start_as(build(m, "subprocess", "{'command': ['x']}"), &how, NULL));
    assert_string_equal(pdk_test_child_env(pdk_test_last_child(m), "TRACEPARENT"), "00-ab-cd-01");
    assert_string_equal(pdk_test_child_env(pdk_test_last_child(m), "TRACESTATE"), "a=b");
    assert_string_equal(pdk_test_child_env(pdk_test_last_child(m), "PADDOCK_DEADLINE"), "1700000105");
    pdk_test_child_failed(pdk_test_last_child(m), -ENOENT, "no");
    how.struct_size = offsetof(pdk_start, trace_state); /* as older hosts have it */
    how.deadline_ns = 0;
    assert_non_null(pdk_test_start_as(build(m, "subprocess", "{'command': ['x']}"), &how, NULL));
    assert_null(pdk_test_child_env(pdk_test_last_child(m), "TRACESTATE"));
    pdk_test_child_failed(pdk_test_last_child(m), -ENOENT, "no");
    end_plugin(m);
}

static void env_files_are_read_as_systemd_reads_them(void **state) {
    static const struct {
        const char *text, *name, *value;
    } cases[] = {
        {"A=plain\n", "A", "plain"},
        {"A=no newline at the end", "A", "no newline at the end"},
        {"A =  blanks around \t\n", "A", "blanks around"},
        {"# A=1\n; A=2\n\n  A=3\r\n", "A", "3"},
        {"A=\"two\nlines\"\n", "A", "two\nlines"},
        {"A='single $B \"x\"'\n", "A", "single $B \"x\""},
        {"A=\"a\\\"b\\$c\\d\"\n", "A", "a\"b$c\\d"},
        {"A=joined \\\nline\n", "A", "joined line"},
        {"A=x\"y\"'z' \n", "A", "xyz"},
        {"A=\" kept \"\n", "A", " kept "},
        {"A=a\\ \n", "A", "a "},
        {"A=b # no comment\n", "A", "b # no comment"},
        {"A=\n", "A", ""},
        {"A=1\nA=2\n", "A", "2"},
        {"A=$HOME=x\n", "A", "$HOME=x"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char path[] = "/tmp/paddock-env-XXXXXX", with[128];
        pdk_test *m = load_plugin("subprocess", NULL, 0);
        pdk_test_attempt *attempt;
        pdk_test_child *child;
        write_file(temporary(path), cases[i].text);
        (void)snprintf(with, sizeof with, "{'command': ['x'], 'env_file': [{'path': '%s'}]}", path);
        child = run(m, with, &attempt);
        if (!pdk_test_child_env(child, cases[i].name) ||
            strcmp(pdk_test_child_env(child, cases[i].name), cases[i].value))
            fail_msg("%s: \"%s\"", cases[i].text, pdk_test_child_env(child, cases[i].name));
        pdk_test_child_ended(child, 0, 0);
        unlink(path);
        end_plugin(m);
    }
}

static void a_bad_env_file_names_its_line_and_shows_no_value(void **state) {
    static const char *const texts[] = {"OK=1\nhunter2\n", "OK='\n'\n1A=hunter2\n", "OK=1\\\n2\nA=\"hunter2\n",
                                        "OK=\"\\\n\"\n=hunter2"};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char path[] = "/tmp/paddock-env-XXXXXX", with[128];
        pdk_test *m = load_plugin("subprocess", NULL, 0);
        pdk_test_attempt *attempt;
        write_file(temporary(path), texts[i]);
        (void)snprintf(with, sizeof with, "{'command': ['x'], 'env_file': [{'path': '%s'}]}", path);
        attempt = begin(m, with);
        expect(attempt, PDK_FATAL, PDK_CAT_INPUT, i ? "line 3: " : "line 2: ");
        assert_null(strstr(attempt->message, "hunter2"));
        unlink(path);
        end_plugin(m);
    }
}

static void secrets_come_from_files_and_credentials(void **state) {
    char path[] = "/tmp/paddock-env-XXXXXX", with[256];
    pdk_test *m = load_plugin("subprocess", NULL, 0);
    pdk_test_attempt *attempt;
    pdk_test_child *child;
    (void)state;
    write_file(temporary(path), "pa ss\n\n");
    setenv("CREDENTIALS_DIRECTORY", "/tmp", 1);
    (void)snprintf(with, sizeof with, "{'command': ['x'], 'env': {'A': {'file': '%s'}, 'B': {'credential': '%s'}}}",
                   path, path + 5);
    child = run(m, with, &attempt);
    assert_string_equal(pdk_test_child_env(child, "A"), "pa ss\n"); /* one newline is cut */
    assert_string_equal(pdk_test_child_env(child, "B"), "pa ss\n");
    pdk_test_child_ended(child, 0, 0);
    unlink(path);
    end_plugin(m);
}

static void what_cannot_be_read_ends_the_attempt(void **state) {
    static const struct {
        const char *with;
        int32_t category;
        const char *message;
    } cases[] = {
        {"{'command': ['x'], 'cwd': '/nowhere/at/all'}", PDK_CAT_MISSING, "cwd /nowhere/at/all: No such file"},
        {"{'command': ['x'], 'env': {'A': {'env': 'NOT_SET_AT_ALL'}}}", PDK_CAT_MISSING, "NOT_SET_AT_ALL is not set"},
        {"{'command': ['x'], 'env': {'A': {'file': '/nowhere'}}}", PDK_CAT_MISSING,
         "env A: secret file /nowhere: No such"},
        {"{'command': ['x'], 'env': {'A': {'file': '/'}}}", PDK_CAT_INPUT, "Is a directory"},
        {"{'command': ['x'], 'env': {'A': {'file': '/dev/zero'}}}", PDK_CAT_INPUT, "not a regular file"},
        {"{'command': ['x'], 'env': {'A': {'file': '/proc/self/maps/x'}}}", PDK_CAT_MISSING, "Not a directory"},
        {"{'command': ['x'], 'env': {'A': {'credential': 'nothing-of-that-name'}}}", PDK_CAT_MISSING, "env A: "},
        {"{'command': ['x'], 'env_file': [{'path': '/nowhere'}]}", PDK_CAT_MISSING, "env_file /nowhere: No such file"},
        {"{'command': ['x'], 'stdin': {'file': '/nowhere'}}", PDK_CAT_MISSING, "stdin file /nowhere: No such file"},
        {"{'command': ['x'], 'user': 'no-such-user-here'}", PDK_CAT_MISSING, "there is no user \"no-such-user-here\""},
        {"{'command': ['x'], 'user': '4000000000'}", PDK_CAT_MISSING, "with name:group a number needs no entry"},
        {"{'command': ['x'], 'user': 'root:no-such-group'}", PDK_CAT_MISSING, "there is no group \"no-such-group\""},
        {"{'command': ['x'], 'groups': ['no-such-group']}", PDK_CAT_MISSING, "there is no group"},
        {"{'command': ['x'], 'pass_fds': [999]}", PDK_CAT_INPUT, "not started with a descriptor 999"},
    };
    pdk_test *m = load_plugin("subprocess", NULL, 0);
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        pdk_test_attempt *attempt = begin(m, cases[i].with);
        expect(attempt, PDK_FATAL, cases[i].category, cases[i].message);
    }
    assert_null(pdk_test_child_at(m, 0));
    end_plugin(m);
}

static void users_become_numbers(void **state) {
    pdk_test *m;
    pdk_test_attempt *attempt;
    pdk_test_child *child;
    (void)state;
    if (geteuid() != 0) skip();
    m = load_plugin("subprocess", NULL, 0);
    child = run(m, "{'command': ['x'], 'user': 'nobody', 'env': {'HOME': '/mine'}}", &attempt);
    assert_true(child->command.flags & PDK_COMMAND_USER);
    assert_int_equal(child->command.uid, 65534);
    assert_int_equal(child->command.gid, 65534);
    assert_true(child->command.group_count >= 1);
    assert_string_equal(pdk_test_child_env(child, "USER"), "nobody");
    assert_string_equal(pdk_test_child_env(child, "LOGNAME"), "nobody");
    assert_string_equal(pdk_test_child_env(child, "HOME"), "/mine");
    pdk_test_child_ended(child, 0, 0);

    child = run(m, "{'command': ['x'], 'user': '12345:54321', 'groups': ['7', 'daemon']}", &attempt);
    assert_true(child->command.uid == 12345 && child->command.gid == 54321 && child->command.group_count == 2);
    assert_true(child->command.groups[0] == 7 && child->command.groups[1] == 1);
    pdk_test_child_ended(child, 0, 0);

    child = run(m, "{'command': ['x'], 'groups': []}", &attempt);
    assert_true(child->command.flags & PDK_COMMAND_USER);
    assert_true(child->command.uid == geteuid() && child->command.group_count == 0);
    pdk_test_child_ended(child, 0, 0);
    end_plugin(m);
}

static void only_root_may_become_others(void **state) {
    pdk_test *m;
    (void)state;
    if (geteuid() == 0) skip();
    m = load_plugin("subprocess", NULL, 0);
    expect(begin(m, "{'command': ['x'], 'user': '12345:54321'}"), PDK_FATAL, PDK_CAT_DENIED,
           "becoming the user 12345:54321: Operation not permitted");
    end_plugin(m);
}

static void scripts_are_sealed_files(void **state) {
    pdk_test *m = load_plugin("subprocess", NULL, 0);
    pdk_test_attempt *attempt;
    pdk_test_child *child = run(m, "{'script': {'text': 'echo hi', 'args': ['a', 'b']}}", &attempt);
    (void)state;
    assert_string_equal(child->passed[0], "echo hi");
    assert_int_equal(fcntl(child->command.pass_fds[0], F_GETFD), -1); /* it is the child's now */
    assert_string_equal(child->command.argv[0], "bash");
    assert_string_equal(child->command.argv[1], "/proc/self/fd/3");
    assert_string_equal(child->command.argv[2], "a");
    assert_string_equal(child->command.argv[3], "b");
    assert_null(child->command.argv[4]);
    pdk_test_child_ended(child, 0, 0);

    child = run(m, "{'script': {'base64': 'cHJpbnQoMSk=', 'interpreter': ['python3', '-u']}}", &attempt);
    assert_string_equal(child->passed[0], "print(1)");
    assert_string_equal(child->command.argv[1], "-u");
    assert_string_equal(child->command.argv[2], "/proc/self/fd/3");
    pdk_test_child_ended(child, 0, 0);

    child = run(m, "{'script': {'text': '1', 'interpreter': 'node'}}", &attempt);
    assert_string_equal(child->command.argv[1], "--preserve-symlinks-main");
    assert_string_equal(child->command.argv[2], "/proc/self/fd/3");
    pdk_test_child_ended(child, 0, 0);
    end_plugin(m);
}

static void passed_descriptors_come_before_the_script(void **state) {
    char with[128];
    int given = open("/dev/null", O_RDONLY), own = open("/dev/null", O_RDONLY | O_CLOEXEC);
    pdk_test *m = load_plugin("subprocess", NULL, 0);
    pdk_test_attempt *attempt;
    pdk_test_child *child;
    (void)state;
    (void)snprintf(with, sizeof with, "{'script': {'text': 'x'}, 'pass_fds': [%d]}", given);
    child = run(m, with, &attempt);
    assert_int_equal(child->command.pass_count, 2);
    assert_int_equal(child->command.pass_fds[0], given);
    assert_string_equal(child->command.argv[1], "/proc/self/fd/4");
    pdk_test_child_ended(child, 0, 0);
    /* one that is close-on-exec is our own, and nobody's to pass on */
    (void)snprintf(with, sizeof with, "{'command': ['x'], 'pass_fds': [%d]}", own);
    attempt = begin(m, with);
    expect(attempt, PDK_FATAL, PDK_CAT_INPUT, "not started with a descriptor");
    end_plugin(m);
    close(given);
    close(own);
}

static void stdin_is_text_a_file_or_json(void **state) {
    char path[] = "/tmp/paddock-env-XXXXXX", with[128];
    pdk_test *m = load_plugin("subprocess", NULL, 0);
    pdk_test_attempt *attempt;
    pdk_test_child *child = run(m, "{'command': ['x'], 'stdin': 'hello'}", &attempt);
    (void)state;
    assert_string_equal(child->input, "hello");
    pdk_test_child_ended(child, 0, 0);
    child = run(m, "{'command': ['x'], 'input': {'a': [1, 'b']}}", &attempt);
    assert_string_equal(child->input, "{\"a\":[1,\"b\"]}\n");
    pdk_test_child_ended(child, 0, 0);
    child = run(m, "{'command': ['x'], 'input': 'text'}", &attempt);
    assert_string_equal(child->input, "\"text\"\n");
    pdk_test_child_ended(child, 0, 0);
    write_file(temporary(path), "from a file");
    (void)snprintf(with, sizeof with, "{'command': ['x'], 'stdin': {'file': '%s'}, 'cwd': '/tmp'}", path + 5);
    child = run(m, with, &attempt);
    assert_string_equal(child->input, "from a file");
    pdk_test_child_ended(child, 0, 0);
    attempt = start(build_with_input(m, "subprocess", "{'command': ['x']}", "[7]"));
    pdk_test_run_jobs(m);
    assert_string_equal(pdk_test_last_child(m)->input, "[7]\n");
    pdk_test_child_ended(pdk_test_last_child(m), 0, 0);
    unlink(path);
    end_plugin(m);
}

static void a_folder_that_was_removed_is_opened_again(void **state) {
    char folder[] = "/tmp/paddock-cwd-XXXXXX", with[128];
    pdk_test *m = load_plugin("subprocess", NULL, 0);
    pdk_test_task *task;
    pdk_test_attempt *attempt;
    (void)state;
    assert_non_null(mkdtemp(folder));
    (void)snprintf(with, sizeof with, "{'command': ['x'], 'cwd': '%s'}", folder);
    task = build(m, "subprocess", with);
    (void)start(task);
    pdk_test_child_ended(pdk_test_last_child(m), 0, 0);
    assert_int_equal(rmdir(folder), 0);
    attempt = start(task);
    expect(attempt, PDK_FATAL, PDK_CAT_MISSING, "cwd ");
    assert_int_equal(mkdir(folder, 0700), 0);
    (void)start(task);
    pdk_test_child_ended(pdk_test_last_child(m), 0, 0);
    assert_int_equal(rmdir(folder), 0);
    end_plugin(m);
}

/* Else a program of the other word size would slip through. */
static void filters_know_the_other_word_size(void **state) {
#ifdef __x86_64__
    pdk_test *m = load_plugin("subprocess", NULL, 0);
    pdk_test_attempt *attempt;
    pdk_test_child *child = run(m, "{'command': ['x'], 'seccomp': ['mount']}", &attempt);
    const struct sock_filter *program = child->command.seccomp;
    bool knows = false;
    (void)state;
    for (uint32_t i = 0; i < child->command.seccomp_count; i++) knows = knows || program[i].k == AUDIT_ARCH_I386;
    assert_true(knows);
    pdk_test_child_ended(child, 0, 0);
    end_plugin(m);
#else
    (void)state;
    skip();
#endif
}

static void filters_are_shared(void **state) {
    pdk_test *m = load_plugin("subprocess", NULL, 0);
    pdk_test_attempt *one, *two, *three;
    (void)state;
    pdk_test_child *a = run(m, "{'command': ['x'], 'seccomp': 'default'}", &one);
    pdk_test_child *b = run(m, "{'command': ['x'], 'seccomp': 'default'}", &two);
    pdk_test_child *c = run(m, "{'command': ['x'], 'seccomp': ['default', 'socket']}", &three);
    assert_ptr_equal(a->command.seccomp, b->command.seccomp);
    assert_ptr_not_equal(a->command.seccomp, c->command.seccomp);
    assert_true(a->command.flags & PDK_COMMAND_NO_NEW_PRIVILEGES);
    pdk_test_child_ended(a, 0, 0);
    pdk_test_child_ended(b, 0, 0);
    pdk_test_child_ended(c, 0, 0);
    end_plugin(m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_command_needs_no_job),
        cmocka_unit_test(all_options_arrive),
        cmocka_unit_test(the_environment_has_layers),
        cmocka_unit_test(inheritance_is_the_less_of_both),
        cmocka_unit_test(start_tells_trace_and_deadline),
        cmocka_unit_test(env_files_are_read_as_systemd_reads_them),
        cmocka_unit_test(a_bad_env_file_names_its_line_and_shows_no_value),
        cmocka_unit_test(secrets_come_from_files_and_credentials),
        cmocka_unit_test(what_cannot_be_read_ends_the_attempt),
        cmocka_unit_test(users_become_numbers),
        cmocka_unit_test(only_root_may_become_others),
        cmocka_unit_test(scripts_are_sealed_files),
        cmocka_unit_test(passed_descriptors_come_before_the_script),
        cmocka_unit_test(stdin_is_text_a_file_or_json),
        cmocka_unit_test(a_folder_that_was_removed_is_opened_again),
        cmocka_unit_test(filters_know_the_other_word_size),
        cmocka_unit_test(filters_are_shared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
