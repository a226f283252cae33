"""A write task that was stopped inside goes on behind the last files that it ended, and the mix is the same."""

from __future__ import annotations

import dataclasses
import importlib
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import curate
from curate.shards import MixWriter, writers
from tests.corpora import RECIPE, prose, write_jsonl
from tests.test_corpus import contents, recipe

stage = importlib.import_module("curate.write.stage")
task = importlib.import_module("curate.write.task")


class KilledError(Exception):
    """Stands for the end of the process."""


@pytest.fixture
def one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of 300 documents whose mix takes several rounds of files, of several batches each."""
    monkeypatch.setattr(stage, "MOST_BYTES", 20_000)
    original = task.read_options
    monkeypatch.setattr(
        task, "read_options", lambda run, schema: dataclasses.replace(original(run, schema), batch_bytes=5_000)
    )
    monkeypatch.setattr(stage, "_groups", one_group(stage._groups))
    write_jsonl(tmp_path / "raw.jsonl", [{"id": str(i), "text": prose(i, 40)} for i in range(300)])
    return tmp_path / "raw.jsonl"


def one_group(original: Any) -> Any:
    """Return what puts all shards into one group, as if there were one large shard behind others."""

    def grouped(run: curate.Run, shards: Any, once: bool) -> Any:
        groups, sizes, part_bytes = original(run, shards, once)
        return [[shard for group in groups for shard in group]], [sum(sizes)], part_bytes

    return grouped


@pytest.mark.parametrize("fails_at", [1, 3, 5])
def test_a_write_task_goes_on_where_it_was_stopped(
    fails_at: int, one_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    undisturbed = curate.corpus(one_file, tmp_path / "undisturbed", recipe())
    files = sorted((undisturbed.path / "mix").rglob("*.parquet"))
    assert len(files) > 5
    assert [file.stem for file in files] == [f"part-00000-{number:05d}" for number in range(len(files))]
    sizes = [sum(map(len, pq.read_table(file, partitioning=None)["text"].to_pylist())) for file in files]
    assert max(sizes[:-1]) < 2 * min(sizes)

    saves = 0
    original = task._Files.save

    def killed(self: Any) -> None:
        nonlocal saves
        saves += 1
        if saves == fails_at:
            raise KilledError
        original(self)

    with monkeypatch.context() as patch:
        patch.setattr(task._Files, "save", killed)
        with pytest.raises(KilledError):
            curate.corpus(one_file, tmp_path / "run", recipe())
    run = curate.Run(tmp_path / "run")
    note = run.path / "state" / "write-00000.json"
    done = json.loads(note.read_text())["at"][1] if fails_at > 1 else 0
    left = [file.name for file in (run.path / "mix").rglob("*") if file.is_file()]
    assert len(left) == fails_at - 1

    read: list[int] = []
    tables = task.WriteTask._kept_tables

    def counted(self: Any, kept: Any, shard: Any, start: int, batch: Any) -> Any:
        read.append(start)
        return tables(self, kept, shard, start, batch)

    with monkeypatch.context() as patch:
        patch.setattr(task.WriteTask, "_kept_tables", counted)
        run = curate.corpus(one_file, tmp_path / "run", recipe())
    assert min(read) == done
    assert contents(run, "mix") == contents(undisturbed, "mix")
    assert run.report["output"]["documents"] == undisturbed.report["output"]["documents"] == 300


def test_a_note_that_is_not_whole_or_of_lost_files_is_not_gone_on_from(one_file: Path, tmp_path: Path) -> None:
    run = curate.corpus(one_file, tmp_path / "run", recipe())
    path = run.path / "state" / "write-00000.json"
    whole = path.read_text()
    assert task.Note.of(run, path).at == (1, 0)
    for damaged in (whole[: len(whole) // 2], "{}", "[]", '{"counts": {}, "files": {}}', ""):
        path.write_text(damaged)
        assert task.Note.of(run, path) == task.Note()
    path.write_text(whole)
    next((run.path / "mix").rglob("*.parquet")).unlink()
    assert task.Note.of(run, path) == task.Note()


@pytest.mark.parametrize("shuffle", ["false", "true"])
def test_a_late_second_try_of_a_task_changes_nothing(
    shuffle: str, one_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It notes its first round when the task is done already, as one on a node that was believed dead may."""
    chosen = recipe(RECIPE + f"\n[mix]\nshuffle = {shuffle}\n")
    undisturbed = curate.corpus(one_file, tmp_path / "undisturbed", chosen)
    original = task.WriteTask.__call__

    def followed(self: Any, number: int, workers: Any) -> Any:
        done = original(self, number, workers)
        path = self.note(number)
        noted = json.loads(path.read_text())
        path.write_text(json.dumps(noted | {"at": [0, 6], "files": dict(list(noted["files"].items())[:1])}))
        return done

    monkeypatch.setattr(task.WriteTask, "__call__", followed)
    run = curate.corpus(one_file, tmp_path / "run", chosen)
    assert contents(run, "mix") == contents(undisturbed, "mix")
    assert run.stage("write")["files"].keys() == undisturbed.stage("write")["files"].keys()


def test_a_file_that_was_written_and_is_gone_is_an_error(
    one_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = task.WriteTask.__call__

    def followed(self: Any, number: int, workers: Any) -> Any:
        done = original(self, number, workers)
        next((self.run.path / "mix").rglob("*.parquet")).unlink()
        return done

    with monkeypatch.context() as patch:
        patch.setattr(task.WriteTask, "__call__", followed)
        with pytest.raises(curate.RunError, match=r"part-00000-.*\.parquet was written and is gone"):
            curate.corpus(one_file, tmp_path / "run", recipe())
    again = curate.corpus(one_file, tmp_path / "run", recipe())
    assert contents(again, "mix") == contents(curate.corpus(one_file, tmp_path / "other", recipe()), "mix")


def test_a_writer_that_fails_leaves_the_files_of_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = pa.table({"text": ["a" * 100] * 50})
    with MixWriter(tmp_path, table.schema) as other:
        other.write(table)
    there = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def fails(path: Path) -> None:
        raise OSError(5, "Input/output error", str(path))

    monkeypatch.setattr(writers, "publish", fails)
    with pytest.raises(curate.CurateError), MixWriter(tmp_path, table.schema) as late:
        late.write(table)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == there


def test_a_small_mix_is_written_by_several_tasks_and_no_more_than_it_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(40):
        write_jsonl(tmp_path / f"raw/{number:02d}.jsonl", [{"text": f"{number} {'word ' * 200}"}])
    everything = curate.Recipe.parse("name = 'all'", "all")

    def groups(least: int) -> list[int]:
        monkeypatch.setattr(stage, "LEAST_BYTES", least)
        found = curate.corpus(tmp_path / "raw", tmp_path / f"run-{least}", everything).stage("write")["groups"]
        assert sum(found) == 40
        return list(found)

    assert groups(100) == [3] * 13 + [1]  # a 16th of 40 kB
    assert groups(10_000) == [10] * 4
    assert groups(1_000_000) == [40]
