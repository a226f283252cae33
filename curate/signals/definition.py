"""What a signal is: a definition first, then how a batch of documents gets it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args

from curate.signals.documents import Documents

Compute = Callable[[Documents], Any]  # a numpy array; of a user's signal, an Arrow array
DType = Literal["int64", "float32", "bool", "string"]
DTYPES: tuple[str, ...] = get_args(DType)


@dataclass(frozen=True)
class Signal:
    """One number, flag or label measured on a document.

    `definition` is one sentence; `source` the paper and section it comes from; `example` a text and its value
    (to three decimals), which a user's signal may lack; `low` and `high` the values it can take (None: no bound).
    """

    name: str
    dtype: DType
    unit: str
    definition: str
    source: str
    compute: Compute
    example: tuple[str, float | int | bool | str] | None
    low: float | None = 0
    high: float | None = None

    @property
    def range(self) -> str:
        """The values it can take, in words."""
        if self.dtype == "bool":
            return "true or false"
        if self.dtype == "string":
            return "text"
        low, high = (f"{bound:g}" if bound is not None else None for bound in (self.low, self.high))
        if low is None:
            return f"{high} and less" if high is not None else "any number"
        return f"{low} to {high}" if high is not None else f"{low} and more"

    def as_dict(self) -> dict[str, str]:
        """Return what there is to know about the signal, as text."""
        facts = {"name": self.name, "definition": self.definition, "unit": self.unit, "dtype": self.dtype,
                 "range": self.range, "source": self.source}  # fmt: skip
        if self.example:
            text, value = (json.dumps(part, ensure_ascii=False) for part in self.example)
            facts["example"] = f"{text} has {value}"
        return facts
