#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Fetch the files of this folder again, at the versions below, and write down in README.md what they are. Wants npm and network;
# building Paddock does not. To update: change a version, run this, look at `git diff`, run test/page.
set -euo pipefail
cd "$(dirname "$0")"

# package version, licence, file of the package, name here
files=(
  "preact 11.2.0 MIT dist/preact.mjs preact.js"
  "preact 11.2.0 MIT hooks/dist/hooks.mjs hooks.js"
  "htm 3.1.1 Apache-2.0 dist/htm.mjs htm.js"
  "uplot 1.6.32 MIT dist/uPlot.iife.min.js uplot.js"
  "uplot 1.6.32 MIT dist/uPlot.min.css uplot.css"
)

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
rows=''
for line in "${files[@]}"; do
  read -r package version licence from name <<<"$line"
  archive="$package-$version.tgz"
  [ -f "$folder/$archive" ] || (cd "$folder" && npm pack --silent "$package@$version" >/dev/null)
  tar -xOf "$folder/$archive" "package/$from" >"$name"
  sed -i 's|from"preact"|from"./preact.js"|; /^\/\/# sourceMappingURL=/d' "$name" # browsers have no other way to find it
  sum=$(sha256sum "$name" | cut -d ' ' -f 1)
  tar -xOf "$folder/$archive" package/LICENSE >"LICENSE.$package"
  rows+="| $name | $package $version | $from | $licence | \`$sum\` |"$'\n'
done

cat >README.md <<END
# Of others

Kept as they were published, but that \`hooks.js\` names its neighbour by its file, so that neither building nor the page
needs a network. Written by \`fetch.sh\`, which fetches them again: change versions there. A test compares the sums.

| file | package | its file | licence | sha256 |
| --- | --- | --- | --- | --- |
${rows%$'\n'}

The licences are beside them.
END
