"""Nothing is lost without a word: damaged files, numbers that do not add up, a large file that was half measured."""

from __future__ import annotations

import gzip
import importlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

import curate
from curate.measure.journal import Journal
from curate.measure.stage import measure_batch
from tests.corpora import prose
from tests.test_corpus import contents, recipe

FOLDERS = ("signals", "sketches", "decisions", "mix")


def copy_of(run: curate.Run, place: Path) -> curate.Run:
    shutil.copytree(run.path, place)
    return curate.Run(place)


def rewritten(path: Path, change: Callable[[pa.Table], pa.Table]) -> None:
    """Change a table of a run as somebody would who knows its format: the footer and its checksums are right."""
    table = change(pq.read_table(path, partitioning=None))
    kept = {b"curate": (pq.read_metadata(path).metadata or {}).get(b"curate", b"")}
    pq.write_table(table.replace_schema_metadata(kept), path, write_page_checksum=True)


def without_first_row(table: pa.Table) -> pa.Table:
    return table.slice(1)


def one_byte_more(table: pa.Table) -> pa.Table:
    sizes = table["byte_count"].to_numpy().copy()
    sizes[0] += 1
    return table.set_column(table.column_names.index("byte_count"), "byte_count", pa.array(sizes))


def one_token_less(table: pa.Table) -> pa.Table:
    at = table.column_names.index("token_count")
    return table.set_column(
        at, "token_count", pc.subtract(table["token_count"], np.eye(1, len(table), dtype=np.int64)[0])
    )


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (without_first_row, "34 documents were counted, 33 are on disk"),
        (one_byte_more, r"bytes were counted, .* are on disk"),
        (one_token_less, r"tokens were counted, .* are on disk"),
    ],
)
def test_a_shard_whose_numbers_do_not_add_up_is_named_and_measured_again(
    change: Callable[[pa.Table], pa.Table], says: str, corpus_dir: Path, finished_run: curate.Run, tmp_path: Path
) -> None:
    run = copy_of(finished_run, tmp_path / "run")
    shard = run.measured[0]
    rewritten(run.signals_file(shard), change)
    del run.manifest["stages"]["measure"]["files"]  # as after an interruption: nothing says yet how files should be
    run.manifest["stages"]["measure"]["done"] = False
    run.save()
    with pytest.raises(curate.RunError, match=f"shard {shard.name}: .*{says}"):
        curate.corpus(corpus_dir, run.path, recipe())
    again = curate.corpus(corpus_dir, run.path, recipe())
    assert contents(again, *FOLDERS) == contents(finished_run, *FOLDERS)


def test_a_document_both_kept_and_dropped_is_an_error_that_names_the_shard(
    finished_run: curate.Run, tmp_path: Path
) -> None:
    from curate.conservation import check_decided

    run = copy_of(finished_run, tmp_path / "run")
    shard = run.measured[0]
    check_decided(run, shard)
    rewritten(
        run.decisions_file(shard),
        lambda table: table.set_column(table.column_names.index("kept"), "kept", pa.array([True] * len(table))),
    )
    with pytest.raises(curate.RunError, match=f"shard {shard.name}: .* came in, .* were kept or dropped"):
        check_decided(run, shard)


def test_a_mix_that_is_not_what_was_decided_is_an_error_that_names_the_shard(
    corpus_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:

    task = importlib.import_module("curate.write.task")
    monkeypatch.setattr(task, "clean", lambda texts, cleaners: as_if_cut(texts))
    with pytest.raises(curate.RunError, match=r"shard .*: .* bytes were decided on, .* were written"):
        curate.corpus(corpus_dir, tmp_path / "run", recipe())


def as_if_cut(texts: pa.Array) -> object:
    from classifiers.arrow import as_strings

    return as_strings(pc.utf8_slice_codeunits(texts, 0, 5))


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def flip(path: Path) -> None:
    """Flip one bit in the middle, where only a checksum can see it."""
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 4
    path.write_bytes(content)


@pytest.mark.parametrize("damage", [truncate, flip, Path.unlink], ids=["truncated", "flipped", "deleted"])
@pytest.mark.parametrize("folder", FOLDERS)
def test_a_damaged_file_is_made_again_by_the_same_command(
    folder: str, damage: Callable[[Path], None], corpus_dir: Path, finished_run: curate.Run, tmp_path: Path
) -> None:
    run = copy_of(finished_run, tmp_path / "run")
    damage(next(path for path in (run.path / folder).rglob("*.parquet")))
    for attempt in range(3):
        try:
            run = curate.corpus(corpus_dir, run.path, recipe())
            break
        except curate.RunError as error:
            assert "is damaged" in str(error) and attempt < 2
    assert contents(run, *FOLDERS) == contents(finished_run, *FOLDERS)


def test_a_damaged_manifest_is_an_error_that_says_what_to_do(
    corpus_dir: Path, finished_run: curate.Run, tmp_path: Path
) -> None:
    run = copy_of(finished_run, tmp_path / "run")
    truncate(run.path / "run.json")
    with pytest.raises(curate.RunError, match=r"manifest is damaged: delete .*run and run again"):
        curate.corpus(corpus_dir, run.path, recipe())


def test_an_input_that_changed_is_seen_though_size_and_time_are_the_same(corpus_dir: Path, tmp_path: Path) -> None:
    shutil.copytree(corpus_dir, tmp_path / "in")
    run = curate.corpus(tmp_path / "in", tmp_path / "run", recipe())
    path = tmp_path / "in" / "a.jsonl"
    state = path.stat()
    path.write_bytes(path.read_bytes().replace(b"garden", b"forest"))
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    with pytest.raises(curate.InputError, match=r"a\.jsonl has changed since it was measured"):
        run.check_unchanged(run.shards[0])
    again = curate.corpus(tmp_path / "in", tmp_path / "run", recipe())
    number = next(i for i in range(7, 30) if "garden" in prose(i))
    text = again.mix().filter(id=f"d{number}").collect()["text"].to_list()
    assert text == [prose(number).replace("garden", "forest")]


# Resuming inside a file


@pytest.fixture
def large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A compressed file, which cannot be cut into parts, that counts as large and is read in many batches."""
    lines = [json.dumps({"id": f"d{i}", "text": prose(i), "n": i if i < 300 else str(i)}) for i in range(400)]
    lines[7:7] = ['{"text": 5}', "no json"]
    path = tmp_path / "large.jsonl.gz"
    path.write_bytes(gzip.compress("\n".join(lines).encode()))
    monkeypatch.setattr(importlib.import_module("curate.measure.journal"), "LEAST_BYTES", 0)
    options = importlib.import_module("curate.shards.batches").ReadOptions
    given = tuple(8_000 if value == 4 << 20 else value for value in options.__init__.__defaults__)
    monkeypatch.setattr(options.__init__, "__defaults__", given)
    return path


def test_a_large_file_that_was_interrupted_is_not_measured_from_its_start(
    large: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    undisturbed = curate.corpus(large, tmp_path / "undisturbed", recipe())
    stage = importlib.import_module("curate.measure.stage")
    measured: list[int] = []

    def counting(batch: object, **facts: object) -> object:
        measured.append(1)
        if len(measured) == stop_at:
            raise KeyboardInterrupt
        return measure_batch(batch, **facts)  # type: ignore[arg-type]

    monkeypatch.setattr(stage, "measure_batch", counting)
    stop_at = -1
    curate.corpus(large, tmp_path / "counted", recipe(), threads=1)
    all_batches = len(measured)
    assert all_batches > 20
    measured.clear()
    stop_at = all_batches * 9 // 10
    with pytest.raises(KeyboardInterrupt):
        curate.corpus(large, tmp_path / "run", recipe(), threads=1)
    stop_at = -1
    measured.clear()
    run = curate.corpus(large, tmp_path / "run", recipe(), threads=1)
    assert len(measured) < all_batches / 4
    assert contents(run, *FOLDERS, "rejects") == contents(undisturbed, *FOLDERS, "rejects")
    assert run.report["input"] == undisturbed.report["input"]
    assert run.report["rejected"]["documents"] == 2
    assert not list((run.path / "state").glob("*.journal"))


@pytest.mark.parametrize("cut", [1, 5, 11, 13, 200, 5000])
def test_a_journal_drops_what_was_cut_off_and_goes_on(cut: int, tmp_path: Path) -> None:
    tables = [(pa.table({"doc": [i, i + 1]}), pa.table({"doc": [i]})) for i in range(6)]
    path = tmp_path / "state" / "j"
    with Journal(path, "key", True) as journal:
        for signals, sketches in tables:
            journal.append(signals, sketches)
    os.truncate(path, max(path.stat().st_size - cut, 0))
    with Journal(path, "key", True) as journal:
        kept = journal.batches
        assert kept < 6
        for signals, sketches in tables[kept:]:
            journal.append(signals, sketches)
        assert list(journal.tables()) == tables
    flip(path)
    with Journal(path, "key", True) as journal:
        assert journal.batches < 6
        assert list(journal.tables()) == tables[: journal.batches]
    with Journal(path, "another key", True) as journal:
        assert journal.batches == 0


def test_write_goes_on_after_one_of_its_files_was_lost(
    corpus_dir: Path, finished_run: curate.Run, tmp_path: Path
) -> None:
    run = copy_of(finished_run, tmp_path / "run")
    run.manifest["stages"]["write"]["done"] = False
    run.save()
    truncate(next((run.path / "mix").rglob("*.parquet")))
    for state in (run.path / "state").glob("write-*.json"):
        assert json.loads(state.read_text())["files"]
    run = curate.corpus(corpus_dir, run.path, recipe())
    assert contents(run, *FOLDERS) == contents(finished_run, *FOLDERS)
