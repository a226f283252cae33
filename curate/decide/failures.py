"""Which filters each document fails, whatever dropped it first: a bit for each, as the tasks that looked gave them.

With 25 filters a byte for each would be most of what deciding holds of a document.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from curate.decide.columns import Columns, every_part
from curate.decide.population import Population
from curate.decide.predicate import evaluate
from curate.recipe import Filter

Bools = npt.NDArray[np.bool_]
Bits = npt.NDArray[np.uint8]


@dataclass
class Failures:
    """`parts`: of each part uint8 (ceil(documents / 8), filters); bit 7 of a byte is the first document of eight."""

    parts: list[Bits]
    sizes: Sequence[int]

    @staticmethod
    def of(population: Population, filters: Sequence[Filter]) -> Failures:
        """Look which filters the documents of a population fail."""
        parts = [np.zeros((0, 0), np.uint8)] * len(population.sizes)
        for part, found in population.look(_Failed(tuple(filters)), every_part(population)):
            parts[part] = found
        return Failures(parts, population.sizes)

    def of_filter(self, number: int) -> Bools:
        """Return bool (documents,): who fails a filter."""
        found = [unpacked(part[:, number], size) for part, size in zip(self.parts, self.sizes, strict=True)]
        return np.concatenate([np.zeros(0, np.bool_), *found])

    def put(self, numbers: Sequence[int], again: Failures) -> None:
        """Put what was found of filters again in place of what was found before."""
        for part, found in zip(self.parts, again.parts, strict=True):
            part[:, numbers] = found


def unpacked(bits: Bits, documents: int) -> Bools:
    """Return bool (documents, …) of bits that are packed along the documents."""
    return np.unpackbits(bits, axis=0, count=documents).view(np.bool_)


@dataclass(frozen=True)
class _Failed:
    """Tells which filters the documents of a part fail."""

    filters: tuple[Filter, ...]

    @property
    def names(self) -> Sequence[str]:
        return sorted({column for step in self.filters for column in step.columns})

    def __call__(self, columns: Columns, given: None) -> Bits:
        frame = columns.frame(self.names)
        failed = np.zeros((len(frame), len(self.filters)), np.bool_)
        for number, step in enumerate(self.filters):
            failed[:, number] = ~evaluate(step.name, step.sql, frame)
            if step.where:
                failed[:, number] &= evaluate(step.name, step.where, frame)
        return np.packbits(failed, axis=0)
