/* SPDX-License-Identifier: Apache-2.0 */
/* paddock help and version, and what is said to a word that is no verb. */
#include <string.h>

#include "core/base/text.h"
#include "core/cli/cli.h"
#include "paddock/library.h"

#define MOST_VERBS 32

int pdk_say_unknown_verb(const char *word) {
    const char *names[MOST_VERBS + 1] = {NULL};
    const struct pdk_verb *verb;
    for (size_t i = 0; i < MOST_VERBS && (verb = pdk_verb_at(i)); i++) names[i] = verb->name;
    const char *near = pdk_nearest(word, names), *dot = strrchr(word, '.');
    if (near) return pdk_say_usage(NULL, "", "there is no verb \"%s\"; did you mean \"%s\"?", word, near);
    if (dot && strchr("yj", dot[1]))
        return pdk_say_usage(NULL, "", "there is no verb \"%s\"; did you mean \"paddock run %s\"?", word, word);
    if (*word == '-') return pdk_say_usage(NULL, "", "the verb comes first, before %s", word);
    return pdk_say_usage(NULL, "", "there is no verb \"%s\"", word);
}

int pdk_verb_help(struct pdk_arguments *arguments) {
    const char *name = arguments->names.items[0];
    const struct pdk_verb *verb = name ? pdk_verb_find(name) : NULL;
    if (name && !verb) return pdk_say_unknown_verb(name);
    if (verb)
        pdk_help_verb(verb, stdout);
    else
        pdk_help_all(stdout);
    return PDK_EXIT_GOOD;
}

int pdk_verb_version(struct pdk_arguments *arguments) {
    if (arguments->json)
        (void)printf("{\"version\":\"%s\",\"abi\":\"%u.%u\"}\n", pdk_version(), PDK_ABI >> 16, PDK_ABI & 0xffffu);
    else
        (void)printf("paddock %s\n", pdk_version());
    return PDK_EXIT_GOOD;
}
