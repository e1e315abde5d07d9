/* SPDX-License-Identifier: Apache-2.0 */
/* The instance that stands for one elsewhere. */
#ifndef CORE_ISOLATE_PROXY_H
#define CORE_ISOLATE_PROXY_H

#include "core/base/buffer.h"
#include "core/isolate/isolate.h"
#include "core/isolate/link.h"
#include "core/supervise/policy.h"

/* The plugin as the supervisor sees it: the real one's words, our functions. */
struct pdk_isolated {
    pdk_plugin plugin;
    pdk_runner_ops runner;
    pdk_task_ops tasks;
    uint32_t users; /* the one who loads it, and its instance */
    struct pdk_library library;
    char *program;
    struct pdk_jail jail;
    uint64_t ping_every, ping_timeout;
    bool probe;
    pdk_supervisor *supervisor; /* NULL: with a router alone */
};

struct pdk_proxy;

/* A task here: its spec, which the host keeps for us, and its number over there. */
struct pdk_proxy_task {
    struct pdk_proxy *proxy;
    const pdk_spec *spec;
    uint32_t number, next_free;
    uint64_t process;    /* the one that it was built in; 0: none */
    pdk_attempt attempt; /* as the supervisor knows it, until the next start */
    uint64_t remote;     /* as that process knows it */
    bool running, paused;
    uint64_t untold;        /* bytes of its output that were read on, and not told of */
    struct pdk_buffer kept; /* frames that came while it was paused: output, and its done */
};

struct pdk_proxy_series;
struct pdk_probe;

enum pdk_proxy_life { PDK_PROXY_MADE, PDK_PROXY_STARTED, PDK_PROXY_STOPPING };

struct pdk_proxy {
    struct pdk_isolated *isolated;
    const pdk_host *host;
    struct pdk_instance *instance;
    const pdk_loop *loop;
    const pdk_process *process;
    const pdk_metrics *metrics;
    enum pdk_proxy_life life;
    struct pdk_link *link;   /* NULL: there is no process */
    struct pdk_probe *probe; /* NULL: none */
    bool created;            /* the instance over there is */

    uint64_t processes; /* how many there were; the number of the one that is */
    uint64_t born;
    struct pdk_past past; /* of processes: for the pauses between them */
    pdk_watch retry, ping;
    uint32_t unanswered; /* pings */
    uint64_t pings;

    struct pdk_proxy_task **tasks;
    uint32_t task_count, free_task; /* free_task: number + 1; 0: none */
    uint32_t running;
    uint64_t starts;

    struct pdk_proxy_series *series;   /* of all processes there were */
    struct pdk_proxy_series **numbers; /* of this one */
    uint32_t number_count;
    pdk_series *process_starts;
};

/* proxy.c */
extern const struct pdk_hosted_ops pdk_proxy_hosted_ops;
int32_t pdk_proxy_create(const pdk_host *host, const pdk_value *config, void **ret_self, pdk_error *err);
int32_t pdk_proxy_start(void *self, pdk_error *err);
void pdk_proxy_stop(void *self);
void pdk_proxy_destroy(void *self);
void pdk_isolated_drop(struct pdk_isolated *isolated);

/* tasks.c */
int32_t pdk_proxy_build(void *self, const pdk_spec *spec, void **ret_task, pdk_error *err);
extern const pdk_task_ops pdk_proxy_task_ops;
void pdk_proxy_hear(struct pdk_proxy *proxy, const struct pdk_frame *frame); /* of an attempt */
void pdk_proxy_hear_all(struct pdk_proxy *proxy); /* what was kept back, for nothing more will come */
void pdk_proxy_forget_tasks(struct pdk_proxy *proxy);
void pdk_proxy_free_tasks(struct pdk_proxy *proxy);
int32_t pdk_spec_print(const pdk_spec *spec, struct pdk_buffer *json);

/* What FAILED, TRIED and CREATED bring. root: what the value at fault is looked for in; NULL: nowhere. */
struct pdk_remote_error {
    struct pdk_wire_error numbers;
    pdk_error error;
    char at[512];
};
bool pdk_remote_error_read(const struct pdk_frame *frame, struct pdk_remote_error *ret);

/* The value that a JSON pointer names, or the last on the way that is there. */
const pdk_value *pdk_pointer_follow(const pdk_value *root, const char *pointer);
const pdk_value *pdk_pointer_in_spec(const pdk_spec *spec, const char *pointer); /* NULL: nothing of it */

/* series.c */
void pdk_proxy_meet_series(struct pdk_proxy *proxy, const struct pdk_frame *frame);
void pdk_proxy_record(struct pdk_proxy *proxy, const struct pdk_frame *frame);
void pdk_proxy_forget_numbers(struct pdk_proxy *proxy);
void pdk_proxy_free_series(struct pdk_proxy *proxy);

/* probe.c: a process that only answers whether a config and tasks are good; each call waits for it */
int32_t pdk_probe_open(struct pdk_proxy *proxy, const pdk_value *config, pdk_error *err);
int32_t pdk_probe_try(struct pdk_proxy *proxy, const pdk_spec *spec, pdk_error *err);
void pdk_probe_close(struct pdk_proxy *proxy);

#endif
