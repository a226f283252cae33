"""A cluster of two nodes and a store: the nodes share no disk, and the answers are those of one machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("ray", reason="needs the extra ray: pip install 'curate-corpus[ray]'")

import curate
from curate.storage import backend
from tests.engines.conftest import Nodes
from tests.storage.object_store import Proxy
from tests.storage.runs import TRIMMED_AND_SHUFFLED
from tests.storage.test_remote_runs import differing, recipe, send

pytestmark = [pytest.mark.ray, pytest.mark.xdist_group("ray")]


@pytest.fixture(scope="module")
def two_nodes(proxy: Proxy) -> Iterator[Nodes]:
    """Nodes that find the store as any process does: by their environment."""
    made = Nodes()
    made.become(2)
    yield made
    made.cluster.shutdown()


def test_a_cluster_works_on_a_store(two_nodes: Nodes, bucket: str, raw: Path, tmp_path: Path) -> None:
    on_disk = curate.corpus(raw, tmp_path / "run", recipe(TRIMMED_AND_SHUFFLED), threads=1)
    inputs = send(raw, f"{bucket}/raw")
    chosen = recipe(TRIMMED_AND_SHUFFLED)
    on_ray = {"engine": "ray", "address": two_nodes.address, "memory_per_task": "1GiB"}
    run = curate.corpus(inputs, f"{bucket}/run", chosen, **on_ray)
    assert differing(run, on_disk) == []
    assert run.report["input"] == on_disk.report["input"]
    assert any(step["dropped"] for step in run.report["steps"])
    assert run.manifest["threads"] == 2

    secret = b"a-secret-that-must-not-be-seen"
    store = backend.filesystem("s3")
    held = [store.cat_file(file) for file in store.find(f"{bucket}/run")]
    assert held
    assert not any(secret in content for content in held)
