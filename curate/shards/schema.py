"""Types of metadata columns: what they are in one batch, and the one type that fits all shards.

Converts values to that type; does not read files.
"""

from __future__ import annotations

import base64
import datetime
import decimal
import json
import uuid
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from curate.shards.storable import can_be_cast, children, is_list, plain, plain_throughout, storable

MAX_DEPTH = 64
"""Columns nested more deeply become JSON text."""

MAX_FIELDS = 1000
"""Objects with more different keys than this become JSON text: they are maps, not records."""

_SIGNED = [pa.int8(), pa.int16(), pa.int32(), pa.int64()]
_UNSIGNED = [pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()]


class SchemaCollector:
    """The metadata columns that a shard turns out to have; `schema` is what `unify` takes, and pickles."""

    def __init__(self) -> None:
        self._types: dict[str, pa.DataType] = {}

    def add(self, schema: Iterable[pa.Field]) -> None:
        """Take the columns of one more batch into account."""
        for field in schema:
            new = shallow(field.type)
            self._types[field.name] = join(self._types.get(field.name, new), new)

    @property
    def schema(self) -> pa.Schema:
        """All columns so far, in order of first appearance; null and empty objects still as such."""
        return pa.schema(list(self._types.items()))


def unify(schemas: Iterable[pa.Schema]) -> pa.Schema:
    """Return the schema that holds the columns of all `schemas`, in order of first appearance.

    Numbers of different types become the smallest type that holds both, integers and floats double; null and
    a type become the type; objects and lists are joined inside; whatever else is in conflict becomes string,
    other values then being written as their JSON text. Columns without any value become string. All types
    are such that Parquet, pyarrow, polars and `datasets` have them; see `storable`.
    """
    collector = SchemaCollector()
    for schema in schemas:
        collector.add(schema)
    return pa.schema([pa.field(field.name, storable(field.type)) for field in collector.schema])


def join(a: pa.DataType, b: pa.DataType) -> pa.DataType:
    """Return the smallest type that holds values of both; string where there is none."""
    if a == b or pt.is_null(b):
        return a
    if pt.is_null(a):
        return b
    if (plain(a), plain(b)) != (a, b):
        return join(plain(a), plain(b))
    if is_text(a) and is_text(b):
        return pa.string() if a == b == pa.string() else pa.large_string()
    if _is_number(a) and _is_number(b):
        return _join_numbers(a, b)
    if is_list(a) and is_list(b):
        large = pt.is_large_list(a) or pt.is_large_list(b)
        return (pa.large_list if large else pa.list_)(join(a.value_type, b.value_type))
    if pt.is_struct(a) and pt.is_struct(b):
        return _join_structs(a, b)
    if pt.is_timestamp(a) and pt.is_timestamp(b) and a.tz == b.tz:
        order = ["s", "ms", "us", "ns"]
        return pa.timestamp(max(a.unit, b.unit, key=order.index), a.tz)
    if _is_binary(a) and _is_binary(b):
        return pa.large_binary()
    return pa.large_string() if pa.large_string() in (a, b) else pa.string()


def shallow(type: pa.DataType) -> pa.DataType:
    """Return `type`, or string where it is nested too deeply."""
    level, inner = 0, [type]
    while inner:
        level += 1
        if level > MAX_DEPTH:
            return pa.string()
        inner = [child for parent in inner for child in children(plain(parent))]
    return type


def is_text(type: pa.DataType) -> bool:
    """Tell whether values of `type` are strings (however stored)."""
    return bool(pt.is_string(type) or pt.is_large_string(type) or type == pa.string_view())


def _is_binary(type: pa.DataType) -> bool:
    return bool(pt.is_binary(type) or pt.is_large_binary(type) or type == pa.binary_view())


def _is_number(type: pa.DataType) -> bool:
    return bool(pt.is_integer(type) or pt.is_floating(type))


def _join_numbers(a: pa.DataType, b: pa.DataType) -> pa.DataType:
    if pt.is_floating(a) and pt.is_floating(b):
        return max(a, b, key=lambda type: type.bit_width)
    if pt.is_floating(a) or pt.is_floating(b):
        return pa.float64()
    for family in (_SIGNED, _UNSIGNED):
        if a in family and b in family:
            return max(a, b, key=family.index)
    signed, unsigned = (a, b) if a in _SIGNED else (b, a)
    wider = _UNSIGNED.index(unsigned) + 1
    return _SIGNED[max(wider, _SIGNED.index(signed))] if wider < len(_SIGNED) else pa.float64()


def _join_structs(a: pa.DataType, b: pa.DataType) -> pa.DataType:
    types = {field.name: field.type for field in a}
    for field in b:
        types[field.name] = join(types[field.name], field.type) if field.name in types else field.type
    return pa.struct(list(types.items())) if len(types) <= MAX_FIELDS else pa.string()


class MisfitError(Exception):
    """A value does not fit the type its column has; the text says which."""


def fit(table: pa.Table, schema: pa.Schema, length: int) -> pa.Table:
    """Return `table`, of `length` rows, with exactly the columns and types of `schema`, null where missing.

    Raises MisfitError where a value cannot be of the type.
    """
    columns = []
    for field in schema:
        if field.name not in table.column_names:
            columns.append(pa.nulls(length, field.type))
            continue
        try:
            columns.append(_fit_column(table.column(field.name), field.type))
        except (MisfitError, pa.ArrowException) as error:
            raise MisfitError(f'column "{field.name}": {error}') from error
    return pa.table(columns, schema=schema)


def choose(table: pa.Table, names: tuple[str, ...], length: int) -> pa.Table:
    """Return the columns `names` of `table`, of `length` rows; null where there is none."""
    return pa.table({name: table.column(name) if name in table.column_names else pa.nulls(length) for name in names})


def as_plain(column: pa.Array) -> pa.Array:
    """Return `column` as what all of pyarrow can work with: no views, encodings or extension types; see `plain`.

    Raises MisfitError where a value cannot be taken out.
    """
    return _fit_column(column, plain_throughout(column.type))


def _fit_column(column: pa.Array | pa.ChunkedArray, type: pa.DataType) -> pa.Array | pa.ChunkedArray:
    if column.type == type:
        return column
    if pt.is_run_end_encoded(column.type):
        return _fit_column(pc.run_end_decode(column), type)
    if can_be_cast(column.type) and _castable(column.type, type):
        try:
            return column.cast(type, safe=not pt.is_floating(type))
        except pa.ArrowException:
            pass
    if pt.is_timestamp(column.type) and column.type.unit == "ns":  # datetime has no nanoseconds
        column = column.cast(pa.timestamp("us", column.type.tz), safe=False)
    try:
        values = column.to_pylist()
    except ValueError as error:  # nanoseconds inside something else
        raise MisfitError(str(error)) from error
    return pa.array([as_type(value, type) for value in values], type)


def _castable(a: pa.DataType, b: pa.DataType) -> bool:
    """Tell whether Arrow's own cast means what `as_type` means (it words values as strings differently)."""
    a = plain(a)
    if is_text(b):
        return is_text(a) or pt.is_null(a)
    if is_list(a) and is_list(b):
        return _castable(a.value_type, b.value_type)
    if pt.is_struct(a) and pt.is_struct(b) and 0 < a.num_fields == b.num_fields:
        return all(x.name == y.name and _castable(x.type, y.type) for x, y in zip(a, b, strict=True))
    return not (pt.is_nested(a) or pt.is_nested(b))


def as_type(value: Any, type: pa.DataType) -> Any:
    """Return `value`, as JSON or Arrow gives it, as a Python value that `pa.array(..., type)` takes.

    Raises MisfitError where it cannot be.
    """
    if value is None:
        return None
    if is_text(type):
        return as_string(value)
    if pt.is_struct(type) and isinstance(value, dict):
        return {field.name: as_type(value.get(field.name), field.type) for field in type}
    if pt.is_struct(type) and isinstance(value, tuple):  # an entry of a map
        return {field.name: as_type(item, field.type) for field, item in zip(type, value, strict=True)}
    if is_list(type) and isinstance(value, list):
        return [as_type(item, type.value_type) for item in value]
    if pt.is_floating(type) and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if _is_scalar(value, type):
        return value
    raise MisfitError(f"{json_text(value)[:60]} is not {type}")


def _is_scalar(value: Any, type: pa.DataType) -> bool:
    """Tell whether `value` is of `type`, which holds no other type; pa.scalar would let 1.5 pass for an integer."""
    python = int if pt.is_integer(type) else bool if pt.is_boolean(type) else value.__class__
    if pt.is_nested(type) or value.__class__ is not python:
        return False
    with suppress(pa.ArrowException, OverflowError, TypeError, ValueError):
        pa.scalar(value, type)
        return True
    return False


class JsonText(str):
    """A JSON value kept as the text that stands for it, being too deep to be anything else."""


def as_string(value: Any) -> str:
    """Return a string as it is, but for half surrogate pairs (UTF-8 has none); anything else as JSON text."""
    if not isinstance(value, str):
        return json_text(value)
    try:
        value.encode()
    except UnicodeEncodeError:  # a lone surrogate, which only JSON escapes can make
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return str(value)


_WITHOUT_JSON = (
    datetime.date,
    datetime.time,
    datetime.timedelta,
    decimal.Decimal,
    bytes,
    uuid.UUID,
    pa.MonthDayNano,
)


def json_text(value: Any) -> str:
    """Return the JSON of a value; of a date, time or interval its ISO 8601 text, of bytes base64, without quotes."""
    if isinstance(value, str):
        return value
    if isinstance(value, _WITHOUT_JSON):
        return _other(value)
    try:
        return orjson.dumps(value, default=_other, option=orjson.OPT_PASSTHROUGH_DATETIME).decode()
    except TypeError:  # big integers, lone surrogates
        return json.dumps(value, default=_other)


def _other(value: Any) -> str:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, pa.MonthDayNano):
        seconds = decimal.Decimal(value.nanoseconds).scaleb(-9)
        return f"P{value.months}M{value.days}DT{seconds:f}S"
    return value.isoformat() if isinstance(value, datetime.date | datetime.time) else str(value)
