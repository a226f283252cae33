"""What spaCy's blank English tokenizer knows, as tables: kinds of characters, units, contractions, abbreviations.

datatrove counts these tokens as words. Facts of spacy 3.8 (lang/punctuation.py, lang/char_classes.py,
lang/en/tokenizer_exceptions.py) in our own words; how they are applied is in `curate.kernels.spacy_cut`.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from curate.kernels import unicode
from curate.kernels.lines import STOP_WORDS
from curate.kernels.repetition import mix

LOWER, UPPER, MARK, QUOTE, BEFORE_DOT, CURRENCY, SYMBOL, OPENS = (1 << k for k in range(8))
"""Bits of a character: counts as a lower-case, as an upper-case letter (scripts without case are both); splits off
at both ends; is a quote; may stand before a full stop that splits off; is a currency sign; is no word to datatrove;
splits off at the beginning only. The first two together: a letter."""

TABLE_SIZE = 0x30000  # no character beyond has a bit

_UNCASED = (
    "591-5F4 620-64A 66E-6D5 6E5-6FF 750-77F 8A0-8BD 900-9FF B80-CFF D80-DFF 1100-137F 2E80-2FDF 2FF0-30FF 31C0-31EF "
    "3200-4DBF 4E00-9FFF AC00-D7AF F900-FAFF FB1D-FBB1 FBD3-FD3D FD50-FDC7 FDF0-FDFB FE30-FE4F FE70-FEFC 1EE00-1EEBB "
    "1F200-1F2FF 20000-2A6DF 2A700-2EBEF 2F800-2FA1F"
)
_CASED = (
    "41-5A 61-7A C0-D6 D8-F6 F8-1BF 1C4-2AF 386 388-38A 38C 38E-38F 391-3A9 3AC-3AF 3B1-3C9 3CC-3CE 400-401 403-40A "
    "40C-40D 410-451 453-45A 45C-45D 490-491 496-497 4A2-4A3 4AE-4AF 4BA-4BB 4D8-4D9 4E8-4E9 1D00-1D25 1D6B-1D77 "
    "1D79-1D9A 1E00-1EFF 2C60-2C7B 2C7E-2C7F A722-A76F A771-A787 A78B-A78E A790-A7B9 A7FA AB30-AB5A AB60-AB64 "
    "FF21-FF3A FF41-FF5A"
)
# Unicode category So, as it was in Unicode 11.
_ICONS = (
    "A6 A9 AE B0 482 58D-58E 60E-60F 6DE 6E9 6FD-6FE 7F6 9FA B70 BF3-BF8 BFA C7F D4F D79 F01-F03 F13 F15-F17 F1A-F1F "
    "F34 F36 F38 FBE-FC5 FC7-FCC FCE-FCF FD5-FD8 109E-109F 1390-1399 1940 19DE-19FF 1B61-1B6A 1B74-1B7C 2100-2101 "
    "2103-2106 2108-2109 2114 2116-2117 211E-2123 2125 2127 2129 212E 213A-213B 214A 214C-214D 214F 218A-218B "
    "2195-2199 219C-219F 21A1-21A2 21A4-21A5 21A7-21AD 21AF-21CD 21D0-21D1 21D3 21D5-21F3 2300-2307 230C-231F "
    "2322-2328 232B-237B 237D-239A 23B4-23DB 23E2-2426 2440-244A 249C-24E9 2500-25B6 25B8-25C0 25C2-25F7 2600-266E "
    "2670-2767 2794-27BF 2800-28FF 2B00-2B2F 2B45-2B46 2B4D-2B73 2B76-2B95 2B98-2BC8 2BCA-2BFE 2CE5-2CEA 2E80-2E99 "
    "2E9B-2EF3 2F00-2FD5 2FF0-2FFB 3004 3012-3013 3020 3036-3037 303E-303F 3190-3191 3196-319F 31C0-31E3 3200-321E "
    "322A-3247 3250 3260-327F 328A-32B0 32C0-32FE 3300-33FF 4DC0-4DFF A490-A4C6 A828-A82B A836-A837 A839 AA77-AA79 "
    "FDFD FFE4 FFE8 FFED-FFEE FFFC-FFFD 10137-1013F 10179-10189 1018C-1018E 10190-1019B 101A0 101D0-101FC "
    "10877-10878 10AC8 1173F 16B3C-16B3F 16B45 1BC9C 1D000-1D0F5 1D100-1D126 1D129-1D164 1D16A-1D16C 1D183-1D184 "
    "1D18C-1D1A9 1D1AE-1D1E8 1D200-1D241 1D245 1D300-1D356 1D800-1D9FF 1DA37-1DA3A 1DA6D-1DA74 1DA76-1DA83 "
    "1DA85-1DA86 1ECAC 1F000-1F02B 1F030-1F093 1F0A0-1F0AE 1F0B1-1F0BF 1F0C1-1F0CF 1F0D1-1F0F5 1F110-1F16B "
    "1F170-1F1AC 1F1E6-1F202 1F210-1F23B 1F240-1F248 1F250-1F251 1F260-1F265 1F300-1F3FA 1F400-1F6D4 1F6E0-1F6EC "
    "1F6F0-1F6F9 1F700-1F773 1F780-1F7D8 1F800-1F80B 1F810-1F847 1F850-1F859 1F860-1F887 1F890-1F8AD 1F900-1F90B "
    "1F910-1F93E 1F940-1F970 1F973-1F976 1F97A 1F97C-1F9A2 1F9B0-1F9B9 1F9C0-1F9C2 1F9D0-1F9FF 1FA60-1FA6D"
)
_PUNCTUATION = "…,:;!?¿؟¡()[]{}<>_#*&。？！，、；：～·।،۔؛٪"
_QUOTES = "'\"”“`‘´’‚,„»«「」『』（）〔〕【】《》〈〉〈〉⟦⟧"
_CURRENCIES = "$£€¥฿₽﷼₴₠₡₢₣₤₥₦₧₨₩₪₫₭₮₯₰₱₲₳₵₶₷₸₹₺₻₼₾₿"
# datatrove, utils/text.py: what a word is made of that does not count; with the marks that end a sentence.
_SYMBOLS = (
    "0-8 B-1F 21-2F 3A-40 5B-60 7B-9F AB B4 BB 2013-2014 2019 201C-201E 2026 2236 2501 25BA 3001 3008-300D 3010-3011 "
    "FF05 FF08-FF09 FF0C FF11 FF1A-FF1B FF5E 17D6 17D9-17DA"
)
_UNITS = (
    "km km² km³ m m² m³ dm dm² dm³ cm cm² cm³ mm mm² mm³ ha µm nm yd in ft kg g mg µg t lb oz m/s km/h kmh mph hPa Pa "
    "mbar mb MB kb KB gb GB tb TB T G M K % км км² км³ м м² м³ дм дм² дм³ см см² см³ мм мм² мм³ нм кг г мг м/с км/ч "
    "кПа Па мбар Кб КБ кб Мб МБ мб Гб ГБ гб Тб ТБ "
    "كم² كم³ م م² م³ سم سم² سم³ مم مم² مم³ كم غرام جرام جم كغ ملغ كوب اكواب"
)

_PRONOUNS = ("i", "you", "he", "she", "it", "we", "they")
_QUESTIONS = ("who", "what", "when", "where", "why", "how", "there", "that", "this")
_MODALS = ("ca", "could", "do", "does", "did", "had", "may", "might", "must", "need", "ought", "sha", "should", "wo",
           "would")  # fmt: skip
_ONLY_NOT = ("ai", "are", "is", "was", "were", "have", "has", "dare")
# What would be split by these rules, but is a word of its own.
_WORDS = {"ill", "its", "hell", "shell", "shed", "were", "well", "whore"}
_WHOLE = (
    "doin goin nothin nuthin ol somethin lovin havin doin' goin' nothin' nuthin' ol' somethin' lovin' havin' "
    "Doin Goin Nothin Nuthin Ol Somethin Lovin Havin Doin' Goin' Nothin' Nuthin' Ol' Somethin' Lovin' Havin' "
    "em 'em ll 'll nuff 'nuff 'S 's ‘S ‘s and/or w/o 're 'd 'Cause 'cause 'cos 'Cos 'coz 'Coz 'cuz 'Cuz 'bout "
    "ma'am Ma'am o'clock O'clock a.m. p.m. e.g. E.g. E.G. i.e. I.e. I.E. vs. v.s. Ph.D. D.C. N.C. N.D. N.H. N.J. "
    "N.M. N.Y. S.C. Mr. Mrs. Ms. Dr. Jr. Prof. Rev. Rep. Sen. Gov. Gen. Adm. Messrs. St. Mt. Inc. Corp. Ltd. co. Co. "
    "Bros. Jan. Feb. Mar. Apr. Jun. Jul. Aug. Sep. Sept. Oct. Nov. Dec. Ak. Ala. Ariz. Ark. Calif. Colo. Conn. Del. "
    "Fla. Ga. Ia. Id. Ill. Ind. Kan. Kans. Ky. La. Mass. Md. Mich. Minn. Miss. Mo. Mont. Neb. Nebr. Nev. Okla. Ore. "
    "Pa. Tenn. Va. Wash. Wis. ä. ö. ü. C++ ' '' \\\") \\n \\t <space> —"
)
_PAIRS = (
    "y'|all y|all not|'ve not|ve Not|'ve Not|ve can|not Can|not gon|na Gon|na got|ta Got|ta let|'s Let|'s c'm|on C'm|on"
)
_FACES = (
    ":) :)) :))) :-) :-)) :-))) (: (-: =) (= :] :-] [: [-: [= =] :o) (o: :} :-} 8) 8-) (-8 ;) ;-) (; (-; :( :(( :((( "
    ":-( :-(( :-((( ): )-: =( >:( :') :'-) :'( :'-( :/ :-/ =/ =| :| :-| ]= =[ :1 :3 :-3 =3 :P :-P :p :-p :O :-O :o "
    ":-o :0 :-0 :() >:o :* :-* :> :-> :X :-X :x :-x :D :-D ;D ;-D =D xD XD xDD XDD 8D 8-D ^_^ ^__^ ^___^ >.< >.> <.< "
    "._. ;_; -_- -__- v.v V.V v_v V_V o_o o_O O_o O_O 0_o o_0 0_0 o.O O.o O.O o.o 0.0 o.0 0.o @_@ <3 <33 <333 </3 "
    "(^_^) (-_-) (._.) (>_<) (*_*) (¬_¬) ಠ_ಠ ಠ︵ಠ (ಠ_ಠ) ¯\\(ツ)/¯ (╯°□°）╯︵┻━┻ ><(((*>"
)


def _contractions() -> Iterator[tuple[str, ...]]:
    """Yield words that fall into parts without a character that would tell: "don't", "dont", "they'll've"."""
    for word in _PRONOUNS:
        endings = [("'ll",), ("'ll", "'ve"), ("'d",), ("'d", "'ve")]
        endings += [("'m",), ("'m", "a")] if word == "i" else []
        endings += [("'ve",)] if word in ("i", "you", "we", "they") else []
        endings += [("'re",)] if word in ("you", "we", "they") else []
        endings += [("'s",)] if word in ("he", "she", "it") else []
        yield from ((word, *ending) for ending in endings)
    for word in (*_QUESTIONS, "these", "those"):
        endings = [("'ll",), ("'ll", "'ve"), ("'d",), ("'d", "'ve")]
        endings += [("'s",)] if word not in ("these", "those") else []
        endings += [("'re",), ("'ve",)] if word not in ("that", "this") else []
        yield from ((word, *ending) for ending in endings)
    for word in _MODALS:
        yield from ((word, "n't"), (word, "n't", "'ve"))
    yield from ((word, "n't") for word in _ONLY_NOT)
    yield from ((word, "'ve") for word in ("could", "might", "must", "should", "would"))


@functools.cache
def words() -> dict[str, tuple[str, ...]]:
    """Return the words that the rules for affixes do not decide, and the tokens that they become."""
    found: dict[str, tuple[str, ...]] = {}
    for parts in _contractions():
        for start, apostrophe in itertools.product((parts[0], parts[0].title()), (True, False)):
            made = (start, *(part if apostrophe else part.replace("'", "") for part in parts[1:]))
            if "".join(made).lower() not in _WORDS:
                found["".join(made)] = made
    for word in (*_WHOLE.split(), *_FACES.split(), *(f"{letter}." for letter in "abcdefghijklmnopqrstuvwxyz")):
        found[word] = (word,)
    for pair in _PAIRS.split():
        found[pair.replace("|", "")] = tuple(pair.split("|"))
    for start in ("how", "How"):
        found[f"{start}'d'y"] = (start, "'d", "'y")
    for hour, half in itertools.product(range(1, 13), ("a.m.", "am", "p.m.", "pm")):
        found[f"{hour}{half}"] = (str(hour), half)
    for degree in "cfkCFK":
        found[f"°{degree}."] = ("°", degree, ".")
    for word in [word for word in found if "'" in word]:
        found[word.replace("'", "’")] = tuple(part.replace("'", "’") for part in found[word])
    return found


_FACTOR = 0x9E3779B97F4A7C15
BASE = np.uint64(0xD6E8FEB86659FD93)


class Rules(NamedTuple):
    """`classes` uint8 (TABLE_SIZE,): bits of a character. Exceptions and units in hash tables of codes of words
    (`code`): `keys` uint64, 0 where free; the word at k falls into parts of
    `parts[k, 1:1 + parts[k, 0]]` characters, and `parts[k, 4]` is 1 where it may come together again from tokens;
    `units` uint64. `stops` uint64 (8,): the codes of Gopher's stop words."""

    classes: npt.NDArray[np.uint8]
    keys: npt.NDArray[np.uint64]
    parts: npt.NDArray[np.int64]
    units: npt.NDArray[np.uint64]
    stops: npt.NDArray[np.uint64]


LONGEST = 13  # characters of an exception


@njit(nogil=True, cache=True)
def code(cps, a, b):
    """Return the polynomial hash of the characters `cps[a:b]`; never 0 for one character or more."""
    h = np.uint64(0)
    for i in range(a, b):
        h = appended(h, cps[i])
    return h


@njit(nogil=True, cache=True, inline="always")
def appended(h, cp):
    """Return the code of a word and one more character."""
    return h * BASE + mix((np.uint64(cp) + np.uint64(1)) * np.uint64(_FACTOR))


@functools.cache
def rules() -> Rules:
    """Return the tables that the tokenizer reads."""

    def codes(items: list[str], size: int) -> npt.NDArray[np.uint64]:
        table = np.zeros(size, np.uint64)
        for item in items:
            key = code(np.array([ord(c) for c in item], np.int32), 0, len(item))
            at = int(key) & (size - 1)
            while table[at]:
                at = (at + 1) & (size - 1)
            table[at] = key
        return table

    entries = words()
    keys = codes(list(entries), 8192)
    parts = np.zeros((len(keys), 5), np.int64)
    for word, pieces in entries.items():
        at = int(np.flatnonzero(keys == codes([word], 1)[0])[0])
        parts[at, : len(pieces) + 1] = [len(pieces), *map(len, pieces)]
        parts[at, 4] = not word.isalnum()
    stops = np.concatenate([codes([word], 1) for word in STOP_WORDS])
    return Rules(_classes(), keys, parts, codes(_UNITS.split(), 256), stops)


def _classes() -> npt.NDArray[np.uint8]:
    table = np.zeros(TABLE_SIZE, np.uint8)

    def mark(points: set[int], bit: int) -> None:
        table[[cp for cp in points if cp < TABLE_SIZE]] |= bit

    flags = unicode.tables()
    upper = {
        cp
        for cp in unicode._points(_CASED)
        if flags.flags[(int(flags.index[cp >> 7]) << 7) | (cp & 127)] & unicode.UPPER
    }
    mark(unicode._points(_UNCASED), LOWER | UPPER)
    mark(upper, UPPER)
    mark(unicode._points(_CASED) - upper, LOWER)
    mark(unicode._points(_ICONS) | {ord(c) for c in _PUNCTUATION + _QUOTES + "—–"}, MARK)
    mark({ord(c) for c in "§%=" + _CURRENCIES}, OPENS)
    mark({ord(c) for c in _QUOTES}, QUOTE)
    mark({ord(c) for c in _CURRENCIES}, CURRENCY)
    # The class is written with alternatives in it: their bars and brackets are members too.
    mark({ord(c) for c in "0123456789%²-+|(?:)" + _PUNCTUATION + _QUOTES}, BEFORE_DOT)
    mark({cp for cp in range(TABLE_SIZE) if table[cp] & LOWER}, BEFORE_DOT)
    mark(unicode._points(_SYMBOLS) | unicode._points(unicode._TERMINAL), SYMBOL)
    return table
