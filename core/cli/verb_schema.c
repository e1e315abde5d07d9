/* SPDX-License-Identifier: Apache-2.0 */
/* paddock schema: for editors, from the same tables that check a file. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/cli/load.h"
#include "core/spec/schema.h"

static void print_field(void *arg, const char *name, const struct pdk_field_doc *field) {
    (void)arg;
    (void)printf("%s\t%s\t%s\t%s\n", name, field->type, field->fallback, field->doc);
}

/* Name, type, default and doc of every field of a task, or of an entry of plugins, between tabs. */
static int print_fields(const char *of) {
    const struct pdk_field_doc *field;
    if (of && strcmp(of, "plugins") == 0) {
        pdk_plugin_fields(print_field, NULL);
        return 0;
    }
    if (of && strcmp(of, "server") == 0) {
        pdk_server_fields(print_field, NULL);
        return 0;
    }
    if (of && strcmp(of, "tasks") != 0)
        return pdk_say_usage(NULL, "", "schema --fields: there are those of tasks, plugins and server, not of \"%s\"",
                             of);
    for (size_t i = 0; (field = pdk_task_field(i)); i++) print_field(NULL, field->name, field);
    return 0;
}

static int print_value(const pdk_value *value) {
    const pdk_values *v = pdk_values_get();
    if (v->print(v, value, PDK_JSON_INDENT, pdk_write_file, stdout) < 0) return pdk_say_memory();
    (void)putchar('\n');
    return 0;
}

static int print_schema(const pdk_schema *schema) {
    const pdk_values *v = pdk_values_get();
    const pdk_value *value = NULL;
    pdk_error err = PDK_ERROR;
    pdk_writer *w = v->open(v);
    pdk_schema_describe(schema, v, w);
    if (v->close(w, &value, &err) < 0) return pdk_say_memory();
    int code = print_value(value);
    v->drop(value);
    return code;
}

/* Every kind that is served, each once. */
static const pdk_schema **all_kinds(const struct pdk_setup *setup) {
    size_t count = 0, most = 0;
    for (size_t i = 0; i < setup->plugin_count; i++) {
        const pdk_plugin *plugin = setup->plugins[i].library.plugin;
        for (size_t k = 0; plugin && plugin->runner && plugin->runner->kinds[k]; k++) most++;
    }
    const pdk_schema **kinds = calloc(most + 1, sizeof *kinds);
    for (size_t i = 0; kinds && i < setup->plugin_count; i++) {
        const pdk_plugin *plugin = setup->plugins[i].library.plugin;
        for (size_t k = 0; plugin && plugin->runner && plugin->runner->kinds[k]; k++) {
            bool known = false;
            for (size_t n = 0; n < count && !known; n++)
                known = strcmp(kinds[n]->name, plugin->runner->kinds[k]->name) == 0;
            if (!known) kinds[count++] = plugin->runner->kinds[k];
        }
    }
    return kinds;
}

static int print_whole(const pdk_schema *const *kinds) {
    const pdk_value *value = NULL;
    if (pdk_config_schema(kinds, &value) < 0) return pdk_say_memory();
    int code = print_value(value);
    pdk_values_get()->drop(value);
    return code;
}

static int print_named(const struct pdk_setup *setup, const pdk_schema *const *kinds, const char *name) {
    for (size_t i = 0; kinds[i]; i++)
        if (strcmp(kinds[i]->name, name) == 0) return print_schema(kinds[i]);
    for (size_t i = 0; i < setup->plugin_count; i++) {
        const pdk_plugin *plugin = setup->plugins[i].library.plugin;
        if (!plugin || strcmp(plugin->name, name) != 0) continue;
        if (plugin->config) return print_schema(plugin->config);
        pdk_say("plugin %s takes no config", name);
        return PDK_EXIT_PLUGIN;
    }
    pdk_say("there is no kind or plugin \"%s\"; \"paddock plugins\" lists them", name);
    return PDK_EXIT_PLUGIN;
}

int pdk_verb_schema(struct pdk_arguments *arguments) {
    struct pdk_setup setup = {.arguments = arguments, .all = true};
    if (arguments->fields) return print_fields(arguments->names.count ? arguments->names.items[0] : NULL);
    int code = pdk_setup_list(&setup) < 0 ? pdk_say_memory() : 0;
    const pdk_schema **kinds = code ? NULL : all_kinds(&setup);
    if (code == 0 && !kinds) code = pdk_say_memory();
    if (code == 0)
        code = arguments->names.count ? print_named(&setup, kinds, arguments->names.items[0]) : print_whole(kinds);
    free(kinds);
    pdk_setup_free(&setup);
    return code;
}
