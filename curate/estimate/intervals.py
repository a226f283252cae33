"""How sure an estimate is: what other samples of the same inputs would have said, and how much the clock differed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from curate.estimate.trial import PER_PLACE, Trial

FIXED = "fixed"  # of an amount: what no other sample would change
TIMED = ("seconds", "core_hours", "cost", "cost_held")
_DRAWS = 1000

Amounts = Mapping[str, float]
"""An estimate by what it is in proportion to: so much of it for each name of PER_PLACE, or FIXED."""


@dataclass(frozen=True, eq=False)
class Redrawn:
    """Samples of places that were drawn again from those of one sample, with replacement.

    `factors` float64 (draws, len(PER_PLACE)): what each has of everything, as shares of what the sample itself has;
    NaN for what it cannot tell. `clock`: see Trials.
    """

    factors: npt.NDArray[np.float64]
    clock: float | None

    @staticmethod
    def of(trial: Trial, clock: float | None, *, per: str = "bytes", share: float = 0.0) -> Redrawn:
        """Draw the places of a trial again; the amount of `per` that they stand for is known.

        `share`: of what is estimated that the sample is itself, of which nothing is uncertain (the correction for a
        finite population).
        """
        if share >= 1.0:
            return Redrawn(np.ones((1, len(PER_PLACE))), clock)
        places = trial.places[trial.places[:, 0] > 0]
        n, known = len(places), PER_PLACE.index(per)
        if n < 2 or not places[:, known].any():
            return Redrawn(np.full((1, len(PER_PLACE)), np.nan), clock)
        draws = np.random.default_rng(0).integers(0, n, (_DRAWS, n))
        sums = places[draws].sum(axis=1)
        sums = sums[sums[:, known] > 0]
        whole = places.sum(axis=0)
        with np.errstate(invalid="ignore"):
            factors = sums / sums[:, [known]] / (whole / whole[known])
        # Few places differ less from their own mean than from that of all.
        return Redrawn(1.0 + (factors - 1.0) * ((1.0 - share) * n / (n - 1)) ** 0.5, clock)

    def interval(self, amounts: Amounts, *, timed: bool = False) -> tuple[float, float] | None:
        """Return the ends of the 95% interval of a sum, as shares of it; None where the sample cannot tell."""
        parts = {name: amount for name, amount in amounts.items() if amount > 0}
        total = sum(parts.values())
        drawn = sum(
            amount * (np.ones(1) if name == FIXED else self.factors[:, PER_PLACE.index(name)])
            for name, amount in parts.items()
        )
        low, high = np.quantile(drawn / total, [0.025, 0.975]).tolist() if parts else (1.0, 1.0)
        clock = self.clock if timed else 0.0
        if clock is None or np.isnan(high):
            return None
        return max(1.0 - float(np.hypot(1.0 - low, clock)), 0.0), 1.0 + float(np.hypot(high - 1.0, clock))

    def said(self, estimates: Mapping[str, Amounts]) -> dict[str, Any]:
        """Return of each estimate how sure it is: `uncertainty` and `at_most`.

        `uncertainty`: half of the interval, as a share; None where it is not known, and where the upper end is above
        twice the estimate. `at_most`: of the latter, how many times the estimate the upper end is.
        """
        found = {name: self.interval(amounts, timed=name in TIMED) for name, amounts in estimates.items()}
        wide = {name: ends[1] for name, ends in found.items() if ends and ends[1] > 2.0}
        halves = {
            name: None if ends is None or name in wide else (ends[1] - ends[0]) / 2 for name, ends in found.items()
        }
        return {"uncertainty": halves, "at_most": wide}


def joined(several: list[Amounts]) -> dict[str, float]:
    """Return the sum of several amounts."""
    return {name: sum(amounts.get(name, 0.0) for amounts in several) for name in (*PER_PLACE, FIXED)}
