/* SPDX-License-Identifier: Apache-2.0 */
/* Where talk goes: a sink that is passed around, never a global. */
#ifndef CORE_BASE_LOG_H
#define CORE_BASE_LOG_H

#include <stdint.h>

#include "paddock/host.h"

/* part: "supervisor", "loop", or the name of a plugin's instance; run_id "" if none. [any] */
struct pdk_log {
    void (*line)(void *arg, int32_t level, const char *part, const char *run_id, const char *text);
    void *arg;
    int32_t level; /* the lowest that is wanted, PDK_LOG_... */
};

void pdk_log_line(const struct pdk_log *log, int32_t level, const char *part, const char *run_id, const char *format,
                  ...) __attribute__((format(printf, 5, 6)));

#endif
