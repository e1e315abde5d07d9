/* SPDX-License-Identifier: Apache-2.0 */
/* Files that are refused for what they are or where they lie, before anything in them can run. */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/plugin/instance.h"

static char folder[] = "/tmp/paddock-zoo-XXXXXX", file[64];

/* A copy of a plugin whose constructor tells on us. */
static void copy(size_t limit, size_t patch, unsigned char byte) {
    static unsigned char data[4 << 20];
    FILE *from = fopen(ZOO "/bad_constructor.so", "re"), *to;
    size_t size;

    assert_non_null(from);
    size = fread(data, 1, sizeof data, from);
    fclose(from);
    assert_in_range(size, 1000, sizeof data - 1);
    if (patch) data[patch] = byte;
    if (limit && limit < size) size = limit;
    unlink(file);
    to = fopen(file, "we");
    assert_non_null(to);
    assert_int_equal(fwrite(data, 1, size, to), size);
    fclose(to);
}

static void refused(int32_t rc, const char *words) {
    struct pdk_library library = {NULL, NULL};
    pdk_error err = PDK_ERROR;

    unsetenv("PDK_ZOO_CONSTRUCTOR");
    assert_int_equal(pdk_library_open(file, &library, &err), rc);
    assert_int_equal(strncmp(err.message, file, strlen(file)), 0);
    if (!strstr(err.message, words)) fail_msg("\"%s\" does not say \"%s\"", err.message, words);
    assert_null(strchr(err.message, '\n'));
    assert_null(library.plugin);
    assert_null(getenv("PDK_ZOO_CONSTRUCTOR")); /* nothing in it has run */
}

static void missing(void **state) {
    (void)state;
    unlink(file);
    refused(-ENOENT, ": No such file or directory");
}

static void not_regular(void **state) {
    (void)state;
    unlink(file);
    assert_int_equal(mkfifo(file, 0600), 0);
    refused(-EINVAL, ": not a regular file"); /* and it has not waited for a writer */
    unlink(file);
    assert_int_equal(mkdir(file, 0700), 0);
    refused(-EINVAL, ": not a regular file");
    rmdir(file);
}

static void no_elf(void **state) {
    FILE *to;

    (void)state;
    unlink(file);
    to = fopen(file, "we");
    fputs("#!/bin/sh\necho hello\n", to);
    fclose(to);
    refused(-EINVAL, ": not a shared object: it is no ELF file");
    copy(3, 0, 0);
    refused(-EINVAL, ": not a shared object: it is no ELF file");
}

static void truncated(void **state) {
    static const size_t sizes[] = {16, 63, 64, 100, 700, 5000, 9000};

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        char words[64];
        copy(sizes[i], 0, 0);
        snprintf(words, sizeof words, ": truncated: it has %zu bytes of ", sizes[i]);
        refused(-EINVAL, words);
    }
}

static void of_another_machine(void **state) {
    (void)state;
    copy(0, offsetof(Elf64_Ehdr, e_machine), EM_S390);
    refused(-EINVAL, ": built for s390, this host is ");
    copy(0, offsetof(Elf64_Ehdr, e_machine), 77);
    refused(-EINVAL, ": built for machine 77, this host is ");
    copy(0, EI_CLASS, ELFCLASS32);
    refused(-EINVAL, ": built for 32 bits, this host has 64");
    copy(0, EI_DATA, ELFDATA2MSB);
    refused(-EINVAL, ": built for another byte order");
    copy(0, offsetof(Elf64_Ehdr, e_type), ET_REL);
    refused(-EINVAL, ": not a shared object");
    copy(0, offsetof(Elf64_Ehdr, e_phnum), 0);
    refused(-EINVAL, ": not a shared object: its ELF header makes no sense");
}

static void writable_by_others(void **state) {
    (void)state;
    copy(0, 0, 0);
    assert_int_equal(chmod(file, 0757), 0);
    refused(-EACCES, ": writable by others (mode 0757)");
    assert_int_equal(chmod(file, 0755), 0);
    assert_int_equal(chmod(folder, 01777), 0);
    refused(-EACCES, ": its folder is writable by others (mode 1777)");
    assert_int_equal(chmod(folder, 0700), 0);
}

/* The rest needs root to make, or to be anybody else for. */
static void owned_by_a_stranger(void **state) {
    (void)state;
    if (geteuid() != 0) skip();
    copy(0, 0, 0);
    assert_int_equal(chown(file, 4242, 0), 0);
    refused(-EACCES, ": owned by uid 4242, neither root nor ours");
    assert_int_equal(chown(file, 0, 4242), 0);
    assert_int_equal(chmod(file, 0775), 0);
    refused(-EACCES, ": writable by others (mode 0775)");
    assert_int_equal(chmod(file, 0755), 0);
    assert_int_equal(chown(folder, 4242, 0), 0);
    refused(-EACCES, ": its folder is owned by uid 4242, neither root nor ours");
    assert_int_equal(chown(folder, 0, 0), 0);
}

static void unreadable(void **state) {
    (void)state;
    if (geteuid() == 0) skip();
    copy(0, 0, 0);
    assert_int_equal(chmod(file, 0200), 0);
    refused(-EACCES, ": Permission denied");
}

/* A link is judged by what it leads to: a good plugin, linked from a folder that anybody may write to. */
static void a_link_is_followed(void **state) {
    struct pdk_library library;
    pdk_error err = PDK_ERROR;

    (void)state;
    unlink(file);
    assert_int_equal(symlink(ZOO "/good_minor.so", file), 0);
    assert_int_equal(chmod(folder, 0777), 0);
    assert_int_equal(pdk_library_open(file, &library, &err), 0);
    assert_string_equal(library.plugin->name, "zoo");
    assert_string_equal(library.path, ZOO "/good_minor.so");
    pdk_library_free(&library);
    assert_int_equal(chmod(folder, 0700), 0);
}

static void long_paths_keep_their_end(void **state) {
    struct pdk_library library;
    pdk_error err = PDK_ERROR;
    char path[900];

    (void)state;
    memset(path, 'x', sizeof path);
    for (size_t i = 0; i < sizeof path; i += 100) path[i] = '/';
    memcpy(path + sizeof path - 8, "/end.so", 8);
    assert_int_equal(pdk_library_open(path, &library, &err), -ENOENT);
    assert_int_equal(strncmp(err.message, "...xx", 5), 0);
    assert_non_null(strstr(err.message, "/end.so: No such file or directory"));
}

/* ---- what can be read without loading */

static uint32_t roles_of(const pdk_plugin *plugin) {
    return (plugin->runner ? PDK_ROLE_RUNNER : 0u) | (plugin->source ? PDK_ROLE_SOURCE : 0u) |
           (plugin->metrics ? PDK_ROLE_METRICS : 0u);
}

static int32_t compare(void *arg, const char *name, const char *path) {
    uint32_t *compared = arg, roles = 77;
    struct pdk_library library = {NULL, NULL};

    if (pdk_library_roles(path, &roles) < 0) return 0;
    if (pdk_library_open(path, &library, NULL) < 0) return 0;
    if (roles != roles_of(library.plugin))
        fail_msg("%s: %u are read, %u loaded", name, roles, roles_of(library.plugin));
    pdk_library_free(&library);
    ++*compared;
    return 0;
}

static void roles_are_those_that_are_loaded(void **state) {
    uint32_t compared = 0;

    (void)state;
    assert_int_equal(pdk_library_scan(ZOO ":" PLUGINS, compare, &compared), 0);
    assert_in_range(compared, 8, 100);
}

static void reading_roles_runs_nothing(void **state) {
    uint32_t roles = 0;

    (void)state;
    copy(0, 0, 0);
    unsetenv("PDK_ZOO_CONSTRUCTOR");
    assert_int_equal(pdk_library_roles(file, &roles), 0);
    assert_int_equal(roles, PDK_ROLE_RUNNER);
    assert_null(getenv("PDK_ZOO_CONSTRUCTOR"));
}

static void what_is_not_plain_is_left_to_the_loader(void **state) {
    static const char *const animals[] = {ZOO "/bad_no_entry.so", ZOO "/bad_magic.so", ZOO "/bad_major.so",
                                          ZOO "/bad_tiny.so",     "/dev/null",         "/dev/null/x"};
    uint32_t roles = 77;

    (void)state;
    for (size_t i = 0; i < sizeof animals / sizeof animals[0]; i++)
        assert_int_equal(pdk_library_roles(animals[i], &roles), -ENOTSUP);
    copy(0, offsetof(Elf64_Ehdr, e_shnum), 0);
    assert_int_equal(pdk_library_roles(file, &roles), -ENOTSUP);
    copy(0, offsetof(Elf64_Ehdr, e_phoff), sizeof(Elf64_Ehdr) + 4); /* a table that begins within a word */
    assert_int_equal(pdk_library_roles(file, &roles), -ENOTSUP);
    assert_int_equal(roles, 77);
}

/* Cut anywhere, and with a byte of its head, its tables or anything else changed: whatever is answered, nothing is read
 * that is not there, which the sanitizers would tell. */
static void damage_does_no_harm(void **state) {
    uint32_t roles, random = 1;
    struct stat st;

    (void)state;
    copy(0, 0, 0);
    assert_int_equal(stat(file, &st), 0);
    for (size_t size = 1; size < (size_t)st.st_size; size += 997) {
        copy(size, 0, 0);
        (void)pdk_library_roles(file, &roles);
    }
    for (int i = 0; i < 2000; i++) {
        size_t from = i % 4 == 2 ? (size_t)st.st_size - 4096 : 0, most = i % 2 ? 1024 : (size_t)st.st_size;
        random = random * 1664525u + 1013904223u;
        copy(0, 1 + from + random % (most - from - 1), (unsigned char)(random >> 24));
        (void)pdk_library_roles(file, &roles);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(missing),
        cmocka_unit_test(not_regular),
        cmocka_unit_test(no_elf),
        cmocka_unit_test(truncated),
        cmocka_unit_test(of_another_machine),
        cmocka_unit_test(writable_by_others),
        cmocka_unit_test(owned_by_a_stranger),
        cmocka_unit_test(unreadable),
        cmocka_unit_test(a_link_is_followed),
        cmocka_unit_test(long_paths_keep_their_end),
        cmocka_unit_test(roles_are_those_that_are_loaded),
        cmocka_unit_test(reading_roles_runs_nothing),
        cmocka_unit_test(what_is_not_plain_is_left_to_the_loader),
        cmocka_unit_test(damage_does_no_harm),
    };
    int failed;

    if (!mkdtemp(folder)) return 1;
    snprintf(file, sizeof file, "%s/plugin.so", folder);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(file);
    rmdir(folder);
    return failed;
}
