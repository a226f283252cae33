"""Columns that a recipe makes by itself: scores of classifiers, and ranks made of several scores."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ClassifierUse:
    """A fastText model and the signal it gives: the score of `label`, or the best label and its score.

    How a long document is read: `first` reads only so many characters of it, `first_words` only so many words;
    `windows` scores every stretch of about so many characters by itself, and the document has the `over` ("mean" or
    "min") of them. Otherwise all at once. `calibrated` gives the probability that the model's card makes of a score.
    """

    signal: str
    model: str
    label: str | None = None
    first: int | None = None
    first_words: int | None = None
    windows: int | None = None
    over: str = "mean"
    calibrated: bool = False


@dataclass(frozen=True)
class Ensemble:
    """A column made of several scores: each is ranked into `buckets` of equal tokens, the highest rank counts.

    Source: Su et al. 2024 (Nemotron-CC), section 3.2: 20 buckets, maximum over the classifiers.
    """

    name: str
    of: tuple[str, ...]
    buckets: int = 20
