"""The two forms in which fastText stores a matrix, dense and product-quantised, as blocks of float32 rows.

Does not read files.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Rows = slice | npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class DenseMatrix:
    """float32 (rows, columns), possibly a view of a mapped file."""

    values: npt.NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.values)

    def rows(self, which: Rows) -> npt.NDArray[np.float32]:
        """Return some rows as float32."""
        return self.values[which]


@dataclass(frozen=True, slots=True)
class QuantisedMatrix:
    """Rows of codes: code s of a row picks one of 256 centroids for its columns s*width to (s+1)*width.

    `codes` is uint8 (rows, parts); `centroids` float32, part after part; `scale` float32 (rows,) or None.
    """

    codes: npt.NDArray[np.uint8]
    centroids: npt.NDArray[np.float32]
    width: int
    columns: int
    scale: npt.NDArray[np.float32] | None

    def __len__(self) -> int:
        return len(self.codes)

    def rows(self, which: Rows) -> npt.NDArray[np.float32]:
        """Return some rows, decoded."""
        codes = self.codes[which]
        decoded = np.empty((len(codes), self.columns), np.float32)
        for part in range(codes.shape[1]):
            first = part * self.width
            last = min(first + self.width, self.columns)
            centroids = self.centroids[256 * first : 256 * last].reshape(256, last - first)
            decoded[:, first:last] = centroids[codes[:, part]]
        if self.scale is not None:
            with np.errstate(over="ignore", invalid="ignore"):  # a damaged file; what is not finite is refused later
                decoded *= self.scale[which, None]
        return decoded


Matrix = DenseMatrix | QuantisedMatrix
