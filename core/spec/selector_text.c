/* SPDX-License-Identifier: Apache-2.0 */
/* Selectors as kubectl writes them: a=b,c!=d,e in (f,g),h,!i. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/base/text.h"
#include "core/spec/selector.h"

#define TEXT_LIMIT        4096
#define REQUIREMENT_LIMIT 256
#define VALUE_LIMIT       256

struct parser {
    const char *text, *next;
    struct pdk_arena *arena;
    pdk_error *err;
};

static int32_t fail(const struct parser *parser, const char *at, const char *expected) {
    if (parser->err) {
        parser->err->code = -EINVAL;
        parser->err->at = NULL;
        (void)snprintf(parser->err->message, sizeof parser->err->message, "selector \"%.200s\", character %zu: %.200s",
                       parser->text, pdk_utf8_count(parser->text, (size_t)(at - parser->text)) + 1, expected);
        (void)snprintf(parser->err->hint, sizeof parser->err->hint, "write such as a=b,c!=d,e in (f,g),h,!i");
    }
    return -EINVAL;
}

static void skip_blanks(struct parser *parser) {
    parser->next += strspn(parser->next, " \t");
}

/* Letters, digits and what may stand in a label. */
static char *read_word(struct parser *parser) {
    size_t size = 0;
    char *word;
    while (isalnum((unsigned char)parser->next[size]) || (parser->next[size] && strchr("./_-", parser->next[size])))
        size++;
    word = pdk_arena_text(parser->arena, parser->next, size);
    parser->next += size;
    return word;
}

static int32_t read_key(struct parser *parser, struct pdk_requirement *ret) {
    const char *start = parser->next, *why = "";
    ret->key = read_word(parser);
    if (!ret->key) return -ENOMEM;
    if (!*ret->key) return fail(parser, start, "expected a label");
    if (pdk_label_key_check(ret->key, &why) < 0) return fail(parser, start, why);
    return 0;
}

static int32_t read_value(struct parser *parser, const char **ret) {
    const char *start = parser->next, *why = "";
    *ret = read_word(parser);
    if (!*ret) return -ENOMEM;
    return pdk_label_value_check(*ret, &why) < 0 ? fail(parser, start, why) : 0;
}

/* (a, b) */
static int32_t read_values(struct parser *parser, struct pdk_requirement *ret) {
    const char *values[VALUE_LIMIT], **copy;
    uint32_t count = 0;
    skip_blanks(parser);
    if (*parser->next != '(') return fail(parser, parser->next, "expected ( after in or notin");
    do {
        int32_t rc;
        parser->next++;
        skip_blanks(parser);
        if (count == VALUE_LIMIT) return fail(parser, parser->next, "too many values");
        rc = read_value(parser, &values[count++]);
        if (rc < 0) return rc;
        skip_blanks(parser);
    } while (*parser->next == ',');
    if (*parser->next != ')') return fail(parser, parser->next, "expected , or )");
    parser->next++;
    copy = pdk_arena_alloc(parser->arena, (count + 1) * sizeof *copy);
    if (!copy) return -ENOMEM;
    memcpy(copy, values, count * sizeof *copy);
    ret->values = copy;
    ret->value_count = count;
    return 0;
}

static int32_t read_equal(struct parser *parser, struct pdk_requirement *ret) {
    const char **values = pdk_arena_alloc(parser->arena, 2 * sizeof *values);
    if (!values) return -ENOMEM;
    skip_blanks(parser);
    ret->values = values;
    ret->value_count = 1;
    return read_value(parser, &values[0]);
}

/* The word in or notin, and nothing longer. */
static bool take_word(struct parser *parser, const char *word) {
    size_t size = strlen(word);
    if (strncmp(parser->next, word, size) != 0 || !strchr(" \t(", parser->next[size])) return false;
    parser->next += size;
    return true;
}

static int32_t read_operator(struct parser *parser, struct pdk_requirement *ret) {
    static const char *const signs[] = {"!=", "==", "="};
    skip_blanks(parser);
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
        size_t size = strlen(signs[i]);
        if (strncmp(parser->next, signs[i], size) != 0) continue;
        parser->next += size;
        ret->operator= i == 0 ? PDK_OPERATOR_NOT_IN : PDK_OPERATOR_IN;
        return read_equal(parser, ret);
    }
    if (take_word(parser, "in")) {
        ret->operator= PDK_OPERATOR_IN;
        return read_values(parser, ret);
    }
    if (take_word(parser, "notin")) {
        ret->operator= PDK_OPERATOR_NOT_IN;
        return read_values(parser, ret);
    }
    ret->operator= PDK_OPERATOR_EXISTS;
    return 0;
}

static int32_t read_requirement(struct parser *parser, struct pdk_requirement *ret) {
    static const char *const no_values[] = {NULL};
    int32_t rc;
    *ret = (struct pdk_requirement){.values = no_values};
    skip_blanks(parser);
    if (*parser->next == '!') {
        parser->next++;
        skip_blanks(parser);
        ret->operator= PDK_OPERATOR_DOES_NOT_EXIST;
        return read_key(parser, ret);
    }
    rc = read_key(parser, ret);
    return rc < 0 ? rc : read_operator(parser, ret);
}

int32_t pdk_selector_parse(const char *text, struct pdk_arena *arena, struct pdk_selector *ret, pdk_error *err) {
    struct parser parser = {text, text, arena, err};
    struct pdk_requirement requirements[REQUIREMENT_LIMIT], *copy;
    uint32_t count = 0;
    int32_t rc;
    if (strlen(text) > TEXT_LIMIT) return fail(&parser, text, "it is too long");
    skip_blanks(&parser);
    while (*parser.next) {
        if (count == REQUIREMENT_LIMIT) return fail(&parser, parser.next, "too many requirements");
        rc = read_requirement(&parser, &requirements[count++]);
        if (rc < 0) return rc;
        skip_blanks(&parser);
        if (!*parser.next) break;
        if (*parser.next != ',') return fail(&parser, parser.next, "expected a comma");
        parser.next++;
        if (!parser.next[strspn(parser.next, " \t")]) return fail(&parser, parser.next, "expected a label");
    }
    copy = pdk_arena_alloc(arena, (count + 1) * sizeof *copy);
    if (!copy) return -ENOMEM;
    if (count) memcpy(copy, requirements, count * sizeof *copy);
    *ret = (struct pdk_selector){copy, count, NULL};
    return 0;
}
