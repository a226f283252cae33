"""What a loaded model promises beside equality with fastText: inputs, shapes, threads, cards, cheap import."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from small_models import MODELS, Train, documents

import classifiers
from classifiers import ClassifierError
from classifiers.arrow import as_strings

TEXTS = ["the cat and the dog", "hammer saw", "soup with bread", ""]


def test_every_kind_of_input_gives_the_same(train: Train) -> None:
    model = classifiers.load(train())
    want = model.predict(TEXTS)[1]
    sliced = pa.array(["other", *TEXTS, "more"])[1:-1]
    chunked = pa.chunked_array([TEXTS[:1], TEXTS[1:]])
    large = pa.array(TEXTS, pa.large_string())
    for texts in (tuple(TEXTS), pa.array(TEXTS), large, sliced, chunked, pl.Series(TEXTS), as_strings(TEXTS)):
        np.testing.assert_array_equal(model.predict(texts)[1], want)


def test_null_counts_as_the_empty_text(train: Train) -> None:
    model = classifiers.load(train())
    np.testing.assert_array_equal(model.predict([None, "cat"])[1], model.predict(["", "cat"])[1])


def test_no_texts_give_no_rows(train: Train) -> None:
    model = classifiers.load(train())
    assert model.predict([])[0].shape == (0, 1)
    assert model.score([], "food").shape == (0,)


def test_one_string_is_refused(train: Train) -> None:
    with pytest.raises(TypeError, match="list"):
        classifiers.load(train()).predict("a text")


def test_codes_are_indices_into_labels(train: Train) -> None:
    model = classifiers.load(train())
    codes, scores = model.predict_codes(TEXTS)
    assert codes.dtype == np.int32 and scores.dtype == np.float32
    labels, same = model.predict(TEXTS)
    assert [model.labels[code] for code in codes] == labels[:, 0].tolist()
    np.testing.assert_array_equal(scores, same[:, 0])


def test_more_labels_than_there_are_come_as_none(train: Train) -> None:
    labels, scores = classifiers.load(train(labels=2)).predict(["cat"], k=4)
    assert labels[0, 2:].tolist() == [None, None] and scores[0, 2:].tolist() == [0, 0]


def test_an_unknown_label_and_a_k_of_0_are_refused(train: Train) -> None:
    model = classifiers.load(train())
    with pytest.raises(ClassifierError, match=r'no label "cars".*food'):
        model.score(TEXTS, "cars")
    with pytest.raises(ClassifierError, match="at least 1"):
        model.predict(TEXTS, k=0)
    with pytest.raises(ClassifierError, match="say which label"):
        model.score(TEXTS)


def test_a_card_names_the_label_that_score_means(train: Train, tmp_path: Path) -> None:
    path = tmp_path / "mine.bin"
    path.write_bytes(train(labels=2).read_bytes())
    path.with_suffix(".json").write_text(json.dumps({"positive": "animals"}), encoding="utf-8")
    model = classifiers.load(path)
    assert model.positive == "animals"
    np.testing.assert_array_equal(model.score(TEXTS), model.score(TEXTS, "animals"))
    path.with_suffix(".json").write_text(json.dumps({"positive": "nothing"}), encoding="utf-8")
    with pytest.raises(ClassifierError, match='no label "nothing"'):
        classifiers.load(path)


@pytest.mark.parametrize("name", ["softmax, characters and word 2-grams", "quantised, pruned", "softmax, two labels"])
def test_threads_share_a_model_and_change_nothing(train: Train, name: str) -> None:
    texts = documents() * 20
    alone = classifiers.load(train(**MODELS[name])).predict(texts)[1]
    shared = classifiers.load(train(**MODELS[name]))
    parts = [texts[start : start + 97] for start in range(0, len(texts), 97)]
    with ThreadPoolExecutor(4) as pool:
        scores = np.concatenate(list(pool.map(lambda part: shared.predict(part)[1], parts)))
    np.testing.assert_array_equal(scores, alone)


def test_a_score_does_not_depend_on_the_texts_before(train: Train, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("classifiers.model.CACHE_SLOTS", 4)  # every word pushes another out
    texts = documents()
    crowded = classifiers.load(train(**MODELS["softmax, characters and word 2-grams"]))
    one_by_one = [crowded.predict([text])[1] for text in reversed(texts)]
    np.testing.assert_array_equal(np.concatenate(one_by_one[::-1]), crowded.predict(texts)[1])


def test_bytes_that_are_not_utf8_are_scored_without_harm(train: Train) -> None:
    model = classifiers.load(train(**MODELS["softmax, characters"]))
    rng = np.random.default_rng(3)
    data = rng.integers(0, 256, 20_000, np.uint8)
    offsets = np.sort(rng.integers(0, len(data), 300)).astype(np.int64)
    codes, scores = model.predict_codes(classifiers.arrow.Strings(data, offsets))
    assert ((codes >= 0) & (codes < len(model.labels))).all() and ((scores > 0) & (scores <= 1)).all()


def test_importing_the_package_is_cheap() -> None:
    code = "import sys, classifiers; print(*sorted({'numpy', 'numba', 'pyarrow', 'typing'} & set(sys.modules)))"
    loaded = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, check=True, env=None)
    assert loaded.stdout.split() == []


def test_the_public_names_are_those_listed() -> None:
    for name in classifiers.__all__:
        assert getattr(classifiers, name)
    with pytest.raises(AttributeError):
        _ = classifiers.nothing


def test_warm_up_leaves_nothing_to_compile(train: Train) -> None:
    from classifiers.kernels import features, outputs, vocabulary, warm_up

    def compiled() -> dict[str, int]:
        kernels = [k for module in (features, outputs, vocabulary) for k in vars(module).values()]
        return {k.py_func.__name__: len(k.signatures) for k in kernels if hasattr(k, "signatures")}

    warm_up()
    before = compiled()
    for arguments in MODELS.values():
        classifiers.load(train(**arguments)).predict(pl.Series(TEXTS), k=1)
    assert compiled() == before
