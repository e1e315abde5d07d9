/* SPDX-License-Identifier: Apache-2.0 */
/* The plugin's file: as it lies there, and what the loader makes of it. */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/plugin/file.h"
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

/* ---- its tables, read without loading it ---- */

struct image {
    const unsigned char *data;
    size_t size;
    const ElfW(Shdr) * sections;
    size_t count;
};

/* NULL: that part lies outside of the file. */
static const void *part(const struct image *image, uint64_t offset, uint64_t size) {
    return offset <= image->size && size <= image->size - offset ? image->data + offset : NULL;
}

static bool open_image(const char *path, struct image *image) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st = {0};
    const ElfW(Ehdr) * head;
    void *data = MAP_FAILED;
    *image = (struct image){0};
    if (fd >= 0 && fstat(fd, &st) == 0 && st.st_size > (off_t)sizeof *head)
        data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (fd >= 0) close(fd);
    if (data == MAP_FAILED) return false;
    *image = (struct image){.data = data, .size = (size_t)st.st_size};
    head = data;
    if (memcmp(head->e_ident, ELFMAG, SELFMAG) != 0 || head->e_shentsize != sizeof *image->sections) return false;
    image->sections = part(image, head->e_shoff, (uint64_t)head->e_shnum * sizeof *image->sections);
    image->count = image->sections ? head->e_shnum : 0;
    return image->sections != NULL;
}

static void close_image(const struct image *image) {
    if (image->data) (void)munmap((void *)(uintptr_t)image->data, image->size);
}

static const ElfW(Shdr) * section(const struct image *image, uint32_t type) {
    for (size_t i = 0; i < image->count; i++)
        if (image->sections[i].sh_type == type) return &image->sections[i];
    return NULL;
}

struct symbols {
    const ElfW(Sym) * rows;
    size_t count;
    const char *names;
    size_t names_size;
};

static struct symbols symbols(const struct image *image, uint32_t type) {
    const ElfW(Shdr) *table = section(image, type), *names = NULL;
    struct symbols s = {0};
    if (!table || table->sh_link >= image->count) return s;
    names = &image->sections[table->sh_link];
    s.rows = part(image, table->sh_offset, table->sh_size);
    s.names = part(image, names->sh_offset, names->sh_size);
    if (!s.rows || !s.names || names->sh_size == 0 || s.names[names->sh_size - 1]) return (struct symbols){0};
    s.names_size = names->sh_size;
    s.count = table->sh_size / sizeof *s.rows;
    return s;
}

static const char *name_of(const struct symbols *s, const ElfW(Sym) * row) {
    return row->st_name < s->names_size ? s->names + row->st_name : "";
}

/* What the toolchain adds by itself. */
static bool is_of_linker(const char *name) {
    static const char *const names[] = {"_init", "_fini", "_edata", "_end", "__bss_start", "", NULL};
    for (size_t i = 0; names[i]; i++)
        if (!strcmp(names[i], name)) return true;
    return !strncmp(name, "__asan", 6) || !strncmp(name, "__odr_asan", 10) || !strncmp(name, "__tsan", 6) ||
           !strncmp(name, "__gcov", 6) || !strncmp(name, "__llvm", 6);
}

static bool is_exported(const ElfW(Sym) * row) {
    unsigned char bind = ELF64_ST_BIND(row->st_info);
    return row->st_shndx != SHN_UNDEF && (bind == STB_GLOBAL || bind == STB_WEAK || bind == STB_GNU_UNIQUE) &&
           (ELF64_ST_VISIBILITY(row->st_other) == STV_DEFAULT || ELF64_ST_VISIBILITY(row->st_other) == STV_PROTECTED);
}

void pdk_check_exports(struct pdk_verify *v) {
    struct image image;
    struct symbols s;
    if (!open_image(v->subject->path, &image)) {
        pdk_verify_skip(v, "the file has no sections that could be read");
        close_image(&image);
        return;
    }
    s = symbols(&image, SHT_DYNSYM);
    for (size_t i = 1; i < s.count; i++) {
        const char *name = name_of(&s, &s.rows[i]);
        if (!is_exported(&s.rows[i]) || is_of_linker(name) || !strcmp(name, "pdk_plugin_entry")) continue;
        pdk_verify_fail(v, "it exports %s: build it with -fvisibility=hidden", name);
    }
    close_image(&image);
}

void pdk_check_imports(struct pdk_verify *v) {
    struct image image;
    const ElfW(Shdr) * dynamic;
    struct symbols s;
    if (!open_image(v->subject->path, &image)) {
        pdk_verify_skip(v, "the file has no sections that could be read");
        close_image(&image);
        return;
    }
    s = symbols(&image, SHT_DYNSYM);
    for (size_t i = 1; i < s.count; i++)
        if (s.rows[i].st_shndx == SHN_UNDEF && !strncmp(name_of(&s, &s.rows[i]), "pdk_", 4))
            pdk_verify_fail(v, "it wants %s from others", name_of(&s, &s.rows[i]));
    dynamic = section(&image, SHT_DYNAMIC);
    if (dynamic && s.names) {
        const ElfW(Dyn) *rows = part(&image, dynamic->sh_offset, dynamic->sh_size);
        for (size_t i = 0; rows && i < dynamic->sh_size / sizeof *rows && rows[i].d_tag != DT_NULL; i++)
            if (rows[i].d_tag == DT_NEEDED && rows[i].d_un.d_val < s.names_size &&
                !strncmp(s.names + rows[i].d_un.d_val, "libpaddock", 10))
                pdk_verify_fail(v, "it links %s", s.names + rows[i].d_un.d_val);
    }
    close_image(&image);
}

/* ---- constructors ---- */

/* The C compiler's own, and what Rust keeps its arguments with: both touch nothing but themselves. */
static bool is_harmless(const char *name) {
    return !strcmp(name, "frame_dummy") || !strncmp(name, "__do_global_dtors_aux", 21) ||
           strstr(name, "ARGV_INIT_ARRAY") || strstr(name, "san.module_") ||
           !strncmp(name, "_GLOBAL__sub_I_00099_", 21) || !strncmp(name, "_sub_I_00099_", 13) ||
           !strncmp(name, "_sub_D_00099_", 13) || !strncmp(name, "_GLOBAL__sub_D_00099_", 21);
}

static const char *function_at(const struct symbols *s, uint64_t address) {
    for (size_t i = 1; i < s->count; i++)
        if (s->rows[i].st_value == address && ELF64_ST_TYPE(s->rows[i].st_info) == STT_FUNC)
            return name_of(s, &s->rows[i]);
    return NULL;
}

/* What the loader will find in a slot of this file. */
static uint64_t relocated(const struct image *image, uint64_t slot) {
    for (size_t k = 0; k < image->count; k++) {
        const ElfW(Shdr) *table = &image->sections[k];
        const ElfW(Rela) *rows = table->sh_type == SHT_RELA ? part(image, table->sh_offset, table->sh_size) : NULL;
        for (size_t i = 0; rows && i < table->sh_size / sizeof *rows; i++)
            if (rows[i].r_offset == slot) return (uint64_t)rows[i].r_addend;
    }
    return 0;
}

/* One that nobody named may be the compiler's own: there is one of it. */
static void check_array(struct pdk_verify *v, const struct image *image, uint32_t type, const char *what) {
    const ElfW(Shdr) *array = section(image, type);
    struct symbols s = symbols(image, SHT_SYMTAB);
    unsigned nameless = 0;
    for (uint64_t at = 0; array && at + sizeof(uintptr_t) <= array->sh_size; at += sizeof(uintptr_t)) {
        uint64_t address = relocated(image, array->sh_addr + at);
        const char *name = address ? function_at(&s, address) : NULL;
        if (name ? is_harmless(name) : ++nameless == 1) continue;
        pdk_verify_fail(v, "it has a %s%s%s", what, name ? ": " : "", name ? name : "");
    }
}

void pdk_check_constructors(struct pdk_verify *v) {
    struct image image;
    if (open_image(v->subject->path, &image)) {
        check_array(v, &image, SHT_INIT_ARRAY, "constructor");
        check_array(v, &image, SHT_FINI_ARRAY, "destructor");
    } else {
        pdk_verify_skip(v, "the file has no sections that could be read");
    }
    close_image(&image);
}
