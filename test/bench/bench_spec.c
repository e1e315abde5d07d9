/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Row 21: a file of 10,000 tasks to checked, completed specs, beside libyaml's events over the same bytes.
 * Median of 5 interleaved rounds.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <yaml.h>

#include "core/base/buffer.h"
#include "core/base/clock.h"
#include "core/config/config.h"

enum { ROUNDS = 5, TASKS = 10000 };

static const char task[] = "  resize-image-%07d:\n"
                           "    kind: subprocess\n"
                           "    command:\n"
                           "      - /usr/bin/convert\n"
                           "      - in.png\n"
                           "      - -resize\n"
                           "      - 50%%\n"
                           "      - out.png\n"
                           "    env:\n"
                           "      LANG: C.UTF-8\n"
                           "      THREADS: \"2\"\n"
                           "    labels: {app: thumbs, zone: local}\n"
                           "    timeout: 30s\n"
                           "    restart: on-failure\n"
                           "    backoff: {first: 200ms, max: 30s, jitter: full}\n";

static int fail(const char *what) {
    fprintf(stderr, "bench-spec: %s\n", what);
    return 1;
}

static int events(const char *text, size_t size) {
    yaml_parser_t parser;
    yaml_event_t event;
    int done = 0;
    if (!yaml_parser_initialize(&parser)) return -1;
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, size);
    while (!done && yaml_parser_parse(&parser, &event)) {
        done = event.type == YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    return done ? 0 : -1;
}

static void print(void *arg, const char *data, size_t size) {
    (void)arg;
    fwrite(data, 1, size, stderr);
}

static int specs(const char *path) {
    struct pdk_report report = {0};
    struct pdk_config *config = NULL;
    int32_t rc = pdk_config_load((const char *const[]){path, NULL}, &report, &config);
    if (rc) pdk_report_print(&report, false, print, NULL);
    if (!rc && config->task_count != TASKS) rc = -1;
    pdk_report_free(&report);
    pdk_config_free(config);
    return rc;
}

static int compare(const void *left, const void *right) {
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

int main(void) {
    struct pdk_buffer text = PDK_BUFFER(16u << 20);
    char path[] = "/tmp/paddock-bench-XXXXXX.yaml";
    double floor[ROUNDS], ours[ROUNDS];

    pdk_buffer_text(&text, "tasks:\n");
    for (int i = 0; i < TASKS; i++) pdk_buffer_format(&text, task, i);
    int fd = mkstemps(path, 5);
    if (fd < 0 || text.error || write(fd, text.data, text.size) != (ssize_t)text.size) return fail("no file to read");
    close(fd);
    for (int i = 0; i < ROUNDS; i++) {
        uint64_t begun = pdk_clock_now();
        if (events(text.data, text.size)) return fail("libyaml refused the file");
        uint64_t between = pdk_clock_now();
        if (specs(path)) return fail("the file was refused");
        floor[i] = (double)(between - begun) / TASKS;
        ours[i] = (double)(pdk_clock_now() - between) / TASKS;
    }
    unlink(path);
    qsort(floor, ROUNDS, sizeof *floor, compare);
    qsort(ours, ROUNDS, sizeof *ours, compare);
    double ratio = ours[ROUNDS / 2] / floor[ROUNDS / 2];
    printf("row 21  spec load, %d tasks of %zu bytes: %.2f us a task, events %.2f us, ratio %.2f, goal 2.10 %s\n",
           TASKS, text.size / TASKS, ours[ROUNDS / 2] / 1000, floor[ROUNDS / 2] / 1000, ratio,
           ratio <= 2.1 ? "ok" : "missed");
    pdk_buffer_free(&text);
    return 0;
}
