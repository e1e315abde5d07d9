/* SPDX-License-Identifier: Apache-2.0 */
/* subprocess: what a spec can have wrong is found when the task is made, and the fault points at the value. */
#include <stdio.h>
#include <stdlib.h>

#include "plugin_test.h"

struct refusal {
    const char *with;    /* ' stands for " */
    const char *at;      /* JSON of the value at fault; NULL: not looked at */
    const char *message; /* a part of it */
};

static const struct refusal refusals[] = {
    {"{}", NULL, "a command is wanted, or with.script"},
    {"{'command': []}", "[]", "the command is empty"},
    {"{'command': ['']}", "[\"\"]", "the command is empty"},
    {"{'command': ['x'], 'script': {'text': 'y'}}", "{\"interpreter\":[\"bash\"],\"text\":\"y\"}",
     "exclude each other"},
    {"{'script': {}}", NULL, "text is wanted, or base64"},
    {"{'script': {'text': ''}}", "\"\"", "the script is empty"},
    {"{'script': {'text': 'a', 'base64': 'YQ=='}}", "\"YQ==\"", "exclude each other"},
    {"{'script': {'base64': 'YQ='}}", "\"YQ=\"", "not a multiple of 4"},
    {"{'script': {'base64': 'Y$=='}}", NULL, "something else than A-Z"},
    {"{'script': {'base64': 'YR=='}}", NULL, "bits that mean nothing"},
    {"{'script': {'base64': 'Y==='}}", NULL, "something else than A-Z"},
    {"{'script': {'base64': '===='}}", NULL, "something else than A-Z"},
    {"{'script': {'base64': 'YQ==YQ=='}}", NULL, "something else than A-Z"},
    {"{'script': {'base64': 'YQ\\n='}}", NULL, "something else than A-Z"},
    {"{'script': {'base64': '/w=='}}", NULL, "UTF-8 text"},
    {"{'script': {'base64': '7aCA'}}", NULL, "UTF-8 text"},     /* a surrogate */
    {"{'script': {'base64': 'wIA='}}", NULL, "UTF-8 text"},     /* NUL, overlong */
    {"{'script': {'base64': '4oKs4oI='}}", NULL, "UTF-8 text"}, /* cut */
    {"{'script': {'text': 'a', 'interpreter': ['python3 -u']}}", "[\"python3 -u\"]", "as a list, not \"python3 -u\""},
    {"{'script': {'text': 'a', 'interpreter': ['']}}", NULL, "the interpreter is empty"},
    {"{'command': ['x'], 'env': {'A=B': 'c'}}", "\"c\"", "the variable \"A=B\""},
    {"{'command': ['x'], 'env': {'1A': 'c'}}", NULL, "does not begin with a digit"},
    {"{'command': ['x'], 'env': {'A': {'credential': '../x'}}}", "\"../x\"", "named without folders"},
    {"{'command': ['x'], 'env': {'A': {'env': 'B=C'}}}", "\"B=C\"", "has no ="},
    {"{'command': ['x'], 'env_file': [{'path': ''}]}", NULL, "the path is empty"},
    {"{'command': ['x'], 'cwd': 'here'}", "\"here\"", "an absolute path is wanted"},
    {"{'command': ['x'], 'user': ':staff'}", "\":staff\"", "name or name:group"},
    {"{'command': ['x'], 'user': 'nobody:'}", NULL, "name or name:group"},
    {"{'command': ['x'], 'user': 'a:b:c'}", NULL, "name or name:group"},
    {"{'command': ['x'], 'groups': ['']}", "\"\"", "the name of a group is empty"},
    {"{'command': ['x'], 'exit': {'success': ['256']}}", "\"256\"", "0 to 255"},
    {"{'command': ['x'], 'exit': {'success': ['5-2']}}", NULL, "a range such as 1-63"},
    {"{'command': ['x'], 'exit': {'success': ['-2']}}", NULL, "0 to 255"},
    {"{'command': ['x'], 'exit': {'success': ['2-']}}", NULL, "0 to 255"},
    {"{'command': ['x'], 'exit': {'success': ['']}}", NULL, "0 to 255"},
    {"{'command': ['x'], 'exit': {'retry': ['3-9'], 'fatal': ['9']}}", "\"9\"", "the exit code 9 is here twice"},
    {"{'command': ['x'], 'stop': {'signal': 'TREM'}}", "\"TREM\"", "there is no signal \"TREM\""},
    {"{'command': ['x'], 'stop': {'signal': '15'}}", NULL, "there is no signal"},
    {"{'command': ['x'], 'stop': {'signal': 'RTMIN+99'}}", NULL, "there is no signal"},
    {"{'command': ['x'], 'stop': {'command': ['']}}", NULL, "the command is empty"},
    {"{'command': ['x'], 'reload': {'signal': 'HUP', 'command': ['y']}}", NULL, "exclude each other"},
    {"{'command': ['x'], 'stdin': 5}", "5", "text is wanted, quoted"},
    {"{'command': ['x'], 'stdin': {'path': 'a'}}", NULL, "'file' is missing"},
    {"{'command': ['x'], 'stdin': {'file': ''}}", NULL, "the path is empty"},
    {"{'command': ['x'], 'stdin': 'a', 'input': 1}", "\"a\"", "stdin and input exclude each other"},
    {"{'command': ['x'], 'inherit': ['all', 'A']}", "\"all\"", "all stands alone"},
    {"{'command': ['x'], 'inherit': ['A-B']}", "\"A-B\"", "names of variables"},
    {"{'command': ['x'], 'umask': '0888'}", "\"0888\"", "a mask is octal"},
    {"{'command': ['x'], 'umask': '01000'}", NULL, "0000 to 0777"},
    {"{'command': ['x'], 'umask': ''}", NULL, "a mask is octal"},
    {"{'command': ['x'], 'ionice': 'best-effort:8'}", "\"best-effort:8\"", "best-effort:7"},
    {"{'command': ['x'], 'ionice': 'realtime'}", NULL, "idle is wanted"},
    {"{'command': ['x'], 'ionice': 'best-effort:77'}", NULL, "idle is wanted"},
    {"{'command': ['x'], 'rlimits': {'nofile': 'many'}}", "\"many\"", "'nofile' wants a number, unlimited"},
    {"{'command': ['x'], 'rlimits': {'nofile': '64MiB'}}", NULL, "'nofile' wants a number, unlimited"},
    {"{'command': ['x'], 'rlimits': {'nofile': -1}}", "-1", "'nofile' wants"},
    {"{'command': ['x'], 'rlimits': {'nofile': '9:5'}}", NULL, "soft:hard"},
    {"{'command': ['x'], 'rlimits': {'core': '1X'}}", NULL, "a size such as 64MiB"},
    {"{'command': ['x'], 'capabilities': ['net_bnid']}", "\"net_bnid\"", "there is no capability"},
    {"{'command': ['x'], 'seccomp': ['opne']}", "\"opne\"", "there is no system call \"opne\""},
    {"{'command': ['x'], 'seccomp': ['default', 'execve']}", "\"execve\"", "without execve nothing runs"},
    {"{'command': ['x'], 'pass_fds': [2]}", "2", "from 3 upwards"},
    {"{'command': ['x'], 'pass_fds': ['a']}", NULL, "from 3 upwards"},
};

static void each_fault_points_at_its_value(void **state) {
    pdk_test *m = load_plugin("subprocess", NULL, 0);
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        const char *at = NULL, *message = refused(m, "subprocess", refusals[i].with, &at);
        if (!strstr(message, refusals[i].message))
            fail_msg("%s: \"%s\" lacks \"%s\"", refusals[i].with, message, refusals[i].message);
        if (refusals[i].at && strcmp(at, refusals[i].at)) fail_msg("%s: points at %s", refusals[i].with, at);
    }
    end_plugin(m);
}

/* What the host's schema check stops before: a host that does not check must not be able to crash us. */
static void holds_without_the_schema(void **state) {
    static const struct refusal wrong[] = {
        {"{'command': ['x'], 'env': {'A': {}}}", "{}", "one of {file: PATH}"},
        {"{'command': ['x'], 'env': {'A': {'file': 'a', 'env': 'b'}}}", NULL, "one of {file: PATH}"},
        {"{'command': ['x'], 'env': {'A': [1]}}", "[1]", "wants text"},
        {"{'command': [1]}", "1", "a list of strings"},
        {"{'command': ['x'], 'stop': {'to': 'all'}}", "\"all\"", "group or leader"},
        {"{'command': ['x'], 'nice': 20}", "20", "-20 to 19"},
        {"{'command': ['x'], 'oom_score': -1001}", "-1001", "-1000 to 1000"},
        {"{'command': ['x'], 'notify': 'yes'}", "\"yes\"", "true or false"},
        {"{'command': ['x'], 'resources': {'pids': -1}}", NULL, "not negative"},
        {"{'command': ['x'], 'capabilities': [1]}", "1", "no capability"},
        {"{'command': ['x'], 'seccomp': [1]}", "1", "a name of a system call"},
        {"{'command': ['x'], 'groups': [1]}", "1", "list of strings"},
        {"{'command': ['x'], 'inherit': [1]}", "1", "names of variables"},
        {"{'command': ['x'], 'env_file': [1]}", NULL, "'path' is missing"},
        {"{'script': {'base64': 1}}", "1", "base64 text is wanted"},
        {"{'script': {'text': 1}}", "1", "the text of a script"},
    };
    pdk_test *m = load_plugin("subprocess", NULL, PDK_TEST_UNCHECKED);
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const char *at = NULL, *message = refused(m, "subprocess", wrong[i].with, &at);
        if (!strstr(message, wrong[i].message))
            fail_msg("%s: \"%s\" lacks \"%s\"", wrong[i].with, message, wrong[i].message);
        if (wrong[i].at && strcmp(at, wrong[i].at)) fail_msg("%s: points at %s", wrong[i].with, at);
    }
    end_plugin(m);
}

static void good_words_are_taken(void **state) {
    static const char *const good[] = {
        "{'command': 'x'}",
        "{'command': ['x', '', 'y']}",
        "{'script': {'base64': 'ZWNobyDigqwK'}}",
        "{'script': {'text': 'x', 'interpreter': 'python3', 'args': ['a']}}",
        "{'command': ['x'], 'stop': {'signal': 'SIGQUIT', 'to': 'leader'}}",
        "{'command': ['x'], 'stop': {'signal': 'RTMIN+3'}, 'reload': {'signal': 'HUP'}}",
        "{'command': ['x'], 'exit': {'success': ['0-3', '9'], 'retry': ['75'], 'fatal': ['4-8', '78']}}",
        "{'command': ['x'], 'umask': '0027', 'nice': -5, 'ionice': 'idle', 'oom_score': 500}",
        "{'command': ['x'], 'rlimits': {'nofile': 64, 'memlock': '512MiB', 'core': 'unlimited', 'nproc': '10:20',"
        " 'cpu': '5', 'as': '1GiB', 'stack': '8MiB', 'fsize': 0}}",
        "{'command': ['x'], 'capabilities': ['net_bind_service', 'CAP_SYS_NICE', 'checkpoint_restore']}",
        "{'command': ['x'], 'capabilities': []}",
        "{'command': ['x'], 'seccomp': 'default'}",
        "{'command': ['x'], 'seccomp': ['default', 'clone3', 'socket']}",
        "{'command': ['x'], 'env': {'A': 'b', 'B': null, 'C': {'file': '/f'}, 'D': {'env': 'E'}, 'F': {'credential': "
        "'g'}}}",
        "{'command': ['x'], 'user': '1000:1000', 'groups': ['adm', '7']}",
        "{'command': ['x'], 'stdin': 'text', 'drain': '100ms', 'merge_stderr': true}",
        "{'command': ['x'], 'inherit': ['HOME', 'LANG'], 'private_tmp': true, 'no_new_privileges': true}",
    };
    pdk_test *m = load_plugin("subprocess", NULL, 0);
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) (void)build(m, "subprocess", good[i]);
    end_plugin(m);
}

/* {'script': {'text': 'aaa...'}} of so many bytes, or base64 that decodes to as many. */
static char *long_script(const char *key, char filler, size_t size) {
    char *text = malloc(size + 64);
    int used;
    assert_non_null(text);
    used = snprintf(text, size + 64, "{'script': {'%s': '", key);
    memset(text + used, filler, size);
    memcpy(text + used + size, "'}}", 4);
    return text;
}

static void a_script_has_two_mebibytes(void **state) {
    static const size_t most = 2 * 1024 * 1024;
    static const struct {
        const char *key;
        char filler;
        size_t size;
        bool fits;
    } cases[] = {
        {"text", 'a', most, true},
        {"text", 'a', most + 1, false},
        {"base64", 'V', most / 3 * 4, true},      /* 3 bytes less than most, for most is not divisible by 3 */
        {"base64", 'V', most / 3 * 4 + 4, false}, /* one byte more */
        {"base64", 'V', 4 * most, false},
    };
    pdk_test *m = load_plugin("subprocess", NULL, 0);
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *with = long_script(cases[i].key, cases[i].filler, cases[i].size);
        if (cases[i].fits)
            (void)build(m, "subprocess", with);
        else
            assert_string_equal(refused(m, "subprocess", with, NULL), "a script has at most 2 MiB");
        free(with);
    }
    end_plugin(m);
}

static void only_permitted_users(void **state) {
    pdk_test *m = load_plugin("subprocess", "{'users': ['nobody', 'www-data']}", 0);
    (void)state;
    (void)build(m, "subprocess", "{'command': ['x'], 'user': 'nobody:games'}");
    assert_non_null(
        strstr(refused(m, "subprocess", "{'command': ['x'], 'user': 'root'}", NULL), "tasks may not run as \"root\""));
    assert_non_null(strstr(refused(m, "subprocess", "{'command': ['x'], 'user': 'nobod'}", NULL), "may not run"));
    end_plugin(m);
}

static void config_is_checked(void **state) {
    pdk_error err = PDK_ERROR;
    (void)state;
    assert_null(try_load_plugin(NULL, "subprocess", "{'runtime_dir': 'here'}", 0, &err));
    assert_int_equal(err.code, -EINVAL);
    assert_non_null(strstr(err.message, "an absolute path is wanted"));
    assert_null(try_load_plugin(NULL, "subprocess", "{'inherit': ['none', 'A']}", 0, &err));
    assert_int_equal(err.code, -EINVAL);
    assert_non_null(strstr(err.message, "none stands alone"));
}

static void without_services_it_checks_and_runs_nothing(void **state) {
    pdk_test *m = load_plugin("subprocess", NULL, PDK_TEST_NO_SERVICES);
    (void)state;
    assert_int_equal(start_refused(build(m, "subprocess", "{'command': ['x']}")), -ENOTSUP);
    end_plugin(m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_fault_points_at_its_value),
        cmocka_unit_test(holds_without_the_schema),
        cmocka_unit_test(good_words_are_taken),
        cmocka_unit_test(a_script_has_two_mebibytes),
        cmocka_unit_test(only_permitted_users),
        cmocka_unit_test(config_is_checked),
        cmocka_unit_test(without_services_it_checks_and_runs_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
