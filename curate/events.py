"""What happens in a run, for machines: one event at a time, written as JSON lines where `--json-log` asks for it.

Events go through Python's logging, under the name "curate.events", so that a program which uses curate as a library
can listen too. Nothing is written unless somebody listens.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

from curate.errors import RunError

_log = logging.getLogger("curate.events")


def emit(event: str, **facts: Any) -> None:
    """Tell of an event: stage_begins, stage_ends, stage_stopped, shard_done, step_begins, progress, warning."""
    _log.info(event, extra={"facts": facts})


def events_wanted() -> bool:
    """Tell whether somebody listens to events."""
    return _log.isEnabledFor(logging.INFO)


@contextmanager
def heard(*handlers: logging.Handler, events: bool = True) -> Iterator[None]:
    """Have handlers hear what curate logs while the block runs, and events where these are asked for."""
    root, before = logging.getLogger("curate"), _log.level
    for handler in handlers:
        root.addHandler(handler)
    _log.setLevel(logging.INFO if events else logging.WARNING)
    try:
        yield
    finally:
        for handler in handlers:
            root.removeHandler(handler)
        _log.setLevel(before)


class JsonLines(logging.Handler):
    """Writes events, and curate's warnings, as JSON lines: `time` (seconds since 1970), `event`, its facts."""

    def __init__(self, file: IO[str]) -> None:
        super().__init__(logging.INFO)
        self._file = file

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        facts = getattr(record, "facts", None)
        line = {"time": round(record.created, 3), "event": record.getMessage(), **(facts or {})}
        if facts is None:
            line |= {"event": record.levelname.lower(), "message": record.getMessage()}
        self._file.write(json.dumps(line, ensure_ascii=False, default=str) + "\n")
        self._file.flush()


@contextmanager
def json_log(path: str | None) -> Iterator[None]:
    """Write events to a file, appended to, or to stderr where `path` is "-", while the block runs; None: nowhere."""
    if path is None:
        yield
        return
    with ExitStack() as stack:
        file: IO[str] = sys.stderr
        if path != "-":
            file = stack.enter_context(_opened(path))
        stack.enter_context(heard(JsonLines(file)))
        if path != "-" and logging.lastResort and not logging.getLogger().handlers:
            stack.enter_context(heard(logging.lastResort))  # warnings go to stderr too, as they do without a handler
        yield


def _opened(path: str) -> IO[str]:
    try:
        return Path(path).open("a", encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise RunError(f"--json-log {path}: cannot be written: {error.strerror}") from None
