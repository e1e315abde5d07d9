/* SPDX-License-Identifier: Apache-2.0 */
/* subprocess: what is asked of process/1; nothing really runs. */
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "subprocess.h"

static void a_plain_command_needs_no_job(void **state) {
    struct mock *m = mock_load("subprocess", NULL, NULL);
    struct mock_attempt *attempt = mock_start(mock_build(m, "subprocess", "{'command': ['ls', '-l'], 'cwd': '/'}"));
    const pdk_command *command = &mock_last_child(m)->command;
    (void)state;
    assert_int_equal(mock_jobs(m), 0);
    assert_string_equal(mock_last_child(m)->argv[0], "ls");
    assert_string_equal(mock_last_child(m)->argv[1], "-l");
    assert_null(mock_last_child(m)->argv[2]);
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
    assert_null(mock_last_child(m)->ops->output);
    mock_child_started(mock_last_child(m), 7);
    mock_child_ended(mock_last_child(m), 0, 0);
    expect(attempt, PDK_SUCCESS, PDK_CAT_NONE, "");
    assert_true(attempt->has_usage && attempt->usage.user_ns == 5);
    mock_free(m);
}

static void all_options_arrive(void **state) {
    struct mock *m = mock_load("subprocess", NULL, NULL);
    struct mock_attempt *attempt;
    struct mock_child *child = run(
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
    mock_child_ended(child, 0, 0);
    mock_free(m);
}

static void the_environment_has_layers(void **state) {
    char path[] = "/tmp/paddock-env-XXXXXX", with[512];
    struct mock *m = mock_load("subprocess", NULL, NULL);
    struct mock_attempt *attempt;
    struct mock_child *child;
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
    assert_string_equal(mock_env(child, "INHERITED"), "file");
    assert_string_equal(mock_env(child, "INHERITED_TOO"), "ours");
    assert_string_equal(mock_env(child, "FROM_FILE"), "file");
    assert_string_equal(mock_env(child, "BOTH"), "env");
    assert_string_equal(mock_env(child, "EMPTY"), "");
    assert_string_equal(mock_env(child, "NEW"), "s3cret");
    assert_string_equal(mock_env(child, "PADDOCK_SOCKET"), "/kept");
    assert_null(mock_env(child, "DROPPED"));
    assert_null(mock_env(child, "SECRET_SOURCE")); /* a secret names it */
    assert_null(mock_env(child, "NOTIFY_SOCKET"));
    assert_string_equal(mock_env(child, "PADDOCK_TASK"), "web");
    assert_string_equal(mock_env(child, "PADDOCK_RUN_ID"), "runner-slot-7");
    assert_string_equal(mock_env(child, "PADDOCK_SLOT"), "slot");
    assert_string_equal(mock_env(child, "PADDOCK_RUNNER"), "runner");
    assert_string_equal(mock_env(child, "PADDOCK_ATTEMPT"), "1");
    assert_string_equal(mock_env(child, "PADDOCK_REPLICA"), "3");
    assert_null(mock_env(child, "TRACEPARENT"));
    assert_null(mock_env(child, "PADDOCK_DEADLINE"));
    for (char **entry = child->env; entry[0] && entry[1]; entry++) {
        size_t size = strcspn(entry[0], "=");
        assert_true(strncmp(entry[0], entry[1], size + 1) != 0); /* each once */
    }
    mock_child_ended(child, 0, 0);
    assert_null(strstr(m->log ? m->log : "", "s3cret"));
    unlink(path);
    mock_free(m);
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
        struct mock *m = mock_load("subprocess", cases[i].config, NULL);
        struct mock_attempt *attempt;
        struct mock_child *child = run(m, cases[i].with, &attempt);
        assert_int_equal(mock_env(child, "ONE") != NULL, cases[i].one);
        assert_int_equal(mock_env(child, "TWO") != NULL, cases[i].two);
        assert_string_equal(mock_env(child, "PATH"), cases[i].path ? "/ours" : "/usr/local/bin:/usr/bin:/bin");
        mock_child_ended(child, 0, 0);
        mock_free(m);
    }
}

static void start_tells_trace_and_deadline(void **state) {
    struct mock *m = mock_load("subprocess", NULL, NULL);
    pdk_start how = {.struct_size = sizeof how, .run_id = "r-s-1", .trace = "00-ab-cd-01"};
    struct mock_attempt *attempt;
    pdk_error err = PDK_ERROR;
    (void)state;
    how.deadline_ns = m->now + SECONDS(5);
    assert_int_equal(mock_try_start(mock_build(m, "subprocess", "{'command': ['x']}"), &how, &attempt, &err), 0);
    assert_string_equal(mock_env(mock_last_child(m), "TRACEPARENT"), "00-ab-cd-01");
    assert_string_equal(mock_env(mock_last_child(m), "PADDOCK_DEADLINE"), "1700000105");
    mock_child_failed(mock_last_child(m), -ENOENT, "no");
    mock_free(m);
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
        struct mock *m = mock_load("subprocess", NULL, NULL);
        struct mock_attempt *attempt;
        struct mock_child *child;
        write_file(temporary(path), cases[i].text);
        (void)snprintf(with, sizeof with, "{'command': ['x'], 'env_file': [{'path': '%s'}]}", path);
        child = run(m, with, &attempt);
        if (!mock_env(child, cases[i].name) || strcmp(mock_env(child, cases[i].name), cases[i].value))
            fail_msg("%s: \"%s\"", cases[i].text, mock_env(child, cases[i].name));
        mock_child_ended(child, 0, 0);
        unlink(path);
        mock_free(m);
    }
}

static void a_bad_env_file_names_its_line_and_shows_no_value(void **state) {
    static const char *const texts[] = {"OK=1\nhunter2\n", "OK='\n'\n1A=hunter2\n", "OK=1\\\n2\nA=\"hunter2\n",
                                        "OK=\"\\\n\"\n=hunter2"};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char path[] = "/tmp/paddock-env-XXXXXX", with[128];
        struct mock *m = mock_load("subprocess", NULL, NULL);
        struct mock_attempt *attempt;
        write_file(temporary(path), texts[i]);
        (void)snprintf(with, sizeof with, "{'command': ['x'], 'env_file': [{'path': '%s'}]}", path);
        attempt = begin(m, with);
        expect(attempt, PDK_FATAL, PDK_CAT_INPUT, i ? "line 3: " : "line 2: ");
        assert_null(strstr(attempt->message, "hunter2"));
        unlink(path);
        mock_free(m);
    }
}

static void secrets_come_from_files_and_credentials(void **state) {
    char path[] = "/tmp/paddock-env-XXXXXX", with[256];
    struct mock *m = mock_load("subprocess", NULL, NULL);
    struct mock_attempt *attempt;
    struct mock_child *child;
    (void)state;
    write_file(temporary(path), "pa ss\n\n");
    setenv("CREDENTIALS_DIRECTORY", "/tmp", 1);
    (void)snprintf(with, sizeof with, "{'command': ['x'], 'env': {'A': {'file': '%s'}, 'B': {'credential': '%s'}}}",
                   path, path + 5);
    child = run(m, with, &attempt);
    assert_string_equal(mock_env(child, "A"), "pa ss\n"); /* one newline is cut */
    assert_string_equal(mock_env(child, "B"), "pa ss\n");
    mock_child_ended(child, 0, 0);
    unlink(path);
    mock_free(m);
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
    struct mock *m = mock_load("subprocess", NULL, NULL);
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct mock_attempt *attempt = begin(m, cases[i].with);
        expect(attempt, PDK_FATAL, cases[i].category, cases[i].message);
    }
    assert_true(TAILQ_EMPTY(&m->children));
    mock_free(m);
}

static void users_become_numbers(void **state) {
    struct mock *m;
    struct mock_attempt *attempt;
    struct mock_child *child;
    (void)state;
    if (geteuid() != 0) skip();
    m = mock_load("subprocess", NULL, NULL);
    child = run(m, "{'command': ['x'], 'user': 'nobody', 'env': {'HOME': '/mine'}}", &attempt);
    assert_true(child->command.flags & PDK_COMMAND_USER);
    assert_int_equal(child->command.uid, 65534);
    assert_int_equal(child->command.gid, 65534);
    assert_true(child->command.group_count >= 1);
    assert_string_equal(mock_env(child, "USER"), "nobody");
    assert_string_equal(mock_env(child, "LOGNAME"), "nobody");
    assert_string_equal(mock_env(child, "HOME"), "/mine");
    mock_child_ended(child, 0, 0);

    child = run(m, "{'command': ['x'], 'user': '12345:54321', 'groups': ['7', 'daemon']}", &attempt);
    assert_true(child->command.uid == 12345 && child->command.gid == 54321 && child->command.group_count == 2);
    assert_true(child->groups[0] == 7 && child->groups[1] == 1);
    mock_child_ended(child, 0, 0);

    child = run(m, "{'command': ['x'], 'groups': []}", &attempt);
    assert_true(child->command.flags & PDK_COMMAND_USER);
    assert_true(child->command.uid == geteuid() && child->command.group_count == 0);
    mock_child_ended(child, 0, 0);
    mock_free(m);
}

static void only_root_may_become_others(void **state) {
    struct mock *m;
    (void)state;
    if (geteuid() == 0) skip();
    m = mock_load("subprocess", NULL, NULL);
    expect(begin(m, "{'command': ['x'], 'user': '12345:54321'}"), PDK_FATAL, PDK_CAT_DENIED,
           "becoming the user 12345:54321: Operation not permitted");
    mock_free(m);
}

static void scripts_are_sealed_files(void **state) {
    struct mock *m = mock_load("subprocess", NULL, NULL);
    struct mock_attempt *attempt;
    struct mock_child *child = run(m, "{'script': {'text': 'echo hi', 'args': ['a', 'b']}}", &attempt);
    (void)state;
    assert_string_equal(child->script, "echo hi");
    assert_int_equal(fcntl(child->pass_fds[0], F_GETFD), -1); /* it is the child's now */
    assert_string_equal(child->argv[0], "bash");
    assert_string_equal(child->argv[1], "/proc/self/fd/3");
    assert_string_equal(child->argv[2], "a");
    assert_string_equal(child->argv[3], "b");
    assert_null(child->argv[4]);
    mock_child_ended(child, 0, 0);

    child = run(m, "{'script': {'base64': 'cHJpbnQoMSk=', 'interpreter': ['python3', '-u']}}", &attempt);
    assert_string_equal(child->script, "print(1)");
    assert_string_equal(child->argv[1], "-u");
    assert_string_equal(child->argv[2], "/proc/self/fd/3");
    mock_child_ended(child, 0, 0);

    child = run(m, "{'script': {'text': '1', 'interpreter': 'node'}}", &attempt);
    assert_string_equal(child->argv[1], "--preserve-symlinks-main");
    assert_string_equal(child->argv[2], "/proc/self/fd/3");
    mock_child_ended(child, 0, 0);
    mock_free(m);
}

static void passed_descriptors_come_before_the_script(void **state) {
    char with[128];
    int given = open("/dev/null", O_RDONLY), own = open("/dev/null", O_RDONLY | O_CLOEXEC);
    struct mock *m = mock_load("subprocess", NULL, NULL);
    struct mock_attempt *attempt;
    struct mock_child *child;
    (void)state;
    (void)snprintf(with, sizeof with, "{'script': {'text': 'x'}, 'pass_fds': [%d]}", given);
    child = run(m, with, &attempt);
    assert_int_equal(child->command.pass_count, 2);
    assert_int_equal(child->pass_fds[0], given);
    assert_string_equal(child->argv[1], "/proc/self/fd/4");
    mock_child_ended(child, 0, 0);
    /* one that is close-on-exec is our own, and nobody's to pass on */
    (void)snprintf(with, sizeof with, "{'command': ['x'], 'pass_fds': [%d]}", own);
    attempt = begin(m, with);
    expect(attempt, PDK_FATAL, PDK_CAT_INPUT, "not started with a descriptor");
    mock_free(m);
    close(given);
    close(own);
}

static void stdin_is_text_a_file_or_json(void **state) {
    char path[] = "/tmp/paddock-env-XXXXXX", with[128];
    struct mock *m = mock_load("subprocess", NULL, NULL);
    struct mock_attempt *attempt;
    struct mock_child *child = run(m, "{'command': ['x'], 'stdin': 'hello'}", &attempt);
    struct mock_task *task;
    pdk_error err = PDK_ERROR;
    (void)state;
    assert_string_equal(child->input, "hello");
    mock_child_ended(child, 0, 0);
    child = run(m, "{'command': ['x'], 'input': {'a': [1, 'b']}}", &attempt);
    assert_string_equal(child->input, "{\"a\":[1,\"b\"]}\n");
    mock_child_ended(child, 0, 0);
    child = run(m, "{'command': ['x'], 'input': 'text'}", &attempt);
    assert_string_equal(child->input, "\"text\"\n");
    mock_child_ended(child, 0, 0);
    write_file(temporary(path), "from a file");
    (void)snprintf(with, sizeof with, "{'command': ['x'], 'stdin': {'file': '%s'}, 'cwd': '/tmp'}", path + 5);
    child = run(m, with, &attempt);
    assert_string_equal(child->input, "from a file");
    mock_child_ended(child, 0, 0);
    assert_int_equal(mock_try_build(m, "subprocess", "{'command': ['x']}", "[7]", &task, &err), 0);
    attempt = mock_start(task);
    mock_run_jobs(m);
    assert_string_equal(mock_last_child(m)->input, "[7]\n");
    mock_child_ended(mock_last_child(m), 0, 0);
    unlink(path);
    mock_free(m);
}

static void a_folder_that_was_removed_is_opened_again(void **state) {
    char folder[] = "/tmp/paddock-cwd-XXXXXX", with[128];
    struct mock *m = mock_load("subprocess", NULL, NULL);
    struct mock_task *task;
    struct mock_attempt *attempt;
    (void)state;
    assert_non_null(mkdtemp(folder));
    (void)snprintf(with, sizeof with, "{'command': ['x'], 'cwd': '%s'}", folder);
    task = mock_build(m, "subprocess", with);
    (void)mock_start(task);
    mock_child_ended(mock_last_child(m), 0, 0);
    assert_int_equal(rmdir(folder), 0);
    attempt = mock_start(task);
    expect(attempt, PDK_FATAL, PDK_CAT_MISSING, "cwd ");
    assert_int_equal(mkdir(folder, 0700), 0);
    (void)mock_start(task);
    mock_child_ended(mock_last_child(m), 0, 0);
    assert_int_equal(rmdir(folder), 0);
    mock_free(m);
}

/* Else a program of the other word size would slip through. */
static void filters_know_the_other_word_size(void **state) {
#ifdef __x86_64__
    struct mock *m = mock_load("subprocess", NULL, NULL);
    struct mock_attempt *attempt;
    struct mock_child *child = run(m, "{'command': ['x'], 'seccomp': ['mount']}", &attempt);
    const struct sock_filter *program = child->command.seccomp;
    bool knows = false;
    (void)state;
    for (uint32_t i = 0; i < child->command.seccomp_count; i++) knows = knows || program[i].k == AUDIT_ARCH_I386;
    assert_true(knows);
    mock_child_ended(child, 0, 0);
    mock_free(m);
#else
    (void)state;
    skip();
#endif
}

static void filters_are_shared(void **state) {
    struct mock *m = mock_load("subprocess", NULL, NULL);
    struct mock_attempt *one, *two, *three;
    (void)state;
    struct mock_child *a = run(m, "{'command': ['x'], 'seccomp': 'default'}", &one);
    struct mock_child *b = run(m, "{'command': ['x'], 'seccomp': 'default'}", &two);
    struct mock_child *c = run(m, "{'command': ['x'], 'seccomp': ['default', 'socket']}", &three);
    assert_ptr_equal(a->command.seccomp, b->command.seccomp);
    assert_ptr_not_equal(a->command.seccomp, c->command.seccomp);
    assert_true(a->command.flags & PDK_COMMAND_NO_NEW_PRIVILEGES);
    mock_child_ended(a, 0, 0);
    mock_child_ended(b, 0, 0);
    mock_child_ended(c, 0, 0);
    mock_free(m);
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
