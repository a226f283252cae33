"""Tokens of texts, and the windows in which a network predicts each of them once."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.arrow import Strings, as_strings
from curate.audit.sizes import SIZES
from curate.audit.token_stream import Bytes, continued, windows
from curate.audit.transformer import TransformerProxy
from curate.errors import CurateError

TEXTS = st.lists(st.text(max_size=40), max_size=6)


@given(TEXTS, st.integers(0, 3))
def test_every_byte_is_a_token_after_the_one_that_begins_a_text(texts: list[str], skipped: int) -> None:
    strings = as_strings(texts)
    skipped = min(skipped, len(texts))
    stream = Bytes().stream(Strings(strings.data, strings.offsets[skipped:]))
    parts = np.split(stream.tokens, stream.offsets[1:-1]) if len(stream) else []
    assert [part.tolist() for part in parts] == [[256, *text.encode()] for text in texts[skipped:]]


@given(TEXTS, st.integers(4, 20), st.data())
def test_each_wanted_token_is_predicted_once_from_enough_before_it(
    texts: list[str], context: int, data: st.DataObject
) -> None:
    stream = Bytes().stream(as_strings(texts))
    sizes = np.diff(stream.offsets)
    first = np.array([data.draw(st.integers(1, size)) for size in sizes], np.int64)
    found = windows(stream, context, first)
    predicted = []
    for text, start, length, counted in zip(*(column.tolist() for column in found), strict=True):
        assert 0 < length <= context
        for place in range(counted, length):
            token = start + place + 1
            assert place + 1 >= context // 4 or start == stream.offsets[text]
            predicted.append(token)
    wanted = [stream.offsets[d] + place for d in range(len(stream)) for place in range(first[d], sizes[d])]
    assert predicted == wanted


def test_a_continuation_comes_behind_its_text_without_another_beginning() -> None:
    both, first = continued(Bytes().stream(as_strings(["ab", ""])), Bytes().stream(as_strings(["c", "de"])))
    assert both.tokens.tolist() == [256, *b"abc", 256, *b"de"]
    assert both.offsets.tolist() == [0, 4, 7] and first.tolist() == [3, 1]


def test_sizes_are_called_what_they_hold() -> None:
    unit = {"k": 1e3, "M": 1e6}
    for name, size in SIZES.items():
        assert 0.8 < size.parameters / (float(name[:-1]) * unit[name[-1]]) < 1.1, name
        assert size.width % (2 * size.heads) == 0


def test_without_pytorch_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(CurateError, match=r"pip install 'curate-corpus\[proxy\]'"):
        TransformerProxy()
