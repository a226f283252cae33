"""How far zstd shrinks a document: small for what repeats itself, large for noise.

Compresses with Arrow's own zstd, so that there is no dependency to add; each document by itself, no dictionary.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curate.signals.definition import Signal
from curate.signals.documents import Documents, Shares, ratio

LEVEL = 1


def _compression_ratio(documents: Documents) -> Shares:
    text, offsets = pa.py_buffer(documents.strings.data), documents.strings.offsets.tolist()
    codec = pa.Codec("zstd", compression_level=LEVEL)
    sizes: npt.NDArray[np.int64] = np.fromiter(
        (codec.compress(text.slice(begin, end - begin)).size for begin, end in pairwise(offsets)),
        np.int64,
        len(documents),
    )
    return ratio(sizes * (documents.bytes > 0), documents.bytes)


SIGNALS = (
    Signal("compression_ratio", "float32", "share of bytes",
           "Size of the text after zstd level 1 by its size before; above 1 for a few bytes; 0 for an empty text.",
           "curate; zstd as bundled with pyarrow, whose versions may differ by a few bytes", _compression_ratio,
           ("la " * 60, 0.106)),
)  # fmt: skip
