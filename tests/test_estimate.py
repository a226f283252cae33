"""Estimates against the runs that they are of, and the early refusal of a disk that is too small."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
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
    main = Trial(1000, 4, 100, 60_000_000, 1500, 10, seconds, core_seconds, written, np.ones((4, 5)))
    shuffling = curate.Recipe.parse(RECIPE + "\n[mix]\nshuffle = true\n", "shuffled")
    trials = Trials(main, main, main)
    one, many = (scaled(trials, 1000.0, 4, shuffling, cores, 0.5) for cores in (2, 8))
    decide, report = pytest.approx(2.0 + 6e-6 * 100 * 999), pytest.approx(1.0 + (0.6 + 3e-6 * 100 * 1000) * 0.999)
    assert [stage["seconds"] for stage in one["stages"]] == [10_000, decide, 4_000, report]
    assert [stage["seconds"] for stage in many["stages"]] == [2_500, decide, 1_000, report]
    work = 2 * 10_000 + 2.5994 + 2 * 4_000 + 1.8991
    assert one["core_hours"] == many["core_hours"] == pytest.approx(work / 3600)
    assert one["cost"] == many["cost"] == pytest.approx(0.5 * work / 3600)
    for found in (one, many):
        held = [found["cores"] * stage["seconds"] / 3600 * 0.5 for stage in found["stages"]]
        assert [stage["cost_held"] for stage in found["stages"]] == pytest.approx(held)
        assert found["cost_held"] == pytest.approx(sum(held))
    assert many["cost_held"] > one["cost_held"], "what waits while decide and report keep one machine at work"
    keys = 100 * 1000 * (14 * 12 + 20)  # the bands of minhash, and the exact hash
    shingles = 10 * 1000 * (60_000_000 / 100 / 6) * 4
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
    from curate.estimate.intervals import Redrawn
    from curate.estimate.trial import Trial

    source = np.random.default_rng(3)
    for spread in (0.0, 0.2):
        per_byte = source.normal(1.0, spread, 400)
        places = np.stack([np.full(400, 1000.0), *[1000 * per_byte] * 4], axis=1)
        for share in (0.0, 0.75):
            sure = Redrawn.of(Trial(1, 1, 1, 1, 1, 0, {}, {}, {}, places), None, share=share)
            expected = 1.96 * spread / 400**0.5 * (1 - share) ** 0.5  # of a mean, of a finite population
            found = sure.said({"disk": {"documents": 5.0}, "tokens": {"tokens": 1.0}, "bytes": {"bytes": 1.0}})
            assert found["uncertainty"].pop("bytes") == 0
            assert all(half == pytest.approx(expected, rel=0.15, abs=1e-9) for half in found["uncertainty"].values())
            partly = sure.said({"disk": {"documents": 5.0, "fixed": 15.0}})
            assert partly["uncertainty"]["disk"] == pytest.approx(expected / 4, rel=0.15, abs=1e-9)
            assert sure.said({"seconds": {"text_bytes": 1.0}})["uncertainty"] == {"seconds": None}, "without a clock"
    one = Trial(1, 1, 1, 1, 1, 0, {}, {}, {}, places[:1])
    assert Redrawn.of(one, None).said({"disk": {"documents": 1.0}})["uncertainty"] == {"disk": None}
    assert Redrawn.of(one, None, share=1.0).said({"disk": {"documents": 1.0}})["uncertainty"] == {"disk": 0.0}


def test_an_interval_that_ends_above_twice_the_estimate_is_told_by_its_end() -> None:
    from curate.estimate.intervals import Redrawn
    from curate.estimate.trial import Trial

    places = np.full((20, 5), 1000.0)
    places[:, 4] = 1.0
    places[0, 4] = 10_000.0  # nearly all that is kept is in one place
    found = Redrawn.of(Trial(1, 1, 1, 1, 1, 0, {}, {}, {}, places), 0.1).said(
        {"disk": {"kept_bytes": 1.0}, "seconds": {"text_bytes": 1.0}}
    )
    assert found["uncertainty"]["disk"] is None
    assert 2 < found["at_most"]["disk"] < 5
    assert found["uncertainty"]["seconds"] == pytest.approx(0.1)
    assert "seconds" not in found["at_most"]


def test_each_stage_is_as_uncertain_as_what_it_works_on() -> None:
    from curate.estimate.scaling import scaled
    from curate.estimate.trial import Trial, Trials

    written = {"measure": 500, "decide": 100, "write": 3000, "report": 50}
    source = np.random.default_rng(5)
    spread = {"documents": 0.05, "text_bytes": 0.1, "tokens": 0.2, "kept_bytes": 0.4}
    places = np.stack([np.full(100, 1000.0), *(1000 * source.normal(1, wide, 100) for wide in spread.values())], axis=1)
    took = dict.fromkeys(written, 5.0)
    main = Trial(1000, 4, 100, 6000, 1500, 10, took, took, written, places)
    recipe = curate.Recipe.parse(RECIPE, "test")
    found = scaled(Trials(main, main, main, 0.0), 1000.0, 4, recipe, 1, 0.5)
    half = {name: 1.96 * wide / 10 for name, wide in spread.items()}
    measure, decide, write, report = (stage["uncertainty"] for stage in found["stages"])
    for name in ("seconds", "core_hours", "cost", "cost_held"):
        assert measure[name] == pytest.approx(half["text_bytes"], rel=0.2)
        assert decide[name] == pytest.approx(half["documents"], rel=0.2)
        assert write[name] == pytest.approx(half["kept_bytes"], rel=0.2)
        assert report[name] == 0
        assert half["documents"] < found["uncertainty"][name] < half["kept_bytes"]
    assert [stage["disk"] for stage in (measure, decide, write, report)] == [
        *[pytest.approx(half["documents"], rel=0.2)] * 2,
        pytest.approx(half["kept_bytes"], rel=0.2),
        0,
    ]
    assert measure["memory"] == report["memory"] == 0 < decide["memory"] <= half["documents"] * 1.2
    assert found["uncertainty"]["memory"] == decide["memory"]
    assert decide["shuffled"] == pytest.approx(half["documents"], rel=0.2)
    nothing_kept = replace(main, places=places * [1, 1, 1, 1, 0])
    write = scaled(Trials(*[nothing_kept] * 3, 0.0), 1000.0, 4, recipe, 1, 0.5)["stages"][2]["uncertainty"]
    assert write["seconds"] == measure["seconds"], "it reads all that is measured"
    of_tokens = scaled(Trials(main, main, main, 0.0), 1000.0, 4, recipe, 1, None, per="tokens")["uncertainty"]
    assert of_tokens["tokens"] == 0, "so many were asked for"
    assert of_tokens["bytes"] == pytest.approx(half["tokens"], rel=0.2)


def test_the_memory_of_decide_is_of_documents_filters_and_duplicates() -> None:
    from curate.estimate.scaling import scaled
    from curate.estimate.trial import Trial, Trials

    took = {"measure": 1.0, "decide": 0.4, "write": 1.0, "report": 0.4}
    recipe = curate.Recipe.parse(RECIPE, "test")
    filters = sum(step.kind == "filter" for step in recipe.steps)
    main = Trial(1000, 4, 100, 6000, 1500, 7, took, took, dict.fromkeys(took, 1), np.ones((4, 5)), 60)
    measure, decide, _, report = scaled(Trials(main, main, main), 1e6, 4, recipe, 1, None)["stages"]
    held = 1e6 * (100 * (12 + filters / 8) + 60 * 14 + 7 * 160)
    assert decide["memory"] - measure["memory"] == pytest.approx(held, rel=0.01)
    assert report["memory"] == measure["memory"]


def test_shards_of_the_target_are_as_large_as_a_plan_makes_them() -> None:
    from curate.estimate.estimate import _shards_of

    assert _shards_of(1e9, 10**9, 5000) == 5000
    assert _shards_of(5e8, 10**9, 5000) == 2500
    assert _shards_of(1e15, 47, 1) == pytest.approx(1e15 / (256 << 20))
    assert _shards_of(1e15, 6 * 5_400_000, 6) == pytest.approx(1e15 / (256 << 20))
    assert _shards_of(1e15, 4 << 30, 4) == pytest.approx(1e15 / (1 << 30)), "larger files that cannot be cut stay so"


def test_decide_and_report_are_held_to_their_limits_whatever_shards_add() -> None:
    from curate.estimate.scaling import scaled
    from curate.estimate.trial import Trial, Trials

    took = {"measure": 1.0, "decide": 0.4, "write": 1.0, "report": 0.4}
    slow = {**took, "decide": 0.8, "report": 0.8}
    written = dict.fromkeys(took, 1)
    main, small, few = (
        Trial(size, shards, 100, 6000, 1500, 0, seconds, seconds, written, np.ones((4, 5)))
        for size, shards, seconds in ((5_000_000, 16, slow), (600_000, 16, slow), (600_000, 2, took))
    )
    trials = Trials(main, small, few)
    for shards in (1e3, 1e9):
        found = scaled(trials, 1e6, shards, curate.Recipe.parse(RECIPE, "test"), 1, None)
        by_stage = {stage["stage"]: stage["seconds"] for stage in found["stages"]}
        assert by_stage["decide"] <= 0.8 + 6e-6 * 100 * 1e6
        assert by_stage["report"] <= 0.8 + 1.5 + 1e-6 * 100 * 1e6


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
    assert found["seconds"] >= 0.3
    measure = scaled(Trials(*trials, clock), 100.0, 1, recipe, 1, None)["stages"][0]["uncertainty"]
    assert measure["seconds"] == pytest.approx((found["text_bytes"] ** 2 + 0.3**2) ** 0.5, rel=0.02)
    assert scaled(Trials(*trials), 100.0, 1, recipe, 1, None)["uncertainty"]["seconds"] is None
    twice = Trials.of(trials[:1], trials[:2], trials)
    assert twice.clock == pytest.approx(0.3), "that of the largest sample that was run twice"


def test_the_clock_is_known_where_there_is_time_for_one_large_trial_only(monkeypatch: pytest.MonkeyPatch) -> None:
    from curate.estimate.estimate import _trials
    from curate.estimate.trial import Trial

    now = 0.0
    sizes: list[int] = []
    monkeypatch.setattr("curate.estimate.estimate.time.monotonic", lambda: now)

    def run_one(budget: int, places: int | None = None) -> Trial:
        nonlocal now
        now += budget / 10e6
        sizes.append(budget)
        took = {"measure": budget / 10e6 + 0.1 * len(sizes), "write": 0.1}
        return Trial(budget, 1, 1, 1, 1, 0, took, took, {}, np.ones((4, 5)))

    trials = _trials(run_one, 10**9, 80_000_000, 10.0)
    assert sizes.count(80_000_000) == 1
    assert sizes.count(4 << 20) == 4
    assert trials.clock is not None and trials.clock > 0.1
    assert now < 12


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
    for stage in [found["target"], *found["target"]["stages"]]:
        assert stage["uncertainty"].keys() - {"bytes", "tokens", "documents", "text_bytes"} == {
            "seconds", "memory", "disk", "shuffled", "core_hours"
        }  # fmt: skip
    assert None not in found["whole"]["uncertainty"].values()


def test_numbers_that_mean_nothing_are_refused_before_anything_is_run(
    raw: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("curate.estimate.estimate.trial", _none)
    for tokens in ("lots", "0", "-5", "15X"):
        refused = run("estimate", raw, "--tokens", tokens)
        assert refused.exit_code == 1
        assert "is not a number of tokens" in refused.stderr
        assert "Running" not in refused.stderr
        with pytest.raises(curate.errors.RecipeError):
            estimate(raw, tokens=tokens)
    for option in ("--price-per-core-hour", "--seconds"):
        for number in ("nan", "inf", "-1"):
            assert run("estimate", raw, option, number).exit_code == 2
    with pytest.raises(curate.errors.CurateError, match="nan"):
        estimate(raw, price_per_core_hour=float("nan"))


def _none(*_: Any, **__: Any) -> None:
    raise AssertionError("a sample was run")


def _compressed(path: Path, texts: list[str]) -> Path:
    path.parent.mkdir(exist_ok=True)
    lines = "".join(json.dumps({"id": str(number), "text": text}) + "\n" for number, text in enumerate(texts))
    with pa.CompressedOutputStream(str(path), "zstd") as out:
        out.write(lines.encode())
    return path


@pytest.mark.parametrize("kind", ["jsonl.zst", "parquet", "txt"])
def test_one_place_says_how_sure_it_is_too(kind: str, recipe: curate.Recipe, tmp_path: Path) -> None:
    texts = [f"{prose(seed, 3 + seed % 40)} {seed**9 % 10**40}" for seed in range(600)]
    source = tmp_path / "raw"
    if kind == "jsonl.zst":
        _compressed(source / "in.jsonl.zst", texts)
    elif kind == "parquet":
        source.mkdir()
        pl.DataFrame({"text": texts}).write_parquet(source / "in.parquet")
    else:
        source.mkdir()
        for number, text in enumerate(texts):
            (source / f"{number:03d}.txt").write_text(text)
    found = estimate(source, recipe, sample_bytes=200_000, threads=1, seconds=1.0)
    assert found["sample"]["bytes"] < 0.7 * found["sample"]["of"]
    for part in (found["whole"], found["target"]):
        assert None not in part["uncertainty"].values()
        assert 0.01 < part["uncertainty"]["documents"] < 0.5
    real = len(texts)
    assert abs(found["whole"]["documents"] / real - 1) < 2 * found["whole"]["uncertainty"]["documents"]


def test_two_documents_are_enough_for_an_interval(recipe: curate.Recipe, tmp_path: Path) -> None:
    source = _compressed(tmp_path / "two.jsonl.zst", [prose(1, 30), prose(2, 90)])
    target = estimate(source, recipe, threads=1, seconds=1.0)["target"]
    for stage in [target, *target["stages"]]:
        assert all(half is not None or name in stage["at_most"] for name, half in stage["uncertainty"].items()), stage


def test_one_small_file_is_not_taken_for_as_many_small_files_as_the_target_has_bytes(
    recipe: curate.Recipe, tmp_path: Path
) -> None:
    source = write_jsonl(tmp_path / "one.jsonl", [{"text": "one small document here"}])
    target = estimate(source, recipe, tokens=10**12, threads=1, seconds=1.0)["target"]
    for stage in target["stages"]:
        assert stage["disk"] < 2000 * target["documents"]
    assert target["seconds"] < 1e-4 * target["documents"]


def test_a_damaged_file_is_skipped_when_that_is_asked_for(recipe_file: Path, tmp_path: Path) -> None:
    texts = [prose(seed, 20) for seed in range(300)]
    for number in range(3):
        _compressed(tmp_path / "raw" / f"{number}.jsonl.zst", texts)
    damaged = tmp_path / "raw" / "1.jsonl.zst"
    damaged.write_bytes(damaged.read_bytes()[:20] + bytes(damaged.stat().st_size - 20))
    (tmp_path / "raw" / "bad.parquet").write_bytes(b"PAR1" + bytes(5000) + b"PAR1")
    arguments = ("estimate", tmp_path / "raw", "--recipe", recipe_file, "--seconds", 1, "--json")
    refused = run(*arguments)
    assert refused.exit_code == 1
    assert f"{tmp_path}/raw/" in refused.stderr
    assert "--skip-bad-files" in refused.stderr
    found = json.loads(run(*arguments, "--skip-bad-files").stdout)
    assert found["sample"]["of"] == sum(path.stat().st_size for path in (tmp_path / "raw").iterdir())
    assert found["whole"]["documents"] == pytest.approx(600, rel=0.02)


def test_signals_of_your_own_and_limits_of_reading_are_those_of_the_sample(raw: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "import curate\n\n\n"
        '@curate.signal("exclamations", dtype="int64", unit="marks", definition="Exclamation marks.")\n'
        'def exclamations(texts):\n    return [text.as_py().count("!") for text in texts]\n'
    )
    (tmp_path / "mine.toml").write_text('[[steps]]\nfilter = "exclamations < 5"\nname = "calm"\n')
    arguments = ("estimate", raw, "--recipe", tmp_path / "mine.toml", "--seconds", 1, "--json")
    assert run(*arguments).exit_code == 1
    made = run(*arguments, "--plugin", tmp_path / "mine.py")
    assert made.exit_code == 0, made.stderr
    assert json.loads(made.stdout)["whole"]["documents"] == pytest.approx(2400, rel=0.2)
    lines = ("estimate", raw / "a.jsonl", *arguments[2:], "--plugin", tmp_path / "mine.py", "--max-expansion", 1000)
    short, all_ = (json.loads(run(*lines, "--max-record-bytes", limit).stdout) for limit in (2000, 100_000))
    assert 0 < short["whole"]["documents"] < 0.9 * all_["whole"]["documents"]


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
    monkeypatch.setattr("curate.estimate.estimate.trial", _none)
    _free(monkeypatch, 10**12)
    assert curate.corpus(raw, tmp_path / "run", recipe=recipe, threads=2).report["input"]["documents"] == 2400
