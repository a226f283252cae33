"""The steps of a recipe that change documents: they cut repeated text out, and drop what has too little left.

What a step does to texts is in `curate.decide.trims`.
"""

from __future__ import annotations

from dataclasses import dataclass

from curate.predicates import columns_of

UNITS = {"line": 1, "paragraph": 0, "3-line": 3}  # lines in a unit; 0: as many as stand together

MORE_THAN, BUCKET = 6, 30_000_000  # Llama Team 2024, section 3.1.1: "more than 6 times in each bucket of 30M"
MIN_LEFT = 100  # characters; a trimmed document with less is debris
MIN_WORDS = 50  # Lee et al. 2022, section 4.1: 50 tokens
DROP_AT = 0.8


@dataclass(frozen=True)
class LineDedup:
    """Cuts every copy of the lines (paragraphs, runs of three lines) seen `more_than` times in a bucket of documents.

    Lines inside code blocks and units of fewer than `min_length` characters are not looked at. A document that is
    left with fewer than `min_left` characters is dropped. Documents that do not meet `where` pass as they are.
    """

    name: str
    unit: str = "line"
    more_than: int = MORE_THAN
    bucket: int = BUCKET
    min_length: int = 10
    min_left: int = MIN_LEFT
    where: str | None = None
    kind: str = "trim"

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that the step names."""
        return columns_of(self.where) if self.where else ()


@dataclass(frozen=True)
class SubstringDedup:
    """Cuts runs of `min_words` words and more that a better document, or an earlier place of the same, has too.

    Better is who comes first in the order `keep`. A document of which such runs cover `drop_at` of the words is
    dropped. Documents that do not meet `where` are neither compared nor cut.
    """

    name: str
    min_words: int = MIN_WORDS
    drop_at: float = DROP_AT
    keep: str = "char_count DESC"
    where: str | None = None
    kind: str = "trim"

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that the step names."""
        order = tuple(part.split()[0] for part in self.keep.split(","))
        return (*order, *(columns_of(self.where) if self.where else ()))


Trim = LineDedup | SubstringDedup
