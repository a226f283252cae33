"""Which filters fail the same documents: for each pair, how many documents do not meet either of the two.

Counts failures wherever a filter stands in the recipe; which step dropped a document plays no part.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

COUNTED = 64  # filters, the first of the recipe: the cost grows with their square
SHOWN = 30  # those that fail most documents
_ROWS = 1 << 16  # counted at a time, so that float32 counts are exact and memory stays small


class Overlap:
    """Sums over documents; `add` is linear in the documents that fail two filters or more."""

    def __init__(self, filters: Sequence[str]) -> None:
        self._place = {name: number for number, name in enumerate(filters[:COUNTED])}
        self._both = np.zeros((len(self._place), len(self._place)), np.int64)

    def add(self, documents: npt.NDArray[np.int64], names: Any) -> None:
        """Add failures: the number of the document of each, ascending, and the filter's name (an Arrow array)."""
        encoded = names.dictionary_encode()
        place = np.array([self._place.get(name, -1) for name in encoded.dictionary.to_pylist()] or [-1], np.int64)
        which = place[encoded.indices.to_numpy()] if len(encoded) else np.zeros(0, np.int64)
        documents, which = documents[which >= 0], which[which >= 0]
        again = np.flatnonzero(documents[1:] == documents[:-1])
        self._both[np.diag_indices(len(self._place))] += np.bincount(which, minlength=len(self._place))
        several = np.unique(np.r_[again, again + 1])
        documents, which = documents[several], which[several]
        row = np.cumsum(np.r_[False, documents[1:] != documents[:-1]]) if len(documents) else documents
        rows = int(row[-1]) + 1 if len(row) else 0
        for first in range(0, rows, _ROWS):
            low, high = np.searchsorted(row, [first, first + _ROWS])
            failed = np.zeros((min(_ROWS, rows - first), len(self._place)), np.float32)
            failed[row[low:high] - first, which[low:high]] = 1
            both = (failed.T @ failed).astype(np.int64)
            np.fill_diagonal(both, 0)
            self._both += both

    def merge(self, other: Overlap) -> None:
        """Add documents counted elsewhere, by the same filters."""
        self._both += other._both

    def table(self) -> dict[str, Any]:
        """Return `filters`, those that fail most first, and `documents`: for each two, how many fail both.

        The diagonal is how many fail the filter. Filters that fail nothing are left out.
        """
        names = list(self._place)
        fails = np.diagonal(self._both)
        order = [int(i) for i in np.argsort(-fails, kind="stable") if fails[i]][:SHOWN]
        return {"filters": [names[i] for i in order], "documents": self._both[np.ix_(order, order)].tolist()}
