"""The transformer proxy: what it predicts, from what, and that it learns."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from classifiers.arrow import Strings, as_strings
from curate.audit.transformer import TransformerProxy
from curate.errors import CurateError, InputError
from tests.corpora import prose

torch = pytest.importorskip("torch", reason="the transformer proxy needs PyTorch (the extra proxy)")

PROSE = as_strings([prose(seed) for seed in range(60)])
NUMBERS = as_strings([" ".join(str(seed * n % 9973) for n in range(1, 150)) for seed in range(60)])


@pytest.fixture(scope="module")
def model():
    return TransformerProxy("100k", steps=4, threads=1).train(PROSE, seed=1)


def test_each_corpus_is_predicted_best_by_the_model_that_was_trained_on_it() -> None:
    new = {"prose": as_strings([prose(1000), prose(1001)]), "numbers": as_strings(["8121 13 7 4402 91 6 2270"])}
    cost = {
        of: {name: model.bits(texts).sum() / texts.nbytes for name, texts in new.items()}
        for of, corpus in (("prose", PROSE), ("numbers", NUMBERS))
        for model in [TransformerProxy("100k", steps=50, threads=1).train(corpus, seed=0)]
    }
    assert cost["prose"]["prose"] < cost["numbers"]["prose"] - 1
    assert cost["numbers"]["numbers"] < cost["prose"]["numbers"] - 1
    assert cost["prose"]["prose"] < 5  # bits per byte; 8 without any training


def test_bits_are_those_of_the_tokens_one_by_one(model) -> None:
    text = "The ferry is late."
    tokens = [256, *text.encode()]
    total = 0.0
    with torch.inference_mode():
        for place in range(1, len(tokens)):
            logits = model.decoder(torch.tensor([tokens[:place]]))[0, -1].double()
            total -= float(torch.log_softmax(logits, 0)[tokens[place]]) / math.log(2)
    # The same text among longer ones, and behind a part of the buffer that is not asked about.
    several = as_strings([prose(1), text, "", prose(2)])
    part = Strings(several.data, several.offsets[1:])
    assert model.bits(several)[1] == pytest.approx(total, rel=1e-4)
    assert model.bits(part)[:2] == pytest.approx([total, 0], rel=1e-4)


def test_text_and_continuation_cost_what_both_together_do(model) -> None:
    before, after = ["", "The museum ", prose(3, 30)], ["It rains.", "paints birds", " and nobody knows why."]
    together = model.bits([a + b for a, b in zip(before, after, strict=True)])
    split = model.bits(before) + model.continuation_bits(before, after)
    assert split == pytest.approx(together, rel=1e-4)
    assert model.continuation_bits(["long " * 300], [prose(4, 20)])[0] > 0
    with pytest.raises(ValueError, match="2 contexts and 1 continuations"):
        model.continuation_bits(["a", "b"], ["c"])


def test_the_same_seed_gives_the_same_model_and_leaves_the_random_state_alone(model) -> None:
    asked = as_strings([prose(2000)])
    state, threads = torch.random.get_rng_state(), torch.get_num_threads()
    again = TransformerProxy("100k", steps=4, threads=1).train(PROSE, seed=1)
    other = TransformerProxy("100k", steps=4, threads=1).train(PROSE, seed=2)
    assert np.array_equal(again.bits(asked), model.bits(asked))
    assert other.bits(asked)[0] != model.bits(asked)[0]
    assert torch.equal(torch.random.get_rng_state(), state) and torch.get_num_threads() == threads


def test_a_small_corpus_is_seen_as_often_as_it_takes() -> None:
    few = TransformerProxy("100k", steps=40, threads=1).train(as_strings(["The museum paints ships.", "", "Apples."]))
    assert few.bits(["The museum paints ships."])[0] / 24 < 1.5
    assert TransformerProxy("100k", steps=3).tokens == 3 * 1024


def test_a_tokenizer_gives_bits_of_the_same_bytes(tmp_path: Path) -> None:
    tokenizers = pytest.importorskip("tokenizers")
    learnt = tokenizers.Tokenizer(tokenizers.models.BPE())
    learnt.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = tokenizers.pre_tokenizers.ByteLevel.alphabet()
    trainer = tokenizers.trainers.BpeTrainer(vocab_size=400, initial_alphabet=alphabet, show_progress=False)
    learnt.train_from_iterator([prose(seed) for seed in range(20)], trainer)
    learnt.save(str(tmp_path / "tokenizer.json"))
    proxy = TransformerProxy("100k", steps=30, tokenizer=str(tmp_path / "tokenizer.json"), threads=1)
    model = proxy.train(PROSE)
    asked = as_strings([prose(3000), "", "Ünïcode 漢字"])
    per_byte = model.bits(asked) / np.maximum(np.diff(asked.offsets), 1)
    assert per_byte[1] == 0 and per_byte[0] < per_byte[2]
    assert per_byte[0] < 5  # longer tokens at once, so fewer bits a byte than bytes after as many steps
    split = model.bits(["The museum"]) + model.continuation_bits(["The museum"], [" paints"])
    assert split == pytest.approx(model.bits(["The museum paints"]), rel=1e-4)


def test_mistakes_are_named() -> None:
    with pytest.raises(CurateError, match='no transformer of size "5m"'):
        TransformerProxy("5m")
    with pytest.raises(CurateError, match="at least 1 step"):
        TransformerProxy(steps=0)
    with pytest.raises(InputError, match="no text to train"):
        TransformerProxy("100k").train(as_strings(["", ""]))
