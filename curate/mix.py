"""The mix: how many tokens each domain gives, how often each document is repeated, who is left out.

Shares and a budget in, copies of each document out. Which domain a document belongs to is decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from curate.errors import RecipeError
from curate.recipe import Mix


@dataclass(frozen=True)
class Allocation:
    """What one domain gives: tokens there are, tokens asked for by its share, tokens it gives, and the cap."""

    domain: str
    available: int
    wanted: float
    tokens: float
    capped: bool

    @property
    def epochs(self) -> float:
        """How often the domain is seen."""
        return self.tokens / self.available if self.available else 0.0


def allocate(available: Mapping[str, int], mix: Mix) -> list[Allocation]:
    """Divide the token budget over the domains by water-filling.

    Every domain gets its share of the budget, up to `max_epochs` times what it has; what a capped domain
    cannot give is divided over the others in proportion to their shares, until the budget is met or all are
    capped. Without a budget the mix is as large as what there is; without shares domains keep their natural
    proportions. Raises RecipeError when no domain of the shares has any document.
    """
    total = sum(available.values())
    budget = float(total if mix.tokens is None else mix.tokens)
    shares = dict(mix.shares) or {domain: tokens / total for domain, tokens in available.items() if total}
    cap = {domain: mix.max_epochs * available.get(domain, 0) for domain in shares}
    if total and not any(cap[domain] for domain in shares if shares[domain] > 0):
        raise RecipeError(
            f"no document belongs to any domain that the mix asks for ({', '.join(shares)}); "
            f"there are: {', '.join(sorted(available)) or 'none'}"
        )
    given = dict.fromkeys(shares, 0.0)
    open_domains = {domain for domain in shares if shares[domain] > 0 and cap[domain] > 0}
    left = budget
    while open_domains and left > 1e-9 * max(budget, 1.0):
        weight = sum(shares[domain] for domain in open_domains)
        offer = {domain: left * shares[domain] / weight for domain in open_domains}
        full = {domain for domain in open_domains if given[domain] + offer[domain] >= cap[domain]}
        for domain in full or open_domains:
            step = min(offer[domain], cap[domain] - given[domain])
            given[domain] += step
            left -= step
        open_domains -= full
        if not full:
            break
    allocations = []
    for domain in sorted({*shares, *available}):
        wanted, tokens = shares.get(domain, 0.0) * budget, given.get(domain, 0.0)
        capped = wanted > tokens >= cap.get(domain, 0.0)
        allocations.append(Allocation(domain, available.get(domain, 0), wanted, tokens, capped))
    return allocations


def copies(tokens: npt.NDArray[np.int64], doc: npt.NDArray[np.uint64], target: float) -> npt.NDArray[np.int32]:
    """Return how often each document of a domain is written so that they hold `target` tokens.

    Everyone is repeated as often as all of them fit; who is seen once more is drawn by document number: the
    same documents for any order, and a larger target only adds to a smaller one. Within half a document of
    the target.
    """
    total = int(tokens.sum())
    if not total:
        return np.zeros(len(tokens), np.int32)
    whole = int(target // total)
    rest = target - whole * total
    out = np.full(len(tokens), whole, np.int32)
    order = np.argsort(_scatter(doc), kind="stable")
    running = np.cumsum(tokens[order])
    out[order[running - tokens[order] / 2 <= rest]] += 1
    if whole == 0 and rest < tokens[order[0]] / 2 and rest > 0:
        out[order[0]] = 1  # a domain that is asked for gives something
    return out


def _scatter(doc: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Mix document numbers so that drawing by them is independent of other uses of the same number."""
    mixed = (doc ^ (doc >> np.uint64(31))) * np.uint64(0x7FB5D329728EA185)
    return (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x81DADEF4BC2DD44D)
