/* SPDX-License-Identifier: Apache-2.0 */
/* A shared object as it lies in a file: what it exports, wants and links, and what runs when it is loaded. Any bytes may be
 * given; what is out of bounds, or crooked, is not there. */
#ifndef CORE_VERIFY_IMAGE_H
#define CORE_VERIFY_IMAGE_H

#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pdk_image {
    const unsigned char *data;
    size_t size;
    const ElfW(Shdr) * sections;
    size_t count;
};

/* data lives as long as the image and begins where a page does. False: it has no sections that could be read. */
bool pdk_image_open(const void *data, size_t size, struct pdk_image *ret);

/* Each name; it lives as long as data. */
typedef void (*pdk_image_each)(void *arg, const char *name);
void pdk_image_exports(const struct pdk_image *image, pdk_image_each each, void *arg);
void pdk_image_imports(const struct pdk_image *image, pdk_image_each each, void *arg);
void pdk_image_libraries(const struct pdk_image *image, pdk_image_each each, void *arg);

/* The functions that run when it is loaded, type SHT_INIT_ARRAY, or at the end, SHT_FINI_ARRAY; name NULL: it has none. At
 * most a thousand of them. */
void pdk_image_functions(const struct pdk_image *image, uint32_t type, pdk_image_each each, void *arg);

#endif
