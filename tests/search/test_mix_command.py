"""`curate mix` with shares that are searched for, or learnt from losses."""

from __future__ import annotations

import io
import json
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner, Result

import curate
from curate.cli import main
from curate.run import Run


def mix(run: curate.Run, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["mix", str(run.path), "--threads", "1", *arguments])


def test_the_shares_that_were_found_are_drawn(run: curate.Run, inputs: Path) -> None:
    way = ["--tokens", "8k", "--max-epochs", "4", "--search", "--reference", f"manual={inputs / 'manual.jsonl'}"]
    before = Run(run.path).manifest
    shown = mix(run, *way, "--dry-run")
    assert shown.exit_code == 0, shown.output
    assert "in a recipe, [mix]: shares = { code = 0.7" in shown.output and "without it" in shown.output
    assert Run(run.path).manifest == before
    done = mix(run, *way, "--json")
    found = json.loads(done.stdout)
    shares = found["search"]["mixtures"]["found"]["shares"]
    given = {entry["domain"]: entry["tokens"] / 8_000 for entry in found["mix"]}
    assert given == pytest.approx(shares, abs=1e-6)
    assert Run(run.path).recipe.mix.shares == pytest.approx(shares)
    assert "(domain)" not in done.stdout and set(found["search"]["curves"]) == {"code", "math", "web"}


def test_mixes_are_printed_to_train_on_and_their_losses_give_shares(run: curate.Run, tmp_path: Path) -> None:
    pytest.importorskip("sklearn", reason="needs scikit-learn (the extra search)")
    printed = mix(run, "--tokens", "8k", "--max-epochs", "4", "--regmix-samples", "40", "--seed", "1")
    assert printed.exit_code == 0, printed.output
    mixes = pl.read_csv(io.StringIO(printed.stdout))
    assert mixes.columns == ["code", "math", "web"] and len(mixes) == 40
    assert (mixes.sum_horizontal() - 1).abs().max() < 1e-9
    mixes.with_columns(loss=(pl.col("code") - 0.6) ** 2 + (pl.col("math") - 0.2) ** 2).write_csv(tmp_path / "l.csv")
    way = ["--tokens", "8k", "--max-epochs", "4", "--regmix", str(tmp_path / "l.csv"), "--loss", "loss"]
    done = mix(run, *way)
    assert done.exit_code == 0, done.output
    assert "rank correlation" in done.output and "to write it: curate write" in done.output
    assert Run(run.path).recipe.mix.shares == pytest.approx({"code": 0.6, "math": 0.2, "web": 0.2}, abs=0.03)


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["--search"], 2, "--search needs texts to predict: --reference NAME=FILES"),
        (["--reference", "a=b"], 2, "--reference is for --search"),
        (["--regmix", "losses.csv"], 2, "--regmix needs the column with the loss"),
        (["--loss", "books"], 2, "--loss is for --regmix"),
        (["--share", "web=1", "--regmix-samples", "3"], 2, "--share and --regmix-samples each give shares"),
        (["--tokens", "8k", "--search", "--reference", "a=nowhere.jsonl"], 1, "nowhere.jsonl: no such file"),
        (["--search", "--reference", "a=b", "--sample", "much"], 1, "is no amount of memory"),
        (["--tokens", "8k", "--regmix", "no.csv", "--loss", "a"], 1, "no.csv: cannot be read"),
    ],
)
def test_mistakes_are_named(run: curate.Run, arguments: list[str], status: int, message: str) -> None:
    result = mix(run, *arguments)
    assert result.exit_code == status, result.output
    assert message in " ".join(result.output.split())
