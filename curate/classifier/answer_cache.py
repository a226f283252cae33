"""Answers of language models on disk, so that none is paid for twice.

What a key stands for is the caller's business.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from curate.classifier.chat import Answer
from curate.shards.atomic import explain_write_errors


class AnswerCache:
    """Answers on disk, one JSON line each, appended as they come.

    A line that a killed process left unfinished is passed over and its document asked for again.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._answers: dict[str, Answer] = {}
        with explain_write_errors(path):
            self._file = path.open("a+b")
            self._file.seek(0)
            last = b"\n"
            for last in self._file:
                self._take(last)
            if not last.endswith(b"\n"):
                self._file.write(b"\n")

    def _take(self, line: bytes) -> None:
        try:
            found = json.loads(line)
            self._answers[found["key"]] = Answer(str(found["answer"]), str(found["problem"]))
        except (ValueError, LookupError, TypeError):
            return

    def get(self, key: str) -> Answer | None:
        """Return the answer with this key."""
        return self._answers.get(key)

    def add(self, key: str, answer: Answer) -> None:
        """Keep an answer, in memory and on disk."""
        self._answers[key] = answer
        line = json.dumps({"key": key, "answer": answer.text, "problem": answer.problem})
        with explain_write_errors(self._path):
            self._file.write(line.encode() + b"\n")
            self._file.flush()

    def close(self) -> None:
        """Bring all of it to the disk."""
        with explain_write_errors(self._path):
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()


@contextmanager
def opened(path: Path) -> Iterator[AnswerCache]:
    """Open the cache at `path`, new or not, and bring it to the disk when the block ends, however it ends."""
    cache = AnswerCache(path)
    try:
        yield cache
    finally:
        cache.close()
