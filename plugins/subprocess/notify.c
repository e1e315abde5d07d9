/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sd_notify: a datagram socket per attempt, at an abstract address, so no folder, no rights on a path and no
 * private /tmp stand between the child and us. The kernel tells who sent: only the uid of the attempt, ours and
 * root are heard. READY, STATUS and X_PROGRESS mean something; all else is passed over.
 */
#include <stdlib.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "subprocess.h"

enum { MESSAGE_MAX = 8192, MESSAGES_PER_TURN = 16 };

/* "0.25", whatever the locale says of points. */
static bool read_fraction(const char *text, double *ret) {
    double value = 0, unit = 1;
    bool point = false, digits = false;
    for (; *text; text++) {
        if (*text == '.' && !point) {
            point = true;
            continue;
        }
        if (*text < '0' || *text > '9') return false;
        digits = true;
        value = value * 10 + (*text - '0');
        if (point) unit *= 10;
        if (value > 1e12 || unit > 1e12) return false;
    }
    *ret = value / unit;
    return digits && *ret <= 1;
}

/* Printable as it is: what a child says of itself goes to terminals and logs. */
static bool is_line(const char *text) {
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7f) return false;
    return true;
}

static void take_line(struct pdk_sub_attempt *attempt, const char *line) {
    const pdk_host *host = attempt->task->self->host;
    if (!strcmp(line, "READY=1"))
        (void)host->ready(host, attempt->handle);
    else if (!strncmp(line, "STATUS=", 7) && is_line(line + 7))
        (void)host->progress(host, attempt->handle, attempt->notify.fraction, line + 7);
    else if (!strncmp(line, "X_PROGRESS=", 11) && read_fraction(line + 11, &attempt->notify.fraction))
        (void)host->progress(host, attempt->handle, attempt->notify.fraction, NULL);
}

static void take_message(struct pdk_sub_attempt *attempt, char *message, size_t size) {
    char *rest = message, *line;
    message[size] = '\0';
    if (strlen(message) != size) return; /* not text */
    while ((line = strsep(&rest, "\n"))) take_line(attempt, line);
}

static bool is_ours(struct pdk_sub_attempt *attempt, struct msghdr *header) {
    uint32_t expected = attempt->identity.set ? attempt->identity.uid : geteuid();
    for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
        struct ucred who;
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_CREDENTIALS || c->cmsg_len != CMSG_LEN(sizeof who))
            continue;
        memcpy(&who, CMSG_DATA(c), sizeof who);
        if (who.uid == expected || who.uid == geteuid() || who.uid == 0) return true;
        if (!attempt->notify.refused)
            pdk_logf(attempt->task->self->host, PDK_LOG_WARN, attempt->handle,
                     "NOTIFY_SOCKET: messages of uid %u are passed over", who.uid);
    }
    attempt->notify.refused = true;
    return false;
}

/* False when there is nothing more. Descriptors that are sent along find no room, so the kernel closes them:
 * that answers BARRIER=1 and stores nothing. */
static bool take_one(struct pdk_sub_attempt *attempt) {
    char message[MESSAGE_MAX + 1];
    union {
        struct cmsghdr align;
        char room[CMSG_SPACE(sizeof(struct ucred))];
    } control;
    struct iovec piece = {message, MESSAGE_MAX};
    struct msghdr header = {
        .msg_iov = &piece, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    ssize_t n = recvmsg(attempt->notify.fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (n < 0) return errno == EINTR;
    if (!(header.msg_flags & MSG_TRUNC) && is_ours(attempt, &header)) take_message(attempt, message, (size_t)n);
    return true;
}

static void readable(void *arg, uint32_t events) {
    struct pdk_sub_attempt *attempt = arg;
    (void)events;
    for (int i = 0; i < MESSAGES_PER_TURN && take_one(attempt); i++) continue;
}

static int32_t bind_random(int fd, char *name, size_t size) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    unsigned char random[16];
    size_t used;
    if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random) return -EAGAIN;
    used = (size_t)snprintf(name, size, "@paddock-");
    for (size_t i = 0; i < sizeof random; i++) used += (size_t)snprintf(name + used, size - used, "%02x", random[i]);
    memcpy(address.sun_path + 1, name + 1, used - 1); /* '@' stands for the NUL before an abstract name */
    return bind(fd, (struct sockaddr *)&address, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + used)) ? -errno
                                                                                                             : 0;
}

int32_t pdk_sub_notify_open(struct pdk_sub_attempt *attempt) {
    const pdk_loop *loop = attempt->task->self->loop;
    char name[64];
    int on = 1, fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int32_t rc;
    if (fd < 0) return -errno;
    rc = setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) ? -errno : bind_random(fd, name, sizeof name);
    if (!rc) rc = loop->io(loop, fd, PDK_READ, readable, attempt, &attempt->notify.watch);
    if (rc) {
        close(fd);
        return rc;
    }
    attempt->notify.fd = fd;
    attempt->notify.fraction = -1;
    pdk_sub_env_set(&attempt->env, PDK_SUB_OURS, "NOTIFY_SOCKET", name);
    return 0;
}

void pdk_sub_notify_close(struct pdk_sub_attempt *attempt) {
    const pdk_loop *loop = attempt->task->self->loop;
    if (attempt->notify.fd < 0) return;
    loop->stop(loop, attempt->notify.watch);
    readable(attempt, 0); /* its last words */
    close(attempt->notify.fd);
    attempt->notify.fd = -1;
}
