/* SPDX-License-Identifier: Apache-2.0 */
/* What the verbs of the program share: arguments, exit codes, talk. One verb, one file. */
#ifndef CORE_CLI_CLI_H
#define CORE_CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "core/base/arena.h"
#include "core/base/buffer.h"

enum pdk_exit_code {
    PDK_EXIT_GOOD = 0,
    PDK_EXIT_FAILED = 1,      /* a run did not succeed, or a check found errors */
    PDK_EXIT_USAGE = 2,       /* bad command line */
    PDK_EXIT_FILE = 3,        /* a file is unreadable or invalid */
    PDK_EXIT_NO_RUNNER = 4,   /* no runner takes a task */
    PDK_EXIT_PLUGIN = 5,      /* plugin refused or missing */
    PDK_EXIT_UNREACHABLE = 6, /* no server, or it does not let us in */
    PDK_EXIT_NO_SUCH = 7,     /* no such run or task */
    PDK_EXIT_REFUSED = 8,     /* refused now: another has it, busy, full, draining */
    PDK_EXIT_BUG = 70,        /* ours; also out of memory */
    PDK_EXIT_TIMED_OUT = 124,
    PDK_EXIT_NOT_EXECUTABLE = 126,
    PDK_EXIT_NOT_FOUND = 127,
    PDK_EXIT_SIGNAL = 128
};

enum pdk_when { PDK_AUTO, PDK_ALWAYS, PDK_NEVER };
enum pdk_view { PDK_PROGRESS_AUTO, PDK_PROGRESS_LIVE, PDK_PROGRESS_PLAIN };
enum pdk_log_format { PDK_LOG_FORMAT_AUTO, PDK_LOG_FORMAT_TEXT, PDK_LOG_FORMAT_JSON };

/* Words of the command line; items is NULL-ended, never NULL. */
struct pdk_words {
    const char **items;
    size_t count;
};

/* Of the verbs that ask a server. */
struct pdk_remote_arguments {
    const char *server, *token_file, *ca_file, *certificate_file, *key_file;
    bool all, follow, no_follow, wait, watch, no_header, now, direct;
    const char *jsonl, *kind, *name, *input, *topic, *unique, *unique_mode, *key; /* of submit */
    uint32_t states, outcomes; /* bits by pdk_option_words; 0: not said */
    uint32_t sort;             /* index by pdk_option_words and 1; 0: not said */
    const char *task, *slot, *runner, *search, *stream, *type, *since, *reason;
    struct pdk_words labels, parameters;
    bool has_priority;
    int64_t priority, max_attempts, attempt, limit; /* 0: not said */
    int64_t tail;                                   /* -1: not said */
    uint64_t delay_ns, interval_ns;                 /* 0: not said */
};

struct pdk_arguments {
    const struct pdk_verb *verb;
    bool help, quiet, json, strict, no_plugins, long_form, fields, list, dry_run, timestamps, stay, force;
    uint32_t verbose;
    enum pdk_when color, prefix;
    enum pdk_view progress;
    enum pdk_log_format log_format;
    uint32_t stop_on; /* enum pdk_stop_on */
    int ready_fd;     /* -1: none */
    bool check_only;
    const char *pid_file, *socket;
    const char *selector, *exit_code_from, *metrics_file, *kind, *with, *config, *tcp_socket, *from;
    struct pdk_remote_arguments remote;
    uint64_t timeout_ns;          /* 0: not said */
    const char *output, *variant; /* output of new and import; variant of new: the name of its option */
    struct pdk_words files, names, plugin_path, plugins, set, env_files, only, checks;
    const char *const *command; /* what follows "--", NULL-ended; NULL: there was none */
    struct pdk_arena arena;
};

/* What may follow a verb, beside its options. */
enum {
    PDK_TAKES_FILE = 1,
    PDK_TAKES_FILES = 2,
    PDK_TAKES_NAME = 4,
    PDK_TAKES_NAMES = 8,
    PDK_TAKES_COMMAND = 16,
    PDK_TAKES_PATHS = 32 /* files, whatever they are called */
};

struct pdk_verb {
    const char *name;
    const char *synopsis; /* behind the verb */
    const char *summary;  /* one line */
    const char *about;    /* paragraphs for --help; "" */
    const char *examples; /* lines; "" */
    const int *options;   /* 0-ended; beside the common ones */
    bool remote;          /* asks a server; it takes the options that say which */
    uint32_t takes;
    int (*run)(struct pdk_arguments *arguments);
};

/* One option; id is its letter, or from 256 when it has none. */
struct pdk_option {
    int id;
    const char *name;
    const char *argument; /* NULL: takes none */
    const char *doc;
};

/* verbs.c, and verbs_remote.c for those that ask a server. NULL past the end. */
const struct pdk_verb *pdk_verb_at(size_t i);
const struct pdk_verb *pdk_verb_remote_at(size_t i);
const struct pdk_verb *pdk_verb_find(const char *name);

/* options.c. The options of a verb and the common ones; NULL past the end. */
const struct pdk_option *pdk_option_at(const struct pdk_verb *verb, size_t i);

/* Read the words behind a verb. 0, or an exit code after the error was told. */
int pdk_arguments_read(struct pdk_arguments *arguments, const struct pdk_verb *verb, int argc, char **argv);
void pdk_arguments_free(struct pdk_arguments *arguments);

/* What -l says; where it was not given *ret is left alone. It lives as long as the arguments. 0, or an exit code after the error
 * was told. */
struct pdk_selector;
int pdk_arguments_selector(struct pdk_arguments *arguments, struct pdk_selector *ret);

/* 0, or -ENOMEM. */
int32_t pdk_words_add(struct pdk_words *words, struct pdk_arena *arena, const char *word);

/* help.c */
void pdk_help_verb(const struct pdk_verb *verb, FILE *to);
void pdk_help_all(FILE *to);

/* read_file.c: all of a file, "-" being standard input, where the limit of the buffer is the most that it may have. option:
 * that named it, and wants no standard input; NULL: none has. 0, or an exit code after the error was told. */
int pdk_read_whole(const char *option, const char *path, struct pdk_buffer *to);

/* write_file.c. All three: 0 or -errno. */
struct stat;
int32_t pdk_write_all(int fd, const char *data, size_t size);
/* The regular file path gets these contents, or stays what it is; nothing else is left of it. like: gives it its mode and, if we
 * may, its owner, and it is on the disk before it takes the place of what was there; NULL: 0644 as the umask has it. Any thread. */
int32_t pdk_write_replace(const char *path, const char *data, size_t size, const struct stat *like);
/* Could it be made? Nothing of that stays. */
int32_t pdk_write_try(const char *path);

/* say.c: one line "paddock: ..." on stderr. hint, if not "", is put behind in parentheses of its own line. */
void pdk_say(const char *format, ...) __attribute__((format(printf, 1, 2)));
int pdk_say_usage(const struct pdk_verb *verb, const char *hint, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
int pdk_say_unknown_verb(const char *word);
int pdk_say_memory(void);

/* Flush stdout. code, or PDK_EXIT_FAILED after one clear error when what was written did not get there. */
int pdk_close_stdout(int code);

/* A pdk_write to the FILE that arg is. */
void pdk_write_file(void *arg, const char *data, size_t size);

/* verb_*.c */
int pdk_verb_run(struct pdk_arguments *arguments);
int pdk_verb_serve(struct pdk_arguments *arguments);
int pdk_verb_rrq(struct pdk_arguments *arguments);
int pdk_verb_check(struct pdk_arguments *arguments);
int pdk_verb_route(struct pdk_arguments *arguments);
int pdk_verb_plugins(struct pdk_arguments *arguments);
int pdk_verb_schema(struct pdk_arguments *arguments);
int pdk_verb_verify(struct pdk_arguments *arguments);
int pdk_verb_new(struct pdk_arguments *arguments);
int pdk_verb_import(struct pdk_arguments *arguments);
int pdk_verb_submit(struct pdk_arguments *arguments);
int pdk_verb_ps(struct pdk_arguments *arguments);
int pdk_verb_show(struct pdk_arguments *arguments);
int pdk_verb_logs(struct pdk_arguments *arguments);
int pdk_verb_act(struct pdk_arguments *arguments); /* cancel, retry, pause, resume, start, stop, restart, reload */
int pdk_verb_slots(struct pdk_arguments *arguments);
int pdk_verb_queue(struct pdk_arguments *arguments);
int pdk_verb_dead(struct pdk_arguments *arguments);
int pdk_verb_events(struct pdk_arguments *arguments);
int pdk_verb_top(struct pdk_arguments *arguments);
int pdk_verb_version(struct pdk_arguments *arguments);
int pdk_verb_completion(struct pdk_arguments *arguments);
int pdk_verb_help(struct pdk_arguments *arguments);
int pdk_complete(int argc, char **argv);
int pdk_verify_process(int argc, char **argv); /* of one check of verify */

/* verb_new.c: the words that follow `new`, and what they make; NULL past the end. */
const char *pdk_new_word(size_t i, const char **ret_what);

#endif
