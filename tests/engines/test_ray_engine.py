"""The Ray engine by itself: what becomes of a task whose worker, node or driver dies, that fails or never ends."""

from __future__ import annotations

import logging
import platform
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("ray", reason="needs the extra ray: pip install 'curate-corpus[ray]'")

from curate.engines.bundles import bundles
from curate.engines.ray import Ray
from curate.errors import EngineError, InputError, RecipeError
from tests.engines.conftest import Nodes
from tests.engines.tasks import Fails

pytestmark = [pytest.mark.ray, pytest.mark.xdist_group("ray")]

ITEMS = ["one", "two", "bad", "four", "five"]
ANSWERS = sorted((item, item.upper()) for item in ITEMS)


@pytest.fixture
def engine(nodes: Nodes) -> Iterator[Ray]:
    """An engine on a cluster of two nodes."""
    nodes.become(2)
    with Ray(nodes.address, memory_per_task="1GiB", straggler_seconds=2) as made:
        yield made


class Small(str):
    """An item that shares a task with others, as a small shard does."""

    bytes = 1_000


def run(engine: Ray, task: Fails) -> list[tuple[str, str]]:
    return sorted(engine.run(task, ITEMS))


@pytest.mark.parametrize("how", ["worker killed", "straggles"])
def test_what_goes_wrong_once_is_done_again(how: str, engine: Ray, tmp_path: Path) -> None:
    assert run(engine, Fails(tmp_path, how)) == ANSWERS
    assert len(list(tmp_path.glob("try-*"))) == 2


def test_tasks_of_a_node_that_dies_go_to_another(engine: Ray, tmp_path: Path) -> None:
    assert run(engine, Fails(tmp_path, "node killed")) == ANSWERS
    assert len(list(tmp_path.glob("try-*"))) == 2


def test_what_kills_its_worker_every_time_does_not_stop_the_others(engine: Ray, tmp_path: Path) -> None:
    found = []
    with pytest.raises(EngineError, match="the task bad lost its worker or its node 4 times"):
        for item, _ in engine.run(Fails(tmp_path, "worker killed", times=99), ITEMS):
            found.append(item)
    assert sorted(found) == sorted(set(ITEMS) - {"bad"})


def test_what_kills_its_worker_every_time_can_be_given_up(engine: Ray, tmp_path: Path) -> None:
    task = Fails(tmp_path, "worker killed", times=99)
    found = dict(engine.run(task, ITEMS, give_up=lambda item, reason: f"given up: {reason}"))
    assert found["bad"].startswith("given up: the task bad lost its worker")
    assert len(found) == len(ITEMS)


def test_small_shards_share_a_task_and_one_that_kills_it_is_found(engine: Ray, tmp_path: Path) -> None:
    items = [Small(f"item {number}") for number in range(120)]
    items[70] = Small("bad")
    found: list[str] = []
    with pytest.raises(EngineError, match="the task bad lost its worker or its node 4 times"):
        for item, result in engine.run(Fails(tmp_path, "worker killed", times=99), items):
            assert result == item.upper()
            found.append(item)
    assert sorted(found) == sorted(set(items) - {"bad"})
    assert len(list(tmp_path.glob("try-*"))) >= 8  # four times with others, four times alone; stragglers add some


def test_an_error_in_a_shared_task_is_that_of_its_item_alone(engine: Ray, tmp_path: Path) -> None:
    items = [Small(f"item {number}") for number in range(120)]
    items[70] = Small("bad")
    found: list[str] = []
    with pytest.raises(InputError, match=r"^bad, on .*: bad.jsonl: cannot be read"):
        for item, _ in engine.run(Fails(tmp_path, "input", times=99), items):
            found.append(item)
    assert sorted(found) == sorted(set(items) - {"bad"})
    assert len(list(tmp_path.glob("try-*"))) == 1


def test_bundles_hold_small_shards_only_and_all_of_them_in_order() -> None:
    def of_size(size: int) -> Small:
        item = Small(f"{size}")
        item.bytes = size  # type: ignore[misc]
        return item

    million = 1_000_000
    sizes = [1, 2, 200 * million, 3, *[million] * 300, 0, 90 * million, 5]
    items = [of_size(size) for size in sizes]
    found = list(bundles(items, 2))
    assert [item for bundle in found for item in bundle] == items
    held = [sum(item.bytes for item in bundle) for bundle in found]
    assert all(size <= 64 << 20 or len(bundle) == 1 for size, bundle in zip(held, found, strict=True))
    assert [len(bundle) for bundle in found] == [2, 1, 68, 67, 67, 67, 33, 1, 1]
    assert [len(bundle) for bundle in bundles([of_size(10)] * 100, 8)] == [12] * 8 + [4]
    large = [of_size(10_000 * million), *[of_size(20_000)] * 2_000]
    assert max(map(len, bundles(large, 16))) == 126  # of 20,000 bytes or not
    assert [len(bundle) for bundle in bundles([of_size(0)] * 100, 8)] == [13] * 7 + [9]
    assert [len(bundle) for bundle in bundles(["no", "size", *items[:2]], 0)] == [1, 1, 2]
    assert list(bundles([], 8)) == []


def test_an_error_is_raised_when_the_others_are_done_and_keeps_its_kind(engine: Ray, tmp_path: Path) -> None:
    found = []
    with pytest.raises(InputError, match=r"^bad, on .*: bad.jsonl: cannot be read"):
        for item, _ in engine.run(Fails(tmp_path, "input", times=99), ITEMS):
            found.append(item)
    assert len(found) == 4


def test_several_errors_are_told_together(engine: Ray, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"2 of 3 tasks failed, the others are done(.|\n)*bad.jsonl: cannot be read"):
        list(engine.run(Fails(tmp_path, "input", times=99), ["bad", "good", "bad"]))


def test_a_fault_of_ours_comes_with_its_traceback(engine: Ray, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"bad, on (.|\n)*a fault of curate(.|\n)*ZeroDivisionError"):
        run(engine, Fails(tmp_path, "fault", times=99))


def test_what_a_task_logs_is_logged_here_with_its_name_and_node(
    engine: Ray, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="curate"):
        assert run(engine, Fails(tmp_path, "tells")) == ANSWERS
    warning, event = (record for record in caplog.records if record.name.startswith("curate."))
    assert warning.levelname == "WARNING" and warning.name == "curate.storage"
    assert warning.getMessage() == f"bad, on {platform.node()}: the store fails"
    assert event.getMessage() == "retry"
    assert event.facts == {"what": "bad.jsonl", "attempt": 1, "task": "bad", "node": platform.node()}  # type: ignore[attr-defined]


def test_a_mistake_in_the_recipe_stops_everything_and_is_told_once(engine: Ray, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r'^bad, on .*: "long": word_count is text$'):
        run(engine, Fails(tmp_path, "recipe", times=99))


def test_a_ray_of_its_own_is_there_when_it_is_needed_and_gone_afterwards(tmp_path: Path) -> None:
    import ray

    with Ray(threads=1) as engine:
        assert engine.cores == 1
        assert not ray.is_initialized(), "nobody has asked for a task"
        assert sorted(engine.run(Fails(tmp_path, "nothing"), ["a", "b"])) == [("a", "A"), ("b", "B")]
        engine.end()
    assert not ray.is_initialized()


def test_a_task_that_no_node_has_room_for_is_refused_at_once(nodes: Nodes) -> None:
    nodes.become(1)
    refused = pytest.raises(EngineError, match=r"no node .* has room for a task of 64 CPUs .* the largest has 1 CPU")
    with refused, Ray(nodes.address, cpus_per_task=64) as engine:
        assert engine.cores == 0, "never reached"


def test_a_cluster_without_a_node_is_given_time_for_its_first(caplog: pytest.LogCaptureFixture) -> None:
    fresh = Nodes()
    try:
        with Ray(fresh.address, memory_per_task="1GiB") as engine:
            until = time.monotonic() + 60
            while "has no CPU yet" not in caplog.text and time.monotonic() < until:
                time.sleep(0.1)
            fresh.become(1)
            engine.ready()
            assert engine.cores == 1
    finally:
        fresh.cluster.shutdown()
    assert "has no CPU yet" in caplog.text
