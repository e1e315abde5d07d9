/* SPDX-License-Identifier: Apache-2.0 */
/* --help, from the tables of verbs and options. */
#include <string.h>

#include "core/cli/cli.h"

static void print_option(const struct pdk_option *option, FILE *to) {
    char left[64];
    (void)snprintf(left, sizeof left, "  %c%c%s --%s%s%s", option->id < 256 ? '-' : ' ',
                   option->id < 256 ? option->id : ' ', option->id < 256 ? "," : " ", option->name,
                   option->argument ? " " : "", option->argument ? option->argument : "");
    (void)fprintf(to, "%-32s %s\n", left, option->doc);
}

/* A text of several lines, each after two blanks. */
static void print_indented(const char *text, FILE *to) {
    while (*text) {
        size_t size = strcspn(text, "\n");
        if (size) (void)fprintf(to, "  %.*s", (int)size, text);
        (void)fputc('\n', to);
        text += size + (text[size] == '\n');
    }
}

void pdk_help_verb(const struct pdk_verb *verb, FILE *to) {
    const char *synopsis = verb->synopsis;
    const struct pdk_option *option;
    (void)fprintf(to, "%s.\n\nUsage:\n", verb->summary);
    while (*synopsis) {
        size_t size = strcspn(synopsis, "\n");
        (void)fprintf(to, "  paddock %s %.*s\n", verb->name, (int)size, synopsis);
        synopsis += size + (synopsis[size] == '\n');
    }
    if (*verb->about) (void)fprintf(to, "\n%s", verb->about);
    (void)fputs("\nOptions:\n", to);
    for (size_t i = 0; (option = pdk_option_at(verb, i)); i++) print_option(option, to);
    if (!*verb->examples) return;
    (void)fputs("\nExamples:\n", to);
    print_indented(verb->examples, to);
}

void pdk_help_all(FILE *to) {
    const struct pdk_verb *verb;
    bool asks = false;
    (void)fputs("Paddock runs tasks and looks after them.\n\n"
                "Usage:\n"
                "  paddock VERB [FILE] [ARG...]\n\n"
                "Verbs:\n",
                to);
    for (size_t i = 0; (verb = pdk_verb_at(i)); i++) {
        if (verb->remote && !asks) (void)fputs("\nVerbs that ask a running server:\n", to);
        asks = verb->remote;
        (void)fprintf(to, "  %-12s %s\n", verb->name, verb->summary);
    }
    (void)fputs("\nFILE is a word with a / in it or one that ends in .yaml, .yml or .json; without one it is\n"
                "./paddock.yaml. \"paddock VERB --help\" tells about a verb, \"man paddock\" about all.\n\n"
                "Examples:\n"
                "  paddock run -- sh -c 'echo hello'\n"
                "  paddock run tasks.yaml\n"
                "  paddock check tasks.yaml\n"
                "  paddock serve tasks.yaml\n"
                "  paddock ps\n",
                to);
}
