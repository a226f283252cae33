"""One type for a column over all shards."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.shards import SchemaCollector, unify
from curate.shards.schema import MAX_FIELDS, MisfitError, as_type, fit, join

STRUCT = pa.struct([("a", pa.int64())])


def entries(value: pa.DataType) -> pa.DataType:
    return pa.list_(pa.struct([("key", pa.string()), ("value", value)]))


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (pa.int64(), pa.float64(), pa.float64()),
        (pa.int8(), pa.int32(), pa.int32()),
        (pa.uint8(), pa.int8(), pa.int16()),
        (pa.uint64(), pa.int8(), pa.float64()),
        (pa.float32(), pa.float64(), pa.float64()),
        (pa.null(), pa.date32(), pa.date32()),
        (pa.int64(), pa.string(), pa.string()),
        (pa.bool_(), pa.int64(), pa.string()),
        (pa.string(), pa.large_string(), pa.large_string()),
        (pa.dictionary(pa.int8(), pa.string()), pa.string(), pa.string()),
        (pa.timestamp("s"), pa.timestamp("us"), pa.timestamp("us")),
        (pa.timestamp("s"), pa.string(), pa.string()),
        (pa.list_(pa.int64()), pa.list_(pa.string()), pa.list_(pa.string())),
        (pa.list_(pa.null()), pa.large_list(STRUCT), pa.large_list(STRUCT)),
        (STRUCT, pa.struct([("b", pa.string())]), pa.struct([("a", pa.int64()), ("b", pa.string())])),
        (STRUCT, pa.list_(pa.int64()), pa.string()),
        (STRUCT, pa.string(), pa.string()),
        (pa.map_(pa.string(), pa.int64()), pa.map_(pa.string(), pa.float64()), entries(pa.float64())),
        (pa.map_(pa.string(), pa.int64()), entries(pa.int64()), entries(pa.int64())),
        (pa.run_end_encoded(pa.int32(), pa.string()), pa.string(), pa.string()),
        (pa.list_view(pa.int8()), pa.list_(pa.int64()), pa.list_(pa.int64())),
        (pa.decimal256(10, 2), pa.decimal128(10, 2), pa.decimal128(10, 2)),
        (pa.uuid(), pa.string(), pa.string()),
    ],
    ids=str,
)
def test_two_types_have_one_that_holds_both(a: pa.DataType, b: pa.DataType, expected: pa.DataType) -> None:
    assert join(a, b) == expected
    assert without_order(join(b, a)) == without_order(expected)


LEAVES = st.sampled_from(
    [
        pa.null(),
        pa.bool_(),
        pa.int8(),
        pa.uint8(),
        pa.int64(),
        pa.uint64(),
        pa.float32(),
        pa.float64(),
        pa.string(),
    ]
)
TYPES = st.recursive(
    LEAVES,
    lambda inner: (
        inner.map(pa.list_) | st.dictionaries(st.sampled_from("ab"), inner).map(lambda d: pa.struct(sorted(d.items())))
    ),
    max_leaves=4,
)


def without_order(type: pa.DataType) -> Any:
    if pa.types.is_struct(type):
        return {field.name: without_order(field.type) for field in type}
    return [without_order(type.value_type)] if pa.types.is_list(type) else type


@given(TYPES, TYPES, TYPES)
def test_the_order_of_shards_does_not_matter(a: pa.DataType, b: pa.DataType, c: pa.DataType) -> None:
    assert without_order(join(join(a, b), c)) == without_order(join(a, join(b, c)))
    assert without_order(join(a, b)) == without_order(join(b, a))


def test_columns_without_values_can_be_stored() -> None:
    schema = pa.schema([("n", pa.null()), ("o", pa.struct([])), ("l", pa.list_(pa.null()))])
    assert unify([schema]).types == [pa.string(), pa.string(), pa.list_(pa.string())]


def test_a_column_is_unified_over_shards_in_order_of_appearance() -> None:
    first, second = pa.schema([("b", pa.int64())]), pa.schema([("a", pa.string()), ("b", pa.null())])
    assert unify([first, second]) == pa.schema([("b", pa.int64()), ("a", pa.string())])
    assert unify([]) == pa.schema([])


def test_objects_that_are_maps_become_text() -> None:
    collector = SchemaCollector()
    for i in range(2 * MAX_FIELDS):
        collector.add(pa.schema([("counts", pa.struct([(f"word {i}", pa.int64())]))]))
    assert collector.schema.field("counts").type == pa.string()


def test_values_are_fitted_to_the_schema() -> None:
    table = pa.table({"n": [1, None], "o": [{"a": 1}, {"a": 2}], "t": pa.array([0, None], pa.timestamp("ns"))})
    schema = pa.schema(
        [("t", pa.string()), ("o", pa.struct([("b", pa.string()), ("a", pa.string())])), ("n", pa.float64())]
    )
    assert fit(table, schema, 2).to_pylist() == [
        {"t": "1970-01-01T00:00:00", "o": {"b": None, "a": "1"}, "n": 1.0},
        {"t": None, "o": {"b": None, "a": "2"}, "n": None},
    ]


@pytest.mark.parametrize(
    ("value", "type"),
    [
        ("x", pa.int64()),
        (1.5, pa.int64()),
        (True, pa.int64()),
        (1, pa.bool_()),
        (2**63, pa.int64()),
        ([], STRUCT),
    ],
    ids=str,
)
def test_values_that_do_not_fit_are_said(value: Any, type: pa.DataType) -> None:
    with pytest.raises(MisfitError, match="is not"):
        as_type(value, type)
