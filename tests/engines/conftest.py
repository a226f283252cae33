"""A Ray cluster of several nodes on this machine, made once for a test file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest


class Nodes:
    """A cluster whose head has no CPU, so that any number of its nodes can die."""

    def __init__(self) -> None:
        from ray.cluster_utils import Cluster

        self.cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
        self.address: str = self.cluster.address

    def become(self, count: int) -> None:
        """Have `count` nodes of one CPU, all alive."""
        for node in list(self.cluster.worker_nodes):
            if node.dead_processes() or len(self.cluster.worker_nodes) > count:
                self.cluster.remove_node(node, allow_graceful=False)
        while len(self.cluster.worker_nodes) < count:
            self.cluster.add_node(num_cpus=1, memory=4 << 30)
        self.cluster.wait_for_nodes()

    def kill_one(self) -> None:
        """Kill a node with all that runs on it."""
        self.cluster.remove_node(next(iter(self.cluster.worker_nodes)), allow_graceful=False)


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    """The cluster of a test file."""
    pytest.importorskip("ray", reason="needs the extra ray: pip install 'curate-corpus[ray]'")
    made = Nodes()
    yield made
    made.cluster.shutdown()


@pytest.fixture(scope="module")
def many_shards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus of 24 files with exact and near-duplicates across them."""
    from tests.corpora import prose, write_jsonl

    folder = tmp_path_factory.mktemp("many")
    for number in range(24):
        records = [{"id": f"{number}-{i}", "text": prose(number * 40 + i)} for i in range(40)]
        records += [{"id": f"copy-{number}", "text": prose((number * 37) % 200)}]
        records += [{"id": f"near-{number}", "text": prose((number * 91) % 400) + " One more short remark."}]
        records += [{"id": f"short-{number}", "text": "Too short."}, {"id": f"number-{number}", "text": number}]
        write_jsonl(folder / f"part-{number:02d}.jsonl", records)
    return folder
