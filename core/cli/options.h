/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_CLI_OPTIONS_H
#define CORE_CLI_OPTIONS_H

#include "core/cli/cli.h"

/* An option with a letter is that letter. */
enum {
    PDK_OPT_HELP = 'h',
    PDK_OPT_SELECTOR = 'l',
    PDK_OPT_PLUGIN_PATH = 'L',
    PDK_OPT_OUTPUT = 'o',
    PDK_OPT_QUIET = 'q',
    PDK_OPT_SET = 's',
    PDK_OPT_VERBOSE = 'v',
    PDK_OPT_ASYNC = 256,
    PDK_OPT_CHECK,
    PDK_OPT_COLOR,
    PDK_OPT_CONFIG,
    PDK_OPT_DRY_RUN,
    PDK_OPT_ENV_FILE,
    PDK_OPT_EXIT_CODE_FROM,
    PDK_OPT_FIELDS,
    PDK_OPT_JSON,
    PDK_OPT_KIND,
    PDK_OPT_LIST,
    PDK_OPT_LOG_FORMAT,
    PDK_OPT_LONG,
    PDK_OPT_METRICS_FILE,
    PDK_OPT_NO_PLUGINS,
    PDK_OPT_ONLY,
    PDK_OPT_PLUGIN,
    PDK_OPT_PREFIX,
    PDK_OPT_PROCESS,
    PDK_OPT_PROGRESS,
    PDK_OPT_STOP_ON,
    PDK_OPT_STRICT,
    PDK_OPT_THREAD,
    PDK_OPT_TIMEOUT,
    PDK_OPT_TIMESTAMPS,
    PDK_OPT_WITH
};

#endif
