/* SPDX-License-Identifier: Apache-2.0 */
/* Isolation for a program that embeds the supervisor. */
#include <string.h>

#include "core/base/clock.h"
#include "core/isolate/isolate.h"

static int32_t load(pdk_supervisor *supervisor, const char *path, const pdk_router_entry *entry,
                    const pdk_isolated_options *given, const struct pdk_isolation *isolation, pdk_error *err) {
    const struct pdk_isolate_options options = {.program = given->program ? given->program
                                                                          : PADDOCK_LIBEXEC_DIR "/paddock-host",
                                                .isolation = isolation,
                                                .probe = (given->flags & PDK_ISOLATED_ASK) != 0};
    if (isolation->mode == PDK_ISOLATION_NONE) return pdk_supervisor_load(supervisor, path, entry, err);
    return pdk_isolate_load(supervisor, NULL, path, entry, &options, err);
}

int32_t pdk_supervisor_load_isolated(pdk_supervisor *supervisor, const char *path, const pdk_router_entry *entry,
                                     const pdk_isolated_options *options, pdk_error *err) {
    pdk_isolated_options given = {0};
    struct pdk_isolation isolation = PDK_ISOLATION_USUAL;
    struct pdk_report report = {0};
    struct pdk_arena arena = {0};
    int32_t rc = 0;
    if (options) memcpy(&given, options, options->struct_size < sizeof given ? options->struct_size : sizeof given);
    if (given.isolation) rc = pdk_isolation_read(given.isolation, &arena, &report, &isolation);
    rc = rc < 0 ? pdk_report_error(&report, rc, err) : load(supervisor, path, entry, &given, &isolation, err);
    pdk_arena_free(&arena);
    return rc;
}
