/* SPDX-License-Identifier: Apache-2.0 */
/* subprocess: what is asked of process/1, and every way an attempt can end; nothing really runs. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mock_host.h"

static struct mock_attempt *begin(struct mock *m, const char *with) {
    struct mock_attempt *attempt = mock_start(mock_build(m, "subprocess", with));
    mock_run_jobs(m);
    return attempt;
}

/* Begin, and let the child say that it runs. */
static struct mock_child *run(struct mock *m, const char *with, struct mock_attempt **ret) {
    struct mock_child *child;
    *ret = begin(m, with);
    child = mock_last_child(m);
    mock_child_started(child, 4242);
    return child;
}

static void expect(const struct mock_attempt *attempt, int32_t status, int32_t category, const char *message) {
    assert_int_equal(attempt->done, 1);
    if (attempt->status != status || attempt->category != category || !strstr(attempt->message, message))
        fail_msg("status %d, category %d, \"%s\"", attempt->status, attempt->category, attempt->message);
}

static char *temporary(char *name) {
    int fd = mkstemp(name);
    assert_true(fd >= 0);
    close(fd);
    return name;
}

static void write_file(const char *path, const char *text) {
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* ---- what is asked for ---- */

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
    static const char *const texts[] = {"OK=1\nhunter2\n", "OK=1\n1A=hunter2\n", "OK=1\nA=\"hunter2\n",
                                        "OK=1\n=hunter2"};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char path[] = "/tmp/paddock-env-XXXXXX", with[128];
        struct mock *m = mock_load("subprocess", NULL, NULL);
        struct mock_attempt *attempt;
        write_file(temporary(path), texts[i]);
        (void)snprintf(with, sizeof with, "{'command': ['x'], 'env_file': [{'path': '%s'}]}", path);
        attempt = begin(m, with);
        expect(attempt, PDK_FATAL, PDK_CAT_INPUT, "line 2: ");
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
    struct mock *m = mock_load("subprocess", NULL, NULL);
    struct mock_attempt *attempt;
    struct mock_child *child = run(m, "{'command': ['x'], 'user': 'nobody', 'env': {'HOME': '/mine'}}", &attempt);
    (void)state;
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

static void scripts_are_sealed_files(void **state) {
    struct mock *m = mock_load("subprocess", NULL, NULL);
    struct mock_attempt *attempt;
    struct mock_child *child = run(m, "{'script': {'text': 'echo hi', 'args': ['a', 'b']}}", &attempt);
    (void)state;
    assert_string_equal(child->script, "echo hi");
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

/* ---- how it ends ---- */

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
        {-ENOEXEC, PDK_FATAL, PDK_CAT_INPUT},  {-EIO, PDK_FAILURE, PDK_CAT_OTHER},
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

/* ---- results ---- */

static void finish_with(struct mock *m, struct mock_child *child, const char *text, int32_t exit_code) {
    write_file(mock_env(child, "PADDOCK_OUTPUT"), text);
    mock_child_ended(child, exit_code, 0);
    assert_int_equal(mock_run_jobs(m), 1);
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
    struct mock *m = mock_load("subprocess", NULL, NULL);
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct mock_attempt *attempt;
        struct mock_child *child = run(m, "{'command': ['x']}", &attempt);
        finish_with(m, child, cases[i].text, 0);
        expect(attempt, PDK_SUCCESS, PDK_CAT_NONE, "");
        assert_string_equal(mock_print(m, attempt->output_value), cases[i].value);
        assert_int_equal(access(mock_env(child, "PADDOCK_OUTPUT"), F_OK), -1);
    }
    mock_free(m);
}

static void bad_results_fail_a_success(void **state) {
    struct mock *m = mock_load("subprocess", NULL, NULL);
    struct mock_attempt *attempt;
    struct mock_child *child;
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
    assert_non_null(strstr(m->log, "lines of name=value"));
    child = run(m, "{'command': ['x']}", &attempt);
    assert_int_equal(symlink("/etc/passwd", mock_env(child, "PADDOCK_OUTPUT")), 0);
    mock_child_ended(child, 0, 0);
    mock_run_jobs(m);
    assert_int_equal(attempt->status, PDK_FATAL);
    assert_null(attempt->output_value);
    free(large);
    mock_free(m);
}

static void results_are_read_even_when_the_pool_is_full(void **state) {
    struct mock *m = mock_load("subprocess", NULL, NULL);
    struct mock_attempt *attempt;
    struct mock_child *child = run(m, "{'command': ['x']}", &attempt);
    (void)state;
    write_file(mock_env(child, "PADDOCK_OUTPUT"), "a=1");
    m->options.pool_is_full = true;
    mock_child_ended(child, 0, 0);
    assert_string_equal(mock_print(m, attempt->output_value), "{\"a\":\"1\"}");
    mock_free(m);
}

static void results_of_another_user_have_a_folder(void **state) {
    struct mock *m = mock_load("subprocess", NULL, NULL);
    struct mock_attempt *attempt;
    struct mock_child *child;
    struct stat st;
    char folder[4096];
    (void)state;
    if (geteuid() != 0) skip();
    child = run(m, "{'command': ['x'], 'user': 'nobody'}", &attempt);
    (void)snprintf(folder, sizeof folder, "%s", mock_env(child, "PADDOCK_OUTPUT"));
    *strrchr(folder, '/') = '\0';
    assert_int_equal(stat(folder, &st), 0);
    assert_int_equal(st.st_uid, 65534);
    assert_int_equal(st.st_mode & 0777, 0700);
    finish_with(m, child, "a=1", 0);
    assert_string_equal(mock_print(m, attempt->output_value), "{\"a\":\"1\"}");
    assert_int_equal(access(folder, F_OK), -1);
    mock_free(m);
}

static void without_a_folder_there_is_a_warning(void **state) {
    struct mock *m = mock_load("subprocess", "{'runtime_dir': '/nowhere/at/all'}", NULL);
    struct mock_attempt *attempt;
    struct mock_child *child = run(m, "{'command': ['x']}", &attempt);
    (void)state;
    assert_null(mock_env(child, "PADDOCK_OUTPUT"));
    assert_non_null(strstr(m->log, "children get no PADDOCK_OUTPUT"));
    assert_int_equal(m->health, PDK_DEGRADED);
    mock_child_ended(child, 0, 0);
    expect(attempt, PDK_SUCCESS, PDK_CAT_NONE, "");
    mock_free(m);
}

static void a_private_tmp_hides_no_results_silently(void **state) {
    struct mock *m = mock_load("subprocess", "{'runtime_dir': '/tmp'}", NULL);
    struct mock_attempt *attempt;
    struct mock_child *child = run(m, "{'command': ['x'], 'private_tmp': true}", &attempt);
    (void)state;
    assert_null(mock_env(child, "PADDOCK_OUTPUT"));
    assert_non_null(strstr(m->log, "private_tmp hides"));
    mock_child_ended(child, 0, 0);
    mock_free(m);
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
    struct mock *m = mock_load("subprocess", NULL, NULL);
    struct mock_attempt *attempt;
    struct mock_child *child = run(m, "{'command': ['x'], 'notify': true}", &attempt);
    int fd = connect_to(mock_env(child, "NOTIFY_SOCKET"));
    (void)state;
    say(fd, "STATUS=warming up\nX_PROGRESS=0.25\nMAINPID=1");
    mock_turn(m);
    assert_int_equal(attempt->ready, 0);
    assert_true(attempt->fraction == 0.25);
    assert_string_equal(attempt->text, "warming up");
    say(fd, "X_PROGRESS=1.5");
    say(fd, "X_PROGRESS=nan");
    say(fd, "X_PROGRESS=");
    say(fd, "STATUS=\033[31mred");
    say(fd, "READY=0");
    say(fd, "");
    mock_turn(m);
    assert_true(attempt->fraction == 0.25);
    assert_string_equal(attempt->text, "warming up");
    assert_int_equal(attempt->ready, 0);
    say(fd, "READY=1\n");
    mock_child_ended(child, 0, 0); /* what was said before the end is heard */
    assert_int_equal(attempt->ready, 1);
    close(fd);
    mock_free(m);
}

static void strangers_are_not_heard(void **state) {
    struct mock *m = mock_load("subprocess", NULL, NULL);
    struct mock_attempt *attempt;
    struct mock_child *child;
    pid_t pid;
    (void)state;
    if (geteuid() != 0) skip();
    child = run(m, "{'command': ['x'], 'notify': true}", &attempt);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        if (setresuid(65533, 65533, 65533)) _exit(1);
        say(connect_to(mock_env(child, "NOTIFY_SOCKET")), "READY=1");
        _exit(0);
    }
    {
        siginfo_t info;
        assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED), 0);
    }
    mock_turn(m);
    assert_int_equal(attempt->ready, 0);
    assert_non_null(strstr(m->log, "messages of uid 65533 are passed over"));
    mock_child_ended(child, 0, 0);
    mock_free(m);
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
        cmocka_unit_test(scripts_are_sealed_files),
        cmocka_unit_test(passed_descriptors_come_before_the_script),
        cmocka_unit_test(stdin_is_text_a_file_or_json),
        cmocka_unit_test(a_folder_that_was_removed_is_opened_again),
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
        cmocka_unit_test(results_are_lines_or_json),
        cmocka_unit_test(bad_results_fail_a_success),
        cmocka_unit_test(results_are_read_even_when_the_pool_is_full),
        cmocka_unit_test(results_of_another_user_have_a_folder),
        cmocka_unit_test(without_a_folder_there_is_a_warning),
        cmocka_unit_test(a_private_tmp_hides_no_results_silently),
        cmocka_unit_test(notify_tells_ready_and_progress),
        cmocka_unit_test(strangers_are_not_heard),
        cmocka_unit_test(filters_are_shared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
