/* SPDX-License-Identifier: Apache-2.0 */
/* What the parsers share. All functions take NULL for what could not be allocated, and do nothing after an error. */
#ifndef CORE_IMPORT_INTERNAL_H
#define CORE_IMPORT_INTERNAL_H

#include "core/import/import.h"

#define PDK_IMPORT_FILE_BYTES (4u << 20)
#define PDK_IMPORT_ALL_BYTES  (16u << 20)
#define PDK_IMPORT_LINE_BYTES ((size_t)64 << 10) /* also with its continuations */
#define PDK_IMPORT_FILES      1000
#define PDK_IMPORT_TASKS      10000
#define PDK_IMPORT_NOTES      10000
#define PDK_IMPORT_NODES      200000 /* far fewer than a file may have */
#define PDK_IMPORT_ENTRIES    2000   /* of one map or list */
#define PDK_IMPORT_WORDS      1000   /* of a command */
#define PDK_IMPORT_NAME_BYTES 58     /* of a task: with .1000 behind it is still a slot's name */

/* ---- model.c */

void *pdk_import_alloc(struct pdk_import *import, size_t size);
const char *pdk_import_copy(struct pdk_import *import, const char *text, size_t size);
const char *pdk_import_format(struct pdk_import *import, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* What went wrong with a buffer becomes an error of the import. */
void pdk_import_check(struct pdk_import *import, const struct pdk_buffer *buffer);

/* What is in the buffer, which is freed. */
const char *pdk_import_taken(struct pdk_import *import, struct pdk_buffer *buffer);

/* A fault in the input: what is wrong in this line, and what was wanted. text, if not NULL, is what to underline in it.
 * Sets and returns import->error. */
int32_t pdk_import_fault(struct pdk_import *import, struct pdk_import_at at, const char *text, const char *expected,
                         const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Something that could not be translated, and what only explains. */
void pdk_import_note(struct pdk_import *import, struct pdk_import_notes *to, struct pdk_import_at at,
                     const char *format, ...) __attribute__((format(printf, 4, 5)));
void pdk_import_remark(struct pdk_import *import, struct pdk_import_notes *to, struct pdk_import_at at,
                       const char *format, ...) __attribute__((format(printf, 4, 5)));

/* A new task of this name, or one made of it that is allowed. */
struct pdk_import_task *pdk_import_task(struct pdk_import *import, const char *name, struct pdk_import_at at);

/* "stop.grace": find or make it, in the fields of a task. */
struct pdk_import_node *pdk_import_field(struct pdk_import *import, struct pdk_import_task *task, const char *path);
struct pdk_import_node *pdk_import_find(struct pdk_import_task *task, const char *path);      /* NULL: there is none */
struct pdk_import_node *pdk_import_child(const struct pdk_import_node *map, const char *key); /* likewise, in a map */
void pdk_import_remove(struct pdk_import_task *task, const char *path);

/* The field becomes this text, which is copied; plain: a number or a word of ours. */
struct pdk_import_node *pdk_import_set(struct pdk_import *import, struct pdk_import_task *task, const char *path,
                                       const char *text);
struct pdk_import_node *pdk_import_plain(struct pdk_import *import, struct pdk_import_task *task, const char *path,
                                         const char *format, ...) __attribute__((format(printf, 4, 5)));

/* A text for the shell. */
struct pdk_import_node *pdk_import_shell(struct pdk_import *import, struct pdk_import_task *task, const char *path,
                                         const char *text);

/* The field becomes a list; and one more entry of a list, or with a key of a map. The key is copied. */
struct pdk_import_node *pdk_import_list(struct pdk_import *import, struct pdk_import_task *task, const char *path);
struct pdk_import_node *pdk_import_item(struct pdk_import *import, struct pdk_import_node *to, const char *text);
struct pdk_import_node *pdk_import_entry(struct pdk_import *import, struct pdk_import_node *map, const char *key,
                                         const char *text);

/* env.NAME, if it can be the name of a variable; false: it cannot. value NULL unsets it. */
bool pdk_import_env(struct pdk_import *import, struct pdk_import_task *task, const char *name, const char *value);

/* A copy of the field of another task, with its notes left there. */
void pdk_import_share(struct pdk_import *import, struct pdk_import_task *to, const struct pdk_import_task *from,
                      const char *key);

/* task starts after other: when it is ready, or (needs) when it has succeeded. */
struct pdk_import_link {
    struct pdk_import_link *next;
    struct pdk_import_task *other;
    struct pdk_import_at at;
    bool needs;
};
void pdk_import_link(struct pdk_import *import, struct pdk_import_task *task, struct pdk_import_task *other, bool needs,
                     struct pdk_import_at at);

/* ---- text.c */

/* A text with nothing but variables in it gets one that is never empty: for paths and programs. */
const char *pdk_import_solid(struct pdk_import *import, const char *text);

/* Without blanks at both ends. */
const char *pdk_import_trim(struct pdk_import *import, const char *text, size_t size);

/* The next line of a source from *at on, without its end; false: no more. Steps over it. */
bool pdk_import_line(const char **at, const char *end, const char **ret_line, size_t *ret_size);

bool pdk_import_number(const char *text, uint64_t max, uint64_t *ret);
bool pdk_import_is_variable(const char *name, size_t size);
bool pdk_import_user_is_good(const char *text);
const char *pdk_import_duration(struct pdk_import *import, uint64_t ns);
const char *pdk_import_size(struct pdk_import *import, uint64_t bytes);

/* A word as the shell wants it. */
void pdk_import_quote(struct pdk_buffer *to, const char *word);

/* Words, with blanks between them; one takes a word from *at on, which is not blank, and steps over it, false: a quote is
 * not closed. *ret is NULL-ended. -EINVAL: that, or more than PDK_IMPORT_WORDS. */
typedef bool pdk_import_splitter(const char **at, struct pdk_buffer *word);
int32_t pdk_import_split_by(struct pdk_import *import, pdk_import_splitter *one, const char *text, const char ***ret,
                            size_t *ret_count);

/* As the shell of POSIX splits them, without expanding. */
int32_t pdk_import_split(struct pdk_import *import, const char *text, const char ***ret, size_t *ret_count);

/* ---- scalar.c */

/* "${" is a variable of Paddock's; one that is none gets a $ before it, unless the shell alone reads it. */
void pdk_import_variables(struct pdk_buffer *to, const char *text, bool shell);

/* In a list of a flow, in a map of it, or alone behind its key. */
enum pdk_import_where { PDK_IMPORT_BLOCK, PDK_IMPORT_FLOW, PDK_IMPORT_WORD };
void pdk_import_scalar(struct pdk_buffer *to, const char *text, enum pdk_import_where where, bool shell);

/* Can it be written as a literal block, with | ? */
bool pdk_import_is_literal(const char *text);

/* As a comment: one line, nothing but what can be seen. */
void pdk_import_comment(struct pdk_buffer *to, const char *text);

/* ---- files.c */

/* A source of this text (copied), after a check of its bytes; NULL after a fault. */
struct pdk_import_source *pdk_import_source(struct pdk_import *import, const char *file, const char *folder,
                                            const char *text, size_t size);

/* Read a file. optional: NULL without a fault if it is not there. */
struct pdk_import_source *pdk_import_read(struct pdk_import *import, const char *path, bool optional);

/* Was a file of this name read already? */
bool pdk_import_is_read(const struct pdk_import *import, const char *path);

/* Files that match, sorted, NULL-ended; never NULL. */
const char *const *pdk_import_glob(struct pdk_import *import, const char *pattern);

/* ---- the parsers. Faults are in the report. */
void pdk_import_procfile(struct pdk_import *import, const struct pdk_import_source *source);
void pdk_import_cron(struct pdk_import *import, const struct pdk_import_source *source);
void pdk_import_supervisord(struct pdk_import *import, const struct pdk_import_source *source);

/* Units are gathered, and translated when all are there. */
void pdk_import_unit(struct pdk_import *import, const struct pdk_import_source *source);
void pdk_import_unit_companions(struct pdk_import *import, const char *path);
void pdk_import_units_finish(struct pdk_import *import);

/* ---- finish.c */
void pdk_import_names(struct pdk_import *import);
void pdk_import_order(struct pdk_import *import);
void pdk_import_lift(struct pdk_import *import);

#endif
