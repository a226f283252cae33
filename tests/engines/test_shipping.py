"""Files that travel with tasks: unpacked by many processes of one machine at the same time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from curate.engines import ray_task
from curate.measure.journal import Journal
from curate.shipped import Shipment, local_copy

UNPACK = """
import pickle, sys
from pathlib import Path
from curate.engines.ray_task import _alone_on_this_machine
from curate.shards.atomic import write_as
from curate.shipped import local_copy
import os
write_as(str(os.getpid()))
shipment = pickle.loads(Path(sys.argv[1]).read_bytes())
with _alone_on_this_machine():
    shipment.unpack()
print(local_copy("there/words.txt").read_bytes() == b"word\\n" * 2_000_000)
"""


def test_processes_that_unpack_at_once_all_have_the_whole_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import pickle

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    words = tmp_path / "there" / "words.txt"
    words.parent.mkdir()
    words.write_bytes(b"word\n" * 2_000_000)
    packed = tmp_path / "packed"
    packed.write_bytes(pickle.dumps(Shipment.of(["there/words.txt"])))
    words.unlink()
    (tmp_path / "elsewhere").mkdir()
    command = [sys.executable, "-c", UNPACK, str(packed)]
    several = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=tmp_path / "elsewhere") for _ in range(4)
    ]
    assert [process.communicate()[0].strip() for process in several] == ["True"] * 4


def test_a_file_that_is_there_is_not_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("curate.shipped._here", {})
    path = tmp_path / "words.txt"
    path.write_text("word")
    Shipment.of([path]).unpack()
    assert local_copy(path) == path
    assert not (tmp_path / "cache").exists()


def test_another_version_is_said_before_anything_is_unpacked() -> None:
    (failed,) = ray_task.attempt(["never fetched"], [None], ["part-1"], "99.9")
    assert isinstance(failed, ray_task.Failed)
    assert "part-1, on " in str(failed.error) and "99.9 here: install the same on every node" in str(failed.error)


def test_two_tries_of_one_shard_do_not_write_one_journal(tmp_path: Path) -> None:
    import pyarrow as pa

    from curate.engines.workers import Workers
    from curate.measure.texts import Measured

    def of_batch(number: int) -> Measured:
        table = pa.table({"number": [number]})
        return Measured(table, table, None)  # type: ignore[arg-type]

    workers = Workers(1)
    with Journal(tmp_path / "shard.journal", "key", True) as first:
        first.append(pa.table({"number": [0]}), pa.table({"number": [0]}))
        with Journal(tmp_path / "shard.journal", "key", True) as second:
            found = [signals["number"][0].as_py() for signals, _ in second.through(workers, of_batch, iter([0, 1]))]  # type: ignore[arg-type]
        assert found == [0, 1]
        rest = [signals["number"][0].as_py() for signals, _ in first.through(workers, of_batch, iter([0, 1]))]  # type: ignore[arg-type]
        assert rest == [0, 1]
    workers.close()
