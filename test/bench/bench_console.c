/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the console costs, over what the same HTTP library costs on the same loop with a bare handler: it takes the same
 * requests, and sends the same status, the same header and as many bytes as the console did. A second floor of POST
 * reads the body and submits the run, too: what is left is what the console adds to the run.
 *
 * One client, on a thread of its own, keeps a few connections busy, first of the one, then of the other. It never
 * sleeps: a client that does must be woken by each answer of the slower of the two, and by none of the faster.
 */
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <microhttpd.h>

#include "bench.h"
#include "core/supervise/supervisor.h"
#include "paddock/helpers.h"

enum { CONNECTIONS = 8, ANSWER_MAX = 1 << 20, HEADERS = 16 };

#define SPAN (PDK_SECOND / 2)

struct bench {
    pdk_supervisor *supervisor;
    const pdk_loop *loop;
    struct MHD_Daemon *bare;
    char folder[64], ours[96], floor[96];
    char *body;          /* of the bare handler */
    _Atomic size_t size; /* set last: whoever reads it sees the next three */
    unsigned status;
    char names[HEADERS][64], values[HEADERS][128];
    size_t headers;
    atomic_bool submits; /* the bare handler starts the run */
    const char *request; /* of the row: a pattern with a number, or a text */
    uint64_t number;
};

/* ---- the bare handler ---- */

static void submit(struct bench *b, const char *data, size_t size) {
    const pdk_values *values = pdk_values_get();
    const pdk_value *spec = NULL;
    pdk_error err = PDK_ERROR;
    pdk_run run;
    if (values->parse(values, data, size, "body", &spec, &err) < 0) abort();
    if (pdk_supervisor_submit(b->supervisor, spec, NULL, &run, &err) < 0) abort();
    values->drop(spec);
}

static enum MHD_Result answer(void *arg, struct MHD_Connection *connection, const char *url, const char *method,
                              const char *version, const char *data, size_t *size, void **state) {
    static int seen;
    struct bench *b = arg;
    (void)url, (void)method, (void)version;
    if (!*state) {
        *state = &seen;
        return MHD_YES;
    }
    if (*size) {
        if (atomic_load(&b->submits)) submit(b, data, *size);
        *size = 0;
        return MHD_YES;
    }
    struct MHD_Response *response =
        MHD_create_response_from_buffer(atomic_load(&b->size), b->body, MHD_RESPMEM_PERSISTENT);
    for (size_t i = 0; i < b->headers; i++) (void)MHD_add_response_header(response, b->names[i], b->values[i]);
    enum MHD_Result result = MHD_queue_response(connection, b->status, response);
    MHD_destroy_response(response);
    return result;
}

static void run_bare(void *arg, uint32_t events) {
    struct bench *b = arg;
    (void)events;
    (void)MHD_run(b->bare);
}

static int listen_at(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    if (bind(fd, (const struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 64) < 0) abort();
    return fd;
}

/* ---- the client ---- */

static int connect_to(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) < 0) abort();
    return fd;
}

static void ask(struct bench *b, int fd) {
    char body[128], text[512];
    int size = 0;
    if (b->request) {
        size = snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", b->request);
    } else {
        int length = snprintf(body, sizeof body, "{\"name\":\"run-%llu\",\"kind\":\"echo\"}",
                              (unsigned long long)(b->number++ % 100000));
        size = snprintf(text, sizeof text,
                        "POST /v1/runs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                        "Content-Length: %d\r\n\r\n%s",
                        length, body);
    }
    if (write(fd, text, (size_t)size) != size) abort();
}

/* The size of the body of one whole answer. */
static size_t hear(int fd, char *buf) {
    size_t used = 0, whole = 0, body = 0;
    while (!whole || used < whole) {
        ssize_t n = read(fd, buf + used, ANSWER_MAX - used - 1);
        if (n <= 0) abort();
        used += (size_t)n;
        buf[used] = '\0';
        if (whole) continue;
        char *end = strstr(buf, "\r\n\r\n"), *length = strcasestr(buf, "\r\ncontent-length: ");
        if (!end || !length) continue;
        body = strtoul(length + 18, NULL, 10);
        whole = (size_t)(end + 4 - buf) + body;
    }
    if (strncmp(buf, "HTTP/1.1 20", 11) != 0) abort();
    return body;
}

/* Requests a second. */
static double measure(struct bench *b, const char *path) {
    static char buf[ANSWER_MAX];
    struct pollfd fds[CONNECTIONS];
    uint64_t begun = pdk_clock_now(), count = 0, passed;
    for (int i = 0; i < CONNECTIONS; i++) {
        fds[i] = (struct pollfd){.fd = connect_to(path), .events = POLLIN};
        ask(b, fds[i].fd);
    }
    do {
        if (poll(fds, CONNECTIONS, 0) == 0) (void)sched_yield(); /* the server may want this very core */
        for (int i = 0; i < CONNECTIONS; i++) {
            if (!fds[i].revents) continue;
            (void)hear(fds[i].fd, buf);
            ask(b, fds[i].fd);
            count++;
        }
        passed = pdk_clock_now() - begun;
    } while (passed < SPAN);
    for (int i = 0; i < CONNECTIONS; i++) {
        (void)hear(fds[i].fd, buf);
        close(fds[i].fd);
    }
    return (double)count * (double)PDK_SECOND / (double)passed;
}

static double ours(void *arg) {
    struct bench *b = arg;
    return measure(b, b->ours);
}

static double floor_of(void *arg) {
    struct bench *b = arg;
    return measure(b, b->floor);
}

/* What the library adds by itself is not told to it. */
static bool is_added(const char *name) {
    return !strcasecmp(name, "Date") || !strcasecmp(name, "Connection") || !strcasecmp(name, "Content-Length");
}

/* What the console answers to this request, for the bare handler to send as well. */
static void learn(struct bench *b) {
    static char buf[ANSWER_MAX];
    int fd = connect_to(b->ours);
    ask(b, fd);
    size_t size = hear(fd, buf);
    close(fd);
    *strstr(buf, "\r\n\r\n") = '\0';
    b->status = (unsigned)strtoul(buf + strlen("HTTP/1.1 "), NULL, 10);
    b->headers = 0;
    for (char *line = strstr(buf, "\r\n"); line; line = strstr(line + 2, "\r\n")) {
        if (b->headers == HEADERS) abort();
        char *name = b->names[b->headers], *value = b->values[b->headers];
        if (sscanf(line + 2, "%63[^:]: %127[^\r]", name, value) == 2 && !is_added(name)) b->headers++;
    }
    atomic_store(&b->size, size);
}

static void row(struct bench *b, const char *text, const char *request) {
    b->request = request;
    (void)ours(b); /* warm */
    learn(b);
    bench_row("61", text, bench_both(ours, floor_of, b), 0.5, 1);
}

static void *run_client(void *arg) {
    struct bench *b = arg;
    row(b, "GET /v1/version, requests a second", "/v1/version");
    row(b, "GET /v1/runs of none, requests a second", "/v1/runs?task=none");
    row(b, "POST /v1/runs, requests a second", NULL);
    atomic_store(&b->submits, true);
    row(b, "POST /v1/runs, floor submits the run, too", NULL);
    atomic_store(&b->submits, false);
    row(b, "GET /v1/runs of 1", "/v1/runs?limit=1");
    row(b, "GET /v1/runs of 10", "/v1/runs?limit=10");
    row(b, "GET /v1/runs of 100", "/v1/runs?limit=100");
    static const char end[] = "POST /v1/server/shutdown HTTP/1.1\r\nHost: localhost\r\n\r\n";
    if (write(connect_to(b->ours), end, sizeof end - 1) != (ssize_t)sizeof end - 1) abort();
    return NULL;
}

/* ---- both servers ---- */

static int32_t no_subject(void *arg, const char *subject, const pdk_value *given, pdk_writer *w, pdk_error *err) {
    (void)arg, (void)subject, (void)given, (void)w, (void)err;
    return -ENOENT;
}

static int32_t command(void *arg, const char *verb, const pdk_value *params, pdk_writer *w, pdk_error *err) {
    struct bench *b = arg;
    (void)params, (void)err;
    if (strcmp(verb, "shutdown") != 0) return -ENOTSUP;
    (void)pdk_supervisor_shutdown(b->supervisor);
    pdk_values_get()->put_null(w);
    return 0;
}

static void load(struct bench *b, const char *path, const char *config) {
    const pdk_values *values = pdk_values_get();
    pdk_router_entry entry = {.struct_size = sizeof entry};
    pdk_error err = PDK_ERROR;
    if (config) (void)values->parse(values, config, strlen(config), "config", &entry.config, &err);
    if (pdk_supervisor_load(b->supervisor, path, &entry, &err) < 0) {
        fprintf(stderr, "bench-console: %s\n", err.message);
        exit(2);
    }
    values->drop(entry.config);
}

static void begin(struct bench *b) {
    static const struct pdk_program_ops ops = {no_subject, command};
    const struct pdk_instance_limits trusted = {.control = true};
    const pdk_supervisor_options options = {.struct_size = sizeof options, .accepted = 1000000};
    char config[160];
    pdk_error err = PDK_ERROR;
    pdk_watch watch;
    if (pdk_supervisor_create(&options, &b->supervisor, &err) < 0) abort();
    b->loop = pdk_supervisor_loop(b->supervisor);
    (void)pdk_supervisor_limit(b->supervisor, "console", &trusted);
    pdk_supervisor_program(b->supervisor, &ops, b);
    (void)snprintf(config, sizeof config, "{\"socket\":\"%s\"}", b->ours);
    load(b, ECHO, NULL);
    load(b, CONSOLE, config);
    if (pdk_supervisor_start(b->supervisor, &err) < 0) abort();
    b->bare = MHD_start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, answer, b, MHD_OPTION_LISTEN_SOCKET, listen_at(b->floor),
                               MHD_OPTION_END);
    int fd = MHD_get_daemon_info(b->bare, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    if (b->loop->io(b->loop, fd, PDK_READ, run_bare, b, &watch) < 0) abort();
}

int main(void) {
    struct bench b = {.folder = "/tmp/bench-console-XXXXXX", .size = 2};
    pthread_t client;
    if (!mkdtemp(b.folder)) return 2;
    (void)snprintf(b.ours, sizeof b.ours, "%s/ours", b.folder);
    (void)snprintf(b.floor, sizeof b.floor, "%s/floor", b.folder);
    b.body = calloc(1, ANSWER_MAX);
    if (!b.body) return 2;
    begin(&b);
    bench_head();
    if (pthread_create(&client, NULL, run_client, &b)) return 2;
    (void)pdk_supervisor_run(b.supervisor);
    (void)pthread_join(client, NULL);
    pdk_supervisor_destroy(b.supervisor);
    MHD_stop_daemon(b.bare);
    (void)unlink(b.floor);
    (void)rmdir(b.folder);
    free(b.body);
    return 0;
}
