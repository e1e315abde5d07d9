/* SPDX-License-Identifier: Apache-2.0 */
/* What a subprocess task takes, as a table: `paddock check`, `schema` and completion come from it. */
#include "subprocess.h"

static const char *const groups_or_leader[] = {"group", "leader", NULL};

static const pdk_param env_file[] = {
    PDK_PARAM("path", PDK_STRING, PDK_REQUIRED, NULL, "The file"),
    PDK_PARAM("optional", PDK_BOOL, 0, "false", "It may be missing"),
    PDK_PARAM_END,
};

static const pdk_param resources[] = {
    {"cpu", PDK_NUMBER, 0, NULL, "Cores", NULL, 0.001, 4096.0, NULL},
    {"memory", PDK_SIZE, 0, NULL, "Memory of all its processes", NULL, 65536.0, 1e18, NULL},
    {"pids", PDK_INT, 0, NULL, "Processes and threads", NULL, 1.0, 4194304.0, NULL},
    PDK_PARAM_END,
};

static const pdk_param exits[] = {
    PDK_PARAM("success", PDK_STRINGS, 0, NULL, "Exit codes that mean success: 0, or 0-3"),
    PDK_PARAM("retry", PDK_STRINGS, 0, NULL, "Exit codes that ask for another attempt"),
    PDK_PARAM("fatal", PDK_STRINGS, 0, NULL, "Exit codes after which another attempt is of no use"),
    PDK_PARAM_END,
};

static const pdk_param stop[] = {
    PDK_PARAM("signal", PDK_STRING, 0, "TERM", "The signal that asks it to end"),
    {"to", PDK_STRING, 0, "group", "Who gets it: all its processes, or the first one", groups_or_leader, 0.0, 0.0,
     NULL},
    PDK_PARAM("command", PDK_STRINGS, 0, NULL, "Run this instead; PADDOCK_PID is the process to end"),
    PDK_PARAM_END,
};

static const pdk_param reload[] = {
    PDK_PARAM("signal", PDK_STRING, 0, NULL, "The signal that makes it read its configuration again"),
    PDK_PARAM("command", PDK_STRINGS, 0, NULL, "Run this instead; PADDOCK_PID is the process to tell"),
    PDK_PARAM_END,
};

static const pdk_param script[] = {
    PDK_PARAM("interpreter", PDK_STRINGS, 0, "bash", "What runs it: bash, python3, node, or a command as a list"),
    PDK_PARAM("text", PDK_STRING, 0, NULL, "The script itself"),
    PDK_PARAM("base64", PDK_STRING, 0, NULL, "The script in base64, when it does not fit into YAML"),
    PDK_PARAM("args", PDK_STRINGS, 0, NULL, "Its arguments"),
    PDK_PARAM_END,
};

static const pdk_param rlimits[] = {
    PDK_PARAM("nofile", PDK_ANY, 0, NULL, "Open files"),
    PDK_PARAM("memlock", PDK_ANY, 0, NULL, "Bytes locked into memory"),
    PDK_PARAM("core", PDK_ANY, 0, NULL, "Bytes of a core dump"),
    PDK_PARAM("fsize", PDK_ANY, 0, NULL, "Bytes of a file it writes"),
    PDK_PARAM("stack", PDK_ANY, 0, NULL, "Bytes of stack"),
    PDK_PARAM("nproc", PDK_ANY, 0, NULL, "Processes of its user"),
    PDK_PARAM("cpu", PDK_ANY, 0, NULL, "Seconds of processor time"),
    PDK_PARAM("as", PDK_ANY, 0, NULL, "Bytes of address space"),
    PDK_PARAM_END,
};

static const pdk_param params[] = {
    /* fields of the task, handed on by the host */
    PDK_PARAM("command", PDK_STRINGS, 0, NULL, "The program and its arguments"),
    PDK_PARAM("env", PDK_STRING_MAP, PDK_SECRET, NULL, "Its environment; null unsets one that is inherited"),
    {"env_file", PDK_LIST, 0, NULL, "Files of NAME=value lines; env wins", NULL, 0.0, 0.0, env_file},
    PDK_PARAM("cwd", PDK_STRING, 0, NULL, "Its working directory"),
    PDK_PARAM("user", PDK_STRING, 0, NULL, "Who runs it: name or name:group"),
    {"resources", PDK_MAP, 0, NULL, "Hard limits on all its processes together", NULL, 0.0, 0.0, resources},
    {"exit", PDK_MAP, 0, NULL, "What its exit codes mean", NULL, 0.0, 0.0, exits},
    {"stop", PDK_MAP, 0, NULL, "How it is asked to end", NULL, 0.0, 0.0, stop},
    {"reload", PDK_MAP, 0, NULL, "How it is told to read its configuration again", NULL, 0.0, 0.0, reload},
    PDK_PARAM("notify", PDK_BOOL, 0, "false", "It says READY=1 on NOTIFY_SOCKET when it is up"),
    PDK_PARAM("input", PDK_ANY, 0, NULL, "It reads this as JSON on stdin"),
    /* its own */
    {"script", PDK_MAP, 0, NULL, "A script to run instead of a command", NULL, 0.0, 0.0, script},
    PDK_PARAM("stdin", PDK_ANY, 0, NULL, "Text for stdin, or {file: PATH}"),
    PDK_PARAM("inherit", PDK_STRINGS, 0, NULL, "Variables it gets from us: all, none, or their names; default all"),
    PDK_PARAM("umask", PDK_STRING, 0, NULL, "Octal, such as 0027"),
    {"nice", PDK_INT, 0, NULL, "Scheduling priority; higher is nicer to others", NULL, -20.0, 19.0, NULL},
    PDK_PARAM("ionice", PDK_STRING, 0, NULL, "idle, or best-effort:0 to best-effort:7"),
    {"oom_score", PDK_INT, 0, NULL, "Who goes first when memory is short: 1000 this, -1000 never", NULL, -1000.0,
     1000.0, NULL},
    {"rlimits", PDK_MAP, 0, NULL, "Limits of each process: a number, a size, unlimited, or soft:hard", NULL, 0.0, 0.0,
     rlimits},
    PDK_PARAM("no_new_privileges", PDK_BOOL, 0, "false", "Set-uid programs give it nothing"),
    PDK_PARAM("private_tmp", PDK_BOOL, 0, "false", "An empty /tmp of its own"),
    PDK_PARAM("capabilities", PDK_STRINGS, 0, NULL, "Capabilities to keep; all others are dropped"),
    PDK_PARAM("seccomp", PDK_STRINGS, 0, NULL,
              "System calls that fail with EPERM; default: those that control the machine"),
    PDK_PARAM("groups", PDK_STRINGS, 0, NULL, "Supplementary groups; default: those of the user"),
    PDK_PARAM("pass_fds", PDK_LIST, 0, NULL, "Descriptors that Paddock was started with; they become 3, 4, ..."),
    PDK_PARAM("merge_stderr", PDK_BOOL, 0, "false", "stderr goes where stdout goes, in order"),
    {"drain", PDK_DURATION, 0, "5s", "How long to read on when it has ended and others hold its output", NULL, 0.001,
     3600.0, NULL},
    PDK_PARAM_END,
};

const pdk_schema pdk_sub_kind = PDK_SCHEMA("subprocess", "Run a program or a script on this machine", params);

static const pdk_param config[] = {
    PDK_PARAM("inherit", PDK_STRINGS, 0, "all", "The most that tasks inherit of our variables: all, none, or names"),
    PDK_PARAM("users", PDK_STRINGS, 0, NULL, "Who tasks may run as; default: whom the system lets us"),
    PDK_PARAM("runtime_dir", PDK_STRING, 0, NULL, "Where the folder for results is made; default: see README"),
    PDK_PARAM_END,
};

const pdk_schema pdk_sub_config = PDK_SCHEMA("", "How programs are run", config);
