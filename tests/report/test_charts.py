"""Marks are where the numbers say, inside the chart, and what exists is visible."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_examples import example_signal

from curate.report.charts import BOTTOM, LEFT, RIGHT, TOP, histogram, nice, share, stack

COUNTS = st.integers(0, 10**12)


@given(st.lists(COUNTS, max_size=12))
def test_a_bar_shows_everything_that_is_there_and_never_leaves_its_track(amounts: list[int]) -> None:
    bar = stack([("kept", str(n), n) for n in amounts], sum(amounts))
    assert [part.label for part in bar] == [str(n) for n in amounts if n]
    assert all(part.start >= 0 and part.width >= 0.4 and part.start + part.width <= 100.001 for part in bar)


@pytest.mark.parametrize(("part", "whole"), [(1, 0), (math.nan, 1), (1, math.nan), (None, 1), (-1, 4)])
def test_a_share_of_nothing_is_nothing(part: float, whole: float) -> None:
    assert share(part, whole) == 0


@given(st.lists(st.tuples(COUNTS, COUNTS), min_size=1, max_size=40), st.booleans())
def test_histogram_bars_stay_in_the_plot(counts: list[tuple[int, int]], logarithmic: bool) -> None:
    edges = [1.0 + i for i in range(len(counts) + 1)]
    kept, dropped = [k for k, _ in counts], [d for _, d in counts]
    chart = histogram(example_signal(edges=edges, kept=kept, dropped=dropped, logarithmic=logarithmic))
    for path, sign in ((chart.kept, -1), (chart.dropped, 1)):
        for x, y, height in re.findall(r"M(\S+) (\S+)v(\S+?)h", path):
            assert LEFT <= float(x) <= RIGHT
            assert sign * float(height) > 0
            assert TOP - 1 <= float(y) + float(height) <= BOTTOM + 1


def test_the_failing_side_of_a_threshold_is_shaded() -> None:
    [mark] = histogram(example_signal()).marks
    assert (mark.x, mark.label) == (pytest.approx(LEFT + (RIGHT - LEFT) / 3, abs=0.01), "≥ 20")
    assert mark.shade == (LEFT, pytest.approx(mark.x - LEFT))


def test_nothing_is_shaded_where_other_documents_may_pass() -> None:
    limit = {**example_signal()["thresholds"][0], "decisive": False}
    assert histogram(example_signal(thresholds=[limit])).marks[0].shade is None


def test_a_threshold_beyond_the_axis_has_no_line() -> None:
    limit = {**example_signal()["thresholds"][0], "at": 1e6}
    assert histogram(example_signal(thresholds=[limit])).marks == []


def test_a_bin_that_dwarfs_the_rest_is_cut_and_labelled() -> None:
    chart = histogram(example_signal(kept=[10_000, 5, 4], dropped=[0, 3, 2]))
    assert [cut.label for cut in chart.cuts] == ["10k"]
    assert histogram(example_signal(kept=[60, 5, 4], dropped=[0, 3, 2])).cuts == []


def test_the_outer_bins_say_that_they_hold_what_lies_beyond() -> None:
    assert [bin_.range for bin_ in histogram(example_signal()).bins] == ["0 to 20", "20 to 40", "40 or more"]


def test_bins_of_whole_numbers_are_named_after_them() -> None:
    chart = histogram(example_signal(edges=[-0.5, 0.5, 1.5, 2.5], discrete=True, beyond=[0, 1]))
    assert [bin_.range for bin_ in chart.bins] == ["0", "1", "2 or more"]
    assert [label for _, label, _ in chart.ticks] == ["0", "1", "2"]


@given(st.floats(1e-9, 1e15))
def test_ticks_are_a_round_number_apart(step: float) -> None:
    assert step * (1 - 1e-6) <= nice(step) <= 2.6 * step
