"""A truncated, damaged or hostile model file is refused with a message that names it; it never crashes the process."""

from __future__ import annotations

import random
import struct
from pathlib import Path

import pytest
from small_models import Train

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
