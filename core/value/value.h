/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tree behind pdk_value. All nodes of one document lie in one arena with one atomic count of its holders,
 * so holding a part keeps the whole document. A node that was put into another document is shared: that
 * document holds the arena it lies in.
 *
 * A scalar from YAML keeps the text it was written as, and whether it was quoted: the type of the field that
 * reads it decides (core/spec/README.md, section 5). type() answers by the core schema of YAML 1.2, quoted: string.
 */
#ifndef CORE_VALUE_VALUE_H
#define CORE_VALUE_VALUE_H

#include <stdbool.h>

#include "core/base/report.h"
#include "paddock/value.h"

struct pdk_document;

struct pdk_value_entry {
    const char *key;
    uint32_t key_size;
    uint32_t line, column, span; /* where the key stands; its file is its value's */
    const struct pdk_value *value;
};

enum {
    PDK_VALUE_QUOTED = 1,
    PDK_VALUE_SECRET = 2,
    PDK_VALUE_FALLBACK = 4, /* not written: a default */
    PDK_VALUE_ALIASED = 8,  /* stands where YAML uses an anchor; made by copying it */
    PDK_VALUE_FAULTY = 16,  /* a fault of it was told already: pdk_value_fault says no more */
    PDK_VALUE_MADE = 32     /* made from another, which `parent` is then: its path is that one's */
};

struct pdk_table;

struct pdk_value {
    struct pdk_document *document;
    const struct pdk_value *parent; /* within the same document, but see PDK_VALUE_MADE; NULL: the root */
    uint8_t type;                   /* PDK_NULL ... */
    uint8_t flags;
    uint16_t file;               /* index into the document's files */
    uint32_t line, column, span; /* 0: unknown */
    uint32_t size;               /* entries, or bytes of text */
    union {
        struct {
            const char *text; /* as written; of what was made, not read, as it would be written */
            union {
                int64_t integer; /* a boolean's 0 or 1 as well */
                double number;
            };
        } scalar;
        const struct pdk_value *const *items;
        struct {
            const struct pdk_value_entry *entries;
            struct pdk_table *index;
        } map; /* index: NULL if small */
    } as;
};

/* The one table of value operations; stateless, for ever. Also public, see paddock/library.h. */
const pdk_values *pdk_values_get(void);

/* {}, which belongs to no document and stands nowhere: whoever holds it counts nothing. */
extern const struct pdk_value pdk_value_empty_map;

/* The text of a scalar as it was written (numbers and booleans from YAML too), NULL for lists, maps, null. */
const char *pdk_value_text(const struct pdk_value *value);

/* Null, or absent. */
static inline bool pdk_value_is_null(const struct pdk_value *value) {
    return !value || value->type == PDK_NULL;
}

/* Where the value stands, for a fault. Nothing is copied: the document must live. */
struct pdk_place pdk_value_place(const struct pdk_value *value);

/* The absolute folder where relative paths in a value's file start; NULL: unknown. Lives as long as the document. */
const char *pdk_value_folder(const struct pdk_value *value);

/* Say it of the file that value stands in, before others have the document. 0 or -ENOMEM. */
int32_t pdk_value_set_folder(const struct pdk_value *value, const char *folder);

/* Where the i-th key of a map stands. */
struct pdk_place pdk_value_key_place(const struct pdk_value *map, size_t i);

/* "tasks.web.restart", "plugins[2].use". Returns buf. */
const char *pdk_value_path(const struct pdk_value *value, char *buf, size_t size);

/* The same as a JSON pointer, "/tasks/web/restart"; for what was sent as JSON and has no lines. Returns buf. */
const char *pdk_value_pointer(const struct pdk_value *value, char *buf, size_t size);

/* Add a fault at a value (may be NULL). One that came by a YAML alias gets a note at its anchor. expected and suggestion may be NULL. Returns code. */
int32_t pdk_value_fault(struct pdk_report *report, int32_t code, const struct pdk_value *at, const char *expected,
                        const char *suggestion, const char *format, ...) __attribute__((format(printf, 6, 7)));

/* The same at the i-th key of a map: an unknown field, a name that is no name. The path is the map's. */
int32_t pdk_value_key_fault(struct pdk_report *report, int32_t code, const struct pdk_value *map, size_t i,
                            const char *expected, const char *suggestion, const char *format, ...)
    __attribute__((format(printf, 7, 8)));

/* Turn a pdk_error that a plugin or a library call filled in into a fault. */
int32_t pdk_value_fault_error(struct pdk_report *report, const struct pdk_value *fallback_at, const char *plugin,
                              const pdk_error *err);

/* Same type and content, keys in any order; numbers by value. */
bool pdk_value_equal(const struct pdk_value *a, const struct pdk_value *b);

/* Where it was written at last: what it was made from, or itself. */
static inline const struct pdk_value *pdk_value_written(const struct pdk_value *value) {
    while (value && value->flags & PDK_VALUE_MADE) value = value->parent;
    return value;
}

/* Writing, beyond pdk_values: the next value or key put takes its place (file and path, too) from `like`. */
void pdk_writer_like(pdk_writer *writer, const struct pdk_value *like);

/* The next key put takes its place from the i-th key of a map. */
void pdk_writer_key_like(pdk_writer *writer, const struct pdk_value *map, size_t i);
void pdk_writer_flags(pdk_writer *writer, uint8_t flags); /* of the next value put */

/* JSON: see pdk_values parse and print. Limits: depth 64, 1 000 000 nodes, 16 MiB of text. */
#define PDK_VALUE_DEPTH_MAX 64
#define PDK_VALUE_NODES_MAX 1000000
#define PDK_JSON_SIZE_MAX   ((size_t)16 << 20)

/* One JSON object a line for each fault, what is unknown left out: file line column severity path message expected
 * suggestion. */
void pdk_report_print_json(const struct pdk_report *report, pdk_write write, void *arg);

#endif
