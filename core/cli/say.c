/* SPDX-License-Identifier: Apache-2.0 */
/* Errors of the program: one line each, what is wrong first, what to do about it behind. */
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "core/cli/cli.h"

void pdk_say(const char *format, ...) {
    va_list args;
    va_start(args, format);
    (void)fputs("paddock: ", stderr);
    (void)vfprintf(stderr, format, args);
    (void)fputc('\n', stderr);
    va_end(args);
}

int pdk_say_usage(const struct pdk_verb *verb, const char *hint, const char *format, ...) {
    va_list args;
    va_start(args, format);
    (void)fputs("paddock: ", stderr);
    (void)vfprintf(stderr, format, args);
    va_end(args);
    if (hint && *hint) (void)fprintf(stderr, "; %s", hint);
    if (verb)
        (void)fprintf(stderr, "\ntry \"paddock %s --help\"\n", verb->name);
    else
        (void)fputs("\ntry \"paddock --help\"\n", stderr);
    return PDK_EXIT_USAGE;
}

int pdk_say_memory(void) {
    pdk_say("out of memory");
    return PDK_EXIT_BUG;
}

int pdk_close_stdout(int code) {
    errno = 0;
    if (fflush(stdout) == 0 && !ferror(stdout)) return code;
    if (errno == EPIPE) return code ? code : PDK_EXIT_FAILED; /* the reader has gone: nobody to tell */
    pdk_say("cannot write to standard output: %s", errno ? strerror(errno) : "an error came earlier");
    return code ? code : PDK_EXIT_FAILED;
}

void pdk_write_file(void *arg, const char *data, size_t size) {
    (void)fwrite(data, 1, size, arg);
}
