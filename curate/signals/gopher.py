"""Gopher's quality and repetition rules as numbers (Rae et al. 2021, appendix A.1.1, table A1).

Counting follows the paper's words (profile "paper"); where they leave a choice, the signal's definition says
which one was taken. Thresholds are in the recipes, not here.
"""

from __future__ import annotations

from curate.kernels.lines import BULLETS, ELLIPSES, LINES
from curate.signals.definition import Compute, Signal
from curate.signals.documents import Documents, Floats, Shares, ratio

_QUALITY = "Rae et al. 2021 (Gopher), A.1.1 quality filtering"
_REPETITION = "Rae et al. 2021 (Gopher), A.1.1 repetition removal, table A1"


def _line_share(column: int) -> Compute:
    return lambda d: ratio(d.line_counts[:, column], d.line_counts[:, LINES])


def _share(blocks: Floats, part: int, whole: int, count: int = 0) -> Shares:
    """Return a share of blocks; 0 where a document has fewer than two blocks, which cannot repeat."""
    return ratio(blocks[:, part] * (blocks[:, count] > 1), blocks[:, whole])


def _block_signals(name: str, blocks: str, text: str, share: float, chars: float) -> tuple[Signal, ...]:
    every_copy = "every copy counts, the first too"

    def of(part: int, whole: int) -> Compute:
        return lambda d: _share(getattr(d, blocks), part, whole)

    return (
        Signal(f"gopher_dup_{name}s", "float32", f"share of {name}s",
               f"{name.capitalize()}s that occur more than once in the document ({every_copy}), by all {name}s.",
               _REPETITION, of(1, 0), (text, share), high=1),
        Signal(f"gopher_dup_{name}_chars", "float32", "share of characters",
               f"Characters in {name}s that occur more than once ({every_copy}), by characters of all {name}s.",
               _REPETITION, of(2, 3), (text, chars), high=1),
    )  # fmt: skip


_TOP_EXAMPLES = {
    2: ("to be or not to be", 0.615),
    3: ("now and then and now and then", 0.87),
    4: ("as soon as possible, or as soon as possible, please", 0.81),
}
_SAYING = ["we", "will", "never", "give", "your", "address", "to", "strangers", "or", "friends"]


def _top(n: int) -> Signal:
    return Signal(
        f"gopher_top_{n}gram", "float32", "share of word characters",
        f"Characters in all copies of the most frequent word {n}-gram (the longest of equally frequent ones), by "
        "characters of all words; 0 when none occurs twice; can pass 1 where copies overlap.",
        _REPETITION, lambda d: d.ngrams[0][:, n - 2],
        example=_TOP_EXAMPLES[n],
    )  # fmt: skip


def _duplicate(n: int) -> Signal:
    said = " ".join(_SAYING[:n])
    letters = 2 * len("".join(_SAYING[:n]))
    return Signal(
        f"gopher_dup_{n}gram", "float32", "share of word characters",
        f"Characters of the words covered by any word {n}-gram that occurs more than once, each word counted "
        "once and first copies included, by characters of all words.",
        _REPETITION, lambda d: d.ngrams[1][:, n - 5],
        example=(f"{said} and {said}", round(letters / (letters + len("and")), 3)), high=1,
    )  # fmt: skip


def _alpha_words(documents: Documents) -> Shares:
    return ratio(documents.word_counts[:, 1], documents.word_count)


SIGNALS = (
    Signal("gopher_hash_ratio", "float32", "per word", 'Number of "#" by number of words.', _QUALITY,
           lambda d: ratio(d.words.hashes, d.word_count), example=("# a title", 0.333)),
    Signal("gopher_ellipsis_ratio", "float32", "per word", 'Number of "..." and "…" by number of words.', _QUALITY,
           lambda d: ratio(d.words.ellipses, d.word_count), example=("Well... no… really", 0.667)),
    Signal("gopher_bullet_lines", "float32", "share of lines", 'Lines that begin with "•", "‣", "●", "*" or "-".',
           _QUALITY, _line_share(BULLETS), ("To buy:\n  - milk\n  * bread", 0.667), high=1),
    Signal("gopher_ellipsis_lines", "float32", "share of lines", 'Lines that end with "..." or "…".', _QUALITY,
           _line_share(ELLIPSES), ("Read more...\nAll of it.", 0.5), high=1),
    Signal("gopher_alpha_words", "float32", "share of words", "Words with at least one letter.", _QUALITY,
           _alpha_words, ("3 + four", 0.333), high=1),
    Signal("gopher_stop_words", "int64", "words",
           "How many of the, be, to, of, and, that, have, with occur as words, each counted once, in any case.",
           _QUALITY, lambda d: d.word_counts[:, 2], ("The best of the rest", 2), high=8),
    *_block_signals("line", "repeated_lines", "Home\nText\nHome\nLonger text", 0.5, 0.348),
    *_block_signals("paragraph", "repeated_paragraphs", "Home\n\nText\nmore\n\nHome", 0.667, 0.471),
    *(_top(n) for n in (2, 3, 4)),
    *(_duplicate(n) for n in (5, 6, 7, 8, 9, 10)),
)  # fmt: skip
