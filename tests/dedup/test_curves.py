"""What is said of a choice of bands and rows, against the formula, real signatures and datasketch itself."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import datasketch
import numpy as np
import pytest
from click.testing import CliRunner

import curate
from curate.cli import main
from curate.dedup import curve
from curate.dedup.curve_chart import in_characters, in_svg
from curate.dedup.curves import WEB_PAGES, Distribution, datasketch_choice, explain_choice, half_at
from curate.errors import RecipeError


def test_half_of_the_pairs_are_found_where_it_says() -> None:
    for bands, rows in ((14, 8), (13, 7), (1, 1), (1, 128), (450, 20)):
        assert curve(bands, rows)(half_at(bands, rows)) == pytest.approx(0.5)


def test_the_choice_of_datasketch_is_the_one_that_its_index_takes() -> None:
    index = datasketch.MinHashLSH(threshold=0.8, num_perm=128)
    assert datasketch_choice(0.8, 128) == (index.b, index.r) == (9, 13)
    assert datasketch_choice(0.8, 1) is None
    assert datasketch_choice(0.8, 10_000) is None  # its search would take minutes


def test_extra_candidates_are_counted_over_the_distribution_that_is_named() -> None:
    pairs = Distribution("two bins", np.array([1000.0, 10.0]))  # pairs at 0.25, and at 1
    found = explain_choice(14, 8, at=0.8, pairs=pairs)
    this = found["choices"]["this"]
    assert this["extra"] == pytest.approx(1000 * float(curve(14, 8)(0.25)))
    assert (this["found"], this["missed"]) == (10, 0)
    assert found["distribution"] == {"said": "two bins", "pairs": [1000, 10]}


def test_the_stated_distribution_is_of_the_pairs_that_share_a_shingle() -> None:
    assert len(WEB_PAGES.pairs) == 20
    assert WEB_PAGES.pairs[10:].sum() == 1189  # as many as brute force by somebody else found at 0.5 and more


@pytest.mark.parametrize(
    ("bands", "rows", "at"), [(0, 8, 0.8), (14, 0, 0.8), (5000, 5000, 0.8), (14, 8, 0), (14, 8, 2)]
)
def test_a_choice_out_of_range_is_refused(bands: int, rows: int, at: float) -> None:
    with pytest.raises(RecipeError):
        explain_choice(bands, rows, at=at)


def test_the_plot_rises_from_left_to_right_and_names_its_curves() -> None:
    plot = in_characters({"ours": (14, 8)}, 0.8)
    places = sorted((line.index("●"), -row) for row, line in enumerate(plot.splitlines()[:13]) if "●" in line)
    assert [row for _, row in places] == sorted(row for _, row in places)
    assert "ours: 14 × 8" in plot
    svg = ET.fromstring(in_svg({"ours": (14, 8), "others": (9, 13)}, 0.8))
    assert len(svg.findall("{http://www.w3.org/2000/svg}polyline")) == 2


def run(*arguments: object) -> tuple[int, str, str]:
    done = CliRunner().invoke(main, ["dedup", "curve", *map(str, arguments)])
    return done.exit_code, done.stdout, done.stderr


def test_curve_prints_the_table_the_crossing_and_why_datasketch_finds_less(tmp_path: Path) -> None:
    code, shown, _ = run("--find", 0.95, "--at", 0.8, "--svg", tmp_path / "curve.svg")
    assert code == 0
    assert "13 bands of 7 rows: 91 permutations, finds half of the pairs at 0.655 and 95.3% at 0.8" in shown
    assert "datasketch's choice" in shown
    assert "40% of the pairs at 0.8" in " ".join(shown.split())
    assert "19,692 web pages" in shown
    assert (tmp_path / "curve.svg").read_text().startswith("<svg")


def test_curve_as_json_is_what_the_library_says() -> None:
    code, shown, _ = run("--bands", 14, "--rows", 8, "--json")
    assert code == 0
    assert json.loads(shown) == {**explain_choice(14, 8, at=0.8), "find": None}


def test_curve_over_a_run_counts_its_own_documents(finished_run: curate.Run) -> None:
    code, shown, _ = run("--run", finished_run.path, "--json")
    assert code == 0
    distribution = json.loads(shown)["distribution"]
    assert distribution["said"].startswith("68 of the 68 documents")
    assert distribution["pairs"][-1] == 3  # exact copies; those with one remark more are a little below


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--bands", 3], 2, "--bands and --rows belong together"),
        (["--bands", 3, "--rows", 3, "--find", 0.9], 2, "either --bands and --rows, or --find"),
        (["--find", 0.95, "--at", 0.01], 1, "allow more permutations"),
        (["--find", 1.5], 2, "1.5 is not in the range"),
        (["--run", "nowhere"], 1, "nowhere is not a run"),
    ],
)
def test_curve_says_what_is_wrong(arguments: list[object], code: int, said: str) -> None:
    got, _, errors = run(*arguments)
    assert got == code
    assert said in errors
