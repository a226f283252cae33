"""What a task logs in a process of its own, brought to the process that handed it out: warnings, retries, events.

It comes with the result of the task, so when that has ended.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

_ROOT = "curate"
_EVENTS = "curate.events"


@dataclass(frozen=True)
class Logged:
    """A record of a log: to whom, how serious, what, on which node, and the facts of an event."""

    logger: str
    level: int
    message: str
    node: str
    facts: dict[str, Any] | None


class _Keeper(logging.Handler):
    """Keeps records in a list."""

    def __init__(self, kept: list[Logged], node: str) -> None:
        super().__init__(logging.INFO)
        self._kept, self._node = kept, node

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one."""
        facts = getattr(record, "facts", None)
        self._kept.append(Logged(record.name, record.levelno, record.getMessage(), self._node, facts))


def events_wanted() -> bool:
    """Tell whether somebody in this process listens to events."""
    return logging.getLogger(_EVENTS).isEnabledFor(logging.INFO)


@contextmanager
def listening(kept: list[Logged], node: str, *, events: bool) -> Iterator[None]:
    """Keep in a list what curate logs while the block runs, with its events if wanted."""
    root, log = logging.getLogger(_ROOT), logging.getLogger(_EVENTS)
    handler, before = _Keeper(kept, node), log.level
    root.addHandler(handler)
    log.setLevel(logging.INFO if events else logging.WARNING)
    try:
        yield
    finally:
        root.removeHandler(handler)
        log.setLevel(before)


def tell(logged: Sequence[Logged], task: str) -> None:
    """Log here what a task logged, with its name and its node."""
    for one in logged:
        log = logging.getLogger(one.logger)
        if one.facts is not None:
            log.log(one.level, one.message, extra={"facts": {**one.facts, "task": task, "node": one.node}})
        else:
            log.log(one.level, "%s, on %s: %s", task, one.node, one.message)
