/* SPDX-License-Identifier: Apache-2.0 */
/* Readers of the fields that the supervisor needs: kind, slot, labels, retries, readiness, log. */
#include <ctype.h>
#include <errno.h>
#include <regex.h>
#include <stdio.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/text.h"
#include "core/spec/body.h"
#include "core/spec/scalar.h"

/* A regular expression is bounded in length and in what compiling it costs. */
#define LINE_BYTES 1024
#define LINE_COST  2000

static const char *read_slot_like(struct pdk_reading *reading, const pdk_value *value, const char *wanted) {
    const char *text = pdk_read_text(reading, value, wanted), *why = "";
    if (!text || pdk_slot_name_check(text, &why) == 0) return text;
    pdk_reading_fault(reading, value, why, NULL, "\"%.80s\" is not %s", text, wanted);
    return NULL;
}

PDK_READER(kind) {
    (void)row;
    ((struct pdk_task_body *)base)->task.plugin.kind = read_slot_like(reading, value, "a kind");
}

PDK_READER(slot) {
    (void)row;
    ((struct pdk_task_body *)base)->task.plugin.slot = read_slot_like(reading, value, "a slot");
}

PDK_READER(with) {
    struct pdk_task_body *body = base;
    (void)row;
    if (!pdk_read_is_map(reading, value, "a map")) return;
    for (uint32_t i = 0; i < value->size; i++) {
        const struct pdk_value_entry *entry = &value->as.map.entries[i];
        if (pdk_handed_find(entry->key))
            pdk_reading_fault_key(reading, entry->value, "move it up, out of with", "\"%s\" is a field of the task",
                                  entry->key);
    }
    body->task.plugin.with = value;
}

/* Labels are a map of strings for runners: numbers become the text they were written as. */
static const pdk_value *string_map(struct pdk_reading *reading, const pdk_value *map) {
    const pdk_values *values = pdk_values_get();
    const pdk_value *ret = NULL;
    pdk_writer *writer = values->open(values);
    pdk_writer_like(writer, map);
    values->put_map(writer);
    for (uint32_t i = 0; i < map->size; i++) {
        const struct pdk_value_entry *entry = &map->as.map.entries[i];
        const char *text = pdk_value_text(entry->value);
        pdk_writer_key_like(writer, map, i);
        values->key(writer, entry->key);
        pdk_writer_like(writer, entry->value);
        if (text)
            values->put_string(writer, text, strlen(text));
        else
            values->put_null(writer);
    }
    values->end(writer);
    pdk_reading_error(reading, values->close(writer, &ret, NULL));
    return ret;
}

PDK_READER(labels) {
    struct pdk_task_body *body = base;
    bool strings = true;
    (void)row;
    if (pdk_labels_check(value, reading->report) < 0) {
        pdk_reading_error(reading, -EINVAL);
        return;
    }
    for (uint32_t i = 0; i < value->size; i++) strings &= value->as.map.entries[i].value->type == PDK_STRING;
    if (!strings) {
        value = string_map(reading, value);
        if (value) pdk_task_keep(body, value);
    }
    body->task.plugin.labels = value;
}

PDK_READER(selector) {
    (void)row;
    pdk_reading_error(reading, pdk_selector_read(value, reading->arena, reading->report,
                                                 &((struct pdk_task_body *)base)->task.selector));
}

/* Policies. */

PDK_READER(retries) {
    static const struct pdk_field number = {
        PDK_FIELD_NAME("retries"), .type = PDK_FIELD_INT, .flags = PDK_FIELD_UNLIMITED,
        .offset = offsetof(struct pdk_task_body, task.policy.retries), .max = 1000000000};
    if (value->type == PDK_MAP)
        pdk_fields_read(reading, row->fields, value, base);
    else
        pdk_field_read(reading, &number, value, base);
}

PDK_READER(factor) {
    struct pdk_complaint why;
    double factor = 1;
    (void)row;
    pdk_complaint_clear(&why);
    if (pdk_scalar_number(value, &factor, &why) < 0)
        pdk_reading_error(reading, pdk_complain(reading->report, value, &why));
    else if (factor < 1 || factor > 100)
        pdk_reading_fault(reading, value, "expected 1 to 100", NULL, "%g is out of range", factor);
    else
        ((struct pdk_task_body *)base)->task.policy.backoff_factor = (uint64_t)(factor * 1048576.0 + 0.5);
}

PDK_READER(backoff) {
    struct pdk_policy *policy = &((struct pdk_task_body *)base)->task.policy;
    char first[32], max[32], expected[64];
    int32_t before = pdk_reading_begin(reading);
    if (value->type == PDK_MAP) {
        pdk_fields_read(reading, row->fields, value, base);
    } else {
        pdk_field_read(reading, row->fields, value, base);
        policy->backoff_max = policy->backoff_first;
        policy->backoff_factor = UINT64_C(1) << 20;
        policy->jitter = PDK_JITTER_NONE;
    }
    if (!pdk_reading_end(reading, before) || policy->backoff_max >= policy->backoff_first) return;
    (void)snprintf(expected, sizeof expected, "expected %s or more",
                   pdk_duration_format(policy->backoff_first, first, sizeof first));
    pdk_reading_fault(reading, value, expected, NULL, "max is %s, less than first",
                      pdk_duration_format(policy->backoff_max, max, sizeof max));
}

/* Readiness. */

PDK_READER(ready_command) {
    struct pdk_check *check = &((struct pdk_task_body *)base)->task.ready;
    (void)row;
    if (pdk_read_command(reading, value)) check->command = pdk_command_argv(reading, value);
}

/* host:port, [address]:port */
PDK_READER(ready_tcp) {
    struct pdk_check *check = &((struct pdk_task_body *)base)->task.ready;
    const char *text = pdk_read_text(reading, value, "host:port"), *colon = text ? strrchr(text, ':') : NULL;
    const char *host = text, *end = colon;
    unsigned long port = 0;
    (void)row;
    if (!text) return;
    if (colon && strlen(colon + 1) <= 5 && colon[1 + strspn(colon + 1, "0123456789")] == '\0')
        for (const char *p = colon + 1; *p; p++) port = port * 10 + (unsigned long)(*p - '0');
    if (colon && colon > text + 2 && text[0] == '[' && colon[-1] == ']') {
        host++;
        end--;
    } else if (colon && memchr(text, ':', (size_t)(colon - text))) {
        end = host; /* an address of IPv6 needs its brackets */
    }
    if (port == 0 || port > 65535 || end == host || strcspn(text, " \t\n/") != strlen(text)) {
        pdk_reading_fault(reading, value, "expected such as localhost:8080 or [::1]:8080", NULL,
                          "\"%.80s\" is not host:port", text);
        return;
    }
    check->host = pdk_reading_text(reading, host, (size_t)(end - host));
    check->port = colon + 1;
}

PDK_READER(ready_line) {
    const char *text = pdk_read_text(reading, value, "a regular expression");
    char why[120];
    regex_t compiled;
    int rc;
    (void)row;
    if (!text) return;
    if (!*text || strlen(text) > LINE_BYTES || pdk_regex_cost(text) > LINE_COST) {
        pdk_reading_fault(reading, value, NULL, NULL,
                          *text ? "this regular expression is too large" : "this cannot be empty");
        return;
    }
    rc = regcomp(&compiled, text, REG_EXTENDED | REG_NOSUB);
    if (rc == REG_ESPACE) {
        pdk_reading_error(reading, -ENOMEM);
    } else if (rc != 0) {
        (void)regerror(rc, &compiled, why, sizeof why);
        pdk_reading_fault(reading, value, "expected an extended regular expression", NULL, "%s", why);
    } else {
        regfree(&compiled);
        ((struct pdk_task_body *)base)->task.ready.line = text;
    }
}

static const struct {
    uint32_t mark;
    enum pdk_check_kind kind;
} checks[] = {{PDK_MARK_READY_NOTIFY, PDK_CHECK_NOTIFY},
              {PDK_MARK_READY_COMMAND, PDK_CHECK_COMMAND},
              {PDK_MARK_READY_TCP, PDK_CHECK_TCP},
              {PDK_MARK_READY_LINE, PDK_CHECK_LINE}};

static void read_check(struct pdk_reading *reading, const struct pdk_field *row, const pdk_value *value,
                       struct pdk_task_body *body) {
    uint32_t marks_before = reading->marks, marks;
    int32_t before = pdk_reading_begin(reading);
    bool well;
    int count = 0;
    reading->marks = 0;
    pdk_fields_read(reading, row->fields, value, body);
    well = pdk_reading_end(reading, before);
    marks = reading->marks;
    reading->marks |= marks_before;
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
        if (!(marks & checks[i].mark)) continue;
        body->task.ready.kind = checks[i].kind;
        count++;
    }
    if (count != 1 && !(marks & PDK_MARK_LATER))
        pdk_reading_fault(reading, value, "expected exactly one of notify, command, tcp or line", NULL, "found %s",
                          count ? "more than one check" : "no check");
    else if ((marks & PDK_MARK_READY_NOTIFY) && !body->program.notify && well)
        pdk_reading_fault(reading, value, "write true, or leave ready out", NULL, "notify cannot be false");
}

PDK_READER(ready) {
    struct pdk_task_body *body = base;
    struct pdk_check *check = &body->task.ready;
    struct pdk_complaint why;
    const char *text;
    check->every = check->timeout = 5 * PDK_SECOND;
    check->within = PDK_MINUTE;
    if (value->type == PDK_MAP) {
        read_check(reading, row, value, body);
        return;
    }
    text = pdk_value_text(value);
    if (text && !strcmp(text, "notify")) {
        body->program.notify = true;
        reading->marks |= PDK_MARK_READY_NOTIFY;
        check->kind = PDK_CHECK_NOTIFY;
        return;
    }
    check->kind = PDK_CHECK_AFTER;
    pdk_complaint_clear(&why);
    if (!text) {
        (void)pdk_complain_type(value, "notify, a duration or a check", &why);
    } else if (pdk_scalar_duration(value, &check->after, &why) == 0) {
        if (check->after == 0) check->kind = PDK_CHECK_NONE;
        return;
    } else if (isalpha((unsigned char)text[0])) {
        strlcpy(why.expected, "expected notify, a duration or a check", sizeof why.expected);
        if (pdk_nearest(text, (const char *const[]){"notify", NULL}))
            strlcpy(why.suggestion, "notify", sizeof why.suggestion);
    }
    pdk_reading_error(reading, pdk_complain(reading->report, value, &why));
}

PDK_READER(log) {
    struct pdk_output_files *log = &((struct pdk_task_body *)base)->task.log;
    log->max_size = UINT64_C(10) << 20;
    log->keep = 5;
    if (value->type == PDK_MAP)
        pdk_fields_read(reading, row->fields, value, base);
    else
        log->file = pdk_read_path(reading, value);
}
