"""The transformer proxy: a small decoder trained from nothing on equally many tokens, whatever the corpus.

PyTorch (the extra `proxy`) is imported when a model is trained. The network itself is in `curate.audit.decoder`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from classifiers.arrow import Strings, as_strings
from curate.audit.sizes import DEFAULT_SIZE, SIZES, STEPS, Size
from curate.audit.token_stream import Bytes, Encoding, Numbers, Stream, Tokenizer, continued, windows
from curate.errors import CurateError, InputError

if TYPE_CHECKING:
    from curate.audit.decoder import Decoder

F64 = npt.NDArray[np.float64]

_LOGITS = 1 << 24  # held at a time: rows of a large vocabulary are taken a few by a few
_WARM_UP = 0.1  # of all steps, over which the learning rate rises; then it falls to 0 as a cosine
_DECAY = 0.1  # of weights of the layers, as is usual with AdamW
_LARGEST_GRADIENT = 1.0


@dataclass(frozen=True)
class TransformerProxy:
    """A decoder-only transformer as a proxy.

    `size`: a name in SIZES. `steps`: of its `batch` of tokens each; a corpus with fewer is seen several times.
    `tokenizer`: a `tokenizer.json`; without one every byte is a token. `threads`: of the CPU; PyTorch's own number
    without it. Trains on a GPU where PyTorch finds one. On the CPU
    the same texts, seed and threads give the same model.
    Raises CurateError for a size that there is not and when PyTorch is missing, InputError for a bad tokenizer.
    """

    size: str = DEFAULT_SIZE
    steps: int = STEPS
    tokenizer: str | None = None
    threads: int | None = None
    name: str = "transformer"

    def __post_init__(self) -> None:
        if self.size not in SIZES:
            raise CurateError(f'there is no transformer of size "{self.size}" (sizes: {", ".join(SIZES)})')
        if self.steps < 1:
            raise CurateError(f"a transformer is trained for at least 1 step, not {self.steps}")
        _torch()

    @property
    def tokens(self) -> int:
        """Tokens that a model is trained on."""
        return self.steps * SIZES[self.size].batch

    def train(self, texts: Strings, seed: int = 0) -> TransformerModel:
        """Train a model of the texts. InputError when they are empty."""
        torch = _torch()
        from curate.audit.decoder import Decoder

        size = SIZES[self.size]
        encoding: Encoding = Bytes() if self.tokenizer is None else Tokenizer(self.tokenizer)
        stream = encoding.stream(as_strings(texts))
        if len(stream.tokens) == len(stream):
            raise InputError("there is no text to train a transformer on")
        with torch.random.fork_rng(), _threads(self.threads):
            torch.manual_seed(seed)
            decoder = Decoder(encoding.vocabulary, size).to(_device())
            self._fit(decoder, size, encoding.vocabulary, _batches(stream, size, seed))
        return TransformerModel(decoder.eval(), size, encoding, self.threads)

    def _fit(self, decoder: Decoder, size: Size, vocabulary: int, batches: Iterator[Numbers]) -> None:
        torch = _torch()
        weights = [weight for name, weight in decoder.named_parameters() if weight.dim() == 2 and "embed" not in name]
        ids = {id(weight) for weight in weights}
        others = [weight for weight in decoder.parameters() if id(weight) not in ids]
        groups = [{"params": weights, "weight_decay": _DECAY}, {"params": others, "weight_decay": 0.0}]
        optimizer = torch.optim.AdamW(groups, lr=size.rate, betas=(0.9, 0.95))
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate(step, self.steps))
        at_a_time = max(1, _LOGITS // (vocabulary * size.context))
        for _ in range(self.steps):
            rows = next(batches)
            for some in np.split(rows, range(at_a_time, len(rows), at_a_time)):
                loss = -_log_probabilities(decoder, some).sum() / rows[:, 1:].size
                loss.backward()
            torch.nn.utils.clip_grad_norm_(decoder.parameters(), _LARGEST_GRADIENT)
            optimizer.step()
            optimizer.zero_grad()
            schedule.step()


@dataclass(frozen=True)
class TransformerModel:
    """A trained transformer."""

    decoder: Decoder
    size: Size
    encoding: Encoding
    threads: int | None = None

    @property
    def parameters(self) -> int:
        """Parameters, with the embedding of tokens."""
        return sum(weight.numel() for weight in self.decoder.parameters())

    def bits(self, texts: Strings) -> F64:
        """Return float64 (n,): -log2 of the probability of each text's tokens; 0 for an empty one.

        Divided by the bytes of the text they compare with those of any other tokenizer, as far as its tokens give the
        text back: one that folds case or drops spaces has less to predict.
        """
        return self._evaluate(self.encoding.stream(as_strings(texts)), None)

    def continuation_bits(self, contexts: Strings, continuations: Strings) -> F64:
        """Return float64 (n,): -log2 of the probability of each continuation after its context.

        Both are made tokens by themselves; of a long context only the end is seen.
        Raises ValueError when there are not as many contexts as continuations.
        """
        before, after = as_strings(contexts), as_strings(continuations)
        if len(before) != len(after):
            raise ValueError(f"{len(before)} contexts and {len(after)} continuations")
        return self._evaluate(*continued(self.encoding.stream(before), self.encoding.stream(after)))

    def _evaluate(self, stream: Stream, first: Numbers | None) -> F64:
        found = windows(stream, self.size.context, first)
        bits = np.zeros(len(stream))
        order = np.argsort(found.length, kind="stable")
        rows = max(1, _LOGITS // (self.encoding.vocabulary * self.size.context))
        with _torch().inference_mode(), _threads(self.threads):
            for some in np.split(order, range(rows, len(order), rows)):
                self._add(bits, stream, found.text[some], *(column[some] for column in found[1:]))
        return bits

    def _add(self, bits: F64, stream: Stream, text: Numbers, start: Numbers, length: Numbers, counted: Numbers) -> None:
        """Add what some windows count to the bits of their texts."""
        if not len(text):
            return
        place = np.arange(length.max() + 1)
        # What stands behind a short window is another text: nothing before it sees it, and it is not counted.
        tokens = stream.tokens[np.minimum(start[:, None] + place, len(stream.tokens) - 1)]
        log = _log_probabilities(self.decoder, tokens).cpu().double().numpy()
        wanted = (place[:-1] >= counted[:, None]) & (place[:-1] < length[:, None])
        np.add.at(bits, text, -(log * wanted).sum(axis=1) / math.log(2))


def _log_probabilities(decoder: Decoder, rows: Numbers) -> Any:
    """Return the natural logarithm of the probability of each token but the first of each row, a float32 tensor."""
    torch = _torch()
    device = _device()
    tokens = torch.from_numpy(rows).to(device)
    with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
        logits = decoder(tokens[:, :-1])
    cross_entropy = torch.nn.functional.cross_entropy(logits.float().transpose(1, 2), tokens[:, 1:], reduction="none")
    return -cross_entropy


def _batches(stream: Stream, size: Size, seed: int) -> Iterator[Numbers]:
    """Yield rows of context + 1 tokens without end: all texts in random order, cut into rows in random order."""
    source, context = np.random.default_rng(seed), size.context
    rows_a_step = max(1, size.batch // context)
    waiting = np.zeros((0, context + 1), np.int64)
    while True:
        while len(waiting) < rows_a_step:
            tokens = stream.take(source.permutation(len(stream))).tokens
            tokens = np.resize(tokens, max(len(tokens), context + 1))  # a tiny corpus is repeated to fill a row
            starts = np.arange(0, len(tokens) - context, context)
            rows = np.lib.stride_tricks.sliding_window_view(tokens, context + 1)[source.permutation(starts)]
            waiting = np.concatenate([waiting, rows])
        yield waiting[:rows_a_step]
        waiting = waiting[rows_a_step:]


def _rate(step: int, steps: int) -> float:
    """Return the learning rate of a step, as a share of the highest one."""
    warm = max(1, round(_WARM_UP * steps))
    if step < warm:
        return (step + 1) / warm
    return 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm)))


def _torch() -> Any:
    try:
        import torch
    except ImportError:
        raise CurateError(
            "the transformer proxy needs PyTorch; install it with: pip install 'curate-corpus[proxy]'"
        ) from None
    return torch


def _device() -> Any:
    torch = _torch()
    return torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")


@contextmanager
def _threads(count: int | None) -> Iterator[None]:
    """Let PyTorch use so many threads of the CPU for a while."""
    torch = _torch()
    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)
