/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where children leave results: $PADDOCK_OUTPUT. An instance makes one folder when it first needs it:
 *
 *     paddock-XXXXXX/        0711   names cannot be listed by others
 *         own/               0700   children that run as we do: a file each, named by the attempt
 *         <attempt>/         0700   of another user, for one attempt
 *
 * The file itself is made by the child, if it has anything to say. So an attempt that says nothing costs one look
 * at a folder in memory, and nothing is done on the main thread but that, mkdir and unlink.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "subprocess.h"

static char *join(const char *a, const char *b) {
    size_t size = strlen(a) + strlen(b) + 2;
    char *path = malloc(size);
    if (path) (void)snprintf(path, size, "%s/%s", a, b);
    return path;
}

/* Both modes are set by chmod, for the umask is not ours. */
static char *make_folder(const char *base) {
    char *folder = join(base, "paddock-XXXXXX"), *own = NULL;
    if (!folder || !mkdtemp(folder)) {
        free(folder);
        return NULL;
    }
    own = join(folder, "own");
    if (own && !mkdir(own, 0700) && !chmod(folder, 0711)) {
        free(own);
        return folder;
    }
    if (own) (void)rmdir(own);
    (void)rmdir(folder);
    free(own);
    free(folder);
    return NULL;
}

/* /tmp comes last: a task with private_tmp does not see it. */
static void find_folder(struct pdk_sub *self) {
    const char *bases[] = {getenv("XDG_RUNTIME_DIR"), geteuid() == 0 ? "/run" : NULL, "/dev/shm", getenv("TMPDIR"),
                           "/tmp"};
    if (self->runtime_dir) {
        self->folder = make_folder(self->runtime_dir);
    } else {
        for (size_t i = 0; i < sizeof bases / sizeof *bases && !self->folder; i++)
            if (bases[i] && bases[i][0] == '/') self->folder = make_folder(bases[i]);
    }
    if (self->folder) return;
    self->no_folder = true;
    pdk_logf(self->host, PDK_LOG_WARN, 0,
             "no folder for results can be made%s%s: children get no PADDOCK_OUTPUT; set runtime_dir",
             self->runtime_dir ? " in " : "", self->runtime_dir ? self->runtime_dir : "");
    self->host->health(self->host, PDK_DEGRADED, "no folder for results");
}

static bool is_hidden(const struct pdk_sub_attempt *attempt) {
    return attempt->task->options.flags & PDK_COMMAND_PRIVATE_TMP && !strncmp(attempt->task->self->folder, "/tmp/", 5);
}

int32_t pdk_sub_results_place(struct pdk_sub_attempt *attempt) {
    struct pdk_sub *self = attempt->task->self;
    bool other = attempt->task->user != NULL;
    char name[40];
    if (!self->folder && !self->no_folder) find_folder(self);
    if (!self->folder) return 0;
    if (is_hidden(attempt)) {
        pdk_logf(self->host, PDK_LOG_WARN, attempt->handle,
                 "private_tmp hides %s: no PADDOCK_OUTPUT; set runtime_dir of this runner", self->folder);
        return 0;
    }
    (void)snprintf(name, sizeof name, "%s%016" PRIx64, other ? "" : "own/", attempt->handle);
    attempt->results = join(self->folder, name);
    if (!attempt->results) return -ENOMEM;
    if (!other) return 0;
    attempt->results_folder = attempt->results;
    attempt->results = join(attempt->results_folder, "output");
    return attempt->results ? 0 : -ENOMEM;
}

int32_t pdk_sub_results_folder(struct pdk_sub_attempt *attempt) {
    const char *path = attempt->results_folder;
    if (!path) return 0;
    if (mkdir(path, 0700)) return -errno;
    return chown(path, attempt->identity.uid, attempt->identity.gid) ? -errno : 0;
}

bool pdk_sub_results_there(struct pdk_sub_attempt *attempt) {
    struct stat st;
    if (attempt->results && !lstat(attempt->results, &st)) return true;
    free(attempt->results); /* so nobody removes what is not there */
    attempt->results = NULL;
    return false;
}

void pdk_sub_results_remove(struct pdk_sub_attempt *attempt) {
    if (attempt->results) (void)unlink(attempt->results);
    if (attempt->results_folder && rmdir(attempt->results_folder) && errno == ENOTEMPTY)
        pdk_logf(attempt->task->self->host, PDK_LOG_WARN, attempt->handle,
                 "%s stays: there are files in it that are not ours", attempt->results_folder);
    free(attempt->results);
    free(attempt->results_folder);
    attempt->results = attempt->results_folder = NULL;
}

void pdk_sub_folder_remove(struct pdk_sub *self) {
    char *own;
    if (!self->folder) return;
    own = join(self->folder, "own");
    if (own) (void)rmdir(own);
    (void)rmdir(self->folder);
    free(own);
    free(self->folder);
    self->folder = NULL;
}

/* A child may have put anything there: a link to a file of ours, a FIFO, gigabytes. */
static int32_t read_results(const char *path, char **text, size_t *size) {
    struct stat st;
    int32_t rc = 0;
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0) return -errno;
    if (fstat(fd, &st)) rc = -errno;
    if (!rc && (!S_ISREG(st.st_mode) || st.st_nlink > 1)) rc = -ENXIO;
    if (!rc) rc = pdk_sub_read_fd(fd, PDK_SUB_OUTPUT_MAX, text, size);
    close(fd);
    return rc;
}

static const char *write_lines(const pdk_values *values, pdk_writer *w, char *text, size_t size) {
    char *end = text + size;
    values->put_map(w);
    for (char *line = text, *next; line < end; line = next) {
        char *stop = memchr(line, '\n', (size_t)(end - line)), *equals;
        next = stop ? stop + 1 : end;
        if (!stop) stop = end;
        if (stop > line && stop[-1] == '\r') stop--;
        if (stop == line) continue;
        equals = memchr(line, '=', (size_t)(stop - line));
        if (!equals || !pdk_sub_is_name(line, (size_t)(equals - line))) return "JSON is wanted, or lines of name=value";
        *equals = '\0';
        values->key(w, line);
        values->put_string(w, equals + 1, (size_t)(stop - equals - 1));
    }
    values->end(w);
    return NULL;
}

static int32_t parse_results(const pdk_values *values, char *text, size_t size, const pdk_value **ret, pdk_error *err) {
    size_t blank = strspn(text, " \t\r\n");
    const char *problem;
    pdk_writer *w;
    if (blank == size) return 0; /* nothing said */
    if (text[blank] == '{' || text[blank] == '[') return values->parse(values, text, size, "PADDOCK_OUTPUT", ret, err);
    w = values->open(values);
    problem = write_lines(values, w, text, size);
    if (!problem) return values->close(w, ret, err);
    (void)values->close(w, NULL, err);
    return pdk_fail(err, -EINVAL, NULL, problem, NULL, NULL);
}

void pdk_sub_results_read(struct pdk_sub_attempt *attempt) {
    pdk_error err = PDK_ERROR;
    char *text = NULL;
    size_t size = 0;
    int32_t rc = read_results(attempt->results, &text, &size);
    if (!text) {
        pdk_sub_say_errno(&attempt->output_problem, rc, "PADDOCK_OUTPUT cannot be read");
        return;
    }
    rc = parse_results(attempt->task->self->host->values, text, size, &attempt->output, &err);
    if (rc) pdk_sub_say(&attempt->output_problem, PDK_FAILURE, PDK_CAT_PEER, "PADDOCK_OUTPUT: %.200s", err.message);
    free(text);
}
