"""Gopher's, C4's and FineWeb's rules as datatrove's filters count them: for profile "datatrove".

A token is a word of spaCy's blank English tokenizer, where punctuation marks are words. C4's filter rewrites the
text; here it only decides about the document, the text stays as it is.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from classifiers.arrow import Strings
from curate.kernels import datatrove, ngram_copies, repetition, segments
from curate.kernels.phrases import phrases
from curate.kernels.spacy_rules import BASE, rules
from curate.kernels.spacy_words import Tokens
from curate.kernels.spacy_words import tokens as cut_words
from curate.kernels.unicode import tables
from curate.kernels.words import Blocks, segment
from curate.signals.definition import Compute, Signal
from curate.signals.documents import Documents, Ints, Shares, ratio, repeats
from curate.signals.dolma import every_line, newline_runs

_FILTERS = "datatrove 0.10.1, pipeline/filters/"
_QUALITY, _REPETITION = f"{_FILTERS}gopher_quality_filter.py", f"{_FILTERS}gopher_repetition_filter.py"
_C4, _FINEWEB = f"{_FILTERS}c4_filters.py", f"{_FILTERS}fineweb_quality_filter.py"


def tokens(documents: Documents) -> Tokens:
    """Words of spaCy's blank English tokenizer."""
    return cut_words(documents.strings.data, documents.words, rules(), tables())


def _token_count(documents: Documents) -> Ints:
    return np.diff(documents.once(tokens).first)


def _counts(documents: Documents) -> Ints:
    out, t = np.zeros((len(documents), 4), np.int64), documents.once(tokens)
    datatrove.token_counts(t.first, t.chars, t.kind, t.stop, out)
    return out


def _split_lines(documents: Documents) -> Blocks:
    return segments.segments(documents.strings, segments.LINE_BOUNDARIES, tables())


def _line_counts(documents: Documents) -> Ints:
    out = np.zeros((len(documents), 2), np.int64)
    datatrove.line_counts(documents.strings.data, documents.once(_split_lines), tables(), out)
    return out


def _share_of_lines(column: int) -> Compute:
    return lambda d: ratio(d.once(_line_counts)[:, column], np.diff(d.once(_split_lines).first))


def blank_line_blocks(documents: Documents) -> Blocks:
    """What stands between two or more newlines in a row, in the stripped text."""
    return segments.segments(documents.strings, segments.BLANK_LINES, tables())


def _repeats_in_lines(documents: Documents) -> Ints:
    return repeats(documents.once(newline_runs))


def _repeats_in_paragraphs(documents: Documents) -> Ints:
    return repeats(documents.once(blank_line_blocks))


def _top(documents: Documents) -> Ints:
    out, t = np.zeros((len(documents), 3, 2), np.int64), documents.once(tokens)
    ngram_copies.top_ngrams(t.first, t.chars, t.hash, out)
    return out


def _greedy(documents: Documents) -> Ints:
    out, t = np.zeros((len(documents), 6), np.int64), documents.once(tokens)
    ngram_copies.greedy_ngrams(t.first, t.chars, t.hash, BASE, out)
    return out


def _block_signals(name: str, text: str, share: float, chars: float) -> tuple[Signal, ...]:
    blocks, found = {"line": (newline_runs, _repeats_in_lines),
                     "paragraph": (blank_line_blocks, _repeats_in_paragraphs)}[name]  # fmt: skip
    split = {"line": "text is split at runs of newlines", "paragraph": "the stripped text is split at blank lines"}
    return (
        Signal(f"datatrove_dup_{name}s", "float32", f"share of {name}s",
               f"{name.capitalize()}s that have occurred before in the document; {split[name]}.", _REPETITION,
               lambda d: ratio(d.once(found)[:, repetition.LATER_COPIES], np.diff(d.once(blocks).first)),
               (text, share), high=1),
        Signal(f"datatrove_dup_{name}_chars", "float32", "share of characters",
               f"Characters of {name}s that have occurred before, by all characters; {split[name]}.", _REPETITION,
               lambda d: ratio(d.once(found)[:, repetition.LATER_COPIES_CHARS], d.words.characters),
               (text, chars), high=1),
    )  # fmt: skip


def _top_signal(n: int) -> Signal:
    def value(d: Documents) -> Shares:
        found = d.once(_top)[:, n - 2]
        return ratio(found[:, 0] * (found[:, 1] + n - 1), d.words.characters)

    return Signal(
        f"datatrove_top_{n}gram", "float32", "share of characters",
        f"Characters of the most frequent {n}-gram of tokens (the first of equally frequent ones) joined by blanks, "
        "times its copies, by all characters, even if it occurs once; can pass 1.", _REPETITION, value,
        {2: ("to be or not to be", 0.556), 3: ("now and then and now and then", 0.828),
         4: ("one more short document", 1.0)}[n],
    )  # fmt: skip


def _dup_signal(n: int) -> Signal:
    said = " ".join(f"w{k}" for k in range(n))
    return Signal(
        f"datatrove_dup_{n}gram", "float32", "share of characters",
        f"Characters of the {n}-grams of tokens that a walk has seen before, by all characters; behind a copy the walk "
        "goes on after its end, otherwise one token on.", _REPETITION,
        lambda d: ratio(d.once(_greedy)[:, n - 5], d.words.characters),
        (f"{said} {said}", round(2 * n / (6 * n - 1), 3)), high=1,
    )  # fmt: skip


_LOREM, _JAVASCRIPT = phrases(["lorem ipsum"]), phrases(["javascript"])
_POLICIES = phrases(
    ["terms of use", "privacy policy", "cookie policy", "uses cookies", "use of cookies", "use cookies"]
)


class _C4Lines(NamedTuple):
    lines: Strings
    first: Ints
    flags: npt.NDArray[np.bool_]


def _c4_lines(documents: Documents) -> _C4Lines:
    """The lines that the filter keeps; those of document d are `first[d]:first[d + 1]`."""
    found = documents.once(_split_lines)
    text = np.empty(documents.strings.nbytes, np.uint8)
    offsets, first = np.empty(len(found.start) + 1, np.int64), np.empty(len(documents) + 1, np.int64)
    flags = np.zeros((len(documents), 2), np.bool_)
    count = datatrove.c4_lines(
        documents.strings.data, found, tables(), _LOREM, _JAVASCRIPT, _POLICIES, text, offsets, first, flags
    )
    return _C4Lines(Strings(text[: offsets[count]], offsets[: count + 1]), first, flags)


def _c4_sentences(documents: Documents) -> Ints:
    kept = documents.once(_c4_lines)
    found = cut_words(kept.lines.data, segment(kept.lines.data, kept.lines.offsets), rules(), tables())
    each = np.zeros(len(kept.lines), np.int64)
    datatrove.sentences(found.first, found.kind, found.spaced, each)
    total = np.concatenate([[0], np.cumsum(each)])
    return np.diff(total[kept.first])


def _third_line(documents: Documents) -> Ints:
    out = np.zeros(len(documents), np.int64)
    datatrove.third_longest(documents.once(every_line), out)
    return out


class _FilledLines(NamedTuple):
    counts: Ints
    repeats: Ints


def _filled_lines(documents: Documents) -> _FilledLines:
    found = documents.once(every_line)
    filled, counts = np.zeros(len(found.start), np.bool_), np.zeros((len(documents), 3), np.int64)
    datatrove.filled_lines(documents.strings.data, found, tables(), filled, counts)
    first = np.concatenate([[0], np.cumsum(counts[:, datatrove.LINES])])
    only = Blocks(first, found.start[filled], found.stop[filled], found.chars[filled], found.hash[filled])
    return _FilledLines(counts, repeats(only))


def _share_of_filled_lines(column: int) -> Compute:
    return lambda d: ratio(d.once(_filled_lines).counts[:, column], d.once(_filled_lines).counts[:, datatrove.LINES])


SIGNALS = (
    Signal("datatrove_word_count", "int64", "tokens", "Tokens that hold more than punctuation.", _QUALITY,
           lambda d: d.once(_counts)[:, datatrove.CONTENT], ("Don't stop - now!", 4)),
    Signal("datatrove_mean_word_length", "float32", "characters",
           "Characters of the tokens that hold more than punctuation, by their number.", _QUALITY,
           lambda d: ratio(d.once(_counts)[:, datatrove.CONTENT_CHARS], d.once(_counts)[:, datatrove.CONTENT]),
           ("To be, or not.", 2.25)),
    Signal("datatrove_hash_ratio", "float32", "per token", 'Number of "#" by number of tokens.', _QUALITY,
           lambda d: ratio(d.words.hashes, d.once(_token_count)), ("# a title", 0.333)),
    Signal("datatrove_ellipsis_ratio", "float32", "per token", 'Number of "..." and "…" by number of tokens.', _QUALITY,
           lambda d: ratio(d.words.ellipses, d.once(_token_count)), ("Well... no… really", 0.4)),
    Signal("datatrove_bullet_lines", "float32", "share of lines",
           'Lines, blank ones too, that begin with "•" or "-"; `str.splitlines` ends a line.', _QUALITY,
           _share_of_lines(datatrove.BULLETS), ("To buy:\n  - milk\n  * bread\n\n• salt", 0.4), high=1),
    Signal("datatrove_ellipsis_lines", "float32", "share of lines",
           'Lines, blank ones too, that end with "..." or "…"; `str.splitlines` ends a line.', _QUALITY,
           _share_of_lines(datatrove.ELLIPSES), ("Read more...\n\nAll of it.", 0.333), high=1),
    Signal("datatrove_alpha_words", "float32", "share of tokens", "Tokens with at least one letter.", _QUALITY,
           lambda d: ratio(d.once(_counts)[:, datatrove.LETTERS], d.once(_token_count)), ("3 + four.", 0.25), high=1),
    Signal("datatrove_stop_words", "int64", "words",
           "How many of the, be, to, of, and, that, have, with occur as tokens in lower case, each counted once.",
           _QUALITY, lambda d: d.once(_counts)[:, datatrove.STOPS], ("The best of the rest of it", 2), high=8),
    *_block_signals("line", "Home\nText\n\nHome\n", 0.25, 0.25),
    *_block_signals("paragraph", "Home\n\nText\nmore\n\nHome", 0.333, 0.19),
    *(_top_signal(n) for n in (2, 3, 4)),
    *(_dup_signal(n) for n in (5, 6, 7, 8, 9, 10)),
    Signal("datatrove_c4_sentences", "int64", "sentences",
           "Sentences of the lines that C4's line rules keep (three words, an end mark, no script or policy words).",
           _C4, _c4_sentences, ("Menu\nThis is one. This makes two!\nHere is \"three.\"", 3)),
    Signal("datatrove_c4_curly_bracket", "bool", "flag", 'A line that reaches the rule holds "{".', _C4,
           lambda d: d.once(_c4_lines).flags[:, 1], ("if (x) {\nIt holds a { here.", True), high=1),
    Signal("datatrove_c4_lorem_ipsum", "bool", "flag", 'A line that reaches the rule holds "lorem ipsum", in any case.',
           _C4, lambda d: d.once(_c4_lines).flags[:, 0], ("Lorem ipsum dolor sit amet.", True), high=1),
    Signal("datatrove_c4_third_line", "int64", "characters",
           "Length of the third longest line; 0 where there are fewer than three.", _C4, _third_line,
           ("one\ntwo\nthree\nfour", 3)),
    Signal("datatrove_line_punct_ratio", "float32", "share of lines",
           "Lines, blank ones left out, whose last character, white space counted, ends a sentence.", _FINEWEB,
           _share_of_filled_lines(datatrove.TERMINALS), ("It ends.\nDoes it? \nNo", 0.333), high=1),
    Signal("datatrove_short_line_ratio", "float32", "share of lines",
           "Lines, blank ones left out, of at most 30 characters, white space counted.", _FINEWEB,
           _share_of_filled_lines(datatrove.SHORT), ("Menu\n\nThis line has more than thirty characters.", 0.5),
           high=1),
    Signal("datatrove_char_dup_ratio", "float32", "share of characters",
           "Characters of lines that have occurred before, blank ones left out, by all characters but newlines.",
           _FINEWEB, lambda d: ratio(d.once(_filled_lines).repeats[:, repetition.LATER_COPIES_CHARS],
                           d.words.characters - d.words.newlines),
           ("Menu\nText\nMenu", 0.333), high=1),
    Signal("datatrove_newline_ratio", "float32", "per token", "Number of newlines by number of tokens.", _FINEWEB,
           lambda d: ratio(d.words.newlines, d.once(_token_count)), ("one, two\nthree.\n", 0.4)),
)  # fmt: skip
