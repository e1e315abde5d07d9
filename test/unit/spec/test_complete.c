/* SPDX-License-Identifier: Apache-2.0 */
/* What programs need, as runners get it. This form is a contract with plugins. */
#include "read.h"

static void assert_with(const char *text, const char *wanted) {
    struct pdk_task *t = task(text), *complete = NULL;
    struct pdk_report report = {.limit = 0};
    int32_t rc = pdk_task_complete(t, &program, NULL, "subprocess", &report, &complete);
    assert_faults(&report, "");
    assert_int_equal(rc, 0);
    assert_json(complete->plugin.with, wanted);
    pdk_report_free(&report);
    pdk_task_drop(complete);
    pdk_task_drop(t);
}

#define CWD  "'cwd':'/f',"
#define EXIT "'exit':{'fatal':[],'retry':[],'success':['0']},"
#define NOT  "'notify':false,"
#define STOP "'stop':{'signal':'TERM','to':'group'}}"

static void the_forms_are_fixed(void **state) {
    (void)state;
    static const struct {
        const char *text, *with;
    } cases[] = {
        {"'a b'", "{'command':['/bin/sh','-c','a b']," CWD EXIT NOT STOP},
        {"['a', 1]", "{'command':['a','1']," CWD EXIT NOT STOP},
        {"{'command': ['a'], 'env': {'A': 1, 'B': null, 'C': {'file': '/c'}, 'G': {'file': 'g'}, 'D': {'env': 'E'}, "
         "'F': 'x'}}",
         "{'command':['a']," CWD
         "'env':{'A':'1','B':null,'C':{'file':'/c'},'D':{'env':'E'},'F':'x','G':{'file':'/f/g'}}," EXIT NOT STOP},
        {"{'command': ['a'], 'env_file': 'e'}",
         "{'command':['a']," CWD "'env_file':[{'optional':false,'path':'/f/e'}]," EXIT NOT STOP},
        {"{'command': ['a'], 'env_file': ['/e', {'path': './e', 'optional': true}]}",
         "{'command':['a']," CWD
         "'env_file':[{'optional':false,'path':'/e'},{'optional':true,'path':'/f/e'}]," EXIT NOT STOP},
        {"{'command': ['a'], 'cwd': 'x'}", "{'command':['a'],'cwd':'/f/x'," EXIT NOT STOP},
        {"{'command': ['a'], 'cwd': '.'}", "{'command':['a']," CWD EXIT NOT STOP},
        {"{'command': ['a'], 'resources': {'cpu': 0.5, 'memory': '1MiB', 'pids': 7}}",
         "{'command':['a']," CWD EXIT NOT "'resources':{'cpu':0.5,'memory':1048576,'pids':7}," STOP},
        {"{'command': ['a'], 'resources': {'pids': 7}}",
         "{'command':['a']," CWD EXIT NOT "'resources':{'pids':7}," STOP},
        {"{'command': ['a'], 'exit': {'success': [0, '3-5'], 'retry': 75, 'fatal': '78-80'}}",
         "{'command':['a']," CWD "'exit':{'fatal':['78-80'],'retry':['75'],'success':['0','3-5']}," NOT STOP},
        {"{'command': ['a'], 'exit': {'fatal': '0-3'}}",
         "{'command':['a']," CWD "'exit':{'fatal':['0-3'],'retry':[],'success':[]}," NOT STOP},
        {"{'command': ['a'], 'stop': 'SIGQUIT'}",
         "{'command':['a']," CWD EXIT NOT "'stop':{'signal':'QUIT','to':'group'}}"},
        {"{'command': ['a'], 'stop': {'command': 'b c', 'to': 'leader'}}",
         "{'command':['a']," CWD EXIT NOT "'stop':{'command':['/bin/sh','-c','b c'],'signal':'TERM','to':'leader'}}"},
        {"{'command': ['a'], 'reload': 'HUP'}", "{'command':['a']," CWD EXIT NOT "'reload':{'signal':'HUP'}," STOP},
        {"{'command': ['a'], 'reload': ['b', 'c']}",
         "{'command':['a']," CWD EXIT NOT "'reload':{'command':['b','c']}," STOP},
        {"{'command': ['a'], 'ready': 'notify'}", "{'command':['a']," CWD EXIT "'notify':true," STOP},
        {"{'command': ['a'], 'ready': '2s'}", "{'command':['a']," CWD EXIT NOT STOP},
        {"{'command': ['a'], 'input': {'a': [1]}}", "{'command':['a']," CWD EXIT "'input':{'a':[1]}," NOT STOP},
        {"{'command': ['a'], 'input': null}", "{'command':['a']," CWD EXIT NOT STOP},
        {"{'command': ['a'], 'user': 'a:b', 'with': {'nice': 5}}",
         "{'command':['a']," CWD EXIT "'nice':5," NOT "'stop':{'signal':'TERM','to':'group'},'user':'a:b'}"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) assert_with(cases[i].text, cases[i].with);
}

static void assert_incomplete(const char *text, const pdk_schema *schema, const char *wanted) {
    struct pdk_task *t = task(text), *complete = NULL;
    struct pdk_report report = {.limit = 0};
    assert_int_equal(pdk_task_complete(t, schema, NULL, "p", &report, &complete), -EINVAL);
    assert_null(complete);
    assert_faults(&report, wanted);
    pdk_report_free(&report);
    pdk_task_drop(t);
}

static const pdk_param url_rows[] = {PDK_PARAM("url", PDK_STRING, PDK_REQUIRED, NULL, "Where to"), PDK_PARAM_END};
static const pdk_schema http = PDK_SCHEMA("http", "", url_rows);
static const pdk_param half_rows[] = {PDK_PARAM("command", PDK_STRINGS, 0, NULL, ""), PDK_PARAM_END};
static const pdk_schema half = PDK_SCHEMA("half", "", half_rows);

static void a_kind_takes_only_what_it_has(void **state) {
    (void)state;
    assert_incomplete(
        "{'kind': 'http', 'with': {'url': 'u'}, 'env': {'A': 'b'}, 'stop': {'grace': '1s', 'signal': 'INT'}}", &http,
        "/env: kind \"http\" runs no program / remove it, or kind: subprocess\n"
        "/stop: kind \"http\" runs no program / remove it, or kind: subprocess");
    assert_incomplete("{'kind': 'http'}", &http, "/with: \"url\" is missing / url: Where to");
    assert_incomplete("{'kind': 'half', 'command': 'x', 'user': 'me'}", &half,
                      "/user: kind \"half\" takes no user / remove it");
    assert_incomplete("{'kind': 'subprocess'}", &program, ": kind \"subprocess\" needs \"command\" / add it");
    assert_incomplete("{'kind': 'none', 'with': {'a': 1}}", NULL, "/with: unknown field \"a\"");
    assert_incomplete("'x'", &http,
                      ": kind \"subprocess\" runs no program / remove it, or kind: subprocess\n"
                      "/with: \"url\" is missing / url: Where to");
    struct pdk_task *t = task("{'kind': 'http', 'with': {'url': 'u'}, 'stop': {'grace': '1s'}, 'input': 5}"), *complete;
    assert_int_equal(pdk_task_complete(t, &http, NULL, "p", NULL, &complete), 0);
    assert_json(complete->plugin.with, "{'url':'u'}");
    assert_json(complete->plugin.input, "5");
    pdk_task_drop(complete);
    pdk_task_drop(t);
}

static void defaults_that_do_not_fit_are_dropped(void **state) {
    (void)state;
    const pdk_value *defaults = json("{'env': {'A': 'b'}, 'user': 'me', 'stop': 'QUIT', 'cwd': '/x'}");
    struct pdk_task_options options = {.name = "t", .defaults = defaults, .trusted = true};
    struct pdk_task *t = task_with("{'kind': 'http', 'with': {'url': 'u'}, 'stop': {'grace': '1s'}}", &options),
                    *complete;
    pdk_values_get()->drop(defaults);
    assert_int_equal(pdk_task_complete(t, &http, NULL, "p", NULL, &complete), 0);
    assert_json(complete->plugin.with, "{'url':'u'}");
    pdk_task_drop(complete);
    pdk_task_drop(t);
}

/* What a plugin finds fault with has the path that it was written at. */
static void what_is_handed_on_keeps_its_path(void **state) {
    (void)state;
    static const struct {
        const char *at[3], *path;
    } cases[] = {
        {{"nice"}, "/with/nice"},
        {{"user"}, "/user"},
        {{"env", "A"}, "/env/A"},
        {{"env_file", "0", "path"}, "/env_file/0/path"},
        {{"command", "2"}, "/command"},
        {{"stop", "signal"}, "/stop/signal"},
        {{"exit", "retry", "0"}, "/exit/retry/0"},
        {{"resources", "pids"}, "/resources/pids"},
    };
    const pdk_values *values = pdk_values_get();
    struct pdk_task *t = task("{'command': 'x', 'with': {'nice': 5}, 'user': 'me', 'env': {'A': 1}, 'env_file': ['f'], "
                              "'stop': 'HUP', 'exit': {'retry': [1]}, 'resources': {'pids': 3}}"),
                    *complete;
    assert_int_equal(pdk_task_complete(t, &program, NULL, "p", NULL, &complete), 0);
    pdk_task_drop(t);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const pdk_value *value = complete->plugin.with;
        char path[64];
        for (size_t k = 0; k < COUNT_OF(cases[i].at) && cases[i].at[k]; k++) {
            const char *step = cases[i].at[k];
            bool is_list = values->type(value) == PDK_LIST;
            value = is_list ? values->at(value, (size_t)(step[0] - '0')) : values->get(value, step);
        }
        assert_non_null(value);
        assert_string_equal(pdk_value_pointer(value, path, sizeof path), cases[i].path);
    }
    pdk_task_drop(complete);
}

/* A narrower row looks at what the task hands on once more: bytes have no unit then, and need none. */
static void what_is_handed_on_is_read_once(void **state) {
    static const pdk_param limits[] = {{"memory", PDK_SIZE, 0, NULL, "", NULL, 1e6, 1e9, NULL}, PDK_PARAM_END};
    static const pdk_param rows[] = {{"resources", PDK_MAP, 0, NULL, "", NULL, 0, 0, limits}, PDK_PARAM_END};
    static const pdk_schema narrow = PDK_SCHEMA("narrow", "", rows);
    struct pdk_task *t = task("{'kind': 'narrow', 'resources': {'memory': '2MiB'}}"), *complete;
    (void)state;
    assert_int_equal(pdk_task_complete(t, &narrow, NULL, "p", NULL, &complete), 0);
    assert_json(complete->plugin.with, "{'resources':{'memory':2097152}}");
    pdk_task_drop(complete);
    pdk_task_drop(t);
    assert_incomplete("{'kind': 'narrow', 'resources': {'memory': '64KiB'}}", &narrow,
                      "/resources/memory: 65536 is out of range / expected 1000000 to 1000000000");
}

/* With a blank one or without, all is the same; but of what the task says nothing there is one for all. */
static void what_is_not_said_is_shared(void **state) {
    static const pdk_param stops[] = {PDK_PARAM("signal", PDK_STRING, 0, "TERM", ""),
                                      PDK_PARAM("to", PDK_STRING, 0, "group", ""), PDK_PARAM_END};
    static const pdk_param rows[] = {PDK_PARAM("command", PDK_STRINGS, 0, NULL, ""),
                                     PDK_PARAM("cwd", PDK_STRING, 0, NULL, ""),
                                     PDK_PARAM("exit", PDK_MAP, 0, NULL, ""),
                                     {"stop", PDK_MAP, 0, NULL, "", NULL, 0, 0, stops},
                                     PDK_PARAM("notify", PDK_BOOL, 0, "false", ""),
                                     PDK_PARAM("drain", PDK_DURATION, 0, "5s", ""),
                                     PDK_PARAM_END};
    static const pdk_schema schema = PDK_SCHEMA("kind", "", rows);
    static const struct {
        const char *text;
        bool exit, stop, notify, drain; /* said */
    } cases[] = {
        {"{'kind': 'kind', 'command': 'x'}", 0, 0, 0, 0},
        {"{'kind': 'kind', 'stop': 'INT', 'with': {'drain': '1s'}}", 0, 1, 0, 1},
        {"{'kind': 'kind', 'exit': {'success': [3]}, 'stop': {'grace': '1s'}, 'ready': 'notify'}", 1, 0, 1, 0},
    };
    const pdk_values *values = pdk_values_get();
    const pdk_value *blank;
    (void)state;
    assert_int_equal(pdk_task_blank(&schema, &blank), 0);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct pdk_task *t = task(cases[i].text), *alone, *shared;
        assert_int_equal(pdk_task_complete(t, &schema, NULL, "p", NULL, &alone), 0);
        assert_int_equal(pdk_task_complete(t, &schema, blank, "p", NULL, &shared), 0);
        const pdk_value *with = shared->plugin.with;
        assert_true(pdk_value_equal(alone->plugin.with, with));
        assert_int_equal(values->get(with, "exit") == values->get(blank, "exit"), !cases[i].exit);
        assert_int_equal(values->get(with, "stop") == values->get(blank, "stop"), !cases[i].stop);
        assert_int_equal(values->get(with, "notify") == values->get(blank, "notify"), !cases[i].notify);
        assert_int_equal(values->get(with, "drain") == values->get(blank, "drain"), !cases[i].drain);
        pdk_task_drop(alone);
        pdk_task_drop(shared);
        pdk_task_drop(t);
    }
    values->drop(blank);
    assert_int_equal(pdk_task_blank(&program, &blank), 0);
    assert_null(blank); /* without a command it is nothing */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_forms_are_fixed),
        cmocka_unit_test(a_kind_takes_only_what_it_has),
        cmocka_unit_test(defaults_that_do_not_fit_are_dropped),
        cmocka_unit_test(what_is_handed_on_keeps_its_path),
        cmocka_unit_test(what_is_handed_on_is_read_once),
        cmocka_unit_test(what_is_not_said_is_shared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
