"""Long work is visible: events for machines, and the status of a run that is at work in another process."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

import curate
from curate.cli import main
from curate.lock import is_held
from curate.meter import Meter
from tests.corpora import prose, write_jsonl


def test_events_tell_stages_shards_counts_and_warnings(corpus_dir: Path, recipe_file: Path, tmp_path: Path) -> None:
    log = tmp_path / "events.jsonl"
    (corpus_dir.parent / "skip").mkdir(exist_ok=True)
    result = CliRunner().invoke(
        main,
        ["corpus", str(corpus_dir), "--out", str(tmp_path / "run"), "--recipe", str(recipe_file), "--ignore-disk",
         "--json-log", str(log)],
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    events = [json.loads(line) for line in log.read_text().splitlines()]
    assert all(isinstance(event["time"], float) for event in events)
    stages = [(event["event"], event["stage"]) for event in events if event["event"].startswith("stage")]
    assert stages == [(f"stage_{what}", stage) for stage in ("measure", "decide", "write", "report")
                      for what in ("begins", "ends")]  # fmt: skip
    shards = [event for event in events if event["event"] == "shard_done" and event["stage"] == "measure"]
    assert sorted(event["documents"] for event in shards) == [34, 34]
    ended = next(event for event in events if event["event"] == "stage_ends" and event["stage"] == "measure")
    assert ended["counts"]["documents"] == 68 and ended["counts"]["rejected"] == 0
    assert any("never fires" in event["message"] for event in events if event["event"] == "warning")
    steps = [event["doing"] for event in events if event["event"] == "progress" and event["stage"] == "decide"]
    assert steps == ["", "long_enough", "ordinary_words", "dedup_exact", "dedup_minhash"]


def test_a_stage_that_fails_is_an_event_on_stderr(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(b"nothing")
    result = CliRunner().invoke(
        main,
        ["measure", str(tmp_path / "a.parquet"), "--out", str(tmp_path / "run"), "--json-log", "-", "--ignore-disk"],
    )
    assert result.exit_code == 1
    events = [json.loads(line) for line in result.stderr.splitlines() if line.startswith("{")]
    assert events[-1]["event"] == "stage_stopped" and "a.parquet" in events[-1]["message"]


def test_the_status_of_a_run_at_work_has_rate_and_time_left(tmp_path: Path, finished_run: curate.Run) -> None:
    assert not is_held(finished_run.path)
    write_jsonl(tmp_path / "in.jsonl", ({"id": str(i), "text": prose(i)} for i in range(5)))
    recipe = curate.Recipe.parse('[[steps]]\nname = "l"\nfilter = "word_count > 2"', "test")
    run = curate.corpus(tmp_path / "in.jsonl", tmp_path / "run", recipe)
    with run.locked(), pytest.raises(ValueError), run.doing("measure", "another key"):
        meter = Meter(run.path, "measure", 1000)
        time.sleep(0.1)
        meter.advance(250)
        meter.say("")
        assert is_held(run.path)
        said = CliRunner().invoke(main, ["status", str(run.path)]).stdout
        measuring = json.loads(CliRunner().invoke(main, ["status", str(run.path), "--json"]).stdout)[0]
        raise ValueError
    assert "running" in said and "250 B of 1.0 kB" in said and "left" in said
    assert measuring["state"] == "running" and measuring["progress"]["rate"] > 0
    assert json.loads(CliRunner().invoke(main, ["status", str(run.path), "--json"]).stdout)[0]["state"] == "interrupted"


def test_the_status_of_another_process_is_seen(tmp_path: Path) -> None:
    (tmp_path / "r.toml").write_text('[[steps]]\nname = "l"\nfilter = "word_count > 2"\n[[steps]]\ndedup = "minhash"\n')
    write_jsonl(tmp_path / "in.jsonl", ({"id": str(i), "text": prose(i, 100)} for i in range(2000)))
    child = subprocess.Popen(
        [sys.executable, "-m", "curate.cli", "corpus", str(tmp_path / "in.jsonl"), "--out", str(tmp_path / "run"),
         "--recipe", str(tmp_path / "r.toml"), "--ignore-disk"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    states: set[str] = set()
    while child.poll() is None:
        if (tmp_path / "run" / "run.json").is_file():
            states |= {row["state"] for row in curate.Run(tmp_path / "run").status()}
        time.sleep(0.02)
    assert child.returncode == 0
    assert "running" in states
    assert {row["state"] for row in curate.Run(tmp_path / "run").status()} == {"done"}


def test_a_second_process_on_a_run_is_refused(tmp_path: Path, finished_run: curate.Run) -> None:
    program = f"import curate\nwith curate.Run({str(finished_run.path)!r}).locked(): print('held', flush=True); input()"
    child = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdout is not None and child.stdout.readline() == b"held\n"
    result = CliRunner().invoke(main, ["decide", str(finished_run.path)])
    assert result.exit_code == 1 and "another curate is working on" in result.stderr
    child.kill()  # the lock ends with its process, however that ends
    child.wait()
    assert CliRunner().invoke(main, ["decide", str(finished_run.path)]).exit_code == 0
