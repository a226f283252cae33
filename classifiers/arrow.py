"""Strings as numba kernels see them: one byte array and one offset array, shared with Arrow, not copied.

Knows nothing of what the strings mean.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Strings:
    """A column of UTF-8 strings as two arrays.

    `data` is uint8; `offsets` is int64 with one entry more than there are strings;
    string i is `data[offsets[i]:offsets[i + 1]]`. `offsets[0]` need not be 0.
    """

    data: npt.NDArray[np.uint8]
    offsets: npt.NDArray[np.int64]

    def __post_init__(self) -> None:
        # Arrow's buffers are read-only; making all of them so spares kernels a second compilation.
        object.__setattr__(self, "data", _read_only(self.data))
        object.__setattr__(self, "offsets", _read_only(self.offsets))

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def nbytes(self) -> int:
        """Bytes of text in all strings."""
        return int(self.offsets[-1] - self.offsets[0])


def _read_only(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    view = array.view()
    view.flags.writeable = False
    return view


def as_array(texts: Any) -> pa.Array:
    """Return `texts` (list, pyarrow array or chunked array, polars or pandas Series) as one Arrow string array.

    Raises TypeError when the values are not strings.
    """
    if hasattr(texts, "to_arrow"):
        texts = texts.to_arrow()
    if isinstance(texts, str):
        raise TypeError("expected a sequence of strings, got one string; put it into a list")
    array = texts if isinstance(texts, pa.Array | pa.ChunkedArray) else pa.array(texts, from_pandas=True)
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks() if array.num_chunks != 1 else array.chunk(0)
    if isinstance(array, pa.ChunkedArray):  # combine_chunks may still chunk above 2 GB
        array = pa.concat_arrays([chunk.cast(pa.large_string()) for chunk in array.chunks])
    if pa.types.is_null(array.type) or pa.types.is_dictionary(array.type):
        array = array.cast(pa.large_string())
    if not (pa.types.is_string(array.type) or pa.types.is_large_string(array.type)):
        if array.type == pa.string_view():
            return array.cast(pa.large_string())
        raise TypeError(f"expected strings, got {array.type}")
    return array


def as_strings(texts: Any) -> Strings:
    """Return the buffers of `texts`; null counts as the empty string.

    Zero-copy for Arrow and polars input without nulls, except that 32-bit offsets are widened.
    """
    if isinstance(texts, Strings):
        return texts
    array = as_array(texts)
    if array.null_count:
        array = array.fill_null("")
    wide = pa.types.is_large_string(array.type)
    _, offsets, data = array.buffers()
    if offsets is None or len(array) == 0:
        return Strings(np.zeros(0, np.uint8), np.zeros(len(array) + 1, np.int64))
    raw = np.frombuffer(offsets, np.int64 if wide else np.int32, len(array) + 1 + array.offset)
    window = raw[array.offset :].astype(np.int64, copy=False)
    text = np.zeros(0, np.uint8) if data is None else np.frombuffer(data, np.uint8)
    return Strings(text, window)


def to_array(strings: Strings) -> pa.Array:
    """Wrap the buffers as an Arrow large_string array, without a copy."""
    return pa.LargeStringArray.from_buffers(
        len(strings), pa.py_buffer(np.ascontiguousarray(strings.offsets)), pa.py_buffer(strings.data)
    )
