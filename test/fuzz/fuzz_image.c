/* SPDX-License-Identifier: Apache-2.0 */
/* Shared objects that somebody made up. */
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "core/verify/image.h"
#include "fuzz.h"

static size_t total;

static void see(void *arg, const char *name) {
    (void)arg;
    total += name ? strlen(name) : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct pdk_image image;
    void *copy = NULL;
    if (posix_memalign(&copy, 64, size + !size)) return 0; /* it begins where a page may, and ends where it ends */
    memcpy(copy, data, size);
    if (pdk_image_open(copy, size, &image)) {
        pdk_image_exports(&image, see, NULL);
        pdk_image_imports(&image, see, NULL);
        pdk_image_libraries(&image, see, NULL);
        pdk_image_functions(&image, SHT_INIT_ARRAY, see, NULL);
        pdk_image_functions(&image, SHT_FINI_ARRAY, see, NULL);
    }
    free(copy);
    return 0;
}
