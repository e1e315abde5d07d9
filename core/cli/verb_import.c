/* SPDX-License-Identifier: Apache-2.0 */
/* paddock import: other supervisors' files, as a paddock.yaml. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/cli/console.h"
#include "core/cli/json.h"
#include "core/cli/options.h"
#include "core/import/import.h"

#define MOST_BYTES (4u << 20) /* of a file that can be read again */

static const char *plural(uint32_t n) {
    return n == 1 ? "" : "s";
}

/* ---- JSON: a line for each task and each note */

/* As a file has it: a "${" that is none of Paddock's variables is written $${, unless it is the shell's. */
static void put_text(struct pdk_buffer *to, const struct pdk_import_node *node) {
    struct pdk_buffer plain = PDK_BUFFER(MOST_BYTES);
    for (const char *c = node->text; *c; c++) {
        if (*c == PDK_IMPORT_OPEN[0])
            pdk_buffer_text(&plain, "${");
        else if (c[0] == '$' && c[1] == '{' && !node->shell)
            pdk_buffer_text(&plain, "$$");
        else
            pdk_buffer_add(&plain, c, 1);
    }
    pdk_json_text(to, node->key, pdk_buffer_string(&plain));
    if (plain.error && !to->error) to->error = plain.error;
    pdk_buffer_free(&plain);
}

static void put_node(struct pdk_buffer *to, const struct pdk_import_node *node) {
    bool list = node->type == PDK_IMPORT_LIST;
    if (node->type == PDK_IMPORT_NULL) {
        pdk_json_word(to, node->key, "null");
    } else if (node->type == PDK_IMPORT_TEXT && node->plain && strcmp(node->text, "true") == 0) {
        pdk_json_word(to, node->key, "true");
    } else if (node->type == PDK_IMPORT_TEXT) {
        put_text(to, node);
    } else {
        pdk_json_open(to, node->key, list ? '[' : '{');
        for (const struct pdk_import_node *child = node->first; child; child = child->next) put_node(to, child);
        pdk_json_close(to, list ? ']' : '}');
    }
}

static void put_place(struct pdk_buffer *to, const struct pdk_import_at *at) {
    if (at->source) pdk_json_text(to, "file", at->source->file);
    if (at->line) pdk_json_integer(to, "line", at->line);
}

static void put_notes(struct pdk_buffer *to, const struct pdk_import_notes *notes, const char *task,
                      const char *field) {
    for (const struct pdk_import_note *note = notes->first; note; note = note->next) {
        pdk_json_open(to, NULL, '{');
        pdk_json_text(to, "note", note->text);
        pdk_json_text(to, "kind", note->remark ? "remark" : "untranslated");
        pdk_json_text(to, "task", task);
        pdk_json_text(to, "field", field);
        put_place(to, &note->at);
        pdk_json_close(to, '}');
        pdk_buffer_text(to, "\n");
    }
}

static void put_task(struct pdk_buffer *to, const struct pdk_import_task *task) {
    struct pdk_import_node fields = task->fields;
    fields.key = "spec";
    pdk_json_open(to, NULL, '{');
    pdk_json_text(to, "task", task->name);
    put_node(to, &fields);
    put_place(to, &task->at);
    pdk_json_close(to, '}');
    pdk_buffer_text(to, "\n");
    put_notes(to, &task->notes, task->name, NULL);
    for (const struct pdk_import_node *node = task->fields.first; node; node = node->next)
        put_notes(to, &node->notes, task->name, node->key);
}

static void put_json(struct pdk_buffer *to, const struct pdk_import *import) {
    put_notes(to, &import->notes, NULL, NULL);
    if (import->defaults.first) {
        struct pdk_import_node defaults = import->defaults;
        defaults.key = "defaults";
        pdk_json_open(to, NULL, '{');
        put_node(to, &defaults);
        pdk_json_close(to, '}');
        pdk_buffer_text(to, "\n");
    }
    for (const struct pdk_import_task *task = import->tasks; task; task = task->next)
        if (!task->dropped) put_task(to, task);
}

/* ---- reading */

static int read_format(const struct pdk_arguments *arguments, enum pdk_import_format *ret) {
    const char *names[PDK_IMPORT_FORMATS + 1] = {NULL};
    if (!arguments->from) return 0;
    for (int i = 1; i < PDK_IMPORT_FORMATS; i++) names[i - 1] = pdk_import_format_name((enum pdk_import_format)i);
    int found = pdk_option_choice(arguments->verb, "from", arguments->from, names);
    if (found < 0) return PDK_EXIT_USAGE;
    *ret = (enum pdk_import_format)(found + 1);
    return 0;
}

static int check_files(const struct pdk_arguments *arguments) {
    uint32_t inputs = 0;
    for (size_t i = 0; i < arguments->files.count; i++) inputs += strcmp(arguments->files.items[i], "-") == 0;
    if (!arguments->files.count) return pdk_say_usage(arguments->verb, "", "which file?");
    if (inputs && !arguments->from)
        return pdk_say_usage(arguments->verb, "", "standard input has no name to guess by: say --from");
    return inputs > 1 ? pdk_say_usage(arguments->verb, "", "standard input can be read once") : 0;
}

static int32_t read_files(const struct pdk_arguments *arguments, struct pdk_import *import,
                          enum pdk_import_format format) {
    int32_t rc = 0;
    for (size_t i = 0; rc == 0 && i < arguments->files.count; i++) {
        enum pdk_import_format taken = format;
        rc = pdk_import_file(import, format, arguments->files.items[i], &taken);
        if (rc == 0 && !arguments->from && !arguments->quiet && taken != PDK_IMPORT_GUESS)
            pdk_say("%s: read as %s", arguments->files.items[i], pdk_import_format_what(taken));
    }
    return rc == 0 ? pdk_import_finish(import) : rc;
}

/* ---- writing */

/* Into what is open, which is closed. */
static int32_t write_into(int fd, const struct pdk_buffer *text) {
    int32_t rc = pdk_write_all(fd, pdk_buffer_string(text), text->size);
    return close(fd) < 0 && rc == 0 ? -errno : rc;
}

/* Where there is nothing: half of a file does not stay. */
static int32_t write_first(const char *path, const struct pdk_buffer *text) {
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0) return -errno;
    int32_t rc = write_into(fd, text);
    if (rc < 0) (void)unlink(path);
    return rc;
}

/* The file that is there, behind links, keeps its mode, and itself on any failure. */
static int32_t replace(const char *path, const struct pdk_buffer *text, const struct stat *like) {
    char *real = realpath(path, NULL);
    int32_t rc = real ? pdk_write_replace(real, pdk_buffer_string(text), text->size, like) : -errno;
    free(real);
    return rc;
}

/* A pipe or a device is written to. */
static int32_t write_over(const char *path, const struct pdk_buffer *text) {
    struct stat found;
    int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) return -errno;
    int32_t rc = fstat(fd, &found) < 0 ? -errno : 0;
    if (rc == 0 && !S_ISREG(found.st_mode)) return write_into(fd, text);
    (void)close(fd);
    return rc < 0 ? rc : replace(path, text, &found);
}

static int write_file(const struct pdk_arguments *arguments, const struct pdk_buffer *text) {
    const char *path = arguments->output;
    int32_t rc = write_first(path, text);
    if (rc == -EEXIST && arguments->force) rc = write_over(path, text);
    if (rc == 0) return 0;
    if (rc == -EEXIST)
        pdk_say("%s is there already; --force overwrites it", path);
    else
        pdk_say("cannot write %s: %s%s", path, strerror(-rc), arguments->force ? "; what was there stays" : "");
    return PDK_EXIT_FILE;
}

static int write_out(const struct pdk_arguments *arguments, const struct pdk_import *import) {
    struct pdk_buffer text = PDK_BUFFER(MOST_BYTES);
    int code = 0;
    if (arguments->json)
        put_json(&text, import);
    else
        pdk_import_print(import, &text);
    if (text.error == -E2BIG) {
        pdk_say("what would be written is larger than 4MiB; import fewer files at once");
        code = PDK_EXIT_FILE;
    } else if (text.error) {
        code = pdk_say_memory();
    } else if (arguments->output) {
        code = write_file(arguments, &text);
    } else {
        (void)fwrite(pdk_buffer_string(&text), 1, text.size, stdout);
    }
    pdk_buffer_free(&text);
    return code;
}

/* How it went. */
static int tell(const struct pdk_arguments *arguments, const struct pdk_import *import) {
    uint32_t count = pdk_import_untranslated(import), tasks = 0;
    for (const struct pdk_import_task *task = import->tasks; task; task = task->next) tasks += !task->dropped;
    if (!arguments->quiet) {
        if (arguments->output) pdk_say("%s: %u task%s", arguments->output, tasks, plural(tasks));
        if (tasks == 0) pdk_say("there is no task in what was read");
        if (count)
            pdk_say("%u line%s could not be translated; %s a comment in the output", count, plural(count),
                    count == 1 ? "it is" : "each is");
    }
    return count && arguments->strict ? PDK_EXIT_FAILED : 0;
}

static int say_faults(const struct pdk_arguments *arguments, struct pdk_import *import) {
    struct pdk_console console = pdk_console_of(STDERR_FILENO, arguments->color);
    if (import->error == -ENOMEM || import->report->out_of_memory) return pdk_say_memory();
    pdk_report_sort(import->report);
    for (uint32_t i = 0; i < import->report->count; i++)
        pdk_fault_print(&import->report->faults[i], console.color, pdk_write_file, stderr);
    return PDK_EXIT_FILE;
}

int pdk_verb_import(struct pdk_arguments *arguments) {
    struct pdk_report report = {.limit = 0};
    struct pdk_import import = {.report = &report};
    enum pdk_import_format format = PDK_IMPORT_GUESS;
    int code = check_files(arguments);
    if (code == 0) code = read_format(arguments, &format);
    if (code) return code;
    if (read_files(arguments, &import, format) < 0)
        code = say_faults(arguments, &import);
    else
        code = write_out(arguments, &import);
    if (code == 0) code = tell(arguments, &import);
    pdk_report_free(&report);
    pdk_import_free(&import);
    return code;
}
