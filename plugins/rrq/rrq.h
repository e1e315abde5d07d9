/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The source of RRQ, inside: an orchestrator connects, its requests become runs. Who does what:
 *
 *     config.c      what the operator says            function.c    names of functions -> prepared specs
 *     listener.c    the port, who comes               connection.c  who is there, and for how long
 *     input.c       bytes -> frames -> messages       output.c      frames -> bytes
 *     delivery.c    a request until it is answered    answer.c      an outcome -> its words
 *     source_meters.c  what is counted
 *     frame.c, message.c, timestamp.c, address.c, buffer.c, parse.c   know nothing of all this
 *
 * Everything runs on the loop's thread, but for the parsing of large frames.
 */
#ifndef RRQ_H
#define RRQ_H

#include <stdbool.h>
#include <sys/queue.h>

#include <paddock/helpers.h>
#include <paddock/loop.h>

#include "address.h"
#include "buffer.h"
#include "frame.h"
#include "message.h"
#include "parse.h"

enum {
    PDK_RRQ_IN_FLIGHT = 64,      /* requests of one connection: what orchestrators keep to */
    PDK_RRQ_READ = 64 * 1024,    /* bytes taken from a connection at once */
    PDK_RRQ_LEFT_SECONDS = 5,    /* after which a connection that its orchestrator has left is closed */
    PDK_RRQ_PAUSE_MS = 200,      /* when no descriptor is left */
    PDK_RRQ_GOODBYE_SECONDS = 3, /* for the last answers, when we stop */
};

#define PDK_RRQ_SECOND UINT64_C(1000000000)

struct pdk_rrq;
struct pdk_rrq_connection;
struct pdk_rrq_pool;

/* ---- function.c */

/* What becomes the input of a run. */
enum pdk_rrq_input { PDK_RRQ_INPUT_NONE, PDK_RRQ_INPUT_PARAMS, PDK_RRQ_INPUT_REQUEST };

/* A function that is known: mapped by the operator, or found when it was first asked for. */
struct pdk_rrq_function {
    const char *name;
    const pdk_template *base;
    bool with; /* its params are the `with` of a kind; else it is a declared task */
    enum pdk_rrq_input input;
};

struct pdk_rrq_functions {
    struct pdk_rrq_function *list; /* by name */
    size_t count, capacity;
};

/* Is what the operator maps well said? */
int32_t pdk_rrq_functions_check(const struct pdk_rrq *self, pdk_error *err);
/* Prepare it. */
int32_t pdk_rrq_functions_start(struct pdk_rrq *self, pdk_error *err);
/* -ENOENT: there is none of that name. Lives until the next call of find. */
int32_t pdk_rrq_functions_find(struct pdk_rrq *self, const char *name, const struct pdk_rrq_function **ret,
                               pdk_error *err);
void pdk_rrq_functions_free(struct pdk_rrq *self);

/* ---- delivery.c */

/* A request, from the moment it was read until it is answered. */
struct pdk_rrq_delivery {
    TAILQ_ENTRY(pdk_rrq_delivery) link;    /* of its connection */
    struct pdk_rrq_connection *connection; /* NULL: it has gone, nobody is to be answered */
    struct pdk_rrq_request request;        /* borrowed from its payload, which is held */
    uint64_t deadline_ns;                  /* on the host's clock; 0: none */
    pdk_run run;
    size_t size; /* of its frame */
    bool submitted;
};
TAILQ_HEAD(pdk_rrq_deliveries, pdk_rrq_delivery);

/* Take a request over. false: read no more of this connection, the host has no room; it goes on by itself. */
bool pdk_rrq_delivery_begin(struct pdk_rrq_connection *connection, const pdk_value *payload, size_t size);
/* Give what waits to the host once more. false: still no room. */
bool pdk_rrq_delivery_retry(struct pdk_rrq_connection *connection);
void pdk_rrq_delivery_cancel(struct pdk_rrq *self, const struct pdk_rrq_cancel *cancel);
void pdk_rrq_delivery_settled(void *data, pdk_delivery handle, const pdk_outcome *outcome);
/* The connection ends: nothing of it is answered any more. */
void pdk_rrq_deliveries_leave(struct pdk_rrq_connection *connection);
/* We end: what waits for room is given back. */
void pdk_rrq_deliveries_drain(struct pdk_rrq_connection *connection);

/* ---- early.c: cancels that overtook their requests */

enum { PDK_RRQ_EARLY = 32 };

struct pdk_rrq_early {
    char request_id[64];
    uint64_t until_ns;
};

void pdk_rrq_early_add(struct pdk_rrq *self, const char *request_id);
bool pdk_rrq_early_take(struct pdk_rrq *self, const char *request_id); /* was this one cancelled already? */

/* ---- answer.c */

/* Each adds one frame to the connection's output. */
void pdk_rrq_answer_outcome(struct pdk_rrq_connection *connection, const struct pdk_rrq_request *request,
                            const pdk_outcome *outcome);
void pdk_rrq_answer_error(struct pdk_rrq_connection *connection, const struct pdk_rrq_request *request,
                          const char *type, const char *message);
void pdk_rrq_answer_hopeless(struct pdk_rrq_connection *connection, const struct pdk_rrq_request *request,
                             const char *code, const char *message); /* never to be tried again */
void pdk_rrq_answer_timeout(struct pdk_rrq_connection *connection, const struct pdk_rrq_request *request,
                            const char *message);
void pdk_rrq_answer_later(struct pdk_rrq_connection *connection, const struct pdk_rrq_request *request,
                          const char *type, const char *message); /* not ours: try again */

/* ---- connection.c, input.c, output.c */

/* Where it waits for its time to be over. */
enum pdk_rrq_line {
    PDK_RRQ_IDLE, /* nothing is to be done for it */
    PDK_RRQ_LEFT, /* the same, and its orchestrator has a newer one */
    PDK_RRQ_SLOW, /* a frame is half here, or an answer half sent */
    PDK_RRQ_LINES,
    PDK_RRQ_AT_WORK /* no time is running: its runs have deadlines */
};
TAILQ_HEAD(pdk_rrq_connections, pdk_rrq_connection);

struct pdk_rrq_connection {
    TAILQ_ENTRY(pdk_rrq_connection) all, line, dirty, paused;
    struct pdk_rrq *self;
    int fd, unacknowledged; /* bytes that the peer had not read when we looked last */
    uint8_t at;             /* enum pdk_rrq_line */
    bool is_dirty, is_paused;
    bool deaf;    /* nothing is read any more; closed when all is answered and sent */
    bool left;    /* its orchestrator has a newer one */
    bool writing; /* waits until it can write */
    bool broken;  /* to be closed as soon as nobody looks at it */
    bool spoke;   /* a request came */
    uint32_t in_flight;
    uint64_t since;  /* when its time in the line began */
    uint64_t worker; /* a hash of whose it is; 0: unknown */
    pdk_watch watch;
    struct pdk_rrq_deliveries deliveries;
    struct pdk_rrq_delivery *waiting; /* for room; among the deliveries */
    struct pdk_rrq_buffer in, out;
    struct pdk_rrq_parse *parse; /* of its next frame, which is large; until it is done nothing is read */
    size_t parsing;              /* bytes of that */
};

int32_t pdk_rrq_connection_open(struct pdk_rrq *self, int fd); /* fd is taken over, also on failure */
void pdk_rrq_connection_close(struct pdk_rrq_connection *connection, const char *why); /* why NULL: the peer has */
/* Put it where its state belongs, close it if it is over. Call it last: it may be gone then. */
void pdk_rrq_connection_settle(struct pdk_rrq_connection *connection);
/* No frame can be found any more: answer what runs, then close. */
void pdk_rrq_connection_deafen(struct pdk_rrq_connection *connection, const char *why);
void pdk_rrq_connection_watch(struct pdk_rrq_connection *connection);
void pdk_rrq_connection_pause(struct pdk_rrq_connection *connection); /* reading, until there is room */
void pdk_rrq_connection_unpause(struct pdk_rrq_connection *connection);
/* A request says whose it is: older connections of the same orchestrator were left behind. */
void pdk_rrq_connection_belongs(struct pdk_rrq_connection *connection, const char *worker);
void pdk_rrq_connections_close(struct pdk_rrq *self);

void pdk_rrq_input_ready(struct pdk_rrq_connection *connection); /* settle it afterwards */
void pdk_rrq_input_resume(struct pdk_rrq *self);                 /* there is room again */

void pdk_rrq_output_dirty(struct pdk_rrq_connection *connection); /* something is to be sent */
void pdk_rrq_output_send(struct pdk_rrq_connection *connection);
void pdk_rrq_output_flush(struct pdk_rrq *self);

/* ---- listener.c */
int32_t pdk_rrq_listen(struct pdk_rrq *self, pdk_error *err);
void pdk_rrq_listen_no_more(struct pdk_rrq *self);

/* ---- source_meters.c */

/* By source alone. */
enum pdk_rrq_meter {
    PDK_RRQ_METER_CONNECTIONS,
    PDK_RRQ_METER_TURNED_AWAY,
    PDK_RRQ_METER_REQUESTS,
    PDK_RRQ_METER_IN_FLIGHT,
    PDK_RRQ_METER_CANCELS,
    PDK_RRQ_METER_RECEIVED,
    PDK_RRQ_METER_SENT,
    PDK_RRQ_METERS
};

/* Why a request was answered without a run. */
enum pdk_rrq_refused {
    PDK_RRQ_REFUSED_BUSY, /* 64 of its connection are in flight */
    PDK_RRQ_REFUSED_DUPLICATE,
    PDK_RRQ_REFUSED_DEADLINE,
    PDK_RRQ_REFUSED_INVALID,
    PDK_RRQ_REFUSED_VERSION,
    PDK_RRQ_REFUSED_NO_HANDLER,
    PDK_RRQ_REFUSED_PARAMS,
    PDK_RRQ_REFUSED_SHUTTING_DOWN,
    PDK_RRQ_REFUSED_MEMORY,
    PDK_RRQ_REFUSED_CANCELLED, /* while it waited for room, or before it was read */
    PDK_RRQ_REASONS
};

enum { PDK_RRQ_STATUSES = 4, PDK_RRQ_TYPES = 21 };

struct pdk_rrq_source_meters {
    const pdk_metrics *metrics; /* NULL: none; and so is each series that nobody wants */
    pdk_series *own[PDK_RRQ_METERS], *refused[PDK_RRQ_REASONS];
    pdk_series *answers[PDK_RRQ_STATUSES][PDK_RRQ_TYPES]; /* NULL: not asked for yet */
};

void pdk_rrq_source_meters_make(struct pdk_rrq *self);
void pdk_rrq_meter_count(const struct pdk_rrq *self, enum pdk_rrq_meter meter, double n);
void pdk_rrq_meter_refused(const struct pdk_rrq *self, enum pdk_rrq_refused reason);
void pdk_rrq_meter_answer(struct pdk_rrq *self, const char *status, const char *type); /* type NULL: none */
void pdk_rrq_meters_now(const struct pdk_rrq *self);                                   /* how many there are */

/* ---- config.c, plugin.c */
struct pdk_rrq {
    const pdk_host *host;
    const pdk_loop *loop;
    const pdk_source *source;
    struct pdk_rrq_pool *pool; /* the role of the runner; NULL: it plays that of the source */
    /* config */
    const pdk_value *config;
    const char *listen;
    uint64_t idle_ns, slow_ns, unsent_max, memory_max;
    int64_t connections_max;
    /* at work */
    struct pdk_rrq_functions functions;
    void *by_id;                               /* deliveries by request id: see tsearch(3) */
    struct pdk_rrq_early early[PDK_RRQ_EARLY]; /* a ring */
    uint32_t early_next;
    uint64_t early_until; /* when the last of them is forgotten; 0: there are none */
    struct pdk_rrq_connections all, lines[PDK_RRQ_LINES], dirty, paused;
    uint32_t connections, paused_count, in_flight;
    struct pdk_rrq_parses parses;
    size_t memory;   /* of frames that are not answered */
    size_t buffered; /* of frames that are not whole */
    bool starved;    /* somebody is paused because of memory */
    int fd;          /* that we listen on; -1 */
    pdk_watch listener, pause, timer, goodbye;
    uint64_t timer_due, goodbye_due;
    char *read_buffer;
    uint64_t refused; /* connections beyond the limit */
    struct pdk_rrq_source_meters meters;
    bool draining, stopping;
};

extern const pdk_schema pdk_rrq_config;
int32_t pdk_rrq_create(const pdk_host *host, const pdk_value *config, void **ret, pdk_error *err);
void pdk_rrq_destroy(void *self);

#endif
