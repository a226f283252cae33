"""The URLs of documents in canonical form and their hashes, for `dedup = "url"`; null for a document without one.

What makes two URLs the same is in `curate.kernels.urls`; which document stays is the step's policy.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from classifiers.arrow import Strings, as_array, as_strings, to_array
from curate.errors import RecipeError
from curate.kernels.hashing import murmur3
from curate.kernels.urls import canonical_urls

HASH = pa.binary(16)


# An optional scheme and user, then a name with a dot in it, "localhost" or an address in brackets, then the rest.
# Arrow's \s, other than Python's, has no vertical tab.
_HOST = (
    r"^(?:[a-zA-Z][a-zA-Z0-9+.\-]*:)?(?://)?(?:[^/?#@]*@)?"
    r"(?:localhost|\[[0-9a-fA-F:.]+\]|[^/?#:@\s\v]+\.[^/?#:@\s\v]+)(?::\d*)?(?:[/?#]|$)"
)


def sketch_name(column: str) -> str:
    """Return the sketch column that holds the hashes of the URLs in a metadata column."""
    return f"url:{column}"


def canonical(urls: Any) -> pa.Array:
    """Return URLs (anything Arrow can read as strings) in canonical form; null for null and where nothing is left.

    Raises TypeError when they are not strings.
    """
    made = canonical_urls(as_strings(urls))
    return pc.if_else(pa.array(_there(made)), to_array(made), pa.scalar(None, pa.large_string()))


def url_hashes(column: str, urls: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Return the 128-bit hash of each canonical URL, binary(16), null without one.

    Raises RecipeError, naming the column, when it does not hold strings.
    """
    try:
        array = as_array(urls)
    except TypeError:
        raise RecipeError(
            f'dedup = "url": the column "{column}" holds {urls.type}, not strings; name another one with url_column'
        ) from None
    made = canonical_urls(as_strings(array))
    there = pa.array(_there(made))
    hashes = murmur3(made)
    return pa.FixedSizeBinaryArray.from_buffers(HASH, len(hashes), [there.buffers()[1], pa.py_buffer(hashes.tobytes())])


def _there(urls: Strings) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Tell which canonical URLs name a host: "none", "about:blank" or "/path" are no address of a page."""
    there: np.ndarray[Any, np.dtype[np.bool_]] = (
        pc.match_substring_regex(to_array(urls), _HOST).fill_null(False).to_numpy(zero_copy_only=False)
    )
    return there
