"""What a recipe brings to compare documents with: lists of words, and reference distributions of words.

Reading and learning them is the business of `curate.signals.word_lists` and `curate.measure.references`.
"""

from __future__ import annotations

from dataclasses import dataclass

CORPUS = "corpus"


@dataclass(frozen=True)
class WordList:
    """A file of words and phrases, one a line; `name` begins the names of the two signals that it gives."""

    name: str
    path: str

    @property
    def columns(self) -> tuple[str, str]:
        """The signals: occurrences, and share of words."""
        return f"{self.name}_count", f"{self.name}_ratio"


@dataclass(frozen=True)
class Distribution:
    """How often words occur in a reference, and the signal `name`: a document's divergence from it.

    `reference` is "corpus", or texts in files (a path, folder or glob), or a file `distributions/*.parquet` of a
    run. It is learnt from at most `sample` documents; words beyond the `vocabulary` most frequent share classes.
    """

    name: str
    reference: str = CORPUS
    sample: int = 20_000
    vocabulary: int = 65_536
    text_column: str = "text"
