/* SPDX-License-Identifier: Apache-2.0 */
#include "translate.h"

#define UNIT(text, wanted, notes) expect(PDK_IMPORT_SYSTEMD, "a.service", text, wanted, notes)

/* Lines of [Service] beside ExecStart=x y. */
static void key(const char *lines, const char *wanted, uint32_t notes) {
    char text[1024], yaml[1024];
    (void)snprintf(text, sizeof text, "[Service]\nExecStart=/x y1\n%s\n", lines);
    (void)snprintf(yaml, sizeof yaml, "tasks:\n  a:%s%s\n", *wanted == '\n' ? "" : " ", wanted);
    UNIT(text, yaml, notes);
}

static void start(const char *line, const char *wanted) {
    char text[1024], yaml[1024];
    (void)snprintf(text, sizeof text, "[Service]\nType=oneshot\nExecStart=%s\n", line);
    (void)snprintf(yaml, sizeof yaml, "tasks:\n  a:%s%s\n", *wanted == '\n' ? "" : " ", wanted);
    UNIT(text, yaml, 0);
}

static void commands(void **state) {
    (void)state;
    start("/x \"a b\" 'c d' e\\x20f \\\n  g", "[/x, a b, c d, e f, g]");
    start("/x $A ${B}c $$D d$E", "exec /x $A \"${B}c\" '$D' 'd$E'");
    start("/x $$D %% ${", "[/x, $D, \"%\", \"$${\"]");
    start("/x %n %N %p %h/y %t", "[/x, a.service, a, a, \"${HOME:-/root}/y\", /run]");
    start("-/x y1", "{command: [/x, y1], exit: {success: 0-255}}");
    start(":/x $A ${B}", "[/x, $A, \"$${B}\"]");
    start("/x ; /y $A", "|-\n    set -e\n    /x\n    /y $A");
    start("/x\nExecStart=-/y", "|-\n    set -e\n    /x\n    /y || :");
    start("/x\nExecStart=\nExecStart=/z", "[/z]");
}

static void around(void **state) {
    (void)state;
    UNIT("[Service]\nUser=u\nExecStartPre=/p\nExecStartPre=-/q\nExecStart=/x\nExecStartPost=+/z\n",
         "tasks:\n  a-pre:\n    command: |-\n      set -e\n      /p\n      /q || :\n    user: u\n"
         "  a: {command: [/x], user: u, needs: a-pre}\n  a-post: {command: [/z], after: a}\n",
         0);
    key("ExecReload=/bin/kill -HUP $MAINPID", "{command: [/x, y1], reload: HUP}", 0);
    key("ExecReload=/r $MAINPID", "{command: [/x, y1], reload: [/bin/sh, -c, exec /r $PADDOCK_PID]}", 0);
    key("ExecStop=/bin/kill -s QUIT ${MAINPID}", "{command: [/x, y1], stop: QUIT}", 0);
    key("ExecStop=-/s\nTimeoutStopSec=1min 30s", "{command: [/x, y1], stop: {command: [/s], grace: 1m30s}}", 0);
}

static void keys(void **state) {
    (void)state;
    key("User=u\nGroup=g\nWorkingDirectory=/w", "{command: [/x, y1], cwd: /w, user: \"u:g\"}", 0);
    key("Environment=\"A=b c\" D=e\nUnsetEnvironment=F", "{command: [/x, y1], env: {A: b c, D: e, F: null}}", 0);
    key("EnvironmentFile=/e\nEnvironmentFile=-/f", "{command: [/x, y1], env_file: [/e, {path: /f, optional: true}]}",
        0);
    key("Type=notify\nTimeoutStartSec=5min", "{command: [/x, y1], ready: {notify: true, within: 5m}}", 0);
    key("Type=oneshot\nTimeoutStartSec=90", "{command: [/x, y1], timeout: 1m30s}", 0);
    key("Restart=always\nRestartSec=100ms", "{command: [/x, y1], restart: always, backoff: 100ms}", 0);
    key("Restart=on-failure\nStartLimitBurst=3\nStartLimitInterval=1h",
        "{command: [/x, y1], restart: on-failure, retries: {limit: 3, within: 1h}}", 0);
    key("Restart=on-abnormal\nSuccessExitStatus=143",
        "{command: [/x, y1], restart: on-failure, exit: {success: [0, 143], fatal: [1-142, 144-255]}}", 0);
    key("KillMode=mixed\nKillSignal=SIGINT", "{command: [/x, y1], stop: {to: leader, signal: INT}}", 0);
    key("MemoryMax=1G\nTasksMax=7\nCPUQuota=150%", "{command: [/x, y1], resources: {memory: 1GiB, pids: 7, cpu: 1.5}}",
        0);
    key("LimitNOFILE=1:2\nLimitMEMLOCK=64M\nLimitCORE=infinity",
        "{command: [/x, y1], with: {rlimits: {nofile: \"1:2\", memlock: 64MiB, core: unlimited}}}", 0);
    key("Nice=-5\nUMask=027\nPrivateTmp=yes\nNoNewPrivileges=no",
        "{command: [/x, y1], with: {nice: -5, umask: 0027, private_tmp: true}}", 0);
    key("CapabilityBoundingSet=CAP_CHOWN CAP_KILL", "{command: [/x, y1], with: {capabilities: [chown, kill]}}", 0);
    key("CapabilityBoundingSet=", "{command: [/x, y1], with: {capabilities: []}}", 0);
    key("StandardOutput=append:/o\nStandardError=file:/e", "{command: [/x, y1], log: {file: /o, stderr: /e}}", 0);
}

/* As a drop-in does it. */
static void taken_back(void **state) {
    static const char *const pairs[][2] = {
        {"KillSignal=INT", "KillSignal=SIGTERM"}, {"KillMode=mixed", "KillMode=control-group"},
        {"MemoryMax=1G", "MemoryMax=infinity"},   {"MemoryLimit=1G", "MemoryMax="},
        {"TasksMax=7", "TasksMax=infinity"},      {"CPUQuota=150%", "CPUQuota="},
        {"PrivateTmp=yes", "PrivateTmp=no"},      {"UMask=027", "UMask="},
        {"LimitNOFILE=1:2", "LimitNOFILE="}};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(pairs); i++) {
        char lines[64];
        (void)snprintf(lines, sizeof lines, "%s\n%s", pairs[i][0], pairs[i][1]);
        key(lines, "[/x, y1]", 0);
    }
    key("Nice=5\nKillMode=mixed\nKillSignal=INT\nKillMode=control-group",
        "{command: [/x, y1], stop: INT, with: {nice: 5}}", 0);
    key("RuntimeMaxSec=7625.999w 30000w",
        "\n    # a.service:3: RuntimeMaxSec=7625.999w 30000w is no time\n    command: [/x, y1]", 1);
}

static void notes(void **state) {
    (void)state;
    key("ProtectSystem=strict\nType=forking",
        "\n    # a.service:3: ProtectSystem=strict has no counterpart here\n"
        "    # a.service:4: Type=forking is refused: run it in front, where it does not leave its terminal\n"
        "    command: [/x, y1]",
        2);
    key("User=%q", "\n    # a.service:3: User=%q a specifier that is not known here\n    command: [/x, y1]", 1);
    UNIT("[Unit]\nAfter=network.target\n[Service]\nExecStart=/x\n",
         "tasks:\n  a:\n    # a.service:2: After=network.target: not among the units given\n    command: [/x]\n", 1);
    UNIT("[Service]\nExecStop=/x\n", "# a.service: a.service has no ExecStart=, so nothing to run\ntasks: {}\n", 1);
}

static void several(const char *const *files, const char *wanted, uint32_t count) {
    struct translated t;
    assert_int_equal(translate(&t, PDK_IMPORT_SYSTEMD, files), 0);
    assert_string_equal(strchr(t.yaml.data, '\n') + 1, wanted);
    assert_int_equal(pdk_import_untranslated(&t.import), count);
    forget(&t);
}

static void units(void **state) {
    static const char *const links[] = {
        "a.service", "[Unit]\nRequires=b.service\nAfter=b.service c.service\n[Service]\nExecStart=/a\n",
        "b.service", "[Service]\nType=oneshot\nExecStart=/b\n",
        "c.service", "[Unit]\nBefore=b.service\n[Service]\nExecStart=/c\n",
        NULL};
    static const char *const circle[] = {"a.service", "[Unit]\nAfter=b.service\n[Service]\nExecStart=/a\n", "b.service",
                                         "[Unit]\nAfter=a.service\n[Service]\nExecStart=/b\n", NULL};
    static const char *const drop_in[] = {"a.service", "[Service]\nExecStart=/a\n", "x/a.service.d/1.conf",
                                          "[Service]\nExecStart=\nExecStart=/b\nFoo=1\n", NULL};
    (void)state;
    several(links, "tasks:\n  a: {command: [/a], needs: b, after: c}\n  b: {command: [/b], after: c}\n  c: [/c]\n", 0);
    several(circle,
            "tasks:\n  a: {command: [/a], after: b}\n  b:\n    # b.service:2: after a would be a circle\n    command: "
            "[/b]\n",
            1);
    several(drop_in, "tasks:\n  a:\n    # a.service.d/1.conf:4: Foo=1 has no counterpart here\n    command: [/b]\n", 1);
}

static void templates(void **state) {
    static const char *const instance[] = {"w@1-b.service", "[Service]\nExecStart=/x %i %I %p %j\n", NULL};
    static const char *const template[] = {"w@.service", "[Service]\nExecStart=/x %i\n", NULL};
    (void)state;
    several(instance, "tasks:\n  w-1-b: [/x, 1-b, 1/b, w, w]\n", 0);
    several(template,
            "tasks:\n  w:\n    # w@.service: a template: set INSTANCE when it is run\n    command: [/x, "
            "\"${INSTANCE:-}\"]\n",
            1);
}

static void timers(void **state) {
    static const char *const every[] = {"a.service", "[Service]\nType=oneshot\nExecStart=/a\n", "a.timer",
                                        "[Timer]\nOnUnitActiveSec=1h 30min\n[Install]\nWantedBy=timers.target\n", NULL};
    static const char *const calendar[] = {"a.service", "[Service]\nExecStartPre=/p\nExecStart=/a\n", "a.timer",
                                           "[Timer]\nOnCalendar=daily\nPersistent=true\n", NULL};
    static const char *const other[] = {"a.service", "[Service]\nExecStart=/a\n", "b.timer",
                                        "[Timer]\nOnCalendar=*:0/5\nUnit=a.service\n", NULL};
    static const char *const lost[] = {"b.timer", "[Timer]\nOnCalendar=daily\n", NULL};
    (void)state;
    several(every, "tasks:\n  a: {command: [/a], every: 1h30m}\n", 0);
    several(calendar,
            "tasks:\n  a-pre: {command: [/p], manual: true}\n  a:\n    command: [/a]\n"
            "    # a.timer:2: OnCalendar=daily is a schedule, which comes with a later version\n"
            "    # a.timer:3: Persistent=true has no counterpart here\n    manual: true\n    needs: a-pre\n",
            2);
    several(other, "tasks:\n  a:\n    command: [/a]\n    # b.timer:2: OnCalendar=*:0/5\n    every: 5m\n", 0);
    several(lost, "# b.timer: b.service is not among the units given\ntasks: {}\n", 1);
}

static void faults(void **state) {
    const enum pdk_import_format format = PDK_IMPORT_SYSTEMD;
    (void)state;
    expect_fault(format, "a.service", "[Service]\nExecStart=/x \"y\n", 2, "a quote is opened and not closed",
                 "close it");
    expect_fault(format, "a.service", "[Service]\nExecStart=-\n", 2, "ExecStart= has no program",
                 "expected PROGRAM ARGUMENT...");
    expect_fault(format, "a.service", "ExecStart=/x\n", 1, "a line before any section", "expected [SECTION] first");
    expect_fault(format, "a.service", "[Service]\nnothing\n", 2, "this is neither a section nor a value",
                 "expected KEY=VALUE");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands),   cmocka_unit_test(around), cmocka_unit_test(keys),
        cmocka_unit_test(taken_back), cmocka_unit_test(notes),  cmocka_unit_test(units),
        cmocka_unit_test(templates),  cmocka_unit_test(timers), cmocka_unit_test(faults)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
