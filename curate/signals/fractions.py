"""What share of a text is digits, capitals, marks, white space or URLs, and which scripts its letters are of.

Says nothing of languages: one script serves many.
"""

from __future__ import annotations

from curate.kernels.characters import SCRIPTS
from curate.kernels.fractions import BRACKETS, CHARACTERS, DIGITS, PUNCTUATION, SCRIPT, SPACES, UPPERS
from curate.signals.definition import Compute, Signal
from curate.signals.documents import Documents, Ints, Shares, ratio

_SHARE = "share of characters"
_COUNTS = SCRIPT + len(SCRIPTS)
_LETTERS = slice(SCRIPT, _COUNTS)
MAIN_SCRIPT = 0.01  # a script with fewer of a document's letters is not counted

_UNICODE = "Unicode Standard, general categories"
_NAMES = "Unicode character names; Unicode Standard Annex 24 for the idea"


def _characters(column: int) -> Compute:
    return lambda d: ratio(d.character_counts[:, column], d.character_counts[:, CHARACTERS])


def _url_ratio(documents: Documents) -> Shares:
    return ratio(documents.url_characters, documents.character_counts[:, CHARACTERS])


def _script(place: int) -> Compute:
    return lambda d: ratio(d.character_counts[:, SCRIPT + place], d.character_counts[:, _LETTERS].sum(axis=1))


def _script_count(documents: Documents) -> Ints:
    letters = documents.character_counts[:, _LETTERS]
    counted: Ints = ((letters > 0) & (letters >= MAIN_SCRIPT * letters.sum(axis=1, keepdims=True))).sum(axis=1)
    return counted


_EXAMPLES = {
    "latin": ("Привет, world", 0.455), "cyrillic": ("Привет, world", 0.545), "greek": ("λόγος", 1.0),
    "arabic": ("مرحبا", 1.0), "hebrew": ("שלום", 1.0), "devanagari": ("नमस्ते", 1.0), "bengali": ("বাংলা", 1.0),
    "tamil": ("தமிழ்", 1.0), "telugu": ("తెలుగు", 1.0), "thai": ("ภาษาไทย", 1.0), "georgian": ("ქართული", 1.0),
    "armenian": ("հայերեն", 1.0), "hangul": ("한국어", 1.0), "kana": ("漢字とカナ", 0.6), "han": ("漢字とカナ", 0.4),
    "other": ("አማርኛ", 1.0),
}  # fmt: skip


def _script_signal(place: int, script: str) -> Signal:
    named = {"kana": "hiragana or katakana", "han": "Han (ideographs)", "other": "scripts that have no signal here"}
    definition = f"Letters of {named.get(script, script.capitalize())}, by all letters."
    return Signal(f"script_{script}", "float32", "share of letters", definition, _NAMES, _script(place),
                  _EXAMPLES[script], high=1)  # fmt: skip


SIGNALS = (
    Signal("digit_ratio", "float32", _SHARE, "Decimal digits of any script (Unicode category Nd).", _UNICODE,
           _characters(DIGITS), ("4 of ٣!", 0.286), high=1),
    Signal("upper_case_ratio", "float32", _SHARE, "Upper-case characters.", _UNICODE, _characters(UPPERS),
           ("ÉTÉ now", 0.429), high=1),
    Signal("punctuation_ratio", "float32", _SHARE,
           "Punctuation marks of any script, brackets and quotes among them (Unicode category P); symbols such as "
           '"+" or "$" are none.', _UNICODE, _characters(PUNCTUATION), ("«So?» 1 + 1", 0.273), high=1),
    Signal("bracket_ratio", "float32", _SHARE, "Opening and closing brackets of any script (Unicode categories Ps and "
           'Pe); "<" and ">" are none.', _UNICODE, _characters(BRACKETS), ("f(x) 「y」", 0.5), high=1),
    Signal("whitespace_ratio", "float32", _SHARE, "White-space characters, newlines among them.", _UNICODE,
           _characters(SPACES), ("a b\n", 0.5), high=1),
    Signal("url_ratio", "float32", _SHARE,
           "Characters of URLs: from http://, https://, ftp:// or www. to the next white space, double quote, angle "
           "bracket or character beyond ASCII.", "curate", _url_ratio, ("See http://a.org/b now", 0.636), high=1),
    *(_script_signal(place, script) for place, script in enumerate(SCRIPTS)),
    Signal("script_count", "int64", "scripts",
           f"Scripts that at least {MAIN_SCRIPT:.0%} of the letters are of; all without a signal count as one.", _NAMES,
           _script_count, ("Привет, world", 2), high=len(SCRIPTS)),
)  # fmt: skip
