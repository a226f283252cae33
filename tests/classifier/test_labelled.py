"""Labelled documents: what is chosen depends on the texts alone, and near-duplicates stay on one side."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from curate.classifier.labelled import gather, parse_labelled
from curate.classifier.splits import near_duplicates, split
from curate.engines.local import Local
from curate.errors import InputError
from tests.corpora import prose, write_jsonl

_ADVERTISING = ["buy", "now", "cheap", "free", "offer", "click", "win", "prize", "money"]


def records(texts: list[str]) -> list[dict[str, object]]:
    return [{"id": str(number), "text": text} for number, text in enumerate(texts)]


def good(count: int, start: int = 0) -> list[str]:
    return [prose(number) for number in range(start, start + count)]


def bad(count: int, start: int = 0) -> list[str]:
    return [
        " ".join(
            random.Random(number).choices(
                ["buy", "now", "cheap", "free", "offer", "click", "win", "prize", "money"], k=40
            )
        )
        for number in range(start, start + count)
    ]


def test_the_choice_depends_neither_on_files_nor_on_order_nor_on_threads(tmp_path: Path) -> None:
    one = write_jsonl(tmp_path / "one" / "good.jsonl", records(good(60)))
    two = tmp_path / "two"
    write_jsonl(two / "a.jsonl", records(good(60)[::-1][:25]))
    write_jsonl(two / "b.jsonl", records(good(60)[::-1][25:]))
    other = write_jsonl(tmp_path / "bad.jsonl", records(bad(50)))
    texts = []
    contents = set()
    for given, threads in ((one, 1), (two, 3)):
        inputs = {"good": [f"web={given}"], "bad": [str(other)]}
        documents, found = gather(inputs, max_per_label=20, seed=5, engine=Local(threads))
        parts = split(documents, {"test": 0.3}, seed=5)
        texts.append([(name, part.texts.to_pylist(), part.codes.tolist()) for name, part in parts.items()])
        contents.add(found["good"].content)
        assert found["good"].documents == 60 and found["good"].used == 20
    assert texts[0] == texts[1]
    assert len(contents) == 1
    another, _ = gather(inputs, max_per_label=20, seed=6)
    assert set(another.texts.to_pylist()) != {text for _, part, _ in texts[0] for text in part}


def test_balance_gives_every_label_as_many_documents_as_the_smallest_has(tmp_path: Path) -> None:
    inputs = {
        "good": [str(write_jsonl(tmp_path / "good.jsonl", records(good(40))))],
        "bad": [str(write_jsonl(tmp_path / "bad.jsonl", records(bad(15))))],
    }
    assert gather(inputs)[0].counts() == {"good": 15, "bad": 15}
    documents, found = gather(inputs, balance=False)
    assert documents.counts() == {"good": 40, "bad": 15}
    assert found["good"].sampled_out == 0
    runs = np.count_nonzero(np.diff(documents.codes))
    assert runs > 10, "labels take turns: fastText learns from lines in their order"


def test_what_is_left_out_is_counted(tmp_path: Path) -> None:
    texts = [*good(10), good(1)[0] + "  \n", "  ", bad(1)[0]]
    inputs = {
        "good": [str(write_jsonl(tmp_path / "good.jsonl", [*records(texts), {"id": "x"}]))],
        "bad": [str(write_jsonl(tmp_path / "bad.jsonl", records(bad(10))))],
    }
    documents, found = gather(inputs, balance=False)
    facts = found["good"]
    assert (facts.documents, facts.empty, facts.repeated, facts.contradictory) == (13, 1, 1, 1)
    assert facts.used == 10 and found["bad"].used == 9
    assert facts.rejected == 1
    assert bad(1)[0] not in documents.texts.to_pylist(), "a text of two labels teaches neither"


def planted(tmp_path: Path, pairs: int) -> dict[str, list[str]]:
    """Near-duplicates inside a label and across labels, and documents without any."""
    originals = good(pairs)
    near = [text + " One more short remark." for text in originals]
    across = [text.replace("people", "persons", 1) for text in originals[: pairs // 2]]
    return {
        "good": [str(write_jsonl(tmp_path / "good.jsonl", records(originals + near)))],
        "bad": [str(write_jsonl(tmp_path / "bad.jsonl", records(across + bad(pairs * 2))))],
    }


def test_near_duplicates_never_fall_on_both_sides(tmp_path: Path) -> None:
    documents, _ = gather(planted(tmp_path, 80), balance=False)
    cluster = near_duplicates(documents)
    parts = split(documents, {"test": 0.25, "validation": 0.25})
    where = {text: name for name, part in parts.items() for text in part.texts.to_pylist()}
    assert len(where) == len(documents)
    assert Counter(where.values())["test"] > 10
    for text in good(80):
        assert where[text] == where[text + " One more short remark."]
        changed = text.replace("people", "persons", 1)
        assert where.get(changed, where[text]) == where[text]
    assert len(np.unique(cluster)) <= len(documents) - 120


def test_more_documents_do_not_move_those_that_are_there(tmp_path: Path) -> None:
    def sides(count: int) -> dict[str, str]:
        inputs = {
            "good": [str(write_jsonl(tmp_path / "good.jsonl", records(good(count))))],
            "bad": [str(write_jsonl(tmp_path / "bad.jsonl", records(bad(count))))],
        }
        parts = split(gather(inputs)[0], {"test": 0.2}, seed=1)
        return {text: name for name, part in parts.items() for text in part.texts.to_pylist()}

    few, many = sides(60), sides(120)
    assert few.items() <= many.items()


def test_a_cluster_that_would_fill_a_part_is_trained_on(tmp_path: Path) -> None:
    same = [prose(1, 60) + f" Copy number {number}." for number in range(40)]
    inputs = {
        "good": [str(write_jsonl(tmp_path / "good.jsonl", records(same + good(60, 100))))],
        "bad": [str(write_jsonl(tmp_path / "bad.jsonl", records(bad(100))))],
    }
    for seed in range(6):
        parts = split(gather(inputs, balance=False)[0], {"test": 0.2}, seed)
        assert not set(same) & set(parts["test"].texts.to_pylist())


def test_chains_of_near_duplicates_are_those_of_brute_force(tmp_path: Path) -> None:
    from curate.dedup import jaccard, shingles

    documents, _ = gather(planted(tmp_path, 12), balance=False)
    cluster = near_duplicates(documents)
    sets = [shingles(text) for text in documents.texts.to_pylist()]
    for i in range(len(sets)):
        for j in range(i):
            if jaccard(sets[i], sets[j]) >= 0.8:
                assert cluster[i] == cluster[j]


def test_mistakes_of_the_user_are_told_with_the_label(tmp_path: Path) -> None:
    some = str(write_jsonl(tmp_path / "good.jsonl", records(good(5))))
    empty = str(write_jsonl(tmp_path / "empty.jsonl", records(["", " "])))
    few = str(write_jsonl(tmp_path / "bad.jsonl", records(bad(5))))
    for inputs, message in (
        ({"good": [some]}, "at least two labels"),
        ({"good": [some], "bad": [empty]}, 'label "bad": no documents with text'),
        ({"good": [some], "bad": [some]}, "in the inputs of another label too"),
        ({"good": [some], "very bad": [few]}, "must be one word"),
        ({"good": [some], "bad": [str(tmp_path / "none.jsonl")]}, "no such file"),
    ):
        with pytest.raises(InputError, match=message):
            gather(inputs)
    with pytest.raises(InputError, match="none of them fell into the test part"):
        split(gather({"good": [some], "bad": [few]})[0], {"test": 0.001})
    with pytest.raises(InputError, match="no column"):
        gather({"good": [some], "bad": [few]}, text_column="body")


def test_options_are_a_name_and_an_input() -> None:
    assert parse_labelled(["a=x", "b=s=y", "a=z"], "--label") == {"a": ["x", "z"], "b": ["s=y"]}
    for wrong in ("x", "=x", "a="):
        with pytest.raises(InputError, match="write it as NAME=INPUT"):
            parse_labelled([wrong], "--label")


def test_taking_documents_keeps_all_columns_together() -> None:
    from curate.classifier.labelled import Labelled

    hashes = np.arange(6, dtype=np.uint64).reshape(3, 2)
    codes, sources = np.array([0, 1, 1], np.int32), np.array([0, 0, 1], np.int32)
    whole = Labelled(["a", "b"], ["s", "t"], pa.array(["x", "y", "z"], pa.large_string()), codes, sources, hashes)
    for part in (whole.take(np.array([2, 0])), whole.take(np.array([True, False, True]))):
        assert sorted(zip(part.texts.to_pylist(), part.codes, part.sources, part.hashes[:, 0], strict=True)) == [
            ("x", 0, 0, 0),
            ("z", 1, 1, 4),
        ]
