/* SPDX-License-Identifier: Apache-2.0 */
/* The command line: files, names, options anywhere, and what follows "--". */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/cli/cli.h"

#define READ(a, verb, ...) read_words(a, verb, (const char *const[]){verb, __VA_ARGS__, NULL})

static int read_words(struct pdk_arguments *a, const char *verb, const char *const *words) {
    static char *argv[32];
    static char texts[32][64];
    int argc = 0;
    for (; words[argc]; argc++) {
        (void)strlcpy(texts[argc], words[argc], sizeof texts[argc]);
        argv[argc] = texts[argc];
    }
    argv[argc] = NULL;
    return pdk_arguments_read(a, pdk_verb_find(verb), argc, argv);
}

static void files_and_names(void **state) {
    struct pdk_arguments a;
    (void)state;
    assert_int_equal(READ(&a, "run", "web", "-q", "shop.yaml", "db"), 0);
    assert_string_equal(a.files.items[0], "shop.yaml");
    assert_int_equal(a.names.count, 2);
    assert_string_equal(a.names.items[1], "db");
    assert_null(a.names.items[2]);
    assert_true(a.quiet);
    pdk_arguments_free(&a);
    assert_int_equal(READ(&a, "run", "-"), 0);
    assert_string_equal(a.files.items[0], "-");
    pdk_arguments_free(&a);
    assert_int_equal(READ(&a, "run", "./odd", "v1.yaml.d"), 0);
    assert_string_equal(a.files.items[0], "./odd");
    assert_string_equal(a.names.items[0], "v1.yaml.d");
    pdk_arguments_free(&a);
}

static void options(void **state) {
    struct pdk_arguments a;
    (void)state;
    assert_int_equal(READ(&a, "run", "--stop-on=never", "--progress", "live", "-vv", "-Lx", "-L", "y", "--only", "a,b",
                          "--color", "always", "-ltier=web"),
                     0);
    assert_int_equal(a.stop_on, 2);
    assert_int_equal(a.progress, PDK_PROGRESS_LIVE);
    assert_int_equal(a.verbose, 2);
    assert_int_equal(a.plugin_path.count, 2);
    assert_string_equal(a.only.items[1], "b");
    assert_int_equal(a.color, PDK_ALWAYS);
    assert_string_equal(a.selector, "tier=web");
    assert_null(a.command);
    pdk_arguments_free(&a);
}

static void commands(void **state) {
    struct pdk_arguments a;
    (void)state;
    assert_int_equal(READ(&a, "run", "-s", "timeout=5s", "--", "echo", "-q", "--", "x"), 0);
    assert_string_equal(a.command[0], "echo");
    assert_string_equal(a.command[2], "--");
    assert_null(a.command[4]);
    assert_false(a.quiet);
    assert_string_equal(a.set.items[0], "timeout=5s");
    pdk_arguments_free(&a);
    assert_int_equal(READ(&a, "check", "--", "-odd.yaml"), 0); /* no command there: the rest are words */
    assert_string_equal(a.files.items[0], "-odd.yaml");
    pdk_arguments_free(&a);
}

static void every_option_of_every_verb_is_documented(void **state) {
    const struct pdk_verb *verb;
    (void)state;
    for (size_t v = 0; (verb = pdk_verb_at(v)); v++) {
        const struct pdk_option *option;
        assert_ptr_equal(pdk_verb_find(verb->name), verb);
        for (size_t i = 0; (option = pdk_option_at(verb, i)); i++) {
            assert_true(strlen(option->doc) > 3 && strlen(option->doc) < 66);
            for (size_t k = 0; k < i; k++) assert_ptr_not_equal(pdk_option_at(verb, k), option);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(files_and_names), cmocka_unit_test(options),
                                       cmocka_unit_test(commands),
                                       cmocka_unit_test(every_option_of_every_verb_is_documented)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
