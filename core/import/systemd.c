/* SPDX-License-Identifier: Apache-2.0 */
/* Units are gathered with their drop-ins, and translated when all are there, for they speak of each other. */
#include "core/import/systemd.h"

#include <errno.h>
#include <string.h>

#define SHOWN 120

struct pdk_unit *pdk_unit_find(const struct pdk_import *import, const char *name) {
    for (struct pdk_unit *unit = import->systemd ? import->systemd->units : NULL; unit && name; unit = unit->next)
        if (strcmp(unit->name, name) == 0) return unit;
    return NULL;
}

void pdk_unit_note(struct pdk_import *import, const struct pdk_unit *unit, const struct pdk_ini_line *line,
                   const char *why) {
    struct pdk_import_notes *notes = unit->task ? &unit->task->notes : &import->notes;
    pdk_import_note(import, notes, line->at, "%.60s=%.*s%s %s", line->key, SHOWN, line->value,
                    strlen(line->value) > SHOWN ? ".." : "", why);
}

static bool ends_in(const char *text, const char *ending) {
    size_t size = strlen(text), length = strlen(ending);
    return size > length && strcmp(text + size - length, ending) == 0;
}

/* ---- names */

static const char *base_of(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* The unit that a file says something of: its own name, or of DIR.d/x.conf that of the folder. */
static const char *unit_name(struct pdk_import *import, const char *file) {
    const char *base = base_of(file), *dot = strrchr(base, '.');
    if (ends_in(base, ".conf") && base > file + 1) {
        const char *folder = pdk_import_copy(import, file, (size_t)(base - file) - 1);
        if (folder && ends_in(base_of(folder), ".d"))
            return pdk_import_copy(import, base_of(folder), strlen(base_of(folder)) - 2);
    }
    return dot && dot > base ? base : pdk_import_format(import, "%s.service", strchr(base, ' ') ? "unit" : base);
}

static void take_apart(struct pdk_import *import, struct pdk_unit *unit) {
    const char *dot = strrchr(unit->name, '.'), *at = strchr(unit->name, '@');
    if (!dot) dot = unit->name + strlen(unit->name);
    unit->suffix = dot;
    unit->stem = pdk_import_copy(import, unit->name, (size_t)(dot - unit->name));
    if (!at || at > dot) {
        unit->prefix = unit->stem;
        return;
    }
    unit->prefix = pdk_import_copy(import, unit->name, (size_t)(at - unit->name));
    unit->instance = pdk_import_copy(import, at + 1, (size_t)(dot - at) - 1);
}

static struct pdk_unit *make_unit(struct pdk_import *import, const char *name, struct pdk_import_at at) {
    struct pdk_unit *unit = pdk_unit_find(import, name);
    if (unit || !name) return unit;
    if (!import->systemd) {
        import->systemd = pdk_import_alloc(import, sizeof *import->systemd);
        if (!import->systemd) return NULL;
        import->systemd->last = &import->systemd->units;
    }
    unit = pdk_import_alloc(import, sizeof *unit);
    if (!unit) return NULL;
    unit->name = name;
    unit->at = at;
    unit->last_line = &unit->lines;
    take_apart(import, unit);
    *import->systemd->last = unit;
    import->systemd->last = &unit->next;
    return unit;
}

/* ---- reading */

void pdk_import_unit(struct pdk_import *import, const struct pdk_import_source *source) {
    struct pdk_ini_line *lines = pdk_ini_read(import, source, PDK_INI_SYSTEMD);
    struct pdk_unit *unit =
        import->error ? NULL
                      : make_unit(import, unit_name(import, source->file), (struct pdk_import_at){.source = source});
    if (!unit || import->error) return;
    *unit->last_line = lines;
    while (*unit->last_line) unit->last_line = &(*unit->last_line)->next;
}

/* FOLDER/NAME.d/ *.conf */
static void read_drop_ins(struct pdk_import *import, const char *folder, const char *name) {
    struct pdk_buffer pattern = PDK_BUFFER(16384);
    for (const char *part = folder, *next = name; part; part = next, next = NULL)
        for (; *part; part++) {
            if (strchr("*?[\\", *part)) pdk_buffer_text(&pattern, "\\");
            pdk_buffer_add(&pattern, part, 1);
        }
    pdk_buffer_text(&pattern, ".d/*.conf");
    pdk_import_check(import, &pattern);
    const char *const *paths = pdk_import_glob(import, pdk_buffer_string(&pattern));
    for (; *paths && !import->error; paths++) {
        struct pdk_import_source *source =
            pdk_import_is_read(import, *paths) ? NULL : pdk_import_read(import, *paths, true);
        if (source) pdk_import_unit(import, source);
    }
    pdk_buffer_free(&pattern);
}

/* Those of foo@.service are also those of foo@bar.service. */
static void read_all_drop_ins(struct pdk_import *import, const char *folder, const char *name) {
    const char *at = strchr(name, '@'), *dot = strrchr(name, '.');
    if (at && dot && dot > at + 1)
        read_drop_ins(import, folder, pdk_import_format(import, "%.*s%s", (int)(at - name) + 1, name, dot));
    if (!import->error) read_drop_ins(import, folder, name);
}

/* A timer's service, a service's timer. */
static void read_other(struct pdk_import *import, const char *folder, const char *stem, const char *suffix) {
    const char *name = pdk_import_format(import, "%s%s", stem, suffix);
    const char *path = pdk_import_format(import, "%s%s", folder, name);
    if (import->error || pdk_unit_find(import, name)) return;
    struct pdk_import_source *source = pdk_import_read(import, path, true);
    if (!source) return;
    pdk_import_unit(import, source);
    read_all_drop_ins(import, folder, name);
}

void pdk_import_unit_companions(struct pdk_import *import, const char *path) {
    const char *base = base_of(path), *folder = pdk_import_copy(import, path, (size_t)(base - path));
    struct pdk_unit *unit = pdk_unit_find(import, base);
    if (!unit || import->error) return; /* a drop-in that was named itself */
    read_all_drop_ins(import, folder, base);
    if (strcmp(unit->suffix, ".service") == 0) read_other(import, folder, unit->stem, ".timer");
    if (strcmp(unit->suffix, ".timer") == 0) read_other(import, folder, unit->stem, ".service");
}

/* ---- order */

static const struct {
    const char *key;
    bool before, strong; /* strong: a oneshot has to succeed */
} relations[] = {{"After", false, false},    {"Wants", false, false},  {"Requires", false, true},
                 {"Requisite", false, true}, {"BindsTo", false, true}, {"Before", true, false}};

/* Names that are among those given become links; the others are left for a note. */
static void link_line(struct pdk_import *import, struct pdk_unit *unit, const struct pdk_ini_line *line, bool before,
                      bool strong) {
    struct pdk_buffer missing = PDK_BUFFER(4096);
    const char *why, **words, *value = pdk_unit_expand(import, unit, line->value, &why);
    size_t count;
    if (pdk_unit_split(import, value, &words, &count) < 0) count = 0;
    for (size_t i = 0; i < count && !import->error; i++) {
        struct pdk_unit *other = pdk_unit_find(import, words[i]);
        if (other && other->task && before)
            pdk_import_link(import, other->task, unit->task, false, line->at);
        else if (other && other->task)
            pdk_import_link(import, unit->task, other->task, strong && other->oneshot, line->at);
        else
            pdk_buffer_format(&missing, "%s%.80s", missing.size ? " " : "", words[i]);
    }
    if (missing.error != -E2BIG) pdk_import_check(import, &missing);
    if (missing.size)
        pdk_import_note(import, &unit->task->notes, line->at, "%s=%.*s: not among the units given", line->key, SHOWN,
                        pdk_buffer_string(&missing));
    pdk_buffer_free(&missing);
}

static void link_unit(struct pdk_import *import, struct pdk_unit *unit) {
    for (const struct pdk_ini_line *line = unit->lines; line && !import->error; line = line->next) {
        if (!line->key || strcmp(line->section, "Unit") != 0) continue;
        for (size_t i = 0; i < sizeof relations / sizeof *relations; i++)
            if (strcmp(relations[i].key, line->key) == 0)
                link_line(import, unit, line, relations[i].before, relations[i].strong);
    }
}

void pdk_import_units_finish(struct pdk_import *import) {
    struct pdk_unit *units = import->systemd ? import->systemd->units : NULL;
    for (struct pdk_unit *unit = units; unit && !import->error; unit = unit->next) {
        if (strcmp(unit->suffix, ".service") == 0)
            pdk_service_translate(import, unit);
        else if (strcmp(unit->suffix, ".timer") != 0)
            pdk_import_note(import, &import->notes, unit->at, "units of the kind %.20s have no counterpart here",
                            unit->suffix);
    }
    for (struct pdk_unit *unit = units; unit && !import->error; unit = unit->next)
        if (strcmp(unit->suffix, ".timer") == 0) pdk_timer_translate(import, unit);
    for (struct pdk_unit *unit = units; unit && !import->error; unit = unit->next)
        if (unit->task && !unit->task->dropped) link_unit(import, unit);
}
