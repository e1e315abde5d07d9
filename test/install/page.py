#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Do what a page says, and compare what it shows.

    page.py PAGE.md FOLDER

Its fenced blocks, in order, begin in FOLDER:
    ```console      lines after "$ " are commands; below each stands what it prints on both streams, and "[N]" if it exits
                    with N. A line "..." stands for any lines. `cd` holds for what follows.
    ```yaml FILE    FILE is written
    ```diff FILE    lines with - or a blank are in FILE, once; those with + or a blank take their place
Blocks of other kinds are for readers only.
"""
import os
import re
import subprocess
import sys


def fail(place, text):
    sys.exit(f"FAILED: {place}: {text}")


def blocks(page):
    """(line, kind, file, lines) of every fenced block."""
    found = None
    with open(page) as text:
        for number, line in enumerate(text, 1):
            line = line.rstrip("\n")
            if found and line == "```":
                yield found
                found = None
            elif found:
                found[3].append(line)
            elif line.startswith("```"):
                kind, _, file = line[3:].partition(" ")
                found = (number, kind, file, [])


def matches(shown, said):
    """Are these the lines, "..." being any?"""
    pattern = "".join(r"(?:.*\n)*" if line == "..." else re.escape(line) + r"\n" for line in shown)
    return re.fullmatch(pattern, said if said.endswith("\n") or not said else said + "\n") is not None


def run(place, command, shown, folder):
    wanted = 0
    if shown and re.fullmatch(r"\[\d+\]", shown[-1]):
        wanted = int(shown.pop()[1:-1])
    if command.startswith("cd "):
        return os.path.join(folder, command[3:])
    done = subprocess.run(["bash", "-c", command], cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    if done.returncode != wanted:
        fail(place, f"{command}: exits with {done.returncode}, not {wanted}:\n{done.stdout}")
    if not matches(shown, done.stdout):
        shown = "\n".join(shown)
        fail(place, f"{command}: shown is\n{shown}\nand it says\n{done.stdout}")
    print(f"{place}: {command}")
    return folder


def console(place, lines, folder):
    at = 0
    while at < len(lines):
        if not lines[at].startswith("$ "):
            fail(place, f'expected "$ COMMAND", not "{lines[at]}"')
        end = at + 1
        while end < len(lines) and not lines[end].startswith("$ "):
            end += 1
        folder = run(place, lines[at][2:], lines[at + 1:end], folder)
        at = end
    return folder


def change(place, path, lines):
    old = "".join(line[1:] + "\n" for line in lines if line[:1] != "+")
    new = "".join(line[1:] + "\n" for line in lines if line[:1] != "-")
    with open(path) as file:
        text = file.read()
    if text.count(old) != 1:
        fail(place, f"what is to be changed is in {os.path.basename(path)} {text.count(old)} times:\n{old}")
    with open(path, "w") as file:
        file.write(text.replace(old, new))


def main(page, folder):
    count = 0
    for line, kind, name, lines in blocks(page):
        place = f"{os.path.basename(page)}:{line}"
        count += kind == "console"
        if kind == "console":
            folder = console(place, lines, folder)
        elif kind == "diff":
            change(place, os.path.join(folder, name), lines)
        elif kind == "yaml" and name:
            with open(os.path.join(folder, name), "w") as file:
                file.write("\n".join(lines) + "\n")
    if not count:
        fail(page, "there is no console in it")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
