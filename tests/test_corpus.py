"""The whole way on disk: what a run directory holds, what is repeated, and that nothing is lost."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

import curate
from curate.tables import TableWriter
from tests.corpora import RECIPE, prose, small_corpus, write_jsonl


def recipe(text: str = RECIPE) -> curate.Recipe:
    return curate.Recipe.parse(text, "test")


def contents(run: curate.Run, *folders: str) -> dict[str, str]:
    """Hash every file of some folders of a run."""
    return {
        str(path.relative_to(run.path)): hashlib.sha256(path.read_bytes()).hexdigest()
        for folder in folders
        for path in sorted((run.path / folder).rglob("*"))
        if path.is_file()
    }


def test_a_run_holds_signals_sketches_decisions_mix_and_reports(finished_run: curate.Run) -> None:
    for name in ("run.json", "report.json", "report.html", "report.md", "mix.json"):
        assert (finished_run.path / name).stat().st_size > 0, name
    signals, decisions = finished_run.signals().collect(), finished_run.decisions().collect()
    assert signals.columns[:5] == ["doc", "id", "source", "shard", "row"]
    assert decisions.columns == [
        "doc", "id", "source", "kept", "dropped_by", "failed", "cluster", "cluster_size", "survivor", "similarity",
        "domain", "weight",
    ]  # fmt: skip
    assert len(signals) == len(decisions) == 68
    assert signals["doc"].to_list() == decisions["doc"].to_list()


def test_what_came_in_is_kept_or_dropped_in_documents_bytes_and_tokens(finished_run: curate.Run) -> None:
    report = finished_run.report
    for unit in ("documents", "bytes", "tokens"):
        dropped = sum(step[f"{unit}_in"] - step[f"{unit}_out"] for step in report["steps"])
        assert report["input"][unit] == report["output"][unit] + dropped
    dropped = {step["name"]: step["dropped"] for step in report["steps"]}
    assert dropped == {"long_enough": 2, "ordinary_words": 0, "dedup_exact": 3, "dedup_minhash": 3}
    assert report["output"]["documents"] == 60
    assert sum(source["input"]["documents"] for source in report["sources"]) == report["input"]["documents"]


def test_the_mix_holds_the_kept_documents_with_their_metadata(finished_run: curate.Run) -> None:
    mix = finished_run.mix().collect()
    kept = finished_run.decisions().filter("kept").collect()
    assert sorted(mix["id"]) == sorted(kept["id"])
    assert mix.schema["year"] == pl.Int64
    row = mix.filter(pl.col("id") == "d7").row(0, named=True)
    assert (row["text"], row["year"], row["domain"]) == (prose(7), 2007, row["source"])


def test_the_mix_loads_with_pyarrow_dataset(finished_run: curate.Run) -> None:
    assert ds.dataset(finished_run.path / "mix", format="parquet").count_rows() == 60


def test_jsonl_zst_holds_the_same_documents(corpus_dir: Path, finished_run: curate.Run, tmp_path: Path) -> None:
    run = curate.corpus(corpus_dir, tmp_path / "run", recipe(), format="jsonl.zst")
    columns = ["id", "text", "year", "source", "domain"]
    assert (
        run.mix().collect().select(columns).sort("id").equals(finished_run.mix().collect().select(columns).sort("id"))
    )


def test_one_and_two_threads_give_the_same_bytes(corpus_dir: Path, finished_run: curate.Run, tmp_path: Path) -> None:
    alone = curate.corpus(corpus_dir, tmp_path / "run", recipe(), threads=1)
    folders = ("signals", "sketches", "decisions", "mix")
    assert contents(alone, *folders) == contents(finished_run, *folders)
    assert len(contents(alone, *folders)) > 6


def test_inputs_in_another_order_give_the_same_run(corpus_dir: Path, finished_run: curate.Run, tmp_path: Path) -> None:
    source = corpus_dir.name
    inputs = [f"{source}={corpus_dir / name}" for name in ("b.jsonl", "a.jsonl")]
    first = curate.corpus(inputs, tmp_path / "one", recipe())
    second = curate.corpus(inputs[::-1], tmp_path / "two", recipe())
    assert contents(first, "decisions", "mix") == contents(second, "decisions", "mix")
    kept = finished_run.decisions().filter("kept").collect()
    assert set(first.decisions().filter("kept").collect()["id"]) == set(kept["id"])


def test_the_corpus_cut_into_other_files_keeps_the_same_documents(
    corpus_dir: Path, finished_run: curate.Run, tmp_path: Path
) -> None:
    lines = [
        line for name in ("a", "b") for line in (corpus_dir / f"{name}.jsonl").read_text().splitlines(keepends=True)
    ]
    random.Random(4).shuffle(lines)
    for number in range(5):
        (tmp_path / "cut").mkdir(exist_ok=True)
        (tmp_path / "cut" / f"{number}.jsonl.gz").write_bytes(gzip.compress("".join(lines[number::5]).encode()))
    run = curate.corpus(tmp_path / "cut", tmp_path / "run", recipe())
    columns = ["id", "kept", "dropped_by", "survivor", "similarity", "weight"]
    assert (
        run.decisions()
        .select(columns)
        .collect()
        .sort("id")
        .equals(finished_run.decisions().select(columns).collect().sort("id"))
    )


def modified(run: curate.Run, folder: str) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in (run.path / folder).rglob("*") if path.is_file()}


def test_the_same_command_again_does_nothing(corpus_dir: Path, tmp_path: Path) -> None:
    run = curate.corpus(corpus_dir, tmp_path / "run", recipe())
    before = {folder: modified(run, folder) for folder in ("signals", "decisions", "mix")}
    again = curate.corpus(corpus_dir, tmp_path / "run", recipe())
    assert {folder: modified(again, folder) for folder in before} == before


def test_a_changed_threshold_reruns_decide_and_write_but_not_measure(corpus_dir: Path, tmp_path: Path) -> None:
    run = curate.corpus(corpus_dir, tmp_path / "run", recipe())
    before = modified(run, "signals")
    stricter = recipe(RECIPE.replace("word_count >= 20", "word_count >= 400"))
    run = curate.corpus(corpus_dir, tmp_path / "run", stricter)
    assert modified(run, "signals") == before
    assert run.report["output"]["documents"] == 0
    assert not list((run.path / "mix").rglob("*.parquet"))
    assert run.report["steps"][0]["dropped"] == 68


def test_fewer_signals_do_not_rerun_measure_but_another_cleaning_does(corpus_dir: Path, tmp_path: Path) -> None:
    run = curate.corpus(corpus_dir, tmp_path / "run", recipe())
    before = modified(run, "signals")
    run = curate.corpus(corpus_dir, tmp_path / "run", recipe('[[steps]]\nname = "l"\nfilter = "word_count > 20"'))
    assert modified(run, "signals") == before
    run = curate.corpus(corpus_dir, tmp_path / "run", recipe('clean = ["c4_lines"]\n' + RECIPE.split("\n", 2)[2]))
    assert all(modified(run, "signals")[name] > time for name, time in before.items())


def test_only_the_signals_that_the_recipe_names_are_measured(corpus_dir: Path, tmp_path: Path) -> None:
    run = curate.corpus(
        corpus_dir, tmp_path / "run", recipe('[[steps]]\nname = "l"\nfilter = "word_count > 20 AND year > 3"')
    )
    columns = run.signals().collect_schema().names()
    assert columns[5:] == ["byte_count", "char_count", "word_count", "token_count", "year"]
    assert "signature" not in pq.read_schema(next((run.path / "sketches").iterdir())).names


def test_a_killed_run_goes_on_and_ends_like_an_undisturbed_one(tmp_path: Path) -> None:
    source = tmp_path / "in"
    for number in range(6):
        write_jsonl(
            source / f"{number}.jsonl",
            ({"id": f"{number}-{i}", "text": prose(1000 * number + i % 380)} for i in range(400)),
        )
    (tmp_path / "r.toml").write_text(RECIPE)
    command = [
        sys.executable,
        "-m",
        "curate.cli",
        "corpus",
        str(source),
        "--recipe",
        str(tmp_path / "r.toml"),
    ]
    undisturbed = curate.corpus(source, tmp_path / "undisturbed", tmp_path / "r.toml")
    source_of_delays = random.Random(7)
    survived = 0
    for _ in range(5):
        child = subprocess.Popen(
            [*command, "--out", str(tmp_path / "run")], start_new_session=True, stdout=subprocess.DEVNULL
        )
        time.sleep(source_of_delays.uniform(0.6, 1.6))
        survived += child.poll() is None
        os.killpg(child.pid, signal.SIGKILL) if child.poll() is None else None
        child.wait()
    assert survived, "no run was alive to be killed"
    run = curate.corpus(source, tmp_path / "run", tmp_path / "r.toml")
    assert contents(run, "signals", "decisions", "mix") == contents(undisturbed, "signals", "decisions", "mix")
    assert run.report["input"] == undisturbed.report["input"]


def test_a_truncated_intermediate_file_is_measured_again(
    corpus_dir: Path, finished_run: curate.Run, tmp_path: Path
) -> None:
    run = curate.corpus(corpus_dir, tmp_path / "run", recipe())
    broken = next((run.path / "signals").iterdir())
    broken.write_bytes(broken.read_bytes()[:200])
    run.manifest["stages"]["measure"]["done"] = False
    run.save()
    run = curate.corpus(corpus_dir, tmp_path / "run", recipe())
    assert contents(run, "signals", "mix") == contents(finished_run, "signals", "mix")


def test_bad_records_are_put_aside_with_file_record_and_reason(tmp_path: Path) -> None:
    lines = [
        json.dumps({"text": prose(1)}).encode(),
        b'{"text": "cut of',
        b'{"text": 5}',
        b'{"id": 1}',
        b'{"text": "\xff\xfe"}',
    ]
    (tmp_path / "bad.jsonl").write_bytes(b"\n".join(lines))
    run = curate.corpus(tmp_path / "bad.jsonl", tmp_path / "run", recipe())
    rejects = [json.loads(line) for path in (run.path / "rejects").iterdir() for line in path.open()]
    assert [reject["record"] for reject in rejects] == [2, 3, 4, 5]
    assert all(reject["file"].endswith("bad.jsonl") and reject["reason"] for reject in rejects)
    assert rejects[0]["raw"] == '{"text": "cut of'
    assert run.report["rejected"]["documents"] == 4
    assert run.report["input"]["documents"] == 1


def test_a_truncated_file_stops_the_run_unless_it_may_be_skipped(tmp_path: Path) -> None:
    small_corpus(tmp_path / "in", documents=30)
    whole = gzip.compress("".join(json.dumps({"text": prose(i)}) + "\n" for i in range(50)).encode())
    (tmp_path / "in" / "c.jsonl.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(curate.InputError, match=r"c\.jsonl\.gz"):
        curate.corpus(tmp_path / "in", tmp_path / "run", recipe())
    run = curate.corpus(tmp_path / "in", tmp_path / "skipping", recipe(), skip_bad_files=True)
    assert run.report["input"]["documents"] == 38
    assert [reason for reason in run.report["skipped_files"].values() if "c.jsonl.gz" in reason]
    assert any("c.jsonl.gz" in warning for warning in run.report["warnings"])


def test_metadata_with_missing_and_conflicting_types_survives(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "a.jsonl", [{"text": prose(1), "tag": 5, "when": "2024-01-02"}, {"text": prose(2)}])
    write_jsonl(tmp_path / "b.jsonl", [{"text": prose(3), "tag": "five", "source": "theirs"}])
    run = curate.corpus([tmp_path / "a.jsonl", tmp_path / "b.jsonl"], tmp_path / "run", recipe())
    rows = {row["text"]: row for row in run.mix().collect().iter_rows(named=True)}
    assert [rows[prose(i)]["tag"] for i in (1, 2, 3)] == ["5", None, "five"]
    assert rows[prose(1)]["when"] == "2024-01-02"
    assert (rows[prose(3)]["source"], rows[prose(3)]["input_source"]) == ("b", "theirs")


def test_parquet_with_other_column_names_keeps_its_columns(tmp_path: Path) -> None:
    table = pa.table({"body": [prose(1), prose(2)], "key": ["x", "y"], "score": [0.5, 1.5], "tags": [["a"], []]})
    pq.write_table(table, tmp_path / "t.parquet")
    run = curate.corpus(tmp_path / "t.parquet", tmp_path / "run", recipe(), text_column="body", id_column="key")
    mix = run.mix().collect().sort("id")
    assert mix["id"].to_list() == mix["key"].to_list() == ["x", "y"]
    assert mix["body"].to_list() == [prose(1), prose(2)]
    assert mix["tags"].to_list() == [["a"], []]


def test_documents_without_an_id_are_named_by_their_text(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "a.jsonl", [{"text": prose(1)}, {"text": prose(2)}])
    write_jsonl(tmp_path / "b.jsonl", [{"text": prose(2)}])
    run = curate.corpus([tmp_path / "a.jsonl", tmp_path / "b.jsonl"], tmp_path / "run", recipe())
    ids = run.signals().collect()["id"].to_list()
    assert ids[1] == ids[2] != ids[0]
    assert all(len(name) == 32 for name in ids)


def test_a_file_that_changed_is_measured_again_and_the_others_are_not(corpus_dir: Path, tmp_path: Path) -> None:
    shutil.copytree(corpus_dir, tmp_path / "in")
    run = curate.corpus(tmp_path / "in", tmp_path / "run", recipe())
    before = modified(run, "signals")
    with (tmp_path / "in" / "a.jsonl").open("a") as file:
        file.write(json.dumps({"id": "new", "text": prose(999)}) + "\n")
    run = curate.corpus(tmp_path / "in", tmp_path / "run", recipe())
    assert run.report["input"]["documents"] == 69
    assert [name[:4] for name, time in modified(run, "signals").items() if time > before[name]] == ["in-a"]


def test_other_inputs_are_refused_until_overwritten(corpus_dir: Path, tmp_path: Path) -> None:
    curate.corpus(corpus_dir / "a.jsonl", tmp_path / "run", recipe())
    with pytest.raises(
        curate.RunError, match=r"holds a run over other inputs \(2 shards are new and 1 are gone.*--overwrite"
    ):
        curate.corpus(corpus_dir, tmp_path / "run", recipe())
    run = curate.corpus(corpus_dir, tmp_path / "run", recipe(), overwrite=True)
    assert run.report["input"]["documents"] == 68


def test_overwriting_deletes_only_what_curate_wrote(corpus_dir: Path, tmp_path: Path) -> None:
    run = curate.corpus(corpus_dir, tmp_path / "run", recipe())
    for place in ("thesis.txt", "mix/thesis.txt"):
        (run.path / place).write_text("mine")
    curate.corpus(corpus_dir, tmp_path / "run", recipe(), overwrite=True)
    assert (run.path / "thesis.txt").read_text() == (run.path / "mix" / "thesis.txt").read_text() == "mine"
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "run.json").write_text("{}")
    with pytest.raises(curate.RunError, match="not the manifest of a run"):
        curate.corpus(corpus_dir, tmp_path / "other", recipe(), overwrite=True)


def test_overwriting_never_deletes_its_own_inputs_nor_a_run_at_work(corpus_dir: Path, tmp_path: Path) -> None:
    run = curate.corpus(corpus_dir, tmp_path / "run", recipe())
    with pytest.raises(curate.RunError, match="would delete the input"):
        curate.corpus(run.path / "mix", run.path, recipe(), overwrite=True)
    with run.locked(), pytest.raises(curate.RunError, match="another curate is working"):
        curate.corpus(corpus_dir, run.path, recipe(), overwrite=True)
    assert run.mix().collect().height == 60


def test_a_wrong_first_try_does_not_block_the_corrected_command(tmp_path: Path) -> None:
    source = write_jsonl(tmp_path / "in.jsonl", [{"body": prose(1)}])
    with pytest.raises(curate.InputError):
        curate.corpus(source, tmp_path / "run", recipe())
    assert curate.corpus(source, tmp_path / "run", recipe(), text_column="body").report["output"]["documents"] == 1


def test_outputs_that_were_deleted_are_made_again(corpus_dir: Path, finished_run: curate.Run, tmp_path: Path) -> None:
    for folder in ("mix", "decisions", "signals", "sketches"):
        run = curate.corpus(corpus_dir, tmp_path / "run", recipe())
        shutil.rmtree(run.path / folder)
        run = curate.corpus(corpus_dir, tmp_path / "run", recipe())
        assert contents(run, "signals", "decisions", "mix") == contents(finished_run, "signals", "decisions", "mix")


def test_a_run_can_be_continued_from_another_directory(
    corpus_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(corpus_dir)
    run = curate.corpus("a.jsonl", tmp_path / "run", recipe())
    monkeypatch.chdir(tmp_path)
    from curate.engines.local import Local
    from curate.write.stage import write_run

    write_run(curate.Run(run.path), run.recipe, Local(1), format="jsonl.zst")
    assert list((run.path / "mix").rglob("*.jsonl.zst"))
    before = modified(run, "signals")
    curate.corpus(corpus_dir / "a.jsonl", tmp_path / "run", recipe())
    assert modified(run, "signals") == before


def test_a_text_column_called_like_one_of_ours_is_kept_under_another_name(tmp_path: Path) -> None:
    source = write_jsonl(tmp_path / "in.jsonl", [{"source": prose(1), "input_domain": "x", "domain": "y"}])
    run = curate.corpus(source, tmp_path / "run", recipe(), text_column="source")
    row = run.mix().collect().row(0, named=True)
    assert row["input_source"] == prose(1)
    assert (row["source"], row["input_domain"], row["input_input_domain"]) == ("in", "x", "y")


def test_a_metadata_predicate_means_the_same_in_every_shard(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "a.jsonl", ({"id": f"a{i}", "text": prose(i), "score": i} for i in range(4)))
    write_jsonl(tmp_path / "b.jsonl", ({"id": f"b{i}", "text": prose(9 + i), "score": i + 0.5} for i in range(4)))
    write_jsonl(tmp_path / "c.jsonl", ({"id": f"c{i}", "text": prose(20 + i)} for i in range(4)))
    inputs = [tmp_path / f"{name}.jsonl" for name in "abc"]
    keep = recipe('[[steps]]\nname = "s"\nfilter = "score >= 2.0"')
    run = curate.corpus(inputs, tmp_path / "run", keep)
    assert sorted(run.mix().collect()["id"]) == ["a2", "a3", "b2", "b3"]
    write_jsonl(tmp_path / "b.jsonl", [{"id": "b0", "text": prose(1), "score": "n/a"}])
    with pytest.raises(curate.RecipeError, match=r"compares a number with text.*CAST\(score AS DOUBLE\) >= 2"):
        curate.corpus(inputs, tmp_path / "run", keep)


def test_a_column_whose_type_changes_inside_a_table_file_keeps_every_value(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("curate.tables._ROWS_PER_GROUP", 2)
    pieces: list[list[object]] = [[None, None], [3, 4], [0.5, None], ["high", "low"], [True, False]]
    with TableWriter(tmp_path / "t.parquet") as file:
        for number, values in enumerate(pieces):
            file.write(pa.table({"n": [number] * len(values), "score": values}))
    found = pq.read_table(tmp_path / "t.parquet")
    assert found["n"].to_pylist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    assert found["score"].to_pylist() == [None, None, "3.0", "4.0", "0.5", None, "high", "low", "true", "false"]


def test_documents_without_a_letter_have_no_score(tmp_path: Path) -> None:
    found = curate.measure(["", "   ", "12345 !!!", "A real sentence."], ["language", "quality"])
    assert found["language"].to_list()[:3] == [None] * 3
    assert found["quality"].null_count() == 3


def test_a_directory_that_holds_something_else_is_not_touched(corpus_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "precious.txt").write_text("mine")
    for overwrite in (False, True):
        with pytest.raises(curate.RunError, match="is not a run of curate"):
            curate.corpus(corpus_dir, tmp_path, recipe(), overwrite=overwrite)
    assert (tmp_path / "precious.txt").read_text() == "mine"


def test_a_second_curate_on_the_same_run_is_refused(corpus_dir: Path, tmp_path: Path) -> None:
    run = curate.corpus(corpus_dir, tmp_path / "run", recipe())
    with run.locked(), pytest.raises(curate.RunError, match="another curate is working on"):
        curate.corpus(corpus_dir, tmp_path / "run", recipe())


def test_domains_become_folders_inside_the_mix_whatever_they_are_called(tmp_path: Path) -> None:
    names = ["../../up", ".hidden", "a/b", "übung", ""]
    write_jsonl(tmp_path / "in.jsonl", ({"text": prose(i), "topic": name} for i, name in enumerate(names)))
    run = curate.corpus(tmp_path / "in.jsonl", tmp_path / "run", recipe('[mix]\nby = "topic"'))
    assert sorted(path.name for path in (run.path / "mix").iterdir()) == sorted(
        ["%2E.%2F..%2Fup", "%2Ehidden", "a%2Fb", "%C3%BCbung", "other"]
    )
    assert not (tmp_path / "up").exists()
    assert sorted(run.mix().collect()["domain"]) == sorted(names)


def test_a_document_of_weight_two_is_written_twice(corpus_dir: Path, tmp_path: Path) -> None:
    total = recipe(RECIPE + '\n[mix]\nby = "source"\nmax_epochs = 2\n')
    tokens = curate.corpus(corpus_dir, tmp_path / "one", recipe()).report["output"]["tokens"]
    run = curate.corpus(corpus_dir, tmp_path / "run", total, tokens=2 * tokens)
    assert run.report["output"]["written"]["tokens"] == 2 * tokens
    assert set(run.mix().collect()["id"].value_counts()["count"]) == {2}
    assert [entry["epochs"] for entry in run.report["mix"]] == [2.0]


def test_a_large_file_is_read_in_parts_and_nothing_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from curate.shards import plan

    path = write_jsonl(tmp_path / "big.jsonl", ({"id": f"d{i}", "text": prose(i)} for i in range(300)))
    assert len(plan([path], target_bytes=20_000)) > 5
    monkeypatch.setattr(sys.modules["curate.pipeline"], "plan", lambda inputs: plan(inputs, target_bytes=20_000))
    run = curate.corpus(path, tmp_path / "run", recipe('[[steps]]\nname = "l"\nfilter = "word_count > 20"'))
    assert sorted(run.mix().collect()["id"]) == sorted(f"d{i}" for i in range(300))


def test_an_empty_input_file_gives_an_empty_mix_and_a_report(tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").write_text("")
    run = curate.corpus(tmp_path / "empty.jsonl", tmp_path / "run", recipe())
    assert run.report["input"] == {"documents": 0, "bytes": 0, "tokens": 0, "raw_bytes": 0}
    assert (run.path / "report.html").stat().st_size > 0


def test_verifying_in_many_partitions_gives_the_same_decisions(
    corpus_dir: Path, finished_run: curate.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules["curate.decide.duplicates"], "PARTITION_BYTES", 100)
    run = curate.corpus(corpus_dir, tmp_path / "run", recipe())
    assert contents(run, "decisions") == contents(finished_run, "decisions")
    assert not (run.path / "state" / "shingles").exists()


def test_nothing_is_deleted_by_overwrite_where_the_engine_or_the_index_cannot_be_had(
    finished_run: curate.Run, corpus_dir: Path, tmp_path: Path
) -> None:
    shutil.copytree(finished_run.path, tmp_path / "run")
    before = sorted(tmp_path.rglob("*"))
    recipe = finished_run.recipe
    with pytest.raises(curate.RunError, match="is not an index"):
        curate.corpus(corpus_dir, tmp_path / "run", recipe, overwrite=True, index=tmp_path / "none")
    pytest.importorskip("ray", reason="needs the extra ray: pip install 'curate-corpus[ray]'")
    with pytest.raises(curate.EngineError, match="cannot be reached"):
        curate.corpus(corpus_dir, tmp_path / "run", recipe, overwrite=True, engine="ray", address="127.0.0.1:1")
    assert sorted(tmp_path.rglob("*")) == before
