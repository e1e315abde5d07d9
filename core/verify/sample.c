/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parameters for a kind that nobody has told us any of: what is required, by type and by the word that names it; and when
 * that is refused, because a schema cannot say "either this or that", one more field at a time.
 */
#include <stdio.h>
#include <string.h>

#include "core/spec/schema.h"
#include "core/verify/internal.h"

enum { TEXT_MAX = 8192, DEPTH_MAX = 4 };

/* By a part of the field's name, JSON. */
static const struct {
    const char *part, *text;
} words[] = {
    {"url", "\"http://127.0.0.1:9/\""},
    {"uri", "\"http://127.0.0.1:9/\""},
    {"file", "\"/dev/null\""},
    {"path", "\"/dev/null\""},
    {"dir", "\"/tmp\""},
    {"folder", "\"/tmp\""},
    {"cwd", "\"/tmp\""},
    {"host", "\"127.0.0.1\""},
    {"address", "\"127.0.0.1:9\""},
    {"program", "\"true\""},
    {"query", "\"select 1\""},
    {"sql", "\"select 1\""},
};

static const char *by_name(const char *name) {
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strstr(name, words[i].part)) return words[i].text;
    return "\"text\"";
}

static bool has_range(const pdk_param *row) {
    return row->min != 0.0 || row->max != 0.0;
}

/* "name": value of each field that is wanted. */
static void put_fields(struct pdk_buffer *to, const pdk_param *rows, uint32_t size, int depth);

static void put_value(struct pdk_buffer *to, const pdk_param *row, uint32_t size, int depth) {
    double number = has_range(row) ? row->min : 1;
    if (row->choices && row->choices[0]) {
        pdk_buffer_format(to, row->type == PDK_STRING ? "\"%s\"" : "[\"%s\"]", row->choices[0]);
        return;
    }
    switch (row->type) {
    case PDK_BOOL: pdk_buffer_text(to, "false"); break;
    case PDK_INT: pdk_buffer_format(to, "%lld", (long long)number); break;
    case PDK_NUMBER:
    case PDK_DURATION: pdk_buffer_format(to, "%.15g", number); break;
    case PDK_SIZE: pdk_buffer_format(to, "%llu", (unsigned long long)(has_range(row) ? row->min : 4096)); break;
    case PDK_STRINGS: pdk_buffer_text(to, "[\"true\"]"); break;
    case PDK_STRING_MAP: pdk_buffer_text(to, "{\"a\": \"b\"}"); break;
    case PDK_LIST:
    case PDK_MAP:
        if (row->type == PDK_LIST) pdk_buffer_text(to, "[");
        pdk_buffer_text(to, "{");
        if (depth < DEPTH_MAX) put_fields(to, row->fields, size, depth + 1);
        pdk_buffer_text(to, "}");
        if (row->type == PDK_LIST) pdk_buffer_text(to, "]");
        break;
    default: pdk_buffer_text(to, by_name(row->name)); break;
    }
}

static void put_pair(struct pdk_buffer *to, const pdk_param *row, uint32_t size, int depth) {
    if (to->size && to->data[to->size - 1] != '{') pdk_buffer_text(to, ", ");
    pdk_buffer_format(to, "\"%s\": ", row->name);
    put_value(to, row, size, depth);
}

static void put_fields(struct pdk_buffer *to, const pdk_param *rows, uint32_t size, int depth) {
    const pdk_param *row;
    for (size_t i = 0; rows && (row = pdk_param_at(rows, size, i)); i++)
        if (row->flags & PDK_REQUIRED) put_pair(to, row, size, depth);
}

static const char *make(pdk_test *t, const pdk_schema *schema, const pdk_param *more) {
    struct pdk_buffer text = PDK_BUFFER(TEXT_MAX);
    const pdk_value *value;
    const char *made = NULL;
    pdk_buffer_text(&text, "{");
    put_fields(&text, schema->params, schema->param_size, 0);
    if (more && !(more->flags & PDK_REQUIRED)) put_pair(&text, more, schema->param_size, 0);
    pdk_buffer_text(&text, "}");
    value = text.error ? NULL : pdk_test_value(t, pdk_buffer_string(&text));
    if (value) made = pdk_test_text(t, value);
    pdk_buffer_free(&text);
    return made;
}

static bool takes(pdk_test *t, const pdk_schema *schema, const char *with) {
    pdk_error err = PDK_ERROR;
    pdk_test_task *task = with ? pdk_test_build(t, schema->name, with, &err) : NULL;
    pdk_test_destroy(task);
    return task != NULL;
}

const char *pdk_sample_with(struct pdk_verify *v, pdk_test *t, const pdk_schema *schema) {
    const char *with = make(t, schema, NULL);
    const pdk_param *row;
    if (v->sampled && !strcmp(v->sampled_kind, schema->name)) return v->sampled;
    if (!takes(t, schema, with)) with = NULL;
    for (size_t i = 0; !with && schema->params && (row = pdk_param_at(schema->params, schema->param_size, i)); i++) {
        with = make(t, schema, row);
        if (!takes(t, schema, with)) with = NULL;
    }
    if (!with || strlcpy(v->sampled_text, with, sizeof v->sampled_text) >= sizeof v->sampled_text) return with;
    v->sampled_kind = schema->name;
    return v->sampled = v->sampled_text;
}

bool pdk_sample_is_refused(struct pdk_verify *v, pdk_test *t, const pdk_schema *schema, pdk_error *why) {
    return v->plugin->runner->supports && pdk_test_supports(t, schema->name, make(t, schema, NULL), why) == 0;
}

/* ---- one field ---- */

/* JSON of values that the row allows, the odd ones first. */
static const char *const odd_texts[] = {"\"\"", "\" \"", "\"-\"", "\"..\"", "\"a=b\"", "\"caf\\u00e9\"", "\"0\"", NULL};
static const char *const odd_lists[] = {"[]", "[\"\"]", "[\"a\", \"a\"]", NULL};
static const char *const odd_maps[] = {"{}", "{\"\": \"\"}", "{\"a=b\": \"c\"}", NULL};

static const char *at(const char *const *list, unsigned i) {
    for (unsigned k = 0; list[k]; k++)
        if (k == i) return list[k];
    return NULL;
}

const char *pdk_sample_value(const pdk_param *row, uint32_t size, unsigned i, char *buf, size_t buf_size) {
    (void)size;
    if (row->choices) {
        for (unsigned k = 0; row->choices[k]; k++) {
            if (k != i) continue;
            (void)snprintf(buf, buf_size, row->type == PDK_STRINGS ? "[\"%s\"]" : "\"%s\"", row->choices[k]);
            return buf;
        }
        return NULL;
    }
    switch (row->type) {
    case PDK_STRING:
    case PDK_ANY: return at(odd_texts, i);
    case PDK_STRINGS:
    case PDK_LIST: return at(odd_lists, i);
    case PDK_STRING_MAP:
    case PDK_MAP: return at(odd_maps, i);
    case PDK_BOOL: return i == 0 ? "true" : i == 1 ? "false" : NULL;
    default: break;
    }
    if (i > 1) return NULL;
    (void)snprintf(buf, buf_size, "%.0f", i == 0 ? (has_range(row) ? row->min : 0) : (has_range(row) ? row->max : 1));
    return buf;
}
