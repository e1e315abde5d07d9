/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs that ask a running server: what they take, what they say of themselves, and who does the work. */
#include "core/cli/options.h"

#define WHERE                                                                                             \
    "The server is that of --socket or --server, of PADDOCK_SERVER or PADDOCK_SOCKET, or the one where\n" \
    "\"paddock serve\" listens by itself; over TCP it wants the token of --token-file or PADDOCK_TOKEN_FILE.\n"
#define EXITS(what) \
    "Exit status: 0, 2 bad command line, 5 a plugin is missing, 6 no server, 7 no such " what ", 8 refused now.\n"

static const int submit_options[] = {
    PDK_OPT_JSONL,       PDK_OPT_SUBMIT_KIND, PDK_OPT_PARAMETER,    PDK_OPT_NAME,     PDK_OPT_LABEL, PDK_OPT_SET,
    PDK_OPT_INPUT,       PDK_OPT_ENV_FILE,    PDK_OPT_SUBMIT_TOPIC, PDK_OPT_PRIORITY, PDK_OPT_DELAY, PDK_OPT_UNIQUE,
    PDK_OPT_UNIQUE_MODE, PDK_OPT_IDEMPOTENCY, PDK_OPT_MAX_ATTEMPTS, PDK_OPT_DIRECT,   PDK_OPT_WAIT,  0};
static const int ps_options[] = {PDK_OPT_SELECTOR,
                                 PDK_OPT_ALL,
                                 PDK_OPT_STATE,
                                 PDK_OPT_OUTCOME,
                                 PDK_OPT_FILTER_KIND,
                                 PDK_OPT_SLOT,
                                 PDK_OPT_RUNNER,
                                 PDK_OPT_SEARCH,
                                 PDK_OPT_LIMIT,
                                 PDK_OPT_WATCH,
                                 PDK_OPT_INTERVAL,
                                 PDK_OPT_NO_HEADER,
                                 0};
static const int logs_options[] = {PDK_OPT_FOLLOW, PDK_OPT_TAIL,       PDK_OPT_ATTEMPT,
                                   PDK_OPT_STREAM, PDK_OPT_TIMESTAMPS, 0};
static const int cancel_options[] = {PDK_OPT_NOW, PDK_OPT_WAIT, PDK_OPT_REASON, 0};
static const int retry_options[] = {PDK_OPT_WAIT, 0};
static const int pause_options[] = {PDK_OPT_SLOT, PDK_OPT_TOPIC, PDK_OPT_ALL, 0};
static const int queue_options[] = {PDK_OPT_JOB_STATE, PDK_OPT_TOPIC,  PDK_OPT_TASK,      PDK_OPT_OUTCOME,
                                    PDK_OPT_LIMIT,     PDK_OPT_REASON, PDK_OPT_NO_HEADER, 0};
static const int dead_options[] = {PDK_OPT_TOPIC, PDK_OPT_LIMIT, PDK_OPT_NO_HEADER, 0};
static const int slots_options[] = {PDK_OPT_NO_HEADER, 0};
static const int events_options[] = {PDK_OPT_FOLLOW, PDK_OPT_NO_FOLLOW, PDK_OPT_SINCE, PDK_OPT_TYPE, PDK_OPT_LIMIT, 0};
static const int top_options[] = {PDK_OPT_SORT, PDK_OPT_INTERVAL, 0};
static const int no_options[] = {0};

static const struct pdk_verb verbs[] = {
    {.name = "submit",
     .synopsis = "[OPTION...] [FILE] [TASK...]\n[OPTION...] --kind KIND [--with KEY=VALUE]...\n"
                 "[OPTION...] --jsonl FILE|-\n"
                 "[OPTION...] -- COMMAND [ARG...]",
     .summary = "Hand work to a server",
     .about =
         "Submits the tasks of FILE, or those that are named; without FILE they are those that the server's own\n"
         "files declare. FILE may also be one task by itself, as YAML or JSON; \"-\" reads standard input.\n"
         "\n"
         "With --jsonl each line is a JSON object, a task by itself; it is submitted when it is read, so that another\n"
         "program may write them. The first that is wrong or refused ends it; those before it stay submitted.\n"
         "\n"
         "Where the server has a queue it becomes a job, which is on the disk when its id is printed and outlives\n"
         "the server; else, and with --direct, a run. --wait stays until it has ended; Ctrl-C then leaves it be.\n"
         "\n"
         "Exit status: 0, with --wait that of the outcome: 1 it did not succeed, or of a command its own code\n"
         "(128+N signal N, 124 timed out); 2 bad command line, 3 bad file, 4 no runner, 5 no queue, 6 no server,\n"
         "7 no such task, 8 refused now.\n"
         "\n" WHERE,
     .examples = "paddock submit resize                                   a task that the server declares\n"
                 "paddock submit nightly.yaml --delay 2h --priority 10\n"
                 "paddock submit --kind sleep --with for=5s --wait\n"
                 "paddock submit --unique report --topic mail -- ./report --all\n"
                 "echo '{\"kind\": \"echo\", \"input\": \"hi\"}' | paddock submit -\n"
                 "jq -c '.[] | {task: \"resize\", input: .}' pictures.json | paddock submit --jsonl -\n",
     .options = submit_options,
     .takes = PDK_TAKES_FILE | PDK_TAKES_NAMES | PDK_TAKES_COMMAND,
     .remote = true,
     .run = pdk_verb_submit},
    {.name = "ps",
     .synopsis = "[OPTION...] [TASK...]",
     .summary = "List what runs",
     .about = "Runs that have not ended, newest first; those that have, too, with --all, --outcome or --state ended.\n"
              "With -l those that the server itself remembers: the archive keeps no labels.\n"
              "\n" EXITS("run") "\n" WHERE,
     .examples = "paddock ps\n"
                 "paddock ps --all --outcome failed,timed_out --limit 20\n"
                 "paddock ps --state running --kind http --watch\n"
                 "paddock ps -l 'tier in (web,api),!old'\n"
                 "paddock ps --json | jq -r .run_id\n",
     .options = ps_options,
     .takes = PDK_TAKES_NAMES,
     .remote = true,
     .run = pdk_verb_ps},
    {.name = "show",
     .synopsis = "[OPTION...] RUN|TASK|JOB...",
     .summary = "Tell all about a run or a job",
     .about = "RUN is a run's id, or the name of a task, whose newest run is meant; JOB is the number of a job.\n"
              "Tells its state, why it ended, its attempts, what happened to it, and what it was given.\n"
              "\n" EXITS("run or job") "\n" WHERE,
     .examples = "paddock show web\n"
                 "paddock show subprocess-web-7 --json\n"
                 "paddock show 1042\n",
     .options = no_options,
     .takes = PDK_TAKES_NAMES,
     .remote = true,
     .run = pdk_verb_show},
    {.name = "logs",
     .synopsis = "[OPTION...] RUN|TASK...",
     .summary = "Print what a run has printed",
     .about =
         "Standard output to standard output, standard error to standard error. With --follow it goes on until the\n"
         "run has ended, over broken connections too. Where the server has no archive it is the end of what was\n"
         "printed.\n"
         "\n" EXITS("run") "\n" WHERE,
     .examples = "paddock logs -f web\n"
                 "paddock logs -n 20 --stream stderr subprocess-web-7\n"
                 "paddock logs --attempt 1 --timestamps import\n",
     .options = logs_options,
     .takes = PDK_TAKES_NAMES,
     .remote = true,
     .run = pdk_verb_logs},
    {.name = "cancel",
     .synopsis = "[OPTION...] RUN|TASK|JOB...",
     .summary = "Stop runs or jobs, and do not start them again",
     .about = "A run is stopped as its task asks for it; --now kills it.\n\n" EXITS("run or job") "\n" WHERE,
     .examples = "paddock cancel web\n"
                 "paddock cancel --now --wait subprocess-web-7\n"
                 "paddock cancel 1042 --reason 'wrong input'\n",
     .options = cancel_options,
     .takes = PDK_TAKES_NAMES,
     .remote = true,
     .run = pdk_verb_act},
    {.name = "retry",
     .synopsis = "[OPTION...] RUN|TASK|JOB...",
     .summary = "Run again what has ended, with the same spec",
     .about = "Prints the id of the new run or job. With --wait 1 also means that it did not succeed.\n\n" EXITS(
         "run or job") "\n" WHERE,
     .examples = "paddock retry import\n"
                 "paddock retry --wait 1042\n",
     .options = retry_options,
     .takes = PDK_TAKES_NAMES,
     .remote = true,
     .run = pdk_verb_act},
    {.name = "pause",
     .synopsis = "[OPTION...] RUN|TASK...\n[OPTION...] --slot SLOT | --topic TOPIC | --all",
     .summary = "Start no new attempts of a run, a slot, a topic, or of all",
     .about = "What runs goes on.\n\n" EXITS("run") "\n" WHERE,
     .examples = "paddock pause web\n"
                 "paddock pause --slot db\n"
                 "paddock pause --topic mail\n"
                 "paddock pause --all\n",
     .options = pause_options,
     .takes = PDK_TAKES_NAMES,
     .remote = true,
     .run = pdk_verb_act},
    {.name = "resume",
     .synopsis = "[OPTION...] RUN|TASK...\n[OPTION...] --slot SLOT | --topic TOPIC | --all",
     .summary = "Start them again",
     .about = EXITS("run") "\n" WHERE,
     .examples = "paddock resume web\n"
                 "paddock resume --all\n",
     .options = pause_options,
     .takes = PDK_TAKES_NAMES,
     .remote = true,
     .run = pdk_verb_act},
    {.name = "start",
     .synopsis = "[OPTION...] TASK...",
     .summary = "Start tasks that the server's files declare",
     .about = EXITS("task") "\n" WHERE,
     .examples = "paddock start backup\n",
     .options = no_options,
     .takes = PDK_TAKES_NAMES,
     .remote = true,
     .run = pdk_verb_act},
    {.name = "stop",
     .synopsis = "[OPTION...] TASK...",
     .summary = "Stop them",
     .about = EXITS("task") "\n" WHERE,
     .examples = "paddock stop web\n",
     .options = no_options,
     .takes = PDK_TAKES_NAMES,
     .remote = true,
     .run = pdk_verb_act},
    {.name = "restart",
     .synopsis = "[OPTION...] TASK...",
     .summary = "Stop them, and start them anew",
     .about = EXITS("task") "\n" WHERE,
     .examples = "paddock restart web\n",
     .options = no_options,
     .takes = PDK_TAKES_NAMES,
     .remote = true,
     .run = pdk_verb_act},
    {.name = "reload",
     .synopsis = "[OPTION...] [RUN|TASK...]",
     .summary = "Let the server read its files again, or a run its own",
     .about =
         "Without RUN the server reads its files, as on HUP: what changed begins anew; with one fault nothing does.\n"
         "With RUN its runner does what the task says under reload.\n\n" EXITS("run") "\n" WHERE,
     .examples = "paddock reload\n"
                 "paddock reload web\n",
     .options = no_options,
     .takes = PDK_TAKES_NAMES,
     .remote = true,
     .run = pdk_verb_act},
    {.name = "slots",
     .synopsis = "[OPTION...]",
     .summary = "List the slots, who has them and who waits",
     .about = EXITS("slot") "\n" WHERE,
     .examples = "paddock slots\n",
     .options = slots_options,
     .remote = true,
     .run = pdk_verb_slots},
    {.name = "queue",
     .synopsis = "[OPTION...] [stats]\n[OPTION...] list\n[OPTION...] show|cancel|retry JOB...\n"
                 "[OPTION...] pause|resume TOPIC...\n[OPTION...] limit TOPIC N",
     .summary = "Look into the durable queue, and steer it",
     .about =
         "stats tells how many jobs each topic has, and how long the oldest that is due has waited. limit says how\n"
         "many of a topic run at once; 0 is no limit.\n\n" EXITS("job") "\n" WHERE,
     .examples = "paddock queue\n"
                 "paddock queue list --state delayed,ready --topic mail\n"
                 "paddock queue pause mail\n"
                 "paddock queue limit mail 4\n",
     .options = queue_options,
     .takes = PDK_TAKES_NAMES,
     .remote = true,
     .run = pdk_verb_queue},
    {.name = "dead",
     .synopsis = "[OPTION...] [list]\n[OPTION...] show JOB...\n[OPTION...] replay|purge JOB...\n"
                 "[OPTION...] replay|purge --topic TOPIC",
     .summary = "Jobs that failed for good: look at them, run them again, or forget them",
     .about = "purge of a topic forgets all of its jobs that have ended, also those that went well.\n\n" EXITS(
         "job") "\n" WHERE,
     .examples = "paddock dead\n"
                 "paddock dead replay 1042\n"
                 "paddock dead purge --topic mail\n",
     .options = dead_options,
     .takes = PDK_TAKES_NAMES,
     .remote = true,
     .run = pdk_verb_dead},
    {.name = "events",
     .synopsis = "[OPTION...] [RUN|TASK]",
     .summary = "Tell what happens, as it happens",
     .about =
         "Goes on until Ctrl-C, over broken connections too: it follows by itself, so that -f changes nothing. With\n"
         "--no-follow it prints what the server still keeps, and ends. With --json one event a line, as the server\n"
         "says it; the id to go on behind one later is its seq, while the server is not started anew.\n\n" EXITS(
             "run") "\n" WHERE,
     .examples = "paddock events\n"
                 "paddock events web --type 'run.*,attempt.ended'\n"
                 "paddock events --no-follow --type run.ended\n"
                 "paddock events --json --since 812\n",
     .options = events_options,
     .takes = PDK_TAKES_NAME,
     .remote = true,
     .run = pdk_verb_events},
    {.name = "top",
     .synopsis = "[OPTION...]",
     .summary = "Watch a server: runs, rates, slots, plugins, queue",
     .about =
         "Keys: q or Ctrl-C ends, space draws anew. Where standard output is no terminal it is printed once.\n"
         "\n"
         "Runs that are at work come before those that wait, the newest first. --sort orders them all by a column:\n"
         "by attempts and age the most first, else by the alphabet.\n\n" EXITS("run") "\n" WHERE,
     .examples = "paddock top\n"
                 "paddock top --sort attempts --interval 500ms\n",
     .options = top_options,
     .remote = true,
     .run = pdk_verb_top},
};

const struct pdk_verb *pdk_verb_remote_at(size_t i) {
    return i < sizeof verbs / sizeof *verbs ? &verbs[i] : NULL;
}
