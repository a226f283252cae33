"""Questions about runs on disk: borderline documents, other thresholds, what a change of recipe does."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner, Result

import curate
from curate.cli import main
from curate.engines.local import Local
from curate.questions.compare import compare
from curate.questions.show import near
from curate.questions.tune import tune
from curate.run import Run
from tests.corpora import prose, write_jsonl

STEPS = """
clean = ["unicode"]
[[steps]]
name = "long_enough"
filter = "word_count >= {least}"
[[steps]]
name = "few_hashes"
filter = "gopher_hash_ratio <= 0.1 AND gopher_ellipsis_ratio <= 0.1"
[[steps]]
dedup = "minhash"
verify = 0.5
[[steps]]
top = 0.8
by = "char_count"
"""


def words(n: int) -> str:
    return " ".join(f"word{n}x{i}" for i in range(n))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("questions")
    records: list[dict[str, object]] = [{"id": f"w{n}", "text": words(n)} for n in range(1, 41)]
    records += [{"id": "hashes", "text": "# " * 10 + words(35)}]
    records += [{"id": "long", "text": prose(1)}, {"id": "twin", "text": prose(1) + " A remark."}]
    write_jsonl(where / "in.jsonl", records)
    return where


def run_of(folder: Path, name: str, least: int = 20) -> Run:
    recipe = curate.Recipe.parse(STEPS.format(least=least), name)
    return curate.corpus(folder / "in.jsonl", folder / name, recipe, threads=1)


@pytest.fixture(scope="module")
def run(folder: Path) -> Run:
    return run_of(folder, "a")


def cli(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_near_shows_documents_of_both_sides_of_a_threshold(run: Run) -> None:
    found = near(run, "long_enough", 4, Local(1))
    assert sorted(document["id"] for document in found) == ["w18", "w19", "w20", "w21"]
    # One side can give more where the other has too few.
    assert len(near(run, "few_hashes", 6, Local(1))) == 6
    assert "hashes" in {document["id"] for document in near(run, "few_hashes", 6, Local(1))}


def test_near_a_dedup_step_are_the_documents_that_are_least_similar_to_their_survivor(run: Run) -> None:
    [document] = near(run, "dedup_minhash", 3, Local(1))
    assert document["id"] == "long" and document["survivor"] == "twin"


def test_near_a_top_step_are_the_documents_around_its_score(run: Run) -> None:
    dropped = run.decisions().join(run.signals().select("doc", "char_count"), on="doc").collect()
    dropped = dropped.filter(pl.col("dropped_by") == "top_char_count").sort("char_count")
    found = near(run, "top_char_count", 4, Local(1))
    assert dropped["id"][-1] in {document["id"] for document in found}
    assert {document["kept"] for document in found} == {True, False}


def test_what_a_document_has_too_much_of_is_marked(run: Run) -> None:
    result = cli("show", run.path, "--dropped-by", "few_hashes", "--json")
    [document] = json.loads(result.stdout)
    assert [document["text"][start:end] for start, end in document["highlight"]] == ["#"] * 10


def test_a_step_that_has_no_threshold_or_is_not_there_is_named(run: Run) -> None:
    assert 'no step "long_enuf"; did you mean "long_enough"' in cli("show", run.path, "--near", "long_enuf").output
    assert cli("show", run.path, "--near", "long_enough", "--kept").exit_code == 2


def test_another_threshold_keeps_what_a_run_with_it_keeps(folder: Path, run: Run) -> None:
    # Without `top` and dedup in between nothing else moves, so the what-if is exact.
    plain = 'clean = ["unicode"]\n[[steps]]\nname = "long_enough"\nfilter = "word_count >= {}"\n'
    first = curate.corpus(folder / "in.jsonl", folder / "t20", curate.Recipe.parse(plain.format(20), "t20"), threads=1)
    sweep = tune(first, "long_enough", at=[5, 35])
    for row in sweep.rows:
        at = round(row["threshold"])
        again = curate.corpus(
            folder / "in.jsonl", folder / f"t{at}", curate.Recipe.parse(plain.format(at), "t"), threads=1
        )
        assert (row["documents"], row["tokens"]) == tuple(again.report["output"][k] for k in ("documents", "tokens"))
    assert [row["now"] for row in sweep.rows] == [False, True, False]
    assert sweep.rows[1]["change"] == 0 and sweep.rows[0]["change"] > 0 > sweep.rows[2]["change"]


def test_documents_that_another_filter_drops_do_not_come_back(run: Run) -> None:
    found = tune(run, "few_hashes", signal="gopher_hash_ratio", at=[1.0])
    # "hashes" fails nothing else; it is counted once the limit is above its 0.22.
    assert found.rows[1]["documents"] - found.rows[0]["documents"] == 1
    assert found.signal == "gopher_hash_ratio" and found.operator == "<="


def test_tune_lists_thresholds_and_refuses_what_is_not_there(run: Run) -> None:
    listed = json.loads(cli("tune", run.path, "--json").stdout)
    assert {"filter": "long_enough", "signal": "word_count", "operator": ">=", "threshold": 20.0} in listed
    assert "quantiles" not in cli("tune", run.path).output
    answer = json.loads(cli("tune", run.path, "long_enough", "--json").stdout)
    assert len(answer["rows"]) > 4
    assert "in use" in cli("tune", run.path, "long_enough").output
    assert 'did you mean "long_enough"' in cli("tune", run.path, "long_enuf").output
    assert "has no such comparison" in cli("tune", run.path, "long_enough", "--signal", "x").output


def test_a_diff_counts_gained_and_lost_documents_by_step(folder: Path, run: Run) -> None:
    other = run_of(folder, "b", least=25)
    found = compare(run, other, 2, Local(1))
    kept = {name: set(r.decisions().filter("kept").collect()["id"]) for name, r in (("a", run), ("b", other))}
    assert found["documents"]["both"] == 43
    assert found["documents"]["gained"] == len(kept["b"] - kept["a"])
    assert found["documents"]["lost"] == len(kept["a"] - kept["b"])
    assert found["documents"]["kept_in_both"] == len(kept["a"] & kept["b"])
    assert sum(row["documents"] for row in found["lost"]) == found["documents"]["lost"]
    assert {sample["id"] for sample in found["samples"]["lost"]} <= kept["a"] - kept["b"]
    printed = cli("diff", run.path, other.path)
    assert printed.exit_code == 0 and "lost" in printed.output
    back = compare(other, run, 0, Local(1))
    assert back["documents"]["gained"] == found["documents"]["lost"]


def test_runs_without_a_document_in_common_cannot_be_compared(folder: Path, run: Run) -> None:
    write_jsonl(folder / "else.jsonl", [{"id": "1", "text": prose(77)}])
    recipe = curate.Recipe.parse('name = "empty"')
    other = curate.corpus(folder / "else.jsonl", folder / "c", recipe, threads=1)
    result = cli("diff", run.path, other.path)
    assert result.exit_code == 1 and "no document in common" in " ".join(result.output.split())


def test_explain_shows_the_difference_and_the_file_of_the_mix(run: Run) -> None:
    [dropped] = json.loads(cli("explain", run.path, "long", "--json").stdout)
    only = [text for _, right in dropped["difference"] for kind, text in right if kind == "only"]
    assert "A remark." in "".join(only)
    assert dropped["files"] == []
    [kept] = json.loads(cli("explain", run.path, "twin", "--json").stdout)
    assert kept["files"]
    for file in kept["files"]:
        assert "twin" in pl.read_parquet(run.path / file)["id"].to_list()
    assert "its survivor" in cli("explain", run.path, "long").output


def test_the_file_of_a_shuffled_document_is_found_too(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setattr(sys.modules["curate.write.stage"], "MOST_BYTES", 1_000)
    recipe = curate.Recipe.parse("[mix]\ntokens = 30000\nmax_epochs = 3\nshuffle = true", "shuffled")
    run = curate.corpus(folder / "in.jsonl", folder / "shuffled", recipe, threads=1)
    [document] = json.loads(cli("explain", run.path, "w40", "--json").stdout)
    assert document["weight"] > 1
    held = [pl.read_parquet(run.path / file)["id"].to_list().count("w40") for file in document["files"]]
    assert sum(held) == document["weight"] and all(held)
