# SPDX-License-Identifier: Apache-2.0
"""paddock import on what Debian's packages bring: each is translated, checks without a fault, and some are compared with
what they should become. A package that is not installed is downloaded and unpacked, not installed."""

import glob
import hashlib
import os
import re
import shutil
import subprocess
import sys

import paddock

GOLDEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../import/debian")

# Package, file, and how many tasks come of it at least.
FILES = (
    ("redis-server", "lib/systemd/system/redis-server.service", 1),
    ("redis-server", "lib/systemd/system/redis-server@.service", 1),
    ("nginx-common", "lib/systemd/system/nginx.service", 2),
    ("prometheus", "lib/systemd/system/prometheus.service", 1),
    ("cron", "lib/systemd/system/cron.service", 1),
    ("cron-daemon-common", "etc/crontab", 4),
    ("rsyslog", "lib/systemd/system/rsyslog.service", 1),
    ("openssh-server", "lib/systemd/system/ssh.service", 2),
    ("supervisor", "lib/systemd/system/supervisor.service", 1),
    ("supervisor", "etc/supervisor/supervisord.conf", 0),
    ("sysstat", "etc/cron.d/sysstat", 2),
    ("sysstat", "lib/systemd/system/sysstat-collect.timer", 1),
    ("certbot", "etc/cron.d/certbot", 1),
    ("certbot", "lib/systemd/system/certbot.service", 1),
    ("logrotate", "lib/systemd/system/logrotate.service", 1),
    ("postgresql-common", "lib/systemd/system/postgresql@.service", 1),
    ("postgresql-common", "lib/systemd/system/pg_basebackup@.service", 2),
    ("mariadb-server", "lib/systemd/system/mariadb.service", 2),
    ("rabbitmq-server", "lib/systemd/system/rabbitmq-server.service", 1),
)

# What some become: the file in GOLDEN, and the beginning of the SHA-256 of what it was made from. Another version of
# Debian's file is translated and checked, but compared with nothing.
COMPARED = {
    "lib/systemd/system/redis-server.service": ("redis.yaml", "638211a92bf860f0"),
    "lib/systemd/system/ssh.service": ("ssh.yaml", "35b2858970feb78e"),
    "lib/systemd/system/certbot.service": ("certbot.yaml", "84505b13e5ea5e38"),
    "etc/cron.d/sysstat": ("sysstat.yaml", "47a67deba0d029d4"),
}


class Debian(paddock.Case):
    def quietly(self, *command, **more):
        return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              errors="replace", timeout=150, check=False, **more)

    def download(self, package, folder):
        """The package's .deb in the folder; with package lists of our own if the machine has none."""
        own = self.path("lists")
        lists = ["-o", f"Dir::State::lists={own}", "-o", f"Dir::Cache={self.path('cache')}"] if os.path.isdir(own) else []
        command = ["apt-get", "-q", "-o", "APT::Sandbox::User=root", *lists]
        got = self.quietly(*command, "download", package, cwd=folder)
        if got.returncode and not lists:
            os.makedirs(os.path.join(own, "partial"))
            os.makedirs(self.path("cache"))
            self.quietly("apt-get", "-q", "-o", "APT::Sandbox::User=root", "-o", f"Dir::State::lists={own}",
                         "-o", f"Dir::Cache={self.path('cache')}", "update")
            return self.download(package, folder)
        return glob.glob(os.path.join(folder, "*.deb"))

    def root_of(self, package, file):
        """Where the package's files are; None: nowhere. What is installed in /etc is this machine's, not Debian's."""
        installed = self.quietly("dpkg-query", "-W", "-f", "${db:Status-Status}", package)
        if installed.stdout == "installed" and not file.startswith("etc/"):
            return "/"
        folder = self.path("packages/" + package)
        if not os.path.isdir(folder):
            os.makedirs(folder)
            for deb in self.download(package, folder):
                self.quietly("dpkg-deb", "-x", deb, folder)
        return folder

    def translate(self, root, file):
        """Copied with what is beside it, so that names in the output are the same everywhere."""
        source = os.path.join(root, file)
        folder = self.path(os.path.dirname(file))
        os.makedirs(folder, exist_ok=True)
        stem = re.sub(r"\.(service|timer)$", "", source)
        for path in {source, *glob.glob(glob.escape(stem) + ".service"), *glob.glob(glob.escape(stem) + ".timer")}:
            shutil.copy(path, folder)
        result = self.ended(self.paddock("import", "-q", file), 0)
        self.write("out.yaml", result.stdout)
        for options in (["--no-plugins"], []):
            self.assertIn("no faults", self.ended(self.paddock("check", "--strict", *options, "out.yaml"), 0).stderr)
        return result.stdout

    def compare(self, root, file, text):
        name, wanted = COMPARED[file]
        with open(os.path.join(root, file), "rb") as source:
            found = hashlib.sha256(source.read()).hexdigest()[:16]
        if os.environ.get("PADDOCK_GOLDEN") == "write":
            with open(os.path.join(GOLDEN, name), "w") as golden:
                golden.write(text)
            print(name, found, file=sys.stderr)
        elif found != wanted:
            print(f"{file}: another version ({found}), not compared with {name}", file=sys.stderr)
        else:
            with open(os.path.join(GOLDEN, name)) as golden:
                self.assertEqual(text, golden.read())

    def test_files(self):
        if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
            self.skipTest("no apt-get: this test wants Debian")
        missing = set()
        for package, file, tasks in FILES:
            with self.subTest(file):
                root = self.root_of(package, file)
                if not os.path.exists(os.path.join(root, file)):
                    missing.add(package)
                    continue
                text = self.translate(root, file)
                self.assertGreaterEqual(len(re.findall(r"(?m)^  [^ #-].*:", text.partition("tasks:")[2])), tasks, text)
                if file in COMPARED:
                    self.compare(root, file, text)
        if missing:
            words = f"not to be had, not tested: {', '.join(sorted(missing))}"
            print("SKIPPED:", words, file=sys.stderr)
            self.assertNotEqual(os.environ.get("CI"), "true", words)
            if len(missing) == len({package for package, _, _ in FILES}):
                self.skipTest(words)


if __name__ == "__main__":
    paddock.main()
