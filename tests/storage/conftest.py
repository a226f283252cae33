"""A store for each test: a new bucket behind a proxy, and the environment that leads there."""

from __future__ import annotations

import gzip
import itertools
import logging
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.json as pj
import pyarrow.parquet as pq
import pytest

from curate.storage import backend, retry
from tests.corpora import small_corpus
from tests.storage.object_store import Proxy

_NUMBER = itertools.count()


@pytest.fixture(scope="session")
def proxy() -> Iterator[Proxy]:
    """moto's server with a proxy in front of it, and the credentials that it takes in the environment."""
    server = pytest.importorskip("moto.server").ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    pytest.importorskip("s3fs")
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server.start()
    proxy = Proxy(server.get_host_and_port())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", proxy.url)
        patch.setenv("AWS_ACCESS_KEY_ID", "AKIATESTTESTTEST")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "a-secret-that-must-not-be-seen")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        patch.setitem(backend._S3, "read_timeout", 2)
        patch.setitem(backend._S3, "connect_timeout", 5)
        backend._filesystem.cache_clear()
        yield proxy
    backend._filesystem.cache_clear()
    proxy.shutdown()
    server.stop()


@pytest.fixture
def bucket(proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of an empty bucket; no request fails unless the test says so, and waits are short."""
    monkeypatch.setattr(retry, "FIRST_WAIT", 0.01)
    proxy.faults.calm()
    name = f"bucket-{next(_NUMBER)}"
    backend.filesystem("s3").mkdir(name)
    yield f"s3://{name}"
    proxy.faults.calm()


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small corpus as JSONL, plain and compressed, as Parquet of several row groups, and Arrow."""
    folder = small_corpus(tmp_path_factory.mktemp("local") / "raw")
    (folder / "a.jsonl.gz").write_bytes(gzip.compress((folder / "a.jsonl").read_bytes(), mtime=0))
    (folder / "d.jsonl.zst").write_bytes(pa.compress((folder / "b.jsonl").read_bytes(), "zstd", asbytes=True))
    pq.write_table(pj.read_json(folder / "b.jsonl"), folder / "e.parquet", row_group_size=10)
    with pa.ipc.new_file(folder / "f.arrow", (table := pj.read_json(folder / "b.jsonl")).schema) as out:
        out.write_table(table)
    (folder / "a.jsonl").unlink()
    return folder
