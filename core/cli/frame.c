/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The other screen of a terminal, which leaves what was there before alone. Keys are read one by one and not shown. Each
 * picture is written in one piece, over the last: nothing flickers.
 */
#include "core/cli/frame.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "core/base/clock.h"

#define KEY_STOP    3 /* Ctrl-C, where the terminal does not make a signal of it */
#define LEAST       (100 * PDK_MILLISECOND)
#define PICTURE_MAX (1u << 22)

struct frames {
    struct pdk_remote *remote;
    struct termios before;
    bool reads_keys, quits;
    int (*draw)(void *arg, FILE *to);
    void *arg;
};

static void begin_screen(struct frames *frames) {
    struct termios raw = frames->before;
    if (frames->reads_keys) {
        raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
        raw.c_cc[VMIN] = 0;
        raw.c_cc[VTIME] = 0;
        (void)tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    }
    (void)fputs("\x1b[?1049h\x1b[?25l\x1b[?7l", stdout); /* the other screen, no cursor, no wrapping */
}

static void end_screen(void *arg) {
    const struct frames *frames = arg;
    (void)fputs("\x1b[?7h\x1b[?25h\x1b[?1049l", stdout);
    (void)fflush(stdout);
    if (frames->reads_keys) (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &frames->before);
}

/* The picture, cut to the height, each line erased to its end. */
static void show(struct frames *frames, const char *picture, size_t size) {
    struct pdk_buffer to = PDK_BUFFER(PICTURE_MAX);
    const char *end = picture + size;
    pdk_buffer_text(&to, "\x1b[?2026h\x1b[H");
    for (uint32_t row = 0; picture < end && row < frames->remote->out.rows; row++) {
        const char *newline = memchr(picture, '\n', (size_t)(end - picture));
        size_t line = (size_t)((newline ? newline : end) - picture);
        if (row) pdk_buffer_text(&to, "\r\n");
        pdk_buffer_add(&to, picture, line);
        pdk_buffer_text(&to, "\x1b[K");
        picture += line + (newline != NULL);
    }
    pdk_buffer_text(&to, "\x1b[J\x1b[?2026l");
    (void)fwrite(pdk_buffer_string(&to), 1, to.size, stdout);
    (void)pdk_remote_flush(frames->remote);
    pdk_buffer_free(&to);
}

static int draw(struct frames *frames) {
    char *picture = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&picture, &size);
    if (!to) return pdk_say_memory();
    int code = frames->draw(frames->arg, to);
    if (fclose(to) != 0) code = pdk_say_memory();
    if (code == 0) show(frames, picture, size);
    free(picture);
    return code;
}

/* True: draw at once. */
static bool take_keys(struct frames *frames) {
    char keys[64];
    bool now = false;
    ssize_t size = frames->reads_keys ? read(STDIN_FILENO, keys, sizeof keys) : 0;
    for (ssize_t i = 0; i < size; i++) {
        if (keys[i] == 'q' || keys[i] == 'Q' || keys[i] == KEY_STOP) frames->quits = true;
        now |= keys[i] == ' ';
    }
    return now;
}

static void look_around(struct frames *frames) {
    struct pdk_remote *remote = frames->remote;
    if (remote->resumed) begin_screen(frames);
    if (remote->resized || remote->resumed) pdk_console_measure(&remote->out, STDOUT_FILENO);
    remote->resized = remote->resumed = false;
}

/* Until it is time for the next picture, or somebody wants it now, or the end. */
static void rest(struct frames *frames, uint64_t until) {
    struct pdk_remote *remote = frames->remote;
    for (uint64_t now = pdk_clock_now(); now < until; now = pdk_clock_now()) {
        pdk_remote_wait(remote, until - now, frames->reads_keys ? STDIN_FILENO : -1);
        if (remote->resumed || remote->resized || remote->signal)
            break; /* the keys are not ours before we draw again */
        if (take_keys(frames) || frames->quits) break;
    }
}

int pdk_frames(struct pdk_remote *remote, uint64_t interval, int (*draw_one)(void *arg, FILE *to), void *arg) {
    struct frames frames = {.remote = remote, .draw = draw_one, .arg = arg};
    int code = 0;
    if (!remote->out.tty) return draw_one(arg, stdout);
    if (interval < LEAST) interval = LEAST;
    frames.reads_keys = isatty(STDIN_FILENO) == 1 && tcgetattr(STDIN_FILENO, &frames.before) == 0;
    remote->on_stop = end_screen;
    remote->on_stop_arg = &frames;
    remote->holds_words = true;
    begin_screen(&frames);
    while (code == 0 && !frames.quits && !pdk_remote_look(remote)) {
        uint64_t next = pdk_clock_now() + interval;
        look_around(&frames);
        code = draw(&frames);
        if (code == 0) rest(&frames, next);
    }
    end_screen(&frames);
    remote->on_stop = NULL;
    remote->holds_words = false;
    if (code && *remote->words) pdk_say("%s", remote->words);
    return code;
}
