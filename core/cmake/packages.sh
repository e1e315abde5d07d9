#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# packages.sh SET...: install those of Debian's packages that a set needs and this machine lacks.
#   build   what compiling Paddock and its plugins takes
#   test    what the tests take beside it: libraries, tools, and the real programs they talk to
#   package what making Debian packages takes beside build
#   browser what walking through the console's page takes: a browser, and what drives it
#   check   the second compiler, and the tools that look for faults
set -euo pipefail

declare -A sets=(
  [build]="gcc libc6-dev cmake ninja-build pkg-config libev-dev libyaml-dev libbsd-dev libjansson-dev libseccomp-dev"
  [test]="libcmocka-dev python3 g++ binutils redis-server redis-tools nginx-light prometheus curl make procps util-linux man-db libuv1-dev
        libcurl4-openssl-dev libprotobuf-c-dev protobuf-c-compiler zlib1g-dev openssl libsqlite3-dev libmicrohttpd-dev
        python3-yaml python3-jsonschema"
  [package]="dpkg-dev file libcurl4-openssl-dev libprotobuf-c-dev protobuf-c-compiler zlib1g-dev libsqlite3-dev libmicrohttpd-dev"
  [browser]="chromium nodejs"
  [check]="clang clang-format clang-tidy libclang-rt-14-dev valgrind abigail-tools doxygen debootstrap lintian"
)

missing=()
for set in "$@"; do
  for package in ${sets[$set]:?no such set of packages: $set}; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
  done
done
[ ${#missing[@]} -gt 0 ] || exit 0

command -v apt-get >/dev/null || {
  echo "packages.sh: this needs Debian's apt-get to install: ${missing[*]}" >&2
  echo "packages.sh: on another system install what provides them, and run again" >&2
  exit 1
}
as_root=()
if [ "$(id -u)" != 0 ]; then
  command -v sudo >/dev/null || { echo "packages.sh: run as root or install sudo, to get: ${missing[*]}" >&2; exit 1; }
  as_root=(sudo)
fi

echo "   installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# A policy that denies keeps packages such as redis from starting their services: we only want the programs.
install() { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y --no-install-recommends "${missing[@]}"; }
if ! install >"$log" 2>&1; then # old or no package lists are the usual reason
  if ! { "${as_root[@]}" apt-get update && install; } >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    echo "packages.sh: apt-get could not install: ${missing[*]}" >&2
    exit 1
  fi
fi
