/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libmicrohttpd on the host's loop: its epoll is one descriptor there, and what it has to do is done in MHD_run.
 *
 * It knows how long a connection was silent, but not how long a request has been arriving. So its own timeouts are off,
 * and each connection has a phase with a time of its own:
 *
 *     connect --> ASKING ----> WORKING ----> ANSWERING ----> IDLE --+      STREAMING goes by what it reads, see sse.c
 *                   ^ request_timeout          ^ answer_timeout  ^   |
 *                   '------------------------------- idle_timeout ---'
 *
 * A connection whose time is up is shut down, and the library finds it closed.
 */
#include <poll.h>

#include "console.h"

enum { LAST_ROUNDS = 3 };

/* ---- connections ---- */

static void set_ipv4_key(struct con_peer *peer, const void *address) {
    memcpy(peer->key, "ipv4", 4);
    memcpy(peer->key + 8, address, 4);
}

/* What limits go by: the user, the address, or the network of an IPv6 address. */
static void set_key(struct con_peer *peer, const struct sockaddr *address) {
    struct ucred who;
    socklen_t size = sizeof who;
    peer->uid = -1;
    if (peer->server->local) {
        if (getsockopt(peer->fd, SOL_SOCKET, SO_PEERCRED, &who, &size) == 0) peer->uid = who.uid;
        memcpy(peer->key, "user", 4);
        memcpy(peer->key + 8, &peer->uid, sizeof peer->uid);
    } else if (address && address->sa_family == AF_INET6) {
        const struct in6_addr *six = &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
        if (IN6_IS_ADDR_V4MAPPED(six))
            set_ipv4_key(peer, six->s6_addr + 12); /* it came to [::] */
        else
            memcpy(peer->key, six, 8);
    } else if (address && address->sa_family == AF_INET) {
        set_ipv4_key(peer, &((const struct sockaddr_in *)(const void *)address)->sin_addr);
    }
}

void con_peer_phase(struct con_peer *peer, enum con_phase phase) {
    peer->phase = phase;
    peer->since = peer->server->con->turn_ns;
}

void con_peer_close(struct con_peer *peer) {
    if (!peer->closing) (void)shutdown(peer->fd, SHUT_RDWR);
    peer->closing = true;
}

bool con_peer_is_gone(const struct con_peer *peer) {
    struct pollfd look = {.fd = peer->fd};
    return poll(&look, 1, 0) > 0 && look.revents & (POLLHUP | POLLERR);
}

static void begin_peer(struct con_server *server, struct MHD_Connection *connection, void **state) {
    const union MHD_ConnectionInfo *fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    const union MHD_ConnectionInfo *address = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    struct con_peer *peer = calloc(1, sizeof *peer);
    if (!peer) return; /* its first request closes it */
    peer->server = server;
    peer->fd = fd->connect_fd;
    set_key(peer, address ? address->client_addr : NULL);
    con_peer_phase(peer, CON_ASKING);
    TAILQ_INSERT_TAIL(&server->con->peers, peer, all);
    *state = peer;
}

static void on_connection(void *arg, struct MHD_Connection *connection, void **state,
                          enum MHD_ConnectionNotificationCode code) {
    struct con_server *server = arg;
    struct con_peer *peer = *state;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        begin_peer(server, connection, state);
    } else if (peer) {
        TAILQ_REMOVE(&server->con->peers, peer, all);
        *state = NULL;
        free(peer);
        con_daemon_kick(server); /* at its limit it listens again in its next run only */
    }
}

void con_sweep(struct con *con) {
    const uint64_t times[] = {[CON_ASKING] = con->options.request_ns,
                              [CON_IDLE] = con->options.idle_ns,
                              [CON_WORKING] = UINT64_MAX,
                              [CON_ANSWERING] = con->options.answer_ns,
                              [CON_STREAMING] = UINT64_MAX};
    uint64_t now = con_now(con);
    struct con_peer *peer;
    TAILQ_FOREACH(peer, &con->peers, all) {
        if (now - peer->since > times[peer->phase]) con_peer_close(peer);
    }
}

/* ---- the loop ---- */

static void run(struct con_server *server) {
    MHD_UNSIGNED_LONG_LONG timeout;
    if (!server->daemon) return;
    server->con->turn_ns = con_now(server->con);
    (void)MHD_run(server->daemon);
    if (server->daemon && MHD_get_timeout(server->daemon, &timeout) == MHD_YES && timeout == 0) con_daemon_kick(server);
}

static void on_ready(void *arg, uint32_t events) {
    (void)events;
    run(arg);
}

static void on_call(void *arg) {
    struct con_server *server = arg;
    server->posted = false;
    run(server);
    con_stop_look(server->con);
}

void con_daemon_kick(struct con_server *server) {
    if (!server->daemon) return;
    server->posted = true;
    server->con->loop->post(server->con->loop, &server->call);
}

/* ---- life ---- */

/* Names are decoded by us (uri.c), since here %2F and / must stay two things. */
static size_t leave_escaped(void *arg, struct MHD_Connection *connection, char *text) {
    (void)arg, (void)connection;
    return strlen(text);
}

static struct MHD_Daemon *start(struct con_server *server) {
    const struct con *con = server->con;
    const struct con_options *o = &con->options;
    unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC | (server->tls ? MHD_USE_TLS : 0u);
    struct MHD_OptionItem options[] = {
        {MHD_OPTION_LISTEN_SOCKET, server->fd, NULL},
        {MHD_OPTION_CONNECTION_LIMIT, (intptr_t)o->connections, NULL},
        {MHD_OPTION_CONNECTION_MEMORY_LIMIT, (intptr_t)(o->header + 16384), NULL},
        {MHD_OPTION_STRICT_FOR_CLIENT, 1, NULL},
        {MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)con_request_end, server},
        {MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)on_connection, server},
        {MHD_OPTION_UNESCAPE_CALLBACK, (intptr_t)leave_escaped, NULL},
        {server->local ? MHD_OPTION_CONNECTION_TIMEOUT : MHD_OPTION_PER_IP_CONNECTION_LIMIT,
         server->local ? 0 : (intptr_t)o->per_address, NULL},
        {server->tls ? MHD_OPTION_HTTPS_MEM_KEY : MHD_OPTION_END, 0, con->pem_key},
        {MHD_OPTION_HTTPS_MEM_CERT, 0, con->pem_certificate},
        {con->pem_ca ? MHD_OPTION_HTTPS_MEM_TRUST : MHD_OPTION_END, 0, con->pem_ca},
        {MHD_OPTION_END, 0, NULL},
    };
    return MHD_start_daemon(flags, 0, NULL, NULL, con_request_take, server, MHD_OPTION_ARRAY, options, MHD_OPTION_END);
}

int32_t con_daemon_begin(struct con_server *server, pdk_error *err) {
    const struct con *con = server->con;
    server->call = (pdk_call){.run = on_call, .arg = server};
    server->tls = !server->local && con->pem_certificate;
    server->daemon = start(server);
    if (!server->daemon)
        return pdk_fail(err, -EINVAL, NULL, "libmicrohttpd does not start",
                        server->tls ? ": are certificate and key a pair, in PEM?" : "", NULL);
    int fd = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    return con->loop->io(con->loop, fd, PDK_READ, on_ready, server, &server->io);
}

/* Streams and those who wait were resumed before: the library cannot stop while something is suspended. */
void con_daemon_end(struct con_server *server) {
    struct MHD_Daemon *daemon = server->daemon;
    if (!daemon) return;
    server->con->loop->stop(server->con->loop, server->io);
    for (int i = 0; i < LAST_ROUNDS; i++) (void)MHD_run(daemon); /* the last answers go out, and the ends of streams */
    server->daemon = NULL;
    MHD_stop_daemon(daemon); /* closes the socket */
    server->fd = -1;
}
