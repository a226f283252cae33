"""How far a stage is, on disk: for `curate status` in another terminal, and as `progress` events.

Knows bytes of input and what they are counted in; draws nothing.
"""

from __future__ import annotations

import json
import math
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from curate.events import emit
from curate.shards.atomic import atomic_bytes
from curate.storage import Location

_FILE = Path("state") / "progress.json"
_SECONDS, _REMOTE_SECONDS = 1.0, 15.0  # between two writes of progress; of an object each costs a request


class Meter:
    """Counts bytes of input that a stage is through with. Restarted stages count what was there as done at once."""

    def __init__(self, run: Location, stage: str, total: int = 0) -> None:
        self._path = run / _FILE
        self._facts: dict[str, Any] = {"stage": stage, "done_bytes": 0, "total_bytes": total, "began": time.time()}
        self._written = -math.inf
        self._pause = _SECONDS if isinstance(self._path, Path) else _REMOTE_SECONDS
        self._lock = threading.Lock()
        self._path.parent.mkdir(exist_ok=True)
        self.say("")

    def advance(self, size: int) -> None:
        """Count bytes of input as done."""
        with self._lock:
            self._facts["done_bytes"] += size
            self._write(self._pause)

    def say(self, doing: str) -> None:
        """Tell what the stage is at."""
        with self._lock:
            self._facts["doing"] = doing
            self._write(0.0 if isinstance(self._path, Path) else self._pause)

    def _write(self, pause: float) -> None:
        if time.monotonic() - self._written < pause:
            return
        self._written = time.monotonic()
        facts = {**self._facts, "updated": time.time()}
        atomic_bytes(self._path, json.dumps(facts).encode())
        emit("progress", **_with_rate(facts))


def progress_of(run: Location) -> dict[str, Any]:
    """Return how far the stage that wrote last is: stage, doing, bytes, rate (bytes a second), left (seconds)."""
    try:
        facts = json.loads((run / _FILE).read_text(encoding="utf-8"))
        return _with_rate(facts)
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _with_rate(facts: Mapping[str, Any]) -> dict[str, Any]:
    spent = facts["updated"] - facts["began"]
    done, total = facts["done_bytes"], facts["total_bytes"]
    rate = done / spent if spent > 0 else 0.0
    left = (total - done) / rate if rate and total else None
    return {**facts, "rate": rate, "left": left}
