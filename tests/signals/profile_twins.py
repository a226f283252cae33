"""What dolma, datatrove and DCLM count, once more in plain Python: what the profiles' kernels are compared with.

Written from the definitions, over the same tables of characters and exceptions; none of the toolkits' code.
"""

from __future__ import annotations

import functools
import re
import statistics
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise

from curate.kernels import spacy_rules, unicode, word_breaks

Value = float | int | bool

STOP_WORDS = {"the", "be", "to", "of", "and", "that", "have", "with"}
_RULES = spacy_rules.rules()
_WORDS = spacy_rules.words()
_ICONS = {chr(cp) for cp in unicode._points(spacy_rules._ICONS)}
_PREFIXES = _ICONS | set(spacy_rules._PUNCTUATION + spacy_rules._QUOTES + "—–§%=" + spacy_rules._CURRENCIES)
_SUFFIXES = _ICONS | set(spacy_rules._PUNCTUATION + spacy_rules._QUOTES + "—–")
_UNITS = "|".join(sorted(map(re.escape, spacy_rules._UNITS.split()), key=len, reverse=True))
_CURRENCY = "|".join([r"US\$", r"C\$", r"A\$", *map(re.escape, spacy_rules._CURRENCIES)])


def flag(char: str, bit: int) -> bool:
    index, words, _ = unicode.tables()
    return bool(words[(int(index[ord(char) >> 7]) << 7) | (ord(char) & 127)] & bit)


def _is(char: str, bit: int) -> bool:
    return ord(char) < spacy_rules.TABLE_SIZE and bool(_RULES.classes[ord(char)] & bit)


def _letter(char: str) -> bool:
    return _is(char, spacy_rules.LOWER | spacy_rules.UPPER)


def _digit(char: str) -> bool:
    return char in "0123456789"


def _prefix(word: str) -> int:
    if match := re.match(r"\.\.+|\+(?![0-9])|US\$|[CA]\$", word):
        return match.end()
    return int(word[:1] in _PREFIXES)


def _suffix(word: str) -> int:
    if match := re.search(rf"\.\.+$|……$|['’][sS]$|(?<=[0-9])(?:\+|{_UNITS}|{_CURRENCY})$", word):
        return match.end() - match.start()
    if word.endswith("."):
        before = word[-2:-1]
        shouted = len(word) > 2 and _is(word[-3], spacy_rules.UPPER) and _is(before, spacy_rules.UPPER)
        degrees = len(word) > 2 and word[-3] == "°" and before in "FCK"
        return int(bool(before) and (_is(before, spacy_rules.BEFORE_DOT) or shouted or degrees))
    return int(word[-1:] in _SUFFIXES)


def _infix(word: str, i: int) -> int:
    if match := re.match(r"\.\.+|…", word[i:]):
        return match.end()
    if word[i] in _ICONS:
        return 1
    if i == 0 or i + 1 == len(word):
        return 0
    before, char, after = word[i - 1], word[i], word[i + 1]
    if _digit(before) and char in "+-*^" and (_digit(after) or after == "-"):
        return 1
    if char == "." and _is(before, spacy_rules.LOWER | spacy_rules.QUOTE):
        return int(_is(after, spacy_rules.UPPER | spacy_rules.QUOTE))
    if char == ",":
        return int(_letter(before) and _letter(after))
    if _letter(before) or _digit(before):
        for mark in ("-", "–", "—", "--", "---", "——", "~"):
            if word.startswith(mark, i) and i + len(mark) < len(word) and _letter(word[i + len(mark)]):
                return len(mark)
        return int(char in ":<>=/" and _letter(after))
    return 0


_OUTER = r"[A-Za-z0-9\u00a1-\uffff]"
_PART = rf"{_OUTER}(?:[A-Za-z0-9\u00a1-\uffff_-]{{0,62}}{_OUTER})?"
_HOST = re.compile(rf"((?:{_PART}\.)+)([^./?#:]{{2,63}})(:\d{{2,5}})?([/?#].*)?", re.DOTALL | re.ASCII)
_ADDRESS = re.compile(r"(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})(:\d{2,5})?([/?#].*)?", re.DOTALL | re.ASCII)


def _is_host(text: str) -> bool:
    match = _HOST.fullmatch(text)
    if match and all(_is(char, spacy_rules.LOWER) and ord(char) <= 0xFFFF for char in match[2]):
        return all(char.isascii() or ord(char) >= 0xA1 for char in match[2])
    address = _ADDRESS.fullmatch(text)
    if not address:
        return False
    a, b, c, d = (int(address[k]) for k in (1, 2, 3, 4))
    private = a in (10, 127) or (a, b) in ((169, 254), (192, 168)) or (a == 172 and 16 <= b <= 31)
    return not private and 1 <= a <= 223 and max(b, c) <= 255 and 1 <= d <= 254


def _is_url(word: str) -> bool:
    scheme = re.match(r"[A-Za-z0-9_+.-]{2,}://", word, re.ASCII)
    starts = [0, *([scheme.end()] if scheme else []), *(i + 1 for i, char in enumerate(word) if char == "@" and i)]
    return any(_is_host(word[start:]) for start in starts)


def cut(word: str) -> list[str]:
    """Tokens of a white-space word."""
    front: list[str] = []
    back: list[str] = []
    while word and word not in _WORDS:
        before, after = _prefix(word), _suffix(word[_prefix(word) :])
        if before and word[before:] in _WORDS:
            front, word = [*front, word[:before]], word[before:]
            break
        if after and word[:-after] in _WORDS:
            back, word = [word[-after:], *back], word[:-after]
            break
        if not before and not after:
            break
        if before:
            front, word = [*front, word[:before]], word[before:]
        if after:
            back, word = [word[-after:], *back], word[:-after]
    if word in _WORDS:
        middle = list(_WORDS[word])
    elif not word or _is_url(word):
        middle = [word] if word else []
    else:
        middle, opening, i = [], 0, 0
        while i < len(word):
            size = _infix(word, i)
            if size and i:
                middle += [part for part in (word[opening:i], word[i : i + size]) if part]
                opening = i + size
            i += max(size, 1)
        middle += [word[opening:]] if opening < len(word) else []
    return _joined(front + middle + back)


def _joined(tokens: list[str]) -> list[str]:
    found: list[str] = []
    while tokens:
        for size in range(len(tokens), 1, -1):
            together = "".join(tokens[:size])
            if together in _WORDS and not together.isalnum() and len(_WORDS[together]) <= size:
                found += _WORDS[together]
                tokens = tokens[size:]
                break
        else:
            found.append(tokens.pop(0))
    return found


@functools.lru_cache(8)
def tokens(text: str) -> tuple[str, ...]:
    return tuple(token for word in text.split() for token in cut(word))


@functools.lru_cache(8)
def unicode_words(text: str) -> tuple[str, ...]:
    """Words between Unicode's word boundaries, by the rules of UAX #29 as they are written there."""
    classes = word_breaks.classes()
    kinds = [int(classes[ord(char)]) & 15 if ord(char) < len(classes) else 0 for char in text]
    letters = {word_breaks.LETTER, word_breaks.HEBREW}
    middles = {word_breaks.MID_BOTH, word_breaks.SINGLE_QUOTE}
    solid = [
        i for i, kind in enumerate(kinds) if kind != word_breaks.EXTEND or i == 0 or kinds[i - 1] == word_breaks.NEWLINE
    ]
    cuts = {0, len(text)}
    for place, i in enumerate(solid[1:], start=1):
        a, b = kinds[solid[place - 1]], kinds[i]
        before = kinds[solid[place - 2]] if place > 1 else -1
        after = kinds[solid[place + 1]] if place + 1 < len(solid) else -1
        keep = a in letters and b in letters
        keep |= a in letters and b in middles | {word_breaks.MID_LETTER} and after in letters
        keep |= before in letters and a in middles | {word_breaks.MID_LETTER} and b in letters
        keep |= a == word_breaks.HEBREW and b == word_breaks.SINGLE_QUOTE
        keep |= (a, b, after) == (word_breaks.HEBREW, word_breaks.DOUBLE_QUOTE, word_breaks.HEBREW)
        keep |= (before, a, b) == (word_breaks.HEBREW, word_breaks.DOUBLE_QUOTE, word_breaks.HEBREW)
        number = word_breaks.NUMERIC
        keep |= (a == number and b in letters | {number}) or (a in letters and b == number)
        keep |= before == number and a in middles | {word_breaks.MID_NUMBER} and b == number
        keep |= a == number and b in middles | {word_breaks.MID_NUMBER} and after == number
        keep |= a == b == word_breaks.KATAKANA
        wordly = letters | {number, word_breaks.KATAKANA}
        keep |= a in wordly | {word_breaks.JOINER} and b == word_breaks.JOINER
        keep |= a == word_breaks.JOINER and b in wordly
        if not keep or word_breaks.NEWLINE in (a, b):
            cuts.add(i)
    words = (text[a:b] for a, b in pairwise(sorted(cuts)))
    return tuple(word for word in words if _begins_word(ord(word[0])))


def _begins_word(cp: int) -> bool:
    classes = word_breaks.classes()
    return bool(classes[cp] & word_breaks.ALNUM) if cp < len(classes) else cp < 0x323B0


def ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def characters(parts: Sequence[str]) -> int:
    return sum(map(len, parts))


def every_copy(parts: Sequence[str]) -> list[str]:
    times = Counter(parts)
    return [part for part in parts if times[part] > 1]


def later_copies(parts: Sequence[str]) -> list[str]:
    times: Counter[str] = Counter()
    found = []
    for part in parts:
        times[part] += 1
        found += [part] if times[part] > 1 else []
    return found


def grams(words: Sequence[str], n: int) -> list[tuple[str, ...]]:
    return [tuple(words[i : i + n]) for i in range(len(words) - n + 1)]


@functools.lru_cache(8)
def top_gram(words: tuple[str, ...], n: int) -> tuple[int, int]:
    """How often the first of the most frequent n-grams occurs, and its characters."""
    found = grams(words, n)
    times = Counter(found)
    best = max(times.values(), default=0)
    return next(((best, characters(gram)) for gram in found if times[gram] == best), (0, 0))


def greedy(words: Sequence[str], n: int) -> int:
    seen: set[str] = set()
    total = i = 0
    while i + n <= len(words):
        joined = "".join(words[i : i + n])
        total += len(joined) if joined in seen else 0
        i += n if joined in seen else 1
        seen.add(joined)
    return total


def dolma_lines(text: str, version: int) -> list[str]:
    return text.split("\n") if version == 1 else re.split("\n+", text)


def word_chars(text: str) -> int:
    return max(1, characters(text.split()))


def share(parts: Sequence[str], wanted: Callable[[str], bool]) -> float:
    return ratio(sum(map(wanted, parts)), len(parts))


def has_letter(word: str) -> bool:
    return any(flag(char, unicode.ALPHA) for char in word)


def has_content(word: str) -> bool:
    return not all(_is(char, spacy_rules.SYMBOL) for char in word)


def ascii_lower(text: str) -> str:
    return text.translate({upper: upper + 32 for upper in range(65, 91)})


def split_lines(text: str) -> list[str]:
    return text.splitlines()


def blank_line_blocks(text: str) -> list[str]:
    return re.split("\n{2,}", text.strip())


def filled_lines(text: str) -> list[str]:
    return [line for line in text.split("\n") if line.strip()]


def ends_sentence(char: str) -> bool:
    return flag(char, unicode.TERMINAL) or char in "\u17d6\u17d9\u17da"


_POLICIES = ("terms of use", "privacy policy", "cookie policy", "uses cookies", "use of cookies", "use cookies")


@functools.lru_cache(8)
def c4_lines(text: str) -> tuple[list[str], bool, bool]:
    """Lines that stay, and whether one held a bracket or lorem ipsum."""
    kept, bracket, lorem = [], False, False
    for whole in text.splitlines():
        words = whole.split()
        line = re.sub(r"\[\d*\]|\[edit\]|\[citation needed\]", "", whole.strip())
        if len(words) < 3 or max(map(len, words)) > 1000:
            continue
        if not line.endswith((".", "?", "!", '"', "'")) or line.endswith("..."):
            continue
        lorem |= "lorem ipsum" in ascii_lower(line)
        if "javascript" in ascii_lower(line):
            continue
        bracket |= "{" in line
        if not any(phrase in ascii_lower(line) for phrase in _POLICIES):
            kept.append(line)
    return kept, bracket, lorem


def sentences(line: str) -> int:
    count, ended, at = 0, False, 0
    for word in line.split():
        start = line.index(word, at)
        spaced = start - at != 1 or line[at] != " "
        at = start + len(word)
        for k, token in enumerate(cut(word)):
            mark = len(token) == 1 and flag(token, unicode.TERMINAL)
            punctuation = all(flag(char, unicode.PUNCT) for char in token)
            if count == 0 or (ended and ((spaced and k == 0) or not (punctuation or mark))):
                count += 1
                ended = False
            ended |= mark
    return count


def third_line(text: str) -> int:
    longest = sorted(map(len, text.split("\n")), reverse=True)
    return longest[2] if len(longest) > 2 else 0


def covered(words: Sequence[str], n: int) -> int:
    found = grams(words, n)
    times = Counter(found)
    places = {k for i, gram in enumerate(found) if times[gram] > 1 for k in range(i, i + n)}
    return sum(len(words[k]) for k in places)


def longest_top(words: Sequence[str], n: int) -> int:
    times = Counter(grams(words, n))
    best = max(times.values(), default=0)
    return best * max(characters(gram) for gram in times if times[gram] == best) if best > 1 else 0


def stripped_lines(text: str) -> list[str]:
    return [line.strip() for line in text.split("\n") if line.strip()]


def dclm_paragraphs(text: str) -> list[str]:
    return [part.strip() for part in text.split("\n\n") if part.strip()]


SIGNALS: dict[str, Callable[[str], Value]] = {
    "dolma_median_word_length": lambda t: statistics.median(map(len, t.split())) if t.split() else 0.0,
    "dolma_symbol_words": lambda t: share(t.split(), lambda word: "#" in word or "…" in word),
    "dolma_stop_words": lambda t: sum(word in STOP_WORDS for word in t.split()),
    "dolma_c4_lines": lambda t: len(t.split("\n")),
    "dolma_c4_unpunctuated_lines": lambda t: sum(
        not line.strip().endswith((".", "?", "!", '"')) for line in t.split("\n")
    ),
    "dolma_c4_short_lines": lambda t: sum(len(line.split()) < 3 for line in t.split("\n")),
    "dolma_c4_v1_javascript": lambda t: "javascript" in map(ascii_lower, t.split()),
    "datatrove_word_count": lambda t: sum(map(has_content, tokens(t))),
    "datatrove_mean_word_length": lambda t: ratio(
        characters(list(filter(has_content, tokens(t)))), sum(map(has_content, tokens(t)))
    ),
    "datatrove_hash_ratio": lambda t: ratio(t.count("#"), len(tokens(t))),
    "datatrove_ellipsis_ratio": lambda t: ratio(t.count("...") + t.count("…"), len(tokens(t))),
    "datatrove_bullet_lines": lambda t: share(split_lines(t), lambda line: line.lstrip().startswith(("•", "-"))),
    "datatrove_ellipsis_lines": lambda t: share(split_lines(t), lambda line: line.rstrip().endswith(("...", "…"))),
    "datatrove_alpha_words": lambda t: share(tokens(t), has_letter),
    "datatrove_stop_words": lambda t: len(STOP_WORDS & set(tokens(t))),
    "datatrove_c4_sentences": lambda t: sum(map(sentences, c4_lines(t)[0])),
    "datatrove_c4_curly_bracket": lambda t: c4_lines(t)[1],
    "datatrove_c4_lorem_ipsum": lambda t: c4_lines(t)[2],
    "datatrove_c4_third_line": third_line,
    "datatrove_line_punct_ratio": lambda t: share(filled_lines(t), lambda line: ends_sentence(line[-1])),
    "datatrove_short_line_ratio": lambda t: share(filled_lines(t), lambda line: len(line) <= 30),
    "datatrove_char_dup_ratio": lambda t: ratio(characters(later_copies(filled_lines(t))), len(t) - t.count("\n")),
    "datatrove_newline_ratio": lambda t: ratio(t.count("\n"), len(tokens(t))),
    "dclm_word_count": lambda t: len(unicode_words(t)),
    "dclm_symbol_ratio": lambda t: ratio(sum(map(t.count, ("#", "...", ". . .", "…"))), len(t.split())),
    "dclm_bullet_lines": lambda t: share(stripped_lines(t), lambda line: line[0] in "●•*-"),
    "dclm_ellipsis_lines": lambda t: share(stripped_lines(t), lambda line: line.endswith(("...", ". . .", "…"))),
    "dclm_stop_words": lambda t: sum(ascii_lower(word) in STOP_WORDS for word in t.split()),
    "dclm_dup_paragraphs": lambda t: ratio(len(every_copy(dclm_paragraphs(t))), len(dclm_paragraphs(t))),
    "dclm_dup_paragraph_chars": lambda t: ratio(
        characters(every_copy(dclm_paragraphs(t))), characters(dclm_paragraphs(t))
    ),
}
for _v in (1, 2):
    SIGNALS |= {
        f"dolma_v{_v}_bullet_lines": lambda t, v=_v: share(dolma_lines(t, v), lambda line: line[:1] in ("*", "-")),
        f"dolma_v{_v}_ellipsis_lines": lambda t, v=_v: share(dolma_lines(t, v), lambda line: line[-1:] == "…"),
        f"dolma_v{_v}_dup_lines": lambda t, v=_v: ratio(len(every_copy(dolma_lines(t, v))), len(dolma_lines(t, v))),
        f"dolma_v{_v}_dup_line_chars": lambda t, v=_v: characters(every_copy(dolma_lines(t, v))) / word_chars(t),
    }
for _name, _split in (("line", lambda t: re.split("\n+", t)), ("paragraph", blank_line_blocks)):
    SIGNALS |= {
        f"datatrove_dup_{_name}s": lambda t, split=_split: ratio(len(later_copies(split(t))), len(split(t))),
        f"datatrove_dup_{_name}_chars": lambda t, split=_split: ratio(characters(later_copies(split(t))), len(t)),
    }
for _n in (2, 3, 4):
    SIGNALS |= {
        f"dolma_top_{_n}gram": lambda t, n=_n: (
            top_gram(tuple(t.split()), n)[0] * top_gram(tuple(t.split()), n)[1] / word_chars(t)
        ),
        f"datatrove_top_{_n}gram": lambda t, n=_n: ratio(
            top_gram(tokens(t), n)[0] * (top_gram(tokens(t), n)[1] + n - 1), len(t)
        ),
        f"dclm_top_{_n}gram": lambda t, n=_n: ratio(longest_top(unicode_words(t), n), characters(unicode_words(t))),
    }
for _n in range(5, 11):
    SIGNALS |= {
        f"dolma_dup_{_n}gram": lambda t, n=_n: ratio(
            sum(map(characters, every_copy(grams(t.split(), n)))), sum(map(characters, grams(t.split(), n)))
        ),
        f"datatrove_dup_{_n}gram": lambda t, n=_n: ratio(greedy(tokens(t), n), len(t)),
        f"dclm_dup_{_n}gram": lambda t, n=_n: ratio(covered(unicode_words(t), n), characters(unicode_words(t))),
    }
