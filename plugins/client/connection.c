/* SPDX-License-Identifier: Apache-2.0 */
/* A connection: what it is made of, a question, a stream that is taken up again where it broke off. */
#include <stdlib.h>

#include "client.h"

#define FIRST_PAUSE (CLIENT_SECOND / 20)
#define LAST_PAUSE  (2 * CLIENT_SECOND)

enum { BEING_STARTED = 503 }; /* or about to end */

/* ---- made and thrown away ---- */

static int32_t copy_texts(struct pdk_connection *c, const pdk_client_options *options) {
    const char *const given[] = {options->socket, options->server,      options->token,
                                 options->ca,     options->certificate, options->key};
    for (size_t i = 0; i < sizeof given / sizeof *given; i++) {
        c->texts[i] = given[i] ? strdup(given[i]) : NULL;
        if (given[i] && !c->texts[i]) return -ENOMEM;
    }
    c->options = *options;
    if (!c->options.connect_ns) c->options.connect_ns = 10 * CLIENT_SECOND;
    if (!c->options.answer_ns) c->options.answer_ns = 60 * CLIENT_SECOND;
    return 0;
}

/* Where questions go. A server is named by scheme, host and port alone. */
static int32_t choose_base(struct pdk_connection *c, pdk_error *err) {
    const char *server = c->texts[1], *rest = server;
    if (c->texts[0]) {
        pdk_append(c->base, sizeof c->base, "http://localhost");
        return 0;
    }
    if (server && strncmp(server, "http://", 7) == 0) rest = server + 7;
    if (server && strncmp(server, "https://", 8) == 0) rest = server + 8;
    size_t size = server ? strlen(server) : 0;
    while (size && server[size - 1] == '/') size--;
    if (!server || rest == server || !*rest || *rest == '/' ||
        strcspn(rest, "/?#@") != size - (size_t)(rest - server) || size >= sizeof c->base)
        return pdk_fail(err, -EINVAL, NULL, "wanted http://HOST:PORT or https://HOST:PORT", NULL, NULL);
    memcpy(c->base, server, size);
    return 0;
}

static void close_connection(pdk_connection *c) {
    if (!c) return;
    if (c->easy) curl_easy_cleanup(c->easy);
    if (c->multi) (void)curl_multi_cleanup(c->multi);
    curl_slist_free_all(c->lines);
    for (size_t i = 0; i < sizeof c->texts / sizeof *c->texts; i++) free(c->texts[i]);
    free(c->data);
    free(c);
}

static int32_t open_connection(const pdk_client *client, const pdk_client_options *options, pdk_connection **ret,
                               pdk_error *err) {
    struct pdk_connection *c = calloc(1, sizeof *c);
    (void)client;
    if (!c) return -ENOMEM;
    int32_t rc = copy_texts(c, options);
    if (rc == 0) rc = choose_base(c, err);
    if (rc == 0 && curl_global_init(CURL_GLOBAL_DEFAULT) != 0) rc = -ENOMEM;
    if (rc == 0 && (!(c->easy = curl_easy_init()) || !(c->multi = curl_multi_init()))) rc = -ENOMEM;
    if (rc < 0)
        close_connection(c);
    else
        *ret = c;
    return rc;
}

/* ---- a question ---- */

int32_t client_add_line(struct pdk_connection *c, const char *line) {
    struct curl_slist *lines = curl_slist_append(c->lines, line);
    if (!lines) return -ENOMEM;
    c->lines = lines;
    return 0;
}

static int32_t set_lines(struct pdk_connection *c, bool has_body) {
    char line[4200] = "Authorization: Bearer ";
    curl_slist_free_all(c->lines);
    c->lines = NULL;
    int32_t rc = client_add_line(c, c->sse ? "Accept: text/event-stream" : "Accept: application/json");
    if (rc == 0) rc = client_add_line(c, "Expect:"); /* no question first whether a body may come */
    if (rc == 0 && has_body) rc = client_add_line(c, "Content-Type: application/json");
    if (rc || !c->texts[2] || c->texts[0]) return rc;
    pdk_append(line, sizeof line, c->texts[2]);
    return client_add_line(c, line);
}

/* Options that are texts: NULL stands for libcurl's own. */
static CURLcode set_texts(struct pdk_connection *c, const char *method, const char *url) {
    const struct {
        CURLoption option;
        const void *value;
    } rows[] = {{CURLOPT_URL, url},
                {CURLOPT_CUSTOMREQUEST, method},
                {CURLOPT_UNIX_SOCKET_PATH, c->texts[0]},
                {CURLOPT_PROTOCOLS_STR, "http,https"},
                {CURLOPT_NOPROXY, "*"}, /* a token is for the server alone */
                {CURLOPT_USERAGENT, "paddock"},
                {CURLOPT_CAINFO, c->texts[3]},
                {CURLOPT_SSLCERT, c->texts[4]},
                {CURLOPT_SSLKEY, c->texts[5]},
                {CURLOPT_HTTPHEADER, c->lines},
                {CURLOPT_ERRORBUFFER, c->why},
                {CURLOPT_WRITEDATA, c}};
    CURLcode rc = CURLE_OK;
    for (size_t i = 0; rc == CURLE_OK && i < sizeof rows / sizeof *rows; i++)
        if (rows[i].value) rc = curl_easy_setopt(c->easy, rows[i].option, rows[i].value);
    return rc;
}

static CURLcode set_numbers(struct pdk_connection *c) {
    const struct {
        CURLoption option;
        long value;
    } rows[] = {{CURLOPT_NOSIGNAL, 1},
                {CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1},
                {CURLOPT_CONNECTTIMEOUT_MS, (long)(c->options.connect_ns / 1000000)},
                {CURLOPT_TIMEOUT_MS, c->sse ? 0 : (long)(c->options.answer_ns / 1000000)},
                {CURLOPT_TCP_KEEPALIVE, 1},
                {CURLOPT_TCP_KEEPIDLE, 30},
                {CURLOPT_TCP_KEEPINTVL, 15}};
    CURLcode rc = CURLE_OK;
    for (size_t i = 0; rc == CURLE_OK && i < sizeof rows / sizeof *rows; i++)
        rc = curl_easy_setopt(c->easy, rows[i].option, rows[i].value);
    if (rc == CURLE_OK) rc = curl_easy_setopt(c->easy, CURLOPT_WRITEFUNCTION, client_on_data);
    return rc;
}

int32_t client_ask(struct pdk_connection *c, const char *method, const char *path, const char *body, size_t size,
                   pdk_error *err) {
    char url[CLIENT_URL_MAX] = "";
    if (strlen(c->base) + strlen(path) >= sizeof url)
        return pdk_fail(err, -E2BIG, NULL, "the question is too long", NULL, NULL);
    pdk_append(url, sizeof url, c->base);
    pdk_append(url, sizeof url, path);
    curl_easy_reset(c->easy);
    int32_t rc = set_lines(c, body != NULL);
    if (rc < 0) return rc;
    CURLcode code = set_numbers(c);
    if (code == CURLE_OK) code = set_texts(c, method, url);
    bool posts = body || strcmp(method, "POST") == 0;
    if (code == CURLE_OK && posts) code = curl_easy_setopt(c->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)size);
    if (code == CURLE_OK && posts) code = curl_easy_setopt(c->easy, CURLOPT_POSTFIELDS, body ? body : "");
    if (code == CURLE_OK) return 0;
    return pdk_fail(err, code == CURLE_OUT_OF_MEMORY ? -ENOMEM : -EINVAL, NULL, curl_easy_strerror(code), NULL, NULL);
}

static int32_t request(pdk_connection *c, const char *method, const char *path, const char *body, size_t size,
                       pdk_client_answer *ret, pdk_error *err) {
    int32_t rc = client_ask(c, method, path, body, size, err);
    if (rc == 0) rc = client_transfer(c, err);
    return rc < 0 ? rc : client_get_answer(c, ret);
}

/* ---- a stream ---- */

struct following {
    int32_t (*each)(void *arg, const pdk_client_event *);
    void *arg;
    bool enough, came; /* something came since it was connected */
};

static int32_t on_event(void *arg, const char *type, const char *id, const char *data, size_t size) {
    struct following *following = arg;
    const pdk_client_event event = {PDK_HEAD(pdk_client_event), type, id, data, size};
    following->came = true;
    if (strcmp(type, "end") == 0)
        following->enough = true;
    else
        following->enough = following->each(following->arg, &event) != 0;
    return following->enough;
}

static int32_t follow_once(struct pdk_connection *c, const char *path, pdk_client_answer *ret, pdk_error *err) {
    char line[CLIENT_ID_MAX + 32] = "Last-Event-ID: ";
    int32_t rc = client_ask(c, "GET", path, NULL, 0, err);
    if (rc == 0 && *c->sse->id) {
        pdk_append(line, sizeof line, c->sse->id);
        rc = client_add_line(c, line);
        if (rc == 0 && curl_easy_setopt(c->easy, CURLOPT_HTTPHEADER, c->lines) != CURLE_OK) rc = -ENOMEM;
    }
    client_sse_restart(c->sse);
    if (rc == 0) rc = client_transfer(c, err);
    if (rc < 0) return rc;
    (void)client_get_answer(c, ret);
    if (ret->status != 200) return 0;
    return pdk_fail(err, -ECONNRESET, NULL, "the server ended the stream", NULL, NULL);
}

/* Is it worth trying again? Not when somebody said so, or it would come to the same. */
static bool may_come_back(int32_t rc) {
    return rc == -ECONNRESET || rc == -ECONNREFUSED || rc == -ENOENT || rc == -ETIMEDOUT;
}

static int32_t say_broken(const struct following *following, const struct pdk_connection *c, const pdk_error *err) {
    const pdk_client_event event = {PDK_HEAD(pdk_client_event), "", c->sse->id, err->message, strlen(err->message)};
    return following->each(following->arg, &event);
}

static int32_t follow_on(struct pdk_connection *c, struct following *following, const char *path,
                         pdk_client_answer *ret, pdk_error *err) {
    uint64_t pause = FIRST_PAUSE, waited = 0;
    bool was_there = false;
    for (;;) {
        following->came = false;
        *err = (pdk_error)PDK_ERROR;
        int32_t rc = follow_once(c, path, ret, err);
        if (following->enough) return 0;
        if (rc == 0 && !(was_there && ret->status == BEING_STARTED)) return 0; /* it refuses */
        was_there |= c->streams || rc == -ECONNRESET;
        if (following->came || c->streams) {
            pause = FIRST_PAUSE;
            waited = 0;
        }
        if (!was_there || (rc && !may_come_back(rc)) || waited >= c->options.reconnect_ns) return rc;
        if (waited == 0 && say_broken(following, c, err)) return 0;
        if (client_pause(c, pause) < 0) return pdk_fail(err, -ECANCELED, NULL, "broken off", NULL, NULL);
        waited += pause;
        pause = pause * 2 < LAST_PAUSE ? pause * 2 : LAST_PAUSE;
    }
}

static int32_t follow(pdk_connection *c, const char *path, const char *last_id,
                      int32_t (*each)(void *arg, const pdk_client_event *), void *arg, pdk_client_answer *ret,
                      pdk_error *err) {
    struct following following = {.each = each, .arg = arg};
    struct client_sse sse = {.each = on_event, .arg = &following};
    pdk_error own = PDK_ERROR;
    if (last_id && strlen(last_id) >= sizeof sse.id)
        return pdk_fail(err, -EINVAL, NULL, "that is no id of an event", NULL, NULL);
    if (last_id) pdk_append(sse.id, sizeof sse.id, last_id);
    c->sse = &sse;
    *ret = (pdk_client_answer){(uint32_t)sizeof *ret, 200, "", "", 0};
    int32_t rc = follow_on(c, &following, path, ret, err ? err : &own);
    c->sse = NULL;
    client_sse_free(&sse);
    if (following.enough) ret->status = 200;
    return rc;
}

const pdk_client client_table = {PDK_HEAD(pdk_client), NULL, open_connection, request, follow, close_connection};
