/* SPDX-License-Identifier: Apache-2.0 */
/* The block at the bottom of a terminal: one line per task, and one that counts. */
#include <string.h>

#include "core/base/clock.h"
#include "core/base/text.h"
#include "core/cli/run.h"

#define NAME_MOST 24u
#define BAR_CELLS 9

/* How an item is shown, by what is going on. */
enum look {
    LOOK_GOOD,
    LOOK_BAD,
    LOOK_UP,
    LOOK_WORKING,
    LOOK_BACKOFF,
    LOOK_RESTING,
    LOOK_WAITING,
    LOOK_STOPPING,
    LOOK_STOPPED,
    LOOKS
};

static const struct {
    const char *sign;
    enum pdk_tone tone;
    const char *sum; /* in the last line */
    int interesting; /* when there is not room for all */
} looks[LOOKS] = {
    [LOOK_GOOD] = {"✓", PDK_TONE_GREEN, "succeeded", 1},
    [LOOK_BAD] = {"✗", PDK_TONE_RED, "failed", 5},
    [LOOK_UP] = {"●", PDK_TONE_GREEN, "up", 3},
    [LOOK_WORKING] = {"▶", PDK_TONE_PLAIN, "working", 4},
    [LOOK_BACKOFF] = {"↻", PDK_TONE_YELLOW, "retrying", 5},
    [LOOK_WAITING] = {"…", PDK_TONE_DIM, "waiting", 2},
    [LOOK_RESTING] = {"◷", PDK_TONE_DIM, "resting", 2},
    [LOOK_STOPPING] = {"◌", PDK_TONE_YELLOW, "stopping", 4},
    [LOOK_STOPPED] = {"■", PDK_TONE_DIM, "stopped", 1},
};

/* Is it a service, that is to stay up, rather than a job with an end? */
static bool stays(const struct pdk_item *item) {
    const struct pdk_policy *policy = &item->task->policy;
    return item->task->ready.kind != PDK_CHECK_NONE || (policy->restart == PDK_RESTART_ALWAYS && !policy->every);
}

static enum look look_of(const struct pdk_item *item) {
    switch (item->state) {
    case PDK_ITEM_WAITING:
    case PDK_ITEM_QUEUED: return LOOK_WAITING;
    case PDK_ITEM_BACKOFF: return item->last_status == PDK_SUCCESS ? LOOK_RESTING : LOOK_BACKOFF;
    case PDK_ITEM_STOPPING: return LOOK_STOPPING;
    case PDK_ITEM_ENDED:
        if (item->end == PDK_END_SUCCEEDED) return LOOK_GOOD;
        if (item->canceled == PDK_CANCEL_SHUTDOWN && item->end == PDK_END_CANCELED) return LOOK_STOPPED;
        return strcmp(item->reason, "shutting_down") == 0 ? LOOK_STOPPED : LOOK_BAD;
    default: return stays(item) && item->ready ? LOOK_UP : LOOK_WORKING;
    }
}

static void add_bar(double fraction, struct pdk_buffer *to) {
    int full = (int)(fraction * BAR_CELLS + 0.5);
    pdk_buffer_format(to, "%2d%% ", (int)(fraction * 100));
    for (int i = 0; i < BAR_CELLS; i++) pdk_buffer_text(to, i < full ? "▇" : "▁");
}

static void add_state(const struct pdk_item *item, enum look look, struct pdk_buffer *to) {
    static const char *const words[] = {
        [PDK_ITEM_WAITING] = "waiting", [PDK_ITEM_QUEUED] = "queued",   [PDK_ITEM_STARTING] = "starting",
        [PDK_ITEM_RUNNING] = "running", [PDK_ITEM_BACKOFF] = "backoff", [PDK_ITEM_STOPPING] = "stopping",
        [PDK_ITEM_ENDED] = "ended"};
    if (item->state == PDK_ITEM_RUNNING && item->fraction >= 0)
        add_bar(item->fraction, to);
    else if (item->state == PDK_ITEM_ENDED && look == LOOK_STOPPED)
        pdk_buffer_text(to, "stopped");
    else if (item->state == PDK_ITEM_ENDED)
        pdk_buffer_text(to, pdk_end_name(item->end));
    else if (item->state == PDK_ITEM_RUNNING && item->task->ready.kind != PDK_CHECK_NONE)
        pdk_buffer_text(to, item->ready ? "ready" : "starting");
    else if (look == LOOK_RESTING)
        pdk_buffer_text(to, "resting");
    else
        pdk_buffer_text(to, words[item->state]);
}

static void add_info(const struct pdk_item *item, uint64_t now, struct pdk_buffer *to) {
    char text[400];
    if (item->state == PDK_ITEM_WAITING) {
        pdk_buffer_text(to, pdk_item_waits_for(item, text, sizeof text));
    } else if (item->state == PDK_ITEM_ENDED) {
        if (look_of(item) != LOOK_STOPPED) pdk_buffer_text(to, pdk_run_why(item, text, sizeof text));
    } else if (item->state == PDK_ITEM_BACKOFF) {
        uint64_t left = item->again > now ? item->again - now : 0;
        pdk_buffer_format(to, "again in %s", pdk_duration_about(left, text, sizeof text));
        if (item->last_status == PDK_SUCCESS)
            pdk_buffer_format(to, ", %u done", item->attempt);
        else if (item->last[0])
            pdk_buffer_format(to, ", after %s", item->last);
    } else {
        if (item->text[0]) pdk_run_visible(to, item->text, strlen(item->text), false);
        if (item->attempt > 1) pdk_buffer_format(to, "%sattempt %u", to->size ? ", " : "", item->attempt);
        if (item->attempt > 1 && item->last_status != PDK_SUCCESS) pdk_buffer_format(to, ", after %s", item->last);
    }
}

static void add_time(const struct pdk_item *item, uint64_t now, struct pdk_buffer *to) {
    char text[32];
    uint64_t time = item->state == PDK_ITEM_ENDED ? item->duration : now > item->since ? now - item->since : 0;
    bool shown = item->state == PDK_ITEM_ENDED ? item->attempts > 0 : item->state >= PDK_ITEM_STARTING;
    if (shown && item->state != PDK_ITEM_ENDED) time -= time % PDK_SECOND;
    pdk_buffer_text(to, shown ? pdk_duration_about(time, text, sizeof text) : "");
}

/* " ● web.1     running        6s     attempt 2, after exit 1" */
static void draw_item(struct pdk_screen *screen, const struct pdk_item *item, size_t width, uint64_t now) {
    struct pdk_buffer line = PDK_BUFFER(4096), cell = PDK_BUFFER(1024), whole = PDK_BUFFER(4096);
    enum look look = look_of(item);
    pdk_buffer_format(&line, " %s%s%s ", pdk_tone_begin(&screen->err, looks[look].tone), looks[look].sign,
                      pdk_tone_end(&screen->err, looks[look].tone));
    pdk_text_fit(&line, item->name, width, true);
    pdk_buffer_text(&line, "  ");
    add_state(item, look, &cell);
    pdk_text_fit(&line, pdk_buffer_string(&cell), 14, true);
    pdk_buffer_text(&line, "  ");
    pdk_buffer_cut(&cell, cell.size);
    add_time(item, now, &cell);
    pdk_text_fit(&line, pdk_buffer_string(&cell), 6, true);
    pdk_buffer_text(&line, " ");
    pdk_buffer_cut(&cell, cell.size);
    add_info(item, now, &cell);
    if (cell.size) pdk_buffer_text(&line, cell.data);
    pdk_text_fit(&whole, pdk_buffer_string(&line), screen->err.columns - 1, false);
    if (screen->err.color) pdk_buffer_text(&whole, "\x1b[0m");
    pdk_screen_line(screen, pdk_buffer_string(&whole));
    pdk_buffer_free(&line);
    pdk_buffer_free(&cell);
    pdk_buffer_free(&whole);
}

static void draw_sum(struct pdk_session *session, struct pdk_screen *screen, const size_t counts[LOOKS],
                     size_t hidden) {
    static const char *const hints[] = {"Ctrl-C stops, twice kills", "Ctrl-C again kills", "Ctrl-C again leaves"};
    struct pdk_buffer line = PDK_BUFFER(1024), whole = PDK_BUFFER(4096);
    const char *hint = hints[session->asked < 2 ? session->asked : 2];
    pdk_buffer_format(&line, " %zu task%s:", session->item_count, session->item_count == 1 ? "" : "s");
    const char *before = " ";
    for (int look = 0; look < LOOKS; look++) {
        if (!counts[look]) continue;
        pdk_buffer_format(&line, "%s%s%zu %s%s", before, pdk_tone_begin(&screen->err, looks[look].tone), counts[look],
                          looks[look].sum, pdk_tone_end(&screen->err, looks[look].tone));
        before = ", ";
    }
    if (hidden) pdk_buffer_format(&line, " (%zu not shown)", hidden);
    size_t width = pdk_text_width(pdk_buffer_string(&line)), columns = screen->err.columns;
    if (width + strlen(hint) + 3 < columns)
        pdk_buffer_format(&line, "%*s%s%s%s", (int)(columns - 1 - width - strlen(hint)), "",
                          pdk_tone_begin(&screen->err, PDK_TONE_DIM), hint, pdk_tone_end(&screen->err, PDK_TONE_DIM));
    pdk_text_fit(&whole, pdk_buffer_string(&line), columns - 1, false);
    pdk_screen_line(screen, pdk_buffer_string(&whole));
    pdk_buffer_free(&line);
    pdk_buffer_free(&whole);
}

/* Which interest still fits into so many lines: all above `least`, and `extra` of that. */
static int interest_that_fits(const struct pdk_session *session, size_t room, size_t *extra) {
    size_t counts[7] = {0};
    for (size_t i = 0; i < session->item_count; i++)
        counts[looks[look_of(pdk_plan_item(session->plan, i))].interesting]++;
    int least = 6;
    while (least > 0 && counts[least] <= room) room -= counts[least--];
    *extra = room;
    return least;
}

void pdk_run_draw(void *arg, struct pdk_screen *screen) {
    struct pdk_session *session = arg;
    size_t counts[LOOKS] = {0}, shown = 0;
    size_t room = screen->err.rows > 8 ? screen->err.rows / 2 : 3;
    uint64_t now = session->loop->now_ns(session->loop);
    if (room > PDK_SCREEN_LINES - 1) room = PDK_SCREEN_LINES - 1;
    size_t extra, width = session->name_width < NAME_MOST ? session->name_width : NAME_MOST;
    int least = interest_that_fits(session, room, &extra);
    for (size_t i = 0; i < session->item_count; i++) {
        const struct pdk_item *item = pdk_plan_item(session->plan, i);
        enum look look = look_of(item);
        counts[look]++;
        if (looks[look].interesting < least || (looks[look].interesting == least && extra == 0)) continue;
        if (looks[look].interesting == least) extra--;
        draw_item(screen, item, width, now);
        shown++;
    }
    draw_sum(session, screen, counts, session->item_count - shown);
}
