"""The mix of a run: drawn again from its decisions, written once or shuffled, with a card that hubs read."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

import curate
from curate.cli import main
from curate.engines.local import Local
from curate.mix.remix import remix, with_shares
from curate.run import Run
from tests.corpora import prose, write_jsonl

MIX = """
clean = ["unicode"]
[[steps]]
name = "long_enough"
filter = "word_count >= 20"
[[steps]]
dedup = "exact"
[mix]
by = "kind"
"""


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    records = [
        {
            "id": f"{kind}-{i}",
            "text": prose(100 * len(kind) + i + ord(kind[0]) * 1000, 3 + i % 7),
            "kind": kind,
            "lang": "de" if i % 3 else "sw",
        }
        for kind, count in (("web", 60), ("code", 20), ("math", 10))
        for i in range(count)
    ]
    records.append({"id": "short", "text": "Too short.", "kind": "web", "lang": "de"})
    write_jsonl(tmp_path / "in" / "a.jsonl", records)
    return tmp_path / "in"


def run_of(corpus: Path, out: Path, mix: str = "", **options: object) -> Run:
    recipe = curate.Recipe.parse(MIX + mix, "mixed")
    return curate.corpus([f"in={corpus}"], out, recipe, threads=1, **options)  # type: ignore[arg-type]


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_a_mix_drawn_again_is_the_one_that_the_steps_would_have_given(corpus: Path, tmp_path: Path) -> None:
    changed = run_of(corpus, tmp_path / "changed")
    again = curate.Recipe.parse(MIX + "tokens = 3000\nshares = { web = 0.5, code = 0.5 }\n", "mixed")
    remix(changed, again.with_mix({"tokens": 2500}), Local(1))
    whole = run_of(corpus, tmp_path / "whole", "tokens = 2500\nshares = { web = 0.5, code = 0.5 }\n")
    assert changed.decisions().collect().equals(whole.decisions().collect())


def test_curate_mix_changes_shares_and_budget_and_write_follows(corpus: Path, tmp_path: Path) -> None:
    run = run_of(corpus, tmp_path / "run")
    before = json.loads((run.path / "run.json").read_text())["stages"]["decide"]["key"]
    result = CliRunner().invoke(
        main, ["mix", str(run.path), "--tokens", "2k", "--share", "code=0.6", "--max-epochs", "3", "--json"]
    )
    assert result.exit_code == 0, result.output
    shares = {entry["domain"]: entry["tokens"] / 2000 for entry in json.loads(result.output)}
    assert shares["code"] == pytest.approx(0.6)
    # The others divide the rest as they did: web held about six times as much as math.
    held = {entry["domain"]: entry["available"] for entry in json.loads(result.output)}
    assert shares["web"] / shares["math"] == pytest.approx(held["web"] / held["math"])
    assert Run(run.path).manifest["stages"]["decide"]["key"] != before
    assert CliRunner().invoke(main, ["write", str(run.path)]).exit_code == 0
    assert CliRunner().invoke(main, ["report", str(run.path)]).exit_code == 0
    written = Run(run.path).mix().select(pl.col("domain").value_counts()).collect()
    assert {row["domain"] for row in written["domain"].to_list()} == {"web", "code", "math"}
    report = Run(run.path).report
    assert report["output"]["written"]["tokens"] == pytest.approx(2000, abs=100)
    # To decide by the same recipe again finds everything done.
    log = (run.path / "log.txt").read_text()
    assert CliRunner().invoke(main, ["decide", str(run.path)]).exit_code == 0
    assert (run.path / "log.txt").read_text() == log


def test_a_dry_run_leaves_the_run_as_it_is(corpus: Path, tmp_path: Path) -> None:
    run = run_of(corpus, tmp_path / "run")
    before = files(run.path)
    result = CliRunner().invoke(main, ["mix", str(run.path), "--tokens", "1k", "--dry-run"])
    assert result.exit_code == 0 and "code" in result.output
    assert files(run.path) == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--share", "cod=0.5"], 'no document has the kind "cod"; did you mean "code"'),
        (["--share", "code=1.5"], "the shares add up to 1.5"),
        (["--share", "code"], '"code" is not a share; write CLASS=SHARE'),
        (["--tokens", "many"], '"many" is not a number of tokens'),
        (["--max-epochs", "0"], "max_epochs must be above 0"),
    ],
)
def test_shares_that_cannot_be_meant_are_refused(
    corpus: Path, tmp_path: Path, arguments: list[str], message: str
) -> None:
    run = run_of(corpus, tmp_path / "run")
    result = CliRunner().invoke(main, ["mix", str(run.path), *arguments])
    assert result.exit_code == 1
    assert message in " ".join(result.output.split())


def test_other_steps_need_a_decision_of_their_own(corpus: Path, tmp_path: Path) -> None:
    run = run_of(corpus, tmp_path / "run")
    with pytest.raises(curate.RunError, match="was decided by other steps"):
        remix(run, curate.Recipe.parse('[[steps]]\nname = "a"\nfilter = "word_count > 5"', "other"), Local(1))


def test_shares_given_at_the_prompt_leave_the_others_in_their_proportion(corpus: Path, tmp_path: Path) -> None:
    run = run_of(corpus, tmp_path / "run", "shares = { web = 0.6, code = 0.3, math = 0.1 }\n")
    shares = with_shares(run, run.recipe, {"web": 0.2}).mix.shares
    assert shares == pytest.approx({"web": 0.2, "code": 0.6, "math": 0.2})


def test_classes_inside_classes_are_divided_by_their_own_rule(corpus: Path, tmp_path: Path) -> None:
    run = run_of(
        corpus, tmp_path / "run",
        'tokens = 2000\nshares = { web = 0.5, code = 0.5 }\nwithin = { web = { by = "lang", method = "unimax" } }\n',
    )  # fmt: skip
    kept = run.decisions().join(run.signals().select("doc", "token_count", "lang"), on="doc").collect()
    tokens = kept.with_columns(t=pl.col("token_count") * pl.col("weight")).group_by("domain", "lang").agg(pl.sum("t"))
    found = {(domain, lang): t for domain, lang, t in tokens.iter_rows()}
    assert found["web", "de"] == pytest.approx(500, abs=90) and found["web", "sw"] == pytest.approx(500, abs=90)
    assert found["code", "de"] + found["code", "sw"] == pytest.approx(1000, abs=90)
    parts = next(entry for entry in run.stage("decide")["mix"] if entry["domain"] == "web")["parts"]
    assert {part["domain"] for part in parts} == {"de", "sw"}


def test_better_documents_are_repeated_more_often(corpus: Path, tmp_path: Path) -> None:
    run = run_of(corpus, tmp_path / "run", 'quality = { by = "char_count", weights = [0, 1, 3] }\n')
    table = run.decisions().join(run.signals().select("doc", "char_count", "kind"), on="doc").collect()
    assert table["weight"].max() <= 10
    for _, group in table.filter(pl.col("dropped_by").is_null() | (pl.col("dropped_by") == "mix")).group_by("kind"):
        ordered = group.sort("char_count")
        third = len(ordered) // 3
        assert ordered["weight"][: third - 1].sum() == 0
        assert ordered["weight"][-third + 1 :].mean() > ordered["weight"][third:-third].mean()


def test_fractions_do_not_divide_a_mix(corpus: Path, tmp_path: Path) -> None:
    recipe = curate.Recipe.parse('[mix]\nby = "mean_word_length"\ntokens = 100', "fractions")
    with pytest.raises(curate.RecipeError, match="it holds fractions; make buckets of it"):
        curate.corpus([str(corpus)], tmp_path / "run", recipe, threads=1)


def test_a_mix_written_once_has_weights_instead_of_copies(corpus: Path, tmp_path: Path) -> None:
    mix = "tokens = 20000\nmax_epochs = 3\n"
    copied = run_of(corpus, tmp_path / "copied", mix).mix().collect()
    once = run_of(corpus, tmp_path / "once", mix + "once = true\n").mix().collect()
    assert once["id"].is_unique().all()
    copies = dict(copied.group_by("id").len().iter_rows())
    assert dict(once.select("id", "weight").iter_rows()) == copies
    assert max(copies.values()) > 1


@pytest.mark.parametrize("format", ["parquet", "jsonl.zst"])
def test_a_shuffled_mix_holds_the_same_documents_in_one_random_order(
    corpus: Path, tmp_path: Path, format: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    monkeypatch.setattr(sys.modules["curate.write.stage"], "MOST_BYTES", 4_000)  # several buckets
    mix = "tokens = 20000\nmax_epochs = 3\n"
    plain = run_of(corpus, tmp_path / "plain", mix, format=format)
    shuffled = run_of(corpus, tmp_path / "shuffled", mix + "shuffle = true\n", format=format)
    a, b = plain.mix().collect(), shuffled.mix().collect()
    assert a.columns == b.columns
    assert a.sort("id").select("id", "text", "domain").equals(b.sort("id").select("id", "text", "domain"))
    assert not list((shuffled.path / "state").glob("shuffle/*"))
    # Runs of one class are short: about as long as chance makes them.
    changes = (b["domain"] != b["domain"].shift(1)).sum()
    assert changes > 20
    assert "shuffled" in json.loads((shuffled.path / "mix.json").read_text())["web"]["folder"]


def test_a_shuffled_mix_is_the_same_however_the_corpus_is_cut_into_files(corpus: Path, tmp_path: Path) -> None:
    lines = (corpus / "a.jsonl").read_text().splitlines(keepends=True)
    for number in range(3):
        target = tmp_path / "cut" / f"{number}.jsonl"
        target.parent.mkdir(exist_ok=True)
        target.write_text("".join(lines[number::3]))
    mix = "tokens = 3000\nshuffle = true\n"
    one = run_of(corpus, tmp_path / "one", mix).mix().select("id").collect()
    three = run_of(tmp_path / "cut", tmp_path / "three", mix).mix().select("id").collect()
    assert one.equals(three)


def test_the_card_names_files_classes_and_languages(corpus: Path, tmp_path: Path) -> None:
    yaml = pytest.importorskip("yaml")
    run = run_of(corpus, tmp_path / "run", "tokens = 3000\n")
    text = (run.path / "README.md").read_text()
    header = yaml.safe_load(text.split("---")[1])
    assert {config["config_name"] for config in header["configs"]} == {"default", "web", "code", "math"}
    for config in header["configs"]:
        assert list(run.path.glob(config["data_files"])), config
    assert header["size_categories"] == ["n<1K"]
    assert "[mix]" in text and "| web |" in text


def test_hostile_class_names_stay_text_in_the_card(tmp_path: Path) -> None:
    name = "x\n---\n<script>|"
    write_jsonl(tmp_path / "in.jsonl", [{"id": "1", "text": prose(1), "kind": name}])
    run = run_of(tmp_path / "in.jsonl", tmp_path / "run")
    text = (run.path / "README.md").read_text()
    assert "<script>" not in text
    assert text.count("\n---\n") == 1


def test_the_mix_is_a_plain_table_too(corpus: Path, tmp_path: Path) -> None:
    run = run_of(corpus, tmp_path / "run", "shares = { web = 0.5, code = 0.5 }\n")
    with (run.path / "mix.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {row["domain"]: float(row["share"]) for row in rows} == pytest.approx({"web": 0.5, "code": 0.5}, abs=1e-6)
    for row in rows:
        there = sum(pq.read_metadata(path).num_rows for path in (run.path / row["folder"]).glob("*.parquet"))
        assert there == int(row["documents"])


def test_a_short_class_is_told_what_would_make_its_share_possible(corpus: Path, tmp_path: Path) -> None:
    run = run_of(corpus, tmp_path / "run", "tokens = 100_000\nmax_epochs = 2\nshares = { web = 0.1, math = 0.9 }\n")
    warnings = " ".join(run.report["warnings"])
    held = next(entry["available"] for entry in run.stage("decide")["mix"] if entry["domain"] == "math")
    assert f"math is short: it gives {2 * held:,} of 90,000 tokens even at 2 epochs" in warnings
    assert f"max_epochs = {90_000 / held:.3g}" in warnings
    assert f"with a budget of at most {int(2 * held / 0.9):,} tokens" in warnings


REHYDRATED = """
[[steps]]
dedup = "exact"
[[steps]]
name = "long_enough"
filter = "word_count >= 20"
[mix]
rehydrate = true
"""


def test_documents_that_stand_for_many_duplicates_are_repeated_if_filters_like_those(tmp_path: Path) -> None:
    # 200 single documents of which filters take half, 100 pairs of which they take none.
    records: list[dict[str, object]] = [
        {"id": f"single{n}", "text": prose(n) if n % 2 else f"Short text {n}."} for n in range(200)
    ]
    records += [{"id": f"pair{n}-{copy}", "text": prose(1000 + n)} for n in range(100) for copy in "ab"]
    write_jsonl(tmp_path / "in.jsonl", records)
    recipe = curate.Recipe.parse(REHYDRATED, "rehydrated")
    run = curate.corpus(tmp_path / "in.jsonl", tmp_path / "run", recipe, threads=1)
    kept = run.decisions().filter("kept").collect()
    weights = {size: set(group["weight"]) for (size,), group in kept.group_by("cluster_size")}
    assert weights == {1: {1}, 2: {10}}
    sizes = run.stage("decide")["rehydration"]["sizes"]
    assert [(row["from"], row["removal_rate"], row["weight"]) for row in sizes] == [(1, 0.5, 1.0), (2, 0.0, 10.0)]
    # Drawn again from the decisions alone, the weights are the same.
    before = run.decisions().collect()
    remix(run, run.recipe.with_mix({"max_copies": 10}), Local(1))
    assert run.decisions().collect().equals(before)


def test_rehydration_needs_filters_after_deduplication() -> None:
    with pytest.raises(curate.RecipeError, match="it needs a dedup step with filters after it"):
        curate.Recipe.parse('[[steps]]\ndedup = "exact"\n[mix]\nrehydrate = true')
