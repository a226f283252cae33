"""FineWeb's own line statistics (Penedo et al. 2024, "The FineWeb Datasets", section 3.6 and appendix E).

Lines are stripped and blank ones left out. The paper's thresholds and those of its released code differ by ten
for duplicated characters; both are recipes' business.
"""

from __future__ import annotations

from curate.kernels.lines import LINES, SHORT, SHORT_LINE, TERMINALS
from curate.signals.definition import Signal
from curate.signals.documents import ratio

_SOURCE = "Penedo et al. 2024 (FineWeb), section 3.6"

SIGNALS = (
    Signal("fineweb_line_punct_ratio", "float32", "share of lines",
           "Lines whose last character is a terminal mark (Unicode Sentence_Terminal; quotes are not).", _SOURCE,
           lambda d: ratio(d.line_counts[:, TERMINALS], d.line_counts[:, LINES]),
           ('It ends.\nDoes it?\n"Yes."\nNo', 0.5), high=1),
    Signal("fineweb_short_line_ratio", "float32", "share of lines",
           f"Lines of at most {SHORT_LINE} characters.", _SOURCE,
           lambda d: ratio(d.line_counts[:, SHORT], d.line_counts[:, LINES]),
           ("Menu\nThis line has more than thirty characters.", 0.5), high=1),
    Signal("fineweb_char_dup_ratio", "float32", "share of characters",
           "Characters of lines that have occurred before in the document, by characters of all lines.", _SOURCE,
           lambda d: ratio(d.repeated_lines[:, 4], d.repeated_lines[:, 3]),
           ("Menu\nText\nMenu", 0.333), high=1),
    Signal("fineweb_newline_ratio", "float32", "per word", "Number of newlines by number of words.",
           "datatrove, FineWebQualityFilter (list_ratio); not in the paper",
           lambda d: ratio(d.words.newlines, d.word_count), ("one two\n\nthree four\n", 0.75)),
)  # fmt: skip
