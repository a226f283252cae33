"""How far two proxies agree on which corpus is better. Ranks only; the figures of two proxies do not compare."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

F64 = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Agreement:
    """How alike two proxies order corpora.

    `pairs`: two corpora on one reference, wherever one of the proxies tells them apart; `agreed`: those that both
    order alike. `kendall` (tau-b) and `spearman` (ties get their mean rank) are from -1 to 1: of one reference, over
    corpora, and of all references their mean. `references`: the two figures of each. None where a proxy finds all
    corpora equal.
    """

    pairs: int
    agreed: int
    kendall: float | None
    spearman: float | None
    references: dict[str, tuple[float | None, float | None]]


def agreement(one: npt.ArrayLike, other: npt.ArrayLike, references: Sequence[str]) -> Agreement:
    """Compare two tables of bits, float64 (corpora, references), over the same corpora and references.

    Raises ValueError for tables of other shapes.
    """
    a, b = np.asarray(one, np.float64), np.asarray(other, np.float64)
    if a.shape != b.shape or a.ndim != 2 or a.shape[1] != len(references):
        raise ValueError(f"tables of {a.shape} and {b.shape} for {len(references)} references")
    i, j = np.triu_indices(len(a), 1)
    of_a, of_b = np.sign(a[i] - a[j]), np.sign(b[i] - b[j])
    told = (of_a != 0) | (of_b != 0)
    each = {
        name: (_correlation(of_a[:, n], of_b[:, n]), _correlation(_centred(a[:, n]), _centred(b[:, n])))
        for n, name in enumerate(references)
    }
    return Agreement(
        pairs=int(told.sum()),
        agreed=int((told & (of_a == of_b)).sum()),
        kendall=_mean([kendall for kendall, _ in each.values()]),
        spearman=_mean([spearman for _, spearman in each.values()]),
        references=each,
    )


def _correlation(x: F64, y: F64) -> float | None:
    """Return the cosine of two vectors: of ranks less their mean it is Spearman's rho, of signs of pairs tau-b."""
    length = float(np.sqrt((x @ x) * (y @ y)))
    return float(x @ y) / length if length else None


def _centred(values: F64) -> F64:
    """Return mean ranks less their mean."""
    ranks = (values[:, None] > values).sum(axis=1) + ((values[:, None] == values).sum(axis=1) - 1) / 2
    centred: F64 = ranks - ranks.mean()
    return centred


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None
