/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as an env_file: refused with words, or read into variables that stand once each and that, written again in
 * quotes, are read as the same. */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "subprocess.h"

static int32_t read_bytes(const char *data, size_t size, struct pdk_sub_env *env, struct pdk_sub_end *end) {
    char path[64];
    int fd = memfd_create("env", MFD_CLOEXEC);
    int32_t rc;
    MUST(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    rc = pdk_sub_env_file(env, -1, path, false, end);
    close(fd);
    return rc;
}

/* Returns the bytes used. */
static size_t write_again(const char *const *list, char *text) {
    size_t used = 0;
    for (; *list; list++) {
        const char *c = *list;
        while (*c != '=') text[used++] = *c++;
        text[used++] = *c++;
        text[used++] = '"';
        for (; *c; c++) {
            if (strchr("\"\\`$", *c)) text[used++] = '\\';
            text[used++] = *c;
        }
        text[used++] = '"';
        text[used++] = '\n';
    }
    return used;
}

static void check_names(const char *const *list) {
    for (; *list; list++) {
        size_t size = strcspn(*list, "=");
        MUST(pdk_sub_is_name(*list, size) && (*list)[size] == '=');
        MUST(!list[1] || strncmp(list[0], list[1], size + 1) != 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct pdk_sub_env env = {0}, again = {0};
    struct pdk_sub_end end = {0};
    char *text = malloc(size * 3 + 16);
    MUST(text);
    if (read_bytes((const char *)data, size, &env, &end)) {
        MUST(end.status && end.message && end.message[0]);
    } else {
        MUST(pdk_sub_env_finish(&env) == 0);
        check_names(env.list);
        MUST(read_bytes(text, write_again(env.list, text), &again, &end) == 0);
        MUST(pdk_sub_env_finish(&again) == 0);
        for (size_t i = 0; env.list[i] || again.list[i]; i++)
            MUST(env.list[i] && again.list[i] && strcmp(env.list[i], again.list[i]) == 0);
    }
    free(text);
    free(end.message);
    pdk_sub_env_free(&env);
    pdk_sub_env_free(&again);
    return 0;
}
