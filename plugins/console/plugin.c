/* SPDX-License-Identifier: Apache-2.0 */
/* console: the control API over HTTP. The ABI tables, and the life of an instance; README.md has the keys. */
#include "console.h"

uint64_t con_now(const struct con *con) {
    return con->host->now_ns(con->host);
}

static int32_t create(const pdk_host *host, const pdk_value *config, void **ret, pdk_error *err) {
    struct con *con = calloc(1, sizeof *con);
    if (!con) return -ENOMEM;
    con->host = host;
    con->values = host->values;
    con->control = host->get_extension(host, PDK_CONTROL_1);
    con->loop = host->get_extension(host, PDK_LOOP_1);
    for (int i = 0; i < 2; i++) con->servers[i] = (struct con_server){.con = con, .fd = -1};
    TAILQ_INIT(&con->peers);
    TAILQ_INIT(&con->requests);
    TAILQ_INIT(&con->events.streams);
    TAILQ_INIT(&con->followers);
    int32_t rc = con_options_read(host, config, &con->options, err);
    if (rc) {
        free(con);
        return rc;
    }
    *ret = con;
    return 0;
}

/* ---- start ---- */

static void on_sweep(void *arg) {
    struct con *con = arg;
    con_sweep(con);
    con_streams_sweep(con);
    con_followers_sweep(con);
}

/* What we were started with goes first: whoever made that socket wants us to have it. False: there is none. */
static bool take_given(struct con *con, const pdk_value *server, int32_t *ret, pdk_error *err) {
    const pdk_value *sockets = con->values->get(server, "sockets");
    for (size_t i = 0; i < con->values->count(sockets); i++) {
        const pdk_value *given = con->values->at(sockets, i);
        if (strcmp(con_get_text(con, given, "name"), con->host->instance) != 0) continue;
        *ret = con_listen_given(&con->servers[0], (int)con_get_int(con, given, "fd"), err);
        if (*ret == 0 && !con->servers[0].local) {
            con_listen_end(&con->servers[0]);
            *ret = pdk_fail(err, -EINVAL, NULL, "the socket that was handed over is none of UNIX", NULL, NULL);
        }
        return true;
    }
    return false;
}

/* The program may say where it wants to be asked, unless the config does. */
static int32_t listen_local(struct con *con, pdk_error *err) {
    const pdk_value *server = NULL;
    pdk_error ignored = PDK_ERROR;
    int32_t rc = 0;
    if (con->control->inspect(con->control, "server", 0, NULL, &server, &ignored) < 0) server = NULL;
    if (!con->options.socket && take_given(con, server, &rc, err)) {
        con->values->drop(server);
        return rc;
    }
    if (!con->options.socket && *con_get_text(con, server, "socket")) {
        con->options.socket = con_get_text(con, server, "socket");
        if (!con->options.group) con->options.group = con_get_text(con, server, "group");
        if (con_get_int(con, server, "mode")) con->options.mode = (uint32_t)con_get_int(con, server, "mode") & 0777;
    }
    if (con->options.socket)
        rc = con_listen_local(&con->servers[0], err);
    else if (!con->options.listen)
        rc = pdk_fail(err, -EINVAL, NULL, "neither `socket` nor `listen` says where to listen", NULL, NULL);
    if (con->values->get(server, "socket")) con->options.socket = con->options.group = NULL; /* they go with it */
    con->values->drop(server);
    return rc;
}

static int32_t begin_servers(struct con *con, pdk_error *err) {
    int32_t rc = listen_local(con, err);
    if (!rc && con->options.listen) rc = con_listen_tcp(&con->servers[1], err);
    for (int i = 0; i < 2 && !rc; i++)
        if (con->servers[i].fd >= 0) rc = con_daemon_begin(&con->servers[i], err);
    return rc;
}

static void end_all(struct con *con) {
    struct con_request *request, *next;
    con->stopping = true;
    for (request = TAILQ_FIRST(&con->requests); request; request = next) {
        next = TAILQ_NEXT(request, all);
        if (!request->suspended || request->response) continue;
        con_answer_fault(request, CON_UNAVAILABLE, "stopping", NULL);
        con_request_wake(request);
    }
    con_streams_end(con);
    con_followers_end(con);
    for (int i = 0; i < 2; i++) {
        con_daemon_end(&con->servers[i]);
        con_listen_end(&con->servers[i]);
    }
    con_events_end(con);
    if (con->loop) con->loop->stop(con->loop, con->sweep);
    con->sweep = 0;
}

static int32_t start(void *self, pdk_error *err) {
    struct con *con = self;
    if (!con->control) {
        if (err) pdk_append(err->hint, sizeof err->hint, "`allow: [control]` where it is configured");
        return pdk_fail(err, -ENOTSUP, NULL, "it may not control the supervisor", NULL, NULL);
    }
    if (!con->loop) return pdk_fail(err, -ENOTSUP, NULL, "this host has no loop", NULL, NULL);
    if (!PDK_HAS(con->control, print_run)) return pdk_fail(err, -ENOTSUP, NULL, "this host is too old", NULL, NULL);
    con->started_unix = con->host->unix_ns(con->host);
    con_limits_begin(&con->limits);
    int32_t rc = con_auth_begin(con, err);
    if (!rc) rc = con_events_begin(con, err);
    if (!rc) rc = con->loop->timer(con->loop, SECOND, SECOND, on_sweep, con, &con->sweep);
    if (!rc) rc = begin_servers(con, err);
    if (rc) {
        end_all(con);
        return rc;
    }
    if (con->servers[0].fd >= 0)
        pdk_logf(con->host, PDK_LOG_INFO, 0, "listens on %s",
                 *con->servers[0].path ? con->servers[0].path : "a socket that was handed over");
    if (con->servers[1].fd >= 0)
        pdk_logf(con->host, PDK_LOG_INFO, 0, "listens on %s, %s", con->options.listen,
                 con->servers[1].tls ? "TLS" : "without TLS");
    con->host->health(con->host, PDK_UP, "");
    return 0;
}

/* ---- stop ---- */

void con_stop_look(struct con *con) {
    bool on = con->calls || con->events.posted || con->servers[0].posted || con->servers[1].posted;
    if (!con->stop_asked || con->told_stopped || on) return;
    con->told_stopped = true;
    con->host->stopped(con->host);
}

static void stop(void *self) {
    struct con *con = self;
    end_all(con);
    con->stop_asked = true;
    con_stop_look(con);
}

static void destroy(void *self) {
    struct con *con = self;
    if (!con->stopping) end_all(con);
    if (con->token) explicit_bzero(con->token, strlen(con->token));
    if (con->pem_key) explicit_bzero(con->pem_key, strlen(con->pem_key));
    con_cache_free(con);
    free(con->token);
    free(con->pem_certificate);
    free(con->pem_key);
    free(con->pem_ca);
    free(con);
}

static const char *const needs[] = {PDK_CONTROL_1, PDK_LOOP_1, NULL};

const pdk_plugin pdk_plugin_entry = {
    PDK_PLUGIN_HEAD, "console",   "0.1.0", "",      "Asks and steers over HTTP",
    needs,           &con_config, NULL,    NULL,    NULL,
    create,          start,       stop,    destroy, NULL,
};
