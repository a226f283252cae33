"""Which types a mix has, so that Parquet can hold it and pyarrow, polars and `datasets` can all read it.

Decides about types alone; `schema.fit` converts values.
"""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa
import pyarrow.types as pt

_MAX_DIGITS = 38
"""Of decimals that polars reads."""

_EXTENSIONS = {"arrow.uuid": pa.string(), "arrow.bool8": pa.bool_()}
"""What is written for extension types by name; for all others it is what they are stored as."""


def storable(type: pa.DataType) -> pa.DataType:
    """Return `type` with all that is in it made such that it can be stored: `plain`, and string where empty."""
    return _throughout(type, _filled)


def plain_throughout(type: pa.DataType) -> pa.DataType:
    """Return `type` with all that is in it made plain; see `plain`."""
    return _throughout(type, plain)


def plain(type: pa.DataType) -> pa.DataType:
    """Return the type that holds the same values and that every reader knows; what is inside stays as it is.

    Encoded (dictionary, run-end): the type of the values. Maps: lists of {key, value}. Views: what they are
    views of. Lists of one size of lists or structs: lists, as pyarrow 18 to 23 cannot read them where one is null.
    Decimals: decimal128, or string where they have more digits or a scale that Parquet cannot hold.
    UUIDs, intervals of months, days and nanoseconds, unions: string. Other extension types: their storage.
    """
    if pt.is_dictionary(type) or pt.is_run_end_encoded(type):
        return plain(type.value_type)
    if isinstance(type, pa.BaseExtensionType):
        return _EXTENSIONS.get(type.extension_name) or plain(type.storage_type)
    if pt.is_map(type):
        return pa.list_(pa.struct([("key", type.key_type), ("value", type.item_type)]))
    if pt.is_decimal(type):
        fits = 0 <= type.scale <= type.precision <= _MAX_DIGITS
        return pa.decimal128(type.precision, type.scale) if fits else pa.string()
    if pt.is_interval(type) or pt.is_union(type):
        return pa.string()
    if _is_list_view(type):
        return (pa.large_list if pt.is_large_list_view(type) else pa.list_)(type.value_type)
    if pt.is_fixed_size_list(type) and pt.is_nested(plain(type.value_type)):
        return pa.list_(type.value_type)
    if type == pa.string_view():
        return pa.large_string()
    return pa.large_binary() if type == pa.binary_view() else type


def can_be_cast(type: pa.DataType) -> bool:
    """Tell whether pyarrow casts values of `type` to the plain type, and to what they mean.

    It makes invalid lists of list views (pyarrow 26), takes the bytes of a UUID for text, and refuses the rest.
    """
    if _is_list_view(type) or pt.is_run_end_encoded(type) or pt.is_interval(type) or pt.is_union(type):
        return False
    if isinstance(type, pa.BaseExtensionType):
        return type.extension_name != "arrow.uuid" and can_be_cast(type.storage_type)
    return all(can_be_cast(child) for child in children(plain(type)))


def children(type: pa.DataType) -> list[pa.DataType]:
    """Return the types of what is directly inside a plain type."""
    if pt.is_struct(type):
        return [field.type for field in type]
    return [type.value_type] if is_list(type) else []


def is_list(type: pa.DataType) -> bool:
    """Tell whether values of `type` are lists of any length."""
    return bool(pt.is_list(type) or pt.is_large_list(type) or pt.is_fixed_size_list(type))


def _is_list_view(type: pa.DataType) -> bool:
    return bool(pt.is_list_view(type) or pt.is_large_list_view(type))


def _filled(type: pa.DataType) -> pa.DataType:
    type = plain(type)
    empty = pt.is_null(type) or (pt.is_struct(type) and type.num_fields == 0)
    return pa.string() if empty else type


def _throughout(type: pa.DataType, change: Callable[[pa.DataType], pa.DataType]) -> pa.DataType:
    type = change(type)
    if pt.is_struct(type):
        return pa.struct([pa.field(field.name, _throughout(field.type, change)) for field in type])
    if not is_list(type):
        return type
    inner = _throughout(type.value_type, change)
    if pt.is_fixed_size_list(type):
        return pa.list_(inner, type.list_size)
    return (pa.large_list if pt.is_large_list(type) else pa.list_)(inner)
