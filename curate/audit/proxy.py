"""What an audit asks of a proxy: a small model that is trained in seconds in place of the one that a mix is for.

The byte n-gram model is here; anything with these methods serves as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from classifiers.arrow import Strings
from curate.audit.ngram_model import MEMORY, ORDER, NgramModel

F64 = npt.NDArray[np.float64]


class Model(Protocol):
    """A trained language model."""

    def bits(self, texts: Strings) -> F64:
        """Return float64 (n,): -log2 of the probability of each text."""

    def continuation_bits(self, contexts: Strings, continuations: Strings) -> F64:
        """Return float64 (n,): -log2 of the probability of each continuation after its context."""


class Proxy(Protocol):
    """A way to train a small language model. `name` is what the report calls it."""

    @property
    def name(self) -> str: ...

    def train(self, texts: Strings, seed: int) -> Model:
        """Return a model of the texts; the same texts and seed give the same model."""


@dataclass(frozen=True, slots=True)
class NgramProxy:
    """The byte n-gram model as a proxy. It has no randomness, so that the seed changes nothing."""

    order: int = ORDER
    memory: int | str = MEMORY
    name: str = "ngram"

    def train(self, texts: Strings, seed: int = 0) -> NgramModel:
        """Count the n-grams of the texts."""
        return NgramModel.train(texts, self.order, self.memory)
