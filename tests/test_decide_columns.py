"""Columns of documents in parts, read by tasks that end in any order, and what is kept of them in little memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

import numpy as np
import polars as pl
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from curate.decide.columns import Look, MeasuredColumns, signal_column
from curate.decide.duplicates import keep_ranks
from curate.decide.failures import Failures, unpacked
from curate.decide.population import Population
from curate.measure.texts import Measured
from curate.mix.classes import classes
from curate.recipe import Dedup, Filter, Recipe


class Parts:
    """A population of frames, whose last part is looked at first."""

    def __init__(self, frames: list[pl.DataFrame]) -> None:
        self.frames = frames
        self.sizes = [len(frame) for frame in frames]

    def columns(self, part: int) -> MeasuredColumns:
        table = pa.table(self.frames[part].to_arrow())
        sketches = pa.table({"exact": pa.array([bytes(16)] * len(table), pa.binary(16))})
        return MeasuredColumns(Measured(table, sketches, cast(Any, None)))

    def look(self, look: Look[Any], parts: Mapping[int, Any]) -> Iterator[tuple[int, Any]]:
        for part in sorted(parts, reverse=True):
            yield part, look(self.columns(part), parts[part])


def population(frames: list[pl.DataFrame]) -> Population:
    return cast(Population, Parts(frames))


PARTS = st.lists(st.lists(st.integers(0, 9), max_size=20), min_size=1, max_size=5)


@given(PARTS, st.integers(0, 9))
def test_a_column_is_in_the_order_of_the_parts_however_they_come(parts: list[list[int]], least: int) -> None:
    values = np.array([value for part in parts for value in part], np.int64)
    frames = [pl.DataFrame({"x": part}, schema={"x": pl.Int64}) for part in parts]
    keep = values >= least
    assert signal_column(population(frames), keep, "x").tolist() == values[keep].tolist()
    found = signal_column(population(frames), keep, "x", np.uint32)
    assert found.dtype == np.uint32 and found.tolist() == values[keep].tolist()


def test_a_column_of_whole_numbers_in_one_part_and_fractions_in_another_is_of_fractions() -> None:
    frames = [pl.DataFrame({"x": [1, 2]}), pl.DataFrame({"x": [0.5, None]}), pl.DataFrame({"x": [3]})]
    found = signal_column(population(frames), np.array([True, True, True, True, True]), "x")
    assert np.array_equal(found, [1.0, 2.0, 0.5, np.nan, 3.0], equal_nan=True)


@given(PARTS)
def test_failures_are_those_of_the_predicates_for_every_filter_and_part(parts: list[list[int]]) -> None:
    frames = [pl.DataFrame({"x": part}, schema={"x": pl.Int64}) for part in parts]
    filters = [Filter("low", "x < 5"), Filter("even", "x % 2 = 0", where="x > 3"), Filter("any", "x >= 0")]
    rules = [lambda x: not x < 5, lambda x: x > 3 and x % 2 != 0, lambda x: False]
    failures = Failures.of(population(frames), filters)
    for number, rule in enumerate(rules):
        assert failures.of_filter(number).tolist() == [rule(x) for part in parts for x in part]
    for bits, part in zip(failures.parts, parts, strict=True):
        assert unpacked(bits, len(part)).tolist() == [[rule(x) for rule in rules] for x in part]
    failures.put([2, 0], Failures.of(population(frames), [Filter("never", "x < 0"), filters[2]]))
    assert failures.of_filter(2).all() and not failures.of_filter(0).any()
    assert failures.of_filter(1).tolist() == [rules[1](x) for part in parts for x in part]


def test_classes_beyond_what_a_byte_holds_keep_their_documents() -> None:
    names = [[f"c{number:03d}" for number in range(first, first + 200)] for first in (300, 0, 150)]
    found = classes(population([pl.DataFrame({"kind": part}) for part in names]), Recipe.parse("steps = []"), "kind")
    assert found.names == [f"c{number:03d}" for number in range(500)]
    assert found.codes.dtype == np.uint16
    assert [found.names[code] for code in found.codes] == [name for part in names for name in part]


VALUES = st.one_of(st.none(), st.integers(-3, 3))


@given(
    st.lists(st.tuples(VALUES, st.sampled_from([None, float("nan"), 0.5, -0.5]), st.booleans(), st.text(max_size=1)))
)
def test_ranks_are_those_of_a_sort_by_each_column_in_turn(rows: list[tuple[Any, ...]]) -> None:
    schema = {"year": pl.Int64, "score": pl.Float64, "seen": pl.Boolean, "source": pl.String}
    frame = pl.DataFrame(rows, schema=schema, orient="row").with_columns(doc=pl.int_range(pl.len()) % 3)
    keep = "year DESC, score, seen DESC"
    step = Dedup("d", "exact", keep=keep, priority=("b", "a"), protect=("c",))
    # Part by part, so that what is ranked comes from several.
    frames = [frame[:2], frame[2:]]
    ranks = keep_ranks(population(frames), np.arange(len(frame)), step)

    def key(place: int) -> tuple[Any, ...]:
        year, score, seen, source, doc = frame.row(place)
        trust = {"b": 0, "a": 1}.get(source, 2)
        unknown = score is None or score != score
        by_year = (year is None, -(year or 0))
        return (source != "c", trust, by_year, (unknown, 0 if unknown else score), not seen, doc, source, place)

    assert np.argsort(ranks).tolist() == sorted(range(len(frame)), key=key)
