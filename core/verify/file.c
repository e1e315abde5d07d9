/* SPDX-License-Identifier: Apache-2.0 */
/* Checks of the plugin's file: as it lies there, and what the loader makes of it. */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/plugin/file.h"
#include "core/verify/image.h"
#include "core/verify/internal.h"

void pdk_check_trust(struct pdk_verify *v) {
    char path[PATH_MAX];
    pdk_error err = PDK_ERROR;
    struct stat st;
    if (!realpath(v->subject->path, path) || stat(path, &st) < 0)
        pdk_verify_fail(v, "%s", strerror(errno));
    else if (pdk_file_trust(&st, path, &err) < 0)
        pdk_verify_fail(v, "%s", err.message);
}

void pdk_check_loads(struct pdk_verify *v) {
    struct pdk_library library;
    pdk_error err = PDK_ERROR;
    int32_t rc = pdk_library_open(v->subject->path, &library, &err);
    if (rc == -EACCES)
        pdk_verify_skip(v, "the file is not to be trusted: see check 1");
    else if (rc < 0)
        pdk_verify_fail(v, "%s", err.message);
    else
        pdk_library_free(&library);
}

/* Look at the file without loading it. */
static void look(struct pdk_verify *v, void (*check)(struct pdk_verify *v, const struct pdk_image *image)) {
    int fd = open(v->subject->path, O_RDONLY | O_CLOEXEC);
    struct stat st = {0};
    struct pdk_image image;
    void *data = MAP_FAILED;
    if (fd >= 0 && fstat(fd, &st) == 0 && st.st_size > 0)
        data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (fd >= 0) close(fd);
    if (data != MAP_FAILED && pdk_image_open(data, (size_t)st.st_size, &image))
        check(v, &image);
    else
        pdk_verify_skip(v, "the file has no sections that could be read");
    if (data != MAP_FAILED) (void)munmap(data, (size_t)st.st_size);
}

static bool begins_with_one_of(const char *name, const char *const *words) {
    for (; *words; words++)
        if (!strncmp(name, *words, strlen(*words))) return true;
    return false;
}

/* What the toolchain and the sanitizers add by themselves. */
static bool is_of_toolchain(const char *name) {
    static const char *const whole[] = {"_init", "_fini", "_edata", "_end", "__bss_start", ""};
    static const char *const begin[] = {"__asan", "__odr_asan", "__tsan", "__gcov", "__llvm", NULL};
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++)
        if (!strcmp(whole[i], name)) return true;
    return begins_with_one_of(name, begin);
}

static void see_export(void *arg, const char *name) {
    if (!is_of_toolchain(name) && strcmp(name, "pdk_plugin_entry") != 0)
        pdk_verify_fail(arg, "it exports %s: build it with -fvisibility=hidden", name);
}

static void exports(struct pdk_verify *v, const struct pdk_image *image) {
    pdk_image_exports(image, see_export, v);
}

void pdk_check_exports(struct pdk_verify *v) {
    look(v, exports);
}

static void see_import(void *arg, const char *name) {
    if (!strncmp(name, "pdk_", 4)) pdk_verify_fail(arg, "it wants %s from others", name);
}

static void see_library(void *arg, const char *name) {
    if (!strncmp(name, "libpaddock", 10)) pdk_verify_fail(arg, "it links %s", name);
}

static void imports(struct pdk_verify *v, const struct pdk_image *image) {
    pdk_image_imports(image, see_import, v);
    pdk_image_libraries(image, see_library, v);
}

void pdk_check_imports(struct pdk_verify *v) {
    look(v, imports);
}

/* ---- constructors ---- */

struct search {
    struct pdk_verify *verify;
    const char *what;
    unsigned nameless;
};

/* The compiler's own, the sanitizers', and what Rust keeps its arguments with: they touch nothing but themselves. */
static bool is_harmless(const char *name) {
    static const char *const begin[] = {"frame_dummy",           "__do_global_dtors_aux", "_GLOBAL__sub_I_00099_",
                                        "_GLOBAL__sub_D_00099_", "_sub_I_00099_",         "_sub_D_00099_",
                                        "asan.module_",          "tsan.module_",          NULL};
    return begins_with_one_of(name, begin) || strstr(name, "ARGV_INIT_ARRAY");
}

/* One that has no name may be the compiler's own: there is one of it. */
static void see_function(void *arg, const char *name) {
    struct search *search = arg;
    if (name ? is_harmless(name) : ++search->nameless == 1) return;
    pdk_verify_fail(search->verify, "it has a %s%s%s", search->what, name ? ": " : "", name ? name : "");
}

static void constructors(struct pdk_verify *v, const struct pdk_image *image) {
    struct search first = {v, "constructor", 0}, last = {v, "destructor", 0};
    pdk_image_functions(image, SHT_INIT_ARRAY, see_function, &first);
    pdk_image_functions(image, SHT_FINI_ARRAY, see_function, &last);
}

void pdk_check_constructors(struct pdk_verify *v) {
    look(v, constructors);
}
