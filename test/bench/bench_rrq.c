/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The source rrq: jobs in a second over one connection with 64 in flight, the time of one round trip, and the memory
 * of connections that wait. Beside it, in turns, two epoll servers, which have no runs:
 *
 *     raw    sends back what it reads, and does not even look for frames: the least that could move the bytes
 *     JSON   finds the frames, parses each request with jansson, and builds the answer that RRQ expects: the least
 *            that could be a runner of RRQ
 *
 *     bench-rrq          the figures
 *     bench-rrq soak N   N jobs, and nothing but whether each was answered once
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

enum { IN_FLIGHT = 64, JOBS = 200000, TRIPS = 20000, HELD = 10000, HEAD = 4, ID = 12, READ = 65536 };

#define NEEDS(condition) ((condition) ? (void)0 : fail(#condition))

static void fail(const char *what) {
    (void)fprintf(stderr, "bench-rrq: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* ---- the servers */

struct server {
    pid_t pid;
    uint16_t port;
};

static int listen_somewhere(uint16_t *ret_port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    NEEDS(fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && listen(fd, SOMAXCONN) == 0);
    NEEDS(getsockname(fd, (struct sockaddr *)&address, &size) == 0);
    *ret_port = ntohs(address.sin_port);
    return fd;
}

static void take_peer(int listener, int epoll) {
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), one = 1;
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    if (fd < 0) return;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    NEEDS(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0);
}

static void send_all(int fd, const char *data, size_t size) {
    for (size_t sent = 0; sent < size;) {
        ssize_t n = send(fd, data + sent, size - sent, MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN) return;
        if (n > 0) sent += (size_t)n;
    }
}

static void send_back(int fd, const char *data, size_t size) {
    send_all(fd, data, size);
}

/* The frame that answers a request, as any runner must make it. */
static size_t answer(const char *body, size_t size, char *to, size_t room) {
    json_t *request = json_loadb(body, size, 0, NULL), *payload = json_object_get(request, "payload"), *response;
    response = json_pack("{s:s, s:{s:O, s:O, s:s, s:O}}", "type", "response", "payload", "job_id",
                         json_object_get(payload, "job_id"), "request_id", json_object_get(payload, "request_id"),
                         "status", "success", "result", json_object_get(payload, "params"));
    NEEDS(response);
    size_t length = json_dumpb(response, to + HEAD, room - HEAD, JSON_COMPACT);
    uint32_t head = htonl((uint32_t)length);
    NEEDS(length <= room - HEAD);
    memcpy(to, &head, HEAD);
    json_decref(response);
    json_decref(request);
    return HEAD + length;
}

/* One peer at a time is enough for a floor: what is left of a frame waits here for the rest. */
static void answer_frames(int fd, const char *data, size_t size) {
    static char in[2 * READ], out[4 * READ];
    static size_t kept;
    static int of = -1;
    size_t used = 0, made = 0;
    if (fd != of) kept = 0;
    of = fd;
    memcpy(in + kept, data, size);
    kept += size;
    while (kept - used >= HEAD) {
        uint32_t head;
        memcpy(&head, in + used, HEAD);
        size_t length = ntohl(head);
        if (kept - used < HEAD + length) break;
        made += answer(in + used + HEAD, length, out + made, sizeof out - made);
        used += HEAD + length;
    }
    memmove(in, in + used, kept - used);
    kept -= used;
    send_all(fd, out, made);
}

typedef void take_bytes(int fd, const char *data, size_t size);

static void take(int fd, take_bytes *each) {
    static char data[READ];
    ssize_t n = read(fd, data, sizeof data);
    if (n > 0)
        each(fd, data, (size_t)n);
    else
        (void)close(fd);
}

static void serve_for_ever(int listener, take_bytes *each) {
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, events[64];
    NEEDS(epoll >= 0 && epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event) == 0);
    for (;;) {
        int count = epoll_wait(epoll, events, 64, -1);
        for (int i = 0; i < count; i++) {
            if (events[i].data.fd == listener)
                take_peer(listener, epoll);
            else
                take(events[i].data.fd, each);
        }
    }
}

static struct server start_floor(take_bytes *each) {
    struct server server;
    int listener = listen_somewhere(&server.port);
    server.pid = fork();
    NEEDS(server.pid >= 0);
    if (server.pid == 0) serve_for_ever(listener, each);
    (void)close(listener);
    return server;
}

static struct server start_paddock(void) {
    static char file[] = "/tmp/bench-rrq-XXXXXX";
    static const char text[] = "sources: [{use: rrq, kinds: echo, pending: 100000, config: {connections: 20000}}]\n";
    struct server server;
    char address[32];
    int probe = listen_somewhere(&server.port), fd = mkstemp(file);
    NEEDS(fd >= 0 && write(fd, text, sizeof text - 1) == (ssize_t)sizeof text - 1 && close(fd) == 0);
    (void)close(probe);
    (void)snprintf(address, sizeof address, "127.0.0.1:%u", server.port);
    server.pid = fork();
    NEEDS(server.pid >= 0);
    if (server.pid == 0) {
        (void)execl(PROGRAM, PROGRAM, "rrq", "--quiet", "--config", file, "--tcp-socket", address, (char *)NULL);
        fail(PROGRAM);
    }
    return server;
}

static void stop_server(const struct server *server) {
    (void)kill(server->pid, SIGKILL);
    (void)waitpid(server->pid, NULL, 0);
}

/* ---- the peer */

struct peer {
    int fd;
    char *in;
    size_t size, capacity;
    uint64_t sent;
};

static int try_connect(uint16_t port) {
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    NEEDS(fd >= 0);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0) return fd;
    (void)close(fd);
    return -1;
}

static int connect_to(uint16_t port) {
    const uint64_t end = pdk_clock_now() + 10 * PDK_SECOND;
    int fd = -1;
    while (fd < 0 && pdk_clock_now() < end) fd = try_connect(port);
    NEEDS(fd >= 0);
    return fd;
}

/* As the orchestrator writes it, with ids of ID digits. */
static const char *const pieces[] = {
    "{\"type\":\"request\",\"payload\":{\"protocol_version\":\"2\",\"request_id\":\"", "\",\"job_id\":\"job-",
    "\",\"function_name\":\"echo\",\"params\":{\"message\":{\"k\":\"v\"}},\"context\":{\"job_id\":\"job-",
    "\",\"attempt\":1,\"enqueue_time\":\"2026-01-01T00:00:00Z\",\"queue_name\":\"rrq:queue:default\","
    "\"deadline\":\"2036-01-01T00:05:00.123456789Z\",\"trace_context\":{\"traceparent\":"
    "\"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\"},\"correlation_context\":null,"
    "\"worker_id\":\"rrq_worker_42_ab12cd\"}}}"};

static size_t put_request(char *to, uint64_t number) {
    char id[ID + 1];
    size_t size = HEAD;
    (void)snprintf(id, sizeof id, "%0*llu", ID, (unsigned long long)number);
    for (int i = 0; i < 4; i++) {
        size_t length = strlen(pieces[i]);
        memcpy(to + size, pieces[i], length);
        size += length;
        if (i == 3) break;
        memcpy(to + size, id, ID);
        size += ID;
    }
    uint32_t head = htonl((uint32_t)(size - HEAD));
    memcpy(to, &head, HEAD);
    return size;
}

static void send_requests(struct peer *peer, uint64_t count) {
    static char data[IN_FLIGHT * 1024];
    size_t size = 0;
    for (uint64_t i = 0; i < count; i++) size += put_request(data + size, peer->sent++);
    for (size_t done = 0; done < size;) {
        ssize_t n = send(peer->fd, data + done, size - done, MSG_NOSIGNAL);
        NEEDS(n > 0);
        done += (size_t)n;
    }
}

/* The request id of an answer, wherever it stands. */
static uint64_t id_of(const char *body, size_t size) {
    static const char key[] = "\"request_id\":\"";
    const char *at = memmem(body, size, key, sizeof key - 1);
    NEEDS(at);
    return strtoull(at + sizeof key - 1, NULL, 10);
}

/* Take what is here; calls each for every frame. Returns how many. */
static uint64_t receive(struct peer *peer, void (*each)(void *arg, const char *body, size_t size), void *arg) {
    uint64_t count = 0;
    ssize_t n = recv(peer->fd, peer->in + peer->size, peer->capacity - peer->size, 0);
    NEEDS(n > 0);
    peer->size += (size_t)n;
    size_t used = 0;
    while (peer->size - used >= HEAD) {
        uint32_t head;
        memcpy(&head, peer->in + used, HEAD);
        size_t length = ntohl(head);
        if (peer->size - used < HEAD + length) break;
        if (each) each(arg, peer->in + used + HEAD, length);
        used += HEAD + length;
        count++;
    }
    memmove(peer->in, peer->in + used, peer->size - used);
    peer->size -= used;
    return count;
}

static struct peer open_peer(uint16_t port) {
    struct peer peer = {.fd = connect_to(port), .capacity = 1 << 20};
    peer.in = malloc(peer.capacity);
    NEEDS(peer.in);
    return peer;
}

static void close_peer(struct peer *peer) {
    (void)close(peer->fd);
    free(peer->in);
}

/* ---- figures */

static double rate(uint16_t port) {
    struct peer peer = open_peer(port);
    uint64_t begin = pdk_clock_now(), got = 0;
    send_requests(&peer, IN_FLIGHT);
    while (got < JOBS) {
        uint64_t count = receive(&peer, NULL, NULL), left = JOBS - peer.sent;
        got += count;
        if (left) send_requests(&peer, count < left ? count : left);
    }
    double seconds = (double)(pdk_clock_now() - begin) / 1e9;
    close_peer(&peer);
    return JOBS / seconds;
}

/* Microseconds of one request and its answer; the one in the middle, and the one that 99 of 100 are not above. */
static double trips(uint16_t port, double *ret_p99) {
    static double all[TRIPS];
    struct peer peer = open_peer(port);
    for (int i = -TRIPS / 10; i < TRIPS; i++) {
        uint64_t begin = pdk_clock_now();
        send_requests(&peer, 1);
        while (receive(&peer, NULL, NULL) == 0) continue;
        if (i >= 0) all[i] = (double)(pdk_clock_now() - begin) / 1e3;
    }
    close_peer(&peer);
    qsort(all, TRIPS, sizeof *all, bench_compare);
    *ret_p99 = all[TRIPS * 99 / 100];
    return all[TRIPS / 2];
}

/* Microseconds of processor time that the server takes for a job: what a machine that others use, too, leaves alone. */
static double cpu_of(const struct server *server) {
    struct timespec before, after;
    clockid_t clock;
    NEEDS(clock_getcpuclockid(server->pid, &clock) == 0 && clock_gettime(clock, &before) == 0);
    (void)rate(server->port);
    NEEDS(clock_gettime(clock, &after) == 0);
    return ((double)(after.tv_sec - before.tv_sec) * 1e6 + (double)(after.tv_nsec - before.tv_nsec) / 1e3) / JOBS;
}

/* The figures of two of the servers. */
struct both {
    struct server ours, floor;
    double our_p99, floor_p99;
};

static double our_rate(void *arg) {
    return rate(((struct both *)arg)->ours.port);
}
static double floor_rate(void *arg) {
    return rate(((struct both *)arg)->floor.port);
}
static double our_cpu(void *arg) {
    return cpu_of(&((struct both *)arg)->ours);
}
static double floor_cpu(void *arg) {
    return cpu_of(&((struct both *)arg)->floor);
}
static double our_trip(void *arg) {
    struct both *both = arg;
    return trips(both->ours.port, &both->our_p99);
}
static double floor_trip(void *arg) {
    struct both *both = arg;
    return trips(both->floor.port, &both->floor_p99);
}

static double resident(pid_t pid) {
    char path[64], text[128] = "";
    long pages = 0;
    (void)snprintf(path, sizeof path, "/proc/%d/statm", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    NEEDS(fd >= 0 && read(fd, text, sizeof text - 1) > 0);
    (void)close(fd);
    char *at = strchr(text, ' ');
    if (at) pages = strtol(at, NULL, 10);
    return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

/* KiB that each connection takes which waits after one job. */
static void held(const struct server *server) {
    static int fds[HELD];
    struct rlimit limit;
    (void)getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
    double before = resident(server->pid);
    for (int i = 0; i < HELD; i++) {
        struct peer peer = open_peer(server->port);
        peer.sent = (uint64_t)i;
        send_requests(&peer, 1);
        while (receive(&peer, NULL, NULL) == 0) continue;
        fds[i] = peer.fd;
        free(peer.in);
    }
    double each = (resident(server->pid) - before) / HELD / 1024;
    bench_row("44", "KiB of a connection, 10,000 held", (struct bench_pair){each, 8}, 1, 0);
    for (int i = 0; i < HELD; i++) (void)close(fds[i]);
}

/* ---- what one peer may do to the others */

/* A request of nearly 16 MiB, in 700,000 values that nobody looks at; the answer is short. */
static char *make_large(size_t *ret_size) {
    static const char begin[] = ",\"more\":[0", value[] = ",\"of nearly 20 bytes\"", end[] = "]}}";
    const size_t room = (size_t)16 << 20;
    char *data = malloc(room);
    NEEDS(data);
    size_t size = put_request(data, 1) - 2; /* without the ends of payload and envelope */
    memcpy(data + size, begin, sizeof begin - 1);
    size += sizeof begin - 1;
    for (; size < room - 64; size += sizeof value - 1) memcpy(data + size, value, sizeof value - 1);
    memcpy(data + size, end, sizeof end - 1);
    size += sizeof end - 1;
    uint32_t head = htonl((uint32_t)(size - HEAD));
    memcpy(data, &head, HEAD);
    *ret_size = size;
    return data;
}

struct sender {
    uint16_t port;
    atomic_int left; /* large requests that are not answered */
};

static void *send_large(void *arg) {
    struct sender *sender = arg;
    struct peer peer = open_peer(sender->port);
    size_t size;
    char *data = make_large(&size);
    for (; sender->left; sender->left--) {
        for (size_t done = 0; done < size;) {
            ssize_t n = send(peer.fd, data + done, size - done, MSG_NOSIGNAL);
            NEEDS(n > 0);
            done += (size_t)n;
        }
        while (receive(&peer, NULL, NULL) == 0) continue;
    }
    free(data);
    close_peer(&peer);
    return NULL;
}

/* The longest round trip in ms, while another connection sends ten of them. */
static void pause_of(const struct server *server) {
    struct sender sender = {.port = server->port, .left = 10};
    struct peer peer = open_peer(server->port);
    pthread_t thread;
    double longest = 0;
    NEEDS(pthread_create(&thread, NULL, send_large, &sender) == 0);
    while (sender.left) {
        uint64_t begin = pdk_clock_now();
        send_requests(&peer, 1);
        while (receive(&peer, NULL, NULL) == 0) continue;
        double took = (double)(pdk_clock_now() - begin) / 1e6;
        if (took > longest) longest = took;
    }
    (void)pthread_join(thread, NULL);
    close_peer(&peer);
    bench_row("45", "RRQ longest round trip beside 16 MiB requests, ms", (struct bench_pair){longest, 10}, 1, 0);
}

/* ---- soak */

static void mark(void *arg, const char *body, size_t size) {
    uint8_t *seen = arg;
    uint64_t id = id_of(body, size);
    NEEDS(memmem(body, size, "\"success\"", 9) && !seen[id]);
    seen[id] = 1;
}

static int soak(uint64_t jobs) {
    struct server server = start_paddock();
    struct peer peer = open_peer(server.port);
    uint8_t *seen = calloc(jobs, 1);
    uint64_t got = 0;
    NEEDS(seen && jobs >= IN_FLIGHT);
    send_requests(&peer, IN_FLIGHT);
    while (got < jobs) {
        uint64_t count = receive(&peer, mark, seen), left = jobs - peer.sent;
        got += count;
        if (left) send_requests(&peer, count < left ? count : left);
    }
    close_peer(&peer);
    stop_server(&server);
    free(seen);
    printf("%llu jobs, each answered once\n", (unsigned long long)jobs);
    return 0;
}

int main(int argc, char **argv) {
    if (argc > 2 && strcmp(argv[1], "soak") == 0) return soak(strtoull(argv[2], NULL, 10));
    struct server ours = start_paddock(), raw = start_floor(send_back), json = start_floor(answer_frames);
    struct both to_raw = {.ours = ours, .floor = raw}, to_json = {.ours = ours, .floor = json};
    (void)close(connect_to(ours.port));
    bench_head();
    bench_row("41", "RRQ jobs/s, 64 in flight, to raw echo", bench_both(our_rate, floor_rate, &to_raw), 0.5, 1);
    struct bench_pair jobs = bench_both(our_rate, floor_rate, &to_json);
    bench_row("41", "RRQ jobs/s, 64 in flight, to JSON echo", jobs, 0.5, 1);
    bench_row("42", "the same beside 35,000 of the Rust runner", (struct bench_pair){jobs.ours, 35000}, 2, 1);
    bench_row("42", "RRQ processor time of a job, us, to JSON echo", bench_both(our_cpu, floor_cpu, &to_json), 2, 0);
    struct bench_pair trip = bench_both(our_trip, floor_trip, &to_raw);
    bench_row("43", "RRQ round trip, us, p50, to raw echo", trip, 2, 0);
    bench_row("43", "the same beside 22 of the Rust runner", (struct bench_pair){trip.ours, 22}, 1, 0);
    bench_row("43", "RRQ round trip, us, p99 of the last round, to raw",
              (struct bench_pair){to_raw.our_p99, to_raw.floor_p99}, 2, 0);
    bench_row("43", "RRQ round trip, us, p50, to JSON echo", bench_both(our_trip, floor_trip, &to_json), 2, 0);
    held(&ours);
    pause_of(&ours);
    stop_server(&ours);
    stop_server(&raw);
    stop_server(&json);
    return 0;
}
