"""The whole way in an object store: the same answers as on a disk, whatever the store does meanwhile."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import curate
from curate.engines.local import Local
from curate.questions.explain import explain
from curate.questions.query import query
from curate.storage import RemotePath, backend, files_below, locate
from tests.corpora import RECIPE
from tests.storage.object_store import Proxy
from tests.storage.runs import TRIMMED_AND_SHUFFLED, answers

pytestmark = pytest.mark.xdist_group("store")  # one server, and one finished run, for all


def recipe(text: str = RECIPE) -> curate.Recipe:
    return curate.Recipe.parse(text, "test")


def send(folder: Path, where: str) -> str:
    """Copy a folder into a store; return the address."""
    place = locate(where)
    assert isinstance(place, RemotePath)
    store = backend.filesystem(place.protocol)
    for path in files_below(folder):
        store.pipe_file(str(place / path.relative_to(folder).as_posix()), path.read_bytes())
    return where


def differing(run: curate.Run, other: curate.Run) -> list[str]:
    one, two = answers(run), answers(other)
    assert len(one) > 5
    return sorted(name for name in one.keys() | two.keys() if one.get(name) != two.get(name))


@pytest.fixture(scope="module")
def on_disk(raw: Path, tmp_path_factory: pytest.TempPathFactory) -> curate.Run:
    return curate.corpus(raw, tmp_path_factory.mktemp("runs") / "run", recipe(TRIMMED_AND_SHUFFLED))


@pytest.fixture(scope="module")
def in_s3(proxy: Proxy, raw: Path) -> curate.Run:
    """A finished run over the same inputs. Read only, by agreement."""
    proxy.faults.calm()
    backend.filesystem("s3").mkdir("finished")
    send(raw, "s3://finished/raw")
    return curate.corpus("s3://finished/raw", "s3://finished/run", recipe(TRIMMED_AND_SHUFFLED))


def test_a_run_in_s3_gives_the_bytes_of_a_local_one(in_s3: curate.Run, on_disk: curate.Run) -> None:
    assert differing(in_s3, on_disk) == []
    assert in_s3.report["steps"] == on_disk.report["steps"]


def test_a_finished_run_is_done(in_s3: curate.Run) -> None:
    again = curate.corpus("s3://finished/raw", "s3://finished/run", recipe(TRIMMED_AND_SHUFFLED))
    assert json.dumps(again.manifest["stages"]) == json.dumps(in_s3.manifest["stages"])


def test_inputs_in_s3_and_a_run_on_disk(in_s3: curate.Run, on_disk: curate.Run, tmp_path: Path) -> None:
    pattern = [f"raw=s3://finished/raw/{name}" for name in ("*.jsonl*", "e.parquet", "f.arr?w")]
    run = curate.corpus(pattern, tmp_path / "run", recipe(TRIMMED_AND_SHUFFLED))
    assert differing(run, on_disk) == []


def test_questions_are_answered(in_s3: curate.Run, on_disk: curate.Run) -> None:
    sql = "SELECT dropped_by, count(*) AS n FROM decisions GROUP BY dropped_by ORDER BY dropped_by"
    assert query(in_s3, sql).equals(query(on_disk, sql))
    engine = Local(2)
    assert explain(in_s3, "near3", engine)[0]["dropped_by"] == explain(on_disk, "near3", engine)[0]["dropped_by"]
    assert in_s3.signals().collect()["doc"].equals(on_disk.signals().collect()["doc"])
    assert in_s3.mix().collect().equals(on_disk.mix().collect())
    assert [row["state"] for row in in_s3.status()] == ["done"] * 4


def test_a_store_in_memory_will_do(raw: Path, on_disk: curate.Run) -> None:
    pytest.importorskip("fsspec")
    send(raw, "memory://small/raw")
    run = curate.corpus("memory://small/raw", "memory://small/run", recipe(TRIMMED_AND_SHUFFLED), format="jsonl.zst")
    columns = ["id", "text", "source"]
    assert run.mix().collect().select(columns).equals(on_disk.mix().collect().select(columns))
