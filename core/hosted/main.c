/* SPDX-License-Identifier: Apache-2.0 */
/* paddock-host: runs one plugin for a paddock that wants it in a process of its own. Started by it, never by people. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hosted.h"
#include "paddock/library.h"
#include "warden.h"

enum { SOCKET = 3, EXIT_USAGE = 2 };

static const char help[] =
    "Usage: paddock-host NAME\n"
    "\n"
    "Runs one plugin in a process of its own. It is started by paddock, for an entry of plugins with\n"
    "\"isolation: process\", and talks to it over the socket that is its descriptor 3. NAME is what that entry\n"
    "calls the plugin; it is there for ps and top.\n"
    "\n"
    "  --help     show this\n"
    "  --version  show the version\n"
    "\n"
    "See \"man 5 paddock.yaml\" for what an entry may say.\n";

static bool is_socket(int fd) {
    int type = 0;
    socklen_t size = sizeof type;
    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM;
}

int main(int argc, char **argv) {
    static struct pdk_hosted hosted;
    if (argc == 2 && strcmp(argv[1], "--help") == 0) return fputs(help, stdout) < 0;
    if (argc == 2 && strcmp(argv[1], "--version") == 0) return printf("paddock-host %s\n", pdk_version()) < 0;
    if (argc != 2 || argv[1][0] == '-' || !is_socket(SOCKET)) {
        fputs("paddock-host: it is started by paddock, for a plugin with \"isolation: process\"; see --help\n", stderr);
        return EXIT_USAGE;
    }
    int rc = pdk_warden_split();
    if (rc < 0) {
        fprintf(stderr, "paddock-host: cannot begin: %s\n", strerror(-rc));
        return 1;
    }
    (void)fcntl(SOCKET, F_SETFD, FD_CLOEXEC);
    rc = pdk_hosted_run(&hosted, SOCKET);
#ifdef PDK_SANITIZED
    if (rc == 0) return 0; /* so that leaks are looked for */
#endif
    _exit(rc); /* what the plugin has left behind for exit to run is not waited for */
}
