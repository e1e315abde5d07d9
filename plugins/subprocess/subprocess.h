/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The runner of programs, inside. Who does what:
 *
 *     build.c    a spec -> struct pdk_sub_task, finding every fault      options.c  its words for process/1
 *     attempt.c  the life of one attempt: the only file with states      prepare.c  what may block, in a pool job
 *     environ.c  the environment, in layers                              filter.c   system call names -> BPF
 *     env_file.c, secret.c, identity.c, script.c, folder.c               small things that read or write
 *     notify.c   sd_notify                                               result.c   exit codes and words
 */
#ifndef SUBPROCESS_H
#define SUBPROCESS_H

#include <stdbool.h>
#include <sys/queue.h>

#include <paddock/helpers.h>
#include <paddock/loop.h>
#include <paddock/process.h>

enum {
    PDK_SUB_RLIMITS = 8,                  /* names in the table of options.c */
    PDK_SUB_PASS_FDS = 32,                /* how many a task may hand on */
    PDK_SUB_SCRIPT_MAX = 2 * 1024 * 1024, /* bytes of a script, decoded */
    PDK_SUB_SECRET_MAX = 128 * 1024 - 1,  /* what Linux takes as one variable */
    PDK_SUB_ENV_FILE_MAX = 1024 * 1024,
    PDK_SUB_ENV_MAX = 4 * 1024 * 1024, /* bytes of a whole environment */
    PDK_SUB_OUTPUT_MAX = 1024 * 1024,  /* bytes of $PADDOCK_OUTPUT */
};

/* How an attempt ends when no process tells it: in words and as pdk_result says it. */
struct pdk_sub_end {
    int32_t status, category;
    char *message; /* NULL: none, or no memory for it */
};

/* ---- environ.c: variables of several layers; of one name the highest layer wins, in one layer the last. ---- */

enum pdk_sub_layer {
    PDK_SUB_FALLBACK,  /* PATH, when nobody gives one */
    PDK_SUB_INHERITED, /* ours */
    PDK_SUB_IDENTITY,  /* HOME and so on of the user */
    PDK_SUB_FILES,
    PDK_SUB_TASK,
    PDK_SUB_OURS /* PADDOCK_..., not to be overridden */
};

struct pdk_sub_variable {
    size_t at; /* of "NAME=value" in text */
    uint32_t name_size, order;
    enum pdk_sub_layer layer;
    bool unset;
};

struct pdk_sub_env {
    char *text;
    size_t size, capacity;
    struct pdk_sub_variable *variables;
    uint32_t count, room;
    const char **list; /* made by finish */
    int32_t error;     /* the first; finish tells it */
};

/* value NULL: unset it. The first failure sticks. */
void pdk_sub_env_add(struct pdk_sub_env *env, enum pdk_sub_layer layer, const char *name, size_t name_size,
                     const char *value, size_t size);
void pdk_sub_env_set(struct pdk_sub_env *env, enum pdk_sub_layer layer, const char *name, const char *value);

/* env->list: sorted, NULL-ended. May be called again after more was added. 0, -ENOMEM, -E2BIG. */
int32_t pdk_sub_env_finish(struct pdk_sub_env *env);

/* Wipes it: there are secrets in it. */
void pdk_sub_env_free(struct pdk_sub_env *env);

bool pdk_sub_is_name(const char *name, size_t size);

/* ---- what an instance has ---- */

/* Which of our own variables go on: all, none, or those listed. */
struct pdk_sub_inherit {
    const pdk_value *names; /* NULL: see all */
    bool all;
};

struct pdk_sub_filter {
    LIST_ENTRY(pdk_sub_filter) link;
    uint32_t count, users; /* instructions; who hold it, the cache too */
    void *program;
    char key[]; /* the names, in order */
};
LIST_HEAD(pdk_sub_filters, pdk_sub_filter);

struct pdk_sub {
    const pdk_host *host;
    const pdk_loop *loop;
    const pdk_pool *pool;
    const pdk_process *process;
    struct pdk_sub_inherit inherit; /* the most that any task inherits */
    const pdk_value *users;         /* who tasks may run as; NULL: anybody */
    const char *runtime_dir;        /* configured; NULL: find one */
    char *folder;                   /* made at the first start; see folder.c */
    bool no_folder;                 /* it cannot be made, and that was said */
    struct pdk_sub_filters filters; /* a cache */
    uint32_t filter_count;
};

/* ---- what a task has: everything of the spec that is known before it starts ---- */

struct pdk_sub_options {
    uint32_t flags; /* PDK_COMMAND_... */
    int32_t umask, nice, io_class, io_level, oom_score;
    uint32_t drain_ms;
    uint64_t capabilities;
    bool merge_stderr;
    uint32_t rlimit_count, pass_count;
    pdk_rlimit *rlimits;
    int32_t *pass_fds;
    uint64_t memory_max, pids_max;
    double cpu_max;
};

struct pdk_sub_script {
    const char *text; /* NULL: there is none */
    size_t size;
    char *decoded;   /* text, when it was base64 */
    size_t position; /* where in argv its path stands */
    char path[32];   /* /proc/self/fd/N */
};

/* A command beside the program: how to stop it, how to make it reload. */
struct pdk_sub_ask {
    const char **argv; /* NULL: send signal */
    int32_t signal;    /* 0: there is none either */
    bool leader;       /* signal the leader alone */
};

enum pdk_sub_exit { PDK_SUB_EXIT_SUCCESS, PDK_SUB_EXIT_RETRY, PDK_SUB_EXIT_FATAL, PDK_SUB_EXIT_FAILURE };

struct pdk_sub_task {
    struct pdk_sub *self;
    const pdk_spec *spec;
    const char **argv;
    struct pdk_sub_script script;
    struct pdk_sub_options options;
    struct pdk_sub_inherit inherit;
    struct pdk_sub_ask stop, reload;
    uint64_t exits[PDK_SUB_EXIT_FAILURE][4];                     /* a bit per exit code and class */
    const pdk_value *env, *env_files, *groups, *input, *seccomp; /* NULL: none */
    const char *stdin_text, *stdin_file;
    size_t stdin_size;
    const char *cwd, *user;
    bool notify, secret_files;
    int32_t cwd_fd;                  /* opened at the first start, and kept */
    struct pdk_sub_filter *filter;   /* from the first start on */
    struct pdk_sub_attempt *attempt; /* NULL: idle */
};

/* ---- what an attempt has ---- */

struct pdk_sub_identity {
    bool set;
    uint32_t uid, gid, group_count;
    uint32_t *groups;
};

struct pdk_sub_notify {
    int32_t fd; /* -1: none */
    pdk_watch watch;
    double fraction;
    bool refused; /* a stranger's message was seen, and that was said */
};

/* A stop or reload command that runs beside the program. */
struct pdk_sub_helper {
    struct pdk_sub_attempt *attempt;
    const char *word; /* "stop", "reload" */
    pdk_child child;
    bool runs;
};

enum pdk_sub_state {
    PDK_SUB_PREPARING, /* a job reads files and names */
    PDK_SUB_SPAWNING,  /* process/1 has been asked */
    PDK_SUB_RUNNING,
    PDK_SUB_COLLECTING, /* it is over; a job reads its results */
    PDK_SUB_OVER        /* only helpers are left to wait for */
};

struct pdk_sub_attempt {
    struct pdk_sub_task *task;
    pdk_attempt handle;
    char *run_id;
    enum pdk_sub_state state;
    bool asked, killed; /* by the host: cancel, kill */
    pdk_child child;
    int32_t pid;   /* 0: not started */
    bool pid_told; /* it is in env */

    /* made by the job, or by main when there is none */
    struct pdk_sub_env env;
    struct pdk_sub_identity identity;
    int32_t script_fd, input_fd;
    pdk_job job;
    struct pdk_sub_end problem; /* status 0: none */

    char *results;           /* path of its $PADDOCK_OUTPUT; NULL: none */
    char *results_folder;    /* made for it alone; NULL: the common one */
    const pdk_value *output; /* what was in it */
    struct pdk_sub_end output_problem;

    struct pdk_sub_notify notify;
    struct pdk_sub_helper stopper, reloader;
    struct pdk_sub_end end;
    int32_t exit_code, signal;
    uint32_t limits; /* PDK_LIMIT_..., that it ran into */
    pdk_usage usage;
    bool started, measured; /* there was a process; its usage is known */
};

/* ---- schema.c ---- */
extern const pdk_schema pdk_sub_kind, pdk_sub_config;

/* ---- build.c ---- */
int32_t pdk_sub_build(void *self, const pdk_spec *spec, void **ret, pdk_error *err);
void pdk_sub_task_free(struct pdk_sub_task *task);

/* ---- options.c ---- */
int32_t pdk_sub_options_read(const pdk_host *host, const pdk_value *with, struct pdk_sub_options *options,
                             pdk_error *err);
/* "TERM", "SIGTERM", "RTMIN+1"; 0 when there is none of this name. */
int32_t pdk_sub_signal_number(const char *name);
/* A NULL-ended array of the strings of a list, owned; the strings are borrowed. what: for the message. */
int32_t pdk_sub_strings(const pdk_host *host, const pdk_value *list, const char *what, const char ***ret,
                        pdk_error *err);
int32_t pdk_sub_inherit_read(const pdk_host *host, const pdk_value *list, struct pdk_sub_inherit *ret, pdk_error *err);

/* ---- script.c ---- */
/* argv of the interpreter, with room for what follows, and the text. */
int32_t pdk_sub_script_read(const pdk_host *host, const pdk_value *map, uint32_t pass_count,
                            struct pdk_sub_script *script, const char ***argv, pdk_error *err);
/* An fd that holds these bytes and cannot be changed any more; or negative errno. */
int32_t pdk_sub_sealed(const char *name, const char *data, size_t size);
/* An fd that holds the value as a line of JSON, at its begin; or negative errno. */
int32_t pdk_sub_json(const pdk_host *host, const pdk_value *value);

/* ---- filter.c ---- */
int32_t pdk_sub_filter_check(const pdk_host *host, const pdk_value *names, pdk_error *err);
int32_t pdk_sub_filter_get(struct pdk_sub *self, const pdk_value *names, struct pdk_sub_filter **ret);
void pdk_sub_filter_drop(struct pdk_sub_filter *filter); /* NULL is fine */
void pdk_sub_filters_free(struct pdk_sub *self);

/* ---- what the job does; dir: where relative paths start. These fill in *end when they fail. [worker] ---- */
void pdk_sub_prepare(struct pdk_sub_attempt *attempt);
bool pdk_sub_needs_job(const struct pdk_sub_task *task);
int32_t pdk_sub_env_file(struct pdk_sub_env *env, int32_t dir, const char *path, bool optional,
                         struct pdk_sub_end *end);
int32_t pdk_sub_secret(struct pdk_sub_env *env, int32_t dir, const char *name, const char *path,
                       struct pdk_sub_end *end);
int32_t pdk_sub_identify(const struct pdk_sub_task *task, struct pdk_sub_identity *ret, struct pdk_sub_env *env,
                         struct pdk_sub_end *end);
/* A whole regular file; -EFBIG beyond max; *ret is owned and ends in NUL. Wipe it when it is a secret. */
int32_t pdk_sub_read_fd(int32_t fd, size_t max, char **ret, size_t *size);
int32_t pdk_sub_read_file(int32_t dir, const char *path, size_t max, char **ret, size_t *size);

/* The environment, as far as it needs no file. [main] */
void pdk_sub_environment(struct pdk_sub_attempt *attempt, const pdk_start *start);

/* ---- folder.c: where $PADDOCK_OUTPUT lies ---- */
int32_t pdk_sub_results_place(struct pdk_sub_attempt *attempt);  /* [main] choose its path */
int32_t pdk_sub_results_folder(struct pdk_sub_attempt *attempt); /* [worker] for another user */
bool pdk_sub_results_there(struct pdk_sub_attempt *attempt);
void pdk_sub_results_read(struct pdk_sub_attempt *attempt); /* [worker] */
void pdk_sub_results_remove(struct pdk_sub_attempt *attempt);
void pdk_sub_folder_remove(struct pdk_sub *self);

/* ---- notify.c ---- */
int32_t pdk_sub_notify_open(struct pdk_sub_attempt *attempt);
void pdk_sub_notify_close(struct pdk_sub_attempt *attempt); /* after reading what is there */

/* ---- result.c ---- */
int32_t pdk_sub_exits_read(const pdk_host *host, const pdk_value *map, struct pdk_sub_task *task, pdk_error *err);
void pdk_sub_say(struct pdk_sub_end *end, int32_t status, int32_t category, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* From a negative errno of starting something. */
void pdk_sub_say_errno(struct pdk_sub_end *end, int32_t code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Put more words behind those that are there. */
void pdk_sub_say_more(struct pdk_sub_end *end, const char *more);
void pdk_sub_end_move(struct pdk_sub_end *to, struct pdk_sub_end *from);
void pdk_sub_judge(struct pdk_sub_attempt *attempt, const pdk_exit *how);

/* ---- attempt.c ---- */
extern const pdk_task_ops pdk_sub_task_ops;

#endif
