"""RedPajama-V2's quality signals under their own names (Weber et al. 2024, "RedPajama: an Open Dataset").

Values are those of its definitions, with 0 where it has none. What it publishes for each line is here one number a
document: a mean, or a sum. Left out: what needs a model (ccnet_*, importance, ml_*) or somebody's list (ldnoobw, ut1);
its stop words are a list too: `stop_word_ratio` takes their place.
"""

from __future__ import annotations

from curate.kernels.lines import ELLIPSES
from curate.kernels.redpajama import (
    ALPHA_WORDS,
    BULLET_MARKS,
    BULLETS,
    CAPS_WORDS,
    CHARACTERS,
    CURLY,
    JAVASCRIPT,
    LINES,
    LOREM_IPSUM,
    NUMERIC_LINES,
    RAW_WORDS,
    SENTENCES,
    TERMINAL_MARKS,
    TERMINALS,
)
from curate.signals.definition import Compute, Signal
from curate.signals.documents import Documents, Floats, Ints, Shares, ratio

_SOURCE = "Weber et al. 2024 (RedPajama-V2), quality annotations of the dataset card"
_NORMALISED = "normalised words (white-space words without ASCII punctuation, lower-cased, in normal form D)"
_RAW = r"raw words (the matches of \w+|[^\w\s]+)"
_TOP_EXAMPLES = {
    2: ("Now and then, and Now, and then: now and then!", 0.545),
    3: ("Now and then, and Now, and then: now and then!", 0.909),
    4: ("As soon as possible, or as soon as possible.", 0.941),
}
_DOUBLE = "the cat sat on the mat and "


def _words(documents: Documents) -> Ints:
    counts: Ints = documents.normalised_words.first[1:] - documents.normalised_words.first[:-1]
    return counts


def _word_characters(documents: Documents) -> Floats:
    return documents.normalised_words.counts[:, CHARACTERS]


def _raw(part: int, whole: int = RAW_WORDS) -> Compute:
    return lambda d: ratio(d.redpajama_raw[0][:, part], d.redpajama_raw[0][:, whole])


def _symbols(documents: Documents) -> Shares:
    symbols = documents.words.hashes + documents.words.ellipses
    return ratio(symbols, documents.redpajama_raw[0][:, RAW_WORDS])


def _no_alpha(documents: Documents) -> Shares:
    counts = documents.redpajama_raw[0]
    return ratio(counts[:, RAW_WORDS] - counts[:, ALPHA_WORDS], counts[:, RAW_WORDS])


def _lorem_ipsum(documents: Documents) -> Shares:
    words = _words(documents)
    characters = _word_characters(documents) + (words - 1) * (words > 0)
    return ratio(documents.normalised_words.counts[:, LOREM_IPSUM], characters)


def _line_mean(sums: Floats | Ints, documents: Documents) -> Shares:
    return ratio(sums, documents.redpajama_raw[0][:, LINES])


def _dupe(n: int) -> Signal:
    return Signal(f"rps_doc_frac_chars_dupe_{n}grams", "float32", "share of characters",
                  f"Characters of {_NORMALISED} covered by {n}-grams that occur more than once, each counted once.",
                  _SOURCE, lambda d: d.normalised_ngrams[:, n - 5], (_DOUBLE * 3, 1.0), high=1)  # fmt: skip


def _top(n: int) -> Signal:
    return Signal(f"rps_doc_frac_chars_top_{n}gram", "float32", "share of characters",
                  f"Characters in all copies of the most frequent {n}-gram (the first of equally frequent ones) of "
                  f"{_NORMALISED}; 0 when none occurs twice; can pass 1 where copies overlap.", _SOURCE,
                  lambda d: d.normalised_frequencies[2][:, n - 2],
                  _TOP_EXAMPLES[n])  # fmt: skip


SIGNALS = (
    Signal("rps_doc_word_count", "int64", "words", f"Number of {_NORMALISED}.", _SOURCE, _words,
           ("Don't - stop!", 2)),
    Signal("rps_doc_mean_word_length", "float32", "characters", f"Mean length of {_NORMALISED}.", _SOURCE,
           lambda d: ratio(_word_characters(d), _words(d)), ("Don't - stop!", 4.0)),
    Signal("rps_doc_frac_unique_words", "float32", "share of words", f"Different ones among {_NORMALISED}.", _SOURCE,
           lambda d: ratio(d.normalised_frequencies[0], _words(d)), ("Stop, stop! Go.", 0.667), high=1),
    Signal("rps_doc_unigram_entropy", "float32", "nats", f"Entropy of the frequencies of {_NORMALISED}.", _SOURCE,
           lambda d: d.normalised_frequencies[1], ("Stop, stop! Go.", 0.637)),
    Signal("rps_doc_frac_all_caps_words", "float32", "share of words",
           f"Upper-case ones (`str.isupper`) among {_RAW}.", _SOURCE, _raw(CAPS_WORDS), ("NASA is it!", 0.25), high=1),
    Signal("rps_doc_frac_no_alph_words", "float32", "share of words", f"Those without A to Z or a to z among {_RAW}.",
           _SOURCE, _no_alpha, ("It is 3!", 0.5), high=1),
    Signal("rps_doc_symbol_to_word_ratio", "float32", "per word", f'Number of "#", "..." and "…" by number of {_RAW}.',
           _SOURCE, _symbols, ("# So... it is", 0.4)),
    Signal("rps_doc_num_sentences", "int64", "sentences",
           'Stretches between runs of ".", "!" and "?" that hold a letter, digit or underscore.', _SOURCE,
           lambda d: d.redpajama_raw[0][:, SENTENCES], ("It is 3.14. Yes?!", 3)),
    Signal("rps_doc_curly_bracket", "float32", "share of characters", 'Characters that are "{" or "}".', _SOURCE,
           lambda d: ratio(d.redpajama_raw[0][:, CURLY], d.words.characters), ("{a} b", 0.4), high=1),
    Signal("rps_doc_lorem_ipsum", "float32", "per character",
           f'Number of "lorem ipsum" by characters of the text of {_NORMALISED}.', _SOURCE, _lorem_ipsum,
           ("Lorem, ipsum!", 0.091), high=1),
    Signal("rps_doc_frac_lines_end_with_ellipsis", "float32", "share of lines",
           'Lines, blank ones included, that end with "..." or "…".', _SOURCE,
           lambda d: _line_mean(d.line_counts[:, ELLIPSES], d), ("Read more...\n\nAll of it.", 0.333), high=1),
    *(_top(n) for n in (2, 3, 4)),
    *(_dupe(n) for n in (5, 6, 7, 8, 9, 10)),
    Signal("rps_lines_ending_with_terminal_punctution_mark", "float32", "share of lines",
           f"Lines, blank ones included, whose last character is one of {' '.join(TERMINAL_MARKS)} (the mean of a "
           "value that is published by line; the name is spelt as there).", _SOURCE, _raw(TERMINALS, LINES),
           ("It ends.\nNo end\n", 0.5), high=1),
    Signal("rps_lines_start_with_bulletpoint", "float32", "share of lines",
           f"Lines, blank ones included, that begin with one of {' '.join(BULLET_MARKS)} (the mean over lines).",
           _SOURCE, _raw(BULLETS, LINES), ("• milk\n- bread", 0.5), high=1),
    Signal("rps_lines_num_words", "float32", "words per line",
           f"Mean over lines, blank ones included, of the number of {_NORMALISED}.", _SOURCE,
           lambda d: _line_mean(_words(d), d), ("one two\nthree", 1.5)),
    Signal("rps_lines_numerical_chars_fraction", "float32", "share of characters",
           f"Mean over lines, blank ones included, of the share of numeric characters in the text of {_NORMALISED}.",
           _SOURCE, lambda d: _line_mean(d.normalised_words.counts[:, NUMERIC_LINES], d), ("in 24\nso", 0.2), high=1),
    Signal("rps_lines_uppercase_letter_fraction", "float32", "share of characters",
           "Mean over lines, blank ones included, of the share of upper-case characters, newlines counted.",
           _SOURCE, lambda d: _line_mean(d.redpajama_raw[1], d), ("ABC\nd", 0.375), high=1),
    Signal("rps_lines_javascript_counts", "int64", "words",
           f'Number of "javascript" among {_NORMALISED} (the sum over lines).', _SOURCE,
           lambda d: d.normalised_words.counts[:, JAVASCRIPT], ("Enable JavaScript!\nNot javascript-free.", 1)),
)  # fmt: skip
