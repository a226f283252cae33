"""Numbers read as people write them, and never round to a lie."""

from __future__ import annotations

import math

import pytest

from curate.report.numbers import count, measured, moment, percent, seconds, short, size


@pytest.mark.parametrize(
    ("value", "words"),
    [(0, "0"), (999, "999"), (1000, "1k"), (999_949, "1M"), (17_131_930, "17.1M"), (4.1e9, "4.1B"), (15e12, "15T")],
)
def test_counts_are_shortened_to_three_digits(value: float, words: str) -> None:
    assert short(value) == words


def test_bytes_use_decimal_units() -> None:
    assert [size(n) for n in (0, 999, 67_200_074, 12.3e9)] == ["0 bytes", "999 bytes", "67.2 MB", "12.3 GB"]


def test_only_none_and_all_read_as_0_and_100_percent() -> None:
    assert [percent(x) for x in (0, 1e-9, 0.0004, 0.5, 0.9996, 1 - 1e-9, 1)] == [
        "0%", "<0.1%", "<0.1%", "50.0%", ">99.9%", ">99.9%", "100%",
    ]  # fmt: skip


def test_durations_change_their_units() -> None:
    assert [seconds(x) for x in (0, 0.04, 59.94, 59.96, 192, 3600, 7500)] == [
        "0.0 s", "0.04 s", "59.9 s", "1 min 00 s", "3 min 12 s", "1 h 00 min", "2 h 05 min",
    ]  # fmt: skip


@pytest.mark.parametrize("nothing", [None, math.nan, math.inf, "text"])
def test_what_is_not_a_number_is_a_dash(nothing: object) -> None:
    assert {f(nothing) for f in (count, short, size, percent, seconds, moment)} == {"–"}


def test_values_of_signals_are_shown_as_what_they_are() -> None:
    shown = [measured(x) for x in (36, 15.7307, 100_000.0, 12345.6, 0.1, False, None, "en", math.nan)]
    assert shown == ["36", "15.73", "100,000", "12,346", "0.1", "false", "nothing", "en", "nan"]
