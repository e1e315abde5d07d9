#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# From an empty Debian to a running Paddock: installs what building needs, builds, and runs examples/quickstart.yaml.
# As root, or with sudo. The second time only the run is left.
set -euo pipefail
cd "$(dirname "$0")/.."

build=build/release
step() { printf '\n%s==>%s %s\n' "$bold" "$plain" "$*"; }
bold='' plain=''
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then bold=$'\e[1;32m' plain=$'\e[0m'; fi

step "1/3 Packages that building needs"
bash core/cmake/packages.sh build
echo "   all there"

step "2/3 Build (in $build)"
cmake --preset release -DPADDOCK_TESTS=OFF --log-level=WARNING >/dev/null
quiet=--quiet; [ ! -t 1 ] || quiet=  # on a terminal ninja shows how far it is, on one line
cmake --build $build --target paddock-cli plugins -- $quiet
echo "   $($build/bin/paddock version)"

step "3/3 paddock run examples/quickstart.yaml"
echo "   Ctrl-C stops it, twice kills; it ends by itself in about ten seconds."
echo
status=0
$build/bin/paddock run examples/quickstart.yaml || status=$?
[ $status = 0 ] || { echo "quickstart: paddock ended with status $status" >&2; exit $status; }

step "Done. What next?"
cat <<TEXT
   $build/bin/paddock route examples/quickstart.yaml    which runner takes which task, and why not the others
   $build/bin/paddock check examples/quickstart.yaml    find every fault of a file at once
   $build/bin/paddock run -- sh -c 'echo hello'         supervise one command
   \$EDITOR examples/quickstart.yaml                     it is commented; change something
   README.md                                              run tasks, write a runner, embed it
TEXT
