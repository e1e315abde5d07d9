/* SPDX-License-Identifier: Apache-2.0 */
/* What the runner role is told by `config:`. All that can be wrong with it is found here; nothing is opened. */
#include <arpa/inet.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "drive.h"

static const char *const jitters[] = {"none", "equal", NULL};

const char *const pdk_rrq_protocols[] = {"1", "2", NULL};
const char *const pdk_rrq_address_ways[] = {"argv", "env", "both", NULL};

const pdk_param pdk_rrq_backoff_rows[] = {
    {"first", PDK_DURATION, 0, "200ms", "The first pause", NULL, 0.001, 86400.0, NULL},
    {"max", PDK_DURATION, 0, "30s", "No pause is longer", NULL, 0.001, 86400.0, NULL},
    {"factor", PDK_NUMBER, 0, "2", "How the pauses grow", NULL, 1.0, 100.0, NULL},
    {"jitter", PDK_STRING, 0, "equal", "Between half of a pause and all of it, or exactly it", jitters, 0.0, 0.0, NULL},
    {"reset", PDK_DURATION, 0, "1m", "Who was ready for so long starts from the first pause", NULL, 0.0, 31536000.0,
     NULL},
    PDK_PARAM_END,
};

const pdk_param pdk_rrq_stop_rows[] = {
    PDK_PARAM("signal", PDK_STRING, 0, "TERM", "The signal that asks it and all it started to end"),
    {"grace", PDK_DURATION, 0, "3s", "Then it is killed, with all it started", NULL, 0.0, 3600.0, NULL},
    PDK_PARAM_END,
};

const pdk_param pdk_rrq_rlimit_rows[] = {
    PDK_PARAM("nofile", PDK_ANY, 0, NULL, "Open files"),
    PDK_PARAM("core", PDK_ANY, 0, NULL, "Bytes of a core dump"),
    PDK_PARAM("nproc", PDK_ANY, 0, NULL, "Processes of its user"),
    PDK_PARAM("cpu", PDK_ANY, 0, NULL, "Seconds of processor time"),
    PDK_PARAM("as", PDK_ANY, 0, NULL, "Bytes of address space"),
    PDK_PARAM_END,
};

const pdk_param pdk_rrq_resource_rows[] = {
    {"cpu", PDK_NUMBER, 0, NULL, "Cores", NULL, 0.001, 4096.0, NULL},
    {"memory", PDK_SIZE, 0, NULL, "Memory", NULL, 65536.0, 1e18, NULL},
    {"pids", PDK_INT, 0, NULL, "Processes and threads", NULL, 1.0, 4194304.0, NULL},
    PDK_PARAM_END,
};

/* What is being read, so that the readers below have one shape. */
struct reading {
    const pdk_host *host;
    const pdk_value *config;
    struct pdk_rrq_drive *drive;
    pdk_error *err;
};

static const pdk_value *given(const struct reading *r, const pdk_value *map, const char *key) {
    const pdk_value *v = r->host->values->get(map, key);
    return r->host->values->type(v) == PDK_NULL ? NULL : v;
}

static int32_t refuse(const struct reading *r, const pdk_value *at, const char *text) {
    return pdk_fail(r->err, -EINVAL, at, text, NULL, NULL);
}

/* Where does the word stand in the list? A schema that was checked leaves no other. */
static int32_t choice(const struct reading *r, const pdk_value *map, const char *key, const char *const *words,
                      int fallback) {
    const char *word = NULL;
    int i = 0;
    (void)pdk_take_string(r->host, map, key, &word, NULL);
    while (word && words[i] && strcmp(words[i], word) != 0) i++;
    return word && words[i] ? i : fallback;
}

static int32_t small(const struct reading *r, const char *key, uint32_t *ret) {
    int64_t n = *ret;
    int32_t rc = pdk_take_integer(r->host, r->config, key, &n, r->err);
    if (!rc && (n < 0 || n > 1000000)) rc = refuse(r, given(r, r->config, key), "it is out of range");
    if (!rc) *ret = (uint32_t)n;
    return rc;
}

static int32_t read_command(struct reading *r) {
    const pdk_values *values = r->host->values;
    const pdk_value *list = given(r, r->config, "command");
    struct pdk_rrq_drive *drive = r->drive;
    if (!list) return 0;
    if (!values->count(list)) return refuse(r, list, "the command is empty");
    drive->argv = calloc(values->count(list) + 3, sizeof *drive->argv);
    if (!drive->argv) return -ENOMEM;
    for (; drive->argc < values->count(list); drive->argc++) {
        const pdk_value *item = values->at(list, drive->argc);
        const char *word = "";
        if (pdk_text(r->host, item, &word)) return refuse(r, item, "a plain string is wanted in a command");
        if (!*word && !drive->argc) return refuse(r, item, "the name of the program is empty");
        drive->argv[drive->argc] = word;
        if (drive->by_argv && !strncmp(word, "--tcp-socket", 12))
            return refuse(r, item, "Paddock adds --tcp-socket itself; leave it out, or set address: env");
    }
    return 0;
}

/* HOST:PORT or [HOST]:PORT, where HOST is a number or localhost: no name is resolved, so nothing can block. */
static bool parse_address(const char *text, struct pdk_rrq_drive *drive) {
    struct sockaddr_in *v4 = (struct sockaddr_in *)&drive->address;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&drive->address;
    const char *colon = strrchr(text, ':'), *host = text;
    char name[64] = "";
    size_t size = colon ? (size_t)(colon - text) : 0, port = 0;
    for (const char *c = colon ? colon + 1 : ""; *c; c++) {
        if (*c < '0' || *c > '9' || port > 65535) return false;
        port = port * 10 + (size_t)(*c - '0');
    }
    if (size > 2 && host[0] == '[' && host[size - 1] == ']') {
        host++;
        size -= 2;
    }
    if (size == 0 || size >= sizeof name || port < 1 || port > 65535) return false;
    memcpy(name, host, size);
    if (!strcmp(name, "localhost")) (void)memcpy(name, "127.0.0.1", 10);
    drive->address_size = sizeof *v4;
    v4->sin_family = AF_INET;
    v4->sin_port = htons((uint16_t)port);
    if (host == text && inet_pton(AF_INET, name, &v4->sin_addr) == 1) return true;
    memset(&drive->address, 0, sizeof drive->address);
    drive->address_size = sizeof *v6;
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons((uint16_t)port);
    return host != text && inet_pton(AF_INET6, name, &v6->sin6_addr) == 1;
}

static int32_t read_external(struct reading *r) {
    static const char *const managed[] = {"env", "cwd", "rlimits", "resources"};
    struct pdk_rrq_drive *drive = r->drive;
    const pdk_value *at = given(r, r->config, "external");
    int32_t rc = pdk_take_string(r->host, r->config, "external", &drive->external, r->err);
    if (rc || !at) return rc;
    if (drive->argv) return refuse(r, at, "command and external exclude each other");
    if (!parse_address(drive->external, drive))
        return pdk_failf(r->err, -EINVAL, at, "HOST:PORT with a numeric address or localhost is wanted, not \"%.80s\"",
                         drive->external);
    for (size_t i = 0; i < sizeof managed / sizeof *managed; i++)
        if (given(r, r->config, managed[i]))
            return pdk_failf(r->err, -EINVAL, given(r, r->config, managed[i]),
                             "%s is for a runner that Paddock starts, not for an external one", managed[i]);
    if (drive->pool_size != 1) return refuse(r, at, "an external runner is one: pool_size stays 1");
    return 0;
}

static int32_t read_numbers(struct reading *r) {
    struct pdk_rrq_drive *drive = r->drive;
    int32_t rc = small(r, "pool_size", &drive->pool_size);
    if (!rc) rc = small(r, "max_in_flight", &drive->max_in_flight);
    if (!rc) rc = small(r, "queue", &drive->queue);
    if (!rc) rc = small(r, "port", &drive->port);
    if (!rc) rc = small(r, "crash_limit", &drive->crash_limit);
    if (rc) return rc;
    if (drive->pool_size < 1 || drive->pool_size > PDK_RRQ_POOL_MAX)
        return refuse(r, given(r, r->config, "pool_size"), "1 to 256 processes are possible");
    if (drive->max_in_flight < 1 || drive->max_in_flight > PDK_RRQ_IN_FLIGHT_MAX)
        return refuse(r, given(r, r->config, "max_in_flight"), "the protocol takes 1 to 64 requests in flight");
    if (drive->port && drive->port + drive->pool_size - 1 > 65535)
        return pdk_failf(r->err, -EINVAL, given(r, r->config, "port"),
                         "%u processes from port %u on would go beyond 65535", drive->pool_size, drive->port);
    return 0;
}

static int32_t read_ways(struct reading *r) {
    struct pdk_rrq_drive *drive = r->drive;
    int way = choice(r, r->config, "address", pdk_rrq_address_ways, 2), probe = 0, shared;
    int32_t rc = pdk_take_boolean(r->host, r->config, "probe", &probe, r->err);
    if (!rc) rc = pdk_take_duration(r->host, r->config, "connect_timeout", &drive->connect_timeout, r->err);
    drive->by_argv = way != 1;
    drive->by_env = way != 0;
    drive->probe = probe != 0;
    drive->protocol = (uint32_t)choice(r, r->config, "protocol", pdk_rrq_protocols, 1) + 1;
    shared = drive->protocol == 2;
    if (!rc) rc = pdk_take_boolean(r->host, r->config, "multiplex", &shared, r->err);
    drive->shared = shared != 0;
    return rc;
}

static int32_t read_backoff(struct reading *r) {
    struct pdk_rrq_backoff *backoff = &r->drive->backoff;
    const pdk_value *map = given(r, r->config, "backoff");
    int32_t rc = pdk_take_duration(r->host, map, "first", &backoff->first, r->err);
    if (!rc) rc = pdk_take_duration(r->host, map, "max", &backoff->max, r->err);
    if (!rc) rc = pdk_take_duration(r->host, map, "reset", &backoff->reset, r->err);
    if (!rc) rc = pdk_take_number(r->host, map, "factor", &backoff->factor, r->err);
    backoff->jitter = choice(r, map, "jitter", jitters, 1) == 1;
    if (!rc && backoff->max < backoff->first) rc = refuse(r, given(r, map, "max"), "max is less than first");
    return rc;
}

static int32_t read_stop(struct reading *r) {
    static const struct {
        const char *name;
        int32_t number;
    } signals[] = {{"TERM", SIGTERM}, {"INT", SIGINT},   {"QUIT", SIGQUIT}, {"HUP", SIGHUP},
                   {"USR1", SIGUSR1}, {"USR2", SIGUSR2}, {"KILL", SIGKILL}};
    const pdk_value *map = given(r, r->config, "stop");
    const char *name = "TERM", *bare;
    int32_t rc = pdk_take_duration(r->host, map, "grace", &r->drive->grace, r->err);
    if (!rc) rc = pdk_take_string(r->host, map, "signal", &name, r->err);
    if (rc) return rc;
    bare = strncmp(name, "SIG", 3) ? name : name + 3;
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        if (strcmp(signals[i].name, bare) != 0) continue;
        r->drive->signal = signals[i].number;
        return 0;
    }
    return pdk_failf(r->err, -EINVAL, given(r, map, "signal"),
                     "TERM, INT, QUIT, HUP, USR1, USR2 or KILL is wanted, not \"%.40s\"", name);
}

static int32_t read_limits(struct reading *r) {
    static const int resources[] = {RLIMIT_NOFILE, RLIMIT_CORE, RLIMIT_NPROC, RLIMIT_CPU, RLIMIT_AS};
    const pdk_value *map = given(r, r->config, "rlimits");
    struct pdk_rrq_drive *drive = r->drive;
    int64_t pids = 0;
    int32_t rc;
    for (size_t i = 0; pdk_rrq_rlimit_rows[i].name; i++) {
        const pdk_value *v = given(r, map, pdk_rrq_rlimit_rows[i].name);
        const char *text = "";
        uint64_t n = UINT64_MAX;
        int64_t whole = -1;
        if (!v) continue;
        if (!r->host->values->integer(v, &whole) && whole >= 0)
            n = (uint64_t)whole;
        else if (r->host->values->size(v, &n) && (pdk_text(r->host, v, &text) || strcmp(text, "unlimited") != 0))
            return pdk_failf(r->err, -EINVAL, v, "'%s' wants a number, a size such as 64MiB, or unlimited",
                             pdk_rrq_rlimit_rows[i].name);
        drive->rlimits[drive->rlimit_count++] = (pdk_rlimit){resources[i], 0, n, n};
    }
    map = given(r, r->config, "resources");
    rc = pdk_take_number(r->host, map, "cpu", &drive->cpu_max, r->err);
    if (!rc) rc = pdk_take_size(r->host, map, "memory", &drive->memory_max, r->err);
    if (!rc) rc = pdk_take_integer(r->host, map, "pids", &pids, r->err);
    drive->pids_max = (uint64_t)pids;
    return rc;
}

static int32_t read_env(struct reading *r) {
    const pdk_values *values = r->host->values;
    const pdk_value *env = r->drive->env = given(r, r->config, "env");
    for (size_t i = 0; i < values->count(env); i++) {
        const char *name = values->key_at(env, i), *text;
        const pdk_value *v = values->at(env, i);
        if (!*name || strchr(name, '=')) return refuse(r, v, "a variable's name is not empty and has no =");
        if (pdk_text(r->host, v, &text))
            return pdk_failf(r->err, -EINVAL, v, "the variable %.80s wants plain text", name);
    }
    return 0;
}

/* The folder of the file that a value stands in: "a/b.yaml:3:5 path" has "a/". "": ours. */
static void folder_of(const pdk_host *host, const pdk_value *v, char *buf, size_t size) {
    char *end = buf, *slash;
    buf[0] = '\0';
    (void)host->values->where(v, buf, size);
    while ((end = strchr(end, ':')) && (end[1] < '0' || end[1] > '9')) end++;
    if (end) *end = '\0';
    slash = strrchr(buf, '/');
    if (slash && end)
        slash[1] = '\0';
    else
        buf[0] = '\0';
}

static int32_t read_cwd(struct reading *r) {
    const pdk_value *v = given(r, r->config, "cwd");
    char folder[4096];
    const char *cwd = "";
    int32_t rc = pdk_take_string(r->host, r->config, "cwd", &cwd, r->err);
    if (rc || !r->drive->argv) return rc;
    if (v && !*cwd) return refuse(r, v, "the path is empty");
    folder_of(r->host, v ? v : given(r, r->config, "command"), folder, sizeof folder);
    if (*cwd == '/') folder[0] = '\0';
    pdk_append(folder, sizeof folder, cwd);
    if (!folder[0]) return 0;
    r->drive->cwd = strdup(folder);
    return r->drive->cwd ? 0 : -ENOMEM;
}

int32_t pdk_rrq_drive_read(const pdk_host *host, const pdk_value *config, struct pdk_rrq_drive *ret, pdk_error *err) {
    /* numbers and ways first: the command looks at them */
    static int32_t (*const readers[])(struct reading *) = {
        read_numbers, read_ways, read_command, read_external, read_backoff, read_stop, read_limits, read_env, read_cwd,
    };
    struct reading r = {host, config, ret, err};
    int32_t rc = 0;
    *ret = (struct pdk_rrq_drive){.pool_size = 1,
                                  .max_in_flight = 1,
                                  .queue = 1000,
                                  .crash_limit = 5,
                                  .connect_timeout = UINT64_C(15000000000),
                                  .grace = UINT64_C(3000000000),
                                  .backoff = {200000000, UINT64_C(30000000000), UINT64_C(60000000000), 2.0, true}};
    for (size_t i = 0; i < sizeof readers / sizeof *readers && !rc; i++) rc = readers[i](&r);
    if (rc) pdk_rrq_drive_free(ret);
    return rc;
}

void pdk_rrq_drive_free(struct pdk_rrq_drive *drive) {
    free(drive->argv);
    free(drive->cwd);
    drive->argv = NULL;
    drive->cwd = NULL;
}

bool pdk_rrq_drive_is_set(const struct pdk_rrq_drive *drive) {
    return drive->argv || drive->external;
}
