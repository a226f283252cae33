"""A truncated, damaged or hostile model file is refused with a message that names it; it never crashes the process."""

from __future__ import annotations

import random
import struct
import time
import tracemalloc
from pathlib import Path

import pytest
from small_models import MODELS, Train

import classifiers
from classifiers import ClassifierError

HEADER = 8 + 12 * 4 + 8  # magic, version, twelve arguments, t


@pytest.fixture
def dense(train: Train) -> bytes:
    return train(labels=2, dim=4, wordNgrams=2, bucket=300).read_bytes()


@pytest.fixture
def pruned(train: Train) -> bytes:
    return train(quantise={"cutoff": 300, "qnorm": True}, minn=2, maxn=3).read_bytes()


def refused(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    with pytest.raises(ClassifierError) as caught:
        classifiers.load(path)
    assert str(path) in str(caught.value)
    return str(caught.value)


def patched(content: bytes, at: int, layout: str, value: float) -> bytes:
    packed = struct.pack("<" + layout, value)
    return content[:at] + packed + content[at + len(packed) :]


@pytest.mark.parametrize("kind", ["dense", "pruned"])
def test_every_truncation_is_refused(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    content: bytes = request.getfixturevalue(kind)
    places = random.Random(0).sample(range(len(content)), 60)
    for size in (0, 1, 7, 8, HEADER - 1, HEADER, HEADER + 20, len(content) - 1, *places):
        refused(tmp_path / "cut.bin", content[:size])


def test_random_damage_never_crashes(dense: bytes, pruned: bytes, tmp_path: Path) -> None:
    rng = random.Random(1)
    path = tmp_path / "damaged.bin"
    for _ in range(150):
        content = bytearray(rng.choice((dense, pruned)))
        for _ in range(rng.randint(1, 4)):
            at = rng.randrange(len(content)) if rng.random() < 0.5 else rng.randrange(HEADER + 600)
            content[at] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))
        path.write_bytes(content)
        try:
            model = classifiers.load(path)
        except ClassifierError as error:
            assert str(path) in str(error)
        else:
            codes, _ = model.predict_codes(["cat dog hammer", "räv 猫", "</s>", "\x00"])
            assert all(-1 <= code < len(model.labels) for code in codes)


EXTREMES = [0, 1, -1, 3, 64, 255, 2**16, 2**20, 2**27, 2**28, 2**30, 2**31 - 1, -(2**31)]
LARGEST_ALLOCATION = 256 << 20  # bytes; the files have less than a megabyte


@pytest.mark.parametrize(
    "name",
    [
        "softmax, two labels, word 2-grams",
        "hierarchical softmax, characters",
        "one vs all, characters",
        "quantised, odd width, norms",
        "quantised, pruned, word 2-grams",
        "quantised, retrained, hierarchical",
    ],
)
def test_numbers_that_lie_cost_neither_memory_nor_time(train: Train, tmp_path: Path, name: str) -> None:
    content = train(**MODELS[name]).read_bytes()
    rng = random.Random(name)
    header = [8 + 4 * i for i in range(12)] + [HEADER + 4 * i for i in range(7)]
    matrices = [len(content) - rng.randrange(8, 3000) for _ in range(60)]  # sizes among codes and centroids
    path = tmp_path / "lies.bin"
    for at in [*header * 4, *matrices]:
        path.write_bytes(patched(content, at, "i", rng.choice(EXTREMES)))
        started = time.monotonic()
        tracemalloc.start()
        try:
            model = classifiers.load(path)
            codes, _ = model.predict_codes(["cat dog hammer räv 猫 " * 50, "</s>", "\x00"])
            assert all(-1 <= code < len(model.labels) for code in codes)
        except ClassifierError as error:
            assert str(path) in str(error)
        finally:
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
        assert peak < LARGEST_ALLOCATION, at
        assert time.monotonic() - started < 5, at


def test_a_pruned_model_of_two_billion_buckets_is_refused(pruned: bytes, tmp_path: Path) -> None:
    assert "buckets" in refused(tmp_path / "hostile.ftz", patched(pruned, 8 + 8 * 4, "i", 2**31 - 1))


def test_a_code_for_hundreds_of_columns_is_refused(train: Train, tmp_path: Path) -> None:
    """One byte a row that stands for a kilobyte would let a small file ask for any memory."""
    wide = train(dim=80, quantise={"dsub": 80}, wordNgrams=2).read_bytes()
    assert "impossible quantiser" in refused(tmp_path / "wide.ftz", wide)


def test_a_model_of_many_labels_is_scored_a_few_documents_at_a_time(
    train: Train, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = classifiers.load(train(**MODELS["softmax, words"]))
    texts = ["cat dog", "hammer", "rain snow", "bread"] * 3
    labels, scores = model.predict_codes(texts)
    monkeypatch.setattr("classifiers.model.CHUNK_VALUES", 17)  # three documents of five labels
    again, same = model.predict_codes(texts)
    assert again.tolist() == labels.tolist() and same.tolist() == scores.tolist()


@pytest.mark.parametrize(
    ("at", "layout", "value", "says"),
    [
        (0, "i", 1, "not a fastText model"),
        (4, "i", 99, "version 99"),
        (8, "i", 2**30, "input matrix"),  # dim
        (8, "i", -1, "impossible arguments"),
        (8 + 5 * 4, "i", 2**30, "impossible arguments"),  # word n-grams
        (8 + 6 * 4, "i", 9, "impossible arguments"),  # loss
        (8 + 7 * 4, "i", 1, "word vectors"),  # model
        (8 + 8 * 4, "i", 0, "without buckets"),
        (8 + 8 * 4, "i", 2**31 - 1, "input matrix"),
        (HEADER, "i", 2**31 - 1, "entries"),
        (HEADER + 4, "i", -5, "entries"),
        (HEADER + 8, "i", 0, "labels"),
        (HEADER + 20, "q", 2**40, "buckets kept"),
        (HEADER + 20, "q", 5, ""),
    ],
)
def test_impossible_numbers_are_refused(
    dense: bytes, tmp_path: Path, at: int, layout: str, value: int, says: str
) -> None:
    assert says in refused(tmp_path / "hostile.bin", patched(dense, at, layout, value))


def test_values_that_are_not_numbers_are_refused(dense: bytes, tmp_path: Path) -> None:
    message = refused(tmp_path / "nan.bin", patched(dense, len(dense) - 4, "f", float("nan")))
    assert "not numbers" in message


def test_a_file_that_is_something_else_is_refused(tmp_path: Path) -> None:
    assert "not a fastText model" in refused(tmp_path / "model.bin", b"\x80\x04 a pickle, say" * 100)


def test_an_unknown_name_is_answered_with_a_suggestion() -> None:
    with pytest.raises(ClassifierError, match='did you mean "language"'):
        classifiers.load("langauge")


def test_a_folder_is_not_a_model(tmp_path: Path) -> None:
    with pytest.raises(ClassifierError, match="folder"):
        classifiers.load(tmp_path)


def test_a_broken_card_is_named(train: Train, tmp_path: Path) -> None:
    model = tmp_path / "m.bin"
    model.write_bytes(train(labels=2).read_bytes())
    model.with_suffix(".json").write_text("{", encoding="utf-8")
    with pytest.raises(ClassifierError, match=r"m\.json.*not JSON"):
        classifiers.load(model)
