"""C4's document rules (Raffel et al. 2020, JMLR 21(140), section 2.2), measured after its line rules.

The line rules themselves are the cleaner `c4_lines` of `curate.text`.
"""

from __future__ import annotations

import numpy as np

from curate.kernels import lines
from curate.kernels.unicode import tables
from curate.signals.definition import Signal
from curate.signals.documents import Documents, Ints

_SOURCE = "Raffel et al. 2020 (T5), section 2.2"


def _sentences(documents: Documents) -> Ints:
    out = np.zeros(len(documents), np.int64)
    lines.sentences(documents.strings.data, documents.words, tables(), out)
    return out


SIGNALS = (
    Signal("c4_sentences", "int64", "sentences",
           "Stretches of words that end with a terminal mark or with their line.", _SOURCE, _sentences,
           example=("One. Two? (Three!) Four", 4)),
    Signal("c4_curly_bracket", "bool", "flag", 'The text holds "{".', _SOURCE,
           lambda d: d.contains("{"), ("if (x) { y(); }", True), high=1),
    Signal("c4_lorem_ipsum", "bool", "flag", 'The text holds "lorem ipsum", in any case.', _SOURCE,
           lambda d: d.c4_phrases[:, 0], ("Lorem ipsum dolor sit amet", True), high=1),
    Signal("c4_javascript", "bool", "flag", 'The text holds "javascript", in any case.', _SOURCE,
           lambda d: d.c4_phrases[:, 1], ("Please enable JavaScript.", True), high=1),
)  # fmt: skip
