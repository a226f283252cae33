"""Every signal by name: what it is, where its definition comes from, and how a batch gets it.

Classifier scores are signals too, but a recipe names them; they are not listed here.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy.typing as npt

from curate.errors import RecipeError, did_you_mean
from curate.signals.documents import Documents

Compute = Callable[[Documents], npt.NDArray[Any]]
DType = Literal["int64", "float32", "bool"]


@dataclass(frozen=True)
class Signal:
    """One number, flag or label measured on a document.

    `definition` is one sentence; `source` the paper and section it comes from; `low` and `high` the values it
    can take (None: no bound); `example` a text and its value, in words.
    """

    name: str
    dtype: DType
    unit: str
    definition: str
    source: str
    compute: Compute
    low: float | None = 0
    high: float | None = None
    example: str = ""

    def as_dict(self) -> dict[str, str]:
        """Return what there is to know about the signal, as text."""
        bounds = [f"{bound:g}" if bound is not None else "…" for bound in (self.low, self.high)]
        facts = {"name": self.name, "definition": self.definition, "unit": self.unit, "dtype": self.dtype,
                 "range": " to ".join(bounds), "source": self.source, "example": self.example}  # fmt: skip
        return {key: value for key, value in facts.items() if value}


@functools.cache
def registry() -> Mapping[str, Signal]:
    """Return every signal that curate can measure without a model, by name, in documentation order."""
    from curate.signals import c4, fineweb, gopher, lengths

    families = (lengths.SIGNALS, gopher.SIGNALS, fineweb.SIGNALS, c4.SIGNALS)
    return {signal.name: signal for family in families for signal in family}


def signal(name: str) -> Signal:
    """Return one signal; RecipeError with the nearest name when there is none."""
    found = registry().get(name)
    if found is None:
        raise RecipeError(f'unknown signal "{name}"{did_you_mean(name, registry())} (curate signals lists all)')
    return found


def compute(documents: Documents, names: Iterable[str]) -> dict[str, npt.NDArray[Any]]:
    """Measure the named signals on a batch: one array of length `len(documents)` each."""
    return {name: signal(name).compute(documents).astype(signal(name).dtype, copy=False) for name in names}
