"""`curate dedup`: a command that has commands, and a run like any other."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

import curate
from curate.cli import main
from curate.cli.group import CommandGroup
from tests.corpora import prose, write_jsonl


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments], prog_name="curate")


def steps(*arguments: object) -> list[dict[str, object]]:
    done = run("dedup", "--print-recipe", *arguments)
    assert done.exit_code == 0, done.stderr
    return tomllib.loads(done.stdout)["steps"]


def test_dedup_removes_duplicates_and_nothing_else(corpus_dir: Path, tmp_path: Path) -> None:
    done = run("dedup", corpus_dir, "--out", tmp_path / "run")
    assert done.exit_code == 0, done.stderr
    lines = [line.split() for line in done.stdout.splitlines()]
    assert ["dedup_exact", "−3"] in [line[:2] for line in lines]
    made = curate.Run(tmp_path / "run")
    assert made.report["output"]["documents"] == 62  # the two short documents stay
    assert "dropped by dedup_minhash" in run("explain", made.path, "d3").stdout
    assert run("show", made.path, "--dropped-by", "dedup_exact").exit_code == 0
    assert run("decide", made.path).exit_code == 0  # the recipe is stored in the run
    again = run("dedup", corpus_dir, "--out", tmp_path / "run", "--json")
    assert json.loads(again.stdout)["output"]["documents"] == 62


def test_texts_are_written_as_they_came(tmp_path: Path) -> None:
    text = "e\u0301 \u200bodd\r\n\n\n  spaces " + prose(1)
    source = write_jsonl(tmp_path / "in.jsonl", [{"id": "x", "text": text}, {"id": "y", "text": text}])
    assert run("dedup", source, "--out", tmp_path / "run").exit_code == 0
    assert curate.Run(tmp_path / "run").mix().collect()["text"].to_list() == [text]


def test_only_what_was_said_is_in_the_recipe() -> None:
    assert steps() == [{"dedup": "exact"}, {"dedup": "minhash"}]
    assert steps("--method", "minhash", "--find", 0.9, "--at", 0.85, "--verify", "off") == [
        {"dedup": "minhash", "find": 0.9, "at": 0.85, "verify": False}
    ]
    assert steps("--method", "url", "--url-column", "link", "--keep", "date DESC", "--within", "site") == [
        {"dedup": "url", "keep": "date DESC", "within": ["site"], "url_column": "link"}
    ]
    everything = steps(
        "--method", "minhash", "--bands", 20, "--rows", 5, "--ngram", 8, "--shingle", "char", "--normalise", "fineweb",
        "--fold-numbers", "--seed", 0, "--short", "drop", "--verify", "containment=0.9", "--priority", "wiki",
        "--priority", "web", "--protect", "wiki", "--alarm", 0.5,
    )  # fmt: skip
    assert everything == [
        {
            "dedup": "minhash", "priority": ["wiki", "web"], "protect": ["wiki"], "alarm": 0.5, "bands": 20, "rows": 5,
            "seed": 0, "ngram": 8, "shingle": "char", "normalise": "fineweb", "short": "drop", "fold_numbers": True,
            "verify": {"containment": 0.9},
        }
    ]  # fmt: skip
    assert steps("--method", "minhash", "--verify", "containment")[0]["verify"] == "containment"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ([], 2, "Missing argument 'INPUT...'"),
        (["x.jsonl"], 2, "Missing option '--out'"),
        (["x.jsonl", "--out", "y", "--method", "exact", "--ngram", 5], 2, "--ngram: for --method minhash only"),
        (["x.jsonl", "--out", "y", "--url-column", "u"], 2, "--url-column: for --method url only"),
        (["x.jsonl", "--out", "y", "--verify", "much"], 2, "--verify much: give a similarity"),
        (["x.jsonl", "--out", "y", "--verify", "3"], 1, "verify must be"),
        (["x.jsonl", "--out", "y", "--method", "minhsh"], 1, 'did you mean "minhash"'),
        (["x.jsonl", "--out", "y", "--bands", 3, "--find", 0.9], 1, "give either what is to be found, or bands"),
        (["x.jsonl", "--out", "y"], 1, "x.jsonl"),
        (["--bnds", 3], 2, "No such option"),
    ],
)
def test_what_is_wrong_is_said(arguments: list[object], code: int, said: str) -> None:
    done = run("dedup", *arguments)
    assert done.exit_code == code, done.output
    assert said.lower() in done.stderr.lower()


def test_help_shows_the_command_and_its_commands() -> None:
    shown = run("dedup", "--help").output
    assert "Usage: curate dedup [OPTIONS] INPUT..." in shown
    assert "curate dedup curve|audit ..." in shown
    assert "--out" in shown
    assert "curve  " in shown.split("Commands:")[1]
    assert run("dedup", "audit", "--help").output.startswith("Usage: curate dedup audit [OPTIONS] RUN")
    assert run("dedup", "curve", "-h").exit_code == 0


def test_options_come_before_or_after_the_input_and_a_file_may_be_called_like_a_command(tmp_path: Path) -> None:
    seen: list[tuple[object, ...]] = []

    @click.group(cls=CommandGroup)
    @click.argument("inputs", nargs=-1)
    @click.option("--out")
    def both(inputs: tuple[str, ...], out: str) -> None:
        seen.append(("itself", inputs, out))

    @both.command()
    @click.option("--deep", is_flag=True)
    def curve(deep: bool) -> None:
        seen.append(("curve", deep))

    for line in (["--out", "o", "a", "b"], ["a", "--out", "o"], ["curve", "--deep"], ["./curve"], ["a", "curve"], []):
        assert CliRunner().invoke(both, line).exit_code == 0
    assert seen == [
        ("itself", ("a", "b"), "o"),
        ("itself", ("a",), "o"),
        ("curve", True),
        ("itself", ("./curve",), None),
        ("itself", ("a", "curve"), None),
        ("itself", (), None),
    ]
