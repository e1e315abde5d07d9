/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of NAME=value lines, read as systemd reads them: blank lines and those that begin with # or ; are skipped,
 * a backslash at the end of a line joins the next, 'single' and "double" quotes may hold newlines, nothing is
 * expanded. What systemd passes over with a warning is an error here. Messages never show a value.
 */
#include <stdlib.h>

#include "subprocess.h"

struct reader {
    const char *at, *end;
    uint32_t line;
    char *value;        /* as long as the file, so it never overflows */
    size_t size, solid; /* solid: up to where blanks must stay, being quoted or escaped */
};

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r';
}

static void put(struct reader *r, char c, bool stays) {
    r->value[r->size++] = c;
    if (stays) r->solid = r->size;
}

/* After a backslash. In double quotes it is only special before these; elsewhere before everything. */
static void read_escape(struct reader *r, bool quoted) {
    char c;
    if (r->at == r->end) return;
    c = *r->at++;
    if (c == '\n') {
        r->line++;
        return;
    }
    if (quoted && c != '"' && c != '\\' && c != '`' && c != '$') put(r, '\\', true);
    put(r, c, true);
}

/* After the opening quote; false when there is no closing one. */
static bool read_quoted(struct reader *r, char quote) {
    r->solid = r->size;
    while (r->at < r->end) {
        char c = *r->at++;
        if (c == quote) return true;
        if (c == '\n') r->line++;
        if (c == '\\' && quote == '"')
            read_escape(r, true);
        else
            put(r, c, true);
    }
    return false;
}

static const char *read_value(struct reader *r) {
    r->size = r->solid = 0;
    while (r->at < r->end && is_blank(*r->at)) r->at++;
    while (r->at < r->end) {
        char c = *r->at++;
        if (c == '\n') {
            r->line++;
            break;
        }
        if (c == '\\')
            read_escape(r, false);
        else if (c == '"' || c == '\'') {
            if (!read_quoted(r, c)) return "a quote is opened and not closed";
        } else
            put(r, c, !is_blank(c));
    }
    r->size = r->solid;
    return memchr(r->value, '\0', r->size) ? "a value holds a NUL byte" : NULL;
}

/* At the begin of a line that is neither blank nor a comment. */
static const char *read_variable(struct reader *r, struct pdk_sub_env *env) {
    const char *name = r->at, *problem;
    size_t size;
    while (r->at < r->end && *r->at != '=' && *r->at != '\n') r->at++;
    if (r->at == r->end || *r->at != '=') return "NAME=value is wanted";
    size = (size_t)(r->at - name);
    while (size > 0 && is_blank(name[size - 1])) size--;
    if (!pdk_sub_is_name(name, size)) return "a name is letters, digits and _, and does not begin with a digit";
    r->at++;
    problem = read_value(r);
    if (!problem) pdk_sub_env_add(env, PDK_SUB_FILES, name, size, r->value, r->size);
    return problem;
}

static const char *read_lines(struct reader *r, struct pdk_sub_env *env, uint32_t *line) {
    while (r->at < r->end) {
        const char *problem = NULL;
        *line = r->line;
        if (is_blank(*r->at)) {
            r->at++;
        } else if (*r->at == '\n') {
            r->at++;
            r->line++;
        } else if (*r->at == '#' || *r->at == ';') {
            while (r->at < r->end && *r->at != '\n') r->at++;
        } else {
            problem = read_variable(r, env);
        }
        if (problem) return problem;
    }
    return NULL;
}

int32_t pdk_sub_env_file(struct pdk_sub_env *env, int32_t dir, const char *path, bool optional,
                         struct pdk_sub_end *end) {
    struct reader r = {.line = 1};
    const char *problem;
    uint32_t line = 1;
    size_t size;
    char *text;
    int32_t rc = pdk_sub_read_file(dir, path, PDK_SUB_ENV_FILE_MAX, &text, &size);
    if (rc == -ENOENT && optional) return 0;
    if (rc) {
        pdk_sub_say_errno(end, rc, "env_file %s", path);
        return rc;
    }
    r.at = text;
    r.end = text + size;
    r.value = malloc(size + 1);
    problem = r.value ? read_lines(&r, env, &line) : NULL;
    if (problem) pdk_sub_say(end, PDK_FATAL, PDK_CAT_INPUT, "env_file %s, line %u: %s", path, line, problem);
    if (!r.value) pdk_sub_say_errno(end, -ENOMEM, "env_file %s", path);
    rc = problem ? -EINVAL : r.value ? 0 : -ENOMEM;
    explicit_bzero(text, size);
    if (r.value) explicit_bzero(r.value, size);
    free(r.value);
    free(text);
    return rc;
}
