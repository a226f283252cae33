"""Where pyarrow's JSON parser needs help: dates, digits, depth, and types it cannot read.

Does not parse; `jsonl` does.
"""

from __future__ import annotations

import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from curate.shards.lines import Lines
from curate.shards.schema import is_text
from curate.shards.storable import is_list

_MAX_OPENERS = 500
"""Lines with more brackets are checked for deep nesting: inferring its type would overflow the stack."""


def too_deep(lines: Lines) -> bool:
    """Tell whether a line is nested so deeply that inferring its type could overflow the stack."""
    for i in lines.with_more_openers_than(_MAX_OPENERS):
        try:
            orjson.loads(lines.line(int(i)))
        except ValueError:  # deeper than orjson goes, 1024; or bad, which pyarrow would find as well
            return True
    return False


def loses_digits(table: pa.Table) -> bool:
    """Tell whether a column was inferred to be double but may hold integers too large for int64."""
    for column in table.columns:
        if pt.is_float64(column.type) and column.null_count < len(column):
            ends = pc.min_max(column)
            if ends["max"].as_py() >= 2.0**63 or ends["min"].as_py() < -(2.0**63):
                return True
    return False


def json_type(type: pa.DataType) -> pa.DataType:
    """Return the type as which pyarrow parses JSON values meant for `type`; null where there can be none."""
    if is_text(type):
        return pa.large_string()
    if is_list(type):
        return pa.list_(json_type(type.value_type))
    if pt.is_struct(type):
        return pa.struct([(field.name, json_type(field.type)) for field in type])
    return type if type in (pa.bool_(), pa.int64(), pa.float64()) else pa.null()


def without_dates(type: pa.DataType) -> pa.DataType:
    """Return the type with strings in place of the timestamps that pyarrow takes date-like strings for."""
    if pt.is_struct(type):
        return pa.struct([(field.name, without_dates(field.type)) for field in type])
    if pt.is_list(type):
        return pa.list_(without_dates(type.value_type))
    return pa.string() if pt.is_temporal(type) or is_text(type) else type


def date_leaves(type: pa.DataType) -> pa.DataType | None:
    """Return `type` with string for dates, and without what else is in it; None where it has no dates."""
    if pt.is_struct(type):
        inner = [(field.name, leaf) for field in type if (leaf := date_leaves(field.type)) is not None]
        return pa.struct(inner) if inner else None
    if pt.is_list(type):
        leaf = date_leaves(type.value_type)
        return None if leaf is None else pa.list_(leaf)
    return pa.string() if pt.is_temporal(type) else None
