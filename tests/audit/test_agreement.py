"""Two proxies and the order in which they put corpora."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.audit.agreement import agreement

TABLE = st.integers(2, 6).flatmap(
    lambda n: st.lists(st.lists(st.integers(0, 4), min_size=3, max_size=3), min_size=n, max_size=n)
)


@settings(deadline=None)  # the first call imports scipy
@given(TABLE, st.randoms())
def test_coefficients_are_those_of_scipy(table: list[list[int]], random: object) -> None:
    stats = pytest.importorskip("scipy.stats")
    other = [row[:] for row in table]
    for row in other:
        random.shuffle(row)  # type: ignore[attr-defined]
    found = agreement(table, other, ["a", "b", "c"])
    a, b = np.array(table), np.array(other)
    for column, (kendall, spearman) in enumerate(found.references.values()):
        x, y = a[:, column], b[:, column]
        if len(set(x)) == 1 or len(set(y)) == 1:
            assert kendall is None and spearman is None
            continue
        assert kendall == pytest.approx(stats.kendalltau(x, y).statistic)
        assert spearman == pytest.approx(stats.spearmanr(x, y).statistic)


def test_pairs_that_both_order_alike_are_counted() -> None:
    ngram = [[2.7, 3.5], [2.5, 3.2], [2.4, 3.3]]  # corpora in rows, references in columns
    network = [[3.0, 4.0], [2.9, 3.8], [2.8, 3.7]]
    found = agreement(ngram, network, ["books", "news"])
    assert (found.pairs, found.agreed) == (6, 5)
    assert found.references == {"books": (pytest.approx(1), pytest.approx(1)), "news": (pytest.approx(1 / 3), 0.5)}
    assert found.kendall == pytest.approx(2 / 3) and found.spearman == pytest.approx(0.75)


def test_one_corpus_has_no_order() -> None:
    found = agreement([[1.0]], [[2.0]], ["books"])
    assert (found.pairs, found.agreed, found.kendall, found.spearman) == (0, 0, None, None)
    with pytest.raises(ValueError, match="for 2 references"):
        agreement([[1.0]], [[2.0]], ["books", "news"])
