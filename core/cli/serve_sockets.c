/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sockets that a service manager opened for us: LISTEN_FDS of them, from 3 on, with the names of LISTEN_FDNAMES. They are
 * closed on exec and the variables taken away, so that no task has them; a plugin learns of them from inspect("server").
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/cli/serve.h"

enum { FIRST = 3, MOST = 1000 };

static void forget_variables(void) {
    (void)unsetenv("LISTEN_FDS");
    (void)unsetenv("LISTEN_PID");
    (void)unsetenv("LISTEN_FDNAMES");
}

static bool are_ours(void) {
    const char *pid = getenv("LISTEN_PID"), *why = NULL;
    return pid && strtonum(pid, 1, INT32_MAX, &why) == getpid() && !why;
}

static int take(struct pdk_serve *serve, size_t count) {
    const char *names = getenv("LISTEN_FDNAMES");
    serve->sockets = calloc(count, sizeof *serve->sockets);
    if (!serve->sockets) return pdk_say_memory();
    for (size_t i = 0; i < count; i++) {
        struct pdk_given_socket *given = &serve->sockets[i];
        size_t size = names ? strcspn(names, ":") : 0;
        *given = (struct pdk_given_socket){.fd = FIRST + (int)i};
        if (fcntl(given->fd, F_SETFD, FD_CLOEXEC) < 0) {
            pdk_say("LISTEN_FDS says %zu sockets, but descriptor %d is not open", count, given->fd);
            return PDK_EXIT_USAGE;
        }
        (void)snprintf(given->name, sizeof given->name, "%.*s", (int)(size < 255 ? size : 255), size ? names : "");
        if (!size) (void)strlcpy(given->name, "unknown", sizeof given->name);
        if (names) names = names[size] ? names + size + 1 : NULL;
        serve->socket_count++;
    }
    return 0;
}

int pdk_serve_take_sockets(struct pdk_serve *serve) {
    const char *text = getenv("LISTEN_FDS"), *why = NULL;
    int code = 0;
    if (text && are_ours()) {
        long long count = strtonum(text, 0, MOST, &why);
        if (why) {
            pdk_say("LISTEN_FDS: \"%.40s\" is %s: expected 0 to %d", text, why, MOST);
            code = PDK_EXIT_USAGE;
        } else if (count) {
            code = take(serve, (size_t)count);
        }
    }
    forget_variables();
    return code;
}

void pdk_serve_close_sockets(struct pdk_serve *serve) {
    for (size_t i = 0; i < serve->socket_count; i++) (void)close(serve->sockets[i].fd);
    free(serve->sockets);
}
