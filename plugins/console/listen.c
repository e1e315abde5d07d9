/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets to listen on: made safely, or taken over from who started us. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "console.h"

enum { BACKLOG = 1024 };

static int32_t fail(pdk_error *err, int error, const char *what, const char *path) {
    const char *word = strerrordesc_np(error);
    return pdk_failf(err, -error, NULL, "%s %s: %s", what, path, word ? word : "unknown error");
}

/* Is what lies there a socket that nobody listens on any more? 0: it was removed, or nothing is there. */
static int32_t clear_stale(const struct sockaddr_un *address, pdk_error *err) {
    const char *path = address->sun_path;
    struct stat found;
    if (lstat(path, &found) < 0) return errno == ENOENT ? 0 : fail(err, errno, "socket", path);
    if (!S_ISSOCK(found.st_mode)) return pdk_failf(err, -EEXIST, NULL, "socket %s: it is there and no socket", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return fail(err, errno, "socket", path);
    bool alive = connect(fd, (const struct sockaddr *)address, sizeof *address) == 0 || errno != ECONNREFUSED;
    (void)close(fd);
    if (alive) return pdk_failf(err, -EADDRINUSE, NULL, "socket %s: another process listens on it", path);
    return unlink(path) == 0 || errno == ENOENT ? 0 : fail(err, errno, "cannot remove stale socket", path);
}

/* The group of the file, when one is wanted. */
static int32_t set_group(const char *path, const char *name, pdk_error *err) {
    struct group group, *found = NULL;
    char buf[4096];
    if (!name || !*name) return 0;
    int error = getgrnam_r(name, &group, buf, sizeof buf, &found);
    if (!found) return pdk_failf(err, error ? -error : -EINVAL, NULL, "there is no group \"%.64s\"", name);
    return lchown(path, (uid_t)-1, group.gr_gid) == 0 ? 0 : fail(err, errno, "cannot give its group to", path);
}

/* The mode of an unbound socket's descriptor becomes, less the umask, that of its file: nobody else may connect to it
 * before it is what it should be. */
static int32_t bind_local(struct con_server *server, const struct sockaddr_un *address, pdk_error *err) {
    const struct con_options *options = &server->con->options;
    const char *path = address->sun_path;
    struct stat made;
    if (fchmod(server->fd, 0600) < 0 || bind(server->fd, (const struct sockaddr *)address, sizeof *address) < 0)
        return fail(err, errno, "cannot make socket", path);
    if (lstat(path, &made) < 0) return fail(err, errno, "socket", path);
    server->ours = true;
    server->device = made.st_dev;
    server->inode = made.st_ino;
    int32_t rc = set_group(path, options->group, err);
    if (rc) return rc;
    if (chmod(path, options->mode) < 0) return fail(err, errno, "cannot set the mode of", path);
    return listen(server->fd, BACKLOG) == 0 ? 0 : fail(err, errno, "cannot listen on", path);
}

int32_t con_listen_local(struct con_server *server, pdk_error *err) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *path = server->con->options.socket; /* of the config, or of a program that need not know the limit */
    if (strlen(path) >= sizeof address.sun_path)
        return pdk_failf(err, -ENAMETOOLONG, NULL, "the path of a socket has less than %zu bytes, this one %zu: %s",
                         sizeof address.sun_path, strlen(path), path);
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    (void)snprintf(server->path, sizeof server->path, "%s", address.sun_path);
    server->local = true;
    int32_t rc = clear_stale(&address, err);
    if (rc) return rc;
    server->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (server->fd < 0) return fail(err, errno, "socket", address.sun_path);
    rc = bind_local(server, &address, err);
    if (rc) con_listen_end(server);
    return rc;
}

/* "127.0.0.1:8080" or "[::1]:8080": no names, which would have to be looked up. */
static bool read_address(const char *text, struct sockaddr_storage *ret, socklen_t *ret_size) {
    const char *colon = strrchr(text, ':');
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)ret;
    struct sockaddr_in *four = (struct sockaddr_in *)ret;
    char host[INET6_ADDRSTRLEN + 3];
    uint64_t port;
    size_t size = colon ? (size_t)(colon - text) : 0;
    if (!size || size >= sizeof host || !con_uri_number(colon + 1, 0, 65535, &port)) return false;
    memcpy(host, text, size);
    host[size] = '\0';
    memset(ret, 0, sizeof *ret);
    if (host[0] == '[' && host[size - 1] == ']') {
        host[size - 1] = '\0';
        six->sin6_family = AF_INET6;
        six->sin6_port = htons((uint16_t)port);
        *ret_size = sizeof *six;
        return inet_pton(AF_INET6, host + 1, &six->sin6_addr) == 1;
    }
    four->sin_family = AF_INET;
    four->sin_port = htons((uint16_t)port);
    *ret_size = sizeof *four;
    return inet_pton(AF_INET, host, &four->sin_addr) == 1;
}

int32_t con_listen_tcp(struct con_server *server, pdk_error *err) {
    const char *text = server->con->options.listen;
    struct sockaddr_storage address;
    socklen_t size;
    int on = 1;
    if (!read_address(text, &address, &size))
        return pdk_failf(err, -EINVAL, NULL,
                         "listen wants ADDRESS:PORT such as 127.0.0.1:8080 or [::1]:8080, not \"%.64s\"", text);
    server->fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (server->fd < 0) return fail(err, errno, "socket", text);
    (void)setsockopt(server->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(server->fd, (const struct sockaddr *)&address, size) == 0 && listen(server->fd, BACKLOG) == 0) return 0;
    int32_t rc = fail(err, errno, "cannot listen on", text);
    con_listen_end(server);
    return rc;
}

int32_t con_listen_given(struct con_server *server, int fd, pdk_error *err) {
    struct sockaddr_storage address = {0};
    socklen_t size = sizeof address;
    server->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (server->fd < 0) return fail(err, errno, "the socket that was handed over", "");
    int flags = fcntl(server->fd, F_GETFL);
    if (flags < 0 || fcntl(server->fd, F_SETFL, flags | O_NONBLOCK) < 0 ||
        getsockname(server->fd, (struct sockaddr *)&address, &size) < 0) {
        int32_t rc = fail(err, errno, "the socket that was handed over", "");
        con_listen_end(server);
        return rc;
    }
    server->local = address.ss_family == AF_UNIX;
    return 0;
}

void con_listen_end(struct con_server *server) {
    struct stat found;
    if (server->fd >= 0) (void)close(server->fd);
    server->fd = -1;
    if (!server->ours) return;
    server->ours = false;
    /* Another process may have put a socket of its own there since. */
    if (lstat(server->path, &found) < 0 || found.st_dev != server->device || found.st_ino != server->inode) return;
    (void)unlink(server->path);
}
