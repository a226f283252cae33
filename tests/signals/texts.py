"""Texts for the signals' tests: random ones that repeat themselves, and hand-written ones."""

from __future__ import annotations

from hypothesis import strategies as st

# Few words, so that n-grams and lines repeat; among them everything that some rule looks at.
_VOCABULARY = (
    "a|be|the|The|OF|of,|and|to.|that|have|with|stop!|cat|naïve|漢字|مرحبا|мир|É|ñ|ß|İ|é́|अच्छा|है।|你好。再见！|」|？）|。|"
    "#|##|#tag|...|…|....|end...|…)|(why?)|\"yes.\"|'no'|3|3.14|1)|.|!|)|{|}|-|--|*|•|‣x|●|[1]|[]|[edit]|[12][3]|"
    "javascript|JavaScript:|lorem ipsum|privacy policy.|internationalization|abcdefgh|abcdefghi|a1b2c3d4e5f6g7h8"
)
_WORDS = st.sampled_from(_VOCABULARY.split("|"))
_INVISIBLE = st.sampled_from(["e\u0301", "\u200b", "x\u200dy", "👩\u200d🚀", "\0", "\ufeff", "\x7f", "\u00ad", ""])
_SPACES = st.sampled_from(
    [" "] * 12 + ["\n"] * 4 + ["\n\n", "\n \n", "  ", "\t", "\r\n", "\r", "\f", "\u00a0", "\u0085", "\u2028", "\u3000"]
)
_PHRASES = st.sampled_from(["a cat of the house", "lorem  ipsum", "use cookies.", "the same line\nagain here"])
_ANY = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)

_PIECES = st.one_of(_WORDS, _WORDS, _WORDS, _PHRASES, _INVISIBLE, _ANY)
TEXTS = st.lists(st.tuples(_PIECES, _SPACES), max_size=40).map(lambda pairs: "".join(a + b for a, b in pairs))

PHRASE = "we will never give your address to strangers or friends"  # ten words
# The documents of a comparison of six implementations of Gopher's rules; here values are as the paper words them.
FOUR_OF_TEN_LINES = (
    "the same line again\n" * 4
    + """line number one
line number two
line number three
line number four
line number five
line number six"""
)
TWO_OF_FIVE_PARAGRAPHS = "first one\nof two\n\nsecond\n\nfirst one\nof two\n\nthird\n\nlast"
SIX_TIMES_A_PHRASE = " ".join(f"{PHRASE} {' '.join(f'w{i}x{k}' for k in range(50))}" for i in range(6))
THIRTY_OF_THE = " ".join(f"of the word{i:02}" for i in range(30))
EVERY_OTHER_LINE_BLANK = "\n\n".join(f"line number {i}" for i in range(8))
FOUR_WORDS = "one more short document"
HALF_END_IN_DOTS = "read more...\nall of it.\nand so on…\nthe end.\n"
ALL_BULLETS = "  * one\n  * two\n\t- three\n  • four\n"
