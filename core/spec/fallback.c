/* SPDX-License-Identifier: Apache-2.0 */
/* A small reader of flow style. */
#include "core/spec/fallback.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buffer.h"
#include "core/spec/scalar.h"

#define DEPTH_LIMIT 16
#define TEXT_LIMIT  4096

struct flow {
    const char *next;
    pdk_writer *writer;
    const char *why; /* the first mistake */
    int depth;
    int32_t error; /* of a buffer */
};

static void wrong(struct flow *flow, const char *why) {
    if (!flow->why) flow->why = why;
}

static void skip_blanks(struct flow *flow) {
    flow->next += strspn(flow->next, " \t\n");
}

/* "..." or '...' into buffer; of the escapes of the former those that JSON shares for one character. */
static void read_quoted(struct flow *flow, struct pdk_buffer *buffer) {
    static const char escapes[] = "\"\\/nrt", meant[] = "\"\\/\n\r\t";
    char quote = *flow->next++;
    for (; *flow->next; flow->next++) {
        const char *escape;
        if (*flow->next == quote && quote == '\'' && flow->next[1] == '\'') {
            flow->next++;
        } else if (*flow->next == quote) {
            flow->next++;
            return;
        } else if (*flow->next == '\\' && quote == '"') {
            escape = flow->next[1] ? strchr(escapes, flow->next[1]) : NULL;
            if (!escape) break;
            flow->next++;
            pdk_buffer_add(buffer, &meant[escape - escapes], 1);
            continue;
        }
        pdk_buffer_add(buffer, flow->next, 1);
    }
    wrong(flow, "a quote is not closed, or an escape is unknown");
}

/* A plain scalar ends at , ] } or : with a blank; at the top only with the text. */
static void read_plain(struct flow *flow, struct pdk_buffer *buffer) {
    const char *start = flow->next, *end;
    while (*flow->next) {
        char c = *flow->next;
        if (flow->depth > 0 && (strchr(",[]{}", c) || (c == ':' && (!flow->next[1] || strchr(" ,]}", flow->next[1])))))
            break;
        flow->next++;
    }
    end = flow->next;
    while (end > start && isspace((unsigned char)end[-1])) end--;
    pdk_buffer_add(buffer, start, (size_t)(end - start));
}

/* The text of a scalar; true if it was quoted. */
static bool read_scalar(struct flow *flow, struct pdk_buffer *buffer) {
    bool quoted = *flow->next == '"' || *flow->next == '\'';
    if (quoted)
        read_quoted(flow, buffer);
    else
        read_plain(flow, buffer);
    return quoted;
}

/* By the core schema of YAML. */
static void put_plain(pdk_writer *writer, const char *text, size_t size) {
    const pdk_values *values = pdk_values_get();
    char *end;
    if (size == 0 || !strcmp(text, "null") || !strcmp(text, "~")) {
        values->put_null(writer);
    } else if (!strcmp(text, "true") || !strcmp(text, "false")) {
        values->put_bool(writer, *text == 't');
    } else if (size < 16 && text[(*text == '-') + strspn(text + (*text == '-'), "0123456789")] == '\0' &&
               strcmp(text, "-") != 0) {
        values->put_int(writer, strtoll(text, &end, 10));
    } else if (size < 32 && isdigit((unsigned char)text[*text == '-']) &&
               text[strspn(text, "-+0123456789.eE")] == '\0') {
        double number = strtod(text, &end);
        if (*end)
            values->put_string(writer, text, size);
        else
            values->put_number(writer, number);
    } else {
        values->put_string(writer, text, size);
    }
}

static void read_value(struct flow *flow);

static void read_entries(struct flow *flow, char close) {
    const pdk_values *values = pdk_values_get();
    flow->next++;
    for (skip_blanks(flow); !flow->why && *flow->next != close; skip_blanks(flow)) {
        if (close == '}') {
            struct pdk_buffer key = PDK_BUFFER(256);
            (void)read_scalar(flow, &key);
            skip_blanks(flow);
            if (*flow->next != ':')
                wrong(flow, "a key needs a colon");
            else
                flow->next++;
            values->key(flow->writer, pdk_buffer_string(&key));
            if (key.error) flow->error = key.error;
            pdk_buffer_free(&key);
        }
        read_value(flow);
        skip_blanks(flow);
        if (*flow->next == ',')
            flow->next++;
        else if (*flow->next != close)
            wrong(flow, "a list or map is not closed");
    }
    if (*flow->next) flow->next++;
    values->end(flow->writer);
}

static void read_value(struct flow *flow) {
    const pdk_values *values = pdk_values_get();
    struct pdk_buffer buffer = PDK_BUFFER(TEXT_LIMIT);
    skip_blanks(flow);
    if (*flow->next == '[' || *flow->next == '{') {
        if (++flow->depth > DEPTH_LIMIT) {
            wrong(flow, "nested too deep");
            values->put_null(flow->writer);
            return;
        }
        if (*flow->next == '[')
            values->put_list(flow->writer);
        else
            values->put_map(flow->writer);
        read_entries(flow, *flow->next == '[' ? ']' : '}');
        flow->depth--;
        return;
    }
    if (read_scalar(flow, &buffer))
        values->put_string(flow->writer, pdk_buffer_string(&buffer), buffer.size);
    else
        put_plain(flow->writer, pdk_buffer_string(&buffer), buffer.size);
    if (buffer.error) flow->error = buffer.error;
    pdk_buffer_free(&buffer);
}

int32_t pdk_fallback_read(const char *text, const pdk_value **ret, const char **why) {
    const pdk_values *values = pdk_values_get();
    struct flow flow = {.next = text, .writer = values->open(values)};
    const pdk_value *value = NULL;
    int32_t rc;
    read_value(&flow);
    skip_blanks(&flow);
    if (*flow.next) wrong(&flow, "there is more behind the value");
    rc = values->close(flow.writer, &value, NULL);
    if (rc == 0 && (flow.why || flow.error)) {
        values->drop(value);
        rc = flow.error == -ENOMEM ? -ENOMEM : -EINVAL;
    }
    if (rc < 0) {
        *why = flow.why ? flow.why : "it cannot be read";
        return rc;
    }
    *ret = value;
    return 0;
}
