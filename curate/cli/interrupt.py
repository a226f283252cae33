"""Ctrl-C ends a command within two seconds, whatever it computes.

Python acts on a signal between two of its own steps; a kernel or a sort may take minutes. Everything on disk is there
as a whole or not at all, so the process may end at any moment. Does not decide what is said.
"""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

GRACE_SECONDS = 1.0
"""How long a command may take to end by itself, so that its log says that it was stopped."""


@contextmanager
def prompt_interrupts(last_words: Callable[[], None], status: int) -> Iterator[None]:
    """Inside, SIGINT raises KeyboardInterrupt as always; if the process is there after GRACE_SECONDS, it ends.

    Then `last_words` is called, in a thread of its own, and the exit status is `status`.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    reading, writing = socket.socketpair()
    writing.setblocking(False)
    before = signal.set_wakeup_fd(writing.fileno(), warn_on_full_buffer=False)
    left = threading.Event()

    def watch() -> None:
        while received := reading.recv(1):
            if received[0] == signal.SIGINT and not left.wait(GRACE_SECONDS):
                with suppress(Exception):
                    last_words()
                os._exit(status)

    watcher = threading.Thread(target=watch, name="interrupts", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        left.set()
        signal.set_wakeup_fd(before)
        writing.close()
        watcher.join()
        reading.close()
