"""An index of earlier runs: what a second crawl loses to it, and that it holds what was put in and nothing else."""

from __future__ import annotations

import json
import random
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

import curate
from curate.cli import main
from curate.engines.local import Local
from curate.index import Index
from tests.corpora import prose, write_jsonl

RECIPE = """
[[steps]]
name = "long_enough"
filter = "word_count >= 20"

[[steps]]
dedup = "exact"
keep = "{keep}"

[[steps]]
dedup = "minhash"
verify = {verify}
keep = "{keep}"
"""


def recipe(verify: object = 0.7, keep: str = "char_count DESC") -> curate.Recipe:
    return curate.Recipe.parse(RECIPE.format(verify=verify, keep=keep), "test")


def changed(text: str, words: int, seed: int) -> str:
    """The text with some of its words replaced by numbers."""
    source = random.Random(seed)
    parts = text.split(" ")
    for place in source.sample(range(len(parts)), words):
        parts[place] = f"{source.randrange(10**6)}"
    return " ".join(parts)


def first_crawl() -> list[dict[str, object]]:
    records = [{"id": f"a{i}", "text": prose(i, 24), "crawl": 1} for i in range(40)]
    records += [{"id": f"a-near{i}", "text": changed(prose(i, 24)[:-40], 4, i), "crawl": 1} for i in range(8)]
    return [*records, {"id": "a-short", "text": "Too short.", "crawl": 1}]


def second_crawl() -> list[dict[str, object]]:
    """Copies of the first crawl, near-duplicates of it and of each other at all distances, and new documents."""
    records = [{"id": f"b-copy{i}", "text": f"  {prose(i, 24)}\n", "crawl": 2} for i in range(5)]
    for words in (1, 3, 6, 9, 12, 20):
        records += [{"id": f"b-{words}-{i}", "text": changed(prose(i, 24), words, 100 * i + words), "crawl": 2}
                    for i in range(10)]  # fmt: skip
    new = [prose(i, 24) for i in range(1000, 1020)]
    records += [{"id": f"b-new{i}", "text": text, "crawl": 2} for i, text in enumerate(new)]
    records += [{"id": f"b-newer{i}", "text": changed(text, i % 9, i), "crawl": 2} for i, text in enumerate(new)]
    return [*records, {"id": "b-empty", "text": "", "crawl": 2}]


def run_over(folder: Path, name: str, records: list[dict[str, object]], wanted: curate.Recipe, **options: object):
    half = len(records) // 2
    write_jsonl(folder / "in" / name / "x.jsonl", records[:half])
    write_jsonl(folder / "in" / name / "y.jsonl", records[half:])
    return curate.corpus([f"{name}={folder / 'in' / name}"], folder / name, wanted, threads=2, **options)


@pytest.fixture(scope="module")
def crawls(tmp_path_factory: pytest.TempPathFactory):
    """A folder with a first run, an index of it, and a second run that was decided with the index."""
    folder = tmp_path_factory.mktemp("crawls")
    first = run_over(folder, "first", first_crawl(), recipe())
    Index.add(folder / "seen", first, Local(2))
    second = run_over(folder, "second", second_crawl(), recipe(), index=folder / "seen")
    return folder, first, second


def dropped(run: curate.Run) -> set[str]:
    return set(run.decisions().filter(~pl.col("kept")).collect()["id"])


def command(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.mark.parametrize("verify", [0.5, 0.7, 0.9, 1.0])
def test_a_second_crawl_loses_what_a_run_over_both_would_drop_of_it(tmp_path: Path, verify: float) -> None:
    joint = run_over(tmp_path, "both", first_crawl() + second_crawl(), recipe(verify, "crawl ASC, char_count DESC"))
    first = run_over(tmp_path, "first", first_crawl(), recipe(verify))
    Index.add(tmp_path / "seen", first, Local(2))
    second = run_over(tmp_path, "second", second_crawl(), recipe(verify), index=tmp_path / "seen")
    alone = run_over(tmp_path, "second2", second_crawl(), recipe(verify))
    of_second = {name for name in dropped(joint) if name.startswith("b-")}
    assert dropped(second) == of_second
    assert dropped(alone) < of_second  # so the index made the difference


@pytest.mark.parametrize("seed", range(6))
def test_random_crawls_lose_the_same_to_the_index_as_in_one_run(tmp_path: Path, seed: int) -> None:
    source = random.Random(seed)
    verify = source.choice([0.4, 0.6, 0.75, 0.85])
    crawls: dict[int, list[dict[str, object]]] = {1: [], 2: []}
    for i in range(90):
        text = changed(prose(source.randrange(12), 18), source.choice([0, 0, 1, 2, 4, 7, 11, 16]), source.randrange(30))
        text = source.choice([text, text, text[: len(text) * 4 // 5], "Two words.", "!!!", ""])
        crawl = source.choice([1, 2])
        crawls[crawl].append({"id": f"{crawl}-{i}", "text": text, "crawl": crawl})
    wanted = recipe(verify, "crawl ASC, char_count DESC").text.replace("word_count >= 20", "word_count >= 0")
    parsed = curate.Recipe.parse(wanted, "test")
    joint = run_over(tmp_path, "both", crawls[1] + crawls[2], parsed)
    Index.add(tmp_path / "seen", run_over(tmp_path, "first", crawls[1], parsed), Local(2))
    second = run_over(tmp_path, "second", crawls[2], parsed, index=tmp_path / "seen")
    assert dropped(second) == {name for name in dropped(joint) if name.startswith("2-")}
    assert second.decisions().filter(pl.col("survivor").str.starts_with("first:")).collect().height


def test_the_only_document_of_a_crawl_can_be_known(crawls, tmp_path: Path) -> None:
    folder, _, _ = crawls
    run = run_over(tmp_path, "one", [{"id": "x", "text": prose(4, 24)}], recipe(), index=folder / "seen")
    assert run.decisions().select("kept", "survivor", "similarity", "cluster", "cluster_size").collect().rows() == [
        (False, "first:a4", 1.0, None, 1)
    ]


def test_a_crawl_that_grew_is_not_compared_with_what_it_was(tmp_path: Path) -> None:
    run = run_over(tmp_path, "first", first_crawl(), recipe())
    kept = run.report["output"]["documents"]
    Index.add(tmp_path / "seen", run, Local(2))
    grown = run_over(tmp_path, "first", [*first_crawl(), {"id": "more", "text": prose(500)}], recipe(),
                     index=tmp_path / "seen")  # fmt: skip
    assert grown.report["output"]["documents"] == kept + 1
    with pytest.raises(curate.RunError, match="forget that one first"):
        Index.add(tmp_path / "seen", grown, Local(2), name="grown")


def test_the_match_is_named_with_run_document_and_exact_similarity(crawls) -> None:
    _, _, second = crawls
    texts = {record["id"]: str(record["text"]) for record in first_crawl() + second_crawl()}
    known = second.decisions().filter(pl.col("survivor").str.starts_with("first:")).collect()
    assert len(known) > 30
    for row in known.iter_rows(named=True):
        sets = [curate.dedup.shingles(texts[name]) for name in (row["id"], row["survivor"].removeprefix("first:"))]
        assert row["similarity"] == pytest.approx(curate.dedup.jaccard(*sets), abs=1e-6)
        assert row["dropped_by"] == ("dedup_exact" if row["similarity"] == 1 else "dedup_minhash")
    copies = known.filter(pl.col("id").str.starts_with("b-copy")).sort("id")
    assert copies["survivor"].to_list() == [f"first:a{i}" for i in range(5)]
    assert copies["dropped_by"].unique().to_list() == ["dedup_exact"]


def test_explain_names_run_and_document_of_the_index(crawls) -> None:
    _, _, second = crawls
    answer = command("explain", second.path, "b-copy3")
    assert answer.exit_code == 0, answer.stderr
    assert "duplicate of first:a3" in answer.stdout
    assert "similarity 1.000" in answer.stdout
    assert "index" in answer.stdout


@pytest.mark.parametrize("memory", [200, 1000, 3000])
def test_results_are_the_same_for_any_memory(
    crawls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, memory: int
) -> None:
    """200 bytes contract one document at a time on disk; 3,000 take many passes over the keys."""
    folder, _, second = crawls
    monkeypatch.setattr("curate.memory.SMALLEST", 1)
    small = run_over(tmp_path, "second", second_crawl(), recipe(), index=folder / "seen", memory=memory)
    columns = ["id", "kept", "dropped_by", "survivor", "similarity"]
    wanted, found = (run.decisions().select(columns).collect().sort("id") for run in (second, small))
    assert found.equals(wanted)
    assert not (small.path / "state" / "scratch").exists()


def test_an_index_does_not_drop_the_run_that_was_added_to_it(crawls, tmp_path: Path) -> None:
    folder, _, _ = crawls
    write_jsonl(tmp_path / "in.jsonl", second_crawl())
    run = curate.corpus(tmp_path / "in.jsonl", tmp_path / "run", recipe(), index=folder / "seen")
    own = tmp_path / "seen"
    Index.add(own, run, Local(2))
    before = (run.path / "decisions").stat().st_mtime_ns
    again = curate.corpus(tmp_path / "in.jsonl", tmp_path / "run2", recipe(), index=own)
    assert again.report["output"]["documents"] > 20
    assert (run.path / "decisions").stat().st_mtime_ns == before


def test_the_same_command_again_does_nothing_until_the_index_changes(crawls, tmp_path: Path) -> None:
    _, first, _ = crawls
    Index.add(tmp_path / "seen", first, Local(2))
    run = run_over(tmp_path, "second", second_crawl(), recipe(), index=tmp_path / "seen")
    stamp = [file.stat().st_mtime_ns for file in sorted((run.path / "decisions").iterdir())]
    run = run_over_again(tmp_path)
    assert [file.stat().st_mtime_ns for file in sorted((run.path / "decisions").iterdir())] == stamp
    kept = run.report["output"]["documents"]
    Index(tmp_path / "seen").forget(run="first")
    run = run_over_again(tmp_path)
    assert run.report["output"]["documents"] > kept


def run_over_again(folder: Path) -> curate.Run:
    inputs = [f"second={folder / 'in' / 'second'}"]
    return curate.corpus(inputs, folder / "second", recipe(), index=folder / "seen")


def test_decide_uses_the_index_of_the_run_until_told_not_to(crawls, tmp_path: Path) -> None:
    folder, _, second = crawls
    run = run_over(tmp_path, "second", second_crawl(), recipe(), index=folder / "seen")
    kept = second.report["output"]["documents"]
    assert f"{kept} of" in command("decide", run.path).stdout
    without = command("decide", run.path, "--no-index")
    assert without.exit_code == 0 and f"{kept} of" not in without.stdout


def test_adding_a_run_twice_does_nothing(crawls, tmp_path: Path) -> None:
    folder, first, _ = crawls
    before = sorted(file.name for file in (folder / "seen" / "segments").iterdir())
    answer = command("index", "add", folder / "seen", first.path)
    assert answer.exit_code == 0 and "already" in answer.stdout
    assert sorted(file.name for file in (folder / "seen" / "segments").iterdir()) == before
    assert len(Index(folder / "seen").manifest.entries) == 1


def test_another_run_of_the_same_name_is_refused(crawls, tmp_path: Path) -> None:
    _, first, _ = crawls
    Index.add(tmp_path / "seen", first, Local(2))
    other = run_over(tmp_path, "first", second_crawl(), recipe())
    with pytest.raises(curate.RunError, match=r'already has a run "first" with other documents.*--name'):
        Index.add(tmp_path / "seen", other, Local(2))
    assert Index.add(tmp_path / "seen", other, Local(2), name="third") is not None


def test_the_index_holds_the_kept_documents_only(crawls) -> None:
    folder, first, _ = crawls
    kept = set(first.decisions().filter("kept").collect()["id"])
    files = (folder / "seen").glob("segments/*/documents-*.parquet")
    held = [name for file in files for name in pq.read_table(file)["id"].to_pylist()]
    assert sorted(held) == sorted(kept)
    assert Index(folder / "seen").manifest.entries[0].sources == {"first": len(kept)}


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ("ngram = 4", "ngram 4 instead of 5"),
        ("bands = 10", "bands 10 instead of 14"),
        ("rows = 5", "rows 5 instead of 8"),
        ("seed = 9", "seed 9 instead of 1"),
        ('within = ["source"]', r"within = \['source'\] instead of \[\]"),
    ],
)
def test_other_parameters_are_refused_by_name(crawls, tmp_path: Path, change: str, named: str) -> None:
    folder, _, _ = crawls
    other = curate.Recipe.parse(RECIPE.format(verify=0.7, keep="char_count DESC") + change + "\n", "other")
    with pytest.raises(curate.RunError, match=named):
        run_over(tmp_path, "second", second_crawl(), other, index=folder / "seen")
    run = run_over(tmp_path, "third", second_crawl(), other)
    with pytest.raises(curate.RunError, match=named):
        Index.add(folder / "seen", run, Local(2))


def test_query_names_what_is_known_of_files_and_of_a_run(crawls, tmp_path: Path) -> None:
    folder, _, _ = crawls
    records = [{"id": "known", "text": changed(prose(3, 24), 2, 5)}, {"id": "new", "text": prose(7777)},
               {"id": "copy", "text": prose(9, 24)}, {"id": "empty", "text": ""}]  # fmt: skip
    write_jsonl(tmp_path / "q.jsonl", records)
    result = command(
        "index", "query", folder / "seen", tmp_path / "q.jsonl", "--json", "--out", tmp_path / "all.parquet"
    )
    assert result.exit_code == 0, result.stderr
    answer = json.loads(result.stdout)
    assert (answer["documents"], answer["matched"]) == (4, 2)
    known, copy = answer["matches"]
    assert (known["id"], known["run"], known["known_id"], known["kind"]) == ("known", "first", "a3", "minhash")
    similarity = curate.dedup.jaccard(*map(curate.dedup.shingles, (str(records[0]["text"]), prose(3, 24))))
    assert known["similarity"] == pytest.approx(similarity, abs=1e-6)
    assert (copy["id"], copy["known_id"], copy["similarity"], copy["kind"]) == ("copy", "a9", 1.0, "exact")
    assert pl.read_parquet(tmp_path / "all.parquet")["id"].to_list() == ["known", "copy"]
    other = run_over(tmp_path, "other", records[:2], recipe())
    assert "1 of 2 documents" in command("index", "query", folder / "seen", other.path).stdout


def test_forgetting_a_source_leaves_nothing_of_it_on_disk(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "one.jsonl", ({"id": f"one{i}", "text": prose(i)} for i in range(20)))
    write_jsonl(tmp_path / "two.jsonl", ({"id": f"two{i}", "text": prose(50 + i)} for i in range(30)))
    run = curate.corpus([f"one={tmp_path}/one.jsonl", f"two={tmp_path}/two.jsonl"], tmp_path / "run", recipe())
    Index.add(tmp_path / "seen", run, Local(2))
    answer = command("index", "forget", tmp_path / "seen", "--source", "one")
    assert answer.exit_code == 0 and answer.stdout.startswith("20 documents forgotten")
    held = [table for file in (tmp_path / "seen").rglob("documents-*.parquet") for table in [pq.read_table(file)]]
    assert {name[:3] for table in held for name in table["id"].to_pylist()} == {"two"}
    [entry] = Index(tmp_path / "seen").manifest.entries
    assert (entry.documents, entry.sources) == (30, {"two": 30})
    assert len(list((tmp_path / "seen" / "segments").iterdir())) == 1
    for name, count in (("one", 0), ("two", 30)):
        result = command("index", "query", tmp_path / "seen", tmp_path / f"{name}.jsonl", "--json", "-n", 0)
        assert json.loads(result.stdout)["matched"] == count
    result = command("index", "query", tmp_path / "seen", tmp_path / "two.jsonl", "--json", "-n", 30)
    assert all(row["id"] == row["known_id"] for row in json.loads(result.stdout)["matches"])
    near = [{"id": f"near{i}", "text": changed(prose(50 + i), 1, i)} for i in range(30)]
    write_jsonl(tmp_path / "near.jsonl", near)
    matches = json.loads(
        command("index", "query", tmp_path / "seen", tmp_path / "near.jsonl", "--json", "-n", 30).stdout
    )
    assert {row["id"][4:]: row["known_id"][3:] for row in matches["matches"]} == {str(i): str(i) for i in range(30)}


def test_forgetting_a_run_or_a_source_that_is_not_there_names_the_nearest(crawls) -> None:
    folder, _, _ = crawls
    answer = command("index", "forget", folder / "seen", "--run", "frist")
    assert answer.exit_code == 1 and 'did you mean "first"?' in answer.stderr
    assert command("index", "forget", folder / "seen").exit_code == 2


def test_merged_indices_know_what_both_know(crawls, tmp_path: Path) -> None:
    folder, first, second = crawls
    Index.add(tmp_path / "a", first, Local(2))
    Index.add(tmp_path / "b", second, Local(2))
    assert "1 runs" in command("index", "merge", tmp_path / "a", tmp_path / "b", folder / "seen").stdout
    assert [entry.run for entry in Index(tmp_path / "a").manifest.entries] == ["first", "second"]
    write_jsonl(tmp_path / "q.jsonl", [{"id": "x", "text": prose(2, 24)}, {"id": "y", "text": prose(1003, 24)}])
    result = command("index", "query", tmp_path / "a", tmp_path / "q.jsonl", "--json")
    assert [row["run"] for row in json.loads(result.stdout)["matches"]] == ["first", "second"]
    assert json.loads(command("index", "query", tmp_path / "b", tmp_path / "q.jsonl", "--json").stdout)["matched"] == 1


def test_an_index_of_signatures_estimates_similarity(tmp_path: Path, crawls) -> None:
    _, first, _ = crawls
    Index.add(tmp_path / "small", first, Local(2), signatures_only=True)
    texts = [changed(prose(i, 24), 3, i) for i in range(20, 40)]
    write_jsonl(
        tmp_path / "q.jsonl", [{"id": f"q{i}", "text": text} for i, text in zip(range(20, 40), texts, strict=True)]
    )
    result = command("index", "query", tmp_path / "small", tmp_path / "q.jsonl", "--json", "--verify", "0.5")
    matches = json.loads(result.stdout)["matches"]
    assert len(matches) == 20
    for row in matches:
        i = int(row["id"][1:])
        assert row["known_id"] == f"a{i}"
        ours, theirs = curate.dedup.signatures([texts[i - 20], prose(i, 24)])
        expected = curate.dedup.to_datasketch(ours).jaccard(curate.dedup.to_datasketch(theirs))
        assert row["similarity"] == pytest.approx(expected, abs=1e-6)
    columns = [pq.read_schema(file).names for file in (tmp_path / "small").rglob("documents-*.parquet")]
    assert columns == [["doc", "id", "source", "signature"]]


def test_without_verification_sharing_a_band_is_enough(crawls, tmp_path: Path) -> None:
    folder, _, _ = crawls
    run = run_over(tmp_path, "second", second_crawl(), recipe("false"), index=folder / "seen")
    known = run.decisions().filter(pl.col("survivor").str.starts_with("first:")).collect()
    near = known.filter(pl.col("dropped_by") == "dedup_minhash")
    assert len(near) and near["similarity"].null_count() == len(near)


def test_scopes_hold_between_crawls(tmp_path: Path) -> None:
    scoped = recipe().text.replace('dedup = "exact"', 'dedup = "exact"\nwithin = ["lang"]') + 'within = ["lang"]\n'
    wanted = curate.Recipe.parse(scoped, "scoped")
    first = run_over(tmp_path, "first", [{"id": "a", "text": prose(1), "lang": "en"}], wanted)
    Index.add(tmp_path / "seen", first, Local(1))
    near = changed(prose(1), 1, 1)
    records = [{"id": f"{kind}-{lang}", "text": text, "lang": lang}
               for lang in ("en", "de") for kind, text in (("same", prose(1)), ("near", near))]  # fmt: skip
    second = run_over(tmp_path, "second", records, wanted, index=tmp_path / "seen")
    found = dict(second.decisions().select("id", "survivor").collect().iter_rows())
    assert (found["same-en"], found["near-en"]) == ("first:a", "first:a")
    assert not any(str(found[name]).startswith("first:") for name in ("same-de", "near-de"))


def test_half_written_segments_are_in_no_index_and_go_with_the_next_change(crawls, tmp_path: Path, monkeypatch) -> None:
    _, first, second = crawls
    Index.add(tmp_path / "seen", first, Local(2))

    def fail(*arguments: object) -> None:
        raise OSError("the machine went off")

    with monkeypatch.context() as broken:
        broken.setattr("curate.index.build.write_sorted", fail)
        with pytest.raises(OSError, match="went off"):
            Index.add(tmp_path / "seen", second, Local(2))
    assert [entry.run for entry in Index(tmp_path / "seen").manifest.entries] == ["first"]
    assert len(list((tmp_path / "seen" / "segments").iterdir())) == 2
    Index.add(tmp_path / "seen", second, Local(2))
    assert len(list((tmp_path / "seen" / "segments").iterdir())) == 2
    assert [entry.run for entry in Index(tmp_path / "seen").manifest.entries] == ["first", "second"]


def test_what_is_no_index_is_left_alone(crawls, tmp_path: Path) -> None:
    _, first, _ = crawls
    (tmp_path / "notes.txt").write_text("mine")
    answer = command("index", "add", tmp_path, first.path)
    assert answer.exit_code == 1 and "not an index" in answer.stderr and "nothing was touched" in answer.stderr
    answer = command("index", "info", tmp_path)
    assert answer.exit_code == 1 and "not an index" in answer.stderr
    (tmp_path / "index.json").write_text("{}")
    answer = command("index", "info", tmp_path)
    assert answer.exit_code == 1 and "Traceback" not in answer.stderr


def test_info_says_what_is_in_it(crawls) -> None:
    folder, first, _ = crawls
    shown = command("index", "info", folder / "seen")
    assert shown.exit_code == 0 and "bands 14, rows 8, seed 1" in shown.stdout and "first" in shown.stdout
    told = json.loads(command("index", "info", folder / "seen", "--json").stdout)
    assert told["runs"][0]["documents"] == first.report["output"]["documents"]


def test_a_run_that_kept_nothing_can_be_added(tmp_path: Path) -> None:
    run = run_over(tmp_path, "none", [{"id": "x", "text": "short"}, {"id": "y", "text": ""}], recipe())
    entry = Index.add(tmp_path / "seen", run, Local(1))
    assert entry is not None and entry.documents == 0
    write_jsonl(tmp_path / "q.jsonl", [{"text": prose(1)}])
    answer = json.loads(command("index", "query", tmp_path / "seen", tmp_path / "q.jsonl", "--json").stdout)
    assert answer["matched"] == 0
