"""The command line: what it prints, where, and with which exit code; never a traceback."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import curate
from curate.cli import main
from tests.corpora import prose, write_jsonl


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def assert_fails(result: Result, *parts: str) -> None:
    """Exit code 1 and one message on stderr that holds all parts."""
    assert result.exit_code == 1, result.output
    assert "Traceback" not in result.stderr
    assert result.stderr.startswith("error: ")
    for part in parts:
        assert part in result.stderr


def test_help_of_every_command_shows_an_example() -> None:
    assert run("--help").exit_code == 0
    for name in main.commands:
        result = run(name, "--help")
        assert result.exit_code == 0
        assert f"curate {name}" in result.output.split("Example")[1], name


def test_help_and_import_load_nothing_heavy() -> None:
    script = (
        "import sys; from click.testing import CliRunner; import curate.cli;"
        "assert CliRunner().invoke(curate.cli.main, ['--help']).exit_code == 0;"
        "print([name for name in ('numpy', 'polars', 'pyarrow', 'numba', 'rich') if name in sys.modules])"
    )
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "[]"


def test_corpus_prints_what_each_step_dropped_and_where_the_report_is(
    corpus_dir: Path, recipe_file: Path, tmp_path: Path
) -> None:
    result = run("corpus", corpus_dir, "--out", tmp_path / "run", "--recipe", recipe_file)
    assert result.exit_code == 0, result.stderr
    lines = [line.split() for line in result.stdout.splitlines()]
    assert ["in", "68"] in [line[:2] for line in lines]
    assert ["dedup_exact", "−3"] in [line[:2] for line in lines]
    assert ["kept", "60"] in [line[:2] for line in lines]
    assert f"report: {tmp_path / 'run' / 'report.html'}" in result.stdout


def test_json_is_the_report_alone_on_stdout(corpus_dir: Path, recipe_file: Path, tmp_path: Path) -> None:
    result = run("corpus", corpus_dir, "--out", tmp_path / "run", "--recipe", recipe_file, "--json")
    assert json.loads(result.stdout) == json.loads((tmp_path / "run" / "report.json").read_text())


def test_the_stages_one_by_one_give_the_same_mix_as_corpus(
    corpus_dir: Path, recipe_file: Path, finished_run: curate.Run, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    assert "68 documents measured" in run("measure", corpus_dir, "--out", out, "--recipe", recipe_file).stdout
    assert "60 of 68 documents kept" in run("decide", out).stdout
    assert "60 documents written" in run("write", out).stdout
    assert run("report", out).exit_code == 0
    states = {stage["stage"]: stage["state"] for stage in json.loads(run("status", out, "--json").stdout)}
    assert states == {"measure": "done", "decide": "done", "write": "done", "report": "done"}
    assert sorted(curate.Run(out).mix().collect()["id"]) == sorted(finished_run.mix().collect()["id"])


def test_deciding_with_what_was_not_measured_says_what_to_run(finished_run: curate.Run, tmp_path: Path) -> None:
    other = tmp_path / "other.toml"
    other.write_text('[[steps]]\nname = "c"\nfilter = "c4_sentences > 3"')
    assert_fails(run("decide", finished_run.path, "--recipe", other), "has no c4_sentences", "curate corpus")


def test_recipes_are_listed_and_printed_to_copy() -> None:
    listed = run("recipes").stdout
    for name in ("web", "gopher", "c4", "fineweb", "dclm", "llama3"):
        assert name in listed
        printed = run("recipes", name).stdout
        assert curate.Recipe.parse(printed, name).steps == curate.Recipe.load(name).steps


def test_signals_are_listed_and_explained() -> None:
    assert "gopher_dup_5gram" in run("signals").stdout
    assert "Rae et al. 2021" in run("signals", "gopher_dup_5gram").stdout
    assert_fails(run("signals", "gopher_dup_5grams"), 'did you mean "gopher_dup_5gram"')


def test_usage_mistakes_exit_with_2() -> None:
    assert run("corpus").exit_code == 2
    assert run("corpus", "x", "--out", "y", "--threads", "0").exit_code == 2
    assert run("corpse").exit_code == 2


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        ('[[steps]]\nname = "a"\nfliter = "word_count > 3"', 'did you mean "filter"'),
        ('[[steps]]\nname = "a"\nfilter = "word_count > AVG(word_count)"', "cannot use AVG"),
        ('[[steps]]\ndedup = "minhash"\nbands = 5000\nrows = 5000', "bands times rows must be at most"),
        ('[[steps]]\nuse = "gofer"', 'did you mean "gopher"'),
        ('[[stesp]]\nuse = "gopher"', 'unknown key "stesp"; did you mean "steps"'),
        ('[[steps]]\nuse = "gopher"\nprofil = "paper"', 'step 1: unknown key "profil"; did you mean "profile"'),
        ('[[steps]]\nname = "a"\nfilter = "word_count >"', 'step 1 ("a"): cannot read the predicate'),
        ('[[steps]]\nname = "a"\nfilter = "wordcount > 3"', 'did you mean "word_count"'),
        ('[[steps]]\ndedup = "minhash"\nverify = 3', "verify must be a Jaccard similarity"),
        ('[[steps]]\ndedup = "minhash"\nbands = "14"', "bands must be a whole number"),
        ("[[steps]]\ntop = 0.1", "top needs `by`"),
        ("clean = ['unicod']", 'unknown cleaner "unicod"; did you mean "unicode"'),
        (
            '[classifiers]\nquality = "quality"\n[ensembles]\nq = { of = ["quality"] }\nr = { of = ["q"] }',
            "cannot be made of another one",
        ),
        ('[classifiers]\nkept = "quality"', "choose another"),
        (
            '[classifiers]\nlanguage = "language"\nlanguage_score = "quality"\n'
            '[[steps]]\nname = "a"\nfilter = "language_score > 0"',
            'make the column "language_score"',
        ),
        ("[mix]\ntokens = 0", '"0" is not a number of tokens'),
        ("[mix]\nshares = { a = 1.0 }", "nothing says what the domain of a document is"),
        ('[classifiers]\nid = "quality"', "choose another"),
        ('[classifiers]\nlanguage = "language"\n[[steps]]\ntop = 0.5\nby = "language"', "a column of numbers"),
        ("[mix]\ntokens = 'many'", '"many" is not a number of tokens'),
        ("[mix]\nshares = { a = 0.5 }", "the shares add up to 0.5, not 1"),
        ("[classifiers]\nlang = 'languag'\n[[steps]]\nname='a'\nfilter='lang IS NULL'", "languag"),
        ("steps = [", "is not valid TOML"),
    ],
)
def test_a_wrong_recipe_names_the_step_and_what_was_meant(
    corpus_dir: Path, tmp_path: Path, recipe: str, message: str
) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(recipe)
    assert_fails(run("corpus", corpus_dir, "--out", tmp_path / "run", "--recipe", path), message)


def test_an_unknown_recipe_lists_the_shipped_ones(corpus_dir: Path, tmp_path: Path) -> None:
    result = run("corpus", corpus_dir, "--out", tmp_path / "run", "--recipe", "finweb")
    assert_fails(result, 'did you mean "fineweb"', "shipped: web")


def test_inputs_that_are_not_there_or_not_known_are_named(tmp_path: Path) -> None:
    assert_fails(run("corpus", tmp_path / "no.jsonl", "--out", tmp_path / "run"), "no.jsonl")
    (tmp_path / "a.docx").write_bytes(b"x")
    assert_fails(run("corpus", tmp_path / "a.docx", "--out", tmp_path / "run"), "a.docx")


def test_a_missing_text_column_lists_the_columns_there_are(tmp_path: Path, recipe_file: Path) -> None:
    source = write_jsonl(tmp_path / "in.jsonl", [{"content": prose(1), "id": "x"}] * 3)
    result = run("corpus", source, "--out", tmp_path / "run", "--recipe", recipe_file)
    assert_fails(result, "in.jsonl", "content")


def test_a_directory_that_is_no_run_is_named(tmp_path: Path) -> None:
    for command in ("decide", "write", "report", "status"):
        assert_fails(run(command, tmp_path), f"{tmp_path} is not a run")


@pytest.mark.skipif(os.geteuid() == 0 or os.name != "posix", reason="root may write anywhere")
def test_a_place_that_cannot_be_written_to_is_named(corpus_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "locked").mkdir(mode=0o500)
    assert_fails(run("corpus", corpus_dir, "--out", tmp_path / "locked" / "run"), "cannot make the run directory")


def test_a_full_disk_is_reported_and_the_run_can_go_on(corpus_dir: Path, recipe_file: Path, tmp_path: Path) -> None:
    """/dev/full stands in for the disk: every write to it fails with ENOSPC."""
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    out = tmp_path / "run"
    assert run("measure", corpus_dir, "--out", out, "--recipe", recipe_file).exit_code == 0
    shard = curate.Run(out).shards[0]
    curate.Run(out).decisions_file(shard).parent.mkdir()
    blocked = curate.Run(out).decisions_file(shard)
    partial = blocked.with_name(f".{blocked.name}.partial")
    partial.symlink_to("/dev/full")
    assert_fails(run("decide", out), "no space left", blocked.name)
    partial.unlink(missing_ok=True)
    assert run("decide", out).exit_code == 0


def test_an_interrupt_ends_the_run_quickly_and_says_how_to_go_on(tmp_path: Path, recipe_file: Path) -> None:
    source = write_jsonl(tmp_path / "in.jsonl", ({"id": str(i), "text": prose(i, 60)} for i in range(6000)))
    command = [sys.executable, "-m", "curate.cli", "corpus", str(source), "--out", str(tmp_path / "run")]
    child = subprocess.Popen([*command, "--recipe", str(recipe_file)], stderr=subprocess.PIPE, text=True)
    while not (tmp_path / "run" / "run.json").exists() and child.poll() is None:
        time.sleep(0.02)
    time.sleep(0.2)
    child.send_signal(signal.SIGINT)
    _, errors = child.communicate(timeout=30)
    if child.returncode == 0:
        pytest.skip("the run was over before the interrupt came")
    assert child.returncode == 1
    assert "interrupted; the same command goes on where it stopped" in errors
    assert "Traceback" not in errors


def test_explain_shows_every_step_with_its_value_and_the_survivor(finished_run: curate.Run) -> None:
    short = run("explain", finished_run.path, "short1")
    assert short.exit_code == 0
    assert "dropped by long_enough" in short.stdout
    assert "word_count 2 (needs >= 20)" in short.stdout
    near = run("explain", finished_run.path, "d3").stdout  # the longer twin "near3" stays
    assert "duplicate of near3" in near
    assert "One more short remark." not in near.split("text\n")[1]
    [document] = json.loads(run("explain", finished_run.path, "d3", "--json").stdout)
    assert document["survivor_text"].endswith("One more short remark.")
    assert [step["state"] for step in document["steps"]] == ["passed", "passed", "passed", "dropped"]
    assert_fails(run("explain", finished_run.path, "nears3"), "no document", 'did you mean "near3"')


def test_show_prints_documents_of_a_step(finished_run: curate.Run) -> None:
    found = json.loads(run("show", finished_run.path, "--dropped-by", "long_enough", "--json").stdout)
    assert sorted(document["id"] for document in found) == ["short1", "short2"]
    assert found[0]["reasons"][0]["threshold"] == 20
    assert len(json.loads(run("show", finished_run.path, "--kept", "-n", "3", "--json").stdout)) == 3
    assert "Too short." in run("show", finished_run.path, "--dropped-by", "long_enough").stdout
    assert_fails(run("show", finished_run.path, "--dropped-by", "long_enuf"), 'did you mean "long_enough"')
    assert run("show", finished_run.path).exit_code == 2


def test_query_answers_sql_over_signals_and_decisions(finished_run: curate.Run) -> None:
    sql = "SELECT dropped_by, COUNT(*) AS n FROM decisions GROUP BY dropped_by ORDER BY n DESC, dropped_by"
    found = json.loads(run("query", finished_run.path, sql, "--json").stdout)
    assert {row["dropped_by"]: row["n"] for row in found} == {
        None: 60, "dedup_exact": 3, "dedup_minhash": 3, "long_enough": 2
    }  # fmt: skip
    assert "dedup_minhash" in run("query", finished_run.path, sql).stdout
    assert_fails(run("query", finished_run.path, "SELECT nothing FROM decisions"), "cannot answer the query")


def test_a_terminal_never_gets_control_characters_of_a_document(tmp_path: Path, recipe_file: Path) -> None:
    text = prose(1) + "\u2066 [bold]x[/bold] end"
    source = write_jsonl(tmp_path / "in.jsonl", [{"id": "\x1b[31mred", "text": text}])
    recipe_file.write_text('clean = []\n[[steps]]\nname = "l"\nfilter = "word_count > 3"')
    assert run("corpus", source, "--out", tmp_path / "run", "--recipe", recipe_file).exit_code == 0
    shown = run("show", tmp_path / "run", "--kept").stdout
    assert "\x1b[31m" not in shown
    assert "[bold]x[/bold]" in shown
