#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The page, walked through by a real browser before a real `paddock serve`. PADDOCK and PLUGINS say which.
#
#   run.sh FOLDER              all of it; FOLDER keeps what is fetched, and the pictures
#   run.sh FOLDER FILE...      only these tests
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=$1; shift

leave_out() { # 77 is how a test tells ctest that it was left out
  echo "page: SKIPPED: $1" >&2
  exit 77
}
skip() {
  [ "${CI:-}" != true ] || { echo "page: $1" >&2; exit 1; }
  leave_out "$1"
}

chromium=$(command -v chromium || command -v chromium-browser || command -v google-chrome) || skip "there is no chromium"
command -v node >/dev/null || skip "there is no node"

# What comes from a registry that may be out of reach is no fault of ours, in CI neither; what is Debian's must be there.
# Without npm, which is hundreds of packages in Debian, curl does: the lock file says what must come.
fetch() {
  local registry=${npm_config_registry:-https://registry.npmjs.org} name version integrity archive
  node -e 'const { packages } = JSON.parse(require("fs").readFileSync(process.argv[1]));
    for (const [path, { version, integrity, optional }] of Object.entries(packages))
      if (path && !optional) console.log(path.replace("node_modules/", ""), version, integrity);' "$here/package-lock.json" |
  while read -r name version integrity; do
    archive=$folder/$name.tgz
    curl -fsSL --retry 3 --connect-timeout 20 --max-time 300 -o "$archive" "${registry%/}/$name/-/$name-$version.tgz" || return 1
    [ "sha512-$(openssl dgst -sha512 -binary "$archive" | base64 -w 0)" = "$integrity" ] || { echo "$name-$version.tgz is not what the lock file wants" >&2; return 1; }
    mkdir -p "$folder/node_modules/$name" && tar -xzf "$archive" -C "$folder/node_modules/$name" --strip-components 1 || return 1
    rm "$archive"
  done
}

mkdir -p "$folder"
if ! cmp -s "$here/package-lock.json" "$folder/fetched"; then
  rm -rf "$folder/node_modules" "$folder/fetched"
  cp "$here/package.json" "$here/package-lock.json" "$folder"
  if command -v npm >/dev/null; then
    (cd "$folder" && npm ci --silent --ignore-scripts --no-audit --no-fund) >&2 || leave_out "npm cannot fetch playwright-core"
  else
    fetch >&2 || leave_out "playwright-core cannot be fetched"
  fi
  cp "$here/package-lock.json" "$folder/fetched"
fi

export CHROMIUM=$chromium PAGE_FOLDER=$folder
if [ $# = 0 ]; then set -- "$here"/*.test.mjs; fi
exec node --test --test-reporter=spec "$@"
