/* SPDX-License-Identifier: Apache-2.0 */
#include "translate.h"

#define CONF(text, wanted, notes) expect(PDK_IMPORT_SUPERVISORD, "s.conf", text, wanted, notes)

/* A program that is never restarted, so that nothing but the key that is looked at shows. */
static void key(const char *lines, const char *wanted, uint32_t notes) {
    char text[1024], yaml[1024];
    (void)snprintf(text, sizeof text, "[program:a]\ncommand=x y\nautorestart=false\n%s\n", lines);
    (void)snprintf(yaml, sizeof yaml, "tasks:\n  a:%s%s\n", *wanted == '\n' ? "" : " ", wanted);
    CONF(text, yaml, notes);
}

static void programs(void **state) {
    (void)state;
    CONF("[program:a]\ncommand = x \"y z\" 'w' ; c\n[program:b]\ncommand: y\nautorestart=true\n",
         "tasks:\n  a: {command: [x, y z, w], restart: on-failure}\n  b: {command: [y], restart: always}\n", 0);
    CONF("[program:a]\ncommand=x\n  y\nautorestart=false\n", "tasks:\n  a: [x, y]\n", 0);
    CONF("[program:a]\nCommand=x\ncommand=z\nautorestart=false\n[program:a]\nautostart=false\n",
         "tasks:\n  a: {command: [z], manual: true}\n", 0);
}

static void keys(void **state) {
    (void)state;
    key("startsecs=5", "{command: [x, y], ready: 5s}", 0);
    key("stopsignal=QUIT", "{command: [x, y], stop: QUIT}", 0);
    key("stopwaitsecs=30\nstopasgroup=false", "{command: [x, y], stop: {grace: 30s, to: leader}}", 0);
    key("stopwaitsecs=10\nstopasgroup=true\nkillasgroup=true", "[x, y]", 0);
    key("exitcodes=0,2", "{command: [x, y], exit: {success: [0, 2]}}", 0);
    key("user=www\numask=022\ndirectory=/srv",
        "\n    command: [x, y]\n    cwd: /srv\n    user: www\n    with: {umask: 0022}", 0);
    key("environment=A=\"b,c\",D=e", "{command: [x, y], env: {A: \"b,c\", D: e}}", 0);
    key("numprocs=2\nprocess_name=%(program_name)s_%(process_num)02d", "{command: [x, y], replicas: 2}", 0);
    key("stdout_logfile=/a\nstdout_logfile_maxbytes=1MB\nstdout_logfile_backups=2\nstderr_logfile=/b",
        "{command: [x, y], log: {file: /a, stderr: /b, max_size: 1MiB, keep: 2}}", 0);
    key("stdout_logfile=/dev/stdout\nstdout_logfile_maxbytes=0\nredirect_stderr=true",
        "{command: [x, y], with: {merge_stderr: true}}", 0);
    key("killasgroup=false",
        "\n    # s.conf:4: killasgroup=false: in the end all that it started is killed, always\n"
        "    command: [x, y]",
        1);
    key("stdout_events_enabled=true",
        "\n    # s.conf:4: stdout_events_enabled=true has no counterpart here\n    command: [x, y]", 1);
    key("user=%(ENV_U)s", "\n    # s.conf:4: user=%(ENV_U)s: this cannot be a user here\n    command: [x, y]", 1);
}

static void retries(void **state) {
    (void)state;
    CONF("[program:a]\ncommand=x\nstartretries=30\n",
         "tasks:\n  a: {command: [x], restart: on-failure, retries: {limit: 30, within: 9m}}\n", 0);
}

static void variables(void **state) {
    (void)state;
    CONF("[program:a]\ncommand=%(here)s/x %(ENV_A)s 10%% ${B}\nautorestart=false\ndirectory=%(ENV_D)s\n",
         "tasks:\n  a: {command: [/here/x, \"${A:-}\", 10%, \"$${B}\"], cwd: \"${D:-.}\"}\n", 0);
    CONF("[program:a]\ncommand=x -p 80%(process_num)02d\nnumprocs=2\nautorestart=false\n",
         "tasks:\n  a: {command: exec x -p 80\"$(printf %02d $((PADDOCK_REPLICA - 1)))\", replicas: 2}\n", 0);
    CONF("[program:a]\ncommand=x %(nope)s\nautorestart=false\n",
         "tasks:\n  a:\n    # s.conf:2: command=x %(nope)s: this variable is not known\n    command: [x, "
         "\"%(nope)s\"]\n",
         1);
}

static void order(void **state) {
    (void)state;
    CONF(
        "[program:b]\ncommand=x\npriority=2\n[program:a]\ncommand=x\npriority=1\n[program:m]\ncommand=x\npriority=1\n"
        "autostart=false\n[program:c]\ncommand=x\n",
        "defaults: {restart: on-failure}\ntasks:\n  b: {command: [x], after: a}\n  a: [x]\n  m: {command: [x], manual: "
        "true}\n  c: {command: [x], after: b}\n",
        0);
}

static void sections(void **state) {
    (void)state;
    CONF("[supervisord]\nenvironment=A=1\n[program:a]\ncommand=x\nautorestart=false\nenvironment=B=2\n",
         "# s.conf:1: [supervisord] sets up supervisord itself\ntasks:\n  a: {command: [x], env: {A: 1, B: 2}}\n", 1);
    CONF("[group:g]\nprograms=a, b\n[program:a]\ncommand=x\nautorestart=false\n",
         "# s.conf:1: [group:g]: b\ntasks:\n  a: {command: [x], labels: {group: g}}\n", 1);
    CONF("[eventlistener:e]\ncommand=x\n",
         "# s.conf:1: [eventlistener:e] has no counterpart here: paddock run --json tells events\ntasks: {}\n", 1);
    CONF("[include]\nfiles=/etc/*.conf\n", "# s.conf:2: files=/etc/*.conf: not read from here\ntasks: {}\n", 1);
}

static void copies_do_not_clash(void **state) {
    (void)state;
    CONF("[program:a]\ncommand=x\nnumprocs=2\nautorestart=false\n[program:a.1]\ncommand=y\nautorestart=false\n",
         "tasks:\n  a: {command: [x], replicas: 2}\n  a-1: [y]\n", 0);
}

static void faults(void **state) {
    const enum pdk_import_format format = PDK_IMPORT_SUPERVISORD;
    (void)state;
    expect_fault(format, "s", "\n[program:a]\nuser=x\n", 2, "[program:a] has no command",
                 "add command=PROGRAM ARGUMENT...");
    expect_fault(format, "s", "[program:a]\ncommand=\"x\n", 2, "a quote is opened and not closed", "close it");
    expect_fault(format, "s", "[program:a]\ncommand=\n", 2, "an empty command", "command=PROGRAM ARGUMENT...");
    expect_fault(format, "s", "[program:a\n", 1, "the name of a section is not closed", "expected [SECTION]");
    expect_fault(format, "s", "x=y\n", 1, "a line before any section", "expected [SECTION] first");
    expect_fault(format, "s", "[program:a]\nwhat\n", 2, "this is neither a section nor a value", "expected KEY=VALUE");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(programs),
                                       cmocka_unit_test(keys),
                                       cmocka_unit_test(retries),
                                       cmocka_unit_test(variables),
                                       cmocka_unit_test(order),
                                       cmocka_unit_test(sections),
                                       cmocka_unit_test(copies_do_not_clash),
                                       cmocka_unit_test(faults)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
