/* SPDX-License-Identifier: Apache-2.0 */
#include "core/cli/screen.h"

#include <string.h>
#include <sys/stat.h>

#include "core/base/clock.h"

#define INTERVAL     (100 * PDK_MILLISECOND) /* between two drawings */
#define WAITING_MOST (1u << 20)

static void flush(struct pdk_screen *screen);

static void on_tick(void *arg) {
    struct pdk_screen *screen = arg;
    screen->tick = 0;
    screen->before(screen->arg);
    flush(screen);
}

/* Times pass even when nothing happens. */
static void on_idle(void *arg) {
    pdk_screen_changed(arg);
}

static bool same_terminal(void) {
    struct stat out, err;
    return fstat(1, &out) == 0 && fstat(2, &err) == 0 && out.st_rdev == err.st_rdev && out.st_ino == err.st_ino;
}

int32_t pdk_screen_begin(struct pdk_screen *screen) {
    screen->waiting = PDK_BUFFER((size_t)2 * WAITING_MOST);
    screen->block = PDK_BUFFER(WAITING_MOST);
    screen->shared = screen->out.tty && screen->err.tty && same_terminal();
    if (!screen->live) return 0;
    return screen->loop->timer(screen->loop, PDK_SECOND, PDK_SECOND, on_idle, screen, &screen->idle);
}

/* Where there was no room before there is some now: say what is missing, in its place. */
static void tell_dropped(struct pdk_screen *screen, int fd) {
    char text[128];
    int size = snprintf(text, sizeof text, "paddock: %llu bytes of output were dropped here: the reader is too slow\n",
                        (unsigned long long)screen->dropped[fd - 1]);
    if (pdk_sink_write(screen->sink, fd, text, (size_t)size, false)) screen->dropped[fd - 1] = 0;
}

static void to_sink(struct pdk_screen *screen, int fd, const char *data, size_t size) {
    if (screen->dropped[fd - 1] && pdk_sink_waiting(screen->sink, fd) <= PDK_SINK_LIMIT / 2) tell_dropped(screen, fd);
    if (screen->dropped[fd - 1] || !pdk_sink_write(screen->sink, fd, data, size, true)) screen->dropped[fd - 1] += size;
}

/* Rows between the first line of the block and its last, where the cursor is: where the terminal has become narrower
 * the lines have wrapped. */
static uint32_t rows_up(const struct pdk_screen *screen) {
    uint32_t total = 0, columns = screen->err.columns ? screen->err.columns : 1;
    for (uint32_t i = 0; i + 1 < screen->lines; i++)
        total += screen->widths[i] > columns ? (screen->widths[i] + columns - 1) / columns : 1;
    return total;
}

static void erase(struct pdk_screen *screen) {
    uint32_t up = rows_up(screen);
    if (!screen->lines) return;
    pdk_buffer_text(&screen->block, "\r");
    if (up) pdk_buffer_format(&screen->block, "\x1b[%uA", up);
    pdk_buffer_text(&screen->block, "\x1b[J");
    screen->lines = 0;
}

void pdk_screen_line(struct pdk_screen *screen, const char *text) {
    if (screen->lines == PDK_SCREEN_LINES) return;
    size_t width = pdk_text_width(text);
    if (screen->lines) pdk_buffer_text(&screen->block, "\n");
    screen->widths[screen->lines++] = (uint16_t)(width > UINT16_MAX ? UINT16_MAX : width);
    pdk_buffer_text(&screen->block, text);
}

/* Old block away, what scrolls, new block: in one piece, so that it does not flicker. */
static void flush(struct pdk_screen *screen) {
    struct pdk_buffer *block = &screen->block;
    block->size = 0;
    block->error = 0;
    screen->loop->stop(screen->loop, screen->tick);
    screen->tick = 0;
    screen->drawn = screen->loop->now_ns(screen->loop);
    if (pdk_sink_waiting(screen->sink, 2) > WAITING_MOST && screen->live) { /* it does not keep up: later */
        pdk_screen_changed(screen);
        return;
    }
    pdk_buffer_text(block, "\x1b[?2026h");
    erase(screen);
    (void)pdk_sink_write(screen->sink, 2, block->data, block->size, false);
    if (screen->waiting.size) to_sink(screen, 2, screen->waiting.data, screen->waiting.size);
    screen->waiting.size = 0;
    screen->waiting.error = 0;
    block->size = 0;
    if (screen->live) screen->draw(screen->arg, screen);
    if (screen->lines) pdk_buffer_text(block, "\r"); /* so that a ^C typed here does not wrap the last line */
    pdk_buffer_text(block, "\x1b[?2026l");
    (void)pdk_sink_write(screen->sink, 2, block->data, block->size, false);
}

void pdk_screen_changed(struct pdk_screen *screen) {
    if (!screen->live || screen->tick) return;
    uint64_t now = screen->loop->now_ns(screen->loop), due = screen->drawn + INTERVAL;
    (void)screen->loop->timer(screen->loop, due > now ? due - now : 0, 0, on_tick, screen, &screen->tick);
}

static void scroll(struct pdk_screen *screen, const char *data, size_t size) {
    if (screen->waiting.size + size > WAITING_MOST) {
        screen->dropped[1] += size;
        return;
    }
    pdk_buffer_add(&screen->waiting, data, size);
    pdk_screen_changed(screen);
}

void pdk_screen_output(struct pdk_screen *screen, int fd, const char *data, size_t size) {
    if (screen->live && (fd == 2 || screen->shared))
        scroll(screen, data, size);
    else
        to_sink(screen, fd, data, size);
}

void pdk_screen_talk(struct pdk_screen *screen, const char *text, size_t size) {
    if (screen->live)
        scroll(screen, text, size);
    else
        (void)pdk_sink_write(screen->sink, 2, text, size, false);
}

void pdk_screen_resized(struct pdk_screen *screen) {
    pdk_console_measure(&screen->out, 1);
    pdk_console_measure(&screen->err, 2);
    pdk_screen_changed(screen);
}

void pdk_screen_resumed(struct pdk_screen *screen) {
    screen->lines = 0;
    pdk_screen_resized(screen);
}

void pdk_screen_end(struct pdk_screen *screen) {
    screen->loop->stop(screen->loop, screen->idle);
    screen->idle = 0;
    if (screen->live) {
        screen->live = false;
        flush(screen);
    }
    for (int fd = 1; fd <= 2; fd++)
        if (screen->dropped[fd - 1]) tell_dropped(screen, fd);
    pdk_buffer_free(&screen->waiting);
    pdk_buffer_free(&screen->block);
}
