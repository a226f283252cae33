"""Training: lines as scoring sees them, the same bytes twice, and errors that say what to change."""

from __future__ import annotations

import random
from pathlib import Path

import fasttext
import numpy as np
import pytest
from small_models import FILLER, WORDS, documents

import classifiers
from classifiers.errors import ClassifierError
from classifiers.train import check_label, one_line, train, train_lines, write_lines

PARAMETERS = {"dim": 4, "epoch": 5, "lr": 0.5, "wordNgrams": 2, "bucket": 2000, "minCount": 1, "seed": 3}


def examples(count: int = 400) -> tuple[list[str], np.ndarray]:
    """Texts about animals (0) and tools (1)."""
    rng = random.Random(5)
    codes = np.array([rng.randrange(2) for _ in range(count)], np.int32)
    topics = [WORDS["animals"], WORDS["tools"]]
    return [" ".join(rng.choices(topics[code] + FILLER, k=12)) for code in codes], codes


@pytest.mark.parametrize("quantise", [None, {"qnorm": True, "dsub": 2}, {"cutoff": 300, "retrain": True}])
def test_one_thread_gives_the_same_bytes_twice_and_a_model_that_works(
    tmp_path: Path, quantise: dict[str, object] | None
) -> None:
    texts, codes = examples()
    first, second = tmp_path / "one.ftz", tmp_path / "two.ftz"
    made = train(texts, ["animals", "tools"], codes, first, PARAMETERS, quantise=quantise)
    again = train(texts, ["animals", "tools"], codes, second, PARAMETERS, quantise=quantise)
    assert first.read_bytes() == second.read_bytes()
    assert made["model_sha256"] == again["model_sha256"]
    assert made["parameters"]["train"]["dim"] == 4 and made["parameters"]["train"]["seed"] == 3
    model = classifiers.load(first)
    labels, _ = model.predict(texts)
    assert np.mean(labels[:, 0] == np.array(["animals", "tools"])[codes]) > 0.95


def test_the_card_of_a_tuned_model_names_the_parameters_that_were_found(tmp_path: Path) -> None:
    texts, codes = examples(60)
    made = train(
        texts, ["a", "b"], codes, tmp_path / "m.bin", {"dim": 3, "bucket": 1000, "epoch": 2, "wordNgrams": 1},
        validation=(texts, codes), autotune_seconds=1,
    )  # fmt: skip
    assert made["parameters"]["train"]["dim"] == 3
    assert made["parameters"]["autotune_seconds"] == 1


def test_a_training_line_has_the_words_that_scoring_sees() -> None:
    texts = documents()
    lines = one_line(texts).to_pylist()
    assert not any("\n" in line for line in lines)
    for before, line in (
        ("cat\ndog", "cat dog"),
        ("cat </s> hammer", "cat "),
        ("cat </s>x hammer", "cat </s>x hammer"),
        ("</s> hammer", ""),
        ("cat __label__other dog", "cat  dog"),
        ("x__label__tools cat", "x__label__tools cat"),
        ("__label__", ""),
        ("cat\x00__label__x\tdog", "cat\x00\tdog"),
        ("a\u00a0__label__x b", "a\u00a0__label__x b"),
    ):
        assert one_line([before]).to_pylist() == [line]


def test_hostile_texts_change_neither_labels_nor_the_number_of_lines(tmp_path: Path) -> None:
    texts = documents()
    codes = np.arange(len(texts)) % 2
    write_lines(tmp_path / "lines.txt", texts, ["a", "b"], codes)
    content = (tmp_path / "lines.txt").read_bytes()
    assert content.count(b"\n") == len(texts)
    model = fasttext.train_supervised(str(tmp_path / "lines.txt"), dim=2, epoch=1, minCount=1, thread=1, verbose=0)
    assert sorted(model.labels) == ["__label__a", "__label__b"]
    assert dict(zip(*model.get_labels(include_freq=True), strict=True)) == {
        "__label__a": (len(texts) + 1) // 2,
        "__label__b": len(texts) // 2,
    }


def test_lines_and_scoring_agree_on_every_text(tmp_path: Path) -> None:
    texts, codes = examples()
    train(texts, ["animals", "tools"], codes, tmp_path / "m.bin", PARAMETERS)
    model = classifiers.load(tmp_path / "m.bin")
    hostile = documents()
    assert (model.score(hostile, "animals") == model.score(one_line(hostile), "animals")).all()


@pytest.mark.parametrize("label", ["", "two words", "a\tb", "a\nb", "__label__x", "a\0b"])
def test_a_label_that_is_no_word_is_refused(label: str, tmp_path: Path) -> None:
    with pytest.raises(classifiers.ClassifierError, match="cannot be a label"):
        check_label(label)
    with pytest.raises(classifiers.ClassifierError, match="cannot be a label"):
        train(["a", "b"], [label, "fine"], np.array([0, 1]), tmp_path / "m.bin", PARAMETERS)


@pytest.mark.parametrize(
    ("change", "quantise", "message"),
    [
        ({"lr": 1e6}, None, "lower the learning rate"),
        ({"bucket": 10}, {}, "do not quantise"),
        ({"loss": "none"}, None, "fastText cannot train"),
    ],
)
def test_what_fasttext_refuses_is_said_in_words(
    tmp_path: Path, change: dict[str, object], quantise: dict[str, object] | None, message: str
) -> None:
    texts, codes = examples(50)
    with pytest.raises(classifiers.ClassifierError, match=message):
        train(texts, ["a", "b"], codes, tmp_path / "m.ftz", PARAMETERS | change, quantise=quantise)
    assert list(tmp_path.iterdir()) == []


def test_character_ngrams_that_end_before_they_begin_are_refused(tmp_path: Path) -> None:
    (tmp_path / "lines.txt").write_text("__label__a one two\n__label__b three four\n")
    with pytest.raises(ClassifierError, match=r"minn \(5\) is larger than maxn \(3\)"):
        train_lines(tmp_path / "lines.txt", tmp_path / "m.bin", {"minn": 5, "maxn": 3})
