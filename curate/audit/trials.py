"""Training and judging: one model for each arm and seed, on samples of equal bytes, and what references cost it.

Knows arms as samples of texts and no runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from classifiers.arrow import Strings, as_strings, to_array
from curate.audit.bootstrap import Bootstrap, figures
from curate.audit.proxy import Proxy
from curate.audit.references import Reference
from curate.audit.tasks import MEASURES, Task

F64 = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Trial:
    """A model to train: its arm, its seed, how to get the texts, and how many bytes they are."""

    arm: str
    seed: int
    texts: Callable[[], Strings] = field(repr=False)
    bytes: int


@dataclass(frozen=True)
class Judged:
    """What the models of each arm say: `bits` float64 (seeds, documents), `scores` of each task (3, seeds, questions).

    `documents`: of a sample, on average over seeds.
    """

    bits: dict[str, F64]
    scores: dict[str, list[F64]]
    documents: dict[str, float]


def judge(
    trials: Sequence[Trial],
    references: Sequence[Reference],
    tasks: Sequence[Task],
    proxy: Proxy,
    threads: int,
    advance: Callable[[int], None] = lambda size: None,
) -> Judged:
    """Train all models, `threads` at a time, and evaluate each on all references and tasks.

    Arms that come to the same texts (a step that drops next to nothing, a cleaner with nothing to do) share a model.
    """
    joined = as_strings(pa.concat_arrays([to_array(one.texts) for one in references]))

    done: dict[tuple[int, bytes], tuple[F64, list[F64], int]] = {}

    def work(trial: Trial) -> tuple[F64, list[F64], int]:
        texts = trial.texts()
        digest = blake2b(np.ascontiguousarray(texts.data).data)
        digest.update(np.ascontiguousarray(texts.offsets).data)
        key = trial.seed, digest.digest()
        if key not in done:
            model = proxy.train(texts, trial.seed)
            done[key] = model.bits(joined), [task.scores(model) for task in tasks], len(texts)
        return done[key]

    rows: dict[str, list[tuple[F64, list[F64], int]]] = {}
    with ThreadPoolExecutor(threads) as pool:
        for trial, row in zip(trials, _in_order(pool, work, trials), strict=True):
            rows.setdefault(trial.arm, []).append(row)
            advance(trial.bytes)
    bits, scores, documents = {}, {}, {}
    for arm, found in rows.items():
        bits[arm] = np.stack([row[0] for row in found])
        scores[arm] = [np.stack(each, axis=1) for each in zip(*(row[1] for row in found), strict=True)]
        documents[arm] = float(np.mean([row[2] for row in found]))
    return Judged(bits, scores, documents)


def _in_order(pool: ThreadPoolExecutor, work: Any, trials: Sequence[Trial]) -> Iterator[Any]:
    """Yield results in order; an interrupt or an error ends what has not begun."""
    futures = [pool.submit(work, trial) for trial in trials]
    try:
        for future in futures:
            yield future.result()
    finally:
        for future in futures:
            future.cancel()


class Figures:
    """Figures of arms with their intervals: bits per byte of references, measures of tasks."""

    def __init__(self, judged: Judged, references: Sequence[Reference], tasks: Sequence[Task]) -> None:
        self._judged = judged
        self._names = [one.name for one in references]
        self._tasks = tasks
        lengths = np.concatenate([np.diff(one.texts.offsets) for one in references]).astype(np.float64)
        groups = np.repeat(np.arange(len(references)), [len(one.texts) for one in references])
        self._bits = Bootstrap(groups, lengths)
        asked = np.repeat(np.arange(len(tasks)), [len(task) for task in tasks])
        self._scores = Bootstrap(asked, np.ones(len(asked))) if tasks else None

    def bits_per_byte(self, arm: str, against: str | None = None) -> dict[str, Any]:
        """Return bits per byte of an arm, as `figures` does, and the difference from another arm (below 0: better)."""
        base = self._bits.ratios(self._judged.bits[against]) if against else None
        return figures(self._names, self._bits.ratios(self._judged.bits[arm]), base)

    def tasks(self, arm: str, against: str | None = None) -> dict[str, Any]:
        """Return the measures of each task, {measure: {"references": {task: figure}, "mean": figure}}."""
        if self._scores is None:
            return {}
        found = {}
        for number, measure in enumerate(MEASURES):
            base = self._scores.ratios(self._measure(against, number)) if against else None
            ratios = self._scores.ratios(self._measure(arm, number))
            made = figures([task.name for task in self._tasks], ratios, base)
            found[measure] = {"tasks": made["references"], "mean": made["mean"]}
        return found

    def _measure(self, arm: str, number: int) -> F64:
        return np.concatenate([each[number] for each in self._judged.scores[arm]], axis=1)
