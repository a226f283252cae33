"""What a signal is: a definition first, then how a batch of documents gets it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy.typing as npt

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
