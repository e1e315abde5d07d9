/* SPDX-License-Identifier: Apache-2.0 */
/*
 * paddock new: a working start. What it writes are the files in core/cli/templates, which are part of the program;
 * a folder of them for each thing that can be made, and one that all plugins share.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/text.h"
#include "core/cli/embedded.h"
#include "core/cli/json.h"
#include "core/cli/options.h"

/* What can be made. The folder of a runner's variant is "runner-" and the name of the option. */
static const struct thing {
    const char *word;
    const char *what;   /* @WHAT@ in the files */
    const char *shared; /* NULL: it is no plugin, and has no name */
} things[] = {{"runner", "runner", "templates/plugin/"},
              {"source", "source", "templates/plugin/"},
              {"metrics", "metrics backend", "templates/plugin/"},
              {"tasks", "file of tasks", NULL}};

struct work {
    const struct thing *thing;
    const char *name, *folder;
    char own[64]; /* "templates/runner-async/" */
    struct pdk_buffer path;
};

const char *pdk_new_word(size_t i, const char **ret_what) {
    if (i >= sizeof things / sizeof *things) return NULL;
    *ret_what = things[i].what;
    return things[i].word;
}

/* ---- the files of a work */

/* The file's name in the new folder; NULL: it is not of this work. */
static const char *own_name(const struct work *work, const struct pdk_embedded *file) {
    const char *const folders[] = {work->own, work->thing->shared};
    for (size_t i = 0; i < 2 && folders[i]; i++) {
        size_t size = strlen(folders[i]);
        if (strncmp(file->name, folders[i], size) == 0) return file->name + size;
    }
    return NULL;
}

static bool ends_in_slash(const char *folder) {
    return folder[strlen(folder) - 1] == '/';
}

/* The next file of the work from *at on, with its path; NULL: no more, or no memory for it. */
static const char *next_path(struct work *work, const struct pdk_embedded **at) {
    for (; (*at)->name; (*at)++) {
        const char *name = own_name(work, *at);
        if (!name) continue;
        work->path.size = 0;
        if (strcmp(work->folder, ".") != 0)
            pdk_buffer_format(&work->path, "%s%s", work->folder, ends_in_slash(work->folder) ? "" : "/");
        pdk_buffer_text(&work->path, name);
        return work->path.error ? NULL : pdk_buffer_string(&work->path);
    }
    return NULL;
}

/* ---- writing */

/* The line that says whose a template is stays here: what is made of it is the user's. */
static const char *behind_license(const char *text) {
    size_t size = strcspn(text, "\n");
    const char *end = strstr(text, "SPDX-License-Identifier");
    return end && end < text + size ? text + size + 1 : text;
}

static void put_text(const struct work *work, const char *text, FILE *to) {
    const struct { const char *word, *value; } places[] = {{"@NAME@", work->name}, {"@WHAT@", work->thing->what}};
    for (text = behind_license(text); *text;) {
        size_t size = strcspn(text, "@");
        (void)fwrite(text, 1, size, to);
        text += size;
        for (size_t i = 0; *text && i <= sizeof places / sizeof *places; i++) {
            if (i == sizeof places / sizeof *places) { /* an @ that means nothing */
                (void)fputc(*text++, to);
            } else if (strncmp(text, places[i].word, strlen(places[i].word)) == 0) {
                (void)fputs(places[i].value, to);
                text += strlen(places[i].word);
                break;
            }
        }
    }
}

static int write_one(const struct work *work, const struct pdk_embedded *file, const char *path) {
    FILE *to = fopen(path, "wxe");
    if (!to) return errno;
    errno = 0;
    put_text(work, file->text, to);
    bool bad = ferror(to) != 0;
    if (fclose(to) == 0 && !bad) return 0;
    int error = errno ? errno : EIO;
    (void)unlink(path);
    return error;
}

/* Undo: those before `end`. */
static void remove_until(struct work *work, const struct pdk_embedded *end) {
    const struct pdk_embedded *at = pdk_embedded_files;
    for (const char *path; (path = next_path(work, &at)) && at != end; at++) (void)unlink(path);
}

/* The folder, and those it is in. */
static int make_folder(const char *folder) {
    char path[4096];
    if (strlcpy(path, folder, sizeof path) >= sizeof path) return ENAMETOOLONG;
    for (char *at = path + 1; *at; at++) {
        if (*at != '/') continue;
        *at = '\0';
        if (mkdir(path, 0777) < 0 && errno != EEXIST) return errno;
        *at = '/';
    }
    return mkdir(path, 0777) < 0 && errno != EEXIST ? errno : 0;
}

static int write_all(struct work *work) {
    const struct pdk_embedded *at;
    const char *path;
    struct stat found;
    for (at = pdk_embedded_files; (path = next_path(work, &at)); at++) {
        if (lstat(path, &found) < 0) continue;
        pdk_say("%s is there already, and nothing is overwritten; -o DIR puts it elsewhere", path);
        return PDK_EXIT_FILE;
    }
    int error = make_folder(work->folder);
    if (error) {
        pdk_say("cannot make the folder %s: %s", work->folder, strerror(error));
        return PDK_EXIT_FILE;
    }
    for (at = pdk_embedded_files; (path = next_path(work, &at)); at++) {
        error = write_one(work, at, path);
        if (!error) continue;
        pdk_say("cannot write %s: %s", path, strerror(error));
        remove_until(work, at);
        return PDK_EXIT_FILE;
    }
    return work->path.error ? pdk_say_memory() : 0;
}

/* ---- telling */

static void tell(struct work *work, const struct pdk_arguments *arguments) {
    const struct pdk_embedded *at = pdk_embedded_files;
    if (arguments->quiet || arguments->json) return;
    for (const char *path; (path = next_path(work, &at)); at++) (void)printf("%s\n", path);
    (void)fflush(stdout); /* what is to do comes behind it, on a terminal as well as in a file */
    if (work->thing->shared)
        pdk_say("a %s to begin with; next: cd %s && make test", work->thing->what, work->folder);
    else
        pdk_say("a file of tasks to begin with; next: paddock run %s", pdk_buffer_string(&work->path));
}

static int tell_json(struct work *work) {
    struct pdk_buffer line = PDK_BUFFER(1u << 20);
    const struct pdk_embedded *at = pdk_embedded_files;
    pdk_json_open(&line, NULL, '{');
    pdk_json_text(&line, "what", work->thing->word);
    if (work->thing->shared) pdk_json_text(&line, "name", work->name);
    pdk_json_text(&line, "folder", work->folder);
    pdk_json_open(&line, "files", '[');
    for (const char *path; (path = next_path(work, &at)); at++) pdk_json_text(&line, NULL, path);
    pdk_json_close(&line, ']');
    pdk_json_close(&line, '}');
    if (!line.error) (void)printf("%s\n", pdk_buffer_string(&line));
    int code = line.error ? pdk_say_memory() : 0;
    pdk_buffer_free(&line);
    return code;
}

/* ---- the command line */

static const struct thing *find_thing(const struct pdk_arguments *arguments) {
    static const char wanted[] = "expected runner, source, metrics or tasks";
    const char *word = arguments->names.items[0];
    for (size_t i = 0; word && i < sizeof things / sizeof *things; i++)
        if (strcmp(things[i].word, word) == 0) return &things[i];
    if (word)
        (void)pdk_say_usage(arguments->verb, wanted, "there is no \"%s\" to begin", word);
    else
        (void)pdk_say_usage(arguments->verb, wanted, "a new what?");
    return NULL;
}

static int take_words(struct work *work, const struct pdk_arguments *arguments) {
    const struct pdk_words *names = &arguments->names;
    const struct pdk_verb *verb = arguments->verb;
    const char *why = "";
    work->thing = find_thing(arguments);
    if (!work->thing) return PDK_EXIT_USAGE;
    size_t most = work->thing->shared ? 2 : 1;
    if (names->count > most) return pdk_say_usage(verb, "", "unexpected word \"%s\"", names->items[most]);
    if (names->count < most) return pdk_say_usage(verb, "", "the %s wants a name", work->thing->what);
    if (arguments->variant && work->thing != things)
        return pdk_say_usage(verb, "", "--%s is for runners", arguments->variant);
    work->name = most == 2 ? names->items[1] : "";
    if (most == 2 && pdk_plugin_name_check(work->name, &why) < 0)
        return pdk_say_usage(verb, "", "\"%s\" is not a plugin's name: %s", work->name, why);
    work->folder = arguments->output ? arguments->output : most == 2 ? work->name : ".";
    (void)snprintf(work->own, sizeof work->own, "templates/%s%s%s/", work->thing->word, arguments->variant ? "-" : "",
                   arguments->variant ? arguments->variant : "");
    if (!*work->folder) return pdk_say_usage(verb, "", "--output wants the name of a folder");
    return 0;
}

int pdk_verb_new(struct pdk_arguments *arguments) {
    struct work work = {.path = PDK_BUFFER(1u << 16)};
    int code = take_words(&work, arguments);
    if (code == 0) code = write_all(&work);
    if (code == 0) tell(&work, arguments);
    if (code == 0 && arguments->json) code = tell_json(&work);
    pdk_buffer_free(&work.path);
    return code;
}
