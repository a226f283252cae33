"""Exact Jaccard similarity of all pairs of a sample, by an inverted index: the truth that MinHash is judged by.

Quadratic in the sample, so never part of a run; finds no candidates and knows no texts.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

U16 = npt.NDArray[np.uint16]
I32 = npt.NDArray[np.int32]
I64 = npt.NDArray[np.int64]
U64 = npt.NDArray[np.uint64]
F64 = npt.NDArray[np.float64]


@njit(nogil=True, cache=True)
def pairs_of_rows(
    begin: int,
    end: int,
    offsets: I64,
    posting: I32,
    first: I64,
    groups: U64,
    keys: U64,
    floor: float,
    histogram: I64,
    left: I32,
    right: I32,
    similarity: F64,
    matches: U16,
    drawn: U16,
) -> int:
    """Compare documents `begin` to `end` with all before them; return how many pairs were written.

    Document i holds the flat positions `offsets[i]` to `offsets[i + 1]`; `posting[first[p]:]` are the documents,
    ascending, that have the shingle at position p, up to i itself at least. Pairs of different `groups` are left
    out. Every pair with a common shingle is counted in `histogram`, bins of equal width from 0 to 1; it is written
    when its similarity reaches `floor` or when a column of `keys` (n, bands; 0 never matches) agrees. `matches`
    is how many do, `drawn` whether the first one does (1 or 0). The five outputs need (end - begin) * end places.
    """
    bins = histogram.shape[0]
    common = np.zeros(end, np.int32)
    met = np.empty(end, np.int32)
    written = 0
    for i in range(begin, end):
        touched = 0
        for p in range(offsets[i], offsets[i + 1]):
            q = first[p]
            while posting[q] < i:
                j = posting[q]
                if common[j] == 0:
                    met[touched] = j
                    touched += 1
                common[j] += 1
                q += 1
        size = offsets[i + 1] - offsets[i]
        for k in range(touched):
            j = met[k]
            shared = common[j]
            common[j] = 0
            if groups[i] != groups[j]:
                continue
            jaccard = shared / (size + offsets[j + 1] - offsets[j] - shared)
            histogram[min(int(jaccard * bins), bins - 1)] += 1
            agree = 0
            for band in range(keys.shape[1]):
                agree += keys[i, band] == keys[j, band] and keys[i, band] != 0
            if jaccard >= floor or agree:
                left[written], right[written], similarity[written] = j, i, jaccard
                matches[written] = agree
                drawn[written] = keys.shape[1] > 0 and keys[i, 0] == keys[j, 0] and keys[i, 0] != 0
                written += 1
    return written
