/* SPDX-License-Identifier: Apache-2.0 */
/* Which process a host is: boot, pid and start time say it for ever, as a pid alone does not. */
#ifndef QUEUE_OWNER_H
#define QUEUE_OWNER_H

#include <stdbool.h>
#include <stdint.h>

struct queue_owner {
    char boot[40]; /* /proc/sys/kernel/random/boot_id */
    int64_t pid;
    int64_t start; /* field 22 of /proc/PID/stat; 0: unknown */
};

void queue_owner_self(struct queue_owner *ret);
/* It still runs, in this boot. One that waits to be reaped does not. */
bool queue_owner_lives(const struct queue_owner *);
bool queue_owner_same(const struct queue_owner *, const struct queue_owner *);

/* Take the lock of the store at path: the fd of PATH.lock, or -EBUSY with the pid of who has it, 0 if unknown. */
int32_t queue_owner_lock(const char *path, int64_t *ret_pid);

#endif
