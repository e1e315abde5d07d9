/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request, from its first line to its last byte. The library calls con_request_take when the header is there, for each
 * piece of the body, when all is there, and again after an answer has been waited for.
 */
#include <arpa/inet.h>
#include <stdio.h>

#include "console.h"

enum { URL_MAX = 8192 };

/* ---- parts of it ---- */

const char *con_request_header(const struct con_request *request, const char *name) {
    return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

const char *con_request_query(const struct con_request *request, const char *name) {
    for (size_t i = 0; i < request->query_count; i++)
        if (!strcmp(request->query[i].name, name)) return request->query[i].value;
    return NULL;
}

const char *con_request_part(const struct con_request *request, const char *name) {
    int place = con_uri_place(request->route->pattern, name);
    return place < 0 || (size_t)place >= request->part_count ? "" : request->parts[place];
}

bool con_request_number(struct con_request *request, const char *name, uint64_t least, uint64_t most, uint64_t *ret) {
    const char *text = con_request_query(request, name);
    if (!text || con_uri_number(text, least, most, ret)) return true;
    con_answer_faultf(request, CON_INVALID, "query parameter %s wants a number from %llu to %llu, not \"%.64s\"", name,
                      (unsigned long long)least, (unsigned long long)most, text);
    return false;
}

bool con_request_flag(struct con_request *request, const char *name, bool *ret) {
    const char *text = con_request_query(request, name);
    if (!text) return true;
    *ret = !strcmp(text, "true") || !strcmp(text, "1") || !*text;
    if (*ret || !strcmp(text, "false") || !strcmp(text, "0")) return true;
    con_answer_faultf(request, CON_INVALID, "query parameter %s wants true or false, not \"%.64s\"", name, text);
    return false;
}

void con_request_who(const struct con_request *request, char *buf, size_t size) {
    const struct con_peer *peer = request->peer;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr *address = info ? info->client_addr : NULL;
    (void)snprintf(buf, size, "somebody");
    if (peer->server->local)
        (void)snprintf(buf, size, "uid %lld", (long long)peer->uid);
    else if (address && address->sa_family == AF_INET)
        (void)inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)address)->sin_addr, buf, (socklen_t)size);
    else if (address && address->sa_family == AF_INET6)
        (void)inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr, buf,
                        (socklen_t)size);
}

/* ---- its life ---- */

static void free_request(struct con_request *request) {
    request->con->values->drop(request->json);
    con_text_free(&request->body);
    if (request->response) MHD_destroy_response(request->response);
    free(request->query_text);
    free(request->path);
    free(request);
}

void con_request_hold(struct con_request *request) {
    request->calls++;
    request->con->calls++;
}

void con_request_release(struct con_request *request) {
    struct con *con = request->con;
    request->calls--;
    con->calls--;
    if (request->gone && !request->calls) free_request(request);
    con_stop_look(con);
}

void con_request_wake(struct con_request *request) {
    if (request->gone || !request->suspended) return;
    request->suspended = false;
    MHD_resume_connection(request->connection);
    con_daemon_kick(request->peer->server);
}

void con_request_end(void *arg, struct MHD_Connection *connection, void **state, enum MHD_RequestTerminationCode code) {
    struct con_request *request = *state;
    (void)arg, (void)connection, (void)code;
    if (!request) return;
    *state = NULL;
    TAILQ_REMOVE(&request->con->requests, request, all);
    con_peer_phase(request->peer, CON_IDLE);
    request->gone = true;
    request->connection = NULL;
    request->peer = NULL;
    if (!request->calls) free_request(request);
}

/* ---- reading it ---- */

struct gathering {
    struct con_request *request;
    size_t size;
    bool too_many;
};

static enum MHD_Result measure(void *arg, enum MHD_ValueKind kind, const char *name, const char *value) {
    struct gathering *all = arg;
    (void)kind;
    all->size += strlen(name) + 1 + (value ? strlen(value) : 0) + 1;
    if (all->request->query_count++ < CON_QUERY) return MHD_YES;
    all->too_many = true;
    return MHD_NO;
}

static const char *keep(char **at, const char *text) {
    char *start = *at;
    size_t size = strlen(text) + 1;
    memcpy(start, text, size);
    *at += size;
    return start;
}

static enum MHD_Result gather(void *arg, enum MHD_ValueKind kind, const char *name, const char *value) {
    struct gathering *all = arg;
    struct con_request *request = all->request;
    char *at = request->query_text + all->size;
    struct con_query *query = &request->query[request->query_count++];
    (void)kind;
    query->name = keep(&at, name);
    query->value = keep(&at, value ? value : "");
    all->size = (size_t)(at - request->query_text);
    return MHD_YES;
}

/* False: it is answered. */
static bool read_query(struct con_request *request) {
    struct gathering all = {.request = request};
    (void)MHD_get_connection_values(request->connection, MHD_GET_ARGUMENT_KIND, measure, &all);
    request->query_count = 0;
    if (all.too_many) {
        con_answer_faultf(request, CON_INVALID, "more than %d query parameters", CON_QUERY);
        return false;
    }
    if (!all.size) return true;
    request->query_text = malloc(all.size);
    if (!request->query_text) {
        con_answer_error(request, -ENOMEM, NULL);
        return false;
    }
    all.size = 0;
    (void)MHD_get_connection_values(request->connection, MHD_GET_ARGUMENT_KIND, gather, &all);
    for (size_t i = 0; i < request->query_count; i++) {
        char *name = request->query_text + (request->query[i].name - request->query_text);
        char *value = request->query_text + (request->query[i].value - request->query_text);
        if (con_uri_decode(name) && con_uri_decode(value)) continue;
        con_answer_fault(request, CON_INVALID,
                         "the query is not UTF-8 in which % is followed by two hexadecimal digits", NULL);
        return false;
    }
    return true;
}

static bool read_path(struct con_request *request, const char *url) {
    bool fits = strlen(url) < URL_MAX;
    if (fits && !(request->path = strdup(url))) {
        con_answer_error(request, -ENOMEM, NULL);
        return false;
    }
    if (fits && con_uri_split(request->path, request->parts, CON_PARTS, &request->part_count)) return true;
    con_answer_fault(request, CON_NOT_FOUND, "there is nothing at this path", NULL);
    return false;
}

/* What can be said before the body is there. */
static bool check_body(struct con_request *request) {
    const char *size_text = con_request_header(request, MHD_HTTP_HEADER_CONTENT_LENGTH);
    const char *type = con_request_header(request, MHD_HTTP_HEADER_CONTENT_TYPE);
    uint64_t size = 0;
    bool has_body = con_request_header(request, MHD_HTTP_HEADER_TRANSFER_ENCODING) != NULL;
    if (size_text && !con_uri_number(size_text, 0, UINT64_MAX, &size)) size = UINT64_MAX;
    if (size > request->con->options.body) {
        con_answer_faultf(request, CON_TOO_LARGE, "a body has at most %llu bytes",
                          (unsigned long long)request->con->options.body);
        return false;
    }
    if ((has_body || size || request->route->body) && (!type || !con_uri_is_type(type, "application/json"))) {
        con_answer_fault(request, CON_MEDIA_TYPE, "a body of application/json is wanted",
                         "Content-Type: application/json");
        return false;
    }
    return true;
}

/* Asked with the header, and again when the body is there: nothing may begin to wait, for the library cannot stop while
 * something is suspended. False: it is answered. */
static bool check_stopping(struct con_request *request) {
    if (request->con->stopping) con_answer_fault(request, CON_UNAVAILABLE, "stopping", NULL);
    return !request->con->stopping;
}

/* One after the other, until one has refused it. */
static bool read_header(struct con_request *request, const char *url) {
    if (!check_stopping(request)) return false;
    request->open = con_static_is(request->method, url);
    if (!con_auth_check(request) || !read_path(request, url) || !read_query(request)) return false;
    con_route(request);
    return request->route && check_body(request);
}

static bool read_json(struct con_request *request) {
    const struct con *con = request->con;
    pdk_error err = PDK_ERROR;
    if (request->body.error == -E2BIG) {
        con_answer_faultf(request, CON_TOO_LARGE, "a body has at most %llu bytes",
                          (unsigned long long)con->options.body);
        return false;
    }
    if (request->body.error) {
        con_answer_error(request, request->body.error, NULL);
        return false;
    }
    if (!request->body.size && !request->route->body) return true;
    int32_t rc = con->values->parse(con->values, request->body.data ? request->body.data : "", request->body.size,
                                    "body", &request->json, &err);
    if (rc == 0 && con->values->type(request->json) == PDK_MAP) return true;
    if (rc == -ENOMEM)
        con_answer_error(request, rc, NULL);
    else
        con_answer_fault(request, CON_INVALID, rc ? err.message : "the body: a JSON object is wanted", err.hint);
    return false;
}

static struct con_request *begin(struct con_server *server, struct MHD_Connection *connection, const char *method) {
    struct con_peer *peer = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
    struct con_request *request = peer ? calloc(1, sizeof *request) : NULL;
    if (!request) return NULL;
    request->con = server->con;
    request->peer = peer;
    request->connection = connection;
    request->method = strcmp(method, MHD_HTTP_METHOD_HEAD) ? method : MHD_HTTP_METHOD_GET;
    request->accept = con_request_header(request, MHD_HTTP_HEADER_ACCEPT);
    request->body.limit = server->con->options.body + 2;
    TAILQ_INSERT_TAIL(&server->con->requests, request, all);
    con_peer_phase(peer, CON_ASKING);
    return request;
}

/* ---- answering it ---- */

static enum MHD_Result queue(struct con_request *request) {
    struct MHD_Response *response = request->response;
    request->response = NULL;
    if (request->peer->phase != CON_STREAMING) con_peer_phase(request->peer, CON_ANSWERING);
    enum MHD_Result result = MHD_queue_response(request->connection, request->status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result finish(struct con_request *request) {
    if (!request->response && !request->asked) {
        request->asked = true;
        con_peer_phase(request->peer, CON_WORKING);
        if (check_stopping(request) && read_json(request)) request->route->handle(request);
    }
    if (request->response) return queue(request);
    if (!request->calls || request->con->stopping) return MHD_NO; /* no memory for an answer */
    request->suspended = true;
    MHD_suspend_connection(request->connection);
    return MHD_YES;
}

enum MHD_Result con_request_take(void *arg, struct MHD_Connection *connection, const char *url, const char *method,
                                 const char *version, const char *data, size_t *size, void **state) {
    struct con_request *request = *state;
    (void)version;
    if (!request) {
        request = begin(arg, connection, method);
        if (!request) return MHD_NO;
        *state = request;
        request->asked = !read_header(request, url); /* there may have been no memory for an answer */
        /* A body that is refused is read to its end, so that its sender hears of it; one that is too large is not. */
        return request->response && request->status == 413 ? queue(request) : MHD_YES;
    }
    if (*size == 0) return finish(request);
    if (!request->response) con_text_add(&request->body, data, *size);
    *size = 0;
    return MHD_YES;
}
