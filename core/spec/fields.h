/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The field table: one row says how a field is called, read, checked, documented, and shown to editors.
 * Rows of simple types need no code: their value is stored at `offset` of the struct being filled.
 * Internal to this layer and to core/config.
 */
#ifndef CORE_SPEC_FIELDS_H
#define CORE_SPEC_FIELDS_H

#include "core/base/arena.h"
#include "core/spec/file.h"
#include "core/spec/spec.h"

/* The version of the language that this program speaks: rows of a later one are known, and refused. */
#define PDK_SPEC_VERSION 1

/* No path is longer, as written. */
#define PDK_PATH_BYTES 4096

enum pdk_field_type {
    PDK_FIELD_BOOL,     /* bool */
    PDK_FIELD_INT,      /* uint32_t */
    PDK_FIELD_NUMBER,   /* double */
    PDK_FIELD_DURATION, /* uint64_t, ns */
    PDK_FIELD_SIZE,     /* uint64_t, bytes */
    PDK_FIELD_CHOICE,   /* int32_t or an enum: the index of the choice */
    PDK_FIELD_TEXT,     /* const char *, of min to max bytes */
    PDK_FIELD_PATH,     /* const char *, made absolute */
    PDK_FIELD_NAMES,    /* const char *const *, NULL-ended; one name may stand alone */
    PDK_FIELD_COMMAND,  /* const pdk_value *, checked: text, or a list of texts that is not empty */
    PDK_FIELD_ANY,      /* const pdk_value * */
    PDK_FIELD_OWN       /* whatever its read() does with the struct */
};

enum { /* pdk_field.flags */
       PDK_FIELD_REQUIRED = 1,
       PDK_FIELD_NULL = 2,       /* null is a value */
       PDK_FIELD_NO_DEFAULT = 4, /* may not stand in defaults */
       PDK_FIELD_MERGE = 8,      /* with defaults, key by key */
       PDK_FIELD_NONE = 16,      /* the word none is 0 */
       PDK_FIELD_UNLIMITED = 32, /* the word unlimited is UINT32_MAX */
       PDK_FIELD_FILE = 64,      /* names a file of ours: not for specs from sources */
       PDK_FIELD_ZERO = 128      /* 0 too, although it is less than min */
};

/* Rows that others ask about carry a mark: what was given is the union of the marks of its rows. */
enum {
    PDK_MARK_KIND = 1 << 0,
    PDK_MARK_COMMAND = 1 << 1,
    PDK_MARK_ENV = 1 << 2,
    PDK_MARK_ENV_FILE = 1 << 3,
    PDK_MARK_CWD = 1 << 4,
    PDK_MARK_USER = 1 << 5,
    PDK_MARK_RESOURCES = 1 << 6,
    PDK_MARK_RESTART = 1 << 7,
    PDK_MARK_EVERY = 1 << 8,
    PDK_MARK_RETRIES = 1 << 9,
    PDK_MARK_BACKOFF = 1 << 10,
    PDK_MARK_RELOAD = 1 << 11,
    PDK_MARK_EXIT = 1 << 12,
    PDK_MARK_AFTER = 1 << 13,
    PDK_MARK_NEEDS = 1 << 14,
    PDK_MARK_STOP_SIGNAL = 1 << 15,
    PDK_MARK_STOP_COMMAND = 1 << 16,
    PDK_MARK_STOP_TO = 1 << 17,
    PDK_MARK_READY_NOTIFY = 1 << 18,
    PDK_MARK_READY_COMMAND = 1 << 19,
    PDK_MARK_READY_TCP = 1 << 20,
    PDK_MARK_READY_LINE = 1 << 21,
    PDK_MARK_LATER = 1 << 22 /* any field of a later version */
};
#define PDK_MARKS_STOP  (PDK_MARK_STOP_SIGNAL | PDK_MARK_STOP_COMMAND | PDK_MARK_STOP_TO)
#define PDK_MARKS_READY (PDK_MARK_READY_NOTIFY | PDK_MARK_READY_COMMAND | PDK_MARK_READY_TCP | PDK_MARK_READY_LINE)

struct pdk_reading {
    struct pdk_arena *arena;
    struct pdk_report *report;
    const char *folder; /* absolute, where relative paths start */
    bool trusted;
    int32_t error;  /* the first failure; -ENOMEM wins */
    uint32_t marks; /* of the rows that were read */
};

struct pdk_field {
    union {
        struct pdk_field_doc text;
        struct {
            const char *name, *words, *fallback, *doc; /* words: type and range for people */
        };
    };
    uint8_t size; /* of name */
    uint8_t type, flags, since;
    uint16_t offset; /* into the struct being filled */
    uint32_t mark;
    void (*read)(struct pdk_reading *, const struct pdk_field *, const pdk_value *, void *base);
    uint64_t min, max; /* ns, bytes, or a number; both 0: no limit */
    const char *const *choices;
    const struct pdk_field *fields; /* of a map, ended by a row without a name */
    const char *instead;            /* of a later field: what to do today; NULL: remove it */
    const char *json;               /* JSON Schema of other forms that it takes; NULL: none */
};

#define PDK_FIELD_NAME(name_)          .name = (name_), .size = sizeof(name_) - 1, .since = 1
#define PDK_FIELD_LATER(name_, since_) .name = (name_), .size = sizeof(name_) - 1, .since = (since_)

/* The row of this name; NULL. */
const struct pdk_field *pdk_field_find(const struct pdk_field *rows, const char *name, size_t size);

/* Fault at key i of a map: there is no such row, or it comes later. */
void pdk_field_unknown(struct pdk_reading *reading, const struct pdk_field *rows, const pdk_value *map, size_t i);
void pdk_field_later(struct pdk_reading *reading, const struct pdk_field *row, const pdk_value *map, size_t i);

/* Read value as the row says into base. */
void pdk_field_read(struct pdk_reading *reading, const struct pdk_field *row, const pdk_value *value, void *base);

/* Read all keys of a map. */
void pdk_fields_read(struct pdk_reading *reading, const struct pdk_field *rows, const pdk_value *map, void *base);

/* Add a fault and remember it in reading->error. expected, suggestion may be NULL. */
void pdk_reading_fault(struct pdk_reading *reading, const pdk_value *at, const char *expected, const char *suggestion,
                       const char *format, ...) __attribute__((format(printf, 5, 6)));

/* The same at the key whose value is given. */
void pdk_reading_fault_key(struct pdk_reading *reading, const pdk_value *value, const char *expected,
                           const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Begin something whose own failure matters: the error is set aside, and joined with what comes. */
static inline int32_t pdk_reading_begin(struct pdk_reading *reading) {
    int32_t before = reading->error;
    reading->error = 0;
    return before;
}

/* End it: did it go well? */
bool pdk_reading_end(struct pdk_reading *reading, int32_t before);

/* Arena with the sticky error of the reading; NULL when out of memory. */
void *pdk_reading_alloc(struct pdk_reading *reading, size_t size);
char *pdk_reading_text(struct pdk_reading *reading, const char *data, size_t size);
void pdk_reading_error(struct pdk_reading *reading, int32_t rc);

/* A scalar's text that lives as long as the value and the arena; NULL after a fault `expected WANTED, found ...`. */
const char *pdk_read_text(struct pdk_reading *reading, const pdk_value *value, const char *wanted);

/* An absolute path; NULL after a fault. */
const char *pdk_read_path(struct pdk_reading *reading, const pdk_value *value);

/* A list of names, or one; never NULL. */
const char *const *pdk_read_names(struct pdk_reading *reading, const pdk_value *value);

/* Is it a command: a text, or a list of texts? Else a fault. */
bool pdk_read_command(struct pdk_reading *reading, const pdk_value *value);

/* The argv of a checked command, text being /bin/sh -c TEXT; NULL without memory. */
const char *const *pdk_command_argv(struct pdk_reading *reading, const pdk_value *value);

/* Is it a map? Else a fault. */
bool pdk_read_is_map(struct pdk_reading *reading, const pdk_value *value, const char *wanted);

/* The fields of a task; at most so many with the end. */
#define PDK_TASK_ROWS 64
extern const struct pdk_field pdk_task_rows[];

/* Of a file: the top level; struct pdk_limits; struct pdk_plugin_entry_config. */
extern const struct pdk_field pdk_file_rows[];
extern const struct pdk_field pdk_limit_rows[], pdk_shutdown_rows[], pdk_server_rows[];
extern const struct pdk_field pdk_plugin_rows[], pdk_source_rows[], pdk_metrics_rows[], pdk_isolation_rows[];

/* "0660", into a uint32_t. */
void pdk_read_mode(struct pdk_reading *, const struct pdk_field *, const pdk_value *, void *base);

/* isolation.c */
void pdk_read_isolation(struct pdk_reading *, const struct pdk_field *, const pdk_value *, void *base);

#endif
