/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_CLI_OPTIONS_H
#define CORE_CLI_OPTIONS_H

#include "core/cli/cli.h"

/* An option with a letter is that letter. */
enum {
    PDK_OPT_ALL = 'a',
    PDK_OPT_FOLLOW = 'f',
    PDK_OPT_HELP = 'h',
    PDK_OPT_SELECTOR = 'l',
    PDK_OPT_PLUGIN_PATH = 'L',
    PDK_OPT_TAIL = 'n',
    PDK_OPT_OUTPUT = 'o',
    PDK_OPT_QUIET = 'q',
    PDK_OPT_SET = 's',
    PDK_OPT_VERBOSE = 'v',
    PDK_OPT_WAIT = 'w',
    PDK_OPT_ASYNC = 256,
    PDK_OPT_CHECK,
    PDK_OPT_CHECK_ONLY,
    PDK_OPT_COLOR,
    PDK_OPT_CONFIG,
    PDK_OPT_CONFIG_FILE,
    PDK_OPT_DRY_RUN,
    PDK_OPT_ENV_FILE,
    PDK_OPT_EXIT_CODE_FROM,
    PDK_OPT_FIELDS,
    PDK_OPT_FORCE,
    PDK_OPT_FROM,
    PDK_OPT_JSON,
    PDK_OPT_KIND,
    PDK_OPT_LIST,
    PDK_OPT_LOG_FORMAT,
    PDK_OPT_LONG,
    PDK_OPT_METRICS_FILE,
    PDK_OPT_NO_PLUGINS,
    PDK_OPT_ONLY,
    PDK_OPT_PID_FILE,
    PDK_OPT_PLUGIN,
    PDK_OPT_PREFIX,
    PDK_OPT_PROCESS,
    PDK_OPT_PROGRESS,
    PDK_OPT_READY_FD,
    PDK_OPT_SOCKET,
    PDK_OPT_STAY,
    PDK_OPT_STOP_ON,
    PDK_OPT_STRICT,
    PDK_OPT_TCP_SOCKET,
    PDK_OPT_THREAD,
    PDK_OPT_TIMEOUT,
    PDK_OPT_TIMESTAMPS,
    PDK_OPT_WITH,

    /* of verbs that ask a server: options_remote.c reads them */
    PDK_OPT_REMOTE,
    PDK_OPT_ATTEMPT = PDK_OPT_REMOTE,
    PDK_OPT_CA_FILE,
    PDK_OPT_CERTIFICATE_FILE,
    PDK_OPT_DELAY,
    PDK_OPT_DIRECT,
    PDK_OPT_FILTER_KIND,
    PDK_OPT_IDEMPOTENCY,
    PDK_OPT_INPUT,
    PDK_OPT_INTERVAL,
    PDK_OPT_JOB_STATE,
    PDK_OPT_JSONL,
    PDK_OPT_KEY_FILE,
    PDK_OPT_LABEL,
    PDK_OPT_LIMIT,
    PDK_OPT_MAX_ATTEMPTS,
    PDK_OPT_NAME,
    PDK_OPT_NO_FOLLOW,
    PDK_OPT_NO_HEADER,
    PDK_OPT_NOW,
    PDK_OPT_OUTCOME,
    PDK_OPT_PARAMETER,
    PDK_OPT_PRIORITY,
    PDK_OPT_REASON,
    PDK_OPT_RUNNER,
    PDK_OPT_SEARCH,
    PDK_OPT_SERVER,
    PDK_OPT_SINCE,
    PDK_OPT_SLOT,
    PDK_OPT_SORT,
    PDK_OPT_STATE,
    PDK_OPT_STREAM,
    PDK_OPT_SUBMIT_KIND,
    PDK_OPT_SUBMIT_TOPIC,
    PDK_OPT_TASK,
    PDK_OPT_TOKEN_FILE,
    PDK_OPT_TOPIC,
    PDK_OPT_TYPE,
    PDK_OPT_UNIQUE,
    PDK_OPT_UNIQUE_MODE,
    PDK_OPT_WATCH,
    PDK_OPT_WHERE
};

/* options.c. The index of text in words, which are NULL-ended; -1 after the error was told, with the nearest word, or else with
 * all of them. */
int pdk_option_choice(const struct pdk_verb *verb, const char *option, const char *text, const char *const *words);

/* options_remote.c. 0, or an exit code after the error was told. */
int pdk_option_take_remote(struct pdk_arguments *arguments, const struct pdk_option *option, const char *text);
/* The words that the option takes, one or a list of them, NULL-ended, for ever; NULL: it takes others. */
const char *const *pdk_option_words(int id);

#endif
