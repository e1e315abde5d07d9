#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A walk through `paddock serve`, in a minute: jobs that outlive the server that took them, what failed for good and is run
# again, what was printed, and a page in your browser. As root or with sudo, for the packages that building needs.
#
#   walk.sh           ends with the page open, until Ctrl-C, on a terminal; else at once
#   PADDOCK=FILE      use this program instead of building one
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)

bold='' dim='' plain=''
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then bold=$'\e[1;32m' dim=$'\e[2m' plain=$'\e[0m'; fi
step() { printf '\n%s==>%s %s\n' "$bold" "$plain" "$*"; }
show() { printf '%s$ paddock%s%s\n' "$dim" "$(printf ' %q' "$@")" "$plain"; "$PADDOCK" "$@"; }

if [ -z "${PADDOCK:-}" ]; then
  step "Packages and build"
  bash "$root/core/cmake/packages.sh" build package
  cmake --preset release -S "$root" -DPADDOCK_TESTS=OFF --log-level=WARNING >/dev/null
  cmake --build "$root/build/release" --target paddock-cli plugins -- --quiet
  PADDOCK=$root/build/release/bin/paddock
fi

folder=$(mktemp -d "${TMPDIR:-/tmp}/paddock-walk-XXXXXX")
server=
gone() { while kill -0 "$server" 2>/dev/null; do sleep 0.1; done; } # wait until it is
cleanup() {
  [ -z "$server" ] || { kill "$server" 2>/dev/null || true; gone; }
  rm -rf "$folder"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

export STATE_DIRECTORY=$folder/state PADDOCK_SOCKET=$folder/paddock.sock SHOP_TOKEN=$folder/token
(umask 077; od -An -tx1 -N24 /dev/urandom | tr -d ' \n' >"$SHOP_TOKEN")

start() { # start it, and wait until it says that it is ready
  rm -f "$folder/ready"; mkfifo "$folder/ready"
  "$PADDOCK" serve "$root/examples/serve/shop.yaml" --socket "$PADDOCK_SOCKET" --ready-fd 9 9>"$folder/ready" >>"$folder/log" 2>&1 &
  server=$!
  disown "$server" # or the shell would tell of its end
  grep -q ready "$folder/ready" || { tail -n 20 "$folder/log" >&2; exit 1; }
}
outstanding() { for state in delayed ready running; do "$PADDOCK" queue list --topic images --state $state --no-header; done; }

step "paddock serve examples/serve/shop.yaml"
start
show ps

step "Forty pictures to resize, four at a time; and in the middle of it the server is killed"
for picture in $(seq 40); do
  "$PADDOCK" submit --quiet --topic images --name resize -- \
    sh -c "sleep 0.1; echo picture $picture; echo $picture >>'$folder/done'" >/dev/null
done
show queue stats
kill -9 "$server"
gone
echo "   kill -9 $server, and a new one:"
start
while [ -n "$(outstanding)" ]; do sleep 0.2; done
show queue stats
echo "   $(sort -un "$folder/done" | wc -l) of 40 pictures are done"

step "One that fails for good waits for you, and is run again when its cause is mended"
show submit --wait --topic images --name crop --max-attempts 2 -- sh -c "cat '$folder/picture'" || true
show dead list
touch "$folder/picture"
show dead replay --topic images
while [ -n "$(outstanding)" ]; do sleep 0.1; done
show dead list

step "A task of the file, when it is asked for; and what it printed"
show submit --wait report
show logs report
show show report

step "Done. What next?"
if [ -t 1 ]; then
  echo "   The page:  http://127.0.0.1:${SHOP_PORT:-8080}/#token=$(cat "$SHOP_TOKEN")"
  echo "   A screen:  PADDOCK_SOCKET=$PADDOCK_SOCKET $PADDOCK top"
  echo "   The server runs until Ctrl-C."
  gone
else
  echo "   On a terminal the server would stay, with its page at http://127.0.0.1:${SHOP_PORT:-8080}/"
fi
