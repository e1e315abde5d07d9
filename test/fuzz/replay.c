/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a fuzzer's function over files, or all files of folders, without libFuzzer. */
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "fuzz.h"

#define INPUT_MAX (16L * 1024 * 1024)

static int replay_file(const char *path) {
    FILE *file = fopen(path, "rbe");
    long size = -1;
    if (file && fseek(file, 0, SEEK_END) == 0) size = ftell(file);
    uint8_t *data = size >= 0 && size <= INPUT_MAX ? malloc((size_t)size + 1) : NULL;
    int failed = !data || fseek(file, 0, SEEK_SET) || fread(data, 1, (size_t)size, file) != (size_t)size;
    if (failed) {
        perror(path);
    } else {
        LLVMFuzzerTestOneInput(data, (size_t)size);
    }
    free(data);
    if (file) fclose(file);
    return failed;
}

/* How many files were replayed, or -1. */
static int replay_folder(const char *path) {
    int count = 0;
    char name[4096];
    DIR *folder = opendir(path);
    if (!folder) return -1;
    for (struct dirent *entry; (entry = readdir(folder)) && count >= 0;) {
        if (entry->d_name[0] == '.') continue;
        snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
        count = replay_file(name) ? -1 : count + 1;
    }
    closedir(folder);
    return count;
}

int main(int argc, char **argv) {
    int total = 0;
    for (int i = 1; i < argc; i++) {
        struct stat status;
        int count = 1;
        if (stat(argv[i], &status) == 0 && S_ISDIR(status.st_mode)) {
            count = replay_folder(argv[i]);
        } else if (replay_file(argv[i])) {
            count = -1;
        }
        if (count < 0) return 1;
        total += count;
    }
    printf("%d inputs\n", total);
    return total == 0; /* a test without inputs tests nothing */
}
