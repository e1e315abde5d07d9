/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The only dlopen. A file is looked at before it is opened; but opening runs its constructors, if it has any in
 * spite of the rules, so what is looked at first is whether somebody we do not trust could have put it there.
 *
 * Nothing is ever closed: thread-local destructors and atexit handlers would outlive the code.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/plugin/instance.h"
#include "file.h"
#include "paddock/helpers.h"

static const char entry_name[] = "pdk_plugin_entry";

static int32_t check_fd(int fd, const char *path, pdk_error *err) {
    struct stat st;
    int32_t rc;

    if (fstat(fd, &st) < 0) {
        rc = -errno;
        return pdk_fail(err, rc, NULL, strerror(-rc), NULL, NULL);
    }
    if (!S_ISREG(st.st_mode)) return pdk_fail(err, -EINVAL, NULL, "not a regular file", NULL, NULL);
    rc = pdk_file_trust(&st, path, err);
    return rc < 0 ? rc : pdk_file_elf(fd, st.st_size, err);
}

/* O_NONBLOCK: a FIFO must not keep us waiting for its writer. */
static int32_t check_file(const char *path, pdk_error *err) {
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    int32_t rc;

    if (fd < 0) {
        rc = -errno;
        return pdk_fail(err, rc, NULL, strerror(-rc), NULL, NULL);
    }
    rc = check_fd(fd, path, err);
    close(fd);
    return rc;
}

/* The loader's words begin with the path, which the caller says too. */
static int32_t loader_error(const char *path, pdk_error *err) {
    const char *text = dlerror();
    size_t size = strlen(path);

    if (!text) text = "the loader refuses it";
    if (strncmp(text, path, size) == 0 && text[size] == ':') text += size + 1;
    while (*text == ' ') text++;
    return pdk_fail(err, -EINVAL, NULL, text, NULL, NULL);
}

/* Is the symbol data, and as large as it says? Else its members are somebody else's bytes. */
static int32_t check_symbol(const void *symbol, pdk_error *err) {
    const ElfW(Sym) *elf = NULL;
    uint32_t size;
    Dl_info info;
    void *extra = NULL;

    if (!dladdr1(symbol, &info, &extra, RTLD_DL_SYMENT) || !extra) return 0;
    elf = extra;
    if (ELF64_ST_TYPE(elf->st_info) != STT_OBJECT)
        return pdk_fail(err, -EINVAL, NULL, "its ", entry_name, " is not data");
    if (elf->st_size < offsetof(pdk_plugin, name))
        return pdk_failf(err, -EINVAL, NULL, "its %s has %u bytes: not a plugin", entry_name, (unsigned)elf->st_size);
    memcpy(&size, (const char *)symbol + offsetof(pdk_plugin, struct_size), sizeof size);
    if (size > elf->st_size && *(const uint32_t *)symbol == PDK_MAGIC)
        return pdk_failf(err, -EINVAL, NULL, "its entry says that it has %u bytes, but has %u", size,
                         (unsigned)elf->st_size);
    return 0;
}

static int32_t load(const char *path, const pdk_plugin **ret, pdk_error *err) {
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    const void *symbol;
    int32_t rc;

    if (!handle) return loader_error(path, err);
    symbol = dlsym(handle, entry_name);
    if (!symbol) return pdk_fail(err, -EINVAL, NULL, "not a plugin: it exports no ", entry_name, NULL);
    rc = check_symbol(symbol, err);
    if (rc == 0) rc = pdk_plugin_check(symbol, err);
    if (rc == 0) *ret = symbol;
    return rc;
}

/* One line: the path, its end if it is long, and what is wrong. */
static int32_t failed(const char *path, int32_t rc, const pdk_error *why, pdk_error *err) {
    size_t size = strlen(path), cut = size > 200 ? size - 197 : 0;

    if (err) strlcpy(err->hint, why->hint, sizeof err->hint);
    return pdk_failf(err, rc, NULL, "%s%s: %s", cut ? "..." : "", path + cut, why->message);
}

int32_t pdk_library_open(const char *path, struct pdk_library *ret, pdk_error *err) {
    pdk_error why = PDK_ERROR;
    const pdk_plugin *plugin = NULL;
    char *real = realpath(path, NULL);
    int32_t rc;

    if (!real) {
        rc = -errno;
        pdk_fail(&why, rc, NULL, strerror(-rc), NULL, NULL);
        return failed(path, rc, &why, err);
    }
    rc = check_file(real, &why);
    if (rc == 0) rc = load(real, &plugin, &why);
    if (rc < 0) {
        free(real);
        return failed(path, rc, &why, err);
    }
    *ret = (struct pdk_library){plugin, real};
    return 0;
}

/* It is loaded already: this opens nothing anew. */
void *pdk_library_symbol(const struct pdk_library *library, const char *name) {
    void *handle = dlopen(library->path, RTLD_NOW | RTLD_LOCAL | RTLD_NOLOAD), *symbol;

    if (!handle) return NULL;
    symbol = dlsym(handle, name);
    dlclose(handle);
    return symbol;
}

void pdk_library_free(struct pdk_library *library) {
    free(library->path);
    *library = (struct pdk_library){NULL, NULL};
}
