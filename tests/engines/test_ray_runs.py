"""Whole runs on Ray: the same bytes as on threads, whatever the nodes, and whatever happens to them."""

from __future__ import annotations

import json
import logging
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import curate
from tests.corpora import RECIPE
from tests.engines.conftest import Nodes
from tests.test_corpus import contents

pytest.importorskip("ray", reason="needs the extra ray: pip install 'curate-corpus[ray]'")

pytestmark = [pytest.mark.ray, pytest.mark.xdist_group("ray")]

FOLDERS = ("signals", "sketches", "rejects", "decisions", "mix")
ALL_STEPS = f"""
{RECIPE}
[classifiers]
quality = "quality"

[[steps]]
dedup = "lines"
more_than = 3

[[steps]]
top = 0.9
by = "quality"
"""
SPOILS = """
import os, signal
import numpy as np
import curate

@curate.signal(name="spoilt", dtype="int64", unit="times", definition="How often a document spoils its process.")
def spoilt(texts):
    for text in texts:
        if "POISON" in str(text):
            os.kill(os.getpid(), signal.SIGKILL)
    return np.zeros(len(texts), np.int64)
"""
SPOILT = RECIPE + '\n[[steps]]\nname = "whole"\nfilter = "spoilt < 1"\n'


@pytest.fixture(scope="module")
def undisturbed(many_shards: Path, tmp_path_factory: pytest.TempPathFactory) -> curate.Run:
    """The run on threads of this process that all others have to be equal to."""
    out = tmp_path_factory.mktemp("local") / "run"
    return curate.corpus(many_shards, out, curate.Recipe.parse(ALL_STEPS, "all"), threads=1)


def on_ray(inputs: Path, out: Path, nodes: Nodes, **options: Any) -> curate.Run:
    options = {"recipe": curate.Recipe.parse(ALL_STEPS, "all"), **options}
    return curate.corpus(inputs, out, engine="ray", address=nodes.address, memory_per_task="1GiB", **options)


def assert_nothing_lost(run: curate.Run) -> None:
    report = run.report
    dropped = sum(step["dropped"] for step in report["steps"])
    assert report["input"]["documents"] == report["output"]["documents"] + dropped
    assert report["input"]["documents"] + report["rejected"]["documents"] == 24 * 44


@contextmanager
def when(event: str, stage: str, act: Any) -> Iterator[list[float]]:
    """Call `act` at the first such event of a stage; give the list that then has the time of it."""
    happened: list[float] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            facts = getattr(record, "facts", {})
            if record.getMessage() == event and facts.get("stage") == stage and not happened:
                happened.append(time.monotonic())
                act()

    log, listener = logging.getLogger("curate.events"), Listener()
    before = log.level
    log.addHandler(listener)
    log.setLevel(logging.INFO)
    try:
        yield happened
    finally:
        log.removeHandler(listener)
        log.setLevel(before)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_any_number_of_nodes_gives_the_same_bytes_as_threads(
    count: int, many_shards: Path, undisturbed: curate.Run, nodes: Nodes, tmp_path: Path
) -> None:
    nodes.become(count)
    run = on_ray(many_shards, tmp_path / "run", nodes)
    assert contents(run, *FOLDERS) == contents(undisturbed, *FOLDERS)
    assert_nothing_lost(run)
    assert run.manifest["threads"] == count


@pytest.mark.parametrize(("stage", "event"), [
    ("measure", "shard_done"), ("decide", "stage_begins"), ("write", "stage_begins")
])  # fmt: skip
def test_a_node_may_die_in_any_stage(
    stage: str, event: str, many_shards: Path, undisturbed: curate.Run, nodes: Nodes, tmp_path: Path
) -> None:
    nodes.become(2)
    with when(event, stage, nodes.kill_one) as happened:
        run = on_ray(many_shards, tmp_path / "run", nodes)
    assert happened
    assert contents(run, *FOLDERS) == contents(undisturbed, *FOLDERS)
    assert_nothing_lost(run)


def test_a_run_whose_driver_was_killed_goes_on_from_another_process(
    many_shards: Path, undisturbed: curate.Run, nodes: Nodes, tmp_path: Path
) -> None:
    nodes.become(2)
    recipe = tmp_path / "all.toml"
    recipe.write_text(ALL_STEPS)
    events = tmp_path / "events.jsonl"
    command = [sys.executable, "-m", "curate.cli", "corpus", many_shards, "--out", tmp_path / "run"]
    command += ["--recipe", recipe, "--json-log", events, "--engine", "ray", "--address", nodes.address]
    driver = subprocess.Popen([*map(str, command)], stderr=subprocess.PIPE)
    while driver.poll() is None and (not events.exists() or events.read_text().count("shard_done") < 4):
        time.sleep(0.02)
    driver.send_signal(signal.SIGKILL)
    assert driver.wait() == -signal.SIGKILL
    told = [json.loads(line)["event"] for line in events.read_text().splitlines()]
    assert 4 <= told.count("shard_done") < 24
    run = on_ray(many_shards, tmp_path / "run", nodes, recipe=recipe)
    assert contents(run, *FOLDERS) == contents(undisturbed, *FOLDERS)


@pytest.fixture
def own_signals() -> Iterator[None]:
    """Forget the signals that a test registers."""
    from curate.signals import plugins

    before = dict(plugins._registered)
    yield
    plugins._registered.clear()
    plugins._registered.update(before)
    plugins._forget_registry()


@pytest.mark.usefixtures("own_signals")
def test_a_poisoned_shard_is_named_when_the_others_are_done_or_left_out(
    many_shards: Path, nodes: Nodes, tmp_path: Path
) -> None:
    nodes.become(2)
    (tmp_path / "in").mkdir()
    for path in sorted(many_shards.glob("*.jsonl"))[:4]:
        (tmp_path / "in" / path.name).write_text(path.read_text())
    poisoned = tmp_path / "in" / "part-02.jsonl"
    poisoned.write_text(poisoned.read_text() + json.dumps({"id": "p", "text": "POISON " * 30}) + "\n")
    plugin = tmp_path / "spoils.py"
    plugin.write_text(SPOILS)
    options = {"recipe": curate.Recipe.parse(SPOILT, "spoilt"), "plugins": [plugin]}
    with pytest.raises(curate.CurateError, match=r"part-02.* lost its worker or its node 4 times"):
        on_ray(tmp_path / "in", tmp_path / "run", nodes, **options)
    assert len(curate.Run(tmp_path / "run").measured) == 3
    run = on_ray(tmp_path / "in", tmp_path / "run", nodes, skip_bad_files=True, **options)
    assert run.report["input"]["documents"] == 3 * 43
    assert "part-02.jsonl" in json.dumps(run.stage("measure")["skipped"])
