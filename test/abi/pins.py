#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Print pins.c, pins_values.c or corpus.c for the plugin headers of an include folder.

    pins.py pins|values|corpus INCLUDE_FOLDER

Run by freeze.sh only, when a minor is released: what it printed is kept, read by people, and never made again for
that minor. It asks clang for the structs, and lets a compiled program say where their members lie.
"""
import json
import os
import subprocess
import sys
import tempfile

HEADERS = ["plugin", "loop", "process", "control"]
HEAD = "/* SPDX-License-Identifier: Apache-2.0 */\n"


def syntax(include):
    text = "".join(f"#include <paddock/{h}.h>\n" for h in HEADERS)
    out = subprocess.run(["clang", "-std=c11", f"-I{include}", "-fsyntax-only", "-Xclang", "-ast-dump=json", "-xc", "-"],
                         input=text, capture_output=True, text=True, check=True).stdout
    return json.loads(out)["inner"]


def structs(include):
    """(struct, [(member, type)]) of every pdk_ struct, in order of appearance."""
    for node in syntax(include):
        if node["kind"] != "RecordDecl" or not node.get("completeDefinition"):
            continue
        if not node.get("name", "").startswith("pdk_"):
            continue
        yield node["name"], [(f["name"], f["type"]["qualType"]) for f in node["inner"] if f["kind"] == "FieldDecl"]


def constants(include):
    for node in syntax(include):
        if node["kind"] == "EnumDecl":
            yield from (c["name"] for c in node["inner"] if c["name"].startswith("PDK_"))


def measure(include, all_structs):
    """{(struct, member): offset}; the size of a struct is under member None, a constant under struct None."""
    lines = ["#include <stdio.h>"] + [f"#include <paddock/{h}.h>" for h in HEADERS] + ["int main(void) {"]
    for name, members in all_structs:
        lines.append(f'printf("{name} - %zu\\n", sizeof({name}));')
        lines += [f'printf("{name} {m} %zu\\n", offsetof({name}, {m}));' for m, _ in members]
    lines += [f'printf("- {c} %zd\\n", (size_t){c});' for c in [*constants(include), "PDK_MAGIC"]]
    with tempfile.TemporaryDirectory() as folder:
        program = os.path.join(folder, "measure")
        subprocess.run(["cc", f"-I{include}", "-xc", "-", "-o", program], input="\n".join(lines + ["}"]), text=True, check=True)
        out = subprocess.run([program], capture_output=True, text=True, check=True).stdout
    result = {}
    for line in out.splitlines():
        name, member, number = line.split()
        result[None if name == "-" else name, None if member == "-" else member] = int(number)
    return result


def print_pins(include):
    all_structs = list(structs(include))
    places = measure(include, all_structs)
    print(HEAD + "/*")
    print(" * Where every member of the ABI lies, and what every function takes, as they were frozen: a list made by pins.py for")
    print(" * freeze.sh, not by hand. If this does not compile, plugins that exist would break. A new member at the end moves")
    print(" * nothing here: that is the only change there may be within a major. SIZE says how much a struct had; it may have more")
    print(" * by now.")
    print(" */")
    for header in HEADERS:
        print(f"#include <paddock/{header}.h>")
    print("\n#if !defined(__LP64__)\n#error \"the pins are those of 64-bit machines: do not build this one\"\n#endif\n")
    print("#define PIN(type, member, offset) _Static_assert(offsetof(type, member) == (offset), #type \".\" #member)")
    print("#define SIZE(type, size) _Static_assert(sizeof(type) >= (size), #type)")
    print("#define WHOLE(type, size) _Static_assert(sizeof(type) == (size), #type \" has no struct_size, so it cannot grow\")")
    print("#define CALL(type, member, ...) \\\n"
          "    _Static_assert(_Generic(((type *)0)->member, __VA_ARGS__: 1, default: 0), #type \".\" #member \" takes something else\")")
    for name, members in all_structs:
        # pdk_param has its size in the schema that holds it.
        grows = "struct_size" in dict(members) or name == "pdk_param"
        print(f"\n{'SIZE' if grows else 'WHOLE'}({name}, {places[name, None]});")
        for member, kind in members:
            print(f"PIN({name}, {member}, {places[name, member]});")
        for member, kind in members:
            if "(*" in kind:
                print(f"CALL({name}, {member}, {kind});")


def print_values(include):
    places = measure(include, [])
    print(HEAD + "/* What the constants of the ABI are, as they were frozen: a list made by pins.py for freeze.sh; new ones may be added. */")
    for header in HEADERS:
        print(f"#include <paddock/{header}.h>")
    print("\n#define VALUE(name, value) _Static_assert((name) == (value), #name)\n")
    for constant in [*constants(include), "PDK_MAGIC"]:
        print(f"VALUE({constant}, {places[None, constant]});")


def print_corpus(include):
    print(HEAD + "/* One variable of every struct of the ABI, so that abidw sees each of them: a list made by pins.py for freeze.sh. */")
    for header in HEADERS:
        print(f"#include <paddock/{header}.h>")
    print()
    for name, _ in structs(include):
        print(f"extern PDK_EXPORT {name} corpus_{name};\n{name} corpus_{name};")


if __name__ == "__main__":
    {"pins": print_pins, "values": print_values, "corpus": print_corpus}[sys.argv[1]](sys.argv[2])
