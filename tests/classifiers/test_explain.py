"""What each feature adds to a score, and that it is all there is: the parts sum to the log-odds exactly."""

from __future__ import annotations

import itertools
import math

import fasttext
import numpy as np
import pytest
from small_models import MODELS, Train, documents

import classifiers
from classifiers import ClassifierError
from classifiers.explain import describe, explain

TEXT = "the cat and the dog with a hammer x hammer räv 猫 one unknown word"


def reference_logit(model: fasttext.FastText._FastText, text: str, label: str, against: str | None) -> float:
    """The logit by fastText's own sentence mean and matrices."""
    weights = model.get_output_matrix()
    labels = [name.removeprefix("__label__") for name in model.get_labels()]
    hidden = mean_of_rows(model, text)
    logit = weights @ hidden
    return float(logit[labels.index(label)] - (0 if against is None else logit[labels.index(against)]))


def mean_of_rows(model: fasttext.FastText._FastText, text: str) -> np.ndarray:
    """The hidden vector from fastText's `get_line`-like view: subwords of each word, by its own hashing."""
    matrix = model.get_input_matrix()
    rows: list[int] = []
    for word in [*text.split(), "</s>"]:
        if word == "</s>":
            rows += [model.get_word_id(word)] if model.get_word_id(word) >= 0 else []
        else:
            rows += [row for row in model.get_subwords(word)[1].tolist() if row >= 0]
    return matrix[rows].astype(np.float64).mean(axis=0)


@pytest.mark.parametrize("name", ["softmax, words", "softmax, two labels", "softmax, characters", "negative sampling"])
@pytest.mark.parametrize("label", ["animals", "tools"])
def test_contributions_sum_to_the_logit_of_fasttexts_matrices(train: Train, name: str, label: str) -> None:
    path = train(**MODELS[name])
    found = explain(path, TEXT, label)
    want = reference_logit(fasttext.load_model(str(path)), TEXT, found.label, found.against)
    assert sum(part.contribution for part in found.features) == pytest.approx(want, abs=1e-6)
    assert sum(part.contribution for part in found.words) == pytest.approx(want, abs=1e-6)
    assert found.value == pytest.approx(want, abs=1e-6)


@pytest.mark.parametrize("name", [name for name in MODELS if "hierarchical" not in name])
def test_the_sum_is_the_log_odds_of_the_probabilities_that_scoring_gives(train: Train, name: str) -> None:
    path = train(**MODELS[name])
    model = classifiers.load(path)
    for text in documents():
        if not model.predict([text])[0][0, 0] or len(text) > 5000:
            continue
        found = explain(path, text)
        probability = float(model.score([text], found.label)[0])
        assert found.probability == pytest.approx(probability, abs=1e-5)
        if found.against is None:  # fastText's sigmoid goes in steps of 1/32
            assert 1 / (1 + math.exp(-found.value)) == pytest.approx(probability, abs=1 / 64)
        else:
            rival = float(model.score([text], found.against)[0])
            assert math.log(probability / rival) == pytest.approx(found.value, abs=1e-3), text[:50]


def test_of_two_labels_in_a_huffman_tree_the_turn_decides_alone(train: Train) -> None:
    path = train(**MODELS["hierarchical softmax, two labels"])
    found = explain(path, TEXT)
    odds = found.probability / (found.against_probability or math.nan)
    assert math.log(odds) == pytest.approx(found.value, abs=1e-3)  # fastText adds 1e-5 to each


@pytest.mark.parametrize("name", ["hierarchical softmax", "quantised, retrained, hierarchical"])
def test_the_sum_is_the_odds_of_the_branches_where_two_labels_part(train: Train, name: str) -> None:
    path = train(**MODELS[name])
    found = explain(path, TEXT)
    labels, scores = classifiers.load(path).predict([TEXT], k=5)
    probability = dict(zip(labels[0].tolist(), scores[0].tolist(), strict=True))
    assert found.probability == pytest.approx(probability[found.label], abs=1e-6)
    others = [score for name, score in probability.items() if name not in (found.label, found.against)]
    possible = []
    for sides in itertools.product((0, 1, 2), repeat=len(others)):  # not under this node, with ours, with the other
        ours, theirs = (sum(s for s, side in zip(others, sides, strict=True) if side == which) for which in (1, 2))
        possible.append(math.log((found.probability + ours) / (probability[found.against] + theirs)))
    assert min(abs(value - found.value) for value in possible) < 2e-3


def test_a_word_counts_with_its_character_ngrams(train: Train) -> None:
    found = explain(train(**MODELS["softmax, characters"]), "cat cat hammer", "animals")
    cat = next(part for part in found.words if part.text == "cat")
    assert (cat.kind, cat.count) == ("word", 2)
    of_cat = {"cat", "<c", "<ca", "<cat", "ca", "cat>", "at", "at>", "t>"}
    inside = [part for part in found.features if part.text in of_cat]
    assert sum(part.contribution for part in inside) == pytest.approx(cat.contribution)
    assert cat.contribution > 0 > next(part for part in found.words if part.text == "hammer").contribution


def test_pairs_of_words_are_named(train: Train) -> None:
    found = explain(train(**MODELS["softmax, two labels, word 2-grams"]), "cat hammer")
    assert {"cat hammer", "hammer </s>"} <= {part.text for part in found.features if part.kind == "words"}


def test_an_unknown_label_is_answered_with_those_there_are(train: Train) -> None:
    with pytest.raises(ClassifierError, match=r'no label "plants".*animals'):
        explain(train(**MODELS["softmax, words"]), TEXT, "plants")


def test_a_description_names_sizes_losses_and_ngrams(train: Train) -> None:
    found = describe(train(**MODELS["quantised, pruned, word 2-grams"]))
    assert found["quantised"] and found["loss"] == "softmax" and found["word_ngrams"] == 2
    assert set(found["labels"]) == {"animals", "tools"} and found["dim"] == 10
    assert found["buckets_kept"] + found["words"] == found["input_rows"]
    assert describe("quality")["positive"] == "hq"
