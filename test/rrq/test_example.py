# SPDX-License-Identifier: Apache-2.0
"""examples/rrq, by our own orchestrator; test_real.py has the real one run it."""

import os

import orchestrator
import paddock


class Example(orchestrator.Case):
    def test_handlers_in_c_and_in_python(self):
        with open(os.path.join(paddock.EXAMPLES, "rrq", "tasks.yaml")) as file:
            self.runner(file.read(), "--plugin", os.path.join(os.path.dirname(paddock.PROGRAM), "../examples/handler.so"))
        jobs = orchestrator.Orchestrator(self.port)
        self.assertEqual(jobs.run("add", {"a": 2, "b": 3})["result"], 5)
        self.assertEqual(jobs.run("count-words", {"text": "to be or not to be"})["result"], {"words": 6})
        again = jobs.run("fetch")
        self.assertEqual((again["status"], again["current_retries"]), ("COMPLETED", 1))
        wrong = jobs.run("add", {"a": 2})
        self.assertEqual((wrong["status"], wrong["current_retries"]), ("FAILED", 1))
        self.assertIn('"b" is missing', wrong["last_error"])
        self.assertEqual(jobs.run("echo")["dlq"], True)
        jobs.close()
        self.stop()

    def test_the_handler_has_ten_lines(self):
        with open(os.path.join(paddock.EXAMPLES, "rrq", "handler.c")) as file:
            lines = [line for line in file.read().split("#include", 1)[1].splitlines()[1:] if line.strip()]
        self.assertLessEqual(len(lines), 10, lines)


orchestrator.main()
