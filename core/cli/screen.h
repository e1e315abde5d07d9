/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a person sees: the output that scrolls, and below it, on a terminal, a few lines that are drawn again and
 * again. Everything that goes to the terminal goes through here, so the two never mix.
 */
#ifndef CORE_CLI_SCREEN_H
#define CORE_CLI_SCREEN_H

#include "core/cli/console.h"
#include "core/cli/sink.h"

#define PDK_SCREEN_LINES 64u

struct pdk_screen {
    struct pdk_console out, err;
    struct pdk_sink *sink;
    const pdk_loop *loop;
    bool live;                                    /* there is a block at the bottom */
    bool shared;                                  /* stdout goes to the same terminal */
    void (*draw)(void *arg, struct pdk_screen *); /* adds the lines of the block by pdk_screen_line */
    void (*before)(void *arg);                    /* a drawing: see to signals that have come, such as SIGCONT */
    void *arg;
    struct pdk_buffer waiting;         /* live: what scrolls, until the next drawing */
    struct pdk_buffer block;           /* being drawn */
    uint16_t widths[PDK_SCREEN_LINES]; /* in cells, of the lines that stand there now */
    uint32_t lines;
    uint64_t drawn; /* when, on the loop's clock */
    pdk_watch tick, idle;
    uint64_t dropped[2]; /* bytes that stdout, stderr had no room for */
};

int32_t pdk_screen_begin(struct pdk_screen *screen);

/* What a task printed; fd 1 or 2. */
void pdk_screen_output(struct pdk_screen *screen, int fd, const char *data, size_t size);

/* Words of our own, whole lines, to stderr. */
void pdk_screen_talk(struct pdk_screen *screen, const char *text, size_t size);

/* The block shows something else now. */
void pdk_screen_changed(struct pdk_screen *screen);

/* From within draw: one line, without its newline; cut to the width. */
void pdk_screen_line(struct pdk_screen *screen, const char *text);

/* The terminal has another size. */
void pdk_screen_resized(struct pdk_screen *screen);

/* We were stopped, and others have written there: what stood there is left alone. */
void pdk_screen_resumed(struct pdk_screen *screen);

/* Show what waits, take the block away for good, and draw no more. */
void pdk_screen_end(struct pdk_screen *screen);

#endif
