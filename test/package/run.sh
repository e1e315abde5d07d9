#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Make the Debian packages, look for faults in them, and be their user in a fresh Debian: see user.sh. Needs root.
set -euo pipefail
cd "$(dirname "$0")/../.."

skip() { # what cannot be tested here; CI has everything
  echo "package: SKIPPED: $1" >&2
  [ -z "${CI:-}" ] || exit 1
}

bash core/cmake/packages.sh build package check
folder=build/package
rm -f "$folder"/*.deb
log=$(mktemp)
trap 'rm -f "$log"' EXIT
cmake --workflow --preset package >"$log" 2>&1 || { tail -n 60 "$log"; exit 1; }
debs=("$folder"/*.deb)
echo "== ${#debs[@]} packages: $(basename -a "${debs[@]}" | cut -d _ -f 1 | tr '\n' ' ')"

echo "== lintian"
lintian --allow-root --fail-on error,warning --tag-display-limit 0 "${debs[@]}"

echo "== the unit"
if command -v systemd-analyze >/dev/null; then
  unit=$(mktemp -d)/paddock.service
  sed 's|^ExecStart=[^ ]*|ExecStart=/bin/true|' "$folder/debian/paddock.service" >"$unit" # ours is not installed here
  systemd-analyze verify --man=no "$unit" 2>&1 | tee "$log"
  [ ! -s "$log" ] || { echo "systemd-analyze verify found faults" >&2; exit 1; }
  # In tenths: 2.0 is well within "OK", and what is left (the network, all of /proc) is what tasks are for.
  systemd-analyze security --offline=true --threshold=20 --no-pager "$unit" | tail -n 1
  rm -r "$(dirname "$unit")"
else
  skip "systemd-analyze is not here, the unit was not looked at"
fi

if [ "$(id -u)" != 0 ]; then
  skip "only root can install the packages into a fresh Debian"
  exit 0
fi
needed=$(for deb in "${debs[@]}"; do dpkg-deb -f "$deb" Depends; done | tr ',|' '\n\n' | awk '{ print $1 }' | grep -v paddock | sort -u | tr '\n' ' ')
bring=()
for deb in "${debs[@]}"; do bring+=(--bring "$deb"); done
bash test/clean_debian.sh --with "$needed gcc g++ libc6-dev make cmake ninja-build pkg-config man-db" "${bring[@]}" \
  bash test/package/user.sh
