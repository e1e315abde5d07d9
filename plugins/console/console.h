/* SPDX-License-Identifier: Apache-2.0 */
/*
 * console: paddock.control/1 over HTTP. Everything here runs on the main thread.
 *
 *   listen.c    sockets                  daemon.c   libmicrohttpd on the host's loop; connections and their deadlines
 *   request.c   one request: its life    route.c    which handler; what is refused before one is asked
 *   uri.c       paths, queries, headers  auth.c     who may
 *   answer.c    what is sent back        limits.c   how often
 *   list.c runs.c jobs.c slots.c status.c  the handlers
 *   static.c                             the page for people
 *   cache.c     runs as text
 *   events.c    the newest events, kept  sse.c      those who follow them
 *   output.c    what runs print
 */
#ifndef CONSOLE_H
#define CONSOLE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <microhttpd.h>

#include "paddock/archive.h"
#include "paddock/control.h"
#include "paddock/helpers.h"
#include "paddock/loop.h"
#include "paddock/queue.h"
#include "uri.h"

#define CON_API "1"
#define SECOND  UINT64_C(1000000000)

#define CON_ANSWER_MAX (64 << 20) /* bytes of runs */

enum { CON_PARTS = 8, CON_QUERY = 16, CON_PAGE = 1000, CON_USERS = 64, CON_BUCKETS = 1024, CON_CACHED = 4096 };

struct con;
struct con_request;

/* ---- text that grows up to a cap; the first failure sticks ---- */

struct con_text {
    char *data;
    size_t size, capacity, limit;
    int32_t error; /* 0, -ENOMEM, -E2BIG */
};

void con_text_expect(struct con_text *text, size_t size); /* about so much: one allocation instead of several */
void con_text_add(struct con_text *text, const char *data, size_t size);
void con_text_put(struct con_text *text, const char *string);
__attribute__((format(printf, 2, 3))) void con_text_format(struct con_text *text, const char *format, ...);
void con_text_write(void *text, const char *data, size_t size); /* a pdk_write */
void con_text_cut(struct con_text *text, size_t size);          /* the first bytes go */
void con_text_free(struct con_text *text);

/* ---- runs as text ---- */

struct con_cached {
    pdk_run run; /* 0: free */
    uint64_t hash;
    char *text;
    size_t size;
};

/* Append a run as JSON. False: no memory. con_cache_add keeps the text for the next time. */
bool con_describe(const struct con *con, const pdk_run_info *info, struct con_text *to);
bool con_cache_add(struct con *con, const pdk_run_info *info, struct con_text *to);
void con_cache_free(struct con *con);

/* ---- options ---- */

struct con_options {
    const char *socket, *group, *listen, *token_file, *certificate, *key, *client_ca; /* "" or NULL: not said */
    uint32_t mode;
    const pdk_value *users, *hosts; /* lists of strings, or NULL */
    int64_t connections, per_address, rate, local_rate, events;
    uint64_t body, header;
    uint64_t request_ns, answer_ns, idle_ns; /* until it is there, until it is taken, between two */
};

extern const pdk_schema con_config;
int32_t con_options_read(const pdk_host *host, const pdk_value *config, struct con_options *o, pdk_error *err);

/* ---- who asks how often ---- */

struct con_bucket {
    unsigned char key[16];
    uint64_t filled_ns, used;
    double tokens;
};

struct con_limits {
    uint64_t seed;
    struct con_bucket buckets[CON_BUCKETS];
};

void con_limits_begin(struct con_limits *limits);
/* 0: it may; else after how many seconds it may. rate: in a second, 0: no limit. */
uint32_t con_limits_take(struct con_limits *limits, const unsigned char key[16], int64_t rate, uint64_t now);

/* ---- listeners and connections ---- */

struct con_server {
    struct con *con;
    struct MHD_Daemon *daemon;
    int fd, epoll;
    bool local, tls, ours; /* ours: the socket's file is ours to remove */
    bool posted;           /* the call is on its way: nothing may be freed */
    pdk_watch io;
    pdk_call call;
    char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
    dev_t device; /* of that file: another may have taken its place */
    ino_t inode;
};

/* What a connection is doing; each has its time, see daemon.c. */
enum con_phase { CON_ASKING, CON_IDLE, CON_WORKING, CON_ANSWERING, CON_STREAMING };

struct con_peer {
    TAILQ_ENTRY(con_peer) all;
    struct con_server *server;
    int fd;
    enum con_phase phase;
    uint64_t since;
    bool closing;  /* it was shut down */
    bool verified; /* its certificate is good */
    int64_t uid;   /* local only; else -1 */
    unsigned char key[16];
};
TAILQ_HEAD(con_peers, con_peer);

int32_t con_listen_local(struct con_server *server, pdk_error *err);
int32_t con_listen_tcp(struct con_server *server, pdk_error *err);
int32_t con_listen_given(struct con_server *server, int fd, pdk_error *err);
void con_listen_end(struct con_server *server);

int32_t con_daemon_begin(struct con_server *server, pdk_error *err);
void con_daemon_end(struct con_server *server);
void con_daemon_kick(struct con_server *server); /* something was resumed */
void con_peer_phase(struct con_peer *peer, enum con_phase phase);
void con_peer_close(struct con_peer *peer);
bool con_peer_is_gone(const struct con_peer *peer); /* the library does not look while it is suspended */
void con_sweep(struct con *con);                    /* every second */

/* ---- who may ---- */

struct con_users {
    uint32_t uids[CON_USERS];
    size_t count;
    bool all;
};

int32_t con_auth_begin(struct con *con, pdk_error *err);
bool con_auth_check(struct con_request *request); /* false: it is answered */

/* ---- requests ---- */

enum con_type { CON_JSON, CON_NDJSON, CON_SSE, CON_PLAIN, CON_METRICS };

struct con_query {
    const char *name, *value;
};

typedef void (*con_handler)(struct con_request *);

/* Makes an answer of what the queue says; value and err as in queue.h. */
typedef void (*con_answer_of_queue)(struct con_request *, int32_t rc, const pdk_value *value, const pdk_error *err);

struct con_route {
    const char *method, *pattern; /* {name} stands for any one part */
    con_handler handle;
    bool body; /* it wants one */
};

struct con_request {
    TAILQ_ENTRY(con_request) all;
    struct con *con;
    struct con_peer *peer;
    struct MHD_Connection *connection;
    const struct con_route *route;
    char *path; /* its own, cut into parts */
    const char *parts[CON_PARTS];
    size_t part_count;
    struct con_query query[CON_QUERY];
    size_t query_count;
    char *query_text;
    const char *method, *accept; /* the library's, as long as the request */
    struct con_text body;
    const pdk_value *json;
    struct MHD_Response *response;
    unsigned status;
    bool open;      /* anybody may have it who may come here at all */
    bool asked;     /* its handler was called */
    bool suspended; /* it waits for an answer */
    bool gone;      /* nobody waits for it any more, but a call that is on needs it */
    uint32_t calls; /* that are on */
    con_answer_of_queue answer;
};
TAILQ_HEAD(con_requests, con_request);

enum MHD_Result con_request_take(void *arg, struct MHD_Connection *connection, const char *url, const char *method,
                                 const char *version, const char *data, size_t *size, void **state);
void con_request_end(void *arg, struct MHD_Connection *connection, void **state, enum MHD_RequestTerminationCode code);
void con_request_wake(struct con_request *request); /* its answer is there */
void con_request_hold(struct con_request *request); /* a call begins that will come back to it */
void con_request_release(struct con_request *request);
const char *con_request_header(const struct con_request *request, const char *name); /* NULL: none */
const char *con_request_query(const struct con_request *request, const char *name);  /* NULL: none */
/* The part of the path that stands where the pattern has {name}; "" if none does. */
const char *con_request_part(const struct con_request *request, const char *name);
/* False: it is answered. *ret is left alone where it was not said. */
bool con_request_number(struct con_request *request, const char *name, uint64_t least, uint64_t most, uint64_t *ret);
bool con_request_flag(struct con_request *request, const char *name, bool *ret);
/* Which of these is wanted most; -1: none, and it is answered. */
int con_request_type(struct con_request *request, const enum con_type *offered, size_t count);
/* Who asks: "uid 1000", "127.0.0.1". */
void con_request_who(const struct con_request *request, char *buf, size_t size);

void con_route(struct con_request *request); /* sets route, or answers */

/* ---- answers ---- */

enum con_fault {
    CON_INVALID,
    CON_UNAUTHORIZED,
    CON_FORBIDDEN,
    CON_NOT_FOUND,
    CON_NOT_ALLOWED,
    CON_CONFLICT,
    CON_TOO_LARGE,
    CON_MEDIA_TYPE,
    CON_NOT_ACCEPTABLE,
    CON_UNPROCESSABLE,
    CON_BUSY,
    CON_UNAVAILABLE,
    CON_NOT_SUPPORTED,
    CON_STORAGE,
    CON_INTERNAL
};

void con_answer_value(struct con_request *request, unsigned status,
                      const pdk_value *value);                                           /* drops it; NULL: no memory */
void con_answer_close(struct con_request *request, unsigned status, pdk_writer *writer); /* closes it */
void con_answer_data(struct con_request *request, unsigned status, enum con_type type, struct con_text *text);
void con_answer_fault(struct con_request *request, enum con_fault code, const char *message, const char *hint);
__attribute__((format(printf, 3, 4))) void con_answer_faultf(struct con_request *request, enum con_fault code,
                                                             const char *format, ...);
/* What a call of the host answered; what is at fault is shown as a pointer into the body. */
void con_answer_error(struct con_request *request, int32_t rc, const pdk_error *err);
void con_answer_header(struct con_request *request, const char *name, const char *value);
void con_answer_stream(struct con_request *request, enum con_type type, MHD_ContentReaderCallback read, void *stream,
                       MHD_ContentReaderFreeCallback end);

/* Writing, shorter: all append to a map that is open. */
void con_put_text(const struct con *con, pdk_writer *w, const char *key, const char *text);
void con_put_int(const struct con *con, pdk_writer *w, const char *key, uint64_t number);
void con_put_value(const struct con *con, pdk_writer *w, const char *key, const pdk_value *value);
const char *con_get_text(const struct con *con, const pdk_value *map, const char *key); /* "" if none */
int64_t con_get_int(const struct con *con, const pdk_value *map, const char *key);      /* 0 if none */

/* ---- handlers ---- */

void con_health(struct con_request *request);
void con_ready(struct con_request *request);
void con_metrics(struct con_request *request);
void con_version(struct con_request *request);
void con_status(struct con_request *request);
void con_plugins(struct con_request *request);
void con_tasks(struct con_request *request);
void con_task_act(struct con_request *request);
void con_inbox(struct con_request *request);
void con_server_act(struct con_request *request);
void con_slots(struct con_request *request);
void con_slot_act(struct con_request *request);
void con_runs_list(struct con_request *request);
void con_run_submit(struct con_request *request);
void con_run_show(struct con_request *request);
void con_run_spec(struct con_request *request);
void con_run_route(struct con_request *request);
void con_run_act(struct con_request *request);
void con_run_output(struct con_request *request);
void con_route_ask(struct con_request *request);
void con_check(struct con_request *request);
void con_jobs_list(struct con_request *request);
void con_job_submit(struct con_request *request);
void con_job_show(struct con_request *request);
void con_job_act(struct con_request *request);
void con_topics(struct con_request *request);
void con_topic_act(struct con_request *request);
void con_dead(struct con_request *request);
void con_dead_act(struct con_request *request);
void con_events_follow(struct con_request *request);
void con_static(struct con_request *request);

bool con_static_is(const char *method, const char *url); /* a file of the page, which holds no secret */

extern const char *const con_outcomes[]; /* the words of PDK_END_..., then NULL */

const pdk_queue *con_queue(const struct con *con); /* NULL: there is none */
void con_ask(struct con_request *request, const char *verb, const pdk_value *params, con_answer_of_queue answer);

/* The run of a path, by id or by the name of a task; what is needed of it. False: it is answered. */
struct con_run {
    pdk_run run;
    int32_t state;
    uint32_t attempts; /* begun so far */
    char run_id[256];
};
bool con_run_find(struct con_request *request, const char *name, struct con_run *ret); /* quiet: only false */

/* A run that only the archive knows, marked so; it is yours. NULL: no memory. */
const pdk_value *con_archived(const struct con *con, const pdk_value *run);

/* ---- events ---- */

struct con_event {
    pdk_event event; /* what it points to follows it */
    pdk_usage usage; /* where it has one */
    uint64_t id;
    size_t size; /* of what follows */
    char *text;  /* as it is sent, made when first wanted */
    size_t text_size;
    char name[32]; /* "run.ended"; "" until text is made */
    char data[];
};

struct con_stream;
TAILQ_HEAD(con_streams, con_stream);

struct con_events {
    struct con *con;
    pdk_watch watch, timer;
    pdk_call call;
    struct con_event **ring;
    uint32_t capacity;
    uint64_t first, next; /* which are kept, counted from the start */
    uint64_t gone;        /* the number of the newest that is not kept any more */
    uint64_t newest;      /* the number of the newest */
    size_t bytes;
    uint64_t outcomes[PDK_END_LOST + 1]; /* how many ended so */
    char life[20];                       /* tells one start of the program from another */
    struct con_streams streams;
    uint32_t stream_count;
    bool due;    /* the timer or the call is on its way */
    bool posted; /* it is the call */
};

int32_t con_events_begin(struct con *con, pdk_error *err);
void con_events_end(struct con *con);
void con_events_call(struct con *con, bool now); /* streams are woken soon */
/* As it is sent; NULL: no memory. */
const struct con_event *con_event_text(struct con *con, uint64_t index);
void con_streams_wake(struct con *con);  /* those that have something to send */
void con_streams_sweep(struct con *con); /* heartbeats, and those who do not read */
void con_streams_end(struct con *con);

/* ---- output that is followed ---- */

struct con_follower;
TAILQ_HEAD(con_followers, con_follower);
void con_followers_sweep(struct con *con);
void con_followers_end(struct con *con);

/* ---- the instance ---- */

struct con {
    const pdk_host *host;
    const pdk_values *values;
    const pdk_control *control;
    const pdk_loop *loop;
    struct con_options options;
    struct con_users users;
    char *token, *pem_certificate, *pem_key, *pem_ca; /* NULL: none */
    struct con_server servers[2];                     /* local, TCP */
    struct con_peers peers;
    struct con_requests requests;
    struct con_events events;
    struct con_followers followers;
    struct con_limits limits;
    size_t page_size; /* of the last list */
    struct con_cached cache[CON_CACHED];
    pdk_watch sweep;
    uint64_t started_unix;
    uint64_t turn_ns; /* when the library was last run: a request asks the clock once, not at each phase */
    uint32_t calls;   /* of others that are on and come back */
    bool stopping, stop_asked, told_stopped;
};

uint64_t con_now(const struct con *con);
void con_stop_look(struct con *con); /* says stopped when nothing is on any more */
/* "2026-01-02T03:04:05.123456789Z" */
const char *con_time(uint64_t unix_ns, char *buf, size_t size);

#endif
