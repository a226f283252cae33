"""`curate.audit` on corpora where the right answer is known."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from audit_corpora import COPIES, GARBAGE, GOOD, HARMFUL, NEEDLESS, REFERENCE, garbage, planted
from click.testing import CliRunner, Result

import curate
from classifiers.arrow import Strings
from curate.audit.ngram_model import NgramModel
from curate.cli import main
from tests.corpora import prose, write_jsonl

RECIPE_ALL = '[[steps]]\nname = "any"\nfilter = "char_count >= 0"'


def cli(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def arm(found: dict[str, Any], name: str) -> dict[str, Any]:
    [one] = [one for one in found["arms"] if one["name"] == name]
    return one


def step(found: dict[str, Any], name: str) -> dict[str, Any]:
    [one] = [one for one in found["steps"] if one["name"] == name]
    return one


def of_recipe(folder: Path, recipe: str, records: list[dict[str, Any]] | None = None) -> curate.Run:
    corpus = write_jsonl(folder / "web.jsonl", planted() if records is None else records)
    return curate.corpus(corpus, folder / "run", recipe=curate.Recipe.parse(recipe, "planted"), threads=2)


def test_a_mix_without_garbage_beats_random_documents_at_equal_bytes(audited: dict[str, Any]) -> None:
    mean = arm(audited, "mix")["bits_per_byte"]["mean"]
    assert mean["difference_interval"][1] < 0
    assert mean["interval"][0] <= mean["value"] <= mean["interval"][1]
    raw, random = arm(audited, "raw")["bits_per_byte"]["mean"], arm(audited, "random")["bits_per_byte"]["mean"]
    assert raw["value"] == pytest.approx(random["value"], abs=0.01)  # the cleaner has nothing to do here
    assert "difference" not in random


def test_the_step_that_drops_garbage_buys_and_the_one_that_drops_good_text_does_not(audited: dict[str, Any]) -> None:
    bought = step(audited, "no_garbage")
    assert bought["verdict"] == "buys"
    assert bought["gain"]["mean"]["interval"][0] > 0
    assert bought["gain_alone"]["mean"]["interval"][0] > 0
    assert step(audited, "needless")["verdict"] in ("nothing", "harms")
    assert any("needless (" in warning for warning in audited["warnings"])
    assert not any("no_garbage" in warning for warning in audited["warnings"])


def test_copies_of_one_document_cost_the_model_and_exact_deduplication_buys(audited: dict[str, Any]) -> None:
    assert step(audited, "dedup_exact")["gain"]["mean"]["value"] > 0


def test_a_step_that_drops_nothing_is_free_and_has_no_gain(audited: dict[str, Any]) -> None:
    idle = step(audited, "idle")
    assert (idle["verdict"], idle["gain"], idle["gain_alone"], idle["tokens_paid"]) == ("free", None, None, 0)


def test_tokens_paid_are_those_that_only_this_step_takes(planted_run: curate.Run, audited: dict[str, Any]) -> None:
    signals = planted_run.signals().select("id", "token_count").collect()
    tokens = dict(zip(signals["id"], signals["token_count"], strict=True))
    needless = sum(count for name, count in tokens.items() if name.startswith("needless"))
    assert step(audited, "needless")["tokens_paid"] == pytest.approx(needless / sum(tokens.values()))


def test_audits_are_the_same_for_any_number_of_threads(
    planted_run: curate.Run, reference: Path, audited: dict[str, Any]
) -> None:
    again = curate.audit(planted_run, {"prose": reference}, threads=1)
    assert again["arms"] == audited["arms"]
    assert again["steps"] == audited["steps"]


def test_a_step_that_drops_what_the_reference_is_like_harms(tmp_path: Path, reference: Path) -> None:
    recipe = HARMFUL.replace("kind <> 'garbage'", "kind <> 'nothing'")  # most that is left is garbage
    found = curate.audit(of_recipe(tmp_path, recipe), {"prose": reference})
    assert step(found, "needless")["verdict"] == "harms"
    assert arm(found, "mix")["bits_per_byte"]["mean"]["difference_interval"][0] > 0
    assert any("worse than random" in warning for warning in found["warnings"])


def test_reference_documents_and_their_near_duplicates_are_left_out_of_every_sample(
    tmp_path: Path, reference: Path
) -> None:
    leaks = [{"id": f"same{i}", "text": prose(i), "kind": "good"} for i in REFERENCE[:7]]
    leaks += [{"id": f"near{i}", "text": f"{prose(i)} One more remark.", "kind": "good"} for i in REFERENCE[7:12]]
    leaks += [{"id": f"part{i}", "text": prose(i)[:400], "kind": "good"} for i in REFERENCE[12:16]]
    leaks += [{"id": f"quote{i}", "text": f"{garbage(i)} {prose(i)}", "kind": "good"} for i in REFERENCE[16:19]]
    clean = curate.audit(of_recipe(tmp_path / "clean", RECIPE_ALL), {"prose": reference}, steps=False)
    assert clean["leaks"]["documents"] == 0
    run = of_recipe(tmp_path / "leaky", RECIPE_ALL, planted() + leaks)
    found = curate.audit(run, {"prose": reference}, steps=False)
    assert found["leaks"]["documents"] == found["leaks"]["by_reference"]["prose"] == len(leaks)
    assert found["leaks"]["looked_at"] == GOOD + NEEDLESS + GARBAGE + COPIES + len(leaks)


def test_a_held_out_share_of_a_source_is_predicted_and_not_trained_on(planted_run: curate.Run) -> None:
    found = curate.audit(planted_run, heldout={"web": 0.2}, steps=False)
    [reference] = found["references"]
    assert (reference["name"], reference["held_out"]) == ("web, held out", True)
    held = found["leaks"]["held_out"]
    assert 0.1 < held / (GOOD + NEEDLESS + GARBAGE + COPIES) < 0.3
    assert reference["documents"] == held
    copies_are_held_out_or_leak = found["leaks"]["documents"]  # all copies are near-duplicates of one that is held out
    assert 0 < copies_are_held_out_or_leak < COPIES


def test_the_right_answer_is_likelier_for_a_model_that_has_seen_such_text(
    tmp_path: Path, planted_run: curate.Run, reference: Path
) -> None:
    lines = [
        {"question": "The museum repairs", "choices": ["the wooden bridge", "XQZ JKV 01923 ZZQ"], "answer": 0},
        {"question": "A young engineer paints", "choices": ["QQZX KKVJ", "drawings of ships"], "answer": "B"},
        {"question": "Our neighbour visits", "choices": ["the winter market", "#$%XQ"], "answer": "the winter market"},
    ]
    tasks = write_jsonl(tmp_path / "tasks.jsonl", lines)
    found = curate.audit(planted_run, {"prose": reference}, tasks={"phrases": tasks}, steps=False)
    assert found["tasks"] == [{"name": "phrases", "questions": 3}]
    mix = arm(found, "mix")["tasks"]
    assert mix["accuracy"]["tasks"]["phrases"]["value"] == 1
    assert mix["margin"]["tasks"]["phrases"]["difference"] > 0  # wrong answers look like the garbage that is gone
    assert mix["margin"]["mean"]["value"] == pytest.approx(mix["margin_mean"]["mean"]["value"])  # one wrong answer each


def test_runs_and_corpora_of_other_tools_are_compared_on_equal_bytes(
    tmp_path: Path, planted_run: curate.Run, reference: Path
) -> None:
    noise = write_jsonl(tmp_path / "noise.jsonl", [{"text": garbage(1000 + i)} for i in range(400)])
    leaky = write_jsonl(tmp_path / "leaky.jsonl", [{"text": prose(i)} for i in [*REFERENCE, *range(20_000, 20_400)]])
    other = of_recipe(tmp_path, HARMFUL)
    found = curate.audit(planted_run, {"prose": reference}, others=[other], corpora={"noise": noise, "prose2": leaky})
    names = [one["name"] for one in found["arms"]]
    labels = [name for name in names if ": " in name]
    assert [name.split(": ")[1] for name in labels if str(other.path) in name] == ["raw", "random", "mix"]
    assert names[-2:] == ["noise", "prose2"]
    assert arm(found, "noise")["bits_per_byte"]["mean"]["difference_interval"][0] > 0
    assert found["leaks"]["by_corpus"] == {"noise": 0, "prose2": len(REFERENCE)}


class Counting:
    """The n-gram proxy, of which it is known how often it was trained."""

    name = "counting"

    def __init__(self) -> None:
        self.trained: list[int] = []

    def train(self, texts: Strings, seed: int) -> NgramModel:
        self.trained.append(seed)
        return NgramModel.train(texts, order=3)


def test_any_proxy_serves_and_equal_samples_are_trained_on_once(planted_run: curate.Run, reference: Path) -> None:
    proxy = Counting()
    found = curate.audit(planted_run, {"prose": reference}, steps=False, seeds=4, proxy=proxy)
    assert found["proxy"] == "counting"
    assert sorted(proxy.trained) == [0, 0, 1, 1, 2, 2, 3, 3]  # raw and random are the same texts: nothing to clean
    assert arm(found, "raw")["bits_per_byte"]["mean"]["difference"] == 0
    assert arm(found, "mix")["bits_per_byte"]["mean"]["difference"] < 0


def test_runs_over_the_same_files_share_raw_text_and_random_documents(
    planted_run: curate.Run, tmp_path: Path, reference: Path
) -> None:
    shutil.copytree(planted_run.path, tmp_path / "again")
    found = curate.audit(planted_run, {"prose": reference}, others=[tmp_path / "again"])
    assert [one["name"] for one in found["arms"]] == ["run: raw", "run: random", "run: mix", "again: mix"]
    assert arm(found, "run: mix")["bits_per_byte"] == arm(found, "again: mix")["bits_per_byte"]


def test_an_audit_is_kept_in_the_run_and_outdated_by_other_decisions(
    tmp_path: Path, planted_run: curate.Run, reference: Path
) -> None:
    shutil.copytree(planted_run.path, tmp_path / "run")
    run = curate.Run(tmp_path / "run")
    before = (run.path / "report.html").read_text("utf-8")
    assert "Not asked yet" in before
    result = cli("audit", run.path, "--reference", f"prose={reference}", "--out", tmp_path / "audit.json")
    assert result.exit_code == 0, result.output
    assert "against random" in result.output
    assert json.loads((tmp_path / "audit.json").read_text()) == json.loads((run.path / "audit.json").read_text())
    page = (run.path / "report.html").read_text("utf-8")
    assert "What each step bought" in page
    assert "Outdated" not in page
    assert "## Audit" in (run.path / "report.md").read_text("utf-8")
    assert curate.Run(run.path).report["audit"]["outdated"] is False
    [audit] = [row for row in curate.Run(run.path).status() if row["stage"] == "audit"]
    assert audit["state"] == "done"
    other = tmp_path / "other.toml"
    other.write_text(HARMFUL)
    assert cli("decide", run.path, "--recipe", other).exit_code == 0
    [audit] = [row for row in curate.Run(run.path).status() if row["stage"] == "audit"]
    assert audit["state"] == "outdated"
    assert cli("report", run.path).exit_code == 0
    assert "Outdated" in (run.path / "report.html").read_text("utf-8")
    assert any("audit" in warning for warning in curate.Run(run.path).report["warnings"])


def test_mistakes_are_named(tmp_path: Path, planted_run: curate.Run, reference: Path) -> None:
    run, good = planted_run.path, f"prose={reference}"
    empty = write_jsonl(tmp_path / "empty.jsonl", [])
    blank = write_jsonl(tmp_path / "blank.jsonl", [{"text": ""}])
    column = write_jsonl(tmp_path / "column.jsonl", [{"content": "the text"}])
    task = write_jsonl(tmp_path / "task.jsonl", [{"question": "Who?", "choices": ["a"], "answer": 0}])
    undecided = tmp_path / "undecided"
    assert cli("measure", reference, "--out", undecided, "--recipe", "gopher").exit_code == 0
    for arguments, parts in (
        ([run], ["--reference NAME=FILES", "--heldout-share"]),
        ([run, "--reference", f"x={tmp_path}/none.jsonl"], ["none.jsonl", "no such file"]),
        ([run, "--reference", f"x={empty}"], ["--reference x", "no text"]),
        ([run, "--reference", f"x={blank}"], ["--reference x", "no text"]),
        ([run, "--reference", f"x={column}"], ['no column "text"', "content", "--text-column"]),
        ([run, "--reference", good, "--corpus", f"y={empty}"], ["--corpus y", "no text"]),
        ([run, "--reference", good, "--tasks", f"t={task}"], ["--tasks t", "line 1", "two texts"]),
        ([run, "--reference", good, "--tasks", f"t={tmp_path}/none.jsonl"], ["none.jsonl"]),
        ([run, "--heldout-share", "web=1.5"], ["between 0 and 1"]),
        ([run, "--heldout-share", "books=0.1"], ["books", "no such source", "web"]),
        ([run, "--heldout-share", "web=0.0001"], ["web", "larger"]),
        ([run, "--reference", good, "--sample", "lots"], ["lots"]),
        ([run, "--reference", good, "--memory", "1KB"], ["memory"]),
        ([tmp_path, "--reference", good], ["is not a run"]),
        ([undecided, "--reference", good], ["not decided", "curate decide"]),
    ):
        result = cli("audit", *arguments)
        assert result.exit_code == 1, (arguments, result.output)
        assert "Traceback" not in result.stderr
        assert all(part in result.stderr for part in parts), result.stderr
    for usage in (["--reference", "books"], ["--heldout-share", "web"], ["--seeds", "0"]):
        assert cli("audit", run, *usage).exit_code == 2


def test_a_corpus_that_is_all_reference_leaves_nothing_to_train_on(tmp_path: Path, reference: Path) -> None:
    records = [{"id": f"r{i}", "text": prose(i), "kind": "good"} for i in REFERENCE]
    run = of_recipe(tmp_path, RECIPE_ALL, records)
    with pytest.raises(curate.RunError, match="nothing of an arm"):
        curate.audit(run, {"prose": reference})


def test_a_mix_without_documents_cannot_be_audited(tmp_path: Path, reference: Path) -> None:
    run = of_recipe(tmp_path, '[[steps]]\nname = "none"\nfilter = "char_count < 0"')
    with pytest.raises(curate.RunError, match="empty"):
        curate.audit(run, {"prose": reference})
