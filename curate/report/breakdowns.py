"""Documents counted by length and by language, before and after: the parts of the mix section that need every document.

Exact counts, summed shard by shard; what is estimated from a sample is in `curate.report.sampled`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Sums = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.int64]

LANGUAGE_COLUMNS = ("language", "lang")  # of signals or metadata, the first that there is
MOST_LANGUAGES = 60
_OTHER = "other"
_UNKNOWN = "unknown"


def _is_text(kind: pa.DataType) -> bool:
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


class Lengths:
    """Documents and their tokens by powers of two of the tokens of a document."""

    def __init__(self) -> None:
        self._sums = np.zeros((64, 4), np.int64)  # documents in, documents kept, tokens in, tokens kept

    def add(self, tokens: Numbers, left: Numbers, kept: npt.NDArray[np.bool_]) -> None:
        """Add documents with so many tokens, so many after trimming, kept or not; each where its own length is."""
        for column, size in ((0, tokens), (1, left[kept])):
            bucket = np.frexp(size.astype(np.float64))[1]  # 0 for 0, 1 for 1, 2 for 2 and 3
            self._sums[:, column] += np.bincount(bucket, minlength=64)
            self._sums[:, column + 2] += np.bincount(bucket, weights=size, minlength=64).astype(np.int64)

    def merge(self, other: Lengths) -> None:
        """Add documents counted elsewhere."""
        self._sums += other._sums

    def table(self) -> list[dict[str, Any]]:
        """Return a row for each range of lengths, from the shortest to the longest that there is."""
        there = np.flatnonzero(self._sums.any(axis=1))
        rows = []
        for bucket in range(there[0], there[-1] + 1) if len(there) else ():
            documents_in, documents_kept, tokens_in, tokens_kept = self._sums[bucket].tolist()
            rows.append({
                "from": 1 << (bucket - 1) if bucket else 0,
                "to": (1 << bucket) - 1,
                "input": {"documents": documents_in, "tokens": tokens_in},
                "output": {"documents": documents_kept, "tokens": tokens_kept},
            })  # fmt: skip
        return rows


class Languages:
    """Documents and tokens by language: in, kept, and in the mix with repeats."""

    def __init__(self) -> None:
        self.column: str | None = None
        self._sums: dict[str, Sums] = {}

    @staticmethod
    def choose(schema: pa.Schema) -> str | None:
        """Return the column that holds languages, if one of these does: text, and called so."""
        kinds = {name: schema.field(name).type for name in LANGUAGE_COLUMNS if name in schema.names}
        return next((name for name, kind in kinds.items() if _is_text(kind)), None)

    def add(self, column: str, values: Any, before: Sums, after: Sums, kept: npt.NDArray[Any], weight: Numbers) -> None:
        """Add documents: the languages (an Arrow array), sizes (n, 3) before and after trimming, kept, weights."""
        self.column = self.column or column
        encoded = values.combine_chunks().cast("string").dictionary_encode()
        names = [*encoded.dictionary.to_pylist(), _UNKNOWN]
        codes = encoded.indices.fill_null(len(names) - 1).to_numpy()
        kept = kept.astype(np.int64)
        amounts = [before[:, 0], before[:, 2], after[:, 0] * kept, after[:, 2] * kept, after[:, 2] * weight]
        sums = np.stack([np.bincount(codes, weights=a, minlength=len(names)) for a in amounts], axis=1).astype(np.int64)
        for name, row in zip(names, sums, strict=True):
            if row[0]:
                self._sums[name] = self._sums.get(name, np.zeros(5, np.int64)) + row

    def merge(self, other: Languages) -> None:
        """Add documents counted elsewhere; the column of these goes first."""
        self.column = self.column or other.column
        for name, sums in other._sums.items():
            self._sums[name] = self._sums.get(name, np.zeros(5, np.int64)) + sums

    def table(self) -> dict[str, Any] | None:
        """Return the column and a row a language, the largest first; small ones together. None without a column."""
        if self.column is None:
            return None
        ranked = sorted(self._sums.items(), key=lambda item: (-int(item[1][1]), item[0]))
        shown = ranked[:MOST_LANGUAGES]
        rest = ranked[MOST_LANGUAGES:]
        if rest:
            shown.append((f"{len(rest)} {_OTHER}", np.sum([sums for _, sums in rest], axis=0)))
        rows = [
            {
                "language": name,
                "input": {"documents": int(sums[0]), "tokens": int(sums[1])},
                "output": {"documents": int(sums[2]), "tokens": int(sums[3])},
                "written_tokens": int(sums[4]),
            }
            for name, sums in shown
        ]
        return {"column": self.column, "rows": rows}
