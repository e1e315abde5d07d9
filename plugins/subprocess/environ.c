/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The environment of a child, in layers. Everybody adds to it in any order; finish sorts by name and takes of each
 * the highest layer. All texts lie in one buffer, which is wiped when it moves and when it goes.
 */
#include <stdlib.h>
#include <string.h>

#include "subprocess.h"

enum { VARIABLES_MAX = 65536 };

bool pdk_sub_is_name(const char *name, size_t size) {
    static const char first[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";
    if (size == 0 || !memchr(first, name[0], sizeof first - 11)) return false;
    for (size_t i = 1; i < size; i++)
        if (!memchr(first, name[i], sizeof first - 1)) return false;
    return true;
}

/* Not realloc: that could leave a copy of a secret behind. */
static int32_t make_room(struct pdk_sub_env *env, size_t more) {
    size_t capacity = env->capacity ? env->capacity : 2048;
    char *text;
    if (more > PDK_SUB_ENV_MAX - env->size) return -E2BIG;
    if (env->capacity - env->size >= more) return 0;
    while (capacity - env->size < more) capacity *= 2;
    text = malloc(capacity);
    if (!text) return -ENOMEM;
    if (env->size) memcpy(text, env->text, env->size);
    if (env->text) explicit_bzero(env->text, env->size);
    free(env->text);
    env->text = text;
    env->capacity = capacity;
    return 0;
}

static int32_t make_variable(struct pdk_sub_env *env) {
    uint32_t room = env->room ? env->room * 2 : 64;
    struct pdk_sub_variable *variables;
    if (env->count < env->room) return 0;
    if (room > VARIABLES_MAX) return -E2BIG;
    variables = reallocarray(env->variables, room, sizeof *variables);
    if (!variables) return -ENOMEM;
    env->variables = variables;
    env->room = room;
    return 0;
}

static void append(struct pdk_sub_env *env, const char *data, size_t size) {
    if (size) memcpy(env->text + env->size, data, size);
    env->size += size;
}

void pdk_sub_env_add(struct pdk_sub_env *env, enum pdk_sub_layer layer, const char *name, size_t name_size,
                     const char *value, size_t size) {
    struct pdk_sub_variable *variable;
    size_t more = name_size + size + 2;
    if (env->error) return;
    env->error = size > PDK_SUB_ENV_MAX || name_size > PDK_SUB_ENV_MAX ? -E2BIG : make_room(env, more);
    if (!env->error) env->error = make_variable(env);
    if (env->error) return;
    variable = &env->variables[env->count];
    *variable = (struct pdk_sub_variable){env->size, (uint32_t)name_size, env->count, layer, value == NULL};
    env->count++;
    append(env, name, name_size);
    append(env, "=", 1);
    append(env, value, value ? size : 0);
    append(env, "", 1);
}

void pdk_sub_env_set(struct pdk_sub_env *env, enum pdk_sub_layer layer, const char *name, const char *value) {
    pdk_sub_env_add(env, layer, name, strlen(name), value, value ? strlen(value) : 0);
}

static int compare_names(const char *text, const struct pdk_sub_variable *x, const struct pdk_sub_variable *y) {
    uint32_t shorter = x->name_size < y->name_size ? x->name_size : y->name_size;
    unsigned char first = (unsigned char)text[x->at], second = (unsigned char)text[y->at];
    if (first != second) return first < second ? -1 : 1; /* most differ there */
    int order = memcmp(text + x->at, text + y->at, shorter);
    return order ? order : (x->name_size > y->name_size) - (x->name_size < y->name_size);
}

static int by_name_then_rank(const void *a, const void *b, void *text) {
    const struct pdk_sub_variable *x = a, *y = b;
    int order = compare_names(text, x, y);
    if (!order) order = (x->layer > y->layer) - (x->layer < y->layer);
    return order ? order : (x->order > y->order) - (x->order < y->order);
}

int32_t pdk_sub_env_finish(struct pdk_sub_env *env) {
    const char **list;
    uint32_t kept = 0;
    if (env->error) return env->error;
    list = reallocarray(env->list, (size_t)env->count + 1, sizeof *list);
    if (!list) return -ENOMEM;
    env->list = list;
    if (env->count) qsort_r(env->variables, env->count, sizeof *env->variables, by_name_then_rank, env->text);
    for (uint32_t i = 0; i < env->count; i++) {
        const struct pdk_sub_variable *variable = &env->variables[i];
        bool last = i + 1 == env->count || compare_names(env->text, variable, variable + 1) != 0;
        if (last && !variable->unset) list[kept++] = env->text + variable->at;
    }
    list[kept] = NULL;
    return 0;
}

void pdk_sub_env_free(struct pdk_sub_env *env) {
    if (env->text) explicit_bzero(env->text, env->size);
    free(env->text);
    free(env->variables);
    free(env->list);
    *env = (struct pdk_sub_env){0};
}
