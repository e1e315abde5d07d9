# SPDX-License-Identifier: Apache-2.0
"""Ports for tests, which nobody takes between their choice and their use.

One that the system gives (port 0) is from the range that it also takes for the near end of any connection, of this test or of
another one that runs beside it. So these come from below that range, and each is held for the life of this process by a socket
of its number's name, which the kernel gives to one process alone.
"""

import random
import socket

RANGE = range(10000, 20000)  # Linux takes ports for connections from 32768 up; test/page has those from 20000
HELD = []


def free_port(count=1):
    """The first of count ports in a row on which nobody listens, and which no other test gets."""
    while True:
        first = random.choice(RANGE[:-count])
        held = [hold(port) for port in range(first, first + count)]
        if all(held):
            HELD.extend(held)
            return first
        for name in filter(None, held):
            name.close()


def hold(port):
    """A socket that keeps others off the port, or None if it is not to be had."""
    name = socket.socket(socket.AF_UNIX)
    try:
        name.bind(f"\0paddock-test-port-{port}")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
        return name
    except OSError:
        name.close()
        return None
