"""Trim steps on disk: what is written, reported, resumed and explained."""

from __future__ import annotations

import gzip
import hashlib
import json
import random
import signal
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner

import curate
from curate.cli import main as cli
from curate.engines.local import Local
from curate.questions.explain import explain
from curate.questions.tune import tune
from tests.corpora import prose, write_jsonl

RECIPE = """
[[steps]]
name = "long_enough"
filter = "word_count >= 5"

[[steps]]
dedup = "lines"
more_than = 6

[[steps]]
dedup = "substring"
min_words = 30

[[steps]]
name = "still_long"
filter = "char_count >= 150"
"""

MENU = ["Share this page with your friends", "All rights reserved by the owners", "Back to the top of the page"]


def recipe(text: str = RECIPE) -> curate.Recipe:
    return curate.Recipe.parse(text, "trims")


def records(count: int = 60) -> list[dict[str, object]]:
    """Prose with a menu; every seventh document shares a passage with others, every tenth is nothing but menu."""
    found: list[dict[str, object]] = []
    for i in range(count):
        text = f"{MENU[0]}\n({i}) {prose(i)} ({i})"
        if i % 7 == 0:
            text += f"\n\n{prose(1000 + i % 2, 9)}"
        if i % 10 == 0:
            text = MENU[0]
        found.append({"id": f"d{i}", "text": "\n".join([text, *MENU[1:], f"unique end {i}"])})
    return [*found, {"id": "short", "text": "Too short."}]


def corpus(folder: Path, files: int = 3) -> Path:
    for number in range(files):
        write_jsonl(folder / f"{number}.jsonl", records()[number::files])
    return folder


def contents(run: curate.Run, *folders: str) -> dict[str, str]:
    return {
        str(path.relative_to(run.path)): hashlib.sha256(path.read_bytes()).hexdigest()
        for folder in folders
        for path in sorted((run.path / folder).rglob("*"))
        if path.is_file()
    }


def by_id(run: curate.Run) -> dict[str, str]:
    mix = run.mix().collect()
    return dict(zip(mix["id"], mix["text"], strict=True))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> curate.Run:
    folder = tmp_path_factory.mktemp("trimmed")
    return curate.corpus(corpus(folder / "in"), folder / "run", recipe(), threads=2)


def test_the_mix_holds_the_trimmed_texts(run: curate.Run) -> None:
    texts = by_id(run)
    assert texts["d1"] == f"(1) {prose(1)} (1)\nunique end 1"
    assert not any(line in text for text in texts.values() for line in MENU)
    shared = [text for text in texts.values() if prose(1001, 9) in text]
    assert len(shared) == 1
    assert "d10" not in texts and "short" not in texts


def test_in_is_kept_and_dropped_and_trimmed_in_documents_bytes_and_tokens(run: curate.Run) -> None:
    report = run.report
    for unit in ("documents", "bytes", "tokens"):
        gone = sum(step[f"{unit}_in"] - step[f"{unit}_out"] for step in report["steps"])
        assert report["input"][unit] == report["output"][unit] + gone
    texts = list(by_id(run).values())
    sizes = curate.measure(texts, ["byte_count", "token_count"])
    assert report["output"]["written"] == {
        "documents": len(texts),
        "bytes": sizes["byte_count"].sum(),
        "tokens": sizes["token_count"].sum(),
    }
    assert report["mix"][0]["tokens"] == sizes["token_count"].sum()
    steps = {step["name"]: step for step in report["steps"]}
    for name in ("dedup_lines", "dedup_substring"):
        facts, step = report["trims"][name], steps[name]
        assert step["kind"] == "trim"
        assert step["dropped"] == facts["documents_dropped"]
        assert step["trimmed"] == {
            "documents": facts["documents_touched"],
            "bytes": facts["bytes_removed"],
            "tokens": facts["tokens_removed"],
        }
        assert step["bytes_in"] - step["bytes_out"] >= facts["bytes_removed"] > 0
    assert (
        sum(source["dropped"].get("dedup_lines", 0) for source in report["sources"]) == steps["dedup_lines"]["dropped"]
    )


def test_the_most_frequent_lines_and_passages_are_named(run: curate.Run) -> None:
    lines, passages = run.report["trims"]["dedup_lines"], run.report["trims"]["dedup_substring"]
    assert lines["unit"] == "line" and passages["unit"] == "substring"
    assert {entry["text"]: entry["count"] for entry in lines["top"]} == dict.fromkeys(MENU, 60)
    assert lines["lines_removed"] == 3 * 54
    assert [prose(1001, 9)[:40] in entry["text"] or prose(1000, 9)[:40] in entry["text"] for entry in passages["top"]]
    assert all(len(entry["text"]) <= 200 for entry in passages["top"])


def test_the_summary_and_the_pages_tell_what_was_trimmed(run: curate.Run) -> None:
    found = CliRunner().invoke(cli, ["report", str(run.path)])
    assert found.exit_code == 0
    assert "162 lines cut from 54 documents" in found.output
    markdown = (run.path / "report.md").read_text()
    assert "## Trimmed text" in markdown and MENU[0] in markdown
    assert "dedup_lines" in (run.path / "report.html").read_text()


def test_one_and_two_threads_give_the_same_bytes(run: curate.Run, tmp_path: Path) -> None:
    alone = curate.corpus(run.path.parent / "in", tmp_path / "run", recipe(), threads=1)
    assert contents(alone, "decisions", "mix") == contents(run, "decisions", "mix")
    assert {k: v for k, v in contents(alone, "cuts").items() if "facts" in k}
    report, other = alone.report, run.report
    assert report["trims"] == other["trims"]


def test_the_corpus_cut_into_other_files_gives_the_same_texts(run: curate.Run, tmp_path: Path) -> None:
    lines = [json.dumps(record, ensure_ascii=False) + "\n" for record in records()]
    random.Random(3).shuffle(lines)
    for number in range(7):
        (tmp_path / "in").mkdir(exist_ok=True)
        (tmp_path / "in" / f"{number}.jsonl.gz").write_bytes(gzip.compress("".join(lines[number::7]).encode()))
    other = curate.corpus(tmp_path / "in", tmp_path / "run", recipe())
    assert by_id(other) == by_id(run)
    assert other.report["trims"] == run.report["trims"]


def test_many_partitions_and_small_batches_change_nothing(
    run: curate.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules["curate.decide.trims"], "COUNTING_BYTES", 100_000)
    monkeypatch.setattr("curate.dedup.occurrences._SMALLEST_TABLE", 2)
    other = curate.corpus(run.path.parent / "in", tmp_path / "run", recipe())
    assert contents(other, "decisions", "mix") == contents(run, "decisions", "mix")
    assert other.report["trims"] == run.report["trims"]
    assert not (other.path / "cuts" / "scratch").exists()


def test_in_memory_gives_the_same_as_on_disk(run: curate.Run) -> None:
    frame = pl.DataFrame(records())
    decisions = curate.decide(frame, recipe())
    columns = ["id", "kept", "dropped_by", "failed", "cuts", "weight"]
    on_disk = run.decisions().collect().select(columns)
    assert decisions.sort("id").select(columns).equals(on_disk.sort("id"))
    mix = curate.write(frame, decisions, recipe())
    assert dict(zip(mix["id"], mix["text"], strict=True)) == by_id(run)


def modified(run: curate.Run) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in (run.path / "cuts").rglob("*") if path.is_file()}


def test_deciding_again_uses_cuts_only_where_they_still_hold(run: curate.Run, tmp_path: Path) -> None:
    source = run.path.parent / "in"
    mine = curate.corpus(source, tmp_path / "run", recipe())
    before = modified(mine)
    looser = RECIPE.replace("char_count >= 150", "char_count >= 10")
    mine = curate.corpus(source, tmp_path / "run", recipe(looser))
    assert modified(mine) == before, "what follows a trim step does not repeat it"
    for other in (
        RECIPE.replace("more_than = 6", "more_than = 100"),
        RECIPE.replace("word_count >= 5", "word_count >= 25"),
        RECIPE.replace("min_words = 30", "min_words = 300"),
        '[[steps]]\nname = "long_enough"\nfilter = "word_count >= 5"\n',
    ):
        mine = curate.corpus(source, tmp_path / "run", recipe(other))
        fresh = curate.corpus(source, tmp_path / "fresh", recipe(other), overwrite=(tmp_path / "fresh").exists())
        assert contents(mine, "decisions", "mix") == contents(fresh, "decisions", "mix")
        assert mine.report["trims"] == fresh.report["trims"]
    assert not modified(mine)
    assert "cuts" not in mine.decisions().collect_schema().names()


def test_cuts_that_were_deleted_are_made_again(run: curate.Run, tmp_path: Path) -> None:
    source = run.path.parent / "in"
    mine = curate.corpus(source, tmp_path / "run", recipe())
    first, *rest = sorted((mine.path / "cuts").rglob("*.parquet"))
    first.write_bytes(first.read_bytes()[:100])
    for path in rest[1::2]:
        path.unlink()
    mine = curate.corpus(source, tmp_path / "run", recipe())
    assert contents(mine, "decisions", "mix", "cuts") == contents(run, "decisions", "mix", "cuts")


def test_a_changed_input_is_trimmed_again(tmp_path: Path) -> None:
    corpus(tmp_path / "in")
    curate.corpus(tmp_path / "in", tmp_path / "run", recipe())
    with (tmp_path / "in" / "0.jsonl").open("a") as file:
        file.write(json.dumps({"id": "new", "text": f"{MENU[1]}\n{prose(777)}"}) + "\n")
    mine = curate.corpus(tmp_path / "in", tmp_path / "run", recipe())
    assert by_id(mine)["new"] == prose(777)
    assert {entry["text"]: entry["count"] for entry in mine.report["trims"]["dedup_lines"]["top"]}[MENU[1]] == 61


def test_explain_shows_what_was_cut_by_which_step(run: curate.Run) -> None:
    found = CliRunner().invoke(cli, ["explain", str(run.path), "d1", "--json"])
    (document,) = json.loads(found.output)
    steps = {step["name"]: step for step in document["steps"]}
    assert steps["dedup_lines"]["state"] == "trimmed"
    assert [piece.strip() for piece in steps["dedup_lines"]["cut"]] == [MENU[0], f"{MENU[1]}\n{MENU[2]}"]
    assert steps["dedup_substring"] == {"name": "dedup_substring", "kind": "trim", "state": "passed", "cut": []}
    assert "cuts" not in document["signals"]
    shown = CliRunner().invoke(cli, ["explain", str(run.path), "d1"])
    assert "dedup_lines cut" in shown.output and MENU[2] in shown.output
    (dropped,) = json.loads(CliRunner().invoke(cli, ["explain", str(run.path), "d10", "--json"]).output)
    steps = {step["name"]: step for step in dropped["steps"]}
    assert steps["dedup_lines"]["state"] == "dropped" and MENU[0] in steps["dedup_lines"]["cut"][0]
    assert steps["dedup_substring"]["state"] == "not reached"


def test_kept_documents_are_shown_as_they_are_written(run: curate.Run) -> None:
    found = CliRunner().invoke(cli, ["show", str(run.path), "--kept", "-n", "50", "--json"])
    assert {row["id"]: row["text"] for row in json.loads(found.output)} == {
        key: text for key, text in by_id(run).items() if key in {row["id"] for row in json.loads(found.output)}
    }
    dropped = CliRunner().invoke(cli, ["show", str(run.path), "--dropped-by", "dedup_lines", "--json"])
    assert all(MENU[1] in row["text"] for row in json.loads(dropped.output))


def test_a_killed_run_goes_on_and_ends_like_an_undisturbed_one(tmp_path: Path) -> None:
    for number in range(3):
        rows = ({"id": f"{number}-{i}", "text": f"{MENU[0]}\n{prose(500 * number + i)}\n{MENU[1]}"} for i in range(500))
        write_jsonl(tmp_path / "in" / f"{number}.jsonl", rows)
    (tmp_path / "r.toml").write_text(RECIPE)
    undisturbed = curate.corpus(tmp_path / "in", tmp_path / "undisturbed", tmp_path / "r.toml")
    curate.corpus(tmp_path / "in", tmp_path / "run", recipe(RECIPE.split("[[steps]]")[1].join(["[[steps]]", ""])))
    program = (
        "import curate, os, sys, signal; from curate.dedup import occurrences as o; left = [int(sys.argv[3])]\n"
        "old = o.Occurrences.flag\n"
        "def flag(*args):\n"
        "    left[0] -= 1\n"
        "    if left[0] < 0: os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return old(*args)\n"
        "o.Occurrences.flag = flag\n"
        "curate.corpus(sys.argv[1], sys.argv[2], sys.argv[4])\n"
    )
    arguments = [str(tmp_path / "in"), str(tmp_path / "run")]
    for count in ("0", "1"):
        child = subprocess.run(
            [sys.executable, "-c", program, *arguments, count, str(tmp_path / "r.toml")], check=False
        )
        assert child.returncode == -signal.SIGKILL
        assert not curate.Run(tmp_path / "run").stage("decide").get("done")
    run = curate.corpus(tmp_path / "in", tmp_path / "run", tmp_path / "r.toml")
    assert contents(run, "decisions", "mix", "cuts") == contents(undisturbed, "decisions", "mix", "cuts")


def test_an_empty_corpus_and_the_llama3_recipe_run(tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").write_text("")
    run = curate.corpus(tmp_path / "empty.jsonl", tmp_path / "run", recipe())
    assert run.report["trims"]["dedup_lines"]["lines_removed"] == 0
    steps = {step.name: step for step in curate.Recipe.load("llama3").steps}
    lines = steps["dedup_lines"]
    assert isinstance(lines, curate.recipe.LineDedup)
    assert (lines.more_than, lines.bucket) == (6, 30_000_000)
    assert not any(step.kind == "trim" for step in curate.Recipe.load("fineweb").steps)


def test_tokens_of_a_tokenizer_are_counted_again(tmp_path: Path) -> None:
    tokenizers = pytest.importorskip("tokenizers")
    words = tokenizers.Tokenizer(tokenizers.models.WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
    words.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    words.save(str(tmp_path / "words.json"))
    corpus(tmp_path / "in")
    run = curate.corpus(tmp_path / "in", tmp_path / "run", recipe(), tokenizer=tmp_path / "words.json")
    expected = sum(len(encoding.ids) for encoding in words.encode_batch(list(by_id(run).values())))
    assert run.report["output"]["tokens"] == expected


def test_questions_show_the_sizes_that_a_step_saw(tmp_path: Path) -> None:
    boiler = "This line stands on every page of the site, word for word."
    records = [
        {"id": f"d{i}", "text": f"{boiler}\nOwn text number {i} of this page, long enough to stay."} for i in range(4)
    ]
    write_jsonl(tmp_path / "in.jsonl", records)
    recipe = (
        '[[steps]]\nname = "before"\nfilter = "char_count >= 100"\n'
        '[[steps]]\ndedup = "lines"\nmore_than = 2\nmin_left = 0\n'
        '[[steps]]\nname = "after"\nfilter = "char_count >= 100"\n'
    )
    run = curate.corpus(tmp_path / "in.jsonl", tmp_path / "run", curate.Recipe.parse(recipe, "trimmed"), threads=1)
    [document] = explain(run, "d1", Local(1))
    before, _, after = document["steps"]
    assert document["dropped_by"] == "after" and before["state"] == "passed"
    assert before["values"] == [{"signal": "char_count", "value": len(records[1]["text"])}]
    [seen] = after["values"]
    assert seen["value"] < 60 and seen["threshold"] == 100
    in_use = next(row for row in tune(run, "after").rows if row["now"])
    assert in_use["documents"] == run.report["output"]["documents"] == 0
