"""Every signal by name: what it is, where its definition comes from, and how a batch gets it.

Classifier scores are signals too, but a recipe names them; they are not listed here.
"""

from __future__ import annotations

import functools
import json
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

    `definition` is one sentence; `source` the paper and section it comes from; `example` a text and its value
    (to three decimals); `low` and `high` the values it can take (None: no bound).
    """

    name: str
    dtype: DType
    unit: str
    definition: str
    source: str
    compute: Compute
    example: tuple[str, float | int | bool]
    low: float | None = 0
    high: float | None = None

    @property
    def range(self) -> str:
        """The values it can take, in words."""
        if self.dtype == "bool":
            return "true or false"
        low, high = (f"{bound:g}" if bound is not None else None for bound in (self.low, self.high))
        return f"{low} to {high}" if high is not None else f"{low} and more"

    def as_dict(self) -> dict[str, str]:
        """Return what there is to know about the signal, as text."""
        text, value = (json.dumps(part, ensure_ascii=False) for part in self.example)
        return {"name": self.name, "definition": self.definition, "unit": self.unit, "dtype": self.dtype,
                "range": self.range, "source": self.source, "example": f"{text} has {value}"}  # fmt: skip


@functools.cache
def registry() -> Mapping[str, Signal]:
    """Return every signal that curate can measure without a model, by name, in documentation order."""
    return {signal.name: signal for family in families().values() for signal in family}


@functools.cache
def families() -> Mapping[str, tuple[Signal, ...]]:
    """Return the signals by family, in documentation order."""
    from curate.signals import c4, fineweb, gopher, lengths

    return {"Lengths": lengths.SIGNALS, "Gopher": gopher.SIGNALS, "FineWeb": fineweb.SIGNALS, "C4": c4.SIGNALS}


def signal(name: str) -> Signal:
    """Return one signal; RecipeError with the nearest name when there is none."""
    found = registry().get(name)
    if found is None:
        raise RecipeError(f'unknown signal "{name}"{did_you_mean(name, registry())} (curate signals lists all)')
    return found


def compute(documents: Documents, names: Iterable[str]) -> dict[str, npt.NDArray[Any]]:
    """Measure the named signals on a batch: one array of length `len(documents)` each."""
    return {name: signal(name).compute(documents).astype(signal(name).dtype, copy=False) for name in names}
