/* SPDX-License-Identifier: Apache-2.0 */
/* What may be configured, and what goes together. README.md has the keys. */
#include "console.h"

static const pdk_param tls[] = {
    PDK_PARAM("certificate", PDK_STRING, PDK_REQUIRED, NULL,
              "A PEM file: the certificate, then those that lead to its root"),
    PDK_PARAM("key", PDK_STRING, PDK_REQUIRED, NULL, "A PEM file: its private key"),
    PDK_PARAM("client_ca", PDK_STRING, 0, NULL,
              "A PEM file: who signs the certificates of clients, which are then wanted"),
    PDK_PARAM_END,
};

static const pdk_param params[] = {
    PDK_PARAM("socket", PDK_STRING, 0, NULL, "Path of the UNIX socket; default: what the program says"),
    PDK_PARAM("mode", PDK_STRING, 0, "0660", "Permissions of that socket, in octal"),
    PDK_PARAM("group", PDK_STRING, 0, NULL, "Group of that socket"),
    PDK_PARAM("users", PDK_STRINGS, 0, NULL, "Who may ask there, beside root and us; default: who can open it"),
    PDK_PARAM("listen", PDK_STRING, 0, NULL, "ADDRESS:PORT of TCP; needs token_file or tls.client_ca"),
    PDK_PARAM("token_file", PDK_STRING, 0, NULL, "A file with the bearer token that is wanted over TCP"),
    {"tls", PDK_MAP, 0, NULL, "TLS over TCP", NULL, 0.0, 0.0, tls},
    PDK_PARAM("hosts", PDK_STRINGS, 0, NULL,
              "Names that requests over TCP may use for us, beside localhost and addresses"),
    {"connections", PDK_INT, 0, "4000", "Connections to each listener at once", NULL, 1.0, 100000.0, NULL},
    {"per_address", PDK_INT, 0, "200", "Connections of one address over TCP at once", NULL, 1.0, 100000.0, NULL},
    {"rate", PDK_INT, 0, "1000", "Requests of one address a second over TCP; 0: no limit", NULL, 0.0, 1e9, NULL},
    {"local_rate", PDK_INT, 0, "0", "Requests of one user a second over the UNIX socket; 0: no limit", NULL, 0.0, 1e9,
     NULL},
    {"body", PDK_SIZE, 0, "1MiB", "The largest body that is taken", NULL, 1024.0, 67108864.0, NULL},
    {"header", PDK_SIZE, 0, "16KiB", "The largest header that is taken", NULL, 4096.0, 1048576.0, NULL},
    {"request_timeout", PDK_DURATION, 0, "10s", "How long a request may take to arrive", NULL, 1.0, 3600.0, NULL},
    {"answer_timeout", PDK_DURATION, 0, "30s", "How long an answer may wait for who does not read", NULL, 1.0, 3600.0,
     NULL},
    {"idle_timeout", PDK_DURATION, 0, "60s", "How long a connection may stay without a request", NULL, 1.0, 3600.0,
     NULL},
    {"events", PDK_INT, 0, "10000", "Events kept for who comes back, 16 MiB at most", NULL, 16.0, 1000000.0, NULL},
    PDK_PARAM_END,
};

const pdk_schema con_config = PDK_SCHEMA("", "The control API over HTTP", params);

/* Rows for what is read alike. */
static int32_t read_texts(const pdk_host *host, const pdk_value *config, struct con_options *o, pdk_error *err) {
    const pdk_value *inner = host->values->get(config, "tls");
    const struct {
        const pdk_value *map;
        const char *key, **to;
    } rows[] = {{config, "socket", &o->socket},          {config, "group", &o->group},
                {config, "listen", &o->listen},          {config, "token_file", &o->token_file},
                {inner, "certificate", &o->certificate}, {inner, "key", &o->key},
                {inner, "client_ca", &o->client_ca}};
    int32_t rc = 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows && rc == 0; i++)
        rc = pdk_take_string(host, rows[i].map, rows[i].key, rows[i].to, err);
    return rc;
}

static int32_t read_numbers(const pdk_host *host, const pdk_value *config, struct con_options *o, pdk_error *err) {
    const struct {
        const char *key;
        int64_t *to;
    } rows[] = {{"connections", &o->connections},
                {"per_address", &o->per_address},
                {"rate", &o->rate},
                {"local_rate", &o->local_rate},
                {"events", &o->events}};
    int32_t rc = 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows && rc == 0; i++)
        rc = pdk_take_integer(host, config, rows[i].key, rows[i].to, err);
    if (!rc) rc = pdk_take_size(host, config, "body", &o->body, err);
    if (!rc) rc = pdk_take_size(host, config, "header", &o->header, err);
    if (!rc) rc = pdk_take_duration(host, config, "request_timeout", &o->request_ns, err);
    if (!rc) rc = pdk_take_duration(host, config, "answer_timeout", &o->answer_ns, err);
    if (!rc) rc = pdk_take_duration(host, config, "idle_timeout", &o->idle_ns, err);
    return rc;
}

static int32_t read_mode(const pdk_host *host, const pdk_value *config, struct con_options *o, pdk_error *err) {
    const char *text = "0660";
    int32_t rc = pdk_take_string(host, config, "mode", &text, err);
    uint32_t mode = 0;
    if (rc) return rc;
    for (const char *c = text; *c; c++) {
        if (*c < '0' || *c > '7' || mode > 0777 / 8) mode = 01000;
        mode = mode * 8 + (uint32_t)(*c - '0');
        if (mode > 0777) break;
    }
    if (!*text || mode > 0777 || !(mode & 0600))
        return pdk_failf(err, -EINVAL, host->values->get(config, "mode"),
                         "mode wants permissions in octal that let the owner in, such as \"0660\", not \"%.32s\"",
                         text);
    o->mode = mode;
    return 0;
}

/* Nobody is let in from the network by an oversight. */
static int32_t check(const pdk_host *host, const pdk_value *config, const struct con_options *o, pdk_error *err) {
    const pdk_value *at = host->values->get(config, "listen");
    bool path_fits = !o->socket || strlen(o->socket) < sizeof(((struct sockaddr_un *)0)->sun_path);
    if (!path_fits)
        return pdk_fail(err, -EINVAL, host->values->get(config, "socket"),
                        "the path of a socket has less than 108 bytes", NULL, NULL);
    if (o->listen && !o->token_file && !o->client_ca) {
        if (err) pdk_append(err->hint, sizeof err->hint, "the UNIX socket needs neither");
        return pdk_fail(err, -EINVAL, at, "listen on TCP wants a token_file, or tls with a client_ca", NULL, NULL);
    }
    if (!o->listen && (o->token_file || o->certificate))
        return pdk_fail(err, -EINVAL, host->values->get(config, o->token_file ? "token_file" : "tls"),
                        "token_file and tls are for TCP, and there is no `listen`", NULL, NULL);
    return 0;
}

int32_t con_options_read(const pdk_host *host, const pdk_value *config, struct con_options *o, pdk_error *err) {
    *o = (struct con_options){.connections = 4000,
                              .per_address = 200,
                              .rate = 1000,
                              .events = 10000,
                              .body = 1 << 20,
                              .header = 16384,
                              .request_ns = 10 * SECOND,
                              .answer_ns = 30 * SECOND,
                              .idle_ns = 60 * SECOND};
    int32_t rc = read_texts(host, config, o, err);
    if (!rc) rc = read_numbers(host, config, o, err);
    if (!rc) rc = read_mode(host, config, o, err);
    if (rc) return rc;
    o->users = host->values->get(config, "users");
    o->hosts = host->values->get(config, "hosts");
    return check(host, config, o, err);
}
