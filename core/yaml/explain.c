/* SPDX-License-Identifier: Apache-2.0 */
/* libyaml speaks of tokens and contexts; people wrote a quote, a bracket or a blank too many. A table of what it says,
 * what that means, and where to look. */
#include <errno.h>
#include <string.h>

#include "core/yaml/reader.h"

/* What the text is like where the parser gave up. */
enum where {
    ANYWHERE,
    AT_TAB,    /* a tab among the blanks that begin the line */
    AT_END,    /* nothing follows */
    AT_DASH,   /* the line begins here, with a list item */
    AT_COLON,  /* the line begins here, with a colon */
    AT_START,  /* the line begins here */
    AFTER_KEY, /* the line has a "key: " before this */
};

/* Where the fault is shown. */
enum shown {
    PROBLEM,
    CONTEXT,          /* where the construct began */
    PROBLEM_AND_NOTE, /* and a note at where it began */
    LINE_START,       /* from the first letter of the line to the problem */
    TAB,
};

static const struct rule {
    const char *problem, *context; /* parts of libyaml's texts; NULL: any */
    enum where where;
    enum shown shown;
    const char *message, *expected, *note;
} rules[] = {
    {"start any token", NULL, AT_TAB, TAB, "a tab cannot indent YAML", "use spaces", NULL},
    {"tab character", NULL, AT_TAB, TAB, "a tab cannot indent YAML", "use spaces", NULL},
    {"end of stream", "quoted scalar", ANYWHERE, CONTEXT, "this quote is never closed",
     "write the same quote at its end", NULL},
    {"document indicator", "quoted scalar", ANYWHERE, CONTEXT, "this quote is not closed before the document ends",
     "write the same quote at its end", NULL},
    {"',' or ']'", NULL, AT_END, CONTEXT, "this list is never closed", "write ] at its end", NULL},
    {"',' or ']'", NULL, ANYWHERE, PROBLEM_AND_NOTE, "a comma or ] is missing before this", "write , between items",
     "the list begins here"},
    {"',' or '}'", NULL, AT_END, CONTEXT, "this map is never closed", "write } at its end", NULL},
    {"',' or '}'", NULL, ANYWHERE, PROBLEM_AND_NOTE, "a comma or } is missing before this", "write , between fields",
     "the map begins here"},
    {"mapping values are not", NULL, AFTER_KEY, PROBLEM, "a second \": \" in one value",
     "put the whole value in quotes", NULL},
    {"mapping values are not", NULL, ANYWHERE, LINE_START, "a key cannot stand here",
     "indent it like its neighbours, or put the text above in quotes", NULL},
    {"block sequence entries are not", NULL, ANYWHERE, PROBLEM, "a list with dashes cannot begin behind a key",
     "begin it on the next line, or write [a, b]", NULL},
    {"start any token", NULL, ANYWHERE, PROBLEM, "a text without quotes cannot begin with this",
     "put the whole text in quotes", NULL},
    {"expected key", NULL, AT_DASH, PROBLEM_AND_NOTE, "a list item where a field should be",
     "indent the list below its key", "the fields begin here"},
    {"expected key", NULL, AT_COLON, PROBLEM, "there is no key before the colon", "write NAME: VALUE", NULL},
    {"expected key", NULL, AT_START, PROBLEM_AND_NOTE, "this line is indented like none above it",
     "indent it like its neighbours", "the fields begin here"},
    {"expected key", NULL, ANYWHERE, PROBLEM, "the value has ended before this", "put the whole value in quotes", NULL},
    {"expected '-' indicator", NULL, ANYWHERE, PROBLEM_AND_NOTE, "this line is no item of the list above",
     "begin it with \"- \", or indent it like its neighbours", "the list begins here"},
    {"<document start>", NULL, AT_START, PROBLEM, "the document has ended before this line",
     "indent it like the first line; one document per file", NULL},
    {"<document start>", NULL, ANYWHERE, PROBLEM, "the document has ended before this", "put the whole value in quotes",
     NULL},
    {"expected ':'", NULL, ANYWHERE, CONTEXT, "a key needs a colon and a blank behind it", "write NAME: VALUE", NULL},
    {"alphabetic or numeric", "alias", ANYWHERE, CONTEXT, "\"*\" begins the name of an anchor",
     "put the whole text in quotes", NULL},
    {"alphabetic or numeric", NULL, ANYWHERE, CONTEXT, "\"&\" begins the name of an anchor",
     "put the whole text in quotes", NULL},
    {"comment or line break", "block scalar", ANYWHERE, PROBLEM, "no text may stand behind | or >",
     "begin the text on the next line", NULL},
    {NULL, "block scalar", ANYWHERE, PROBLEM, "this is no way to begin a text block",
     "write | or >, and the text below", NULL},
    {"unknown escape", NULL, ANYWHERE, PROBLEM, "there is no such escape",
     "write \\\\ for a backslash, or use 'single quotes'", NULL},
    {"hexdecimal", NULL, ANYWHERE, PROBLEM, "hexadecimal digits are missing", "\\x takes two, \\u four, \\U eight",
     NULL},
    {"Unicode character escape", NULL, ANYWHERE, PROBLEM, "there is no such character", NULL, NULL},
    {"node content", NULL, ANYWHERE, PROBLEM, "a value is missing before this", "write one, or \"\"", NULL},
    {"tag handle", NULL, ANYWHERE, PROBLEM, "tags are not supported", "leave it out, or put the text in quotes", NULL},
    {NULL, "tag", ANYWHERE, CONTEXT, "tags are not supported", "leave it out, or put the text in quotes", NULL},
    {NULL, "directive", ANYWHERE, CONTEXT, "only %YAML 1.1 or %YAML 1.2 may stand here", "leave it out", NULL},
    {"incompatible YAML", NULL, ANYWHERE, PROBLEM, "only YAML 1.1 and 1.2 are supported", "leave it out", NULL},
    {"mapping keys are not", NULL, ANYWHERE, PROBLEM, "keys with \"? \" are not supported", "write NAME: VALUE", NULL},
};

/* A place in the text, and its line. */
struct spot {
    const char *line, *text;
    uint32_t indent; /* blanks and tabs that begin the line */
    uint32_t tab;    /* the first tab among them, from 1; 0: none */
};

static struct spot look_at(const struct pdk_yaml_reader *reader, const yaml_mark_t *mark) {
    struct spot spot = {reader->text, NULL, 0, 0};
    for (size_t line = 0; line < mark->line; line++) {
        const char *end = strchr(spot.line, '\n');
        spot.line = end ? end + 1 : reader->text + reader->size; /* libyaml ends the last line itself */
    }
    spot.text = spot.line;
    for (size_t column = 0; column < mark->column && *spot.text && *spot.text != '\n'; column++) {
        do spot.text++;
        while (((unsigned char)*spot.text & 0xC0) == 0x80);
    }
    spot.indent = (uint32_t)strspn(spot.line, " \t");
    const char *tab = memchr(spot.line, '\t', spot.indent);
    if (tab) spot.tab = (uint32_t)(tab - spot.line) + 1;
    return spot;
}

static bool has_key_before(const struct spot *spot) {
    const char *colon = strstr(spot->line, ": ");
    return colon && colon < spot->text;
}

static bool is_where(const struct spot *spot, enum where where) {
    bool begins = spot->text == spot->line + spot->indent;
    switch (where) {
    case AT_TAB: return spot->tab != 0;
    case AT_END: return spot->text[strspn(spot->text, " \t\r\n")] == '\0';
    case AT_DASH: return begins && spot->text[0] == '-';
    case AT_COLON: return begins && spot->text[0] == ':';
    case AT_START: return begins;
    case AFTER_KEY: return has_key_before(spot);
    case ANYWHERE: break;
    }
    return true;
}

static bool fits(const char *text, const char *part) {
    return !part || (text && strstr(text, part));
}

static const struct rule *find_rule(const yaml_parser_t *parser, const struct spot *spot) {
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        const struct rule *rule = &rules[i];
        if (fits(parser->problem, rule->problem) && fits(parser->context, rule->context) &&
            is_where(spot, rule->where)) {
            return rule;
        }
    }
    return NULL;
}

static struct pdk_mark mark_at(const struct pdk_yaml_reader *reader, const yaml_mark_t *mark) {
    return pdk_yaml_mark(reader, mark, mark);
}

static struct pdk_mark shown_mark(const struct pdk_yaml_reader *reader, enum shown shown, const struct spot *spot) {
    struct pdk_mark mark = mark_at(reader, &reader->parser.problem_mark);
    switch (shown) {
    case CONTEXT: return mark_at(reader, &reader->parser.context_mark);
    case TAB: mark.column = spot->tab; break;
    case LINE_START:
        mark.span = mark.column - spot->indent;
        mark.column = spot->indent + 1;
        break;
    case PROBLEM:
    case PROBLEM_AND_NOTE: break;
    }
    return mark;
}

int32_t pdk_yaml_explain(struct pdk_yaml_reader *reader) {
    const yaml_parser_t *parser = &reader->parser;
    if (parser->error == YAML_MEMORY_ERROR) return -ENOMEM;
    reader->build.depth = 0; /* what is open may not be what was meant: no path */
    struct spot spot = look_at(reader, &parser->problem_mark);
    const struct rule *rule = find_rule(parser, &spot);
    if (!rule) {
        struct pdk_mark mark = mark_at(reader, &parser->problem_mark);
        return pdk_yaml_fault(reader, &mark, NULL, NULL, NULL, "this is not YAML: %s",
                              parser->problem ? parser->problem : "unknown error");
    }
    struct pdk_mark mark = shown_mark(reader, rule->shown, &spot);
    struct pdk_mark note = mark_at(reader, &parser->context_mark);
    return pdk_yaml_fault(reader, &mark, rule->expected, rule->note ? &note : NULL, rule->note, "%s", rule->message);
}
