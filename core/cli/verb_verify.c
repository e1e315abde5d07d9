/* SPDX-License-Identifier: Apache-2.0 */
/* paddock verify: does a plugin keep the rules of the headers? */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/cli/console.h"
#include "core/cli/json.h"
#include "core/verify/verify.h"
#include "paddock/helpers.h"
#include "paddock/library.h"

enum { INPUT_MAX = 1 << 20 };

/* The check whose failure says that this is no plugin at all. */
static const uint32_t is_plugin = 2;

struct totals {
    uint32_t passed, failed, skipped;
    bool no_plugin;
};

struct session {
    const struct pdk_arguments *arguments;
    struct pdk_console console;
    struct pdk_verifier *verifier;
    struct pdk_verify_subject subject;
    struct totals totals;
    const char *group; /* the heading that was printed last */
};

/* ---- what is asked for ---- */

/* In the texts of the test host ' stands for ", so that it is written otherwise. */
static const char *escape(struct pdk_arena *arena, const char *json) {
    struct pdk_buffer text = PDK_BUFFER((size_t)8 * INPUT_MAX);
    const char *made;
    for (; *json; json++) {
        if (*json == '\'')
            pdk_buffer_text(&text, "\\u0027");
        else
            pdk_buffer_add(&text, json, 1);
    }
    made = text.error ? NULL : pdk_arena_text(arena, pdk_buffer_string(&text), text.size);
    pdk_buffer_free(&text);
    return made;
}

/* "@FILE" is what the file holds. */
static int read_text(struct pdk_arguments *a, const char *option, const char *given, const char **ret) {
    struct pdk_buffer text = PDK_BUFFER(INPUT_MAX);
    *ret = given;
    if (!given || given[0] != '@') return 0;
    int code = pdk_read_whole(option, given + 1, &text);
    *ret = code ? NULL : pdk_arena_text(&a->arena, pdk_buffer_string(&text), text.size);
    pdk_buffer_free(&text);
    return code || *ret ? code : pdk_say_memory();
}

static int read_json(struct pdk_arguments *a, const char *option, const char *given, const char **ret) {
    const pdk_values *values = pdk_values_get();
    const pdk_value *value = NULL;
    pdk_error err = PDK_ERROR;
    int code = read_text(a, option, given, ret);
    bool map;
    if (code || !*ret) return code;
    if (values->parse(values, *ret, strlen(*ret), option, &value, &err) < 0) {
        pdk_say("--%s: %s%s%s", option, err.message, *err.hint ? "; " : "", err.hint);
        return PDK_EXIT_USAGE;
    }
    map = values->type(value) == PDK_MAP;
    values->drop(value);
    if (!map) return pdk_say_usage(a->verb, "", "--%s wants a JSON object, {\"name\": value}", option);
    *ret = escape(&a->arena, *ret);
    return *ret ? 0 : pdk_say_memory();
}

static bool is_wanted(const struct pdk_arguments *a, uint32_t number) {
    for (size_t i = 0; i < a->checks.count; i++)
        if (strtoul(a->checks.items[i], NULL, 10) == number) return true;
    return a->checks.count == 0;
}

static int check_numbers(const struct pdk_arguments *a) {
    for (size_t i = 0; i < a->checks.count; i++) {
        const char *why = NULL;
        long long number = strtonum(a->checks.items[i], 1, 9999, &why);
        if (why || !pdk_verify_find((uint32_t)number))
            return pdk_say_usage(a->verb, "--list shows all", "there is no check %s", a->checks.items[i]);
    }
    return 0;
}

/* ---- --list ---- */

static void list(const struct pdk_arguments *a) {
    struct pdk_console console = pdk_console_of(STDOUT_FILENO, a->color);
    const struct pdk_verify_check *check;
    struct pdk_grid grid;
    pdk_grid_begin(&grid, 5);
    if (!a->json)
        for (size_t i = 0; i < 5; i++)
            pdk_grid_cell(&grid, "%s", ((const char *const[]){"NO.", "ROLE", "CHECK", "RULE", "HEADER"})[i]);
    for (size_t i = 0; (check = pdk_verify_at(i)); i++) {
        struct pdk_buffer line = PDK_BUFFER(1u << 16);
        if (!is_wanted(a, check->number)) continue;
        pdk_grid_cell(&grid, "%u", check->number);
        pdk_grid_cell(&grid, "%s", check->group);
        pdk_grid_cell(&grid, "%s", check->name);
        pdk_grid_cell(&grid, "%s", check->rule);
        pdk_grid_cell(&grid, "%s", check->header);
        if (!a->json) continue;
        pdk_json_open(&line, NULL, '{');
        pdk_json_integer(&line, "check", check->number);
        pdk_json_text(&line, "role", check->group);
        pdk_json_text(&line, "name", check->name);
        pdk_json_text(&line, "rule", check->rule);
        pdk_json_text(&line, "header", check->header);
        pdk_json_close(&line, '}');
        (void)printf("%s\n", pdk_buffer_string(&line));
        pdk_buffer_free(&line);
    }
    if (!a->json) pdk_grid_print(&grid, &console, "", stdout);
    pdk_grid_free(&grid);
}

/* ---- the report ---- */

static const struct {
    const char *mark, *word;
    enum pdk_tone tone;
} looks[] = {[PDK_VERIFY_PASSED] = {"\u2713", "passed", PDK_TONE_GREEN},
             [PDK_VERIFY_FAILED] = {"\u2717", "failed", PDK_TONE_RED},
             [PDK_VERIFY_SKIPPED] = {"-", "skipped", PDK_TONE_DIM}};

/* What a plugin says never reaches the terminal as it is. */
static const char *visible(char *text) {
    for (char *c = text; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f) *c = *c == '\n' ? '\n' : '?';
    return text;
}

static void print_record(const struct session *s, char *record) {
    const char *line = visible(record), *end;
    if (s->arguments->verbose == 0) return;
    for (; *line; line = end + (*end == '\n')) {
        end = line + strcspn(line, "\n");
        (void)printf("         %s%.*s%s\n", pdk_tone_begin(&s->console, PDK_TONE_DIM), (int)(end - line), line,
                     pdk_tone_end(&s->console, PDK_TONE_DIM));
    }
}

static void print_check(struct session *s, const struct pdk_verify_check *check, struct pdk_verify_result *result) {
    enum pdk_tone tone = looks[result->state].tone;
    if (s->arguments->quiet && result->state != PDK_VERIFY_FAILED) return;
    if (s->group != check->group && !s->arguments->quiet) (void)printf("%s\n", check->group);
    s->group = check->group;
    (void)printf("  %s%s%s %3u  %s", pdk_tone_begin(&s->console, tone), looks[result->state].mark,
                 pdk_tone_end(&s->console, tone), check->number, check->name);
    if (result->state == PDK_VERIFY_SKIPPED)
        (void)printf("%s: %s%s", pdk_tone_begin(&s->console, PDK_TONE_DIM), visible(result->seen),
                     pdk_tone_end(&s->console, PDK_TONE_DIM));
    (void)printf("\n");
    if (result->state != PDK_VERIFY_FAILED) return;
    (void)printf("         seen: %s\n         rule: %s (paddock/%s)\n", visible(result->seen), check->rule,
                 check->header);
    print_record(s, result->record);
}

static void print_json(const struct session *s, const struct pdk_verify_check *check,
                       const struct pdk_verify_result *result) {
    struct pdk_buffer line = PDK_BUFFER(1u << 20);
    pdk_json_open(&line, NULL, '{');
    pdk_json_text(&line, "file", s->subject.path);
    pdk_json_integer(&line, "check", check->number);
    pdk_json_text(&line, "role", check->group);
    pdk_json_text(&line, "name", check->name);
    pdk_json_text(&line, "result", looks[result->state].word);
    if (result->seen[0]) pdk_json_text(&line, "seen", result->seen);
    if (result->state == PDK_VERIFY_FAILED) {
        pdk_json_text(&line, "rule", check->rule);
        pdk_json_text(&line, "header", check->header);
        if (s->arguments->verbose) pdk_json_text(&line, "record", result->record);
    }
    pdk_json_close(&line, '}');
    (void)printf("%s\n", pdk_buffer_string(&line));
    pdk_buffer_free(&line);
}

static void count(struct totals *totals, const struct pdk_verify_check *check, uint32_t state) {
    totals->passed += state == PDK_VERIFY_PASSED;
    totals->failed += state == PDK_VERIFY_FAILED;
    totals->skipped += state == PDK_VERIFY_SKIPPED;
    if (check->number == is_plugin && state == PDK_VERIFY_FAILED) totals->no_plugin = true;
}

static void print_totals(const struct session *s) {
    const struct totals *t = &s->totals;
    enum pdk_tone tone = t->failed ? PDK_TONE_RED : PDK_TONE_GREEN;
    uint32_t all = t->passed + t->failed + t->skipped;
    if (s->arguments->json) return;
    if (s->arguments->quiet) (void)printf("%s: ", s->subject.path);
    (void)printf("%s%u check%s: %u passed", pdk_tone_begin(&s->console, tone), all, all == 1 ? "" : "s", t->passed);
    if (t->failed) (void)printf(", %u failed", t->failed);
    if (t->skipped) (void)printf(", %u skipped", t->skipped);
    (void)printf("%s\n", pdk_tone_end(&s->console, tone));
}

/* ---- one file ---- */

/* 0, or an exit code: the check could not be made. */
static int run_check(struct session *s, const struct pdk_verify_check *check, bool told) {
    struct pdk_verify_result result;
    pdk_error err = PDK_ERROR;
    int32_t rc = pdk_verifier_run(s->verifier, check, &s->subject, s->arguments->timeout_ns, &result, &err);
    if (rc < 0) {
        pdk_say("check %u cannot be made: %s", check->number, *err.message ? err.message : strerror(-rc));
        return PDK_EXIT_BUG;
    }
    if (result.state == PDK_VERIFY_NO_KIND)
        return pdk_say_usage(s->arguments->verb, "", "%s: %s", s->subject.path, visible(result.seen));
    if (result.state >= PDK_VERIFY_NOT_MEANT) return 0;
    if (!told && result.state == PDK_VERIFY_PASSED) return 0;
    count(&s->totals, check, result.state);
    if (s->arguments->json)
        print_json(s, check, &result);
    else
        print_check(s, check, &result);
    (void)fflush(stdout);
    return 0;
}

static int verify(struct session *s, const char *path) {
    const struct pdk_verify_check *check;
    int code = 0;
    s->subject.path = path;
    s->totals = (struct totals){0, 0, 0, false};
    s->group = NULL;
    if (access(path, R_OK) < 0) {
        pdk_say("%s: %s", path, strerror(errno));
        return PDK_EXIT_PLUGIN;
    }
    if (!s->arguments->json && !s->arguments->quiet)
        (void)printf("%s%s%s\n", pdk_tone_begin(&s->console, PDK_TONE_BOLD), path,
                     pdk_tone_end(&s->console, PDK_TONE_BOLD));
    for (size_t i = 0; code == 0 && !s->totals.no_plugin && (check = pdk_verify_at(i)); i++) {
        bool wanted = is_wanted(s->arguments, check->number);
        if (wanted || check->number == is_plugin) code = run_check(s, check, wanted);
    }
    if (code) return code;
    print_totals(s);
    if (s->totals.no_plugin) return PDK_EXIT_PLUGIN;
    return s->totals.failed ? PDK_EXIT_FAILED : 0;
}

int pdk_verb_verify(struct pdk_arguments *arguments) {
    struct session s = {.arguments = arguments, .console = pdk_console_of(STDOUT_FILENO, arguments->color)};
    pdk_error err = PDK_ERROR;
    int worst = 0, code = check_numbers(arguments);
    if (code == 0 && arguments->list) {
        list(arguments);
        return 0;
    }
    if (code == 0 && arguments->names.count == 0)
        code = pdk_say_usage(arguments->verb, "paddock verify ./greet.so", "no plugin is named");
    if (code == 0) code = read_json(arguments, "with", arguments->with, &s.subject.with);
    if (code == 0) code = read_json(arguments, "config", arguments->config, &s.subject.config);
    if (code) return code;
    s.subject.kind = arguments->kind;
    if (s.subject.with && !s.subject.kind)
        return pdk_say_usage(arguments->verb, "--kind KIND", "--with is for one kind, which is not named");
    if (pdk_verifier_create(&s.verifier, &err) < 0) {
        pdk_say("%s", err.message);
        return PDK_EXIT_BUG;
    }
    for (size_t i = 0; i < arguments->names.count; i++) {
        code = verify(&s, arguments->names.items[i]);
        if (i + 1 < arguments->names.count && !arguments->json && !arguments->quiet) (void)printf("\n");
        if (code > worst) worst = code;
    }
    pdk_verifier_free(s.verifier);
    return worst;
}

/* "__verify NUMBER FILE KIND WITH CONFIG", with the file for the result at descriptor 3. "" is what was not said. */
int pdk_verify_process(int argc, char **argv) {
    const struct pdk_verify_check *check = argc == 5 ? pdk_verify_find((uint32_t)strtoul(argv[0], NULL, 10)) : NULL;
    const struct pdk_verify_subject subject = {
        argc == 5 ? argv[1] : NULL,
        argc == 5 && *argv[2] ? argv[2] : NULL,
        argc == 5 && *argv[3] ? argv[3] : NULL,
        argc == 5 && *argv[4] ? argv[4] : NULL,
    };
    if (!check || fcntl(3, F_SETFD, FD_CLOEXEC) < 0) return PDK_EXIT_USAGE;
    return pdk_verify_child(check, &subject, 3);
}
