"""Cleaners that change characters: normal form and invisible characters, and mojibake.

Removes no words and no lines on purpose.
"""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from classifiers.arrow import Strings, as_strings, to_array
from curate.errors import RecipeError
from curate.kernels import cleaning, mojibake
from curate.kernels.unicode import tables


def unicode(strings: Strings) -> Strings:
    """Normal form C; control and invisible characters removed (tabs and joiners stay), newlines as `\\n`.

    Control characters that are white space (`\\r`, `\\f`, U+0085 …) become newlines: words do not grow together.
    """
    needs = np.zeros(len(strings), np.uint8)
    cleaning.scan(strings.data, strings.offsets, tables(), needs)
    if not needs.any():
        return strings
    if (needs & cleaning.STRIP).any():
        out, offsets = np.empty(strings.nbytes, np.uint8), np.empty_like(strings.offsets)
        size = cleaning.strip_controls(strings.data, strings.offsets, tables(), out, offsets)
        strings = Strings(out[:size], offsets)
    return _rewrite(strings, needs & cleaning.NORMALISE, functools.partial(unicodedata.normalize, "NFC"))


def ftfy(strings: Strings) -> Strings:
    """Mojibake repaired ("schÃ¶n" becomes "schön"), line by line, by the package ftfy; nothing else that it can do.

    Only documents with two characters in a row that can come of UTF-8 read as another encoding, or with C1 control
    characters, are shown to it. Raises RecipeError when ftfy is not installed.
    """
    repair = _repair()
    needs = np.zeros(len(strings), np.bool_)
    mojibake.suspects(strings.data, strings.offsets, mojibake.table(), needs)
    return _rewrite(strings, needs, repair)


@functools.cache
def _repair() -> Callable[[str], str]:
    try:
        from ftfy import TextFixerConfig, fix_text
    except ImportError:
        raise RecipeError("the cleaner \"ftfy\" needs the package ftfy: pip install 'curate-corpus[ftfy]'") from None
    only_encoding = TextFixerConfig(
        unescape_html=False,
        remove_terminal_escapes=False,
        fix_latin_ligatures=False,
        fix_character_width=False,
        uncurl_quotes=False,
        fix_line_breaks=False,
        fix_surrogates=False,
        remove_control_chars=False,
        normalization=None,
        explain=False,
    )
    return functools.partial(fix_text, config=only_encoding)


def _rewrite(strings: Strings, needs: Any, change: Callable[[str], str]) -> Strings:
    """Apply a Python function to the documents with a truth value in `needs`; most of them do not change."""
    which = np.flatnonzero(needs)
    if not len(which):
        return strings
    array = to_array(strings)
    texts = array.take(pa.array(which)).to_pylist()
    changed = [change(text) for text in texts]
    different = [i for i, text in enumerate(texts) if changed[i] != text]
    if not different:
        return strings
    mask = np.zeros(len(strings), np.bool_)
    mask[which[different]] = True
    replacements = pa.array([changed[i] for i in different], pa.large_string())
    return as_strings(pc.replace_with_mask(array, pa.array(mask), replacements))
