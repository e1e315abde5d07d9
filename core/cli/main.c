/* SPDX-License-Identifier: Apache-2.0 */
/* paddock VERB ...: find the verb and let it work. */
#include <fcntl.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "core/cli/cli.h"

static int run_verb(const struct pdk_verb *verb, int argc, char **argv) {
    struct pdk_arguments arguments;
    int code = pdk_arguments_read(&arguments, verb, argc, argv);
    if (code == 0 && arguments.help)
        pdk_help_verb(verb, stdout);
    else if (code == 0)
        code = verb->run(&arguments);
    pdk_arguments_free(&arguments);
    return pdk_close_stdout(code);
}

/* A standard stream that is closed would be given to the next file opened. Reading from its stand-in gives nothing,
 * and writing to it fails, as it would have. */
static void keep_standard_streams(void) {
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd ? O_RDONLY : O_WRONLY) != fd) abort();
}

int main(int argc, char **argv) {
    keep_standard_streams();
    (void)setlocale(LC_CTYPE, "C.UTF-8"); /* how wide a character is on a terminal */
    if (argc < 2) {
        pdk_help_all(stderr);
        return PDK_EXIT_USAGE;
    }
    const char *word = argv[1];
    if (strcmp(word, "__complete") == 0) return pdk_close_stdout(pdk_complete(argc - 2, argv + 2));
    if (strcmp(word, "__verify") == 0) return pdk_verify_process(argc - 2, argv + 2);
    if (strcmp(word, "-h") == 0 || strcmp(word, "--help") == 0) word = "help";
    if (strcmp(word, "-V") == 0 || strcmp(word, "--version") == 0) word = "version";
    const struct pdk_verb *verb = pdk_verb_find(word);
    return verb ? run_verb(verb, argc - 1, argv + 1) : pdk_say_unknown_verb(word);
}
