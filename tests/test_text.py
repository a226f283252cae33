"""The cleaners agree with plain Python, leave clean text alone, and always give valid UTF-8."""

from __future__ import annotations

import unicodedata

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifiers.arrow import as_strings, to_array
from curate.errors import RecipeError
from curate.text import beginnings, clean, windows
from tests import naive
from tests.signals.texts import TEXTS

SENTENCE = "This line has more than five words in it."


def cleaned(texts: object, *names: str) -> list[str]:
    array = to_array(clean(texts, names))
    array.validate(full=True)  # raises unless it is UTF-8
    return list(array.to_pylist())


def one(text: str, name: str) -> str:
    return cleaned([text], name)[0]


@settings(deadline=None, max_examples=300)
@given(st.lists(TEXTS, max_size=4))
def test_unicode_agrees_with_unicodedata(texts: list[str]) -> None:
    assert cleaned(texts, "unicode") == [naive.clean_unicode(text) for text in texts]


@settings(deadline=None, max_examples=200)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs", "Cn"]), max_size=60), max_size=4))
def test_unicode_agrees_with_unicodedata_on_any_characters(texts: list[str]) -> None:
    assert cleaned(texts, "unicode") == [naive.clean_unicode(text) for text in texts]


_SENTENCES = st.sampled_from(
    [SENTENCE, "Too short.", "No mark at the end here", 'She said "we go home now."', "and so on and on and on...",
     "Is it five words? [12]", "[[1]] nested marks go as well here.", "[edit] one two three four five!",
     "a b c d é!\u3000",      "We use Cookies on this page.", "Read the PRIVACY policy of ours now.",
     "A line about JavaScript and more words.",
     "terms of us and terms of", "[cit[]ation needed] one two three four five.", "x" * 1001 + " and five more words.",
     "é" * 1000 + " and five more words.", "[citation needed", "\u00a0 padded with spaces it is. \u2028", ""]
)  # fmt: skip
_PAGES = st.lists(st.one_of(_SENTENCES, _SENTENCES, TEXTS), max_size=8).map("\n".join)


@settings(deadline=None, max_examples=300)
@given(st.lists(_PAGES, max_size=4))
def test_c4_lines_agree_with_plain_python(texts: list[str]) -> None:
    assert cleaned(texts, "c4_lines") == [naive.clean_c4_lines(text) for text in texts]


@settings(deadline=None, max_examples=300)
@given(st.lists(st.lists(st.sampled_from(["[", "]", "1", "edit", " ", "a b c d e f."]), max_size=14).map("".join)))
def test_citation_marks_agree_with_plain_python(texts: list[str]) -> None:
    assert cleaned(texts, "c4_lines") == [naive.clean_c4_lines(text) for text in texts]


@pytest.mark.parametrize("names", [("unicode",), ("c4_lines",), ("unicode", "c4_lines")])
@settings(deadline=None, max_examples=100)
@given(texts=st.lists(_PAGES, max_size=4))
def test_cleaning_twice_is_cleaning_once(names: tuple[str, ...], texts: list[str]) -> None:
    once = cleaned(texts, *names)
    assert cleaned(once, *names) == once


@settings(deadline=None, max_examples=100)
@given(st.lists(_PAGES, max_size=4))
def test_cleaning_never_makes_a_text_longer_than_its_normal_form(texts: list[str]) -> None:
    for text, short, lines in zip(texts, cleaned(texts, "unicode"), cleaned(texts, "c4_lines"), strict=True):
        assert len(short) <= len(unicodedata.normalize("NFC", text))
        assert len(lines.encode()) <= len(text.encode())


@settings(deadline=None, max_examples=50)
@given(st.lists(_PAGES, min_size=1, max_size=6))
def test_a_slice_is_cleaned_like_its_texts(texts: list[str]) -> None:
    array = pa.array(["left\r out [1]", *texts, "left\x00 out e\u0301"]).slice(1, len(texts))
    for name in ("unicode", "c4_lines"):
        assert cleaned(array, name) == cleaned(texts, name)


def test_newlines_of_every_system_become_one() -> None:
    assert one("a\r\nb\rc\n\r\nd\u0085e\x0cf", "unicode") == "a\nb\nc\n\nd\ne\nf"


def test_tabs_and_joiners_stay_and_invisible_characters_go() -> None:
    assert one("a\tb 👩\u200d🚀 \u200bx\ufeffy\u00adz\x00\x7f", "unicode") == "a\tb 👩\u200d🚀 xyz"


def test_letters_and_marks_are_composed() -> None:
    assert one("e\u0301 \u1112\u1161\u11ab", "unicode") == "é 한"


def test_a_mark_behind_a_removed_character_is_composed() -> None:
    assert one("e\u200b\u0301", "unicode") == "é"


def test_clean_texts_are_not_copied() -> None:
    texts = pa.array(["nothing to do", "naïve 漢字"], pa.large_string())
    assert clean(texts, ["unicode"]).data.ctypes.data == texts.buffers()[2].address


def test_c4_keeps_whole_lines_and_strips_them() -> None:
    page = f"Menu\n  {SENTENCE} \nToo short.\nIt has no mark at its end\n\n{SENTENCE}\n"
    assert one(page, "c4_lines") == f"{SENTENCE}\n{SENTENCE}"


@pytest.mark.parametrize(
    "line",
    [
        "And so it goes on and on...",
        "And so it goes on and on…",
        "Please enable JavaScript to see this.",
        "We use cookies to follow you about.",
        "By reading you accept our Terms of Use today.",
        "x" * 1001 + " is a word that is too long.",
        "four words only here.",
    ],
)
def test_c4_drops_the_line(line: str) -> None:
    assert one(f"{SENTENCE}\n{line}", "c4_lines") == SENTENCE


@pytest.mark.parametrize("mark", ["[1]", "[]", "[2024]", "[edit]", "[citation needed]", "[[7]]"])
def test_citation_marks_go(mark: str) -> None:
    assert one(f"{mark} The line{mark} keeps all other words.{mark}", "c4_lines") == "The line keeps all other words."


@pytest.mark.parametrize("mark", ["[1a]", "[note 1]", "[ 1]", "[Edit]", "(1)", "1]", "[1"])
def test_other_brackets_stay(mark: str) -> None:
    line = f"The line {mark} keeps all of its words."
    assert one(line, "c4_lines") == line


def test_empty_batches_and_texts_stay_empty() -> None:
    assert cleaned([], "unicode", "c4_lines") == []
    assert cleaned(["", None], "unicode", "c4_lines") == ["", ""]


def test_an_unknown_cleaner_is_named() -> None:
    with pytest.raises(RecipeError, match=r'unknown cleaner "c4_line"; did you mean "c4_lines"\?'):
        clean(["text"], ["c4_line"])


def test_beginnings_are_characters_or_words() -> None:
    texts = ["héllo wörld, again", "", "  你好 吗 ", "one"]
    strings = as_strings(texts)
    assert to_array(beginnings(strings, 3)).to_pylist() == [text[:3] for text in texts]
    assert [text.split() for text in to_array(beginnings(strings, 2, words=True)).to_pylist()] == [
        text.split()[:2] for text in texts
    ]


def test_windows_are_cut_at_white_space_and_hold_everything() -> None:
    texts = ["word " * 100, "", "x" * 50, "short"]
    pieces, first = windows(as_strings(texts), 20)
    cut = to_array(pieces).to_pylist()
    for number, text in enumerate(texts):
        own = cut[first[number] : first[number + 1]]
        assert "".join(own) == text
        assert len(own) >= 1
        assert max(map(len, own)) <= 22
