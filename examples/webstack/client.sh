#!/bin/bash
# Talk to Redis and to nginx without any tool but the shell.
set -e

# ask PORT TEXT: print what comes back, up to a second without more.
ask() {
    local line
    exec 3<>"/dev/tcp/localhost/$1"
    printf '%b' "$2" >&3
    while IFS= read -r -t 1 line <&3; do printf '%s\n' "${line%$'\r'}"; done
    exec 3>&-
}

ask "$REDIS_PORT" 'SET visits 41\r\nINCR visits\r\nQUIT\r\n' | grep -qx ':42'
echo "redis counts: 42"
ask "$WEB_PORT" 'GET / HTTP/1.0\r\n\r\n' | grep -x 'Hello from the paddock.'
echo "both have answered"
