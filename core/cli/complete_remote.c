/* SPDX-License-Identifier: Apache-2.0 */
/* Words that a running server knows: ids of runs and jobs, names of tasks, topics and slots. */
#include <string.h>

#include "core/cli/options.h"
#include "core/cli/remote.h"

#define MOST "200" /* of one kind */

/* Where words of a kind come from. */
static const struct source {
    const char *what, *path, *list, *word, *doc;
} sources[] = {
    {"run", "/v1/runs?limit=" MOST, "runs", "run_id", "state"},
    {"alive", "/v1/runs?state=queued,running,backoff,stopping,stuck&limit=" MOST, "runs", "run_id", "state"},
    {"ended", "/v1/runs?state=ended&limit=" MOST, "runs", "run_id", "outcome"},
    {"alive-task", "/v1/runs?state=queued,running,backoff,stopping,stuck&limit=" MOST, "runs", "task", "kind"},
    {"task", "/v1/tasks", "tasks", "task", "description"},
    {"job", "/v1/jobs?limit=" MOST, "jobs", "job_id", "task"},
    {"dead", "/v1/dead?limit=" MOST, "jobs", "job_id", "message"},
    {"topic", "/v1/topics", "topics", "topic", "topic"},
    {"slot", "/v1/slots", "slots", "slot", "owner"},
};

/* What may stand behind a verb, and behind an option of any: kinds above. */
static const struct {
    const char *before, *what[3];
} places[] = {{"show", {"run", "task", NULL}},
              {"logs", {"run", "task", NULL}},
              {"events", {"alive", "task", NULL}},
              {"cancel", {"alive", "alive-task", NULL}},
              {"retry", {"ended", NULL, NULL}},
              {"pause", {"alive", "alive-task", NULL}},
              {"resume", {"alive", "alive-task", NULL}},
              {"ps", {"task", NULL, NULL}},
              {"submit", {"task", NULL, NULL}},
              {"start", {"task", NULL, NULL}},
              {"stop", {"task", NULL, NULL}},
              {"restart", {"task", NULL, NULL}},
              {"reload", {"alive", "alive-task", NULL}},
              {"queue", {"job", NULL, NULL}},
              {"dead", {"dead", NULL, NULL}},
              {"--topic", {"topic", NULL, NULL}},
              {"--slot", {"slot", NULL, NULL}},
              {"--task", {"task", NULL, NULL}}};

static const char *const topic_words[] = {"pause", "resume", "limit", NULL};

static void offer_from(struct pdk_remote *remote, const char *what) {
    const pdk_values *v = pdk_values_get();
    const struct source *source = sources;
    const pdk_value *answer = NULL;
    struct pdk_arena arena = {0};
    PDK_PATH(path);
    while (strcmp(source->what, what) != 0) source++;
    pdk_buffer_text(&path, source->path);
    const pdk_value *list = pdk_remote_get(remote, &path, &answer) ? NULL : v->get(answer, source->list);
    for (size_t i = 0; i < v->count(list); i++) {
        const char *doc = pdk_cell_of(&arena, v->at(list, i), source->doc);
        (void)printf("%s\t%s\n", pdk_cell_of(&arena, v->at(list, i), source->word), *doc ? doc : source->what);
    }
    pdk_arena_free(&arena);
}

/* --socket, --server and their like count here, too, wherever they stand. */
static void read_where(const struct pdk_verb *verb, int argc, char **argv, struct pdk_arguments *a) {
    static const struct {
        const char *option;
        size_t at;
    } texts[] = {{"--server", offsetof(struct pdk_arguments, remote.server)},
                 {"--socket", offsetof(struct pdk_arguments, socket)},
                 {"--token-file", offsetof(struct pdk_arguments, remote.token_file)},
                 {"--ca-file", offsetof(struct pdk_arguments, remote.ca_file)},
                 {"--certificate-file", offsetof(struct pdk_arguments, remote.certificate_file)},
                 {"--key-file", offsetof(struct pdk_arguments, remote.key_file)}};
    static const char *nothing[] = {NULL};
    *a = (struct pdk_arguments){.verb = verb, .plugin_path = {nothing, 0}};
    for (int i = 1; i + 1 < argc; i++) {
        for (size_t k = 0; k < sizeof texts / sizeof *texts; k++)
            if (strcmp(argv[i], texts[k].option) == 0) *(const char **)((char *)a + texts[k].at) = argv[i + 1];
        if (strcmp(argv[i], "-L") == 0 || strcmp(argv[i], "--plugin-path") == 0)
            (void)pdk_words_add(&a->plugin_path, &a->arena, argv[i + 1]);
    }
}

static bool is_topic_word(const char *word) {
    for (size_t i = 0; topic_words[i]; i++)
        if (strcmp(topic_words[i], word) == 0) return true;
    return false;
}

/* The option whose value is what is typed behind word; NULL: it belongs to none. */
static const struct pdk_option *option_before(const struct pdk_verb *verb, const char *word) {
    const struct pdk_option *option;
    for (size_t i = 0; *word == '-' && (option = pdk_option_at(verb, i)); i++)
        if (strcmp(word + 1 + (word[1] == '-'), option->name) == 0 || (option->id == word[1] && !word[2]))
            return option->argument ? option : NULL;
    return NULL;
}

/* Of a list the entry that is typed last, behind those that are there. */
static void offer_entries(const struct pdk_option *option, const char *typed) {
    const char *const *words = pdk_option_words(option->id), *comma = strrchr(typed, ',');
    for (; *words; words++)
        (void)printf("%.*s%s\t%s\n", comma ? (int)(comma + 1 - typed) : 0, typed, *words, option->name);
}

bool pdk_complete_remote(const struct pdk_verb *verb, int argc, char **argv) {
    const char *before = argv[argc - 2];
    const struct pdk_option *value = option_before(verb, before);
    const char *word = value ? before : verb->name;
    struct pdk_arguments arguments;
    struct pdk_remote remote;
    size_t at = 0, count = sizeof places / sizeof *places;
    if (value && pdk_option_words(value->id)) {
        offer_entries(value, argv[argc - 1]);
        return false;
    }
    if (strcmp(verb->name, "queue") == 0 && argc > 2 && is_topic_word(argv[1])) word = "--topic";
    while (at < count && strcmp(places[at].before, word) != 0) at++;
    if (at == count) return !value;
    read_where(verb, argc, argv, &arguments);
    int code = pdk_remote_try(&remote, &arguments);
    for (size_t i = 0; code == 0 && i < 3 && places[at].what[i]; i++) offer_from(&remote, places[at].what[i]);
    (void)pdk_remote_close(&remote, code);
    pdk_arguments_free(&arguments);
    return !value;
}
