/* SPDX-License-Identifier: Apache-2.0 */
/* What is sent back. An answer that cannot be made for want of memory is none: the connection is closed. */
#include <stdio.h>
#include <time.h>

#include "console.h"

enum { ANSWER_MAX = 256 << 20, POINTER_MAX = 512 };

static const char *const types[] = {[CON_JSON] = "application/json",
                                    [CON_NDJSON] = "application/x-ndjson",
                                    [CON_SSE] = "text/event-stream",
                                    [CON_PLAIN] = "text/plain; charset=utf-8",
                                    [CON_METRICS] = "text/plain; version=0.0.4; charset=utf-8"};

/* Of each type as an Accept header says it. */
static const char *const plain_types[] = {[CON_JSON] = "application/json",
                                          [CON_NDJSON] = "application/x-ndjson",
                                          [CON_SSE] = "text/event-stream",
                                          [CON_PLAIN] = "text/plain",
                                          [CON_METRICS] = "text/plain"};

static const struct {
    const char *word;
    unsigned status;
} faults[] = {[CON_INVALID] = {"invalid", 400},
              [CON_UNAUTHORIZED] = {"unauthorized", 401},
              [CON_FORBIDDEN] = {"forbidden", 403},
              [CON_NOT_FOUND] = {"not_found", 404},
              [CON_NOT_ALLOWED] = {"method_not_allowed", 405},
              [CON_NOT_ACCEPTABLE] = {"not_acceptable", 406},
              [CON_CONFLICT] = {"conflict", 409},
              [CON_TOO_LARGE] = {"too_large", 413},
              [CON_MEDIA_TYPE] = {"unsupported_media_type", 415},
              [CON_UNPROCESSABLE] = {"unprocessable", 422},
              [CON_BUSY] = {"busy", 429},
              [CON_INTERNAL] = {"internal", 500},
              [CON_NOT_SUPPORTED] = {"not_supported", 501},
              [CON_UNAVAILABLE] = {"unavailable", 503},
              [CON_STORAGE] = {"storage", 507}};

/* What the calls of control.h and queue.h answer. */
static const struct {
    int32_t rc;
    enum con_fault fault;
} codes[] = {{-EINVAL, CON_UNPROCESSABLE}, {-ENOENT, CON_NOT_FOUND},      {-ESTALE, CON_CONFLICT},
             {-EALREADY, CON_CONFLICT},    {-EBUSY, CON_CONFLICT},        {-EEXIST, CON_CONFLICT},
             {-EAGAIN, CON_BUSY},          {-ESHUTDOWN, CON_UNAVAILABLE}, {-ENOTSUP, CON_NOT_SUPPORTED},
             {-ENOMEM, CON_UNAVAILABLE},   {-ENOSPC, CON_STORAGE},        {-EROFS, CON_STORAGE},
             {-EIO, CON_STORAGE},          {-ECANCELED, CON_UNAVAILABLE}};

/* ---- sending ---- */

void con_answer_header(struct con_request *request, const char *name, const char *value) {
    if (request->response) (void)MHD_add_response_header(request->response, name, value);
}

/* Nothing here is kept, shown in a frame, run as a script, or taken for another type. */
static void finish(struct con_request *request, unsigned status, enum con_type type, struct MHD_Response *response) {
    if (request->response && response) MHD_destroy_response(request->response); /* the first answer was wrong */
    request->response = response;
    request->status = status;
    con_answer_header(request, MHD_HTTP_HEADER_CONTENT_TYPE, types[type]);
    con_answer_header(request, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    con_answer_header(request, "X-Content-Type-Options", "nosniff");
    con_answer_header(request, "Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
    con_answer_header(request, "Referrer-Policy", "no-referrer");
}

void con_answer_data(struct con_request *request, unsigned status, enum con_type type, struct con_text *text) {
    struct MHD_Response *response = NULL;
    if (!text->error)
        response = MHD_create_response_from_buffer(text->size, text->data,
                                                   text->data ? MHD_RESPMEM_MUST_FREE : MHD_RESPMEM_PERSISTENT);
    if (!response) {
        con_text_free(text);
        return;
    }
    finish(request, status, type, response);
}

void con_answer_value(struct con_request *request, unsigned status, const pdk_value *value) {
    const struct con *con = request->con;
    if (!value) {
        con_answer_error(request, -ENOMEM, NULL);
        return;
    }
    struct con_text text = {.limit = ANSWER_MAX};
    int32_t rc = con->values->print(con->values, value, PDK_JSON_PLAIN, con_text_write, &text);
    con->values->drop(value);
    con_text_add(&text, "\n", 1);
    if (rc < 0 && !text.error) text.error = rc;
    con_answer_data(request, status, CON_JSON, &text);
}

void con_answer_close(struct con_request *request, unsigned status, pdk_writer *writer) {
    const struct con *con = request->con;
    const pdk_value *value = NULL;
    pdk_error err = PDK_ERROR;
    int32_t rc = con->values->close(writer, &value, &err);
    if (rc < 0)
        con_answer_error(request, rc, &err);
    else
        con_answer_value(request, status, value);
}

void con_answer_stream(struct con_request *request, enum con_type type, MHD_ContentReaderCallback read, void *stream,
                       MHD_ContentReaderFreeCallback end) {
    struct MHD_Response *response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 8192, read, stream, end);
    if (!response) {
        end(stream);
        return;
    }
    con_peer_phase(request->peer, CON_STREAMING);
    finish(request, 200, type, response);
}

/* ---- errors ---- */

/* The names on the way to a value, from the innermost; the text is put before what is there. */
static bool find_place(const pdk_values *v, const pdk_value *in, const pdk_value *wanted, char *buf, size_t *start) {
    if (in == wanted) return true;
    for (size_t i = 0; i < v->count(in) && v->type(in) >= PDK_LIST; i++) {
        char index[24];
        const char *name = index;
        if (!find_place(v, v->at(in, i), wanted, buf, start)) continue;
        (void)snprintf(index, sizeof index, "%zu", i);
        if (v->type(in) == PDK_MAP) name = v->key_at(in, i);
        for (size_t n = strlen(name); n-- > 0;) {
            const char *coded = name[n] == '~' ? "~0" : name[n] == '/' ? "~1" : NULL;
            if (*start < 3) return true; /* the beginning of a very long one is left out */
            if (coded) buf[--*start] = coded[1];
            buf[--*start] = coded ? coded[0] : name[n];
        }
        if (*start) buf[--*start] = '/';
        return true;
    }
    return false;
}

struct fault {
    enum con_fault fault;
    const char *message, *hint, *path;
};

/* With what the host says of strangers' words, which need not be UTF-8, left out. */
static void put_fault(const struct con *con, pdk_writer *w, const struct fault *fault) {
    const pdk_values *v = con->values;
    v->put_map(w);
    v->key(w, "error");
    v->put_map(w);
    con_put_text(con, w, "code", faults[fault->fault].word);
    con_put_text(con, w, "message", fault->message);
    if (fault->path) con_put_text(con, w, "path", fault->path);
    if (fault->hint && *fault->hint) con_put_text(con, w, "hint", fault->hint);
    v->end(w);
    v->end(w);
}

static void answer_fault(struct con_request *request, const struct fault *fault) {
    const struct con *con = request->con;
    const pdk_value *value = NULL;
    pdk_writer *w = con->values->open(con->values);
    put_fault(con, w, fault);
    if (con->values->close(w, &value, NULL) < 0) {
        const struct fault plain = {fault->fault, "what is wrong cannot be said as text", NULL, fault->path};
        w = con->values->open(con->values);
        put_fault(con, w, &plain);
        if (con->values->close(w, &value, NULL) < 0) return;
    }
    con_answer_value(request, faults[fault->fault].status, value);
}

void con_answer_fault(struct con_request *request, enum con_fault code, const char *message, const char *hint) {
    const struct fault fault = {code, message, hint, NULL};
    answer_fault(request, &fault);
}

void con_answer_faultf(struct con_request *request, enum con_fault code, const char *format, ...) {
    char text[512];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    con_answer_fault(request, code, text, NULL);
}

/* What the host says of a value that it has read begins with its place: "body: /with/for: what is wrong". */
static void split_place(struct fault *fault, char *buf, size_t size) {
    static const char origin[] = "body: ";
    if (strncmp(fault->message, origin, sizeof origin - 1) != 0) return;
    fault->message += sizeof origin - 1;
    const char *end = *fault->message == '/' ? strstr(fault->message, ": ") : NULL;
    if (!end || (size_t)(end - fault->message) >= size) return;
    memcpy(buf, fault->message, (size_t)(end - fault->message));
    buf[end - fault->message] = '\0';
    fault->path = buf;
    fault->message = end + 2;
}

void con_answer_error(struct con_request *request, int32_t rc, const pdk_error *err) {
    char path[POINTER_MAX];
    size_t start = sizeof path - 1;
    struct fault fault = {CON_INTERNAL, err ? err->message : "", err ? err->hint : NULL, NULL};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (codes[i].rc == rc) fault.fault = codes[i].fault;
    if (!*fault.message) fault.message = strerrordesc_np(-rc);
    if (!fault.message) fault.message = "it failed";
    path[start] = '\0';
    if (err && err->at && request->json && find_place(request->con->values, request->json, err->at, path, &start))
        fault.path = path + start;
    else if (request->json)
        split_place(&fault, path, sizeof path);
    answer_fault(request, &fault);
}

/* ---- which type ---- */

int con_request_type(struct con_request *request, const enum con_type *offered, size_t count) {
    uint32_t best = 0;
    int index = -1;
    for (size_t i = 0; i < count; i++) {
        uint32_t wanted = con_uri_accepts(request->accept, plain_types[offered[i]]);
        if (wanted <= best) continue;
        best = wanted;
        index = (int)i;
    }
    if (index >= 0) return index;
    con_answer_faultf(request, CON_NOT_ACCEPTABLE, "nothing that the Accept header allows; there is %s%s%s",
                      plain_types[offered[0]], count > 1 ? ", " : "", count > 1 ? plain_types[offered[1]] : "");
    return -1;
}

/* ---- writing and reading maps ---- */

void con_put_text(const struct con *con, pdk_writer *w, const char *key, const char *text) {
    con->values->key(w, key);
    con->values->put_string(w, text, strlen(text));
}

void con_put_int(const struct con *con, pdk_writer *w, const char *key, uint64_t number) {
    con->values->key(w, key);
    con->values->put_int(w, number > INT64_MAX ? INT64_MAX : (int64_t)number);
}

void con_put_value(const struct con *con, pdk_writer *w, const char *key, const pdk_value *value) {
    if (!value) return;
    con->values->key(w, key);
    con->values->put_value(w, value);
}

const char *con_get_text(const struct con *con, const pdk_value *map, const char *key) {
    const char *text = "";
    (void)con->values->string(con->values->get(map, key), &text);
    return text;
}

int64_t con_get_int(const struct con *con, const pdk_value *map, const char *key) {
    int64_t number = 0;
    (void)con->values->integer(con->values->get(map, key), &number);
    return number;
}

const char *con_time(uint64_t unix_ns, char *buf, size_t size) {
    time_t seconds = (time_t)(unix_ns / SECOND);
    struct tm tm;
    char text[32] = "";
    if (gmtime_r(&seconds, &tm)) (void)strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
    (void)snprintf(buf, size, "%s.%09uZ", text, (unsigned)(unix_ns % SECOND));
    return buf;
}
