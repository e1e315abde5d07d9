/* SPDX-License-Identifier: Apache-2.0 */
/* A task with what only this layer knows of it: the fields that are handed to runners, in the form they were read. */
#ifndef CORE_SPEC_BODY_H
#define CORE_SPEC_BODY_H

#include "core/spec/fields.h"

enum { PDK_STOP_GROUP, PDK_STOP_LEADER };

#define PDK_STOP_SIGNAL "TERM"

struct pdk_env_file {
    const char *path;
    bool optional;
};

/* Values are parts of task.source or of its defaults, checked but not yet converted. */
struct pdk_program {
    const pdk_value *command, *env, *exit, *stop_command, *reload_command;
    const struct pdk_env_file *env_files;
    uint32_t env_file_count;
    const char *folder, *cwd, *user;         /* folder: where relative paths start */
    const char *stop_signal, *reload_signal; /* without SIG */
    int32_t stop_to;
    struct pdk_resources resources;
    bool notify;
};

/* More than there are fields that can be merged. */
#define PDK_HELD_LIMIT 8

struct pdk_task_body {
    struct pdk_task task; /* the first member: &body->task is what others see */
    struct pdk_program program;
    uint32_t own, given;        /* marks of the rows that the task itself wrote; that it or its defaults wrote */
    const pdk_value *with_at;   /* `with` as it was written, by the task or else in defaults; NULL */
    struct pdk_task_body *base; /* of a completed or varied copy: the one whose memory it uses; else NULL */
    const pdk_value
        *held[PDK_HELD_LIMIT]; /* of one that was read: its source, then its defaults, if it was given any */
    uint32_t held_count;
};

static inline struct pdk_task_body *pdk_task_body(struct pdk_task *task) {
    return (struct pdk_task_body *)(void *)task;
}

/* A zeroed task that lies in its own arena, with room for `more` bytes beside it; NULL without memory. */
struct pdk_task_body *pdk_task_new(size_t more);

/* A fresh copy of another with one reference, an arena of its own and a hold on the base; NULL without memory. */
struct pdk_task_body *pdk_task_derive(struct pdk_task *task, size_t more);

/* Keep a value alive as long as the task; takes over the caller's reference. */
void pdk_task_keep(struct pdk_task_body *body, const pdk_value *value);

/* Readers of fields, see the table. */
#define PDK_READER(name) \
    void pdk_read_##name(struct pdk_reading *reading, const struct pdk_field *row, const pdk_value *value, void *base)
PDK_READER(kind);
PDK_READER(env);
PDK_READER(env_file);
PDK_READER(user);
PDK_READER(resources);
PDK_READER(with);
PDK_READER(labels);
PDK_READER(selector);
PDK_READER(retries);
PDK_READER(backoff);
PDK_READER(factor);
PDK_READER(stop);
PDK_READER(stop_signal);
PDK_READER(reload);
PDK_READER(exit);
PDK_READER(ready);
PDK_READER(ready_command);
PDK_READER(ready_tcp);
PDK_READER(ready_line);
PDK_READER(slot);
PDK_READER(log);

/* The lists of `exit`, in the order of its rows. */
enum { PDK_EXIT_SUCCESS, PDK_EXIT_RETRY, PDK_EXIT_FATAL, PDK_EXIT_LISTS };
extern const char *const pdk_exit_names[];

/* How many nodes the compiled form of an extended regular expression has, about, and rather more: repetitions copy what
 * they repeat, so that nested ones multiply. Stops counting at UINT32_MAX. */
uint32_t pdk_regex_cost(const char *text);

/* A field that is handed on inside `with`. */
struct pdk_handed {
    const char *name, *field; /* in `with`; of the task */
    uint32_t marks, type;     /* type of row that takes it as it is */
    bool always, same;        /* same: as long as no task writes it, it is the same for all */
    void (*put)(pdk_writer *, const struct pdk_task_body *);
};

/* The one of this name in `with`, or NULL. */
const struct pdk_handed *pdk_handed_find(const char *name);
bool pdk_handed_given(const struct pdk_handed *handed, const struct pdk_task_body *body);

#endif
