"""`curate classifier score` and `inspect`: files of scores, and what a model says of itself and of a text."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

import classifiers
from curate.classifier.scoring import score_files
from curate.cli import main
from curate.errors import InputError, RecipeError
from tests.corpora import write_jsonl

TEXTS = [
    "The river rises in the hills north of the town and flows slowly to the sea.",
    "CLICK HERE to buy cheap watches now!!! Best price, free shipping.",
    "Der Fluss entspringt in den Bergen nördlich der Stadt und mündet ins Meer.",
    "",
]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Two shards: the texts with ids, and the texts without."""
    folder = tmp_path / "data"
    folder.mkdir()
    write_jsonl(folder / "a.jsonl", [{"id": f"a{i}", "text": text} for i, text in enumerate(TEXTS)])
    pq.write_table(pa.table({"text": TEXTS * 3}), folder / "b.parquet")
    return folder


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["classifier", *map(str, arguments)])


def test_each_shard_gets_a_file_with_the_scores_of_its_documents(data: Path, tmp_path: Path) -> None:
    done = score_files("quality", [data], tmp_path / "scores")
    assert (done.documents, done.scored, done.skipped, done.rejected) == (16, 2, 0, 0)
    frames = [pl.read_parquet(path) for path in sorted((tmp_path / "scores").iterdir())]
    assert [frame.columns for frame in frames] == [["id", "source", "shard", "row", "score"]] * 2
    assert frames[0]["id"].to_list() == ["a0", "a1", "a2", "a3"]
    assert frames[1]["row"].to_list() == list(range(12)) and frames[1]["source"].unique().to_list() == ["data"]
    assert frames[1]["id"].n_unique() == 4  # equal texts without an id are given the same one
    expected = classifiers.load("quality").score(TEXTS)
    np.testing.assert_array_equal(frames[0]["score"].to_numpy(), expected)
    np.testing.assert_array_equal(frames[1]["score"].to_numpy(), np.tile(expected, 3))


def test_a_model_without_a_positive_label_gives_the_best_and_its_score(data: Path, tmp_path: Path) -> None:
    score_files("language", [data / "a.jsonl"], tmp_path / "scores")
    frame = pl.read_parquet(tmp_path / "scores")
    assert frame["label"].to_list()[:3] == ["en", "en", "de"]
    assert frame["score"].dtype == pl.Float32


def test_one_label_can_be_asked_for_and_the_best_k(data: Path, tmp_path: Path) -> None:
    score_files("language", [data / "a.jsonl"], tmp_path / "de", label="de")
    german = pl.read_parquet(tmp_path / "de")["score"].to_list()
    assert german[2] > 0.9 > 0.1 > german[0]
    score_files("language", [data / "a.jsonl"], tmp_path / "best", top_k=3)
    best = pl.read_parquet(tmp_path / "best")
    labels, scores = classifiers.load("language").predict(TEXTS, 3)
    assert best["labels"].to_list() == labels.tolist()
    assert best["scores"].to_list() == scores.tolist()


def test_shards_that_are_done_are_left_alone_until_something_changes(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "scores"
    score_files("quality", [data], out)
    again = score_files("quality", [data], out)
    assert (again.documents, again.scored, again.skipped) == (16, 0, 2)
    write_jsonl(data / "a.jsonl", [{"text": "one"}])
    assert score_files("quality", [data], out).scored == 1
    assert score_files("quality", [data], out, label="lq").scored == 2
    next(out.iterdir()).write_bytes(b"cut")
    assert score_files("quality", [data], out, label="lq").scored == 1


def test_a_shard_that_cannot_be_read_leaves_no_file_of_scores(data: Path, tmp_path: Path) -> None:
    (data / "b.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(InputError, match=r"b\.parquet"):
        score_files("quality", [data], tmp_path / "scores")
    assert [path.name for path in (tmp_path / "scores").iterdir() if "-b-" in path.name] == []


def test_records_that_are_no_documents_are_counted(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "a text"}\nno JSON\n{"other": 1}\n')
    done = score_files("quality", [tmp_path / "a.jsonl"], tmp_path / "scores")
    assert (done.documents, done.rejected) == (1, 2)


@pytest.mark.parametrize(
    ("options", "says"), [({"label": "xx"}, 'no label "xx"'), ({"label": "hq", "top_k": 2}, "both")]
)
def test_what_cannot_be_scored_is_said(data: Path, tmp_path: Path, options: dict[str, object], says: str) -> None:
    with pytest.raises(RecipeError, match=says):
        score_files("quality", [data], tmp_path / "scores", **options)  # type: ignore[arg-type]


def test_the_score_command_says_where_the_scores_are(data: Path, tmp_path: Path) -> None:
    result = run("score", "quality", data, "--out", tmp_path / "scores", "--threads", 1)
    assert result.exit_code == 0, result.stderr
    assert result.stdout == f"16 documents in 2 shards: {tmp_path / 'scores'}\n"
    counts = json.loads(run("score", "quality", data, "--out", tmp_path / "scores", "--json").stdout)
    assert counts == {"documents": 16, "scored": 0, "skipped": 2, "rejected": 0}


def test_an_unknown_model_is_one_message(data: Path, tmp_path: Path) -> None:
    for arguments in (("score", "qualty", data, "--out", tmp_path / "s"), ("inspect", "qualty")):
        result = run(*arguments)
        assert result.exit_code == 1 and 'did you mean "quality"' in result.stderr


def test_inspect_describes_a_model(tmp_path: Path) -> None:
    result = run("inspect", "quality")
    assert result.exit_code == 0, result.stderr
    rows = {line[:19].strip(): line[19:].strip() for line in result.stdout.splitlines()}
    assert rows["labels"] == "2: hq, lq" and rows["positive"] == "hq" and rows["loss"] == "softmax"
    assert json.loads(run("inspect", "language", "--json").stdout)["character_ngrams"] == [2, 3]


def test_inspect_shows_the_words_that_moved_a_score(tmp_path: Path) -> None:
    result = run("inspect", "quality", "--text", TEXTS[1], "--top", 5)
    assert result.exit_code == 0, result.stderr
    assert "CLICK" in result.stdout and "against lq" in result.stdout
    (tmp_path / "text.txt").write_text(TEXTS[1])
    found = json.loads(run("inspect", "quality", "--file", tmp_path / "text.txt", "--json").stdout)["explanation"]
    assert sum(part["contribution"] for part in found["words"]) == pytest.approx(found["value"])
    assert found["probability"] == pytest.approx(float(classifiers.load("quality").score([TEXTS[1]])[0]), abs=1e-5)


def test_inspect_prints_no_control_characters_of_a_text() -> None:
    result = run("inspect", "language", "--text", "a\x1b[31mred [bold]word[/bold] \x07", "--label", "en")
    assert result.exit_code == 0, result.stderr
    assert "\x1b" not in result.stdout and "\x07" not in result.stdout
    assert "[bold]word[/bold]" in result.stdout


def test_scores_do_not_depend_on_threads(data: Path, tmp_path: Path) -> None:
    for threads in (1, 4):
        run("score", "domain", data, "--out", tmp_path / str(threads), "--threads", threads)
    one, four = (pl.read_parquet(tmp_path / name) for name in ("1", "4"))
    assert one.equals(four) and os.listdir(tmp_path / "1") == os.listdir(tmp_path / "4")  # noqa: PTH208
