"""`curate classifier train` and `evaluate`: what they write and print, and what they say when it cannot be done."""

from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

import classifiers
from curate.cli import main
from curate.report.evaluation import evaluation_page
from tests.corpora import prose, write_jsonl

SMALL = ("--dim", 4, "--epoch", 8, "--lr", 0.5, "--min-count", 1, "--bucket", 5000, "--test-share", 0.2)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["classifier", *map(str, arguments)])


def assert_fails(result: Result, *parts: str) -> None:
    assert result.exit_code == 1, result.output
    assert "Traceback" not in result.stderr
    assert result.stderr.splitlines()[-1].startswith("error: ") or "error: " in result.stderr
    for part in parts:
        assert part in result.stderr, result.stderr


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with prose (good.jsonl) and advertising (bad.jsonl), each with some of the other's words."""
    folder = tmp_path_factory.mktemp("labelled")
    words = ["buy", "now", "cheap", "free", "offer", "click", "win", "prize", "money", "museum", "library", "river"]
    good = [prose(number, 6) for number in range(150)]
    good += [text + " One more short remark." for text in good[:30]]
    bad = [" ".join(random.Random(number).choices(words, k=30)) for number in range(150)]
    write_jsonl(folder / "good.jsonl", [{"text": text} for text in good])
    write_jsonl(folder / "bad.jsonl", [{"text": text} for text in bad])
    return folder


@pytest.fixture(scope="module")
def trained(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model trained by the command, with its card beside it."""
    out = tmp_path_factory.mktemp("model") / "quality.ftz"
    result = run(
        "train", "--positive", corpus / "good.jsonl", "--negative", f"ads={corpus}/bad.jsonl", "-o", out, *SMALL
    )
    assert result.exit_code == 0, result.output
    assert "model: " in result.stdout and "accuracy" in result.stdout
    assert "thresholds of positive" in result.stdout
    return out


def test_a_trained_model_knows_its_positive_label_and_gives_probabilities(trained: Path) -> None:
    model = classifiers.load(trained)
    assert model.positive == "positive"
    texts = [prose(1000), "buy now cheap offer click money"]
    assert np.diff(model.score(texts))[0] < -0.3
    probabilities = model.probability(texts)
    assert probabilities[0] > 0.9 and probabilities[1] < 0.1
    assert model.probability(texts, "negative") == pytest.approx(1 - probabilities, abs=0.05)


def test_the_card_says_where_the_model_comes_from(trained: Path) -> None:
    card = json.loads(trained.with_suffix(".json").read_text())
    assert card["data"]["positive"]["documents"] == 180
    assert len(card["data"]["negative"]["content"]) == 32
    assert sum(sum(part.values()) for part in card["parts"].values()) == 300, "balanced"
    assert card["parameters"]["train"]["dim"] == 4
    assert set(card["versions"]) == {"python", "fasttext-community", "curate"}
    assert card["metrics"]["documents"] == sum(card["parts"]["test"].values())
    assert card["metrics"]["positive"]["roc_auc"] > 0.95
    assert {row["name"] for row in card["metrics"]["sources"]} == {"good", "ads"}
    assert "calibrated" in card["metrics"]["positive"]["calibration"]


def test_the_same_command_gives_the_same_model_and_card(trained: Path, corpus: Path, tmp_path: Path) -> None:
    out = tmp_path / trained.name
    result = run(
        "train", "--positive", corpus / "good.jsonl", "--negative", f"ads={corpus}/bad.jsonl", "-o", out, *SMALL,
        "--json",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert out.read_bytes() == trained.read_bytes()
    card = json.loads(result.stdout)
    assert card == json.loads(out.with_suffix(".json").read_text())
    assert card | {"date": ""} == json.loads(trained.with_suffix(".json").read_text()) | {"date": ""}


def test_labels_of_ones_own_a_dense_model_and_no_calibration(corpus: Path, tmp_path: Path) -> None:
    out = tmp_path / "mine.bin"
    result = run(
        "train", "--label", f"a={corpus}/good.jsonl", "--label", f"b={corpus}/bad.jsonl", "-o", out, *SMALL,
        "--calibrate", "none", "--no-balance", "--max-per-label", 100,
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    card = json.loads(out.with_suffix(".json").read_text())
    assert "calibration" not in card and "positive" not in card and "validation" not in card["parts"]
    assert card["parameters"]["quantise"] is None
    assert {sum(part[label] for part in card["parts"].values()) for label in "ab"} == {100}
    assert card["metrics"]["positive"] is None
    assert card["metrics"]["accuracy"] > 0.9


def test_platt_and_another_positive_label(corpus: Path, tmp_path: Path) -> None:
    out = tmp_path / "mine.ftz"
    result = run(
        "train", "--label", f"a={corpus}/good.jsonl", "--label", f"b={corpus}/bad.jsonl", "-o", out, *SMALL,
        "--calibrate", "platt", "--positive-label", "b", "--word-ngrams", 1, "--maxn", 3, "--minn", 2,
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    model = classifiers.load(out)
    assert model.positive == "b"
    assert set(model.card["calibration"]["labels"]["a"]) == {"slope", "intercept"}
    assert model.probability(["buy now cheap offer"])[0] > 0.5


def test_train_refuses_what_cannot_work(corpus: Path, tmp_path: Path, trained: Path) -> None:
    good, bad = corpus / "good.jsonl", corpus / "bad.jsonl"
    out = tmp_path / "m.ftz"
    both = ("--positive", good, "--negative", bad)
    empty = write_jsonl(tmp_path / "empty.jsonl", [{"text": " "}])
    torn = tmp_path / "torn.jsonl.gz"
    torn.write_bytes(b"\x1f\x8b not gzip")
    for arguments, parts in (
        (("--positive", good, "-o", out), ("--negative",)),
        (("--label", f"a={good}", "-o", out), ("two labels",)),
        (("--label", f"a={good}", *both, "-o", out), ("either",)),
        (("--label", str(good), "--label", f"b={bad}", "-o", out), ("NAME=INPUT",)),
        (("--label", f"very good={good}", "--label", f"b={bad}", "-o", out), ('"very good"', "one word")),
        (("--label", f"a={good}", "--label", f"b={bad}", "--positive-label", "c", "-o", out), ('"c"', "a, b")),
        ((*both, "--positive-label", "c", "-o", out), ("--positive-label",)),
        (("--positive", good, "--negative", empty, "-o", out), ('label "negative"', "no documents")),
        (("--positive", good, "--negative", tmp_path / "none", "-o", out), ("no such file",)),
        (("--positive", good, "--negative", torn, "-o", out), (torn.name,)),
        (("--positive", good, "--negative", good, "-o", out), ("another label",)),
        ((*both, "--text-column", "body", "-o", out), ('no column "body"',)),
        ((*both, "-o", tmp_path / "m.model"), (".ftz",)),
        ((*both, "-o", tmp_path / "m.bin", "--quantize"), ("m.ftz",)),
        ((*both, "-o", trained), ("--overwrite",)),
        ((*both, "-o", torn / "m.ftz"), ("cannot be written",)),
        ((*both, "-o", out, "--lr", 1e6, *SMALL[:4]), ("lower the learning rate",)),
        ((*both, "-o", out, *SMALL, "--cutoff", 5), ("do not quantise",)),
        ((*both, "-o", out, *SMALL, "--max-per-label", 2), ("none of them fell into",)),
    ):
        assert_fails(run("train", *arguments), *parts)
    assert not out.exists() and not out.with_suffix(".json").exists()


def test_overwrite_replaces_model_and_card(corpus: Path, tmp_path: Path) -> None:
    out = tmp_path / "m.ftz"
    out.write_bytes(b"old")
    out.with_suffix(".json").write_text('{"positive": "gone"}')
    command = ("train", "--positive", corpus / "good.jsonl", "--negative", corpus / "bad.jsonl", "-o", out, *SMALL)
    assert_fails(run(*command), "--overwrite")
    assert out.read_bytes() == b"old"
    assert run(*command, "--overwrite").exit_code == 0
    assert classifiers.load(out).positive == "positive"


def evaluated(trained: Path, corpus: Path, *more: object) -> Result:
    labelled = ("--labelled", f"positive={corpus}/good.jsonl", "--labelled", f"negative={corpus}/bad.jsonl")
    return run("evaluate", trained, *labelled, *more)


def test_evaluate_as_json_is_the_same_for_any_number_of_threads(trained: Path, corpus: Path) -> None:
    one, three = (evaluated(trained, corpus, "--json", "--threads", threads) for threads in (1, 3))
    assert one.exit_code == 0, one.output
    assert one.stdout == three.stdout
    found = json.loads(one.stdout)
    assert found["documents"] == 330
    assert sum(n for row in found["confusion"].values() for n in row.values()) == 330
    assert sum(row["documents"] for row in found["languages"]) == 330
    assert sum(found["positive"]["histogram"]["positive"]) == 180
    kept = [row["kept"] for row in found["positive"]["thresholds"]]
    assert kept == sorted(kept)
    assert set(found["positive"]["calibration"]) == {"raw", "calibrated"}


def test_evaluate_prints_tables(trained: Path, corpus: Path) -> None:
    result = evaluated(trained, corpus)
    assert result.exit_code == 0, result.output
    for part in ("ROC-AUC", "best 10%", "expected calibration error", "calibrated score", "source"):
        assert part in result.stdout


def test_evaluate_with_another_positive_label_and_a_shipped_model(corpus: Path, trained: Path) -> None:
    result = evaluated(trained, corpus, "--positive", "negative", "--json")
    assert json.loads(result.stdout)["positive"]["label"] == "negative"
    shipped = run("evaluate", "language", "--labelled", f"en={corpus}/good.jsonl")
    assert shipped.exit_code == 0, shipped.output
    assert "--positive LABEL" in shipped.stdout, "it has no positive label to rank by"


def test_evaluate_refuses_what_cannot_work(trained: Path, corpus: Path, tmp_path: Path) -> None:
    good = f"positive={corpus}/good.jsonl"
    empty = write_jsonl(tmp_path / "empty.jsonl", [])
    edited = tmp_path / "edited.ftz"
    edited.write_bytes(trained.read_bytes())
    edited.with_suffix(".json").write_text('{"positive": "positive", "calibration": {"labels": {"positive": [1]}}}')
    torn = tmp_path / "torn.ftz"
    torn.write_bytes(trained.read_bytes()[:1000])
    for arguments, parts in (
        ((trained, "--labelled", good), ("nothing can be ranked",)),
        ((trained, "--labelled", f"positif={corpus}/good.jsonl"), ('"positif"', 'did you mean "positive"')),
        ((trained, "--labelled", good, "--positive", "x"), ('no label "x"',)),
        ((trained, "--labelled", f"negative={empty}", "--labelled", good), ('label "negative"', "no documents")),
        ((trained, "--labelled", "positive=nowhere"), ("no such file",)),
        ((torn, "--labelled", good), ("torn.ftz",)),
        ((edited, "--labelled", good, "--labelled", f"negative={corpus}/bad.jsonl"), ("edited.json", "calibration")),
        ((tmp_path / "none.ftz", "--labelled", good), ("none.ftz",)),
    ):
        assert_fails(run("evaluate", *arguments), *parts)


def test_the_page_is_whole_and_says_what_the_json_says(trained: Path, corpus: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    found = json.loads(evaluated(trained, corpus, "--html", page, "--json").stdout)
    text = page.read_text()
    assert f"{found['positive']['roc_auc']:.3f}" in text
    assert text.count("<svg") >= 3 and text.rstrip().endswith("</html>")
    assert "<script" not in text and "http://" not in text and "https://" not in text


def test_hostile_names_do_not_leave_their_place_on_the_page(trained: Path, corpus: Path) -> None:
    found = json.loads(evaluated(trained, corpus, "--json").stdout)
    attack = "<img src=x onerror=alert(1)>\"'&"
    found["sources"][0]["name"] = found["positive"]["label"] = found["labels"][0]["label"] = attack
    found["confusion"] = {attack: {attack: 3, "other" + attack: 2}}
    found["model"]["path"] = f"/tmp/{attack}"
    text = evaluation_page(found)
    assert "<img" not in text and "&lt;img" in text


def test_a_page_without_a_positive_label_and_with_many_labels(trained: Path, corpus: Path) -> None:
    found = json.loads(evaluated(trained, corpus, "--json").stdout)
    found["positive"] = None
    found["confusion"] = {f"l{i}": {f"l{i}": 5, f"l{i + 1}": 1} for i in range(30)}
    text = evaluation_page(found)
    assert "No label to rank by" in text and "were taken for l1" in text
