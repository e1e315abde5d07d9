/* SPDX-License-Identifier: Apache-2.0 */
/* Names that people choose: labels by the rules of Kubernetes, tasks, slots, plugins. */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "core/base/text.h"

#define PREFIX_MAX 253
#define LABEL_MAX  63
#define TASK_MAX   63
#define SLOT_MAX   64
#define PLUGIN_MAX 63

static bool is_lower_or_digit(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_word(char c) {
    return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z');
}

static bool is_name(char c) {
    return is_word(c) || c == '.' || c == '_' || c == '-';
}

static bool all(const char *text, size_t size, bool (*is)(char)) {
    for (size_t i = 0; i < size; i++) {
        if (!is(text[i])) return false;
    }
    return true;
}

/* One of the parts between the dots of a DNS subdomain. */
static bool is_dns_part(const char *text, size_t size) {
    if (size == 0 || size > LABEL_MAX || text[0] == '-' || text[size - 1] == '-') return false;
    for (size_t i = 0; i < size; i++) {
        if (!is_lower_or_digit(text[i]) && text[i] != '-') return false;
    }
    return true;
}

static const char *prefix_fault(const char *text, size_t size) {
    if (size == 0) return "nothing stands before the slash";
    if (size > PREFIX_MAX) return "the part before the slash is longer than 253 characters";
    for (size_t start = 0; start <= size;) {
        const char *dot = memchr(text + start, '.', size - start);
        size_t part = dot ? (size_t)(dot - text) - start : size - start;
        if (!is_dns_part(text + start, part)) return "the part before the slash must be a DNS name in lower case";
        start += part + 1;
    }
    return NULL;
}

static const char *name_fault(const char *text, size_t size) {
    if (size > LABEL_MAX) return "it is longer than 63 characters";
    if (!all(text, size, is_name)) return "only letters, digits, '-', '_' and '.' may be in it";
    if (!is_word(text[0]) || !is_word(text[size - 1])) return "it must begin and end with a letter or digit";
    return NULL;
}

static int32_t verdict(const char *fault, const char **why) {
    if (!fault) return 0;
    if (why) *why = fault;
    return -EINVAL;
}

int32_t pdk_label_key_check(const char *text, const char **why) {
    const char *slash = strchr(text, '/'), *name = slash ? slash + 1 : text, *fault = NULL;
    if (slash) fault = prefix_fault(text, (size_t)(slash - text));
    if (fault) return verdict(fault, why);
    if (!*name) return verdict(slash ? "nothing stands behind the slash" : "it is empty", why);
    if (strchr(name, '/')) return verdict("it has more than one slash", why);
    return verdict(name_fault(name, strlen(name)), why);
}

int32_t pdk_label_value_check(const char *text, const char **why) {
    return *text ? verdict(name_fault(text, strlen(text)), why) : 0;
}

static bool ends_like_a_file(const char *text, size_t size) {
    static const char *const endings[] = {".yaml", ".yml", ".json"};
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        size_t length = strlen(endings[i]);
        if (size >= length && memcmp(text + size - length, endings[i], length) == 0) return true;
    }
    return false;
}

int32_t pdk_task_name_check(const char *text, const char **why) {
    size_t size = strlen(text);
    if (size == 0) return verdict("it is empty", why);
    if (size > TASK_MAX) return verdict("it is longer than 63 characters", why);
    if (!all(text, size, is_name)) return verdict("only letters, digits, '-', '_' and '.' may be in it", why);
    if (text[0] == '.' || text[0] == '-') return verdict("it must begin with a letter, a digit or '_'", why);
    if (ends_like_a_file(text, size)) return verdict("it would be taken for a file on the command line", why);
    return 0;
}

int32_t pdk_slot_name_check(const char *text, const char **why) {
    size_t size = strlen(text);
    if (size == 0) return verdict("it is empty", why);
    if (size > SLOT_MAX) return verdict("it is longer than 64 characters", why);
    if (!all(text, size, is_name)) return verdict("only letters, digits, '-', '_' and '.' may be in it", why);
    if (strcmp(text, ".") == 0 || strcmp(text, "..") == 0) return verdict("\".\" and \"..\" name folders", why);
    return 0;
}

int32_t pdk_plugin_name_check(const char *text, const char **why) {
    size_t size = strlen(text);
    if (size == 0) return verdict("it is empty", why);
    if (size > PLUGIN_MAX) return verdict("it is longer than 63 characters", why);
    if (!is_lower_or_digit(text[0])) return verdict("it must begin with a lower-case letter or a digit", why);
    for (size_t i = 0; i < size; i++)
        if (!is_lower_or_digit(text[i]) && text[i] != '-')
            return verdict("only lower-case letters, digits and '-' may be in it", why);
    return 0;
}
