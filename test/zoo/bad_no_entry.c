/* SPDX-License-Identifier: Apache-2.0 */
/* A shared object of something else. */
int pdk_zoo_something_else(void);

int pdk_zoo_something_else(void) {
    return 1;
}
