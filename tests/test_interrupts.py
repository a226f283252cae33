"""Ctrl-C: a real SIGINT to a real process, in every stage, with several threads and kernels at work."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import curate
from tests.corpora import RECIPE, prose, write_jsonl

# Makes one function of a stage slow in a kernel that holds the main thread, as a sort of a large corpus would.
SLOW = """
import sys, time
import numba, numpy as np

@numba.njit(nogil=True)
def spin(seconds, clock):
    total = 0.0
    for i in range(int(seconds * 4e9)):
        total += np.sqrt(clock + i)
    return total

spin(0.0, 1.0)
import importlib
module = importlib.import_module("{module}")
original = module.{name}
def slow(*args, **kwargs):
    print("there", file=sys.stderr, flush=True)
    spin(60.0, 2.0)
    return original(*args, **kwargs)
module.{name} = slow
from curate.cli import main
main(sys.argv[1:])
"""


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("curate.measure.stage", "measure_batch"),  # in the threads of the pool
        ("curate.decide.stage", "decide_population"),  # in the main thread
        ("curate.decide.stage", "check_decided"),
        ("curate.write.task", "clean"),
        ("curate.report.build", "build"),
    ],
)
def test_ctrl_c_ends_any_stage_within_two_seconds_and_says_how_to_go_on(
    module: str, name: str, corpus_dir: Path, recipe_file: Path, tmp_path: Path
) -> None:
    command = [sys.executable, "-c", SLOW.format(module=module, name=name), "corpus", str(corpus_dir)]
    child = subprocess.Popen(
        [*command, "--out", str(tmp_path / "run"), "--recipe", str(recipe_file), "--threads", "3", "--ignore-disk"],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    assert child.stderr is not None
    said = ""
    while "there" not in said:
        line = child.stderr.readline()
        assert line, said
        said += line
    time.sleep(0.2)
    begun = time.monotonic()
    child.send_signal(signal.SIGINT)
    rest = child.communicate(timeout=30)[1]
    assert time.monotonic() - begun < 2
    assert child.returncode == 1
    assert "interrupted; the same command goes on where it stopped" in rest
    assert "Traceback" not in rest
    run = curate.corpus(corpus_dir, tmp_path / "run", recipe_file)
    assert run.report["output"]["documents"] == 60


def test_ctrl_c_between_batches_is_in_the_log(tmp_path: Path) -> None:
    (tmp_path / "recipe.toml").write_text(RECIPE)
    write_jsonl(tmp_path / "in.jsonl", ({"id": str(i), "text": prose(i, 600)} for i in range(3000)))
    child = subprocess.Popen(
        [sys.executable, "-m", "curate.cli", "corpus", str(tmp_path / "in.jsonl"), "--out", str(tmp_path / "run"),
         "--recipe", str(tmp_path / "recipe.toml"), "--ignore-disk"],
        stderr=subprocess.PIPE,
    )  # fmt: skip
    log = tmp_path / "run" / "log.txt"
    while not (log.is_file() and "measure begins" in log.read_text()):
        assert child.poll() is None
        time.sleep(0.02)
    child.send_signal(signal.SIGINT)
    child.communicate(timeout=30)
    assert child.returncode == 1
    assert not json.loads((tmp_path / "run" / "run.json").read_text())["stages"]["measure"]["done"]
