"""Tasks that go wrong on purpose, each the first time or every time; they remember in files how often they ran."""

from __future__ import annotations

import logging
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from curate.engines.workers import Workers
from curate.errors import InputError, RecipeError
from curate.events import emit

MOST_GB = 8  # that a task takes which shall be killed for it


@dataclass(frozen=True)
class Fails:
    """Does `how` for the item "bad" the first `times` times, and returns the item in capitals otherwise."""

    folder: Path
    how: str
    times: int = 1

    def __call__(self, item: str, workers: Workers) -> str:
        """Count this try, then fail or not."""
        if item == "bad":
            tries = len(list(self.folder.glob("try-*")))
            (self.folder / f"try-{time.monotonic_ns()}").touch()
            if tries < self.times:
                self._fail()
        return "".join(workers.map(str.upper, item))

    def _fail(self) -> None:
        if self.how == "worker killed":
            os.kill(os.getpid(), signal.SIGKILL)
        elif self.how == "node killed":
            os.kill(os.getppid(), signal.SIGKILL)  # a worker is a child of its node's raylet
            time.sleep(60)
        elif self.how == "straggles":
            time.sleep(600)
        elif self.how == "input":
            raise InputError("bad.jsonl: cannot be read")
        elif self.how == "recipe":
            raise RecipeError('"long": word_count is text')
        elif self.how == "memory":
            hoard = [np.ones(1 << 28) for _ in range(MOST_GB // 2)]  # until Ray sees it and kills the worker
            time.sleep(60)
            del hoard
        elif self.how == "tells":
            logging.getLogger("curate.storage").warning("the store fails")
            emit("retry", what="bad.jsonl", attempt=1)
        elif self.how == "fault":
            raise ZeroDivisionError("a mistake of ours")
