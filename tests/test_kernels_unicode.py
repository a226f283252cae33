"""The shipped character tables agree with this Python's `str` and `unicodedata`, for every code point."""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.kernels import unicode
from tests.naive import is_removed

_INDEX, _FLAGS, _LOWER = unicode.tables()
_EVERY = np.arange(sys.maxunicode + 1)
_PLACES = (_INDEX[_EVERY >> 7].astype(np.int64) << 7) | (_EVERY & 127)


def _shipped(flag: int) -> set[int]:
    return set(np.flatnonzero(_FLAGS[_PLACES] & flag).tolist())


def _assigned() -> list[str]:
    """Characters that this Python and the one that built the tables both know.

    Those of Unicode 3.2 always; later ones when the tables say anything about them.
    """
    every = (chr(cp) for cp in _EVERY.tolist())
    known = (c for c in every if unicodedata.category(c) not in ("Cn", "Cs"))
    return [c for c in known if unicodedata.ucd_3_2_0.category(c) != "Cn" or _FLAGS[_PLACES[ord(c)]]]


_CHARACTERS = _assigned()


@pytest.mark.parametrize(
    ("flag", "holds"),
    [
        (unicode.SPACE, str.isspace),
        (unicode.ALPHA, str.isalpha),
        (unicode.UPPER, str.isupper),
        (unicode.PUNCT, lambda c: unicodedata.category(c)[0] == "P"),
        (unicode.DIGIT, lambda c: unicodedata.category(c) == "Nd"),
        (unicode.WORD, lambda c: c.isalnum() or c == "_" or unicodedata.category(c)[0] == "M"),
        (unicode.CONTROL, is_removed),
    ],
    ids=["SPACE", "ALPHA", "UPPER", "PUNCT", "DIGIT", "WORD", "CONTROL"],
)
def test_a_flag_holds_where_python_says_so(flag: int, holds: Callable[[str], bool]) -> None:
    shipped = _shipped(flag)
    assert [f"U+{ord(c):04X}" for c in _CHARACTERS if holds(c) != (ord(c) in shipped)] == []


def test_lower_case_is_pythons_where_it_is_one_character() -> None:
    wrong = [c for c in _CHARACTERS if len(c.lower()) == 1 and ord(c) + _LOWER[_PLACES[ord(c)]] != ord(c.lower())]
    assert wrong == []


@settings(deadline=None, max_examples=500)
@given(st.text(st.sampled_from([c for c in _CHARACTERS if not _FLAGS[_PLACES[ord(c)]] & unicode.RECOMPOSE])))
def test_a_text_without_flagged_characters_is_in_normal_form(text: str) -> None:
    assert unicodedata.is_normalized("NFC", text)


def test_characters_that_are_not_in_normal_form_by_themselves_are_flagged() -> None:
    flagged = _shipped(unicode.RECOMPOSE)
    assert [c for c in _CHARACTERS if not unicodedata.is_normalized("NFC", c) and ord(c) not in flagged] == []


def test_marks_that_end_a_sentence() -> None:
    marks = _shipped(unicode.TERMINAL)
    assert {ord(c) for c in ".!?。！？؟।"} <= marks
    assert not marks & {ord(c) for c in ",;:\"'…)"}


def test_tables_built_by_this_python_are_the_shipped_ones_where_versions_agree() -> None:
    built = unicode.build()
    places = (built.index[_EVERY >> 7].astype(np.int64) << 7) | (_EVERY & 127)
    known = np.array([ord(c) for c in _CHARACTERS])
    np.testing.assert_array_equal(built.flags[places[known]], _FLAGS[_PLACES[known]])
    np.testing.assert_array_equal(built.lower[places[known]], _LOWER[_PLACES[known]])


@settings(deadline=None, max_examples=300)
@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_decode_gives_the_code_points_of_a_text(text: str) -> None:
    data = np.frombuffer(text.encode(), np.uint8)
    found, i = [], 0
    while i < len(data):
        cp, i = unicode.decode(data, i, len(data))
        found.append(chr(cp))
    assert "".join(found) == text


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=40))
def test_decode_of_bytes_that_are_no_utf8_ends_and_stays_inside(raw: bytes) -> None:
    data, i = np.frombuffer(raw, np.uint8), 0
    while i < len(data):
        cp, after = unicode.decode(data, i, len(data))
        assert 0 <= cp <= sys.maxunicode
        assert i < after <= len(data)
        i = after
