#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Freeze the plugin headers as ABI 1.0. Run it before 1.0 is released, and never again for 1.0; a later minor gets a
# folder of its own, and its additions are added to pins.c by hand.
set -eu
cd "$(dirname "$0")"
include=../../include

rm -rf v1.0/include
mkdir -p v1.0/include/paddock
for header in base value task host runner source metrics plugin loop process control helpers; do
    cp "$include/paddock/$header.h" v1.0/include/paddock/
done
python3 pins.py pins "$include" >pins.c
python3 pins.py values "$include" >pins_values.c
python3 pins.py corpus "$include" >corpus.c
clang-format -i pins.c pins_values.c corpus.c
./abidiff.sh freeze cc
prebuilt=v1.0/frozen.$(uname -m).so
cc -std=c11 -D_GNU_SOURCE -O2 -shared -fPIC -s -Iv1.0/include -Wl,--version-script=../../plugins/plugin.map -o "$prebuilt" v1.0/plugin.c
echo "frozen: v1.0/include, pins.c, pins_values.c, corpus.c, v1.0/corpus.abi, $prebuilt; look at the diff before you commit it"
