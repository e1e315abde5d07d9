/* SPDX-License-Identifier: Apache-2.0 */
/* Files that are part of the program: completion scripts, and what `paddock new` writes. */
#ifndef CORE_CLI_EMBEDDED_H
#define CORE_CLI_EMBEDDED_H

struct pdk_embedded {
    const char *name; /* below core/cli: "templates/runner/plugin.c" */
    const char *text;
};

/* Made by the build; name NULL at the end. */
extern const struct pdk_embedded pdk_embedded_files[];

/* The one of this name, which is there. */
const struct pdk_embedded *pdk_embedded_find(const char *name);

#endif
