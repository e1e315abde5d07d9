/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs: what they take, what they say of themselves, and who does the work. */
#include <string.h>

#include "core/cli/options.h"

static const int run_options[] = {PDK_OPT_SELECTOR,
                                  PDK_OPT_ONLY,
                                  PDK_OPT_SET,
                                  PDK_OPT_ENV_FILE,
                                  PDK_OPT_STOP_ON,
                                  PDK_OPT_EXIT_CODE_FROM,
                                  PDK_OPT_DRY_RUN,
                                  PDK_OPT_PLUGIN,
                                  PDK_OPT_METRICS_FILE,
                                  PDK_OPT_PREFIX,
                                  PDK_OPT_TIMESTAMPS,
                                  PDK_OPT_PROGRESS,
                                  0};
static const int serve_options[] = {
    PDK_OPT_READY_FD, PDK_OPT_PID_FILE, PDK_OPT_CHECK_ONLY, PDK_OPT_SOCKET,       PDK_OPT_ENV_FILE,
    PDK_OPT_PLUGIN,   PDK_OPT_PREFIX,   PDK_OPT_TIMESTAMPS, PDK_OPT_METRICS_FILE, 0};
static const int rrq_options[] = {PDK_OPT_CONFIG_FILE,  PDK_OPT_TCP_SOCKET, PDK_OPT_STAY,
                                  PDK_OPT_ENV_FILE,     PDK_OPT_PLUGIN,     PDK_OPT_PREFIX,
                                  PDK_OPT_METRICS_FILE, PDK_OPT_TIMESTAMPS, 0};
static const int check_options[] = {PDK_OPT_NO_PLUGINS, PDK_OPT_STRICT, PDK_OPT_ENV_FILE, PDK_OPT_PLUGIN, 0};
static const int route_options[] = {PDK_OPT_SELECTOR, PDK_OPT_ENV_FILE, PDK_OPT_PLUGIN, 0};
static const int plugins_options[] = {PDK_OPT_LONG, PDK_OPT_PLUGIN, 0};
static const int schema_options[] = {PDK_OPT_FIELDS, PDK_OPT_PLUGIN, 0};
static const int verify_options[] = {
    PDK_OPT_LIST, PDK_OPT_CHECK, PDK_OPT_KIND, PDK_OPT_WITH, PDK_OPT_CONFIG, PDK_OPT_TIMEOUT, 0};
static const int new_options[] = {PDK_OPT_OUTPUT, PDK_OPT_ASYNC, PDK_OPT_THREAD, PDK_OPT_PROCESS, 0};
static const int import_options[] = {PDK_OPT_FROM, PDK_OPT_OUTPUT, PDK_OPT_FORCE, PDK_OPT_STRICT, 0};
static const int no_options[] = {0};

static const struct pdk_verb verbs[] = {
    {.name = "run",
     .synopsis = "[OPTION...] [FILE] [TASK...]\n[OPTION...] -- COMMAND [ARG...]",
     .summary = "Run tasks until all have ended",
     .about = "Runs the tasks of FILE (./paddock.yaml), or those named and what they need. Tasks marked\n"
              "manual run only when named. The first failure stops the rest, unless --stop-on says else.\n"
              "\n"
              "Standard output is what the tasks print there; everything else goes to standard error.\n"
              "Ctrl-C stops all tasks as they ask for it, twice kills them, three times leaves at once.\n"
              "Ctrl-\\ prints the state of every task and goes on.\n"
              "\n"
              "Exit status: 0 all succeeded, 1 one did not, 2 bad command line, 3 bad file, 4 no runner,\n"
              "5 bad plugin, 7 no such task, 130 Ctrl-C, 143 TERM. With -- COMMAND it is the command's own:\n"
              "128+N ended by signal N, 124 timed out, 126 not executable, 127 not found.\n",
     .examples = "paddock run                            all tasks of ./paddock.yaml\n"
                 "paddock run shop.yaml web              web, and what it needs\n"
                 "paddock run -l tier=front,env!=dev     the tasks with these labels\n"
                 "paddock run --stop-on never --json     every event as a line of JSON\n"
                 "paddock run -s timeout=5s -s retries=3 -- curl -f http://localhost/\n",
     .options = run_options,
     .takes = PDK_TAKES_FILE | PDK_TAKES_NAMES | PDK_TAKES_COMMAND,
     .run = pdk_verb_run},
    {.name = "serve",
     .synopsis = "[OPTION...] [FILE]",
     .summary = "Supervise tasks for ever, as a daemon",
     .about =
         "Starts the tasks of FILE (./paddock.yaml) and its sources, and goes on when tasks end. Tasks marked\n"
         "manual wait until somebody asks for them. What tasks print goes to standard output, what happens to\n"
         "standard error: a line each, as text on a terminal and in the journal, else as JSON.\n"
         "\n"
         "The sources and plugins queue, console and archive come by themselves when they are on the plugin\n"
         "path; server: {without: [queue]} leaves one out. server says where state and socket are.\n"
         "\n"
         "HUP reads the files again: tasks that changed begin anew, the rest is left alone; with one fault\n"
         "nothing changes. USR1 opens the log files of tasks anew, as HUP does. QUIT says the state of every task.\n"
         "TERM and Ctrl-C: takes nothing more, lets what runs go on for as long as shutdown: drain says, stops it\n"
         "and ends. Again: does not wait, then kills, then leaves at once.\n"
         "\n"
         "Under systemd: Type=notify-reload, or notify; WatchdogSec; sockets are handed to the console. As process 1\n"
         "of a container it reaps what others leave behind.\n"
         "\n"
         "Exit status: 0 ended as asked, 1 not all stopped, or a file that it needs cannot be written, 2 bad command\n"
         "line, 3 bad file, 4 no runner, 5 bad plugin, 8 another server has its state, 130 Ctrl-C, 143 TERM more\n"
         "than once.\n",
     .examples = "paddock serve                                 the tasks of ./paddock.yaml\n"
                 "paddock serve --check shop.yaml               would it start?\n"
                 "paddock serve --pid-file /run/shop.pid shop.yaml\n"
                 "kill -HUP $(cat /run/shop.pid)                read its files again\n"
                 "ENTRYPOINT [\"paddock\", \"serve\", \"/etc/paddock/paddock.yaml\"]     in a container\n",
     .options = serve_options,
     .takes = PDK_TAKES_FILE,
     .run = pdk_verb_serve},
    {.name = "rrq",
     .synopsis = "[OPTION...] [FILE]",
     .summary = "Be a runner of an RRQ orchestrator",
     .about =
         "Listens where the orchestrator says (--tcp-socket, which it appends to the command, or\n"
         "RRQ_RUNNER_TCP_SOCKET) and runs what it sends: a function is the task of its name in FILE\n"
         "(./paddock.yaml), its parameters are that task's input. Where FILE has a source that uses rrq, that\n"
         "entry says what may be run instead: its tasks, kinds and functions. Other sources are left out.\n"
         "\n"
         "TERM and Ctrl-C: takes nothing more, finishes what runs (for shutdown: drain, 5m), and ends; twice\n"
         "stops what runs, three times kills it, four times leaves at once. When whoever started it dies, that\n"
         "is the same as TERM. Ctrl-\\ prints what runs.\n"
         "\n"
         "Exit status: 0 ended on TERM, with all that ran answered; 1 it cannot listen, or not all stopped, 2 bad\n"
         "command line, 3 bad file, 4 no runner, 5 bad plugin, 130 Ctrl-C, 143 TERM more than once.\n",
     .examples = "paddock rrq tasks.yaml --tcp-socket 127.0.0.1:9000\n"
                 "cmd = [\"paddock\", \"rrq\", \"--config\", \"tasks.yaml\"]      in rrq.toml\n",
     .options = rrq_options,
     .takes = PDK_TAKES_FILE,
     .run = pdk_verb_rrq},
    {.name = "check",
     .synopsis = "[OPTION...] [FILE...]",
     .summary = "Find all faults in files, and start nothing",
     .about = "Reads the files with what they include, routes every task and lets its runner build it.\n"
              "All faults are shown at once, by place.\n"
              "\n"
              "Exit status: 0 no errors, 1 errors (or warnings, with --strict), 2 bad command line.\n",
     .examples = "paddock check shop.yaml\n"
                 "paddock check --no-plugins --strict deploy/*.yaml\n",
     .options = check_options,
     .takes = PDK_TAKES_FILES,
     .run = pdk_verb_check},
    {.name = "route",
     .synopsis = "[OPTION...] [FILE] [TASK...]",
     .summary = "Show which runner takes a task, and why others do not",
     .about = "Runners are asked in order. The first that serves the kind of the task, has the labels of its\n"
              "selector, and does not refuse it, takes it.\n"
              "\n"
              "Exit status: 0, or 4 when no runner takes one of the tasks.\n",
     .examples = "paddock route shop.yaml resize\n"
                 "paddock route --json | jq .runner\n",
     .options = route_options,
     .takes = PDK_TAKES_FILE | PDK_TAKES_NAMES,
     .run = pdk_verb_route},
    {.name = "plugins",
     .synopsis = "[OPTION...] [FILE] [NAME]",
     .summary = "List the plugins that are loaded and found",
     .about = "Reads what each plugin says of itself, and calls none of its code. With NAME: its kinds, their\n"
              "parameters, and its configuration. Those in FILE (./paddock.yaml, if it is there) come first.\n",
     .examples = "paddock plugins\n"
                 "paddock plugins subprocess\n"
                 "paddock plugins -L ./build/plugins --long\n",
     .options = plugins_options,
     .takes = PDK_TAKES_FILE | PDK_TAKES_NAME,
     .run = pdk_verb_plugins},
    {.name = "verify",
     .synopsis = "[OPTION...] PLUGIN.so...\n--list [--check N]",
     .summary = "Check that a plugin keeps the rules, before it is deployed",
     .about = "Runs the plugin in a host that watches it, without a daemon: time is simulated, children are too,\n"
              "and what can go wrong goes wrong on purpose. Each check has a process of its own, so one that\n"
              "crashes or hangs costs that check alone. Checks of roles that it does not play are left out.\n"
              "\n"
              "With --verbose a check that failed shows the calls between host and plugin.\n"
              "\n"
              "Exit status: 0 it keeps the rules, 1 a check failed, 2 bad command line, 5 not a plugin.\n",
     .examples = "paddock verify ./greet.so\n"
                 "paddock verify --check 40 --verbose ./greet.so\n"
                 "paddock verify --kind http --with '{\"url\": \"http://localhost/\"}' ./http.so\n"
                 "paddock verify --list\n",
     .options = verify_options,
     .takes = PDK_TAKES_NAMES,
     .run = pdk_verb_verify},
    {.name = "schema",
     .synopsis = "[OPTION...] [KIND|PLUGIN]",
     .summary = "Print the JSON Schema of paddock.yaml, of a kind or of a plugin's config",
     .about = "For editors: # yaml-language-server: $schema=paddock.schema.json\n",
     .examples = "paddock schema > paddock.schema.json\n"
                 "paddock schema subprocess\n"
                 "paddock schema --fields\n"
                 "paddock schema --fields plugins\n"
                 "paddock schema --fields server\n",
     .options = schema_options,
     .takes = PDK_TAKES_NAME,
     .run = pdk_verb_schema},
    {.name = "new",
     .synopsis = "[OPTION...] runner|source|metrics NAME\n[OPTION...] tasks",
     .summary = "Write a working start: a plugin with its test, or a paddock.yaml",
     .about = "A plugin comes as a small project of its own: plugin.c, test.c, a Makefile and a CMakeLists.txt\n"
              "that do the same, paddock.yaml with tasks to try, README.md. It builds, runs and passes its\n"
              "tests as it is: change it from there. Nothing that exists is overwritten.\n"
              "\n"
              "What is written is yours, under whatever license you like.\n"
              "\n"
              "Exit status: 0, 2 bad command line, 3 a file is there already or cannot be written.\n",
     .examples = "paddock new runner greet && cd greet && make test\n"
                 "paddock new runner --process convert -o plugins/convert\n"
                 "paddock new source inbox\n"
                 "paddock new tasks\n",
     .options = new_options,
     .takes = PDK_TAKES_NAMES,
     .run = pdk_verb_new},
    {.name = "import",
     .synopsis = "[OPTION...] FILE...",
     .summary = "Translate a Procfile, supervisord.conf, systemd units or a crontab",
     .about = "Writes a paddock.yaml of what FILE says. What cannot be said becomes a comment beside the task or\n"
              "field it belongs to, with its file and line. Nothing is left out silently; what is written always\n"
              "passes paddock check --no-plugins. \"-\" reads standard input, and needs --from.\n"
              "\n"
              "systemd: several units at once, which may come after one another; drop-ins beside a unit\n"
              "(NAME.d/*.conf) and the timer beside a service are read, too.\n"
              "supervisord: files under [include] are read, too.\n"
              "cron: crontabs of users, /etc/crontab and files in cron.d. A time of day cannot be said yet:\n"
              "such a task is manual, with the times above it.\n"
              "\n"
              "Exit status: 0 also with comments, 1 with --strict when there are some, 2 bad command line,\n"
              "3 a file cannot be read, or is not what it should be, or PATH is there already.\n",
     .examples = "paddock import Procfile\n"
                 "paddock import -o paddock.yaml /etc/supervisor/supervisord.conf\n"
                 "paddock import app.service worker@.service worker.timer\n"
                 "crontab -l | paddock import --from cron -\n",
     .options = import_options,
     .takes = PDK_TAKES_PATHS,
     .run = pdk_verb_import},
    {.name = "version",
     .synopsis = "[OPTION...]",
     .summary = "Print the version",
     .about = "",
     .examples = "paddock version --json\n",
     .options = no_options,
     .run = pdk_verb_version},
    {.name = "completion",
     .synopsis = "bash|zsh|fish",
     .summary = "Print a completion script for a shell",
     .about = "",
     .examples = "source <(paddock completion bash)\n"
                 "paddock completion zsh > ~/.zfunc/_paddock\n"
                 "paddock completion fish > ~/.config/fish/completions/paddock.fish\n",
     .options = no_options,
     .takes = PDK_TAKES_NAME,
     .run = pdk_verb_completion},
    {.name = "help",
     .synopsis = "[VERB]",
     .summary = "Tell about paddock, or about one verb",
     .about = "",
     .examples = "paddock help run\n",
     .options = no_options,
     .takes = PDK_TAKES_NAME,
     .run = pdk_verb_help},
};

const struct pdk_verb *pdk_verb_at(size_t i) {
    size_t own = sizeof verbs / sizeof *verbs;
    return i < own ? &verbs[i] : pdk_verb_remote_at(i - own);
}

const struct pdk_verb *pdk_verb_find(const char *name) {
    const struct pdk_verb *verb;
    for (size_t i = 0; (verb = pdk_verb_at(i)); i++)
        if (strcmp(verb->name, name) == 0) return verb;
    return NULL;
}
