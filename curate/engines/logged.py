"""What a task logs in a process of its own, brought to the process that handed it out: warnings, retries, events.

It comes with the result of the task, so when that has ended.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from curate.events import emit


@dataclass(frozen=True)
class Logged:
    """A record of a log: to whom, how serious, what, on which node, and the facts of an event."""

    logger: str
    level: int
    message: str
    node: str
    facts: dict[str, Any] | None


class Keeper(logging.Handler):
    """Keeps in a list what it hears, of a task on a node."""

    def __init__(self, kept: list[Logged], node: str) -> None:
        super().__init__(logging.INFO)
        self._kept, self._node = kept, node

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one."""
        facts = getattr(record, "facts", None)
        self._kept.append(Logged(record.name, record.levelno, record.getMessage(), self._node, facts))


def tell(logged: Sequence[Logged], task: str) -> None:
    """Log here what a task logged, with its name and its node."""
    for one in logged:
        if one.facts is not None:
            emit(one.message, **one.facts, task=task, node=one.node)
        else:
            logging.getLogger(one.logger).log(one.level, "%s, on %s: %s", task, one.node, one.message)
