#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The public headers as Doxygen wants them: reference_filter.py HEADER prints it with its plain comments made into
documentation. The headers stay as they are to be read.

A comment belongs to the line below it, or, behind code, to that code. The first one that names the file is the file's; that of
plugin.h is the first page, too.
Lines that are set in from the margin (diagrams, tables, examples) keep their shape.
"""
import re
import sys

SPECIAL = re.compile(r"([\\@<>&#%])")


def prose(lines):
    """Text with what Doxygen would take for commands made harmless, and what is set in kept as it is."""
    shaped = False
    for line in lines:
        is_shaped = line.startswith(" ") and line.strip() != ""
        if is_shaped != shaped and (is_shaped or line.strip()):
            yield "@verbatim" if is_shaped else "@endverbatim"
            shaped = is_shaped
        yield line if shaped else SPECIAL.sub(r"\\\1", line)
    if shaped:
        yield "@endverbatim"


def bare(comment):
    """The lines of a comment, without its stars."""
    first, *others = comment[2:-2].rstrip().split("\n")
    return [first.strip()] + [re.sub(r"^\s*\* ?", "", line) if line.lstrip().startswith("*") else line.strip() for line in others]


def convert(match, text):
    comment = match.group(0)
    before = text[text.rfind("\n", 0, match.start()) + 1:match.start()]
    after = text[match.end():match.end() + 2]
    lines = bare(comment)
    if "SPDX" in comment or before.lstrip().startswith("#") and "define" not in before:
        return comment
    named = next((re.match(r"(paddock/\w+\.h) - (.*)", line) for line in lines if line.strip()), None)
    if named:
        body = "\n".join(prose([line for line in lines if line.strip() != named.group(0)]))
        page = "/** @mainpage\n%s\n*/\n" % body if named.group(1) == "paddock/plugin.h" else ""
        return page + "/** @file %s\n@brief %s\n%s\n*/" % (named.group(1), SPECIAL.sub(r"\\\1", named.group(2)), body)
    if before.strip():
        # Between the arguments of one call, a comment says something of that alone.
        if after[:1] not in ("\n", "") or "define" in before:
            return comment
        return "/**< %s */" % " ".join(prose([" ".join(line.strip() for line in lines)]))
    if after[:1] == "\n" and after[1:] != "\n":
        return "/**\n%s\n*/" % "\n".join(prose(lines))
    return comment


def main(path):
    with open(path) as file:
        text = file.read()
    sys.stdout.write(re.sub(r"/\*.*?\*/", lambda match: convert(match, text), text, flags=re.S))


if __name__ == "__main__":
    main(sys.argv[1])
