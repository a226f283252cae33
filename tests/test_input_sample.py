"""A small copy of the inputs: in their formats, readable, and standing for the right number of bytes."""

from __future__ import annotations

import bz2
import gzip
import json
import random
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.ipc
import pytest

from curate.errors import InputError
from curate.estimate.input_sample import take_pieces
from curate.shards import plan, read
from tests.corpora import prose, write_jsonl

TEXTS = [f"{prose(seed)} {random.Random(seed).randbytes(1500).hex()}" for seed in range(400)]


def read_back(paths: list[Path]) -> list[str]:
    rejects: list[str] = []
    texts = [
        text
        for shard in plan(paths)
        for batch in read(shard, on_reject=lambda reject: rejects.append(reject.reason))
        for text in batch.texts.to_pylist()
    ]
    assert not rejects
    return texts


def stored(directory: Path, kind: str) -> Path:
    directory.mkdir()
    lines = write_jsonl(directory / "in.jsonl", ({"id": str(i), "text": text} for i, text in enumerate(TEXTS)))
    frame = pl.DataFrame({"id": [str(i) for i in range(len(TEXTS))], "text": TEXTS})
    wet = b"".join(
        b"WARC/1.0\r\nWARC-Type: conversion\r\nContent-Length: %d\r\n\r\n%s\r\n\r\n" % (len(body), body)
        for body in (text.encode() for text in TEXTS)
    )
    content = lines.read_bytes()
    path = directory / f"in.{kind}"
    if kind == "parquet":
        frame.write_parquet(path, row_group_size=50)
    elif kind == "arrow":
        with pa.ipc.new_file(path, frame.to_arrow().schema) as out:
            out.write_table(frame.to_arrow(), max_chunksize=20)
    elif kind == "arrows":
        with pa.ipc.new_stream(path, frame.to_arrow().schema) as out:
            out.write_table(frame.to_arrow(), max_chunksize=20)
    elif kind == "jsonl.zst":
        with pa.CompressedOutputStream(str(path), "zstd") as out:
            out.write(content)
    elif kind != "jsonl":
        made = {"jsonl.gz": gzip.compress(content), "jsonl.bz2": bz2.compress(content), "wet": wet}
        path.write_bytes(made[kind] if kind in made else gzip.compress(wet))
    if kind != "jsonl":
        lines.unlink()
    return path


@pytest.mark.parametrize(
    "kind", ["jsonl", "jsonl.gz", "jsonl.zst", "jsonl.bz2", "parquet", "arrow", "arrows", "wet", "wet.gz"]
)
def test_pieces_hold_whole_documents_and_stand_for_their_share_of_the_file(kind: str, tmp_path: Path) -> None:
    path = stored(tmp_path / "raw", kind)
    (tmp_path / "sample").mkdir()
    pieces = take_pieces(plan([path]), tmp_path / "sample", 300_000)
    texts = read_back([piece.path for piece in pieces])
    assert set(texts) <= set(TEXTS)
    share = sum(piece.bytes for piece in pieces) / path.stat().st_size
    if kind == "jsonl.bz2":  # comes in blocks of 900 kB
        assert share == pytest.approx(len(texts) / len(TEXTS), rel=0.5)
    else:
        assert 20 < len(texts) < 300
        assert share == pytest.approx(len(texts) / len(TEXTS), rel=0.25)


def test_inputs_that_fit_are_copied_whole(tmp_path: Path) -> None:
    path = stored(tmp_path / "raw", "jsonl.gz")
    (tmp_path / "sample").mkdir()
    [piece] = take_pieces(plan([path]), tmp_path / "sample", 10_000_000)
    assert read_back([piece.path]) == TEXTS
    assert piece.bytes == path.stat().st_size


def test_long_documents_are_not_left_out(tmp_path: Path) -> None:
    """One in ten documents is longer than what is copied from a place: in the sample it must be one in ten too."""
    texts = ["x" * (120_000 if number % 10 == 3 else 900) for number in range(1500)]
    path = write_jsonl(tmp_path / "raw" / "in.jsonl", ({"text": text} for text in texts))
    shards = plan([path], target_bytes=4_000_000)
    assert len(shards) > 3, "places in the middle of lines, in parts that begin in the middle of lines"
    shares = []
    for places in range(30, 60):
        folder = tmp_path / f"sample-{places}"
        folder.mkdir()
        found = read_back([piece.path for piece in take_pieces(shards, folder, 3_000_000, places)])
        shares.append(sum(len(text) > 900 for text in found) / len(found))
    assert np.mean(shares) == pytest.approx(0.1, rel=0.25)


def test_no_line_is_copied_twice_and_the_last_may_end_with_the_file(tmp_path: Path) -> None:
    lines = [f'{{"id": "{number}", "text": "{"y" * (number * 37 % 2000)}"}}' for number in range(300)]
    path = tmp_path / "in.jsonl"
    path.write_text("\n".join(lines))
    for places in (1, 7, 40):
        folder = tmp_path / f"sample-{places}"
        folder.mkdir()
        pieces = take_pieces(plan([path]), folder, int(0.9 * path.stat().st_size), places)
        copied = [line for piece in pieces for line in piece.path.read_text().splitlines()]
        assert len(copied) == len(set(copied)) and set(copied) <= set(lines)
        assert sum(piece.bytes for piece in pieces) <= path.stat().st_size


def test_every_source_has_its_share(tmp_path: Path) -> None:
    big = write_jsonl(tmp_path / "raw" / "big.jsonl", ({"text": text} for text in TEXTS[:300]))
    small = write_jsonl(tmp_path / "raw" / "small.jsonl", ({"text": text} for text in TEXTS[300:]))
    (tmp_path / "sample").mkdir()
    pieces = take_pieces(plan([f"big={big}", f"small={small}"]), tmp_path / "sample", 400_000)
    held = {source: sum(p.bytes for p in pieces if p.source == source) for source in ("big", "small")}
    assert held["big"] / held["small"] == pytest.approx(3, rel=0.25)


def test_text_files_are_copied_one_by_one(tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    for number, text in enumerate(TEXTS[:50]):
        (tmp_path / "raw" / f"{number}.txt").write_text(text)
    (tmp_path / "sample").mkdir()
    pieces = take_pieces(plan([tmp_path / "raw"]), tmp_path / "sample", 5_000)
    assert 1 < len(pieces) < 50
    assert set(read_back([piece.path for piece in pieces])) <= set(TEXTS)


def test_text_files_may_have_the_longest_names_there_are(tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    for number in range(9):
        (tmp_path / "raw" / f"{str(number) * 251}.txt").write_text(TEXTS[number])
        (tmp_path / "raw" / f"{'x.' * 120}{number}.txt.gz").write_bytes(gzip.compress(TEXTS[20 + number].encode()))
    (tmp_path / "sample").mkdir()
    pieces = take_pieces(plan([tmp_path / "raw"]), tmp_path / "sample", 10_000_000)
    assert set(read_back([piece.path for piece in pieces])) == {*TEXTS[:9], *TEXTS[20:29]}


def test_a_bad_file_is_copied_as_it_is_where_such_files_are_skipped(tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    broken = tmp_path / "raw" / "broken.jsonl.gz"
    broken.write_bytes(b"no gzip at all " * 70_000)
    write_jsonl(tmp_path / "raw" / "plain.jsonl", ({"text": text} for text in TEXTS))
    (tmp_path / "raw" / "gone.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in TEXTS))
    shards = plan([tmp_path / "raw"])
    (tmp_path / "raw" / "gone.jsonl").unlink()
    for budget in (100_000, 10_000_000):
        folder = tmp_path / f"sample-{budget}"
        folder.mkdir()
        with pytest.raises(InputError):
            take_pieces(shards, folder, budget)
        folder = tmp_path / f"skipped-{budget}"
        folder.mkdir()
        pieces = {Path(piece.origin).name: piece for piece in take_pieces(shards, folder, budget, skip_bad=True)}
        assert set(pieces) == {"broken.jsonl.gz", "plain.jsonl"}
        assert broken.read_bytes().startswith(pieces["broken.jsonl.gz"].path.read_bytes())
        assert set(read_back([pieces["plain.jsonl"].path])) <= set(TEXTS)


def test_nothing_of_nothing_and_a_damaged_file_is_named(tmp_path: Path) -> None:
    empty = write_jsonl(tmp_path / "empty.jsonl", [])
    assert take_pieces(plan([empty]), tmp_path, 1000) == []
    broken = tmp_path / "broken.jsonl.gz"
    broken.write_bytes(gzip.compress("".join(TEXTS).encode())[:200_000])
    (tmp_path / "sample").mkdir()
    with pytest.raises(InputError, match=r"broken\.jsonl\.gz"):
        take_pieces(plan([broken]), tmp_path / "sample", 1_000_000)


def test_places_inside_one_document_give_the_first(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("".join(json.dumps({"text": letter * 500_000}) + "\n" for letter in "ab"))
    folder = tmp_path / "pieces"
    folder.mkdir()
    [shard] = plan([path])
    found = [take_pieces([shard], folder, 1000, places) for places in (1, 2, 3)]
    assert all(sum(piece.bytes for piece in pieces) > 500_000 for pieces in found)
