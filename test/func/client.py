# SPDX-License-Identifier: Apache-2.0
"""A server with a console and a queue, and the verbs that ask it."""

import json
import os
import sys

import paddock
import serve

PLUGINS = os.path.join(os.path.dirname(paddock.PROGRAM), "../lib/paddock/plugins")


def need_plugins():
    """Without these there is nothing to test; on a machine that is to test everything that is a failure."""
    missing = [name for name in ("client", "console", "queue") if not os.path.exists(os.path.join(PLUGINS, name + ".so"))]
    if missing:
        print("SKIPPED: not built: " + ", ".join(missing), file=sys.stderr)
        sys.exit(1 if os.environ.get("CI") == "true" else 0)


class ClientCase(serve.ServeCase):
    def setUp(self):
        super().setUp()
        for name in ("PADDOCK_SERVER", "PADDOCK_TOKEN_FILE", "PADDOCK_CA_FILE", "PADDOCK_CERTIFICATE_FILE",
                     "PADDOCK_KEY_FILE", "XDG_RUNTIME_DIR"):
            self.env.pop(name, None)
        self.env["PADDOCK_SOCKET"] = self.path("s")

    def does(self, *arguments, code=0, **more):
        """What it prints, as lines."""
        return self.ended(self.paddock(*arguments, **more), code).stdout.splitlines()

    def fails(self, code, words, *arguments, **more):
        result = self.ended(self.paddock(*arguments, **more), code)
        self.assertIn(words, result.stderr)
        self.assertTrue(result.stderr.startswith("paddock: ") or ": error: " in result.stderr, result.stderr)
        return result

    def json(self, *arguments, code=0, **more):
        return [json.loads(line) for line in self.does(*arguments, "--json", code=code, **more)]

    def wait_state(self, run, state):
        return paddock.until(lambda: (lambda r: r["state"] == state and r)(self.json("show", run)[0]), f"{run} {state}")
