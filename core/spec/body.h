/* SPDX-License-Identifier: Apache-2.0 */
/* A task with what only this layer knows of it: the fields that are handed to runners, in the form they were read. */
#ifndef CORE_SPEC_BODY_H
#define CORE_SPEC_BODY_H

#include "core/spec/fields.h"

enum { PDK_STOP_GROUP, PDK_STOP_LEADER };

struct pdk_resources {
    double cpu;
    uint64_t memory;
    uint32_t pids;
};

struct pdk_env_file {
    const char *path;
    bool optional;
};

/* Values are parts of task.source or of its defaults, checked but not yet converted. */
struct pdk_program {
    const pdk_value *command, *env, *exit, *stop_command, *reload_command;
    const struct pdk_env_file *env_files;
    uint32_t env_file_count;
    const char *cwd, *user;
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
    const pdk_value *held[PDK_HELD_LIMIT];
    uint32_t held_count;
};

static inline struct pdk_task_body *pdk_task_body(struct pdk_task *task) {
    return (struct pdk_task_body *)(void *)task;
}

/* A fresh copy of another with one reference, an arena of its own and a hold on the base; NULL without memory. */
struct pdk_task_body *pdk_task_derive(struct pdk_task *task);

/* Keep a value alive as long as the task; takes over the caller's reference. */
void pdk_task_keep(struct pdk_task_body *body, const pdk_value *value);

/* Readers of fields, see the table. */
#define PDK_READER(name)                                                                                               \
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

/* Is it the name of a field that is handed on inside `with`? */
bool pdk_task_hands(const char *name);

#endif
