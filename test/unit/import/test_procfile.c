/* SPDX-License-Identifier: Apache-2.0 */
#include "translate.h"

#define PROCFILE(text, wanted) expect(PDK_IMPORT_PROCFILE, "Procfile", text, wanted, 0)

static void processes(void **state) {
    (void)state;
    PROCFILE("# dev\n\nweb: ./web --x\r\n  worker:./work\n", "tasks:\n  web: ./web --x\n  worker: ./work\n");
    PROCFILE("", "tasks: {}\n");
    PROCFILE("a: x # y\nb: \"q\" 'r'\nc: ${X:-1}\n", "tasks:\n  a: \"x # y\"\n  b: '\"q\" ''r'''\n  c: ${X:-1}\n");
}

static void names(void **state) {
    (void)state;
    PROCFILE("web.1: a\n", "tasks:\n  web-1: a\n");
    PROCFILE("a: x\na: y\n",
             "tasks:\n  a: x\n  a-2:\n    # Procfile:2: one of several that are called a\n    command: y\n");
    PROCFILE("no: x\nnull: y\n7: z\n", "tasks:\n  \"no\": x\n  \"null\": y\n  7: z\n");
}

static void ports(void **state) {
    (void)state;
    PROCFILE("a: x\nb: y $PORT\nc: z ${PORT}\n",
             "tasks:\n  a: x\n  b: {command: y $PORT, env: {PORT: 5100}}\n  c: {command: \"z ${PORT}\", env: {PORT: "
             "5200}}\n");
    PROCFILE("a: PORT=1 x $PORT\nb: ${PORT:-1} $PORTAL\n", "tasks:\n  a: PORT=1 x $PORT\n  b: ${PORT:-1} $PORTAL\n");
}

static void release(void **state) {
    (void)state;
    PROCFILE("web: x\nrelease: y\n", "tasks:\n  web: {command: x, needs: release}\n  release: y\n");
}

static void faults(void **state) {
    (void)state;
    expect_fault(PDK_IMPORT_PROCFILE, "Procfile", "a: b\nwhat\n", 2, "this is not a process", "expected NAME: COMMAND");
    expect_fault(PDK_IMPORT_PROCFILE, "Procfile", "a:\n", 1, "a has no command", "expected NAME: COMMAND");
    expect_fault(PDK_IMPORT_PROCFILE, "Procfile", "a: b\nb: \xff\n", 2, "this is not UTF-8: byte 0xFF",
                 "save the file as UTF-8");
    expect_fault(PDK_IMPORT_PROCFILE, "Procfile", "a: \x01\n", 1, "a control character, 0x01", "remove it");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(processes), cmocka_unit_test(names), cmocka_unit_test(ports),
                                       cmocka_unit_test(release), cmocka_unit_test(faults)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
