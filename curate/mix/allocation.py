"""The mix: how many tokens each class of documents gives, by water-filling.

Shares, caps and a budget in, tokens a class out. Which documents give them is drawn in `curate.mix.draw`; which class a
document belongs to is known elsewhere.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from curate.errors import RecipeError
from curate.recipe import Division, Mix


@dataclass(frozen=True)
class Holding:
    """What a class holds: its tokens, what of them one epoch can give at most, and its classes if it is divided."""

    tokens: int
    most: float | None = None  # tokens that its documents can give however large the budget; None: no limit of theirs
    parts: Mapping[str, Holding] = field(default_factory=dict)


@dataclass(frozen=True)
class Allocation:
    """What one class gives: tokens there are, tokens asked for by its share, tokens it gives, and whether it could
    give no more (it has reached its epochs or its largest share). `parts` are its classes, if it is divided."""

    domain: str
    available: int
    wanted: float
    tokens: float
    capped: bool
    parts: tuple[Allocation, ...] = ()

    @property
    def epochs(self) -> float:
        """How often the class is seen."""
        return self.tokens / self.available if self.available else 0.0


def allocate(available: Mapping[str, int | Holding], mix: Mix) -> list[Allocation]:
    """Divide the token budget over the classes by water-filling, and the tokens of a class over its own.

    Every class gets its share of the budget, up to its cap; what a capped class cannot give is divided over the
    others in proportion to their shares, until the budget is met or all are capped. Without a budget the mix is as
    large as what there is. Raises RecipeError when the mix asks only for classes that no document belongs to, and
    says what there is.
    """
    held = {name: item if isinstance(item, Holding) else Holding(item) for name, item in available.items()}
    budget = float(sum(item.tokens for item in held.values()) if mix.tokens is None else mix.tokens)
    return _divide(budget, held, mix, "")


def _divide(budget: float, held: Mapping[str, Holding], division: Division, of: str) -> list[Allocation]:
    shares = _shares(held, division)
    cap = ceilings(budget, held, division, shares)
    if any(item.tokens for item in held.values()) and not any(cap[name] for name in shares if shares[name] > 0):
        inside = f' inside "{of}"' if of else ""
        raise RecipeError(
            f"no document belongs to any {division.by} that the mix asks for{inside} ({', '.join(shares)}); "
            f"there are: {', '.join(sorted(held)) or 'none'}"
        )
    given = fill(budget, shares, cap)
    found = []
    for name in sorted({*shares, *held}):
        item = held.get(name, Holding(0))
        wanted, tokens = shares.get(name, 0.0) * budget, given.get(name, 0.0)
        parts: list[Allocation] = []
        if item.parts and name in division.within and tokens:
            parts = _divide(tokens, item.parts, division.within[name], name)
        capped = max(wanted, tokens) > 0 and tokens >= cap.get(name, 0.0) * (1 - 1e-12)
        found.append(Allocation(name, item.tokens, wanted, tokens, capped, tuple(parts)))
    return found


def ceilings(budget: float, held: Mapping[str, Holding], division: Division, names: Iterable[str]) -> dict[str, float]:
    """Return the tokens that each class can give at most: by its epochs, its documents, and its largest share."""
    return {
        name: min(_capacity(held.get(name, Holding(0)), division, name), division.ceiling(name) * budget)
        for name in names
    }


def fill(budget: float, shares: Mapping[str, float], cap: Mapping[str, float]) -> dict[str, float]:
    """Return what each class gets: min(cap, level * share), with the level at which that adds up to the budget.

    Exact: classes are closed in the order in which a rising level reaches their caps.
    """
    given = dict.fromkeys(shares, 0.0)
    waiting = [name for name in shares if shares[name] > 0 and cap[name] > 0]
    waiting.sort(key=lambda name: (cap[name] / shares[name], name))
    weights = list(itertools.accumulate(shares[name] for name in reversed(waiting)))[::-1]
    left = budget
    for place, name in enumerate(waiting):
        level = left / weights[place]
        if level * shares[name] < cap[name]:
            return given | {rest: level * shares[rest] for rest in waiting[place:]}
        given[name] = cap[name]
        left = max(left - cap[name], 0.0)
    return given


def _shares(held: Mapping[str, Holding], division: Division) -> dict[str, float]:
    if division.method == "shares":
        return dict(division.shares)
    exponent = {"natural": 1.0, "temperature": division.alpha, "unimax": 0.0}[division.method]
    weight = {name: float(item.tokens) ** exponent for name, item in held.items() if item.tokens}
    total = sum(weight.values())
    return {name: value / total for name, value in weight.items()}


def _capacity(item: Holding, division: Division, name: str) -> float:
    """Return the tokens that a class can give at most: its epochs, those of its parts, what its documents can give."""
    most = division.limit(name) * item.tokens
    if item.most is not None:
        most = min(most, item.most)
    inner = division.within.get(name)
    if inner and item.parts:
        shares = _shares(item.parts, inner)
        most = min(most, sum(_capacity(item.parts[part], inner, part) for part in shares if part in item.parts))
    return most
