/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server that is asked: verbs_remote.c has the verbs, the verb_*.c of each ask by this. remote.c finds the server and the
 * plugin that speaks to it, remote_ask.c has questions, answers and their errors, remote_text.c what is shown of them.
 */
#ifndef CORE_CLI_REMOTE_H
#define CORE_CLI_REMOTE_H

#include "core/cli/console.h"
#include "core/cli/load.h"
#include "core/value/value.h"
#include "paddock/client.h"

#define PDK_PATH(name) struct pdk_buffer name = PDK_BUFFER(8000)

struct pdk_remote {
    struct pdk_arguments *arguments;
    struct pdk_console out;
    struct pdk_setup setup; /* of the plugin path */
    struct pdk_library library;
    struct pdk_instance *instance;
    const pdk_client *client;
    pdk_connection *connection;
    const char *place; /* of the server, for people */
    bool local;        /* a socket: it sees the files that we see */
    bool has_token;

    int status;             /* of the last answer */
    const pdk_value *value; /* it, or NULL: no JSON; dropped at the next */

    int watch_fd, signal_fd;    /* -1: not watched */
    int signal;                 /* that asked for the end; 0: none has */
    bool resized, resumed;      /* the terminal has another size, or others have written there */
    void (*on_stop)(void *arg); /* NULL, or what is to be done before Ctrl-Z stops us */
    void *on_stop_arg;
    bool hurries;      /* an answer is wanted within half a second, or none */
    const char *about; /* goes before an error that is answered: "tasks.jsonl:7"; NULL: nothing does */
    bool holds_words;  /* what went wrong is kept in words, for who draws on the whole screen */
    char words[1500];
    bool reader_gone; /* standard output leads nowhere */
    struct pdk_arena arena;
};

/* ---- remote.c. Those that give an int: 0, or an exit code after the error was told. */

/* stays: it may wait for long; signals are then taken by pdk_remote_look. reconnect_ns: how long a stream that broke off is
 * tried again. Close it in every case. */
int pdk_remote_open(struct pdk_remote *remote, struct pdk_arguments *arguments, bool stays, uint64_t reconnect_ns);
/* The same for who only looks whether there is a server: nothing is told, nothing takes long. */
int pdk_remote_try(struct pdk_remote *remote, struct pdk_arguments *arguments);

/* The exit code of the verb: code, or 128 + the signal that ended it, also when nobody reads any more. */
int pdk_remote_close(struct pdk_remote *remote, int code);

/* What has come of signals; true: somebody wants the end. */
bool pdk_remote_look(struct pdk_remote *remote);
/* Wait so long at most, with fd (-1: none) in view. */
void pdk_remote_wait(struct pdk_remote *remote, uint64_t ns, int fd);
/* Write out what was printed. False: there is nobody to read it. */
bool pdk_remote_flush(struct pdk_remote *remote);

/* Where the server is, by options and variables: socket or url is set, not both. */
struct pdk_place_of_server {
    const char *socket, *url;
};
int pdk_remote_place(struct pdk_arguments *arguments, struct pdk_place_of_server *ret);

/* ---- remote_ask.c */

/* Into remote->status and remote->value. body NULL: none. path is freed. An error that the server answers is an answer. */
int pdk_remote_ask(struct pdk_remote *remote, const char *method, struct pdk_buffer *path, const pdk_value *body);
/* The same, and such an error is told, too. *ret may be NULL, and lives until the next question. */
int pdk_remote_get(struct pdk_remote *remote, struct pdk_buffer *path, const pdk_value **ret);
int pdk_remote_post(struct pdk_remote *remote, struct pdk_buffer *path, const pdk_value *body, const pdk_value **ret);
/* What is posted: {key: text}, or {key: number} where text is NULL. Owned by the caller. 0, or an exit code after the error was
 * told. */
int pdk_remote_body(const struct pdk_remote *remote, const char *key, const char *text, int64_t number,
                    const pdk_value **ret);
/* Every entry of a list that comes in pages; each gives not 0 for enough. path is freed. */
int pdk_remote_pages(struct pdk_remote *remote, struct pdk_buffer *path, const char *member,
                     int (*each)(void *arg, const pdk_value *entry), void *arg);
/* Server-sent events; each gives not 0 for enough. path is freed. */
int pdk_remote_follow(struct pdk_remote *remote, struct pdk_buffer *path, const char *last_id,
                      int32_t (*each)(void *arg, const pdk_client_event *event), void *arg);

/* Tell the error that was answered; the exit code that fits it. */
int pdk_remote_fault(struct pdk_remote *remote);
int pdk_remote_unreachable(struct pdk_remote *remote, int32_t rc, const pdk_error *err);

/* ---- remote_text.c */

void pdk_url_add(struct pdk_buffer *to, const char *text);                              /* encoded */
void pdk_url_query(struct pdk_buffer *to, const char *name, const char *value);         /* NULL: left out */
void pdk_url_words(struct pdk_buffer *to, const char *name, int option, uint32_t bits); /* of a list; 0: left out */
void pdk_url_number(struct pdk_buffer *to, const char *name, int64_t value);            /* 0: left out */

/* Members of a map; "", 0 and false are absent. */
const char *pdk_get_text(const pdk_value *map, const char *key);
int64_t pdk_get_integer(const pdk_value *map, const char *key);
double pdk_get_number(const pdk_value *map, const char *key); /* negative: absent */
bool pdk_get_flag(const pdk_value *map, const char *key);

/* A text for one cell of a terminal: control characters, those that end a line too, are made visible, also colours. In the
 * arena; "" without memory. */
const char *pdk_cell(struct pdk_arena *arena, const char *text);
const char *pdk_cell_of(struct pdk_arena *arena, const pdk_value *map, const char *key);

/* A JSON line on standard output. */
void pdk_print_json(const pdk_value *value);

/* RFC 3339 to Unix time in ns. -EINVAL. */
int32_t pdk_time_read(const char *text, uint64_t *ret);
/* "3m ago", "in 12s", "now"; "-" for what is no time. Returns buf. */
const char *pdk_time_relative(const char *text, uint64_t now, char *buf, size_t size);
/* How long from one to the other, or to now when that is no time: "3m12s"; "-". Returns buf. */
const char *pdk_time_span(const char *from, const char *to, uint64_t now, char *buf, size_t size);

/* Of a run, a job, a plugin: its colour. */
enum pdk_tone pdk_tone_of(const char *word);
/* "failed" for what has ended, else its state. */
const char *pdk_state_of(const pdk_value *run);
/* Why it is as it is: "exit code 3", "again in 12s". In the arena. */
const char *pdk_why_of(struct pdk_arena *arena, const pdk_value *run, uint64_t now);

/* A row of titles, unless they are not wanted. */
void pdk_titles(const struct pdk_remote *remote, struct pdk_grid *grid, const char *const *titles);
void pdk_grid_tone(struct pdk_grid *grid, const struct pdk_console *console, enum pdk_tone tone, const char *text);

/* Is it the number of a job? */
bool pdk_is_job(const char *word);

/* verb_show.c: all about one. */
int pdk_show_one(struct pdk_remote *remote, const char *name, bool job);
/* verb_queue.c, verb_slots.c: rows that top has, too; and the words that may follow queue and dead, NULL at the end. */
void pdk_topic_titles(const struct pdk_remote *remote, struct pdk_grid *grid);
void pdk_topic_row(const struct pdk_console *out, struct pdk_grid *grid, struct pdk_arena *arena,
                   const pdk_value *topic);
void pdk_slot_titles(const struct pdk_remote *remote, struct pdk_grid *grid);
void pdk_slot_row(const struct pdk_console *out, struct pdk_grid *grid, struct pdk_arena *arena, const pdk_value *slot);
const char *pdk_queue_word(bool dead, size_t i);

/* complete_remote.c: what a server has that may stand here, as complete.c prints it. Soon, and silent if there is none.
 * False: here stands the value of an option. */
bool pdk_complete_remote(const struct pdk_verb *verb, int argc, char **argv);

/* ---- remote_wait.c: wait until runs and jobs have ended, and say how it goes. The exit code that fits how they ended. */
struct pdk_awaited {
    const char *id; /* of a run or a job */
    bool job, own_code, ended;
    int code;
    char said[96]; /* what was said last */
};
int pdk_remote_await(struct pdk_remote *remote, struct pdk_awaited *awaited, size_t count);

#endif
