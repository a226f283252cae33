"""What the output is made of; how it is divided is in `curate.mix`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from curate.errors import RecipeError

METHODS = ("shares", "natural", "temperature", "unimax")
_SIZES = {"": 1, "k": 10**3, "m": 10**6, "b": 10**9, "t": 10**12}


@dataclass(frozen=True)
class Division:
    """How tokens are divided over the classes of documents that have the same value in column `by`.

    `method`: "shares" as given; "natural" in proportion to what each class holds; "temperature" to what it holds to
    the power `alpha`; "unimax" evenly (Chung et al. 2023, UniMax). Whatever the method, no class is seen more often
    than `max_epochs` (or its entry in `epochs`), none gets more than `at_most` of the tokens (or its entry in `most`),
    and what a class cannot take goes to the others. `within` divides a class further.
    """

    by: str = "source"
    method: str = "natural"
    shares: dict[str, float] = field(default_factory=dict)
    alpha: float = 0.3
    max_epochs: float = 1.0
    epochs: dict[str, float] = field(default_factory=dict)
    at_most: float = 1.0
    most: dict[str, float] = field(default_factory=dict)
    within: dict[str, Division] = field(default_factory=dict)

    def limit(self, name: str) -> float:
        """Return how often a class may be seen."""
        return self.epochs.get(name, self.max_epochs)

    def ceiling(self, name: str) -> float:
        """Return the largest share of the tokens that a class may get."""
        return self.most.get(name, self.at_most)

    def columns(self) -> Iterator[str]:
        """Yield the columns that divide, from the outside in."""
        yield self.by
        for inner in self.within.values():
            yield from inner.columns()


@dataclass(frozen=True)
class Quality:
    """How much more often better documents of a class are seen than worse ones, by rank of the column `by`.

    Documents are ranked into buckets of equal tokens. With `weights`, one a bucket from the worst to the best, a
    bucket is seen in these proportions. Otherwise by the curve of OLMo 3 (2025, quality-aware upsampling): nothing of
    the worst `drop`, then rising as C (x - drop)^p e^(growth (x - drop)), with the best bucket seen `most` times.
    """

    by: str
    buckets: int = 20
    weights: tuple[float, ...] = ()
    drop: float = 0.4
    most: float = 7.0
    growth: float = 0.0


@dataclass(frozen=True)
class Mix(Division):
    """What the output is made of: a token budget divided over classes, and who is repeated inside a class.

    `rehydrate` repeats documents by the size of the duplicate cluster that they stand for (FineWeb2). No document is
    repeated more than `max_copies` times. With `once` a repeated document is written once, with its `weight`; with
    `shuffle` the documents of all classes are written in one random order.
    """

    tokens: int | None = None
    quality: Quality | None = None
    rehydrate: bool = False
    max_copies: int = 10
    once: bool = False
    shuffle: bool = False

    @property
    def samples(self) -> bool:
        """Whether documents are sampled at all; otherwise every kept document is written once."""
        divides = self.method != "natural" or self.at_most < 1 or bool(self.most) or bool(self.within)
        return self.tokens is not None or divides or self.quality is not None or self.rehydrate

    @property
    def named(self) -> tuple[str, ...]:
        """Columns that the mix reads."""
        return (*dict.fromkeys(self.columns()), *((self.quality.by,) if self.quality else ()))


def parse_count(text: str | int | None) -> int | None:
    """Read "10B", "1.5M", "300k" or a number as an integer.

    >>> parse_count("1.5M")
    1500000
    """
    if text is None:
        return None
    body = str(text).strip().lower().replace("_", "").replace(",", "")
    unit = body[-1:] if body[-1:] in _SIZES and body[-1:] else ""
    try:
        value = float(body.removesuffix(unit)) * _SIZES[unit]
    except ValueError:
        value = -1.0
    if not 1 <= value < float("inf"):
        raise RecipeError(f'"{text}" is not a number of tokens; write for example 300M, 10B or 1.5T')
    return round(value)
