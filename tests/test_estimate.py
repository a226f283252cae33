"""Estimates against the runs that they are of, and the early refusal of a disk that is too small."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from click.testing import CliRunner, Result

import curate
from curate.cli import main
from curate.errors import InputError
from curate.estimate.estimate import estimate
from tests.corpora import RECIPE, prose, write_jsonl


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five megabytes of prose as plain JSONL, zstd and Parquet, of documents of different lengths."""
    folder = tmp_path_factory.mktemp("estimate") / "raw"
    texts = [prose(seed, 6 + seed % 40) for seed in range(2400)]
    write_jsonl(folder / "a.jsonl", ({"id": f"a{i}", "text": text} for i, text in enumerate(texts[:800])))
    lines = "".join(json.dumps({"id": f"b{i}", "text": text}) + "\n" for i, text in enumerate(texts[800:1600]))
    with pa.CompressedOutputStream(str(folder / "b.jsonl.zst"), "zstd") as out:
        out.write(lines.encode())
    frame = pl.DataFrame({"id": [f"c{i}" for i in range(800)], "text": texts[1600:]})
    frame.write_parquet(folder / "c.parquet", row_group_size=200)
    return folder


@pytest.fixture(scope="module")
def recipe() -> curate.Recipe:
    return curate.Recipe.parse(RECIPE, "test")


def test_an_estimate_from_a_sample_is_within_a_third_of_what_the_run_wrote(
    raw: Path, recipe: curate.Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("curate.estimate.estimate.SMALL_BYTES", 400_000)
    found = estimate(raw, recipe, sample_bytes=1_600_000, threads=2)
    assert found["sample"]["bytes"] < 0.6 * found["sample"]["of"]
    made = curate.corpus(raw, tmp_path / "run", recipe=recipe, threads=2)
    whole, real = found["whole"], made.report["input"]
    assert whole["documents"] == pytest.approx(real["documents"], rel=0.2)
    assert whole["tokens"] == pytest.approx(real["tokens"], rel=0.2)
    written = {
        "measure": sum({**made.sizes("signals"), **made.sizes("sketches")}.values()),
        "decide": sum(made.sizes("decisions").values()),
        "write": sum(made.sizes("mix").values()),
    }
    by_stage = {stage["stage"]: stage["disk"] for stage in whole["stages"]}
    for stage, bytes_ in written.items():
        assert by_stage[stage] == pytest.approx(bytes_, rel=1 / 3), stage
    assert whole["disk"] == sum(by_stage.values())


def test_the_target_is_in_proportion_and_the_cost_follows_the_price(raw: Path, recipe: curate.Recipe) -> None:
    found = estimate(raw, recipe, sample_bytes=500_000, tokens=10**12, cores=1, price_per_core_hour=2.0, threads=1)
    whole, target = found["whole"], found["target"]
    assert target["tokens"] == 10**12
    assert target["bytes"] / whole["bytes"] == pytest.approx(target["tokens"] / whole["tokens"], rel=1e-6)
    assert target["cost"] == pytest.approx(2.0 * target["core_hours"])
    assert target["core_hours"] == pytest.approx(target["seconds"] / 3600)
    assert target["memory"] > whole["memory"]


def test_cores_divide_what_tasks_do_and_not_the_price(raw: Path, recipe: curate.Recipe) -> None:
    from curate.estimate.scaling import scaled
    from curate.estimate.trial import Trial, Trials

    seconds = {"measure": 10.0, "decide": 2.0, "write": 4.0, "report": 1.0}
    core_seconds = {**seconds, "measure": 20.0, "write": 8.0}
    written = {"measure": 500, "decide": 100, "write": 3000, "report": 50}
    main = Trial(1000, 4, 100, 6000, 1500, 10, seconds, core_seconds, written, np.ones((4, 5)))
    shuffling = curate.Recipe.parse(RECIPE + "\n[mix]\nshuffle = true\n", "shuffled")
    trials = Trials(main, main, main)
    one, many = (scaled(trials, 1000.0, 4, shuffling, cores, 0.5) for cores in (2, 8))
    decide, report = (pytest.approx(there + each * 100 * 1000) for there, each in ((2.0, 6e-6), (1.0, 5e-6)))
    assert [stage["seconds"] for stage in one["stages"]] == [10_000, decide, 4_000, report]
    assert [stage["seconds"] for stage in many["stages"]] == [2_500, decide, 1_000, report]
    work = 2 * 10_000 + 2.6 + 2 * 4_000 + 1.5
    assert one["core_hours"] == many["core_hours"] == pytest.approx(work / 3600)
    assert one["cost"] == many["cost"] == pytest.approx(0.5 * work / 3600)
    keys = 100 * 1000 * (14 * 12 + 20)  # the bands of minhash, and the exact hash
    shingles = 10 * 1000 * (6000 / 100 / 6) * 4
    assert [stage["shuffled"] for stage in one["stages"]] == [0, keys + shingles, 3000 * 1000, 0]


def test_what_a_small_sample_adds_to_decide_and_report_is_not_taken_to_go_on() -> None:
    from curate.estimate.scaling import scaled
    from curate.estimate.trial import Trial, Trials

    written = {"measure": 500, "decide": 100, "write": 3000, "report": 50}
    recipe = curate.Recipe.parse(RECIPE, "test")
    less = {"measure": 1.0, "decide": 0.4, "write": 1.0, "report": 0.4}
    more = {"measure": 5.0, "decide": 0.7, "write": 5.0, "report": 0.6}
    small = Trial(1_000, 4, 100, 6_000, 1500, 0, less, less, written, np.ones((4, 5)))
    main = Trial(10_000, 4, 1_000, 60_000, 15_000, 0, more, more, written, np.ones((4, 5)))
    stages = scaled(Trials(main, small, small), 1000.0, 4, recipe, 1, None)["stages"]
    documents = 1_000 * 1000
    assert stages[0]["seconds"] == pytest.approx(5.0 + 4.0 / 9_000 * 10_000 * 999)
    assert stages[1]["seconds"] == pytest.approx(0.7 + 6e-6 * documents * 0.999)
    assert stages[3]["seconds"] == pytest.approx(0.6 + (1.5 + 1e-6 * documents) * 0.999)


def test_the_uncertainty_is_that_of_drawing_the_places_again() -> None:
    from curate.estimate.scaling import uncertainty
    from curate.estimate.trial import Trial

    source = np.random.default_rng(3)
    for spread in (0.0, 0.2):
        per_byte = source.normal(1.0, spread, 400)
        places = np.stack([np.full(400, 1000.0), *[1000 * per_byte] * 4], axis=1)
        for share in (0.0, 0.75):
            found = uncertainty(Trial(1, 1, 1, 1, 1, 0, {}, {}, {}, places), share)
            expected = 1.96 * spread / 400**0.5 * (1 - share) ** 0.5  # of a mean, of a finite population
            assert all(half == pytest.approx(expected, rel=0.15, abs=1e-9) for half in found.values())
    one = Trial(1, 1, 1, 1, 1, 0, {}, {}, {}, places[:1])
    assert set(uncertainty(one).values()) == {None}
    assert set(uncertainty(one, 1.0).values()) == {0.0}


def test_the_uncertainty_of_time_is_that_of_the_sample_and_of_the_clock() -> None:
    from curate.estimate.scaling import scaled
    from curate.estimate.trial import Trial, Trials, clock_spread

    written = {"measure": 500, "decide": 100, "write": 3000, "report": 50}
    places = np.array([[1000, 10, 900, 150, 500], [1000, 10, 1100, 250, 500]] * 5, np.float64)
    times = [dict.fromkeys(written, seconds) for seconds in (1.0, 1.3, 1.1)]
    trials = [Trial(10_000, 1, 100, 10_000, 2000, 0, took, took, written, places) for took in times]
    clock = clock_spread(trials)
    assert clock == pytest.approx(0.3)
    assert clock_spread(trials[:1]) is None
    recipe = curate.Recipe.parse(RECIPE, "test")
    found = scaled(Trials(*trials, clock), 100.0, 1, recipe, 1, None)["uncertainty"]
    assert found["text_bytes"] > 0.05
    assert found["seconds"] == pytest.approx((found["text_bytes"] ** 2 + 0.3**2) ** 0.5)
    assert scaled(Trials(*trials), 100.0, 1, recipe, 1, None)["uncertainty"]["seconds"] is None


def test_a_sample_of_few_documents_does_not_scale_a_run_s_own_seconds_by_them(tmp_path: Path) -> None:
    source = write_jsonl(tmp_path / "one.jsonl", [{"text": prose(1)}])
    found = estimate(source, curate.Recipe.parse(RECIPE, "test"), tokens=10**12, threads=1, seconds=1.0)
    target = found["target"]
    by_stage = {stage["stage"]: stage["seconds"] for stage in target["stages"]}
    assert by_stage["decide"] < 10 + 6e-6 * target["documents"]
    assert by_stage["report"] < 10 + 1e-6 * target["documents"]


def test_documents_are_counted_at_the_place_that_they_were_copied_from(raw: Path, recipe: curate.Recipe) -> None:
    from curate.estimate.trial import trial
    from curate.pipeline import Options
    from curate.progress import Progress
    from curate.shards import plan

    found = trial(plan([raw]), recipe, Options(), 400_000, 1, Progress(), places=11)
    assert len(found.places) > found.shards  # several to a piece
    assert found.places.sum(axis=0)[:4].tolist() == [found.bytes, found.documents, found.text_bytes, found.tokens]
    there = found.places[found.places[:, 0] > 0]
    assert (there[:, 1] > 0).all()
    plain = there[there[:, 2] < there[:, 0]]  # the others expand
    assert len(plain) == len(there) - 2
    assert (plain[:, 2] > 0.95 * plain[:, 0]).all(), "other text than the lines of a place have"


def test_nothing_of_an_estimate_stays(raw: Path, recipe: curate.Recipe, tmp_path: Path) -> None:
    before = sorted(path for path in raw.parent.rglob("*"))
    estimate(raw, recipe, sample_bytes=300_000, out=tmp_path / "not" / "there", threads=1)
    assert sorted(path for path in raw.parent.rglob("*")) == before
    assert not (tmp_path / "not").exists()


def test_errors_name_the_input_and_not_the_copy_of_it(tmp_path: Path, recipe: curate.Recipe) -> None:
    source = write_jsonl(tmp_path / "in.jsonl", [{"content": prose(1)}] * 5)
    with pytest.raises(InputError, match=rf'^{tmp_path}/in.jsonl: no column "text"'):
        estimate(source, recipe, threads=1)
    empty = write_jsonl(tmp_path / "empty.jsonl", [])
    with pytest.raises(InputError, match="empty"):
        estimate(empty, recipe, threads=1)
    (tmp_path / "bad.jsonl").write_text('{"text": 3}\n' * 4)
    with pytest.raises(InputError, match="bad"):
        estimate(tmp_path / "bad.jsonl", recipe, threads=1)


def test_the_command_prints_every_stage_or_json(raw: Path, recipe_file: Path) -> None:
    shown = run("estimate", raw, "--recipe", recipe_file, "--seconds", 1, "--price-per-core-hour", 0.05)
    assert shown.exit_code == 0, shown.stderr
    for word in (
        "measure",
        "decide",
        "write",
        "report",
        "in all",
        "core-hours",
        "cost",
        "shuffled",
        "15.0T tokens",
        "free at --out",
    ):
        assert word in shown.stdout, word
    found = json.loads(run("estimate", raw, "--recipe", recipe_file, "--seconds", 1, "--json").stdout)
    assert [stage["stage"] for stage in found["whole"]["stages"]] == ["measure", "decide", "write", "report"]
    assert found["whole"]["cost"] is None
    assert run("estimate", raw, "--tokens", "lots").exit_code == 1


class _Usage(NamedTuple):
    total: int
    used: int
    free: int


def _free(monkeypatch: pytest.MonkeyPatch, bytes_: int) -> None:
    """The size of the disk is a fact of the machine, so it is stood in for."""
    monkeypatch.setattr(shutil, "disk_usage", lambda path: _Usage(10**12, 10**12 - bytes_, bytes_))


def test_a_disk_that_is_too_small_is_refused_before_the_run_with_the_numbers(
    raw: Path, recipe_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _free(monkeypatch, 1_000_000)
    for command in ("corpus", "measure"):
        refused = run(command, raw, "--out", tmp_path / command, "--recipe", recipe_file)
        assert refused.exit_code == 1
        assert "more will be written" in refused.stderr
        assert "1.0 MB are free" in refused.stderr
        assert "--ignore-disk" in refused.stderr
        assert not (tmp_path / command / "signals").exists()
    assert run("measure", raw, "--out", tmp_path / "measure", "--recipe", recipe_file, "--ignore-disk").exit_code == 0
    estimated = run("estimate", raw, "--recipe", recipe_file, "--seconds", 1)
    assert estimated.exit_code == 1
    assert "1.0 MB are free" in estimated.stderr


def test_what_a_run_has_written_already_is_not_needed_again(
    raw: Path, recipe: curate.Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = curate.corpus(raw, tmp_path / "run", recipe=recipe, threads=2)
    _free(monkeypatch, 2_000_000)
    (tmp_path / "run" / "report.json").unlink()
    made.manifest["stages"].pop("report")
    made.save()
    assert curate.corpus(raw, tmp_path / "run", recipe=recipe, threads=2).report["input"]["documents"] == 2400


def test_a_large_disk_costs_no_sample(
    raw: Path, recipe: curate.Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(*_: Any, **__: Any) -> None:
        raise AssertionError("a sample was run")

    monkeypatch.setattr("curate.estimate.estimate.trial", none)
    _free(monkeypatch, 10**12)
    assert curate.corpus(raw, tmp_path / "run", recipe=recipe, threads=2).report["input"]["documents"] == 2400
