/* SPDX-License-Identifier: Apache-2.0 */
/* Timers: a period counted from the last run is `every`; a time of day makes the task manual, with the times above it. */
#include <string.h>

#include "core/base/clock.h"
#include "core/import/systemd.h"

#define SHOWN 120

/* Times of the calendar that are a period: the same all day. */
static uint64_t calendar(const char *text) {
    static const struct {
        const char *text;
        uint64_t ns;
    } known[] = {{"minutely", PDK_MINUTE},     {"hourly", PDK_HOUR},         {"*:0/5", 5 * PDK_MINUTE},
                 {"*:0/10", 10 * PDK_MINUTE},  {"*:0/15", 15 * PDK_MINUTE},  {"*:0/20", 20 * PDK_MINUTE},
                 {"*:0/30", 30 * PDK_MINUTE},  {"*:00/5", 5 * PDK_MINUTE},   {"*:00/10", 10 * PDK_MINUTE},
                 {"*:00/15", 15 * PDK_MINUTE}, {"*:00/20", 20 * PDK_MINUTE}, {"*:00/30", 30 * PDK_MINUTE}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(text, known[i].text) == 0) return known[i].ns;
    return 0;
}

static struct pdk_unit *served(struct pdk_import *import, const struct pdk_unit *timer, const char **ret_name) {
    const char *name = pdk_import_format(import, "%s.service", timer->stem);
    for (const struct pdk_ini_line *line = timer->lines; line; line = line->next)
        if (line->key && strcmp(line->section, "Timer") == 0 && strcmp(line->key, "Unit") == 0) name = line->value;
    *ret_name = name;
    return pdk_unit_find(import, name);
}

static bool is_key(const struct pdk_ini_line *line, const char *key) {
    return strcmp(line->key, key) == 0;
}

static void set_every(struct pdk_import *import, struct pdk_import_task *task, const struct pdk_ini_line *line,
                      uint64_t ns) {
    struct pdk_import_node *node = pdk_import_plain(import, task, "every", "%s", pdk_import_duration(import, ns));
    if (node && !node->notes.first && is_key(line, "OnCalendar"))
        pdk_import_remark(import, &node->notes, line->at, "OnCalendar=%s", line->value);
    pdk_import_remove(task, "restart");
}

/* How often, as the last line says that can be said; true: there was one that cannot. */
static bool put_times(struct pdk_import *import, const struct pdk_unit *timer, struct pdk_import_task *task) {
    bool unsaid = false;
    for (const struct pdk_ini_line *line = timer->lines; line && !import->error; line = line->next) {
        uint64_t ns = 0;
        if (!line->key || strcmp(line->section, "Timer") != 0 || !*line->value) continue;
        if (is_key(line, "OnUnitActiveSec") || is_key(line, "OnUnitInactiveSec")) {
            if (!pdk_unit_span(line->value, PDK_SECOND, &ns)) ns = 0;
        } else if (is_key(line, "OnCalendar")) {
            ns = calendar(line->value);
        } else {
            continue;
        }
        if (ns >= PDK_MILLISECOND && ns <= 365 * PDK_DAY)
            set_every(import, task, line, ns);
        else
            unsaid = true;
    }
    return unsaid;
}

/* What the timer says beside it. Where times cannot be said they are above `manual`. */
static void put_notes(struct pdk_import *import, const struct pdk_unit *timer, struct pdk_import_task *task,
                      struct pdk_import_notes *times) {
    static const char *const done[] = {"OnUnitActiveSec", "OnUnitInactiveSec", "Unit", "Description", "WantedBy"};
    for (const struct pdk_ini_line *line = timer->lines; line && !import->error; line = line->next) {
        bool skip = !line->key || !*line->value;
        for (size_t i = 0; i < sizeof done / sizeof *done && !skip; i++) skip = is_key(line, done[i]);
        if (skip && !(times && line->key && *line->value && strncmp(line->key, "OnUnit", 6) == 0)) continue;
        bool on_calendar = is_key(line, "OnCalendar");
        if (!times && on_calendar) continue;
        pdk_import_note(import, times && strcmp(line->section, "Timer") == 0 ? times : &task->notes, line->at,
                        "%.60s=%.*s %s", line->key, SHOWN, line->value,
                        on_calendar ? "is a schedule, which comes with a later version" : "has no counterpart here");
    }
}

void pdk_timer_translate(struct pdk_import *import, struct pdk_unit *timer) {
    const char *name;
    struct pdk_unit *unit = served(import, timer, &name);
    struct pdk_import_task *task = unit ? unit->task : NULL;
    if (import->error) return;
    if (!task || task->dropped) {
        pdk_import_note(import, &import->notes, timer->at, "%.*s is not among the units given", SHOWN, name);
        return;
    }
    bool unsaid = put_times(import, timer, task);
    bool every = pdk_import_find(task, "every") != NULL;
    struct pdk_import_node *manual = NULL;
    if (unsaid || !every) {
        pdk_import_remove(task, "every");
        manual = pdk_import_plain(import, task, "manual", "true");
    }
    put_notes(import, timer, task, manual ? &manual->notes : NULL);
    if (manual && unit->pre) (void)pdk_import_plain(import, unit->pre, "manual", "true");
    if (manual && unit->post) (void)pdk_import_plain(import, unit->post, "manual", "true");
}
