/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The protocol of sd_notify: datagrams of NAME=value lines to the socket that NOTIFY_SOCKET names. What the socket has no room
 * for is sent again a little later, in order; nothing here waits. The watchdog is fed from the loop, so that a loop that
 * hangs is noticed.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/base/buffer.h"
#include "core/base/clock.h"
#include "core/base/text.h"
#include "core/cli/serve.h"

#define AGAIN (100 * PDK_MILLISECOND)

/* What waits for room, at most; each message is a few lines. */
#define WAITING 4096u

struct pdk_notify {
    struct pdk_session *session;
    int fd; /* -1: nobody listens */
    pdk_watch watchdog, again;
    struct pdk_buffer waiting; /* messages, each with a NUL behind it */
    bool told;                 /* that it cannot be sent */
};

static void say_failed(struct pdk_notify *notify, int error) {
    if (notify->told) return;
    notify->told = true;
    pdk_run_talk(notify->session, PDK_LOG_WARN, "", "cannot tell the service manager: %s", strerror(error));
}

/* True: it is on its way, or never will be. */
static bool send_one(struct pdk_notify *notify, const char *text) {
    if (send(notify->fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT) >= 0) return true;
    if (errno == EAGAIN || errno == ENOBUFS) return false;
    say_failed(notify, errno);
    return true;
}

static void send_waiting(void *arg) {
    struct pdk_notify *notify = arg;
    const pdk_loop *loop = notify->session->loop;
    notify->again = 0;
    while (notify->waiting.size && send_one(notify, notify->waiting.data))
        pdk_buffer_cut(&notify->waiting, strlen(notify->waiting.data) + 1);
    if (notify->waiting.size) (void)loop->timer(loop, AGAIN, 0, send_waiting, notify, &notify->again);
}

void pdk_notify_say(struct pdk_notify *notify, const char *format, ...) {
    char text[512];
    va_list args;
    if (notify->fd < 0) return;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    pdk_buffer_add(&notify->waiting, text, strlen(text) + 1);
    notify->waiting.error = 0;
    if (!notify->again) send_waiting(notify);
}

void pdk_notify_reloading(struct pdk_notify *notify) {
    pdk_notify_say(notify, "RELOADING=1\nMONOTONIC_USEC=%llu", (unsigned long long)(pdk_clock_now() / 1000));
}

void pdk_notify_stopping(struct pdk_notify *notify, uint64_t within) {
    char text[32];
    pdk_notify_say(notify, "STOPPING=1\nEXTEND_TIMEOUT_USEC=%llu\nSTATUS=stopping, within %s",
                   (unsigned long long)(within / 1000), pdk_duration_about(within, text, sizeof text));
}

static void feed(void *arg) {
    struct pdk_notify *notify = arg;
    if (!notify->waiting.size) pdk_notify_say(notify, "WATCHDOG=1");
}

/* A number, or 0. */
static uint64_t number_of(const char *text) {
    char *end = NULL;
    errno = 0;
    unsigned long long n = text && *text >= '0' && *text <= '9' ? strtoull(text, &end, 10) : 0;
    return end && *end == '\0' && errno == 0 ? n : 0;
}

/* How often the watchdog wants to hear of us, in ns; 0: it does not, or it is another's. */
static uint64_t watchdog_interval(void) {
    const char *pid = getenv("WATCHDOG_PID");
    uint64_t usec = number_of(getenv("WATCHDOG_USEC"));
    if (pid && number_of(pid) != (uint64_t)getpid()) return 0;
    return usec > UINT64_MAX / 1000 ? 0 : usec * 1000;
}

static int connect_to(const char *name) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t size = strlen(name);
    if ((name[0] != '/' && name[0] != '@') || size < 2) return -EAFNOSUPPORT;
    if (size >= sizeof address.sun_path) return -ENAMETOOLONG;
    memcpy(address.sun_path, name, size);
    if (name[0] == '@') address.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return -errno;
    socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size);
    if (connect(fd, (struct sockaddr *)&address, length) == 0) return fd;
    int error = errno;
    (void)close(fd);
    return -error;
}

int32_t pdk_notify_create(struct pdk_session *session, struct pdk_notify **ret) {
    const char *name = getenv("NOTIFY_SOCKET");
    uint64_t interval = watchdog_interval();
    struct pdk_notify *notify = calloc(1, sizeof *notify);
    int32_t rc = 0;
    if (!notify) return -ENOMEM;
    *notify = (struct pdk_notify){.session = session, .fd = -1, .waiting = PDK_BUFFER(WAITING)};
    *ret = notify;
    if (name && *name) {
        notify->fd = connect_to(name);
        if (notify->fd < 0) say_failed(notify, -notify->fd);
        if (notify->fd >= 0 && interval)
            rc = session->loop->timer(session->loop, interval / 2, interval / 2, feed, notify, &notify->watchdog);
    }
    /* The tasks are not to speak for us. */
    (void)unsetenv("NOTIFY_SOCKET");
    (void)unsetenv("WATCHDOG_USEC");
    (void)unsetenv("WATCHDOG_PID");
    return rc;
}

void pdk_notify_free(struct pdk_notify *notify) {
    if (!notify) return;
    notify->session->loop->stop(notify->session->loop, notify->watchdog);
    notify->session->loop->stop(notify->session->loop, notify->again);
    if (notify->fd >= 0) (void)close(notify->fd);
    pdk_buffer_free(&notify->waiting);
    free(notify);
}
