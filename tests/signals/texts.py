"""Texts for the signals' tests: random ones that repeat themselves, and hand-written ones."""

from __future__ import annotations

from hypothesis import strategies as st

# Few words, so that n-grams and lines repeat; among them everything that some rule looks at.
_WORDS = st.sampled_from(
    "a be the The OF of, and to. that have with stop! cat naïve 漢字 مرحبا мир e\u0301 \u200b x\u200dy 👩\u200d🚀 \0 # ## #tag "
    "... … .... end... …) (why?) \"yes.\" 'no' 3 3.14 { } javascript JavaScript: lorem ipsum - -- * • ‣x ● 。 你好。再见！ 」 ？） "
    "[1] [] [edit] [12][3] É ñ ß İ \ufeff 1) . ! ) é́ अच्छा है। privacy policy. internationalization abcdefgh "
    "abcdefghi a1b2c3d4e5f6g7h8 ".split(" ")
)
_SPACES = st.sampled_from([" "] * 12 + ["\n"] * 4 + ["\n\n", "\n \n", "  ", "\t", "\r\n", "\r", "\u00a0", "\u2028", "\u3000"])
_PHRASES = st.sampled_from(["a cat of the house", "lorem  ipsum", "use cookies.", "- item", "the same line\nagain here"])
_ANY = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)

_pieces = st.one_of(_WORDS, _WORDS, _WORDS, _PHRASES, _ANY)
TEXTS = st.lists(st.tuples(_pieces, _SPACES), max_size=40).map(lambda pairs: "".join(a + b for a, b in pairs))

PHRASE = "we will never give your address to strangers or friends"  # ten words
# The documents of a comparison of six implementations of Gopher's rules; here values are as the paper words them.
FOUR_OF_TEN_LINES = "\n".join(["the same line again"] * 4 + [f"line number {word}" for word in "one two three four five six".split()])
TWO_OF_FIVE_PARAGRAPHS = "first one\nof two\n\nsecond\n\nfirst one\nof two\n\nthird\n\nlast"
SIX_TIMES_A_PHRASE = " ".join(f"{PHRASE} {' '.join(f'w{i}x{k}' for k in range(50))}" for i in range(6))
THIRTY_OF_THE = " ".join(f"of the word{i:02}" for i in range(30))
EVERY_OTHER_LINE_BLANK = "\n\n".join(f"line number {i}" for i in range(8))
FOUR_WORDS = "one more short document"
HALF_END_IN_DOTS = "read more...\nall of it.\nand so on…\nthe end.\n"
ALL_BULLETS = "  * one\n  * two\n\t- three\n  • four\n"
