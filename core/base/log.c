/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>

#include "core/base/log.h"

#define LINE_MAX_BYTES 2048 /* a longer line of talk is cut */

void pdk_log_line(const struct pdk_log *log, int32_t level, const char *part, const char *run_id, const char *format,
                  ...) {
    if (!log || !log->line || level < log->level) return;
    char text[LINE_MAX_BYTES];
    va_list args;
    va_start(args, format);
    int size = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (size >= 0) log->line(log->arg, level, part, run_id ? run_id : "", text);
}
