"""What stores do to one: errors, silence, half of an answer, a listing that lags, two processes at a time."""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

import curate
from curate.cli import main
from curate.errors import InputError, RunError, StorageError
from curate.events import json_log
from curate.shards import ReadOptions, atomic_bytes, plan, seal
from curate.storage import (
    Location,
    RemotePath,
    backend,
    files_below,
    locate,
    lock,
    open_arrow,
    reading,
    retry,
    without_secrets,
)
from curate.storage.reading import BLOCK_BYTES, fetch
from tests.corpora import RECIPE
from tests.storage.object_store import KINDS, Proxy, Request

pytestmark = pytest.mark.xdist_group("store")  # one server, and one finished run, for all

SECRET = "a-secret-that-must-not-be-seen"


def recipe() -> curate.Recipe:
    return curate.Recipe.parse(RECIPE, "test")


def put(address: str, content: bytes) -> RemotePath:
    place = locate(address)
    assert isinstance(place, RemotePath)
    backend.filesystem(place.protocol).pipe_file(address, content)
    return place


def first_times(times: int, kind: str) -> Any:
    """Fail each request the first `times` times that it is made."""
    seen: Counter[Any] = Counter()

    def rule(request: Request) -> str | None:
        key = (request.method, request.path, request.headers.get("Range"), str(request.query))
        seen[key] += 1
        return kind if seen[key] <= times else None

    return rule


@pytest.fixture
def noise(monkeypatch: pytest.MonkeyPatch) -> bytes:
    monkeypatch.setattr(reading, "BLOCK_BYTES", 1 << 20)
    return os.urandom(1 << 16) * 40  # three blocks


@pytest.mark.parametrize("kind", KINDS)
def test_an_object_is_read_whatever_happens(kind: str, bucket: str, proxy: Proxy, noise: bytes) -> None:
    content = noise if kind in ("truncated", "short") else noise[:100_000]
    place = put(f"{bucket}/noise.bin", content)
    proxy.faults.slow_seconds = 2.5
    proxy.faults.rule = first_times(1 if kind == "slow" else 2, kind)
    with open_arrow(place, ahead=True) as file:
        assert file.read() == content
    assert proxy.faults.injected[kind] >= 1
    with place.open("rb") as opened:
        opened.seek(len(content) - 70_000)
        assert opened.read() == content[-70_000:]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("truncated", "short")])
def test_an_object_is_written_whatever_happens(kind: str, bucket: str, proxy: Proxy) -> None:
    proxy.faults.slow_seconds = 2.5
    proxy.faults.rule = first_times(1, kind)
    atomic_bytes(locate(f"{bucket}/table.bin"), b"x" * 50_000)
    proxy.faults.rule = lambda request: None
    assert fetch(RemotePath("s3", f"{bucket[5:]}/table.bin"), 0, 50_000) == b"x" * 50_000
    assert proxy.faults.injected[kind] >= 1


def test_a_large_object_is_sent_in_parts_and_seen_when_all_are_there(
    bucket: str, proxy: Proxy, noise: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    from s3fs import core

    monkeypatch.setattr(core, "calculate_chunksize", lambda size, **_: 5 << 20)
    place = locate(f"{bucket}/large.bin")
    seen_early = []

    def rule(request: Request) -> str | None:
        if request.method == "PUT" and "partNumber" in request.query:
            seen_early.append(request.query["partNumber"])
            return "503" if len(seen_early) == 2 else None
        return None

    proxy.faults.rule = rule
    content = noise * 5
    atomic_bytes(place, content)
    assert len(seen_early) > 3 and place.read_bytes() == content


def test_a_store_that_stays_away_is_an_error_that_says_so(bucket: str, proxy: Proxy) -> None:
    place = put(f"{bucket}/a.jsonl", b"{}")
    proxy.faults.rule = lambda request: "503"
    with pytest.raises(StorageError, match=f"{place}: the store failed 7 times in .* start again to go on"):
        place.stat()


def send(folder: Location, where: str) -> str:
    """Copy a folder into a store; return the address. A run may be moved like any folder."""
    for path in files_below(folder):
        put(f"{where}/{path.relative_to(folder).as_posix()}", path.read_bytes())  # type: ignore[arg-type]
    return where


def tables(run: curate.Run) -> dict[str, str]:
    return {str(path): path.stat().version for path in files_below(run.path) if path.suffix == ".parquet"}  # type: ignore[union-attr]


def test_nothing_is_deleted_or_skipped_because_a_store_is_away(
    bucket: str, proxy: Proxy, corpus_dir: Path, finished_run: curate.Run
) -> None:
    send(corpus_dir, f"{bucket}/raw")
    run = curate.Run(send(finished_run.path, f"{bucket}/run"))
    before = tables(run)
    proxy.faults.rule = lambda request: "503" if "/signals/" in request.path or "/raw/a" in request.path else None
    with pytest.raises(StorageError):
        run.delete_damaged("measure")
    with pytest.raises(StorageError):
        curate.corpus(f"{bucket}/raw", f"{bucket}/other", recipe(), skip_bad_files=True)
    proxy.faults.calm()
    assert tables(run) == before


def test_damaged_objects_are_made_again(bucket: str, corpus_dir: Path, finished_run: curate.Run) -> None:
    run = curate.Run(send(finished_run.path, f"{bucket}/run"))
    file, decisions = run.signals_file(run.shards[0]), run.decisions_file(run.shards[1])
    whole, wanted = file.read_bytes(), seal(decisions)
    put(str(file), whole[: len(whole) // 2])
    decisions.unlink()
    again = curate.corpus(corpus_dir, f"{bucket}/run", recipe())
    assert file.read_bytes() == whole and seal(decisions) == wanted
    assert "is not as measure left it" in (again.path / "log.txt").read_text()


def assert_same(run: curate.Run, local: curate.Run) -> None:
    for one, two in zip(local.measured, run.measured, strict=True):
        assert local.decisions_file(one).read_bytes() == run.decisions_file(two).read_bytes()
    mix = [name for name in run.stage("write")["files"] if name.startswith("mix/")]
    assert mix and all((local.path / name).read_bytes() == (run.path / name).read_bytes() for name in mix)


def test_a_run_survives_every_fault_and_gives_the_same_bytes(
    bucket: str, proxy: Proxy, corpus_dir: Path, finished_run: curate.Run
) -> None:
    send(corpus_dir, f"{bucket}/raw")
    proxy.faults.slow_seconds = 2.5
    proxy.faults.every(12)
    run = curate.corpus(f"{corpus_dir.name}={bucket}/raw", f"{bucket}/run", recipe())
    injected = dict(proxy.faults.injected)
    proxy.faults.calm()
    assert set(injected) == set(KINDS), injected
    assert_same(run, finished_run)


def test_a_listing_that_lags_is_not_believed(bucket: str, proxy: Proxy, corpus_dir: Path) -> None:
    proxy.faults.hidden = lambda key: True  # nothing is ever listed
    run = curate.corpus(corpus_dir, f"{bucket}/run", recipe())
    assert len(run.stage("measure")["files"]) == 4 and len(run.stage("decide")["files"]) == 2
    assert run.signals().collect().height == 68 and run.mix().collect().height == 60
    stricter = curate.Recipe.parse(RECIPE.replace(">= 20", ">= 100"), "test")
    again = curate.corpus(corpus_dir, f"{bucket}/run", stricter, format="jsonl.zst")
    assert json.dumps(again.stage("measure")) == json.dumps(run.stage("measure"))
    proxy.faults.calm()
    there = {again.name_of(path) for path in files_below(again.path / "mix")}
    assert there == {name for name in again.stage("write")["files"] if name.startswith("mix/")}


def test_a_run_that_was_killed_goes_on(
    bucket: str, proxy: Proxy, corpus_dir: Path, finished_run: curate.Run, tmp_path: Path
) -> None:
    (tmp_path / "test.toml").write_text(RECIPE)
    send(corpus_dir, f"{bucket}/raw")
    source = f"{corpus_dir.name}={bucket}/raw"
    command = [sys.executable, "-m", "curate.cli", "corpus", source, "--out", f"{bucket}/run",
               "--recipe", str(tmp_path / "test.toml")]  # fmt: skip
    killed = []
    for where in ("/signals/", "/mix/"):
        arrived = threading.Event()

        def rule(request: Request, where: str = where, arrived: threading.Event = arrived) -> str | None:
            if request.method == "PUT" and where in request.path:
                arrived.set()
                return "slow"
            return None

        proxy.faults.rule = rule
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        assert arrived.wait(60)
        process.send_signal(signal.SIGKILL)
        process.wait()
        killed.append(locate(f"{bucket}/run/.lock").is_file())
    assert killed == [True, True]  # its lock was there, of a process known to be dead
    proxy.faults.calm()
    assert_same(curate.corpus(source, f"{bucket}/run", str(tmp_path / "test.toml")), finished_run)


# The lock


def test_two_processes_cannot_work_on_one_run(bucket: str) -> None:
    place = RemotePath("s3", f"{bucket[5:]}/run/.lock")
    with lock.hold_object(place):
        assert lock.is_held_object(place)
        with (
            pytest.raises(lock.HeldError, match=f"process {os.getpid()} on .* delete {place}"),
            lock.hold_object(place),
        ):
            pass
        assert lock.is_held_object(place)
    assert not place.is_file() and not lock.is_held_object(place)


def test_a_store_that_cannot_create_has_a_lock_too(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("fsspec")
    place = RemotePath("memory", "locked/.lock")
    for how in (lock._ONLY_NEW, {}):
        monkeypatch.setattr(lock, "_ONLY_NEW", how)
        monkeypatch.setattr(lock, "_SETTLE_SECONDS", 0.01)
        with lock.hold_object(place), pytest.raises(lock.HeldError), lock.hold_object(place):
            pass
        assert not place.is_file()


@pytest.mark.parametrize("facts", [{"until": 1.0}, {"process": 2**22 + 1}], ids=["expired", "dead on this machine"])
def test_the_lock_of_a_dead_process_is_taken_over(
    facts: dict[str, Any], bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "_SETTLE_SECONDS", 0.01)
    there = {**lock._self(), "owner": "x", "until": time.time() + 100, **facts}
    place = put(f"{bucket}/run/.lock", json.dumps(there).encode())
    with lock.hold_object(place):
        assert json.loads(place.read_bytes())["process"] == os.getpid()


def test_of_many_that_want_a_lock_one_gets_it(bucket: str) -> None:
    place = RemotePath("s3", f"{bucket[5:]}/run/.lock")
    got, refused, barrier = [], [], threading.Barrier(6)

    def want() -> None:
        barrier.wait()
        try:
            with lock.hold_object(place):
                got.append(1)
                barrier.wait()
        except lock.HeldError:
            refused.append(1)
            barrier.wait()

    threads = [threading.Thread(target=want) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(got), len(refused)) == (1, 5)


def test_a_lock_whose_answer_was_lost_is_held(bucket: str, proxy: Proxy) -> None:
    place = RemotePath("s3", f"{bucket[5:]}/run/.lock")
    proxy.faults.rule = first_times(1, "lost")
    with lock.hold_object(place):
        assert proxy.faults.injected["lost"] >= 1


def test_a_run_that_was_taken_over_writes_no_more(
    bucket: str, finished_run: curate.Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "BEAT_SECONDS", 0.05)
    run = curate.Run(send(finished_run.path, f"{bucket}/run"))
    with run.locked():
        put(f"{bucket}/run/.lock", json.dumps({**lock._self(), "owner": "x", "until": time.time() + 100}).encode())
        time.sleep(0.5)
        with pytest.raises(RunError, match="another curate took over this run"):
            run.save()
    assert json.loads(locate(f"{bucket}/run/.lock").read_bytes())["owner"] == "x"


# Secrets


@pytest.mark.parametrize(
    "address",
    [
        f"s3://AKIA:{SECRET}@bucket/raw",
        f"s3://bucket/raw.jsonl?X-Amz-Signature={SECRET}",
        f"https://host/raw.jsonl?sig={SECRET}",
        f"https://me:{SECRET}@host/raw.jsonl",
        f"abfs://container:{SECRET}@account/raw",
    ],
)
def test_an_address_with_a_secret_is_refused_without_showing_it(address: str, tmp_path: Path) -> None:
    for attempt in (lambda: plan([address]), lambda: curate.Run(address), lambda: plan([f"web={address}"])):
        with pytest.raises(InputError, match="must not hold") as refused:
            attempt()
        assert SECRET not in str(refused.value)
    for command in (
        ["status", address],
        ["corpus", "raw", "--out", address],
        ["corpus", address, "--out", str(tmp_path / "run")],
    ):
        done = CliRunner().invoke(main, command)
        assert done.exit_code == 1 and "must not hold" in done.output
        assert SECRET not in done.output and not list(tmp_path.iterdir())


def test_no_credentials_are_in_the_run_or_its_logs(bucket: str, proxy: Proxy, corpus_dir: Path, tmp_path: Path) -> None:
    send(corpus_dir, f"{bucket}/raw")
    some = first_times(2, "500")
    proxy.faults.rule = lambda request: some(request) if "/raw/" in request.path else None
    with json_log(str(tmp_path / "log.jsonl")):
        run = curate.corpus(f"{bucket}/raw", f"{bucket}/run", recipe())
    told = (tmp_path / "log.jsonl").read_text()
    assert '"event": "retry"' in told
    everything = [path.read_bytes() for path in files_below(run.path)]
    assert len(everything) > 12
    for text in [told.encode(), *everything, pickle.dumps(run)]:
        assert SECRET.encode() not in text and b"AKIATESTTESTTEST" not in text and b"Signature" not in text


def test_secrets_in_what_a_library_says_are_not_repeated() -> None:
    said = f"GET https://me:{SECRET}@host/a?X-Amz-Signature={SECRET}&b=c failed, see s3://bucket/key?sig={SECRET}"
    assert without_secrets(said) == "GET https://***@host/a?*** failed, see s3://bucket/key?***"
    assert without_secrets("abfs://box@account/a is gone") == "abfs://box@account/a is gone"

    def fail() -> None:
        raise OSError(said)

    with pytest.MonkeyPatch.context() as patch, pytest.raises(StorageError) as error:
        patch.setattr(retry, "FIRST_WAIT", 0.0)
        retry.persist("it", fail)
    assert SECRET not in str(error.value)


def test_access_that_is_refused_is_not_tried_again(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tries = []

    def refused() -> None:
        tries.append(1)
        raise PermissionError("Access Denied")

    with pytest.raises(StorageError, match=r"access refused \(Access Denied\); give credentials in the environment"):
        retry.persist("s3://bucket/a", refused)
    assert len(tries) == 1


def test_mistakes_in_programs_are_not_tried_again() -> None:
    with pytest.raises(ZeroDivisionError):
        retry.persist("it", lambda: 1 // 0)


# Names and stores


@pytest.mark.parametrize(
    ("address", "extra", "module"),
    [
        ("s3://b/a", "s3", "s3fs"),
        ("gs://b/a", "gs", "gcsfs"),
        ("az://b/a", "az", "adlfs"),
        ("abfs://b@account/a", "az", "adlfs"),
        ("hf://datasets/a/b", "hf", "huggingface_hub"),
    ],
)
def test_what_is_missing_is_named(address: str, extra: str, module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("fsspec")
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "account")
    monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.delitem(sys.modules["fsspec.registry"]._registry, address.partition(":")[0], raising=False)
    backend._filesystem.cache_clear()
    try:
        with pytest.raises(StorageError, match=rf"pip install 'curate-corpus\[{extra}\]'"):
            locate(address).is_file()
    finally:
        backend._filesystem.cache_clear()


def test_local_paths_stay_paths_and_import_nothing() -> None:
    assert locate("raw/a.jsonl") == Path("raw/a.jsonl") and locate("file:///raw") == Path("/raw")
    code = (
        "import sys, curate; from curate.shards import plan; import curate.corpus, curate.pipeline, curate.cli;"
        "from curate.storage import locate; locate('raw');"
        "assert not {'fsspec', 's3fs', 'botocore'} & set(sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_what_an_address_can_be() -> None:
    with pytest.raises(InputError, match="names no bucket"):
        locate("s3://")
    with pytest.raises(InputError, match="nosuch:// is not known"):
        locate("nosuch://bucket/key")
    place = locate("s3://bucket/a/b.tar.gz")
    assert (place.name, place.suffix, str(place.parent), str(place / "c")) == (
        "b.tar.gz",
        ".gz",
        "s3://bucket/a",
        "s3://bucket/a/b.tar.gz/c",
    )
    assert pickle.loads(pickle.dumps(place)) == place and hash(place) == hash(locate(str(place)))
    assert str(place.relative_to(locate("s3://bucket"))) == "a/b.tar.gz"


def test_inputs_that_are_not_there(bucket: str) -> None:
    put(f"{bucket}/raw/a.jsonl", b'{"text": "a"}\n')
    put(f"{bucket}/raw/b.pdf", b"x")
    for wrong, message in [
        ("no/*.jsonl", "matches no object"),
        ("nothing", "no such object, and none below it"),
        ("raw/b.pdf", "cannot tell the format"),
        ("raw/*.pdf", "matches no input file"),
    ]:
        with pytest.raises(InputError, match=message):
            plan([f"{bucket}/{wrong}"])
    with pytest.raises(InputError, match="no such object"):
        plan(["s3://no-such-bucket/raw"])
    with pytest.raises(StorageError, match="s3://no-such-bucket/run: its bucket does not exist"):
        curate.corpus(f"{bucket}/raw/a.jsonl", "s3://no-such-bucket/run", recipe())
    assert [shard.paths for shard in plan([f"{bucket}/raw"])] == [(f"{bucket}/raw/a.jsonl",)]


def test_large_files_are_read_in_parts(bucket: str) -> None:
    lines = b"".join(json.dumps({"id": str(i), "text": "x" * 500}).encode() + b"\n" for i in range(40_000))
    assert len(lines) > 2 * BLOCK_BYTES
    put(f"{bucket}/raw/a.jsonl", lines)
    shards = plan([f"{bucket}/raw/a.jsonl"], target_bytes=6 << 20)
    assert len(shards) == 4
    found = [batch.ids.to_pylist() for shard in shards for batch in curate.shards.read(shard, on_reject=print)]
    assert [int(i) for ids in found for i in ids] == list(range(40_000))


def test_a_run_inside_the_inputs_is_left_out(bucket: str, corpus_dir: Path, finished_run: curate.Run) -> None:
    send(corpus_dir, f"{bucket}/raw")
    send(finished_run.path, f"{bucket}/raw/run")
    assert len(plan([f"{bucket}/raw"])) == 2
    with pytest.raises(RunError, match="--overwrite would delete the input"):
        curate.corpus(f"{bucket}/raw/run/mix", f"{bucket}/raw/run", recipe(), overwrite=True)


def test_inputs_that_changed_are_measured_again(bucket: str, corpus_dir: Path, tmp_path: Path) -> None:
    send(corpus_dir, f"{bucket}/raw")
    run = curate.corpus(f"{bucket}/raw", tmp_path / "run", recipe())
    before = run.decisions().collect()["doc"]
    raw = locate(f"{bucket}/raw/a.jsonl")
    put(str(raw), raw.read_bytes().replace(b"gardener", b"gardenes"))
    with pytest.raises(InputError, match="has changed since it was measured"):
        run.check_unchanged(run.shards[0])
    again = curate.corpus(f"{bucket}/raw", tmp_path / "run", recipe())
    assert again.input_key() != run.input_key()
    assert 0 < (again.decisions().collect()["doc"] == before).sum() < 68


@pytest.mark.parametrize("name", ["a.jsonl", "b.jsonl.zst", "c.parquet", "d.arrow", "e.txt"])
def test_an_input_that_cannot_be_had_is_not_a_bad_file(name: str, bucket: str, proxy: Proxy) -> None:
    """Whatever library reads it: a bad file may be skipped, one that is only away may not."""
    table = pa.table({"text": [os.urandom(500).hex() for _ in range(2000)]})
    sink = pa.BufferOutputStream()
    if name.endswith(".parquet"):
        pq.write_table(table, sink, row_group_size=500)
    elif name.endswith(".arrow"):
        with pa.ipc.new_file(sink, table.schema) as out:
            out.write_table(table, max_chunksize=100)
    else:
        content = "".join(json.dumps(row) + "\n" for row in table.to_pylist()).encode()
        sink.write(pa.compress(content, "zstd", asbytes=True) if name.endswith("zst") else content)
    put(f"{bucket}/{name}", sink.getvalue().to_pybytes())
    [shard] = plan([f"{bucket}/{name}"])
    whole = sum(len(batch) for batch in curate.shards.read(shard, on_reject=print))
    assert whole == (1 if name.endswith("txt") else 2000)
    answered: Counter[str] = Counter()

    def rule(request: Request) -> str | None:
        answered[request.method] += 1
        return "503" if request.method == "GET" and answered["GET"] > (2 if name.endswith("parquet") else 0) else None

    proxy.faults.rule = rule
    with pytest.raises(StorageError, match=f"{name}: the store failed 7 times"):
        list(curate.shards.read(shard, ReadOptions(skip_bad_files=True), on_reject=print))
