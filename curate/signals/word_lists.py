"""Words that the user lists in a file: how often they occur in a document, and their share of its words.

A line of the file is a word or a phrase; empty lines and lines that begin with # are left out. Words are those that
shingles are made of: runs of letters, marks, digits and underscores, lower-cased; no list is shipped.
Source of the idea: Raffel et al. 2020 (C4), section 2.2; Grattafiori et al. 2024 (Llama 3), section 3.1.1.
"""

from __future__ import annotations

import functools
import unicodedata
from pathlib import Path
from typing import Any

import numpy as np

from classifiers.arrow import as_strings
from curate.errors import RecipeError
from curate.kernels.unicode_words import words_of
from curate.kernels.word_lists import Prefixes, listed_words, prefixes
from curate.recipe.references import WordList
from curate.shipped import local_copy
from curate.signals.documents import Documents, ratio


def word_table(use: WordList) -> Prefixes:
    """Return the words of a list, ready to be looked for; read again when the file has changed.

    Raises RecipeError for a file that is missing, is not UTF-8, or holds no words.
    """
    path = local_copy(use.path)
    try:
        state = path.stat()
        return _table(use.name, path, state.st_size, state.st_mtime_ns)
    except OSError as error:
        raise RecipeError(f'word list "{use.name}": cannot read {path}: {error.strerror}') from None


@functools.lru_cache(maxsize=16)
def _table(name: str, path: Path, size: int, modified: int) -> Prefixes:
    where = f'word list "{name}"'
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise RecipeError(f"{where}: {path} is not UTF-8 (byte {error.start}); save it as UTF-8") from None
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), 1)]
    lines = [(number, line) for number, line in lines if line and not line.startswith("#")]
    if not lines:
        raise RecipeError(f"{where}: {path} holds no words; write one word or phrase a line")
    words = words_of(as_strings([unicodedata.normalize("NFC", line) for _, line in lines]))
    for (number, line), count in zip(lines, np.diff(words.first), strict=True):
        if count == 0:
            raise RecipeError(f'{where}: {path}, line {number}: "{line}" has no letter or digit, so it is never found')
    return prefixes(words)


def listed(use: WordList, documents: Documents) -> dict[str, Any]:
    """Return int64 occurrences and float32 share of words of a list, under the names of its columns."""
    words, table = documents.unicode_words, word_table(use)
    out = np.zeros((len(documents), 2), np.int64)
    listed_words(words.first, words.hash, table.keys, table.ends, out)
    count, share = use.columns
    return {count: out[:, 0].copy(), share: ratio(out[:, 1], np.diff(words.first))}
