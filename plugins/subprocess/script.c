/* SPDX-License-Identifier: Apache-2.0 */
/* A script in the spec: read and decoded when the task is made, handed over as a sealed memory file. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "subprocess.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U /* Linux 6.3; some machines insist on it */
#endif

/* How well-known interpreters take a script that has no name on disk. All others: name first, then the path. */
static const struct {
    const char *name, *option;
} interpreters[] = {
    {"node", "--preserve-symlinks-main"}, /* else it looks for the file behind /proc/self/fd/N */
    {"nodejs", "--preserve-symlinks-main"},
};

static int32_t base64_digit(char c) {
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Strict: the one spelling of RFC 4648, padded, without blanks. Returns the fault, or NULL. */
static const char *decode(const char *text, size_t size, char *out, size_t *ret) {
    size_t padding = 0, n = 0;
    if (size % 4) return "its length is not a multiple of 4";
    while (padding < 2 && padding < size && text[size - 1 - padding] == '=') padding++;
    for (size_t i = 0; i < size; i += 4) {
        uint32_t group = 0, wanted = i + 4 == size ? 4 - (uint32_t)padding : 4;
        for (uint32_t k = 0; k < 4; k++) {
            int32_t digit = k < wanted ? base64_digit(text[i + k]) : 0;
            if (digit < 0) return "it holds something else than A-Z a-z 0-9 + / and = at its end";
            group = group << 6 | (uint32_t)digit;
        }
        if (group & ((1U << (8 * (4 - wanted))) - 1)) return "its last character has bits that mean nothing";
        for (uint32_t k = 0; k + 1 < wanted; k++) out[n++] = (char)(group >> (16 - 8 * k));
    }
    *ret = n;
    return NULL;
}

/* Length of the UTF-8 sequence that begins here, 0 if there is none. NUL is none. */
static size_t utf8_length(const unsigned char *s, size_t left) {
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    uint32_t code = s[0];
    size_t n = code < 0x80 ? 1 : code < 0xc2 ? 0 : code < 0xe0 ? 2 : code < 0xf0 ? 3 : code < 0xf5 ? 4 : 0;
    if (n == 1) return code ? 1 : 0;
    if (n == 0 || n > left) return 0;
    code &= 0x7fU >> n;
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80) return 0;
        code = code << 6 | (s[i] & 0x3f);
    }
    return code < least[n] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000) ? 0 : n;
}

static bool is_text(const char *data, size_t size) {
    const unsigned char *s = (const unsigned char *)data;
    while (size > 0) {
        size_t n = utf8_length(s, size);
        if (n == 0) return false;
        s += n;
        size -= n;
    }
    return true;
}

static int32_t too_large(const pdk_value *at, pdk_error *err) {
    return pdk_failf(err, -EINVAL, at, "a script has at most 2 MiB");
}

static int32_t read_base64(const pdk_host *host, const pdk_value *v, struct pdk_sub_script *script, pdk_error *err) {
    const char *text, *fault;
    size_t size = host->values->count(v);
    if (pdk_text(host, v, &text)) return pdk_fail(err, -EINVAL, v, "base64 text is wanted", NULL, NULL);
    if (size / 4 * 3 > PDK_SUB_SCRIPT_MAX + 2) return too_large(v, err);
    script->decoded = malloc(size / 4 * 3 + 1);
    if (!script->decoded) return -ENOMEM;
    fault = decode(text, size, script->decoded, &script->size);
    if (fault) return pdk_fail(err, -EINVAL, v, "this is not base64: ", fault, NULL);
    script->text = script->decoded;
    return 0;
}

static int32_t read_body(const pdk_host *host, const pdk_value *map, struct pdk_sub_script *script, pdk_error *err) {
    const pdk_values *values = host->values;
    const pdk_value *text = values->get(map, "text"), *base64 = values->get(map, "base64"), *at;
    int32_t rc;
    bool plain = values->type(text) != PDK_NULL, coded = values->type(base64) != PDK_NULL;
    if (plain && coded) return pdk_fail(err, -EINVAL, base64, "text and base64 exclude each other", NULL, NULL);
    if (!plain && !coded) return pdk_fail(err, -EINVAL, map, "text is wanted, or base64", NULL, NULL);
    at = plain ? text : base64;
    if (coded) {
        rc = read_base64(host, base64, script, err);
    } else {
        rc = values->string(text, &script->text);
        script->size = values->count(text);
        if (rc) return pdk_fail(err, rc, text, "the text of a script is wanted", NULL, NULL);
    }
    if (rc) return rc;
    if (script->size == 0) return pdk_fail(err, -EINVAL, at, "the script is empty", NULL, NULL);
    if (script->size > PDK_SUB_SCRIPT_MAX) return too_large(at, err);
    if (!is_text(script->text, script->size))
        return pdk_fail(err, -EINVAL, at, "a script is UTF-8 text without NUL bytes", NULL, NULL);
    return 0;
}

static const char *option_of(const char *interpreter) {
    const char *slash = strrchr(interpreter, '/'), *name = slash ? slash + 1 : interpreter;
    for (size_t i = 0; i < sizeof interpreters / sizeof *interpreters; i++)
        if (!strcmp(name, interpreters[i].name)) return interpreters[i].option;
    return NULL;
}

/* interpreter, its option, /proc/self/fd/N, args */
static int32_t make_argv(const pdk_host *host, const pdk_value *map, struct pdk_sub_script *script, const char ***ret,
                         pdk_error *err) {
    static const char *const standard[] = {"bash", NULL};
    const pdk_value *list = host->values->get(map, "interpreter"), *arguments = host->values->get(map, "args");
    const char **first = NULL, **args = NULL, **argv = NULL;
    size_t n = 0, count = host->values->count(list) + host->values->count(arguments) + 5;
    int32_t rc = pdk_sub_strings(host, list, "an interpreter", &first, err);
    if (!rc) rc = pdk_sub_strings(host, arguments, "args", &args, err);
    if (!rc && first[0] && !first[1] && strpbrk(first[0], " \t"))
        rc = pdk_failf(err, -EINVAL, list, "write an interpreter with arguments as a list, not \"%.80s\"", first[0]);
    if (!rc && first[0] && !first[0][0]) rc = pdk_fail(err, -EINVAL, list, "the interpreter is empty", NULL, NULL);
    if (!rc) argv = calloc(count, sizeof *argv);
    if (!rc && !argv) rc = -ENOMEM;
    if (!rc) {
        const char *const *from = first[0] ? first : standard;
        const char *option = from[1] ? NULL : option_of(from[0]);
        for (; *from; from++) argv[n++] = *from;
        if (option) argv[n++] = option;
        script->position = n;
        argv[n++] = "";
        for (const char *const *arg = args; *arg; arg++) argv[n++] = *arg;
        *ret = argv;
    }
    free(first);
    free(args);
    return rc;
}

int32_t pdk_sub_script_read(const pdk_host *host, const pdk_value *map, uint32_t pass_count,
                            struct pdk_sub_script *script, const char ***argv, pdk_error *err) {
    int32_t rc = read_body(host, map, script, err);
    if (!rc) rc = make_argv(host, map, script, argv, err);
    if (rc) return rc;
    (void)snprintf(script->path, sizeof script->path, "/proc/self/fd/%u", 3 + pass_count);
    (*argv)[script->position] = script->path; /* the task stays where it is */
    return 0;
}

static int memory_file(const char *name) {
    int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);
    if (fd < 0 && errno == EINVAL) fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    return fd < 0 ? -errno : fd;
}

static int32_t write_all(int fd, const char *data, size_t size) {
    while (size > 0) {
        ssize_t n = write(fd, data, size);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return -errno;
        data += n;
        size -= (size_t)n;
    }
    return 0;
}

/* Nobody writes any more, and reading starts at the begin. */
static int32_t seal(int fd, int32_t rc) {
    if (!rc && fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL)) rc = -errno;
    if (!rc && lseek(fd, 0, SEEK_SET) < 0) rc = -errno;
    if (!rc) return fd;
    close(fd);
    return rc;
}

int32_t pdk_sub_sealed(const char *name, const char *data, size_t size) {
    int fd = memory_file(name);
    return fd < 0 ? fd : seal(fd, write_all(fd, data, size));
}

/* print writes in small pieces; a system call for each would be slow. */
struct sink {
    int fd;
    int32_t rc;
    size_t used;
    char buffer[8192];
};

static void flush(struct sink *sink) {
    if (!sink->rc) sink->rc = write_all(sink->fd, sink->buffer, sink->used);
    sink->used = 0;
}

static void write_piece(void *arg, const char *data, size_t size) {
    struct sink *sink = arg;
    if (size > sizeof sink->buffer - sink->used) flush(sink);
    if (size > sizeof sink->buffer) {
        if (!sink->rc) sink->rc = write_all(sink->fd, data, size);
        return;
    }
    memcpy(sink->buffer + sink->used, data, size);
    sink->used += size;
}

int32_t pdk_sub_json(const pdk_host *host, const pdk_value *value) {
    struct sink sink = {.fd = memory_file("paddock-input")};
    int32_t rc;
    if (sink.fd < 0) return sink.fd;
    rc = host->values->print(host->values, value, PDK_JSON_PLAIN, write_piece, &sink);
    write_piece(&sink, "\n", 1);
    flush(&sink);
    return seal(sink.fd, rc ? rc : sink.rc);
}
