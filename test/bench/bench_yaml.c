/* SPDX-License-Identifier: Apache-2.0 */
/* What building a tree costs above libyaml's events: ns per spec of 15 lines, median of 5, both in the same run. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "core/base/clock.h"
#include "core/yaml/yaml.h"

#define ROUNDS 5
#define SPECS  20000

static const char spec[] = "name: resize-1\n"
                           "kind: subprocess\n"
                           "command:\n"
                           "  - /usr/bin/convert\n"
                           "  - in.png\n"
                           "  - -resize\n"
                           "  - 50%\n"
                           "  - out.png\n"
                           "env:\n"
                           "  LANG: C.UTF-8\n"
                           "  MAGICK_THREAD_LIMIT: \"2\"\n"
                           "labels: {app: thumbs, zone: local, tier: batch}\n"
                           "timeout: 30s\n"
                           "restart: on-failure\n"
                           "backoff: {first: 200ms, max: 30s, factor: 2, jitter: full}\n";

static int read_events(void) {
    yaml_parser_t parser;
    yaml_event_t event;
    int done = 0;
    if (!yaml_parser_initialize(&parser)) return -1;
    yaml_parser_set_input_string(&parser, (const unsigned char *)spec, sizeof(spec) - 1);
    while (!done) {
        if (!yaml_parser_parse(&parser, &event)) break;
        done = event.type == YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    return done ? 0 : -1;
}

static int read_values(void) {
    const pdk_value *value;
    int32_t rc = pdk_yaml_parse("bench.yaml", spec, sizeof(spec) - 1, NULL, &value);
    pdk_values_get()->drop(value);
    return rc;
}

static double measure(int (*read)(void)) {
    uint64_t start = pdk_clock_now();
    for (int i = 0; i < SPECS; i++) {
        if (read()) {
            fprintf(stderr, "the spec was refused\n");
            exit(1);
        }
    }
    return (double)(pdk_clock_now() - start) / SPECS;
}

static int compare(const void *left, const void *right) {
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

int main(void) {
    double events[ROUNDS], values[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
        events[i] = measure(read_events);
        values[i] = measure(read_values);
    }
    qsort(events, ROUNDS, sizeof(double), compare);
    qsort(values, ROUNDS, sizeof(double), compare);
    double floor = events[ROUNDS / 2], ours = values[ROUNDS / 2];
    printf("yaml: spec %zu bytes, events %.0f ns, pdk_yaml_parse %.0f ns, ratio %.2f, tree %.0f ns\n", sizeof(spec) - 1,
           floor, ours, ours / floor, ours - floor);
    return 0;
}
