/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/value/json.h"
#include "core/value/read.h"
#include "core/value/scalar.h"

void pdk_json_flush(struct pdk_json_out *out) {
    if (out->used) out->write(out->arg, out->data, out->used);
    out->used = 0;
}

void pdk_json_add(struct pdk_json_out *out, const char *data, size_t size) {
    if (size > sizeof(out->data) - out->used) pdk_json_flush(out);
    if (size > sizeof(out->data)) {
        out->write(out->arg, data, size);
        return;
    }
    memcpy(out->data + out->used, data, size);
    out->used += size;
}

static void add_text(struct pdk_json_out *out, const char *text) {
    pdk_json_add(out, text, strlen(text));
}

/* The letter behind the backslash, or 0: another way. */
static char short_escape(char c) {
    static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
    const char *found = c ? strchr(from, c) : NULL;
    return (char)(found ? to[found - from] : 0);
}

static void add_escaped(struct pdk_json_out *out, char c) {
    static const char hex[] = "0123456789abcdef";
    char letter = short_escape(c);
    if (letter) {
        pdk_json_add(out, (char[]){'\\', letter}, 2);
    } else {
        unsigned char byte = (unsigned char)c;
        pdk_json_add(out, (char[]){'\\', 'u', '0', '0', hex[byte >> 4], hex[byte & 15]}, 6);
    }
}

static bool is_plain(char c) {
    return (unsigned char)c >= 0x20 && c != '"' && c != '\\';
}

/* Which of eight bytes may be less than this one, which is below 0x80: their high bits. Never misses one. */
static uint64_t less_than(uint64_t word, uint64_t byte) {
    return (word - byte * UINT64_C(0x0101010101010101)) & ~word & UINT64_C(0x8080808080808080);
}

/* Are eight bytes plain, for sure? */
static bool are_plain(const char *text) {
    uint64_t word, quote = UINT64_C(0x2222222222222222), backslash = UINT64_C(0x5C5C5C5C5C5C5C5C);
    memcpy(&word, text, sizeof word);
    return !(less_than(word, 0x20) | less_than(word ^ quote, 1) | less_than(word ^ backslash, 1));
}

void pdk_json_add_string(struct pdk_json_out *out, const char *text, size_t size) {
    size_t start = 0;
    pdk_json_add(out, "\"", 1);
    for (size_t i = 0; i < size;) {
        if (size - i >= 8 && are_plain(text + i)) {
            i += 8;
        } else if (is_plain(text[i])) {
            i++;
        } else {
            pdk_json_add(out, text + start, i - start);
            add_escaped(out, text[i]);
            start = ++i;
        }
    }
    pdk_json_add(out, text + start, size - start);
    pdk_json_add(out, "\"", 1);
}

struct printer {
    struct pdk_json_out out;
    uint32_t flags;
    unsigned depth;
    int32_t error;
};

static void print_value(struct printer *printer, const struct pdk_value *value);

static void break_line(struct printer *printer) {
    if (!(printer->flags & PDK_JSON_INDENT)) return;
    pdk_json_add(&printer->out, "\n", 1);
    for (unsigned i = 0; i < printer->depth; i++) pdk_json_add(&printer->out, "  ", 2);
}

static void print_entry(struct printer *printer, const struct pdk_value_entry *entry) {
    pdk_json_add_string(&printer->out, entry->key, entry->key_size);
    add_text(&printer->out, printer->flags & PDK_JSON_INDENT ? ": " : ":");
    print_value(printer, entry->value);
}

static int compare_keys(const void *left, const void *right) {
    const struct pdk_value_entry *const *a = left, *const *b = right;
    return strcmp((*a)->key, (*b)->key);
}

/* NULL: as they are, or no memory, which is noted. */
static const struct pdk_value_entry **sort_entries(struct printer *printer, const struct pdk_value *map) {
    if (!(printer->flags & PDK_JSON_SORT) || map->size < 2) return NULL;
    const struct pdk_value_entry **sorted = reallocarray(NULL, map->size, sizeof(struct pdk_value_entry *));
    if (!sorted) {
        printer->error = -ENOMEM;
        return NULL;
    }
    for (uint32_t i = 0; i < map->size; i++) sorted[i] = &map->as.map.entries[i];
    qsort(sorted, map->size, sizeof(struct pdk_value_entry *), compare_keys);
    return sorted;
}

static void print_parts(struct printer *printer, const struct pdk_value *value) {
    const struct pdk_value_entry **sorted = value->type == PDK_MAP ? sort_entries(printer, value) : NULL;
    printer->depth++;
    for (uint32_t i = 0; i < value->size && !printer->error; i++) {
        if (i) pdk_json_add(&printer->out, ",", 1);
        break_line(printer);
        if (value->type == PDK_LIST) {
            print_value(printer, value->as.items[i]);
        } else {
            print_entry(printer, sorted ? sorted[i] : &value->as.map.entries[i]);
        }
    }
    printer->depth--;
    if (value->size) break_line(printer);
    free(sorted);
}

static void print_value(struct printer *printer, const struct pdk_value *value) {
    char number[PDK_NUMBER_TEXT];
    switch (pdk_value_type(value)) {
    case PDK_BOOL: add_text(&printer->out, value->as.scalar.integer ? "true" : "false"); break;
    case PDK_INT: pdk_json_add(&printer->out, number, pdk_integer_format(value->as.scalar.integer, number)); break;
    case PDK_NUMBER: pdk_json_add(&printer->out, number, pdk_number_format(value->as.scalar.number, number)); break;
    case PDK_STRING: pdk_json_add_string(&printer->out, value->as.scalar.text, value->size); break;
    case PDK_LIST:
        pdk_json_add(&printer->out, "[", 1);
        print_parts(printer, value);
        pdk_json_add(&printer->out, "]", 1);
        break;
    case PDK_MAP:
        pdk_json_add(&printer->out, "{", 1);
        print_parts(printer, value);
        pdk_json_add(&printer->out, "}", 1);
        break;
    default: add_text(&printer->out, "null");
    }
}

int32_t pdk_json_print(const pdk_values *values, const pdk_value *value, uint32_t flags, pdk_write write, void *arg) {
    (void)values;
    struct printer printer;
    printer.out.write = write;
    printer.out.arg = arg;
    printer.out.used = 0;
    printer.flags = flags;
    printer.depth = 0;
    printer.error = 0;
    print_value(&printer, value);
    pdk_json_flush(&printer.out);
    return printer.error;
}
