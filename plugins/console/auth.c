/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may ask. Over the UNIX socket the kernel says who it is; its mode says who can open it, and `users` may say less.
 * Over TCP it is who knows the token, or has a certificate of our client CA, and both where both are configured.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "console.h"

enum { FILE_MAX = 1 << 20, TOKEN_MIN = 16, TOKEN_MAX = 4096 };

/* ---- what is read at start ---- */

static int32_t failed(int error, const char *path, pdk_error *err) {
    const char *word = strerrordesc_np(error);
    return pdk_failf(err, -error, NULL, "%s: %s", path, word ? word : "unknown error");
}

/* secret: others must not be able to read it. */
static int32_t read_file(const char *path, bool secret, char **ret, pdk_error *err) {
    struct stat found;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    char *data = NULL;
    ssize_t size = -1;
    int32_t rc = 0;
    if (fd >= 0 && fstat(fd, &found) == 0) {
        if (!S_ISREG(found.st_mode) || found.st_size > FILE_MAX)
            rc = pdk_failf(err, -EINVAL, NULL, "%s: a file of at most 1 MiB is wanted", path);
        else if (secret && (found.st_mode & 07))
            rc = pdk_failf(err, -EACCES, NULL, "%s: others may read or change it; chmod o= it", path);
        else if ((data = calloc(1, (size_t)found.st_size + 1)))
            size = read(fd, data, (size_t)found.st_size);
        else
            rc = -ENOMEM;
    }
    if (rc == 0 && size < 0) rc = failed(errno ? errno : EIO, path, err);
    if (fd >= 0) (void)close(fd);
    if (rc || !data) {
        free(data);
        return rc ? rc : -EIO;
    }
    *ret = data;
    return 0;
}

static int32_t read_token(struct con *con, pdk_error *err) {
    int32_t rc = read_file(con->options.token_file, true, &con->token, err);
    if (rc) return rc;
    size_t size = strcspn(con->token, "\r\n");
    con->token[size] = '\0';
    for (const char *c = con->token; *c; c++)
        if (*c <= ' ' || *c > '~') size = 0;
    if (size >= TOKEN_MIN && size <= TOKEN_MAX) return 0;
    return pdk_failf(err, -EINVAL, NULL, "%s: a token has %d to %d visible characters of ASCII, on one line",
                     con->options.token_file, TOKEN_MIN, TOKEN_MAX);
}

static int32_t find_user(const char *name, uint32_t *ret, pdk_error *err) {
    struct passwd entry, *found = NULL;
    char buf[4096];
    uint64_t number;
    if (con_uri_number(name, 0, UINT32_MAX - 1, &number)) {
        *ret = (uint32_t)number;
        return 0;
    }
    (void)getpwnam_r(name, &entry, buf, sizeof buf, &found);
    if (!found) return pdk_failf(err, -EINVAL, NULL, "users: there is no user \"%.64s\"", name);
    *ret = found->pw_uid;
    return 0;
}

static int32_t read_users(struct con *con, pdk_error *err) {
    size_t count = con->values->count(con->options.users);
    con->users.all = con->values->type(con->options.users) != PDK_LIST;
    if (con->users.all) return 0;
    if (count > CON_USERS - 2) return pdk_failf(err, -EINVAL, NULL, "users: more than %d", CON_USERS - 2);
    con->users.uids[0] = 0;
    con->users.uids[1] = geteuid();
    con->users.count = 2;
    for (size_t i = 0; i < count; i++) {
        const char *name = "";
        (void)con->values->string(con->values->at(con->options.users, i), &name);
        int32_t rc = find_user(name, &con->users.uids[con->users.count++], err);
        if (rc) return rc;
    }
    return 0;
}

int32_t con_auth_begin(struct con *con, pdk_error *err) {
    const struct con_options *o = &con->options;
    int32_t rc = read_users(con, err);
    if (!rc && o->token_file) rc = read_token(con, err);
    if (!rc && o->certificate) rc = read_file(o->certificate, false, &con->pem_certificate, err);
    if (!rc && o->key) rc = read_file(o->key, true, &con->pem_key, err);
    if (!rc && o->client_ca) rc = read_file(o->client_ca, false, &con->pem_ca, err);
    return rc;
}

/* ---- each request ---- */

static bool refuse(struct con_request *request, enum con_fault fault, const char *message, const char *hint) {
    con_answer_fault(request, fault, message, hint);
    if (fault == CON_UNAUTHORIZED && request->con->token)
        con_answer_header(request, "WWW-Authenticate", "Bearer realm=\"paddock\"");
    return false;
}

static bool is_user(const struct con_users *users, int64_t uid) {
    for (size_t i = 0; i < users->count; i++)
        if (users->uids[i] == uid) return true;
    return users->all;
}

/* How long it takes says nothing of where they differ. */
static bool has_token(const struct con_request *request) {
    const char *header = con_request_header(request, MHD_HTTP_HEADER_AUTHORIZATION);
    const char *given = header ? con_uri_bearer(header) : NULL, *token = request->con->token;
    size_t size = strlen(token);
    return given && strlen(given) == size && gnutls_memcmp(given, token, size) == 0;
}

/* Of the CA, and not for servers alone (RFC 5280, 4.2.1.12): one CA often signs those of both. */
static bool has_certificate(const struct con_request *request) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    static unsigned char client[] = GNUTLS_KP_TLS_WWW_CLIENT;
    gnutls_typed_vdata_st purpose = {GNUTLS_DT_KEY_PURPOSE_OID, client, sizeof client - 1};
    unsigned status = 0;
    if (request->peer->verified) return true;
    if (!info || gnutls_certificate_verify_peers(info->tls_session, &purpose, 1, &status) < 0 || status) return false;
    request->peer->verified = true;
    return true;
}

static bool is_listed(const struct con *con, const char *host) {
    for (size_t i = 0; i < con->values->count(con->options.hosts); i++) {
        const char *name = "";
        (void)con->values->string(con->values->at(con->options.hosts, i), &name);
        if (!strcasecmp(name, host)) return true;
    }
    return false;
}

/* A page of somebody else may let its own name point to us: by another name than ours we are not at home. */
static bool is_our_name(const struct con_request *request) {
    const char *header = con_request_header(request, MHD_HTTP_HEADER_HOST);
    unsigned char address[sizeof(struct in6_addr)];
    char host[256];
    if (!header) return true; /* HTTP/1.0; the library refuses later ones without */
    if (!con_uri_host(header, host, sizeof host)) return false;
    return !strcmp(host, "localhost") || inet_pton(AF_INET, host, address) == 1 ||
           inet_pton(AF_INET6, host, address) == 1 || is_listed(request->con, host);
}

/* A page that is not ours may send a form here, with the certificate that the browser has, or by a socket that ssh leads
 * to. Programs that are no browser say neither where they come from. */
static bool is_our_page(const struct con_request *request) {
    const char *origin = con_request_header(request, "Origin");
    const char *site = con_request_header(request, "Sec-Fetch-Site");
    const char *host = con_request_header(request, MHD_HTTP_HEADER_HOST);
    if (!strcmp(request->method, MHD_HTTP_METHOD_GET)) return true;
    if (site && strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0) return false;
    if (!origin) return true;
    const char *name = strstr(origin, "://");
    return name && host && !strcasecmp(name + 3, host);
}

static bool check_browser(struct con_request *request) {
    if (!is_our_name(request))
        return refuse(request, CON_FORBIDDEN, "the Host header is no name of ours", "list it under `hosts`");
    if (!is_our_page(request)) return refuse(request, CON_FORBIDDEN, "pages of other origins may not ask", NULL);
    return true;
}

static bool check_tcp(struct con_request *request) {
    if (request->open) return true;
    if (request->con->token && !has_token(request))
        return refuse(request, CON_UNAUTHORIZED, "the bearer token is missing or wrong", "Authorization: Bearer TOKEN");
    if (request->con->pem_ca && !has_certificate(request))
        return refuse(request, CON_UNAUTHORIZED, "a certificate that our client CA signed is missing", NULL);
    return true;
}

bool con_auth_check(struct con_request *request) {
    struct con *con = request->con;
    const struct con_server *server = request->peer->server;
    int64_t rate = server->local ? con->options.local_rate : con->options.rate;
    uint32_t seconds = con_limits_take(&con->limits, request->peer->key, rate, con->turn_ns);
    if (seconds) {
        char text[16];
        (void)snprintf(text, sizeof text, "%u", seconds);
        (void)refuse(request, CON_BUSY, "too many requests", NULL);
        con_answer_header(request, MHD_HTTP_HEADER_RETRY_AFTER, text);
        return false;
    }
    if (!check_browser(request)) return false;
    if (!server->local) return check_tcp(request);
    if (is_user(&con->users, request->peer->uid)) return true;
    return refuse(request, CON_FORBIDDEN, "this user may not ask", "list it under `users`");
}
