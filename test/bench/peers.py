#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Paddock beside other supervisors and job runners, in one run on one machine.

    peers.py BUILD [--children N] [--jobs N] [--rounds N] [--json FILE]

Rows 1 and 10 to 15 of the table in README.md. Rounds are interleaved: each round measures every program once, so
that what else the machine does falls on all of them. Programs that are not installed are left out, loudly.
"""
import argparse, json, os, shutil, signal, statistics, subprocess, sys, tempfile, threading, time

PAUSE = threading.Event()  # never set


def wait_for(what, condition, seconds=120):
    """Poll a condition; a benchmark that hangs says what it waited for."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise SystemExit(f"peers.py: gave up waiting for {what}")
        PAUSE.wait(0.002)


def beats(log):
    """(name, pid, nanoseconds) of every start so far."""
    try:
        with open(log) as file:
            return [(name, int(pid), int(ns)) for name, pid, ns in (line.split() for line in file if line.endswith("\n"))]
    except FileNotFoundError:
        return []


def count(log):
    try:
        with open(log, "rb") as file:
            return file.read().count(b"\n")
    except FileNotFoundError:
        return 0


def tree(root):
    """root and all that descends from it."""
    parents = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat") as file:
                    parents.setdefault(int(file.read().rsplit(")", 1)[1].split()[1]), []).append(int(entry))
            except OSError:
                pass
    found, left = [], [root]
    while left:
        pid = left.pop()
        found.append(pid)
        left.extend(parents.get(pid, []))
    return found


def memory_kib(pids):
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/smaps_rollup") as file:
            total += sum(int(line.split()[1]) for line in file if line.startswith("Pss:"))
    return total


def work(pids):
    """CPU nanoseconds and voluntary switches of these processes, all threads."""
    cpu = switches = 0
    for pid in pids:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/schedstat") as file:
                cpu += int(file.read().split()[0])
            with open(f"/proc/{pid}/task/{task}/status") as file:
                switches += sum(int(line.split()[1]) for line in file if line.startswith("voluntary_ctxt"))
    return cpu, switches


class Supervisor:
    """One way to supervise `children` copies of beat, set up in `folder`."""

    name, binary, stop_signal, stopped, environment = "", "", signal.SIGTERM, 0, {}

    def __init__(self, build, folder, children):
        self.build, self.folder, self.children = build, folder, children
        self.log = os.path.join(folder, "beats")
        self.beat = os.path.join(build, "test", "beat")

    def command(self):
        raise NotImplementedError

    def start(self):
        self.process = subprocess.Popen(self.command(), cwd=self.folder,
                                        env={**os.environ, **self.environment, "BEAT_LOG": self.log}, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def services(self, layout):
        for number in range(self.children):
            layout(os.path.join(self.folder, "services", f"{number}"))

    def stop(self):
        self.process.send_signal(self.stop_signal)

    def own(self):
        """The supervisor's processes: not the children."""
        children = {pid for _, pid, _ in beats(self.log)}
        return [pid for pid in tree(self.process.pid) if pid not in children]


class Floor(Supervisor):
    name = "floor"

    def command(self):
        return [os.path.join(self.build, "test", "floor_supervisor"), str(self.children), self.beat]


class Paddock(Supervisor):
    name, stopped = "paddock", 128 + signal.SIGTERM

    def command(self):
        path = os.path.join(self.folder, "paddock.yaml")
        with open(path, "w") as file:
            file.write("defaults: {restart: always, backoff: 0s}\ntasks:\n")
            for number in range(self.children):
                file.write(f"  t{number}: [{self.beat}, '{number}']\n")
        return [os.path.join(self.build, "bin", "paddock"), "run", "--quiet", path]


class PaddockHeard(Paddock):
    """Every child has printed 8,000 bytes, of which the last are kept."""

    name, environment = "paddock, heard", {"BEAT_LINES": "100"}


class Runit(Supervisor):
    name, binary, stop_signal, stopped = "runit", "runsvdir", signal.SIGHUP, 111  # HUP: TERM to every runsv, then exit

    def command(self):
        def layout(path):
            os.makedirs(path)
            os.link(self.beat_here(), os.path.join(path, "run"))
        self.services(layout)
        return ["runsvdir", "services"]

    def beat_here(self):
        here = os.path.join(self.folder, "beat")
        if not os.path.exists(here):
            shutil.copy(self.beat, here)
        return here


class S6(Runit):
    name, binary, stop_signal, stopped = "s6", "s6-svscan", signal.SIGTERM, 0

    def command(self):
        super().command()
        return ["s6-svscan", "-c", str(self.children + 10), "services"]


class Supervisord(Supervisor):
    name, binary = "supervisord", "supervisord"

    def command(self):
        path = os.path.join(self.folder, "supervisord.conf")
        with open(path, "w") as file:
            file.write(f"[supervisord]\nnodaemon=true\nlogfile=/dev/null\nlogfile_maxbytes=0\npidfile={self.folder}/pid\nminfds={4 * self.children + 100}\n")
            for number in range(self.children):
                file.write(f"[program:t{number}]\ncommand={self.beat} {number}\nstartsecs=0\nautorestart=true\n"
                           "stdout_logfile=NONE\nstderr_logfile=NONE\n")
        return ["/usr/bin/python3", shutil.which("supervisord"), "-c", path]


def supervise(kind, build, children, idle):
    """One round with one supervisor: every figure of rows 10 to 15."""
    folder = tempfile.mkdtemp(prefix="paddock-bench-")
    one, figures = kind(build, folder, children), {}
    begun = time.monotonic_ns()
    try:
        one.start()
        wait_for(f"{one.name} to start {children}", lambda: count(one.log) >= children)
        figures["bring-up s"] = (max(ns for _, _, ns in beats(one.log)) - begun) / 1e9

        own = one.own()
        figures["memory KiB/child"] = memory_kib(own) / children
        before, (cpu, switches) = time.monotonic(), work(own)
        PAUSE.wait(idle)
        cpu_after, switches_after = work(own)
        spent = time.monotonic() - before
        figures["idle ms"], figures["idle wake-ups/s"] = (cpu_after - cpu) / 1e6, (switches_after - switches) / spent

        delays, enough = [], time.monotonic() + 10  # some pause for a second each time
        for number in range(30):
            if time.monotonic() > enough:
                break
            seen = count(one.log)
            pid = next(pid for name, pid, _ in reversed(beats(one.log)) if name.endswith(str(number)))
            killed = time.monotonic_ns()
            os.kill(pid, signal.SIGKILL)
            wait_for(f"{one.name} to restart one", lambda: count(one.log) > seen)
            delays.append((beats(one.log)[-1][2] - killed) / 1e6)
        figures["restart p50 ms"] = statistics.median(delays)
        figures["restart p90 ms"] = sorted(delays)[int(len(delays) * 0.9)]

        crowd = min(200, children // 2)
        seen, last = count(one.log), {name: pid for name, pid, _ in beats(one.log)}
        victims = list(last.values())[-crowd:]
        killed = time.monotonic_ns()
        for pid in victims:
            os.kill(pid, signal.SIGKILL)
        wait_for(f"{one.name} to restart {crowd}", lambda: count(one.log) >= seen + crowd)
        figures["crowd back ms"] = (max(ns for _, _, ns in beats(one.log)[seen:]) - killed) / 1e6

        alive = list({name: pid for name, pid, _ in beats(one.log)}.values())
        asked = time.monotonic_ns()
        one.stop()
        wait_for(f"{one.name} to stop all", lambda: not any(os.path.exists(f"/proc/{pid}") for pid in alive))
        figures["shutdown s"] = (time.monotonic_ns() - asked) / 1e9
        status = one.process.wait(60)
        if status != one.stopped:
            raise SystemExit(f"peers.py: {one.name} ended with {status}, not {one.stopped}")
    finally:
        for pid in tree(one.process.pid):
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                pass
        for _, pid, _ in beats(one.log):
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                pass
        one.process.wait()
        shutil.rmtree(folder)
    return figures


def timed(command, jobs, **options):
    begun = time.monotonic()
    status = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options).returncode
    if status:
        raise SystemExit(f"peers.py: {command[0]} ended with {status}")
    return jobs / (time.monotonic() - begun)


def jobs_per_second(build, jobs, folder):
    """Row 1: /bin/true to completion, four at a time."""
    makefile, tasks = os.path.join(folder, "Makefile"), os.path.join(folder, "jobs.yaml")
    with open(makefile, "w") as file:
        names = " ".join(f"j{number}" for number in range(jobs))
        file.write(f".PHONY: all {names}\nall: {names}\n{names}:\n\t@/bin/true\n")
    with open(tasks, "w") as file:
        file.write("limits: {running: 4}\ntasks:\n" + "".join(f"  j{number}: [/bin/true]\n" for number in range(jobs)))
    with open(os.path.join(folder, "lines"), "w") as file:
        file.write("x\n" * jobs)
    yield "paddock", lambda: timed([os.path.join(build, "bin", "paddock"), "run", "--quiet", tasks], jobs)
    yield "make -j4", lambda: timed(["make", "-s", "-j4", "-f", makefile], jobs)
    yield "xargs -P4", lambda: timed(["xargs", "-a", os.path.join(folder, "lines"), "-P4", "-n1", "/bin/true"], jobs)
    if shutil.which("parallel"):
        few = min(jobs, 500)
        yield "parallel -j4", lambda: timed(["sh", "-c", f"head -n {few} lines | parallel -j4 /bin/true"], few, cwd=folder)
    if shutil.which("tsp"):
        few = min(jobs, 500)
        script = f"tsp -S 4; for i in $(seq {few}); do tsp -n /bin/true >/dev/null; done; tsp -w; while [ \"$(tsp | grep -cE 'queued|running')\" != 0 ]; do tsp -w; done; tsp | awk 'NR > 1 && $4 != 0 {{bad = 1}} END {{exit bad}}' || exit 1; tsp -K"
        yield "tsp", lambda: timed(["sh", "-c", script], few, cwd=folder, env={**os.environ, "TS_SOCKET": os.path.join(folder, "tsp"), "TMPDIR": folder})


def rounds(title, programs, number):
    """Interleaved: {program: {figure: median}}."""
    seen = {}
    for turn in range(number):
        for name, measure in programs:
            print(f"\r{title}: round {turn + 1} of {number}: {name:<16}", end="", file=sys.stderr, flush=True)
            result = measure()
            for figure, value in (result if isinstance(result, dict) else {"jobs/s": result}).items():
                seen.setdefault(name, {}).setdefault(figure, []).append(value)
    print("\r" + " " * 70 + "\r", end="", file=sys.stderr)
    return {name: {figure: statistics.median(values) for figure, values in figures.items()} for name, figures in seen.items()}


def table(title, results, ours="paddock"):
    figures = list(results[ours])
    print(f"\n{title}")
    print("  " + "".join(f"{word:>18}" for word in ["", *figures]))
    for name, values in results.items():
        print(f"  {name:>18}" + "".join(f"{values[figure]:>18.3f}" for figure in figures))
    for name in results:
        if name != ours:
            print(f"  {ours + ' / ' + name:>18}" + "".join(
                f"{results[ours][figure] / results[name][figure]:>18.2f}" if results[name][figure] else f"{'-':>18}" for figure in figures))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build")
    parser.add_argument("--children", type=int, default=1000)
    parser.add_argument("--jobs", type=int, default=3000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--idle", type=float, default=5)
    parser.add_argument("--json")
    options = parser.parse_args()
    build = os.path.abspath(options.build)

    results = {}
    with tempfile.TemporaryDirectory(prefix="paddock-bench-") as folder:
        results["jobs"] = rounds("row 1", list(jobs_per_second(build, options.jobs, folder)), options.rounds)
    table(f"Row 1: /bin/true to completion, 4 at a time ({options.jobs} jobs)", results["jobs"])

    kinds = []
    for kind in (Floor, Paddock, PaddockHeard, Runit, S6, Supervisord):
        if kind.binary and not shutil.which(kind.binary):
            print(f"peers.py: {kind.binary} IS NOT INSTALLED: left out", file=sys.stderr)
        else:
            kinds.append((kind.name, lambda kind=kind: supervise(kind, build, options.children, options.idle)))
    results["supervisors"] = rounds("rows 10 to 15", kinds, options.rounds)
    table(f"Rows 10 to 15: {options.children} children", results["supervisors"])
    if options.json:
        with open(options.json, "w") as file:
            json.dump(results, file, indent=2)


if __name__ == "__main__":
    main()
