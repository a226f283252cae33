"""What the output is made of; how it is divided is in `curate.mix`."""

from __future__ import annotations

from dataclasses import dataclass, field

from curate.errors import RecipeError

_SIZES = {"": 1, "k": 10**3, "m": 10**6, "b": 10**9, "t": 10**12}


@dataclass(frozen=True)
class Mix:
    """What the output is made of: shares by the values of column `by`, a token budget, a cap on repetition."""

    by: str = "source"
    tokens: int | None = None
    max_epochs: float = 4.0
    shares: dict[str, float] = field(default_factory=dict)

    @property
    def samples(self) -> bool:
        """Whether documents are sampled at all; otherwise every kept document is written once."""
        return self.tokens is not None or bool(self.shares)


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
