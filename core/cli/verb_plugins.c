/* SPDX-License-Identifier: Apache-2.0 */
/* paddock plugins: what each says of itself. None of their code is called. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "core/base/text.h"
#include "core/cli/console.h"
#include "core/cli/json.h"
#include "core/cli/load.h"
#include "core/spec/schema.h"

static void roles_of(const pdk_plugin *plugin, struct pdk_buffer *to) {
    const struct {
        bool plays;
        const char *name;
    } roles[] = {{plugin->runner, "runner"}, {plugin->source, "source"}, {plugin->metrics, "metrics"}};
    pdk_buffer_cut(to, to->size);
    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
        if (roles[i].plays) pdk_buffer_format(to, "%s%s", to->size ? "," : "", roles[i].name);
    if (!to->size) pdk_buffer_text(to, plugin->needs ? "console" : "service"); /* what plays no role asks, or offers */
}

static void kinds_of(const pdk_plugin *plugin, struct pdk_buffer *to) {
    pdk_buffer_cut(to, to->size);
    for (size_t i = 0; plugin->runner && plugin->runner->kinds[i]; i++)
        pdk_buffer_format(to, "%s%s", i ? "," : "", plugin->runner->kinds[i]->name);
}

static void labels_of(const struct pdk_listed *listed, struct pdk_buffer *to) {
    const pdk_values *v = pdk_values_get();
    const pdk_value *labels = listed->entry ? listed->entry->labels : NULL;
    pdk_buffer_cut(to, to->size);
    for (size_t i = 0; i < v->count(labels); i++) {
        const char *value = pdk_value_text(v->at(labels, i));
        pdk_buffer_format(to, "%s%s=%s", i ? "," : "", v->key_at(labels, i), value ? value : "");
    }
}

static const char *isolation_of(const struct pdk_listed *listed) {
    return listed->entry && listed->entry->isolation.mode == PDK_ISOLATION_PROCESS ? "process" : NULL;
}

static const char *some(const struct pdk_buffer *text) {
    return text->size ? pdk_buffer_string(text) : "-";
}

static void add_row(const struct pdk_listed *listed, bool wide, struct pdk_grid *grid) {
    const pdk_plugin *plugin = listed->library.plugin;
    struct pdk_buffer text = PDK_BUFFER(4096);
    pdk_grid_cell(grid, "%s", listed->name);
    if (!plugin) {
        for (int i = 0; i < 2; i++) pdk_grid_cell(grid, "-");
        pdk_grid_cell(grid, "REFUSED");
        for (int i = 0; i < (wide ? 5 : 2); i++) pdk_grid_cell(grid, "-");
        pdk_grid_cell(grid, "%s%s%s", listed->file ? listed->file : "", listed->file ? ": " : "",
                      listed->error.message);
        return;
    }
    pdk_grid_cell(grid, "%s", *plugin->version ? plugin->version : "-");
    pdk_grid_cell(grid, "%u.%u", plugin->abi_version >> 16, plugin->abi_version & 0xffffu);
    roles_of(plugin, &text);
    pdk_grid_cell(grid, "%s", some(&text));
    kinds_of(plugin, &text);
    pdk_grid_cell(grid, "%s", some(&text));
    labels_of(listed, &text);
    pdk_grid_cell(grid, "%s", some(&text));
    if (wide) {
        pdk_grid_cell(grid, "%s", isolation_of(listed) ? isolation_of(listed) : "-");
        pdk_grid_cell(grid, "%s", *plugin->author ? plugin->author : "-");
        pdk_grid_cell(grid, "%s", *plugin->description ? plugin->description : "-");
    }
    pdk_grid_cell(grid, "%s", listed->file);
    pdk_buffer_free(&text);
}

static void print_table(const struct pdk_setup *setup) {
    static const char *const titles[] = {"NAME",   "VERSION",   "ABI",    "ROLES",       "KINDS",
                                         "LABELS", "ISOLATION", "AUTHOR", "DESCRIPTION", "FILE"};
    struct pdk_console console = pdk_console_of(STDOUT_FILENO, setup->arguments->color);
    bool wide = setup->arguments->long_form;
    struct pdk_grid grid;
    pdk_grid_begin(&grid, wide ? 10 : 7);
    for (size_t i = 0; i < 10; i++)
        if (wide || i < 6 || i == 9) pdk_grid_cell(&grid, "%s", titles[i]);
    for (size_t i = 0; i < setup->plugin_count; i++) add_row(&setup->plugins[i], wide, &grid);
    pdk_grid_print(&grid, &console, "", stdout);
    pdk_grid_free(&grid);
}

static void print_json(const struct pdk_listed *listed) {
    const pdk_plugin *plugin = listed->library.plugin;
    struct pdk_buffer line = PDK_BUFFER(1u << 20), text = PDK_BUFFER(4096);
    pdk_json_open(&line, NULL, '{');
    pdk_json_text(&line, "name", listed->name);
    pdk_json_text(&line, "file", listed->file);
    if (!plugin) {
        pdk_json_text(&line, "refused", listed->error.message);
    } else {
        pdk_buffer_format(&text, "%u.%u", plugin->abi_version >> 16, plugin->abi_version & 0xffffu);
        pdk_json_text(&line, "plugin", plugin->name);
        pdk_json_text(&line, "version", plugin->version);
        pdk_json_text(&line, "abi", pdk_buffer_string(&text));
        pdk_json_text(&line, "author", plugin->author);
        pdk_json_text(&line, "description", plugin->description);
        roles_of(plugin, &text);
        pdk_json_text(&line, "roles", pdk_buffer_string(&text));
        pdk_json_open(&line, "kinds", '[');
        for (size_t i = 0; plugin->runner && plugin->runner->kinds[i]; i++)
            pdk_json_text(&line, NULL, plugin->runner->kinds[i]->name);
        pdk_json_close(&line, ']');
        labels_of(listed, &text);
        pdk_json_text(&line, "labels", pdk_buffer_string(&text));
        pdk_json_text(&line, "isolation", isolation_of(listed));
    }
    pdk_json_close(&line, '}');
    (void)printf("%s\n", pdk_buffer_string(&line));
    pdk_buffer_free(&line);
    pdk_buffer_free(&text);
}

static const char *type_name(const pdk_param *param) {
    static const char *const plain[] = {"null", "bool", "int", "number", "string", "list", "map"};
    static const char *const special[] = {"any", "duration", "size", "strings", "map of strings"};
    if (param->type <= PDK_MAP) return plain[param->type];
    return param->type >= PDK_ANY && param->type <= PDK_STRING_MAP ? special[param->type - PDK_ANY] : "?";
}

static void add_params(const pdk_param *params, uint32_t size, const char *before, int depth, struct pdk_grid *grid) {
    const pdk_param *param;
    for (size_t i = 0; params && depth < 4 && (param = pdk_param_at(params, size, i)); i++) {
        char name[200];
        (void)snprintf(name, sizeof name, "%s%s", before, param->name);
        pdk_grid_cell(grid, "%s", name);
        pdk_grid_cell(grid, "%s", type_name(param));
        if (param->flags & PDK_REQUIRED)
            pdk_grid_cell(grid, "required");
        else
            pdk_grid_cell(grid, "%s", param->fallback ? param->fallback : "-");
        pdk_grid_cell(grid, "%s", param->doc ? param->doc : "");
        (void)strlcat(name, param->type == PDK_LIST ? "[]." : ".", sizeof name);
        add_params(param->fields, size, name, depth + 1, grid);
    }
}

static void print_schema(const pdk_schema *schema, const char *title, const struct pdk_console *console) {
    struct pdk_grid grid;
    (void)printf("\n%s%s%s%s%s\n", pdk_tone_begin(console, PDK_TONE_BOLD), title, schema->name,
                 pdk_tone_end(console, PDK_TONE_BOLD), "");
    if (schema->doc && *schema->doc) (void)printf("  %s\n", schema->doc);
    pdk_grid_begin(&grid, 4);
    add_params(schema->params, schema->param_size, "", 0, &grid);
    if (grid.count)
        pdk_grid_print(&grid, console, "  ", stdout);
    else
        (void)printf("  takes no parameters\n");
    pdk_grid_free(&grid);
}

static void print_one(const struct pdk_setup *setup, const struct pdk_listed *listed) {
    struct pdk_console console = pdk_console_of(STDOUT_FILENO, setup->arguments->color);
    const pdk_plugin *plugin = listed->library.plugin;
    struct pdk_buffer text = PDK_BUFFER(4096);
    roles_of(plugin, &text);
    (void)printf("%s%s %s%s  ABI %u.%u  %s\n%s\n%s\n", pdk_tone_begin(&console, PDK_TONE_BOLD), plugin->name,
                 plugin->version, pdk_tone_end(&console, PDK_TONE_BOLD), plugin->abi_version >> 16,
                 plugin->abi_version & 0xffffu, pdk_buffer_string(&text), plugin->description, listed->file);
    for (size_t i = 0; plugin->runner && plugin->runner->kinds[i]; i++)
        print_schema(plugin->runner->kinds[i], "kind ", &console);
    if (plugin->config) print_schema(plugin->config, "config", &console);
    pdk_buffer_free(&text);
}

static bool is_called(const struct pdk_listed *listed, const char *name) {
    return strcmp(listed->name, name) == 0 ||
           (listed->library.plugin && strcmp(listed->library.plugin->name, name) == 0);
}

/* One by its name: told in full, or as JSON. */
static int tell_one(struct pdk_setup *setup, const char *name) {
    const char **names = pdk_arena_alloc(&setup->arena, (setup->plugin_count + 1) * sizeof *names);
    if (!names) return pdk_say_memory();
    for (size_t i = 0; i < setup->plugin_count; i++) {
        const struct pdk_listed *listed = &setup->plugins[i];
        names[i] = listed->name;
        if (!is_called(listed, name)) continue;
        if (setup->arguments->json) {
            print_json(listed);
        } else if (listed->library.plugin) {
            print_one(setup, listed);
        } else {
            pdk_say("plugin %s is refused: %s", name, listed->error.message);
            return PDK_EXIT_PLUGIN;
        }
        return 0;
    }
    const char *near = pdk_nearest(name, names);
    pdk_say("there is no plugin \"%s\"%s%s%s; \"paddock plugins\" lists them", name, near ? "; did you mean \"" : "",
            near ? near : "", near ? "\"?" : "");
    return PDK_EXIT_PLUGIN;
}

int pdk_verb_plugins(struct pdk_arguments *arguments) {
    struct pdk_setup setup;
    int code = pdk_setup_read(&setup, arguments, false);
    setup.sources = "";
    setup.shows = true;
    setup.all = true;
    if (code == 0) code = pdk_setup_faults(&setup);
    if (code == 0 && pdk_setup_list(&setup) < 0) code = pdk_say_memory();
    if (code == 0 && arguments->names.count) {
        code = tell_one(&setup, arguments->names.items[0]);
    } else if (code == 0 && arguments->json) {
        for (size_t i = 0; i < setup.plugin_count; i++) print_json(&setup.plugins[i]);
    } else if (code == 0) {
        print_table(&setup);
    }
    pdk_setup_free(&setup);
    return code;
}
