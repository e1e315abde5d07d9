/* SPDX-License-Identifier: Apache-2.0 */
/* Each check in a process of its own: started, waited for, and its end explained when it left no verdict. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/base/text.h"
#include "core/loop/loop.h"
#include "core/process/process.h"
#include "core/verify/verify.h"

struct pdk_verifier {
    struct pdk_ev *ev;
    struct pdk_spawner *spawner;
    pdk_child child;
    bool over, late;
    int32_t failed; /* errno of the start */
    pdk_exit how;
    char printed[512];
};

int32_t pdk_verifier_create(struct pdk_verifier **ret, pdk_error *err) {
    struct pdk_spawner_options options = {.threads = 1, .cgroups = 0};
    struct pdk_verifier *verifier = calloc(1, sizeof *verifier);
    int32_t rc = verifier ? pdk_ev_create(&verifier->ev) : -ENOMEM;
    if (rc == 0) options.loop = pdk_ev_loop(verifier->ev);
    if (rc == 0) rc = pdk_spawner_create(&options, &verifier->spawner, err);
    if (rc == 0)
        *ret = verifier;
    else
        pdk_verifier_free(verifier);
    return rc;
}

void pdk_verifier_free(struct pdk_verifier *verifier) {
    if (!verifier) return;
    pdk_spawner_free(verifier->spawner);
    if (verifier->ev) pdk_ev_once(verifier->ev);
    pdk_ev_free(verifier->ev);
    free(verifier);
}

/* ---- what is heard of it ---- */

static void child_failed(void *arg, const pdk_error *err) {
    struct pdk_verifier *verifier = arg;
    verifier->failed = err->code ? err->code : -EIO;
    verifier->over = true;
    pdk_ev_break(verifier->ev);
}

static int32_t child_output(void *arg, int32_t stream, const char *data, size_t size) {
    struct pdk_verifier *verifier = arg;
    size_t used = strlen(verifier->printed), room = sizeof verifier->printed - 1 - used;
    (void)stream;
    memcpy(verifier->printed + used, data, size < room ? size : room);
    return 0;
}

static void child_ended(void *arg, const pdk_exit *how) {
    struct pdk_verifier *verifier = arg;
    verifier->how = *how;
    verifier->over = true;
    pdk_ev_break(verifier->ev);
}

static void too_late(void *arg) {
    struct pdk_verifier *verifier = arg;
    const pdk_process *process = pdk_spawner_service(verifier->spawner);
    verifier->late = true;
    (void)process->kill(process, verifier->child);
}

/* ---- one check ---- */

/* Ours, with an allocator that keeps nothing back in its threads: what it says is in use, is. NULL: no memory. */
static const char **environment(void) {
    size_t count = 0;
    while (environ && environ[count]) count++;
    const char **made = calloc(count + 2, sizeof *made);
    for (size_t i = 0; made && i < count; i++) made[i] = environ[i];
    if (made && !getenv("GLIBC_TUNABLES")) made[count] = "GLIBC_TUNABLES=glibc.malloc.tcache_count=0";
    return made;
}

static int32_t spawn(struct pdk_verifier *verifier, const char *const *argv, int32_t fd, pdk_error *err) {
    static const pdk_child_ops ops = {
        PDK_HEAD(pdk_child_ops), NULL, child_failed, child_output, child_ended, NULL, NULL};
    static const pdk_rlimit no_core = {RLIMIT_CORE, 0, 0, 0};
    const pdk_process *process = pdk_spawner_service(verifier->spawner);
    const char **env = environment();
    int32_t rc;
    pdk_command command = {.struct_size = (uint32_t)sizeof command,
                           .program = "/proc/self/exe",
                           .argv = argv,
                           .env = env,
                           .name = "verify",
                           .cwd_fd = -1,
                           .input_fd = -1,
                           .stdout_to = PDK_STREAM_CAPTURE,
                           .stderr_to = PDK_STREAM_CAPTURE,
                           .pass_fds = &fd,
                           .pass_count = 1,
                           .umask = -1,
                           .rlimits = &no_core,
                           .rlimit_count = 1,
                           .nice = PDK_UNCHANGED,
                           .oom_score = PDK_UNCHANGED,
                           .drain_ms = 100};
    rc = env ? process->spawn(process, 0, &command, &ops, verifier, &verifier->child, err) : -ENOMEM;
    free(env);
    return rc;
}

/* It left no verdict: how it ended is the verdict. */
static void explain(const struct pdk_verifier *verifier, uint64_t limit_ns, struct pdk_verify_result *result) {
    const char *where = result->where[0] ? result->where : "no call of the plugin's";
    const char *name = pdk_signal_name(verifier->how.signal);
    char printed[200], limit[64];
    size_t size;
    result->state = PDK_VERIFY_FAILED;
    if (verifier->late)
        (void)snprintf(result->seen, sizeof result->seen, "hung for %s in %s",
                       pdk_duration_format(limit_ns, limit, sizeof limit), where);
    else if (verifier->how.signal)
        (void)snprintf(result->seen, sizeof result->seen, "crashed: SIG%s in %s", name ? name : "?", where);
    else
        (void)snprintf(result->seen, sizeof result->seen, "ended the process with exit code %d in %s",
                       verifier->how.exit_code, where);
    (void)strlcpy(printed, verifier->printed, sizeof printed);
    printed[strcspn(printed, "\n")] = '\0';
    size = strlen(result->seen);
    if (printed[0]) (void)snprintf(result->seen + size, sizeof result->seen - size, "; it wrote: %s", printed);
}

static int32_t watch(struct pdk_verifier *verifier, const char *const *argv, int32_t fd, uint64_t limit_ns,
                     pdk_error *err) {
    const pdk_loop *loop = pdk_ev_loop(verifier->ev);
    pdk_watch limit = 0;
    int32_t rc = spawn(verifier, argv, fd, err);
    if (rc == 0) rc = loop->timer(loop, limit_ns, 0, too_late, verifier, &limit);
    if (rc) return rc;
    while (!verifier->over) pdk_ev_run(verifier->ev);
    loop->stop(loop, limit);
    return verifier->failed;
}

int32_t pdk_verifier_run(struct pdk_verifier *verifier, const struct pdk_verify_check *check,
                         const struct pdk_verify_subject *s, uint64_t limit_ns, struct pdk_verify_result *ret,
                         pdk_error *err) {
    char number[16];
    const char *argv[] = {"paddock",
                          "__verify",
                          number,
                          s->path,
                          s->kind ? s->kind : "",
                          s->with ? s->with : "",
                          s->config ? s->config : "",
                          NULL};
    int32_t fd = memfd_create("verify", MFD_CLOEXEC), rc = 0;
    if (limit_ns == 0) limit_ns = (uint64_t)20 * 1000000000;
    (void)snprintf(number, sizeof number, "%u", check->number);
    *ret = (struct pdk_verify_result){0};
    verifier->over = verifier->late = false;
    verifier->failed = 0;
    memset(verifier->printed, 0, sizeof verifier->printed);
    if (fd < 0) return -errno;
    if (ftruncate(fd, sizeof *ret) < 0) rc = -errno;
    if (rc == 0) rc = watch(verifier, argv, fd, limit_ns, err);
    if (rc == 0 && pread(fd, ret, sizeof *ret, 0) != (ssize_t)sizeof *ret) rc = -EIO;
    close(fd);
    ret->where[sizeof ret->where - 1] = ret->seen[sizeof ret->seen - 1] = ret->record[sizeof ret->record - 1] = '\0';
    if (rc == 0 && ret->state == PDK_VERIFY_RUNNING) explain(verifier, limit_ns, ret);
    return rc;
}
