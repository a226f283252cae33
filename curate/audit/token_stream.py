"""Texts as one stream of tokens for the transformer proxy, and the windows of it that the network sees.

Every text begins with a token of its own that no text contains. Knows nothing of networks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from classifiers.arrow import Strings, to_array
from curate.signals.tokens import TokenCounter

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Stream:
    """Tokens int64 of texts one after the other; text d is `tokens[offsets[d]:offsets[d + 1]]`."""

    tokens: Numbers
    offsets: Numbers

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def take(self, order: Numbers) -> Stream:
        """Return some of the texts, in this order."""
        parts = [self.tokens[self.offsets[d] : self.offsets[d + 1]] for d in order.tolist()]
        return _joined(parts)


class Encoding(Protocol):
    """What makes tokens of texts: numbers from 0 to below `vocabulary`; the last one begins a text."""

    @property
    def vocabulary(self) -> int: ...

    def stream(self, texts: Strings) -> Stream:
        """Return the tokens of texts."""


class Bytes:
    """Every byte is a token."""

    vocabulary = 257

    def stream(self, texts: Strings) -> Stream:
        """Return the bytes of texts."""
        offsets = texts.offsets - texts.offsets[0] + np.arange(len(texts) + 1)
        tokens = np.full(offsets[-1], self.vocabulary - 1, np.int64)
        inside = np.ones(len(tokens), np.bool_)
        inside[offsets[:-1]] = False
        tokens[inside] = texts.data[texts.offsets[0] : texts.offsets[-1]]
        return Stream(tokens, offsets)


class Tokenizer:
    """Tokens of a `tokenizer.json`; InputError when it cannot be read."""

    def __init__(self, file: str) -> None:
        self._counter = TokenCounter(file)
        self.vocabulary = self._counter.vocabulary + 1

    def stream(self, texts: Strings) -> Stream:
        """Return the tokens of texts, special ones left out."""
        begin = np.array([self.vocabulary - 1])
        found = self._counter.tokens(to_array(texts).to_pylist())
        return _joined([np.concatenate([begin, tokens]) for tokens in found])


def continued(before: Stream, after: Stream) -> tuple[Stream, Numbers]:
    """Join texts with what follows them; also return int64 (n,): how many tokens of each are from `before`."""
    parts = []
    for d in range(len(before)):
        parts.append(before.tokens[before.offsets[d] : before.offsets[d + 1]])
        parts.append(after.tokens[after.offsets[d] + 1 : after.offsets[d + 1]])
    both = _joined(parts)
    return Stream(both.tokens, both.offsets[::2]), np.diff(before.offsets)


def _joined(parts: list[Numbers]) -> Stream:
    offsets = np.cumsum([0, *map(len, parts)]).astype(np.int64)
    return Stream(np.concatenate([np.zeros(0, np.int64), *parts]), offsets)


class Windows(NamedTuple):
    """Stretches of a stream that a network sees at once.

    Window i reads `length[i]` tokens from `start[i]` of text `text[i]`, and counts what it predicts from its place
    `counted[i]` on, from 0. All are int64 (windows,).
    """

    text: Numbers
    start: Numbers
    length: Numbers
    counted: Numbers


def windows(stream: Stream, context: int, first: Numbers | None = None) -> Windows:
    """Return windows of at most `context` tokens in which each token of a text but its first is predicted once.

    A token is predicted from at least a quarter of a window before it, or from all of its text before it. `first`
    int64 (n,): only the tokens of a text from this place on are wanted.
    """
    forward = context - context // 4
    predicted = np.diff(stream.offsets) - 1
    count = np.where(predicted > 0, 1 + np.maximum(0, -(-(predicted - context) // forward)), 0)
    text = np.repeat(np.arange(len(stream)), count)
    place = np.arange(len(text)) - np.repeat(np.cumsum(count) - count, count)
    begin = forward * place
    length = np.minimum(context, predicted[text] - begin)
    counted = np.where(place > 0, context - forward, 0)
    if first is not None:
        counted = np.maximum(counted, first[text] - 1 - begin)
    found = Windows(text, stream.offsets[text] + begin, length, counted)
    return Windows(*(column[counted < length] for column in found))
