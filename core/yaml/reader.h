/* SPDX-License-Identifier: Apache-2.0 */
/* One YAML text being read: what the parts of this layer share. */
#ifndef CORE_YAML_READER_H
#define CORE_YAML_READER_H

#include <yaml.h>

#include "core/value/build.h"

/* What `<<` merges into a map, once the map's own keys are known. */
struct pdk_yaml_merge {
    const struct pdk_value *source;
    struct pdk_mark mark; /* of the alias */
    struct pdk_yaml_merge *next;
};

enum pdk_yaml_merging { PDK_YAML_NO_MERGE, PDK_YAML_MERGE_VALUE, PDK_YAML_MERGE_LIST };

struct pdk_yaml_reader {
    struct pdk_builder build;
    struct pdk_report *report;
    yaml_parser_t parser;
    const char *name, *text; /* in the document's arena */
    size_t size;
    uint16_t file;
    bool has_question;         /* there may be "? " keys */
    struct pdk_value *nothing; /* what remains after a fault; made first, so that it is there without memory */
    struct pdk_table anchors;  /* name -> struct pdk_value */
    uint32_t documents, aliases;
    const char *cursor; /* the place in the text that was looked at last */
    uint32_t line, column;
    enum pdk_yaml_merging merging;
    struct pdk_yaml_merge *merges[PDK_VALUE_DEPTH_MAX + 1]; /* of each open map */
    bool merged[PDK_VALUE_DEPTH_MAX + 1];                   /* has it a `<<`? */
};

/* bytes.c: what no YAML text may contain. 0, or -EINVAL with a fault. */
int32_t pdk_yaml_check_bytes(struct pdk_yaml_reader *reader);

/* events.c: 0 to go on, 1 at the end, negative to stop with a fault given. */
int32_t pdk_yaml_event(struct pdk_yaml_reader *reader, const yaml_event_t *event);

/* alias.c: an alias as a value, as what `<<` merges, and the merging at a map's end. */
int32_t pdk_yaml_alias(struct pdk_yaml_reader *reader, const yaml_event_t *event);
int32_t pdk_yaml_apply_merges(struct pdk_yaml_reader *reader);
int32_t pdk_yaml_anchor(struct pdk_yaml_reader *reader, const yaml_char_t *name, struct pdk_value *node);

/* explain.c: libyaml's own errors in words for people. -EINVAL or -ENOMEM. */
int32_t pdk_yaml_explain(struct pdk_yaml_reader *reader);

/* Where something stands; what goes on below its first line is marked to the line's end. */
struct pdk_mark pdk_yaml_mark(const struct pdk_yaml_reader *reader, const yaml_mark_t *start, const yaml_mark_t *end);

/* Add a fault; note and expected may be NULL. -EINVAL. */
int32_t pdk_yaml_fault(struct pdk_yaml_reader *reader, const struct pdk_mark *mark, const char *expected,
                       const struct pdk_mark *note, const char *note_text, const char *format, ...)
    __attribute__((format(printf, 6, 7)));

#endif
