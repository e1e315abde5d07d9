/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Completion. The scripts call `paddock __complete WORDS...`, the last word being the one that is typed, and get
 * lines "word TAB what it is". Reads the file for names of tasks; loads no plugin.
 */
#include <string.h>
#include <unistd.h>

#include "core/cli/embedded.h"
#include "core/cli/options.h"
#include "core/cli/remote.h"
#include "core/config/config.h"
#include "core/import/import.h"
#include "core/verify/verify.h"

int pdk_verb_completion(struct pdk_arguments *arguments) {
    static const char *const files[][2] = {
        {"bash", "completion/paddock.bash"}, {"zsh", "completion/_paddock"}, {"fish", "completion/paddock.fish"}};
    const char *shell = arguments->names.count ? arguments->names.items[0] : "";
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (strcmp(files[i][0], shell) == 0) {
            (void)fputs(pdk_embedded_find(files[i][1])->text, stdout);
            return 0;
        }
    if (!*shell) return pdk_say_usage(arguments->verb, "bash, zsh or fish", "for which shell?");
    return pdk_say_usage(arguments->verb, "expected bash, zsh or fish", "no completion for \"%s\"", shell);
}

/* "A word\tthe first line of what it is" */
static void offer(const char *before, const char *word, const char *doc) {
    (void)printf("%s%s\t%.*s\n", before, word, (int)strcspn(doc, "\n"), doc);
}

static void offer_verbs(void) {
    const struct pdk_verb *verb;
    for (size_t i = 0; (verb = pdk_verb_at(i)); i++) offer("", verb->name, verb->summary);
}

static void offer_options(const struct pdk_verb *verb) {
    const struct pdk_option *option;
    for (size_t i = 0; (option = pdk_option_at(verb, i)); i++) offer("--", option->name, option->doc);
}

static void offer_tasks(int argc, char **argv) {
    const char *files[2] = {"paddock.yaml", NULL};
    struct pdk_report report = {0};
    struct pdk_config *config = NULL;
    for (int i = 1; i < argc - 1; i++) {
        size_t size = strlen(argv[i]);
        if (argv[i][0] != '-' && ((size > 5 && strcmp(argv[i] + size - 5, ".yaml") == 0) || strchr(argv[i], '/')))
            files[0] = argv[i];
    }
    if (access(files[0], R_OK) < 0) return;
    (void)pdk_config_load(files, &report, &config);
    for (uint32_t i = 0; config && i < config->task_count; i++) {
        const struct pdk_task *task = config->tasks[i];
        offer("", task->plugin.name, task->description && *task->description ? task->description : "task");
    }
    pdk_report_free(&report);
    pdk_config_free(config);
}

static void offer_checks(void) {
    const struct pdk_verify_check *check;
    char number[16];
    for (size_t i = 0; (check = pdk_verify_at(i)); i++) {
        (void)snprintf(number, sizeof number, "%u", check->number);
        offer("", number, check->rule);
    }
}

static void offer_queue_words(bool dead) {
    const char *word;
    for (size_t i = 0; (word = pdk_queue_word(dead, i)); i++) offer("", word, dead ? "dead letters" : "queue");
}

/* What a running server has, by the verb and the option before; silent when there is none. */
static void offer_of_server(const struct pdk_verb *verb, int argc, char **argv) {
    bool queue = strcmp(verb->name, "queue") == 0, dead = strcmp(verb->name, "dead") == 0;
    if ((queue || dead) && argc == 2)
        offer_queue_words(dead);
    else if (pdk_complete_remote(verb, argc, argv) && verb->takes & PDK_TAKES_FILE)
        offer_tasks(argc, argv);
}

int pdk_complete(int argc, char **argv) {
    const struct pdk_verb *verb = argc > 1 ? pdk_verb_find(argv[0]) : NULL;
    if (argc <= 1) {
        offer_verbs();
    } else if (!verb) {
        return 0;
    } else if (argv[argc - 1][0] == '-') {
        offer_options(verb);
    } else if (verb->remote) {
        offer_of_server(verb, argc, argv);
    } else if (strcmp(verb->name, "completion") == 0) {
        for (size_t i = 0; i < 3; i++) offer("", (const char *const[]){"bash", "zsh", "fish"}[i], "shell");
    } else if (strcmp(verb->name, "help") == 0) {
        offer_verbs();
    } else if (strcmp(verb->name, "verify") == 0) {
        if (strcmp(argv[argc - 2], "--check") == 0) offer_checks(); /* else files, which shells know themselves */
    } else if (strcmp(verb->name, "import") == 0) {                 /* files are found by shells themselves */
        const char *format;
        for (int i = 1;
             strcmp(argv[argc - 2], "--from") == 0 && (format = pdk_import_format_name((enum pdk_import_format)i)); i++)
            offer("", format, pdk_import_format_what((enum pdk_import_format)i));
    } else if (strcmp(verb->name, "new") == 0) {
        const char *word, *what;
        for (size_t i = 0; argc == 2 && (word = pdk_new_word(i, &what)); i++) offer("", word, what);
    } else if (verb->takes & PDK_TAKES_NAMES) {
        offer_tasks(argc, argv);
    }
    return 0;
}
