/* SPDX-License-Identifier: Apache-2.0 */
/* Words, numbers and lines, as the formats have them in common. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/text.h"
#include "core/import/internal.h"

#define OPEN PDK_IMPORT_OPEN[0]

const char *pdk_import_solid(struct pdk_import *import, const char *text) {
    const char *rest = text;
    if (!text || !*text) return text;
    while (*rest == OPEN) {
        const char *end = strchr(rest, '}');
        if (!end) return text;
        rest = end + 1;
    }
    if (*rest || rest < text + 3 || memcmp(rest - 3, ":-}", 3) != 0) return text;
    return pdk_import_format(import, "%.*s.}", (int)(strlen(text) - 1), text);
}

const char *pdk_import_trim(struct pdk_import *import, const char *text, size_t size) {
    while (size && strchr(" \t\r", text[size - 1])) size--;
    while (size && strchr(" \t", *text)) {
        text++;
        size--;
    }
    return pdk_import_copy(import, text, size);
}

bool pdk_import_line(const char **at, const char *end, const char **ret_line, size_t *ret_size) {
    if (*at >= end) return false;
    const char *newline = memchr(*at, '\n', (size_t)(end - *at)), *stop = newline ? newline : end;
    *ret_line = *at;
    *ret_size = (size_t)(stop - *at);
    if (*ret_size && stop[-1] == '\r') --*ret_size;
    *at = newline ? newline + 1 : end;
    return true;
}

bool pdk_import_number(const char *text, uint64_t max, uint64_t *ret) {
    uint64_t n = 0;
    if (!*text || text[strspn(text, "0123456789")] || strlen(text) > 18) return false;
    for (; *text; text++) n = n * 10 + (uint64_t)(*text - '0');
    *ret = n;
    return n <= max;
}

bool pdk_import_is_variable(const char *name, size_t size) {
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";
    if (size == 0 || size > 200 || (*name >= '0' && *name <= '9')) return false;
    for (size_t i = 0; i < size; i++)
        if (!name[i] || !strchr(letters, name[i])) return false;
    return true;
}

bool pdk_import_user_is_good(const char *text) {
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";
    return *text && text[strspn(text, letters)] == '\0';
}

const char *pdk_import_duration(struct pdk_import *import, uint64_t ns) {
    char text[64];
    (void)pdk_duration_format(ns, text, sizeof text);
    return pdk_import_copy(import, text, strlen(text));
}

const char *pdk_import_size(struct pdk_import *import, uint64_t bytes) {
    char text[64];
    (void)pdk_size_format(bytes, text, sizeof text);
    return pdk_import_copy(import, text, strlen(text));
}

static bool is_plain_word(const char *word) {
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./:,+@%^-=";
    return *word && word[strspn(word, plain)] == '\0';
}

/* With variables in it, in double quotes; else in single ones. */
void pdk_import_quote(struct pdk_buffer *to, const char *word) {
    if (is_plain_word(word)) {
        pdk_buffer_text(to, word);
        return;
    }
    bool variables = strchr(word, OPEN) != NULL;
    pdk_buffer_text(to, variables ? "\"" : "'");
    for (const char *c = word; *c; c++) {
        if (variables && *c && strchr("\"\\`$", *c)) pdk_buffer_text(to, "\\");
        if (!variables && *c == '\'')
            pdk_buffer_text(to, "'\\''");
        else
            pdk_buffer_add(to, c, 1);
    }
    pdk_buffer_text(to, variables ? "\"" : "'");
}

/* ---- splitting */

/* One word from *at on, which is not blank, without its quotes; false: a quote is not closed. */
static bool split_one(const char **at, struct pdk_buffer *word) {
    char quote = 0;
    const char *c = *at;
    for (; *c && (quote || !strchr(" \t\r\n", *c)); c++) {
        if (quote ? *c == quote : *c == '"' || *c == '\'') {
            quote = quote ? 0 : *c;
        } else if (*c == '\\' && quote != '\'') {
            if (!c[1]) return false;
            c++;
            if (quote && !strchr("\"\\", *c)) pdk_buffer_add(word, "\\", 1);
            pdk_buffer_add(word, c, 1);
        } else {
            pdk_buffer_add(word, c, 1);
        }
    }
    *at = c;
    return !quote;
}

int32_t pdk_import_split_by(struct pdk_import *import, pdk_import_splitter *one, const char *text, const char ***ret,
                            size_t *ret_count) {
    struct pdk_buffer word = PDK_BUFFER(4 * PDK_IMPORT_LINE_BYTES);
    size_t count = 0, most = text ? strlen(text) / 2 + 1 : 0;
    if (most > PDK_IMPORT_WORDS) most = PDK_IMPORT_WORDS;
    const char **words = pdk_import_alloc(import, (most + 1) * sizeof *words);
    bool well = words && text;
    while (well && *(text += strspn(text, " \t\r\n"))) {
        word.size = 0;
        well = count < most && one(&text, &word);
        if (well) words[count++] = pdk_import_copy(import, pdk_buffer_string(&word), word.size);
    }
    pdk_import_check(import, &word);
    pdk_buffer_free(&word);
    *ret = words;
    *ret_count = count;
    return import->error ? import->error : well ? 0 : -EINVAL;
}

int32_t pdk_import_split(struct pdk_import *import, const char *text, const char ***ret, size_t *ret_count) {
    return pdk_import_split_by(import, split_one, text, ret, ret_count);
}
