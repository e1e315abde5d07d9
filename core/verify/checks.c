/* SPDX-License-Identifier: Apache-2.0 */
/* All checks by number. A number is never given to another check; those that go leave a gap. */
#include "core/verify/internal.h"

#define BROKEN(rule)  (1u << PDK_TEST_RULE_##rule)
#define EVERY_ATTEMPT (BROKEN(DONE) | BROKEN(HANDLE))

static const struct pdk_verify_check checks[] = {
    {1, "file", "trusted", "Neither the file nor its folder may be changed by others", "plugin.h", 0, pdk_check_trust},
    {2, "file", "a plugin", "A shared object of this machine whose pdk_plugin_entry is sound", "plugin.h", 0,
     pdk_check_loads},
    {3, "file", "exports", "It exports pdk_plugin_entry and nothing else", "plugin.h", 0, pdk_check_exports},
    {4, "file", "imports", "It links nothing of paddock's", "plugin.h", 0, pdk_check_imports},
    {5, "file", "constructors", "It has no constructors and no destructors", "plugin.h", 0, pdk_check_constructors},

    {10, "instance", "create", "create makes an instance, at once", "plugin.h", BROKEN(RESULT) | BROKEN(SLOW),
     pdk_check_create},
    {11, "instance", "create starts nothing", "create starts no threads, sockets, watches, jobs or children",
     "plugin.h", BROKEN(PURE), pdk_check_pure_create},
    {12, "instance", "create alone", "Where services are missing create makes an instance all the same", "plugin.h",
     BROKEN(PURE), pdk_check_alone},
    {13, "instance", "two instances", "Two instances know nothing of each other", "plugin.h", EVERY_ATTEMPT,
     pdk_check_two_instances},
    {14, "instance", "create leaves nothing", "create and destroy leave no memory, descriptor, thread or watch",
     "plugin.h", BROKEN(LEFT), pdk_check_create_cycles},
    {15, "instance", "create without memory", "Whichever allocation of create fails, it answers -ENOMEM", "base.h",
     BROKEN(LEFT) | BROKEN(RESULT), pdk_check_create_memory},
    {16, "instance", "schemas", "Schemas take their own fallbacks, and refuse what is unknown or of another type",
     "value.h", 0, pdk_check_schemas},
    {17, "instance", "streams", "Nothing is written to stdout or stderr", "base.h", 0, pdk_check_streams},
    {18, "instance", "process", "Folder, umask, signals, environment and locale of the process stay as they are",
     "base.h", 0, pdk_check_process},
    {19, "instance", "manners", "A log line is one line of UTF-8 with a level; children come from process/1", "host.h",
     BROKEN(MANNERS), pdk_check_life},
    {20, "instance", "threads", "What is for the main thread is called from the main thread", "base.h", BROKEN(THREAD),
     pdk_check_life},
    {21, "instance", "handles", "No handle is used that is stale or never was", "base.h", BROKEN(HANDLE),
     pdk_check_life},
    {22, "instance", "extensions", "get_extension answers NULL to an id that it does not know", "plugin.h", 0,
     pdk_check_extension},
    {23, "instance", "stop", "After stop comes stopped, once, and nothing after it", "plugin.h",
     BROKEN(STOP) | BROKEN(AFTER), pdk_check_stop},

    {30, "runner", "supports", "supports is pure: the same answer twice, and nothing begun", "runner.h",
     BROKEN(PURE) | BROKEN(RESULT), pdk_check_supports},
    {31, "runner", "build", "build_task is pure: the same answer twice, and nothing begun", "runner.h", BROKEN(PURE),
     pdk_check_build},
    {32, "runner", "refusals", "A refusal says why, points into the spec, and stores nothing", "base.h", BROKEN(RESULT),
     pdk_check_refusals},
    {33, "runner", "build leaves nothing", "A task may be destroyed without a start, and leaves nothing", "runner.h",
     BROKEN(LEFT), pdk_check_build_cycles},
    {34, "runner", "no waiting", "No call on the main thread takes more than 200 ms", "runner.h", BROKEN(SLOW),
     pdk_check_slow},
    {35, "runner", "one done", "Exactly one done for each start that returned 0", "host.h", BROKEN(DONE),
     pdk_check_one_done},
    {36, "runner", "results", "What done, output and progress say is what their header allows", "task.h",
     BROKEN(RESULT), pdk_check_one_done},
    {37, "runner", "nothing after done", "No output, progress, ready or log of an attempt comes after its done",
     "host.h", BROKEN(AFTER), pdk_check_after_done},
    {38, "runner", "another attempt", "A task that has ended can be started again, with another handle", "runner.h",
     EVERY_ATTEMPT | BROKEN(AFTER), pdk_check_again},
    {39, "runner", "two tasks", "Two tasks at once are independent", "runner.h", EVERY_ATTEMPT, pdk_check_two_tasks},
    {40, "runner", "cancel", "A cancel right after start ends the attempt within its grace", "runner.h", EVERY_ATTEMPT,
     pdk_check_cancel},
    {41, "runner", "cancel crosses done", "A cancel that comes after done does nothing", "runner.h",
     EVERY_ATTEMPT | BROKEN(AFTER), pdk_check_cancel_late},
    {42, "runner", "kill", "A kill after a cancel ends the attempt", "runner.h", EVERY_ATTEMPT, pdk_check_kill},
    {43, "runner", "cancel while paused", "An attempt whose output is paused ends when it is cancelled", "runner.h",
     EVERY_ATTEMPT, pdk_check_paused},
    {44, "runner", "reload", "reload answers 0 or a negative errno, and the attempt goes on", "runner.h", EVERY_ATTEMPT,
     pdk_check_reload},
    {45, "runner", "nothing left", "An attempt leaves no watch, job, child, descriptor or thread", "runner.h",
     BROKEN(LEFT), pdk_check_left},
    {46, "runner", "no memory left", "Attempts leave no memory", "runner.h", 0, pdk_check_task_cycles},
    {47, "runner", "pool is busy", "Where pool->submit says -EAGAIN the attempt ends", "loop.h", EVERY_ATTEMPT,
     pdk_check_pool_busy},
    {48, "runner", "job is canceled", "Where a job does not work the attempt ends", "loop.h", EVERY_ATTEMPT,
     pdk_check_job_canceled},
    {49, "runner", "spawn fails", "Where a child does not start the attempt ends", "process.h", EVERY_ATTEMPT,
     pdk_check_spawn_fails},
    {50, "runner", "watch fails", "Where the loop refuses a watch the attempt ends", "loop.h", EVERY_ATTEMPT,
     pdk_check_loop_fails},
    {51, "runner", "without memory", "Whichever allocation fails, the attempt ends, and the next one works", "base.h",
     EVERY_ATTEMPT, pdk_check_task_memory},

    {60, "source", "not too early", "Nothing is submitted before start", "source.h", BROKEN(PURE),
     pdk_check_source_early},
    {61, "source", "settled", "Every way a delivery can end is taken", "source.h", BROKEN(RESULT) | BROKEN(HANDLE),
     pdk_check_source_settled},
    {62, "source", "back-pressure", "After -EAGAIN nothing is submitted before resume, and then it goes on", "source.h",
     BROKEN(AFTER), pdk_check_source_busy},
    {63, "source", "invalid", "A delivery that is refused as invalid does no harm to others", "source.h", 0,
     pdk_check_source_invalid},
    {64, "source", "drain", "Nothing is submitted after drain, and stop works with what was not settled before",
     "source.h", BROKEN(AFTER) | BROKEN(STOP), pdk_check_source_drain},
    {65, "source", "nothing left", "A source that has stopped leaves nothing", "source.h", BROKEN(LEFT),
     pdk_check_source_cycles},

    {70, "metrics", "series", "The same values give the same series, others give another", "metrics.h", 0,
     pdk_check_series},
    {71, "metrics", "values", "Whatever numbers and texts are recorded, it goes on", "metrics.h", 0, pdk_check_values},
    {72, "metrics", "threads", "Every thread may record at once, and no count is lost", "metrics.h", 0,
     pdk_check_threads},
    {73, "metrics", "print", "print answers 0 and writes UTF-8 that ends in a newline", "metrics.h", 0, pdk_check_page},
    {74, "metrics", "nothing left", "Series leave no memory behind their instance", "metrics.h", BROKEN(LEFT),
     pdk_check_series_cycles},
    {75, "metrics", "without memory", "Whichever allocation fails, it goes on", "metrics.h", 0,
     pdk_check_series_memory},
};

const struct pdk_verify_check *pdk_verify_at(size_t i) {
    return i < sizeof checks / sizeof *checks ? &checks[i] : NULL;
}

const struct pdk_verify_check *pdk_verify_find(uint32_t number) {
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++)
        if (checks[i].number == number) return &checks[i];
    return NULL;
}
